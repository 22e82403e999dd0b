//! How a record gets its place in its chain, with the other writes of its command.

use sea_orm::{
    ActiveEnum as _, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    ExprTrait as _, QueryFilter, QueryTrait, Statement, sea_query::OnConflict,
};

use super::{chain_digest, content_digest, entity::heads, records};
use crate::storage::Values;

/// PostgreSQL computes the chain's digest itself: the head is locked for one round trip instead of three. The link
/// goes on after the `WITH` part named `after`, so the head is taken when all else is written.
pub(crate) fn link_after(after: &str, record: records::Model) -> (String, Values) {
    let content = content_digest(&record).to_vec();
    let link = format!(
        ", head AS (\
           INSERT INTO audit_heads AS h (county_id, stripe, sequence, digest) \
           SELECT $1, $2, 1, sha256($12) FROM {after} WHERE written >= 0 \
           ON CONFLICT (county_id, stripe) DO UPDATE SET sequence = h.sequence + 1, digest = sha256(h.digest || $12) \
           RETURNING sequence, digest) \
         INSERT INTO audit_records (county_id, stripe, sequence, at, actor_kind, staff_id, post_id, action, \
           subject_kind, subject_id, before_digest, after_digest, digest) \
         SELECT $1, $2, head.sequence, $3, $4, $5, $6, $7, $8, $9, $10, $11, head.digest FROM head"
    );
    let values = vec![
        record.county_id.into(),
        record.stripe.into(),
        record.at.into(),
        record.actor_kind.into(),
        record.staff_id.map(|id| id.0).into(),
        record.post_id.map(|id| id.0).into(),
        record.action.into(),
        record.subject_kind.to_value().into(),
        record.subject_id.into(),
        record.before_digest.into(),
        record.after_digest.into(),
        content.into(),
    ];
    (link, values)
}

/// SQLite has no digests: the heads are read, and moved with the records. The records come in the order of their chains.
pub(crate) async fn links(
    connection: &impl ConnectionTrait,
    records: Vec<records::Model>,
) -> Result<Vec<Statement>, DbErr> {
    let mut heads = known_heads(connection, &records).await?;
    let mut statements = Vec::with_capacity(records.len() * 2);
    for mut record in records {
        let known = heads.iter().position(|head| head.county_id == record.county_id && head.stripe == record.stripe);
        let head = match known {
            Some(place) => &mut heads[place],
            None => {
                let (county_id, stripe) = (record.county_id, record.stripe);
                heads.push(heads::Model { county_id, stripe, sequence: 0, digest: Vec::new() });
                heads.last_mut().expect("just pushed")
            }
        };
        record.sequence = head.sequence + 1;
        record.digest = chain_digest(&head.digest, &record).to_vec();
        head.sequence = record.sequence;
        head.digest.clone_from(&record.digest);
        let moved = OnConflict::columns([heads::Column::CountyId, heads::Column::Stripe])
            .update_columns([heads::Column::Sequence, heads::Column::Digest])
            .to_owned();
        let head = heads::ActiveModel {
            county_id: Set(head.county_id),
            stripe: Set(head.stripe),
            sequence: Set(head.sequence),
            digest: Set(head.digest.clone()),
        };
        statements.push(heads::Entity::insert(head).on_conflict(moved).build(DbBackend::Sqlite));
        statements.push(records::Entity::insert(records::ActiveModel::from(record)).build(DbBackend::Sqlite));
    }
    Ok(statements)
}

async fn known_heads(
    connection: &impl ConnectionTrait,
    records: &[records::Model],
) -> Result<Vec<heads::Model>, DbErr> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let chains = records.iter().fold(Condition::any(), |chains, record| {
        chains.add(heads::Column::CountyId.eq(record.county_id).and(heads::Column::Stripe.eq(record.stripe)))
    });
    heads::Entity::find().filter(chains).all(connection).await
}
