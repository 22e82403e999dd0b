use qingfeng_ballots::log::{Checkpoint, Leaf, Tree};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    super::{BallotBoxId, BoxState, entity::sealed_surveys},
    by_the_clock,
    creating::boxes_of,
    log_keeping::{lines, signed_notes},
    notices::{self, Told},
};
use crate::{
    ids::SealedSurveyId,
    outbox::{self, Notice},
    refusal::{Fault, Refusal},
    storage::{Done, Store, UnitOfWork},
};

/// Posts of one survey that a group may have got last, each of other boxes.
const LAST_POSTS: u64 = 5;

/// Tells the groups the fingerprints of a survey's boxes, all in one post: once a day when there is anything new, and when boxes
/// are shut, before anything is opened.
///
/// # Errors
/// When the database does not answer.
pub async fn post_fingerprints(store: &Store, survey: SealedSurveyId, link: String) -> Result<(), Fault> {
    let found = sealed_surveys::Entity::find_by_id(survey).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    store
        .command(found.county_id, &by_the_clock(found.county_id), move |unit| {
            Box::pin(async move {
                let (mut told, mut shut) = (Vec::new(), 0);
                for row in boxes_of(unit.connection(), survey).await? {
                    if matches!(row.state, BoxState::Draft | BoxState::Signed | BoxState::Cancelled) {
                        continue;
                    }
                    let Some(signed) = signed_before_the_count(unit.connection(), row.sid).await? else { continue };
                    shut += u32::from(!row.state.is_open() && signed.is_whole);
                    told.push(Told { row, checkpoint: signed.checkpoint });
                }
                let step = if shut == 0 { unit.today().to_string() } else { format!("shut:{shut}") };
                let kind = "sealed_survey_fingerprint";
                let mut posts = notices::to_groups(unit, &found, &told, kind, &step, &link).await?;
                if shut == 0 {
                    posts = news(unit, posts).await?;
                }
                Ok(Done { value: (), audit: vec![], notices: posts })
            })
        })
        .await?;
    Ok(())
}

/// The newest state of the log that the quorum has signed, of envelopes alone.
struct Signed {
    checkpoint: Checkpoint,
    /// No envelope of the log came later.
    is_whole: bool,
}

async fn signed_before_the_count(connection: &impl ConnectionTrait, sid: BallotBoxId) -> Result<Option<Signed>, Fault> {
    let mut tree = Tree::default();
    for line in lines(connection, sid).await? {
        match Leaf::parse(line.as_bytes()) {
            Ok(Leaf::Manifest { .. } | Leaf::Box { .. }) => tree.append(line.as_bytes()),
            _ => break,
        }
    }
    let whole = tree.size();
    let sizes = signed_notes(connection, sid).await?.into_iter().filter_map(|note| u64::try_from(note.size).ok());
    let Some(size) = sizes.filter(|size| *size <= whole).max() else { return Ok(None) };
    let root = tree.root(size).ok_or_else(|| Fault::unavailable("a tree without its root"))?;
    Ok(Some(Signed { checkpoint: Checkpoint { size, root }, is_whole: size == whole }))
}

/// Those that say what the group has not read in its last posts.
async fn news(unit: &UnitOfWork, posts: Vec<Notice>) -> Result<Vec<Notice>, Fault> {
    use outbox::entity::{Column, Entity};
    let mut news = Vec::new();
    for post in posts {
        let (recipient, id) = post.recipient.parts();
        let last = Entity::find()
            .filter(Column::RecipientKind.eq(recipient))
            .filter(Column::RecipientId.eq(id))
            .filter(Column::Kind.eq(post.kind))
            .filter(Column::SubjectId.eq(post.subject.id))
            .order_by_desc(Column::Id)
            .limit(LAST_POSTS)
            .all(unit.connection())
            .await?;
        if last.iter().all(|last| last.facts != post.facts) {
            news.push(post);
        }
    }
    Ok(news)
}
