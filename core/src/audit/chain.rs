//! How a record gets its place in its chain, with the other writes of its command.

use std::fmt::Write as _;

use sea_orm::{ActiveEnum as _, ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

use super::{chain_digest, content_digest, records};
use crate::storage::Values;

/// PostgreSQL computes the chain's digest itself: a head is locked for one round trip instead of three. The links of
/// records in different chains go on after the `WITH` part named `after`, so the heads are taken when all else is written, one
/// after the other.
pub(crate) fn link_after(after: &str, records: &[&records::Model], sql: &mut String, values: &mut Values) {
    let mut recorded = String::new();
    for (place, record) in records.iter().enumerate() {
        let before = values.len();
        let value = |number: usize| format!("${}", before + number);
        let (county, stripe, content) = (value(1), value(2), value(12));
        let source = match place {
            0 => format!("{after} WHERE written >= 0"),
            _ => format!("head_{}", place - 1),
        };
        let _ = write!(
            sql,
            ", head_{place} AS (\
               INSERT INTO audit_heads AS h (county_id, stripe, sequence, digest) \
               SELECT {county}, {stripe}, 1, sha256({content}) FROM {source} \
               ON CONFLICT (county_id, stripe) DO UPDATE \
               SET sequence = h.sequence + 1, digest = sha256(h.digest || {content}) \
               RETURNING sequence, digest)"
        );
        let known = (3..=11).map(value).collect::<Vec<_>>().join(", ");
        let _ = write!(
            recorded,
            "{} SELECT {county}, {stripe}, sequence, {known}, digest FROM head_{place}",
            if place == 0 { "" } else { " UNION ALL" }
        );
        values.extend([
            record.county_id.into(),
            record.stripe.into(),
            record.at.into(),
            record.actor_kind.as_str().into(),
            record.staff_id.map(|id| id.0).into(),
            record.post_id.map(|id| id.0).into(),
            record.action.as_str().into(),
            record.subject_kind.to_value().into(),
            record.subject_id.into(),
            record.before_digest.clone().into(),
            record.after_digest.clone().into(),
            content_digest(record).to_vec().into(),
        ]);
    }
    let _ = match records {
        [] => write!(sql, " SELECT written FROM {after}"),
        _ => write!(
            sql,
            " INSERT INTO audit_records (county_id, stripe, sequence, at, actor_kind, staff_id, post_id, action, \
              subject_kind, subject_id, before_digest, after_digest, digest){recorded}"
        ),
    };
}

/// Where a chain stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Head {
    pub(crate) sequence: i64,
    pub(crate) digest: Vec<u8>,
}

/// SQLite has no digests: it is asked where a chain stands, by its county and stripe …
pub(crate) const HEAD: &str = "SELECT sequence, digest FROM audit_heads WHERE county_id = $1 AND stripe = $2";

const MOVE_HEAD: &str = "INSERT INTO audit_heads (county_id, stripe, sequence, digest) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (county_id, stripe) DO UPDATE SET sequence = excluded.sequence, digest = excluded.digest";
const RECORD: &str = "INSERT INTO audit_records (county_id, stripe, sequence, at, actor_kind, staff_id, post_id, action, \
     subject_kind, subject_id, before_digest, after_digest, digest) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// … and told how it goes on: the statements that link a record to its chain.
pub(crate) fn link(head: &Head, record: &records::Model) -> [(&'static str, Values); 2] {
    let sequence = head.sequence + 1;
    let digest = chain_digest(&head.digest, record).to_vec();
    let (county, stripe) = (record.county_id, record.stripe);
    let moved = vec![county.into(), stripe.into(), sequence.into(), digest.clone().into()];
    let recorded = vec![
        county.into(),
        stripe.into(),
        sequence.into(),
        record.at.into(),
        record.actor_kind.as_str().into(),
        record.staff_id.map(|id| id.0).into(),
        record.post_id.map(|id| id.0).into(),
        record.action.as_str().into(),
        record.subject_kind.to_value().into(),
        record.subject_id.into(),
        record.before_digest.clone().into(),
        record.after_digest.clone().into(),
        digest.into(),
    ];
    [(MOVE_HEAD, moved), (RECORD, recorded)]
}

/// The same over a connection of the pool.
pub(crate) async fn append(connection: &impl ConnectionTrait, record: &records::Model) -> Result<(), DbErr> {
    let statement = |sql: &str, values| Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    let chain = statement(HEAD, vec![record.county_id.into(), record.stripe.into()]);
    let head = match connection.query_one_raw(chain).await? {
        Some(row) => Head::from_query_result(&row, "")?,
        None => Head::default(),
    };
    for (sql, values) in link(&head, record) {
        connection.execute_raw(statement(sql, values)).await?;
    }
    Ok(())
}
