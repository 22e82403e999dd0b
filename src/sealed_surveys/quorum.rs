//! Whose signatures count: the platform's own, the co-signer's, the witness's.

use std::fmt::Write as _;

use anyhow::Context;
use qingfeng_ballots::log::Pinned;
use qingfeng_core::sealed_surveys::service::Terms;
use tokio::sync::OnceCell;

use crate::{
    Config,
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
    /// When an address or a pinned key cannot be used; and when nobody pinned the keys of a co-signer that is not our own: keys
    /// taken on first use are whoever's who answers first. Demonstrations may.
    pub fn new(config: &Config, signer: LogSigner) -> anyhow::Result<Self> {
        let settings = &config.ballots;
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
        anyhow::ensure!(
            !configured.is_empty() || settings.cosigner_url.is_none() || config.http.demo,
            "ballots: pin cosigner_key and witness_key, exchanged in person; `qingfeng-cosigner keys` prints them"
        );
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

#[cfg(test)]
mod tests {
    use qingfeng_ballots::{
        log::LogKey,
        randomness::{NoRandomness, Randomness},
    };

    use super::*;

    struct Sevens;

    impl Randomness for Sevens {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
            bytes.fill(7);
            Ok(())
        }
    }

    fn quorum(change: impl FnOnce(&mut Config, String)) -> anyhow::Result<Quorum> {
        let key = LogKey::generate("platform", &Sevens)?;
        let mut config = Config::default();
        config.ballots.cosigner_url = Some("https://cosigner.example".into());
        config.ballots.witness_url = Some("https://witness.example".into());
        change(&mut config, key.public.clone());
        Quorum::new(&config, LogSigner::parse(&key.secret, &key.public)?)
    }

    #[test]
    fn keys_of_others_are_pinned_or_nothing_starts() {
        let refused = quorum(|_, _| ()).expect_err("not pinned").to_string();
        assert!(refused.contains("cosigner_key and witness_key"), "{refused}");
        assert!(quorum(|config, _| config.http.demo = true).is_ok(), "a demonstration takes what it is shown");
        assert!(quorum(|config, _| config.ballots.cosigner_url = None).is_ok(), "the own co-signer is known");
        let half = |config: &mut Config, key: String| config.ballots.cosigner_key = Some(key);
        assert!(quorum(half).expect_err("half").to_string().contains("together"));
    }
}
