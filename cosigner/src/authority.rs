//! The running co-signer: what every request and command works with.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::Context;
use chrono::NaiveDate;
use qingfeng_ballots::{blind::RsaSigner, messages::SurveyId};

use crate::{
    Settings,
    clock::{Clock, date_in_china},
    keys::{Keys, LogSigner},
    randomness::SharedRandomness,
    roll::Guesses,
    storage::Store,
    verifier_keys::PinnedKey,
};

/// Shared by all requests.
pub struct Authority {
    pub settings: Settings,
    pub store: Store,
    pub(crate) keys: Keys,
    /// Whom it takes for the platform.
    pub platform: Option<PinnedKey>,
    pub witnesses: Vec<PinnedKey>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: SharedRandomness,
    pub(crate) guesses: Guesses,
    /// Keys over ballot keys that were read: reading one checks it, which takes longer than signing.
    signers: RwLock<HashMap<SurveyId, Arc<RsaSigner>>>,
}

impl Authority {
    /// Reads or makes the keys, connects to the database and brings its schema up to date.
    ///
    /// # Errors
    /// When a file, a pinned key or the database cannot be used.
    pub async fn open(settings: Settings, clock: Arc<dyn Clock>, randomness: SharedRandomness) -> anyhow::Result<Self> {
        let keys = Keys::load_or_create(&settings.keys.file, &settings.keys.name, &*randomness)?;
        let platform = pinned_platform(&settings)?;
        let witnesses = settings.surveys.witnesses.iter().map(|key| PinnedKey::parse(key)).collect::<Result<_, _>>()?;
        let store = Store::open(&settings.database).await.context("the co-signer's database")?;
        Ok(Self {
            keys,
            platform,
            witnesses,
            store,
            settings,
            clock,
            guesses: Guesses::default(),
            randomness,
            signers: RwLock::default(),
        })
    }

    /// Who signs checkpoints here.
    #[must_use]
    pub fn log_signer(&self) -> &LogSigner {
        &self.keys.log
    }

    /// The date in China.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        date_in_china(self.clock.now())
    }

    pub(crate) fn remembered_signer(&self, sid: &SurveyId) -> Option<Arc<RsaSigner>> {
        self.signers.read().unwrap_or_else(PoisonError::into_inner).get(sid).cloned()
    }

    pub(crate) fn remember_signer(&self, sid: SurveyId, signer: Arc<RsaSigner>) {
        self.signers.write().unwrap_or_else(PoisonError::into_inner).insert(sid, signer);
    }

    pub(crate) fn forget_signer(&self, sid: &SurveyId) {
        self.signers.write().unwrap_or_else(PoisonError::into_inner).remove(sid);
    }
}

/// The platform's key as the configuration pins it.
pub(crate) fn pinned_platform(settings: &Settings) -> anyhow::Result<Option<PinnedKey>> {
    let text = match (&settings.platform.vkey, &settings.platform.vkey_file) {
        (Some(text), None) => text.clone(),
        (None, Some(file)) => {
            std::fs::read_to_string(file).with_context(|| format!("platform.vkey_file {}", file.display()))?
        }
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => anyhow::bail!("platform.vkey and platform.vkey_file are both set"),
    };
    PinnedKey::parse(&text).context("the platform's key").map(Some)
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").field("key", &self.keys.log).finish_non_exhaustive()
    }
}
