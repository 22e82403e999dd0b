//! Anonymous surveys: ballot box, co-signer, witness.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ballots {
    /// Where the co-signer answers. None = the program runs one of its own: township and co-signer are then one operator, and level 1
    /// is the most there is.
    pub cosigner_url: Option<String>,
    /// Address under which phones reach the co-signer, where it is another one.
    pub cosigner_public_url: Option<String>,
    pub witness_url: Option<String>,
    /// Log keys `name+id+key` of co-signer and witness, pinned. Required where the co-signer is somebody else's; in
    /// demonstrations they may be taken from its own site.
    pub cosigner_key: Option<String>,
    pub witness_key: Option<String>,
    /// Where the program's own co-signer and witness listen, and the folder of their data.
    pub own_cosigner_bind: String,
    pub own_witness_bind: String,
    pub own_cosigner_folder: PathBuf,
    /// Name of the platform's own log key, for the first start.
    pub key_name: String,
    /// Where the ballot box listens.
    pub box_bind: String,
    /// Whether the API process serves the box, too. Off where `qingfeng box` runs as its own program.
    pub box_embedded: bool,
    /// Address under which phones reach the box.
    pub box_public_url: String,
    /// Longest time that two envelopes or more wait until they go into the public log.
    pub batch_minutes: u32,
    /// How often, in seconds, boxes are looked after: batches, days, what the co-signer did.
    pub look_seconds: u64,
}

impl Default for Ballots {
    fn default() -> Self {
        Self {
            cosigner_url: None,
            cosigner_public_url: None,
            witness_url: None,
            cosigner_key: None,
            witness_key: None,
            own_cosigner_bind: "127.0.0.1:8070".into(),
            own_witness_bind: "127.0.0.1:8071".into(),
            own_cosigner_folder: "data/own-cosigner".into(),
            key_name: "platform.qinghe".into(),
            box_bind: "127.0.0.1:8085".into(),
            box_embedded: true,
            box_public_url: "http://127.0.0.1:8085".into(),
            batch_minutes: 60,
            look_seconds: 60,
        }
    }
}

impl Ballots {
    /// Where phones reach the co-signer.
    #[must_use]
    pub fn cosigner_address(&self) -> String {
        let given = self.cosigner_public_url.as_ref().or(self.cosigner_url.as_ref());
        given.cloned().unwrap_or_else(|| format!("http://{}", self.own_cosigner_bind))
    }
}
