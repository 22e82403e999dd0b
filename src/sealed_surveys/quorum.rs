//! Whose signatures count: the platform's own, the co-signer's, the witness's.

use std::fmt::Write as _;

use anyhow::Context;
use qingfeng_ballots::log::Pinned;
use qingfeng_core::sealed_surveys::service::Terms;
use tokio::sync::OnceCell;

use crate::{
    config::Ballots,
    cosigner::{CosignerClient, CosignerFault, LogSigner},
};

/// Co-signer and witness with the keys that this installation has pinned.
#[derive(Debug)]
pub struct Quorum {
    pub client: CosignerClient,
    /// Township and co-signer are one operator.
    pub single_operator: bool,
    host: String,
    /// Lines `cosigner KEY`, `witness KEY`.
    configured: Vec<String>,
    shown: OnceCell<Vec<String>>,
}

impl Quorum {
    /// # Errors
    /// When an address or a pinned key cannot be used.
    pub fn new(settings: &Ballots, signer: LogSigner) -> anyhow::Result<Self> {
        let cosigner =
            settings.cosigner_url.clone().unwrap_or_else(|| format!("http://{}", settings.own_cosigner_bind));
        let witness = settings.witness_url.clone().unwrap_or_else(|| format!("http://{}", settings.own_witness_bind));
        let host = url::Url::parse(&settings.box_public_url).context("ballots.box_public_url")?;
        let port = host.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}{port}", host.host_str().context("ballots.box_public_url has no host")?);
        let cosigner_key = settings.cosigner_key.iter().map(|key| format!("cosigner {key}"));
        let configured: Vec<_> =
            cosigner_key.chain(settings.witness_key.iter().map(|key| format!("witness {key}"))).collect();
        anyhow::ensure!(configured.len() != 1, "ballots: cosigner_key and witness_key are pinned together");
        let quorum = Self {
            client: CosignerClient::new(&cosigner, &witness, signer)?,
            single_operator: settings.cosigner_url.is_none(),
            host,
            configured,
            shown: OnceCell::new(),
        };
        if !quorum.configured.is_empty() {
            quorum.read(&quorum.configured).context("ballots.cosigner_key, ballots.witness_key")?;
        }
        Ok(quorum)
    }

    /// Verifier keys with their roles, the platform's first. Keys that nobody pinned are taken once from the co-signer's site.
    ///
    /// # Errors
    /// When they are not pinned and the co-signer does not answer.
    pub async fn vkeys(&self) -> Result<Vec<String>, CosignerFault> {
        let others = if self.configured.is_empty() {
            self.shown.get_or_try_init(|| self.client.keys_shown()).await?
        } else {
            &self.configured
        };
        let own = format!("platform {}", self.client.signer().public());
        Ok(std::iter::once(own).chain(others.iter().cloned()).collect())
    }

    /// The keys by which a note of the quorum is read.
    ///
    /// # Errors
    /// As [`Quorum::vkeys`], and when they are no quorum.
    pub async fn pinned(&self) -> Result<Pinned, CosignerFault> {
        let lines = self.vkeys().await?;
        self.read(&lines[1..]).map_err(|error| CosignerFault::Wrong(error.to_string()))
    }

    /// The same as the text that a reader pins.
    ///
    /// # Errors
    /// As [`Quorum::vkeys`].
    pub async fn pinned_lines(&self) -> Result<String, CosignerFault> {
        Ok(self.vkeys().await?.join("\n"))
    }

    fn read(&self, others: &[String]) -> anyhow::Result<Pinned> {
        let mut text = format!("platform {}\n", self.client.signer().public());
        for line in others {
            writeln!(text, "{line}")?;
        }
        Ok(Pinned::parse(&text)?)
    }

    /// What the installation adds to every manifest.
    ///
    /// # Errors
    /// As [`Quorum::vkeys`].
    pub async fn terms(&self) -> Result<Terms, CosignerFault> {
        Ok(Terms { host: self.host.clone(), vkeys: self.vkeys().await? })
    }

    /// The co-signer's key, `name+id+key`.
    ///
    /// # Errors
    /// As [`Quorum::vkeys`].
    pub async fn cosigner_key(&self) -> Result<Option<String>, CosignerFault> {
        let lines = self.vkeys().await?;
        Ok(lines.iter().find_map(|line| line.strip_prefix("cosigner ")).map(str::to_owned))
    }
}
