//! Configuration: one TOML file, then environment variables (`QINGFENG_COSIGNER_HTTP__BIND=…`), over defaults for one
//! machine.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

/// Everything an operator can set. `qingfeng-cosigner --print-config` shows it, the database's password masked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub http: Http,
    pub database: Database,
    pub keys: Keys,
    pub platform: Platform,
    pub surveys: Surveys,
    pub witness: Witness,
    pub clock: ClockShift,
    pub log: Log,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    pub bind: String,
    /// Address under which phones reach this program: stands in the QR codes.
    pub public_url: String,
    /// Worker threads; 0 = one per core.
    pub workers: usize,
    /// Seconds that running requests get to finish when the program stops.
    pub shutdown_seconds: u64,
    /// A proxy stands in front and names the caller in `X-Forwarded-For`: wrong codes are then counted by its last entry.
    pub behind_proxy: bool,
    /// The pages say that this is a demonstration.
    pub demo: bool,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:8070".into(),
            public_url: "http://127.0.0.1:8070".into(),
            workers: 2,
            shutdown_seconds: 20,
            behind_proxy: false,
            demo: false,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite://PATH` or `postgres://…`. Never the platform's database.
    pub url: String,
    /// Connections to PostgreSQL; SQLite has one.
    pub connections: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: "sqlite://data-cosigner/cosigner.sqlite".into(), connections: 8 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// File with this program's keys, made at the first start. Keep a copy apart from the data.
    pub file: PathBuf,
    /// Name of the log key: `cosigner.COUNTY`.
    pub name: String,
}

impl Default for Keys {
    fn default() -> Self {
        Self { file: "data-cosigner/keys.toml".into(), name: "cosigner.qinghe".into() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Platform {
    pub url: String,
    /// Address of the ballot box, for the pages that this program serves.
    pub box_url: String,
    /// The platform's log key `name+id+key`, pinned. Without it nobody may operate this program.
    pub vkey: Option<String>,
    /// The same in a file, read at the start.
    pub vkey_file: Option<PathBuf>,
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8080".into(),
            box_url: "http://127.0.0.1:8085".into(),
            vkey: None,
            vkey_file: None,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Surveys {
    pub count: Counting,
    pub box_custody: Custody,
    /// Platform and co-signer are run by the same people: the pages say so.
    pub single_operator: bool,
    /// Witness keys `name+id+key`, pinned; none = those of the agreed draft.
    pub witnesses: Vec<String>,
    /// Days between publication and the destruction of keys and envelopes.
    pub wipe_after_days: u32,
}

impl Default for Surveys {
    fn default() -> Self {
        Self {
            count: Counting::Observed,
            box_custody: Custody::File,
            single_operator: false,
            witnesses: Vec::new(),
            wipe_after_days: 7,
        }
    }
}

/// Who begins a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// People, at the machine, before at least two observers.
    Observed,
    /// It follows the close by itself: demonstrations and single operators only.
    Automatic,
}

/// Where the box key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Custody {
    /// Sealed in the database.
    File,
    /// Nowhere: split into three shares, of which two are needed.
    Shares,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Witness {
    pub bind: String,
    /// Folder of the witness: its key and, of every log, the last checkpoint it signed.
    pub folder: PathBuf,
    /// Name of its key: `witness.COUNTY`.
    pub name: String,
}

impl Default for Witness {
    fn default() -> Self {
        Self { bind: "127.0.0.1:8071".into(), folder: "data-witness".into(), name: "witness.qinghe".into() }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockShift {
    /// Moves the clock by so many seconds: for demonstrations on another day. Never in production.
    pub shift_seconds: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    /// As in `info,qingfeng_cosigner=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}

impl Settings {
    /// Reads the file, if there is one, and the environment.
    ///
    /// # Errors
    /// When a key is unknown or a value has the wrong type; the message names it and where it stands.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            anyhow::ensure!(file.exists(), "the configuration file {} does not exist", file.display());
            figment = figment.merge(Toml::file(file));
        }
        let environment = Env::prefixed("QINGFENG_COSIGNER_").filter(|key| key.as_str().contains("__")).split("__");
        Ok(figment.merge(environment).extract()?)
    }

    /// The configuration as TOML, the database's password masked.
    ///
    /// # Errors
    /// Never for values that were loaded.
    pub fn printable(&self) -> anyhow::Result<String> {
        let mut shown = self.clone();
        if let Ok(mut url) = url::Url::parse(&shown.database.url)
            && url.password().is_some()
        {
            let _ = url.set_password(Some("***"));
            shown.database.url = url.to_string();
        }
        Ok(toml::to_string(&shown)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_stops_the_program_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cosigner.toml");
        std::fs::write(&file, "[surveys]\ncounting = \"automatic\"\n").unwrap();
        let error = Settings::load(Some(&file)).unwrap_err().to_string();
        assert!(error.contains("counting"), "{error}");
        std::fs::write(&file, "[surveys]\ncount = \"automatic\"\n").unwrap();
        assert_eq!(Settings::load(Some(&file)).unwrap().surveys.count, Counting::Automatic);
        assert!(Settings::load(Some(&folder.path().join("missing.toml"))).is_err());
    }

    #[test]
    fn a_password_is_not_printed() {
        let mut settings = Settings::default();
        settings.database.url = "postgres://cosigner:secret@db/cosigner".into();
        let printed = settings.printable().unwrap();
        assert!(!printed.contains("secret") && printed.contains("***"), "{printed}");
    }
}
