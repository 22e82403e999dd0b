//! Codes that are printed on paper and typed again (receipts, invitations). They are long enough not to be guessed at the
//! door, and short enough that somebody with a copy of the database and many machines could try them all. So the database
//! holds them under the installation's key, which is kept apart from it.

use hmac::{Hmac, Mac};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait as _, QueryFilter, QuerySelect,
    sea_query::{Expr, Func, SimpleExpr},
};
use sha2::{Digest, Sha256};

use super::entity::invitations;
use crate::{complaints::entity::reporters, ids::EntryId, refusal::Fault, storage::Store};

/// First byte of a keyed digest. What was written before there was a key has no such byte and one byte less.
const KEYED: u8 = 1;
const PLAIN_LENGTH: u64 = 32;

/// Rows that are brought up to date at a time.
const BATCH: u64 = 500;

/// What the database holds of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeDigest(Vec<u8>);

impl CodeDigest {
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The key for digests of printed codes.
#[derive(Clone)]
pub struct PaperCodes {
    key: [u8; 32],
}

impl std::fmt::Debug for PaperCodes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PaperCodes")
    }
}

impl PaperCodes {
    /// Derives the key, so that it is another one than the one that seals.
    #[must_use]
    pub fn new(sealing_key: &[u8; 32]) -> Self {
        Self { key: keyed(sealing_key, b"qingfeng paper codes v1") }
    }

    /// The digest of a code whose kind and letters are in `plain`.
    #[must_use]
    pub(crate) fn digest(&self, plain: &[u8]) -> CodeDigest {
        self.over(&Sha256::digest(plain))
    }

    /// Over a plain digest and not over the code itself: what was kept before there was a key can be brought up to date.
    fn over(&self, plain_digest: &[u8]) -> CodeDigest {
        CodeDigest([&[KEYED][..], &keyed(&self.key, plain_digest)].concat())
    }

    /// Puts digests of an older version under the key. To be called at the start; does nothing where nothing is to be done.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn bring_up_to_date(&self, store: &Store) -> Result<(), Fault> {
        loop {
            let receipts: Vec<(EntryId, Vec<u8>)> = reporters::Entity::find()
                .select_only()
                .columns([reporters::Column::Id, reporters::Column::ReceiptDigest])
                .filter(is_plain(reporters::Column::ReceiptDigest))
                .limit(BATCH)
                .into_tuple()
                .all(store.reader())
                .await?;
            let invited: Vec<Vec<u8>> = invitations::Entity::find()
                .select_only()
                .column(invitations::Column::CodeDigest)
                .filter(is_plain(invitations::Column::CodeDigest))
                .limit(BATCH)
                .into_tuple()
                .all(store.reader())
                .await?;
            if receipts.is_empty() && invited.is_empty() {
                return Ok(());
            }
            let codes = self.clone();
            store
                .housekeeping(move |unit| Box::pin(async move { codes.rewrite(unit, receipts, invited).await }))
                .await?;
        }
    }

    async fn rewrite(
        &self,
        unit: &crate::storage::UnitOfWork,
        receipts: Vec<(EntryId, Vec<u8>)>,
        invited: Vec<Vec<u8>>,
    ) -> Result<(), Fault> {
        for (id, plain) in receipts {
            reporters::Entity::update_many()
                .col_expr(reporters::Column::ReceiptDigest, Expr::value(self.over(&plain).into_bytes()))
                .filter(reporters::Column::Id.eq(id))
                .filter(reporters::Column::ReceiptDigest.eq(plain))
                .exec(unit.connection())
                .await?;
        }
        for plain in invited {
            invitations::Entity::update_many()
                .col_expr(invitations::Column::CodeDigest, Expr::value(self.over(&plain).into_bytes()))
                .filter(invitations::Column::CodeDigest.eq(plain))
                .exec(unit.connection())
                .await?;
        }
        Ok(())
    }
}

fn is_plain(column: impl ColumnTrait) -> SimpleExpr {
    Expr::expr(Func::cust("length").arg(Expr::col(column))).eq(PLAIN_LENGTH)
}

fn keyed(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_the_key_and_on_the_code() {
        let codes = PaperCodes::new(&[7; 32]);
        assert_eq!(codes.digest(b"receipt ABC"), PaperCodes::new(&[7; 32]).digest(b"receipt ABC"));
        assert_ne!(codes.digest(b"receipt ABC"), PaperCodes::new(&[8; 32]).digest(b"receipt ABC"));
        assert_ne!(codes.digest(b"receipt ABC"), codes.digest(b"receipt XYZ"));
        assert_ne!(codes.digest(b"receipt ABC").into_bytes()[1..], Sha256::digest(b"receipt ABC")[..]);
    }
}
