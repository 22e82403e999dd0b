//! A server that speaks S3 and checks its signatures, on a port of its own.

use std::sync::Arc;

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use qingfeng_core::files::{FileStore, S3Files};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

const ACCESS_KEY: &str = "township";
const SECRET_KEY: &str = "nobody-knows-this";
const BUCKET: &str = "photos";

/// Ends with its test.
pub struct ObjectStorage {
    address: String,
    folder: TempDir,
    server: JoinHandle<()>,
}

impl ObjectStorage {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            // Connections end with the server.
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, folder, server }
    }

    pub fn files(&self) -> Arc<dyn FileStore> {
        self.opened_with(SECRET_KEY)
    }

    pub fn with_wrong_secret(&self) -> Arc<dyn FileStore> {
        self.opened_with("guessed")
    }

    fn opened_with(&self, secret: &str) -> Arc<dyn FileStore> {
        let url = format!("s3://{BUCKET}?endpoint={}&region=us-east-1", self.address);
        Arc::new(S3Files::with_credentials(&url, ACCESS_KEY, secret).unwrap())
    }

    /// A file beside the bucket, which nothing may reach.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub async fn stop(self) {
        self.server.abort();
        let _ = self.server.await;
    }
}
