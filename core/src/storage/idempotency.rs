//! A request that is sent twice is done once (`Idempotency-Key`): the first answer is kept and given again.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::unit_of_work::UnitOfWork;
use crate::{
    ids::CountyId,
    refusal::{Fault, Refusal, RefusalKind},
};

/// How long the answer to a request is kept, in days. Phones that were offline resend within this time.
pub const KEPT_FOR_DAYS: i64 = 30;

/// The client's key for one intended act, bound to who sent it and to what was sent.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// SHA-256 over sender, operation and the client's key.
    pub key: Vec<u8>,
    /// SHA-256 over the request's content: the same key with other content is a mistake of the client.
    pub content: Vec<u8>,
}

impl IdempotencyKey {
    /// # Errors
    /// When the client's key is not 8–100 visible ASCII characters.
    pub fn parse(sender: &str, operation: &str, client_key: &str, content: &[u8]) -> Result<Self, Refusal> {
        if !(8..=100).contains(&client_key.len()) || !client_key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::new(
                RefusalKind::BadInput,
                "idempotency_key_invalid",
                "请求编号的格式不对，请重新提交。",
            ));
        }
        let mut hash = Sha256::new();
        for part in [sender, operation, client_key] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(Self { key: hash.finalize().to_vec(), content: Sha256::digest(content).to_vec() })
    }
}

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    use crate::ids::CountyId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: Vec<u8>,
        pub county_id: CountyId,
        pub content: Vec<u8>,
        pub answer: Json,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Writes the key and the answer with the rest of the command. When another request with this key came first, the command
/// is overtaken and comes to nothing: the answer given before is then to be [found](find).
pub(super) fn keep(work: &UnitOfWork, county: CountyId, key: &IdempotencyKey, answer: serde_json::Value) {
    work.later(&entity::Entity::insert(entity::ActiveModel {
        key: Set(key.key.clone()),
        county_id: Set(county),
        content: Set(key.content.clone()),
        answer: Set(answer),
        created_at: Set(work.now()),
    }));
}

/// The answer that was given to this key before.
pub(super) async fn find<T: DeserializeOwned>(
    connection: &impl ConnectionTrait,
    key: &IdempotencyKey,
) -> Result<Option<T>, Fault> {
    let Some(known) = entity::Entity::find_by_id(key.key.clone()).one(connection).await? else {
        return Ok(None);
    };
    if known.content != key.content {
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "idempotency_key_reused",
            "这个请求编号已经用于另一份内容，请刷新后重新提交。",
        )
        .into());
    }
    serde_json::from_value(known.answer).map(Some).map_err(Fault::unavailable)
}

/// Removes keys that no phone will send again.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old_requests(work: &UnitOfWork, county: CountyId) -> Result<(), Fault> {
    entity::Entity::delete_many()
        .filter(entity::Column::CountyId.eq(county))
        .filter(entity::Column::CreatedAt.lt(work.now() - chrono::TimeDelta::days(KEPT_FOR_DAYS)))
        .exec(work.connection())
        .await?;
    Ok(())
}
