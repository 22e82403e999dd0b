use std::time::Duration;

use async_trait::async_trait;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig, aws::AmazonS3Builder, path::Path};

use super::{FileStore, is_name, name_of};
use crate::refusal::Fault;

/// S3-compatible object storage.
pub struct S3Files {
    store: Box<dyn ObjectStore>,
}

impl S3Files {
    /// `s3://BUCKET?endpoint=https://…&region=…`; the credentials come from `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`.
    ///
    /// # Errors
    /// When the address is wrong.
    pub fn open(url: &str) -> Result<Self, Fault> {
        Self::build(url, AmazonS3Builder::from_env())
    }

    /// The same with these credentials.
    ///
    /// # Errors
    /// When the address is wrong.
    pub fn with_credentials(url: &str, access_key_id: &str, secret_access_key: &str) -> Result<Self, Fault> {
        let keys = AmazonS3Builder::new().with_access_key_id(access_key_id).with_secret_access_key(secret_access_key);
        Self::build(url, keys)
    }

    fn build(url: &str, builder: AmazonS3Builder) -> Result<Self, Fault> {
        let rest = url.strip_prefix("s3://").ok_or_else(|| Fault::unavailable("no s3:// address"))?;
        let (bucket, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut builder = builder.with_bucket_name(bucket).with_retry(patience());
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            builder = match key {
                "endpoint" => builder.with_endpoint(value).with_allow_http(value.starts_with("http://")),
                "region" => builder.with_region(value),
                _ => return Err(Fault::unavailable(format!("unknown setting {key} in the file store's address"))),
            };
        }
        Ok(Self { store: Box::new(builder.build().map_err(fault)?) })
    }
}

/// A photo waits for a moment's trouble, not for minutes: the phone asks again.
fn patience() -> RetryConfig {
    RetryConfig { max_retries: 2, retry_timeout: Duration::from_secs(5), ..RetryConfig::default() }
}

fn path(name: &str) -> Path {
    Path::from(format!("{}/{name}", &name[..2]))
}

fn fault(error: object_store::Error) -> Fault {
    // The text may name keys and addresses.
    let kind = match error {
        object_store::Error::NotFound { .. } => "no such bucket",
        object_store::Error::Unauthenticated { .. } | object_store::Error::PermissionDenied { .. } => "access denied",
        _ => "does not answer",
    };
    Fault::unavailable(format!("object storage: {kind}"))
}

#[async_trait]
impl FileStore for S3Files {
    async fn put(&self, bytes: Vec<u8>) -> Result<String, Fault> {
        let name = name_of(&bytes);
        self.store.put(&path(&name), PutPayload::from(bytes)).await.map_err(fault)?;
        Ok(name)
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        if !is_name(name) {
            return Ok(None);
        }
        match self.store.get(&path(name)).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(fault)?.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }

    async fn remove(&self, name: &str) -> Result<(), Fault> {
        if !is_name(name) {
            return Ok(());
        }
        match self.store.delete(&path(name)).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(fault(error)),
        }
    }
}
