//! The audit chain (9.1): every act leaves a record that names who in which post did what to what, never content.
//! Records are chained by SHA-256 so that a changed or removed one shows.
//!
//! One chain per county would make every act wait for every other one's flush, so a county has [`STRIPES`] chains; a
//! thing's records all stand in the same one.

pub(crate) mod chain;
mod entity;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};

pub use entity::records;

use crate::{
    ids::CountyId,
    people::Actor,
    people::authorization::Action,
    refusal::Fault,
    storage::{Store, UnitOfWork},
    subject::SubjectRef,
};

/// Chains per county. Changing it breaks no chain: records name theirs.
pub const STRIPES: u8 = 64;

/// One act, to be recorded with the transaction that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// `snake_case` name of the act, e.g. `complaint_dispatched`.
    pub act: &'static str,
    pub subject: SubjectRef,
    /// Digests of the thing before and after; never its content.
    pub before: Option<[u8; 32]>,
    pub after: Option<[u8; 32]>,
    /// Under which permission it was done: decides the post that is recorded.
    pub permission: Option<Action>,
}

impl AuditEntry {
    pub fn new(act: &'static str, subject: impl Into<SubjectRef>) -> Self {
        Self { act, subject: subject.into(), before: None, after: None, permission: None }
    }

    /// Records what changed, as digests over the values' JSON.
    ///
    /// # Panics
    /// Never for values whose maps have string keys.
    #[must_use]
    pub fn changing(mut self, before: &impl serde::Serialize, after: &impl serde::Serialize) -> Self {
        self.before = Some(digest_of(before));
        self.after = Some(digest_of(after));
        self
    }
}

/// SHA-256 over a value's JSON.
///
/// # Panics
/// When the value has maps with keys that are no strings.
#[must_use]
pub fn digest_of(value: &impl serde::Serialize) -> [u8; 32] {
    Sha256::digest(serde_json::to_vec(value).expect("domain values serialize to JSON")).into()
}

fn stripe_of(subject: SubjectRef) -> i32 {
    i32::from(subject.id.as_bytes()[15] % STRIPES)
}

/// Digest of what a record says, its place in the chain left out.
fn content_digest(record: &records::Model) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"qingfeng audit record v1");
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(record.county_id.0.as_bytes());
    part(&record.stripe.to_be_bytes());
    part(&record.at.timestamp_millis().to_be_bytes());
    part(record.actor_kind.as_bytes());
    part(record.staff_id.map(|id| id.0).unwrap_or_default().as_bytes());
    part(record.post_id.map(|id| id.0).unwrap_or_default().as_bytes());
    part(record.action.as_bytes());
    part(&serde_json::to_vec(&record.subject_kind).expect("a unit variant serializes"));
    part(record.subject_id.as_bytes());
    part(record.before_digest.as_deref().unwrap_or_default());
    part(record.after_digest.as_deref().unwrap_or_default());
    hash.finalize().into()
}

/// The digest that binds a record to the one before it: SHA-256 over the former record's digest and this one's content.
/// Public so that others can verify a chain.
#[must_use]
pub fn chain_digest(previous: &[u8], record: &records::Model) -> [u8; 32] {
    Sha256::new().chain_update(previous).chain_update(content_digest(record)).finalize().into()
}

/// Records acts with the rest of the command that does them.
pub(crate) fn append(unit: &UnitOfWork, county: CountyId, actor: &Actor, mut entries: Vec<AuditEntry>) {
    // Always the same order: two commands that touch the same chains cannot wait for each other.
    entries.sort_by_key(|entry| stripe_of(entry.subject));
    for entry in entries {
        unit.connection().keep_record(record(unit, county, actor, entry));
    }
}

fn record(unit: &UnitOfWork, county: CountyId, actor: &Actor, entry: AuditEntry) -> records::Model {
    let (actor_kind, staff_id, post_id) = match actor {
        Actor::Staff(staff) => ("staff", Some(staff.id), staff.posts.first().map(|post| post.id)),
        // Which resident acted is nobody's business.
        Actor::Resident(_) => ("resident", None, None),
        Actor::Receipt { .. } => ("receipt", None, None),
        Actor::System { .. } => ("system", None, None),
        Actor::Visitor => ("visitor", None, None),
    };
    records::Model {
        county_id: county,
        stripe: stripe_of(entry.subject),
        sequence: 0,
        at: unit.now(),
        actor_kind: actor_kind.to_owned(),
        staff_id,
        post_id,
        action: entry.act.to_owned(),
        subject_kind: entry.subject.kind,
        subject_id: entry.subject.id,
        before_digest: entry.before.map(Vec::from),
        after_digest: entry.after.map(Vec::from),
        digest: Vec::new(),
    }
}

/// The first record of a chain that does not fit, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLink {
    pub county: CountyId,
    pub stripe: i32,
    pub sequence: i64,
    pub at: Option<DateTime<Utc>>,
}

/// Recomputes every chain of a county.
///
/// # Errors
/// When the database does not answer.
pub async fn verify(store: &Store, county: CountyId) -> Result<Vec<BrokenLink>, Fault> {
    let mut broken = Vec::new();
    for stripe in 0..i32::from(STRIPES) {
        if let Some(link) = verify_stripe(store.reader(), county, stripe).await? {
            broken.push(link);
        }
    }
    Ok(broken)
}

async fn verify_stripe(
    connection: &impl ConnectionTrait,
    county: CountyId,
    stripe: i32,
) -> Result<Option<BrokenLink>, Fault> {
    const PAGE: u64 = 1000;
    let mut previous = Vec::new();
    let mut sequence = 0;
    loop {
        let page = records::Entity::find()
            .filter(records::Column::CountyId.eq(county))
            .filter(records::Column::Stripe.eq(stripe))
            .filter(records::Column::Sequence.gt(sequence))
            .order_by_asc(records::Column::Sequence)
            .limit(PAGE)
            .all(connection)
            .await?;
        if page.is_empty() {
            break;
        }
        for record in page {
            sequence += 1;
            if record.sequence != sequence || chain_digest(&previous, &record)[..] != record.digest[..] {
                return Ok(Some(BrokenLink { county, stripe, sequence, at: Some(record.at) }));
            }
            previous = record.digest;
        }
    }
    let head = entity::heads::Entity::find_by_id((county, stripe)).one(connection).await?;
    let expected = head.map_or((0, Vec::new()), |head| (head.sequence, head.digest));
    // Records cut off at the end leave a head that points past them.
    Ok((expected != (sequence, previous)).then_some(BrokenLink { county, stripe, sequence: sequence + 1, at: None }))
}
