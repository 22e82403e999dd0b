//! Cards to people: whom they reach, and how many a day.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use qingfeng_core::{
    campaigns::{self, plan::CARDS_PER_DAY},
    clock::{shanghai_date, shanghai_instant},
    ids::{ResidentId, StaffId},
    outbox::{MessageState, Priority, RecipientKind, entity::Model as Message, opt_outs},
    people::{
        self, PersonKind, absences,
        authorization::{Subject, is_recused},
        concerns,
        entity::staff,
    },
    refusal::Fault,
    subject::SubjectRef,
};
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{Delivered, Outcome, QUIET_UNTIL, card, claim, recipient, todays_cards};
use crate::{
    Bot,
    messages::{self, Wordings},
};

/// The last cards of a day are kept for what cannot wait.
const KEPT_FOR_URGENT: u64 = 2;

/// Whom a card reaches.
struct Reached {
    kind: PersonKind,
    id: Uuid,
    /// Whose messages they are, if another's.
    stands_in_for: Option<String>,
}

/// To a member of staff, or to whoever stands in.
pub(super) async fn staff(
    bot: &Bot,
    wordings: &Wordings,
    id: StaffId,
    messages: Vec<Message>,
    delivered: &mut Delivered,
) -> Result<(), Fault> {
    let (own, of_deputy) = split(bot, id, messages).await?;
    let himself = Reached { kind: PersonKind::Staff, id: id.0, stands_in_for: None };
    if let Some((deputy, messages)) = of_deputy {
        let person = staff::Entity::find_by_id(id).one(bot.store.reader()).await?;
        let name = person.map(|person| person.name).unwrap_or_default();
        let deputy = Reached { kind: PersonKind::Staff, id: deputy.0, stands_in_for: Some(name) };
        to(bot, wordings, &deputy, messages, delivered).await?;
    }
    to(bot, wordings, &himself, own, delivered).await
}

/// To a resident who wants to be told.
pub(super) async fn resident(
    bot: &Bot,
    wordings: &Wordings,
    id: ResidentId,
    messages: Vec<Message>,
    delivered: &mut Delivered,
) -> Result<(), Fault> {
    // That is an answer, and nothing for anybody to go after.
    if opt_outs::has_opted_out(&bot.store, id).await? {
        return claim::set_state(bot, messages, MessageState::Withdrawn).await;
    }
    let reached = Reached { kind: PersonKind::Resident, id: id.0, stands_in_for: None };
    to(bot, wordings, &reached, messages, delivered).await
}

/// What the person gets himself, and what his deputy gets today. Whom a matter is about does not learn of it by standing in, and
/// who cannot be reached stands in for nobody.
async fn split(
    bot: &Bot,
    id: StaffId,
    messages: Vec<Message>,
) -> Result<(Vec<Message>, Option<(StaffId, Vec<Message>)>), Fault> {
    let (reader, today) = (bot.store.reader(), shanghai_date(bot.store.clock().now()));
    let Some(deputy) = absences::deputy_on(reader, id, today).await? else { return Ok((messages, None)) };
    let Some(deputy) = people::load_staff(&bot.store, deputy, today).await? else { return Ok((messages, None)) };
    if recipient::address(bot, PersonKind::Staff, deputy.id.0).await?.is_nowhere() {
        return Ok((messages, None));
    }
    let (mut own, mut handed) = (Vec::new(), Vec::new());
    for message in messages {
        let about = SubjectRef { kind: message.subject_kind, id: message.subject_id };
        let concerned = concerns::of(reader, about).await?;
        let subject = Subject {
            concerns_organizations: concerned.organizations,
            concerns_staff: concerned.staff,
            ..Subject::default()
        };
        if is_recused(&deputy, &subject) { own.push(message) } else { handed.push(message) }
    }
    Ok((own, (!handed.is_empty()).then_some((deputy.id, handed))))
}

/// How many cards the person may have had today for these to be one more: what their townships' campaigns say, the most of them;
/// what comes on top waits for the next morning.
async fn budget(bot: &Bot, messages: &[Message], today: NaiveDate) -> Result<u64, Fault> {
    let staff = messages.iter().filter(|message| message.recipient_kind == RecipientKind::Staff);
    let townships: BTreeSet<_> = staff.filter_map(|message| message.township_id).collect();
    let mut cards = None;
    for township in townships {
        let reminders = campaigns::queries::reminders(bot.store.reader(), township, today).await?;
        cards = cards.max(reminders.map(|reminders| reminders.cards_per_day));
    }
    let cards = u64::from(cards.unwrap_or(CARDS_PER_DAY));
    let is_urgent = |message: &Message| Priority::of(message.recipient_kind, &message.kind) == Priority::Urgent;
    let urgent = messages.iter().any(is_urgent);
    Ok(if urgent { cards } else { cards.saturating_sub(KEPT_FOR_URGENT) })
}

/// Why there is no way to a person, for whoever goes after it.
async fn why_nowhere(bot: &Bot, reached: &Reached) -> Result<&'static str, Fault> {
    let person = match reached.kind {
        PersonKind::Staff => staff::Entity::find_by_id(StaffId(reached.id)).one(bot.store.reader()).await?,
        PersonKind::Resident => None,
    };
    Ok(match person {
        Some(person) if !person.active => "本人已离任，这件事要交给别人",
        _ => "本人还没有绑定微信",
    })
}

async fn to(
    bot: &Bot,
    wordings: &Wordings,
    reached: &Reached,
    messages: Vec<Message>,
    delivered: &mut Delivered,
) -> Result<(), Fault> {
    let Some(first) = messages.first() else { return Ok(()) };
    let kind = first.recipient_kind;
    let address = recipient::address(bot, reached.kind, reached.id).await?;
    if address.is_nowhere() {
        let reason = why_nowhere(bot, reached).await?;
        return claim::settle(bot, &messages, Outcome::Final(reason.into()), delivered).await;
    }
    let deputy = (reached.id != first.recipient_id).then_some(reached.id);
    if messages.iter().any(|message| message.reached_id != deputy) {
        claim::reaches(bot, &messages, deputy).await?;
    }
    let today = shanghai_date(bot.store.clock().now());
    let sent = todays_cards::had(bot, reached.id).await?;
    let on_their_way = todays_cards::on_their_way(bot, reached.id).await?;
    if sent + on_their_way > 0 {
        let budget = budget(bot, &messages, today).await?;
        let waits = if sent >= budget {
            let morning = NaiveTime::from_hms_opt(QUIET_UNTIL, 0, 0).expect("an hour of the day");
            let until = shanghai_instant(today + TimeDelta::days(1), morning);
            Some((until, "今天的提醒已够多"))
        } else if sent + on_their_way >= budget {
            // Another bot's card may be the last of today: it is known in a moment.
            Some((bot.store.clock().now() + TimeDelta::minutes(1), "正在给同一个人发送"))
        } else {
            None
        };
        if let Some((until, reason)) = waits {
            return claim::settle(bot, &messages, Outcome::Waits { until, reason: reason.into() }, delivered).await;
        }
    }
    let mut card = messages::card(kind, &messages, wordings);
    if let Some(name) = &reached.stands_in_for {
        card.reason = messages::standing_in(name);
    }
    debug_assert!(kind != RecipientKind::Group, "posts have no cards");
    let outcome = card::deliver(bot, &address, card, &messages).await?;
    claim::settle(bot, &messages, outcome, delivered).await
}
