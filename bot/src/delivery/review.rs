//! A post is read before it goes into a group: by a list of rules, by the platform, and — where somebody wrote it — by a second
//! person.

use qingfeng_core::{
    clock::shanghai_date,
    groups::{
        entity::Model as Group,
        is_the_products_own,
        reviews::{self, ReviewState},
    },
    ids::{OrganizationId, StaffId},
    outbox::{Notice, Recipient, entity::Model as Message},
    people::{PersonKind, Role, entity::residents, holders, phones},
    publication::{Finding, FindingKind, lint},
    refusal::Fault,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    Bot, Reviewing,
    channels::{ContentVerdict, plain_words, words_alone},
    messages::{self, Wordings},
};

/// Whether the post may go out now; otherwise it is held, and those who can let it go are told.
pub(super) async fn passes(bot: &Bot, wordings: &Wordings, group: &Group, message: &Message) -> Result<bool, Fault> {
    // The names in it are those who stand for election.
    if is_the_products_own(&message.kind) {
        return Ok(true);
    }
    let post = messages::post(message, wordings);
    let text = plain_words(&post);
    let review = reviews::find(bot.store.reader(), message.id).await?;
    if review.as_ref().is_some_and(|review| review.lets_go(&text)) {
        return Ok(true);
    }
    let author = reviews::author(message);
    let mut findings = read(bot, group, &words_alone(&post)).await?;
    if let Some(author) = author {
        findings.extend(asked_of_the_platform(bot, author, &text).await?);
    }
    let passes = match bot.settings.reviewing {
        Reviewing::SecondPerson => author.is_none() && findings.is_empty(),
        Reviewing::Rules => findings.is_empty(),
        Reviewing::RulesAlone => findings.iter().all(|finding| finding.kind.is_only_unchecked()),
    };
    if passes {
        if review.is_some_and(|review| review.state == ReviewState::Waiting) {
            let id = message.id;
            bot.store
                .housekeeping(move |unit| Box::pin(async move { reviews::let_through(unit, id, &text).await }))
                .await?;
        }
        return Ok(true);
    }
    let notices = tell_readers(bot, group, message, author, &text).await?;
    let (holder, group, message) = (bot.holder.clone(), group.clone(), message.clone());
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move { reviews::hold(unit, &holder, &group, &message, text, &findings, notices).await })
        })
        .await?;
    Ok(false)
}

async fn read(bot: &Bot, group: &Group, text: &str) -> Result<Vec<Finding>, Fault> {
    let roster = residents::Entity::find()
        .filter(residents::Column::VillageId.eq(group.village_id))
        .filter(residents::Column::Active.eq(true))
        .all(bot.store.reader())
        .await?;
    Ok(lint(text, roster.iter().map(|resident| resident.name.as_str())))
}

/// The platform judges what staff publish, in the author's name. Where it cannot, a person has to look.
async fn asked_of_the_platform(bot: &Bot, author: StaffId, text: &str) -> Result<Option<Finding>, Fault> {
    let unchecked = Some(Finding::of_the_whole(FindingKind::PlatformUnchecked));
    let Some(open_id) = phones::open_id(bot.store.reader(), PersonKind::Staff, author.0).await? else {
        return Ok(unchecked);
    };
    Ok(match bot.channels.accounts.mini_program.check_staff_text(&open_id, text).await {
        Ok(ContentVerdict::Pass) => None,
        Ok(ContentVerdict::Review) => Some(Finding::of_the_whole(FindingKind::PlatformDoubts)),
        Ok(ContentVerdict::Risky) => Some(Finding::of_the_whole(FindingKind::PlatformRefuses)),
        Err(_) => unchecked,
    })
}

/// Who is told that a post waits to be read; where nobody can read it, its author, because it waits for ever.
async fn tell_readers(
    bot: &Bot,
    group: &Group,
    message: &Message,
    author: Option<StaffId>,
    text: &str,
) -> Result<Vec<Notice>, Fault> {
    let today = shanghai_date(bot.store.clock().now());
    // Other words are another question to the same people; so are the same ones, sent again by the office after they gave up.
    let step = format!("{}:{}:{today}", message.id, &hex::encode(Sha256::digest(text))[..16]);
    let notice = |kind: &'static str, to: StaffId| {
        Notice::new(Recipient::Staff(to), kind, group.id)
            .step(step.clone())
            .township(group.township_id)
            .facts(json!({"title": group.name, "review_id": message.id}))
    };
    let readers = readers(bot, group.township_id, author).await?;
    if readers.is_empty() {
        return Ok(author.map(|author| notice("post_unread", author)).into_iter().collect());
    }
    Ok(readers.into_iter().map(|reader| notice("post_to_review", reader)).collect())
}

/// The group administrators of a township, or else the office, or else the leaders — never the author.
pub(crate) async fn readers(
    bot: &Bot,
    township: OrganizationId,
    author: Option<StaffId>,
) -> Result<Vec<StaffId>, Fault> {
    let today = shanghai_date(bot.store.clock().now());
    for role in [Role::GroupAdministrator, Role::TownshipOffice, Role::TownshipLeader] {
        let mut readers = holders(bot.store.reader(), township, &[role], today).await?;
        readers.retain(|reader| Some(*reader) != author);
        if !readers.is_empty() {
            return Ok(readers);
        }
    }
    Ok(Vec::new())
}
