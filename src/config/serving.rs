//! Where the server listens, and where it keeps what it keeps.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    pub bind: String,
    /// Address under which people reach the server, for links in messages.
    pub public_url: String,
    /// Worker threads; 0 = one per core.
    pub workers: usize,
    /// Seconds that running requests get to finish when the server stops.
    pub shutdown_seconds: u64,
    /// A proxy stands in front and names the caller in `X-Forwarded-For`: requests are then counted by its last entry. Without
    /// a proxy that writes it, everybody could name what address they like.
    pub behind_proxy: bool,
    /// Shows the demo's accounts on the front page. Set by `run --demo`.
    pub demo: bool,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:8080".into(),
            public_url: "http://127.0.0.1:8080".into(),
            workers: 0,
            shutdown_seconds: 20,
            behind_proxy: false,
            demo: false,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite://PATH` or `postgres://…`.
    pub url: String,
    pub connections: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: "sqlite://data/qingfeng.sqlite".into(), connections: 16 }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    /// `redis://…`; none = in the process.
    pub redis_url: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// `file://FOLDER` or `s3://BUCKET?endpoint=…`.
    pub url: String,
}

impl Default for Files {
    fn default() -> Self {
        Self { url: "file://data/files".into() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Board {
    /// Seconds for which a public page stands before it is worked out anew: the public sees news within seconds, and a
    /// thousand readers cost one query.
    pub fresh_seconds: u64,
}

impl Default for Board {
    fn default() -> Self {
        Self { fresh_seconds: 5 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// File with the installation's keys. Made at the first start when it is missing; keep a copy apart from the data.
    pub file: PathBuf,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { file: "data/secrets.toml".into() }
    }
}
