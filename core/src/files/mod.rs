//! Where pictures and documents are kept: a local folder by default, S3-compatible storage when several servers share
//! them. Content-addressed: the name is the digest of the bytes, so nothing is ever overwritten.

mod local;
mod s3;

use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

pub use local::LocalFiles;
pub use s3::S3Files;

use crate::refusal::{Fault, Refusal, RefusalKind};

/// Keeps bytes under their digest. Both engines pass the same contract tests.
#[async_trait]
pub trait FileStore: Send + Sync {
    /// Keeps the bytes, durably, and returns their name.
    async fn put(&self, bytes: Vec<u8>) -> Result<String, Fault>;

    /// The bytes of this name; none when there are none.
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Fault>;

    async fn remove(&self, name: &str) -> Result<(), Fault>;
}

/// The name of these bytes.
#[must_use]
pub fn name_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Names come from the database, but a name that is no digest must never become a path.
fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
}

fn storage_full() -> Fault {
    Refusal::new(RefusalKind::StorageFull, "storage_full", "存储空间已满，照片没有保存，请稍后再试；文字内容不受影响。")
        .into()
}

/// Opens the store that the address names.
///
/// # Errors
/// When the address is wrong or the folder cannot be made.
pub fn open(url: &str) -> Result<Arc<dyn FileStore>, Fault> {
    if let Some(folder) = url.strip_prefix("file://") {
        return Ok(Arc::new(LocalFiles::open(folder)?));
    }
    if url.starts_with("s3://") {
        return Ok(Arc::new(S3Files::open(url)?));
    }
    Err(Fault::unavailable("the file store's address must begin with file:// or s3://"))
}
