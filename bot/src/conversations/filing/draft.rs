//! What somebody has written so far: in the cache only, sealed with the installation's key, for half an hour.

use std::time::Duration;

use qingfeng_core::{
    complaints::service::MOST_PHOTOS,
    evidence::{MediaKind, PlatformMedia},
    ids::ComplaintId,
    refusal::Fault,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::conversations::{Conversations, suspicion};

/// Who does not go on within half an hour begins anew; nothing of it is left.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// For so long it is known that there was a draft, and nothing else: what is written next must not be misunderstood.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// What the draft is sealed as.
const PURPOSE: &str = "chat draft";
/// Voice notes of one complaint.
const MOST_VOICES: usize = 3;

/// What is asked for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    /// Whether it is a report against somebody in office: before anything else is asked.
    Doubted,
    /// Whether what was written is meant as a complaint.
    Offered,
    /// What it is about.
    What,
    /// Photos, voice, place, more words.
    More,
    /// Whether it is to be filed like this.
    Summary,
    /// What is to be changed.
    Changing,
    /// Where it is.
    Place,
}

/// A complaint that is not filed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::conversations) struct Draft {
    /// The digest of the push that began it: what is filed of it is filed once.
    pub(super) name: String,
    pub(super) step: Step,
    pub(super) body: String,
    pub(super) place: String,
    pub(super) media: Vec<PlatformMedia>,
    /// What the platform understood of the voice notes: looked at, neither shown again nor filed.
    #[serde(default)]
    pub(super) heard: Vec<String>,
    /// What was sent without a word may be meant for this one.
    pub(super) may_belong_to: Option<Earlier>,
    /// Where it goes on once it is known to be no report.
    #[serde(default)]
    pub(super) afterwards: Option<Step>,
    /// The resident said that it is no report: that is not asked again.
    #[serde(default)]
    pub(super) is_no_report: bool,
}

/// A complaint of the resident's that is filed already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Earlier {
    pub(super) id: ComplaintId,
    pub(super) number: String,
    pub(super) title: String,
}

/// How it stands with somebody's draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::conversations) enum Kept {
    None,
    /// There was one, and it is gone.
    Lapsed,
    Open(Draft),
}

impl Kept {
    /// Whether a number is an answer to a question of ours.
    pub(in crate::conversations) fn expects_a_number(&self) -> bool {
        matches!(self, Self::Open(draft) if !matches!(draft.step, Step::What | Step::Place))
    }

    pub(in crate::conversations) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }
}

impl Draft {
    pub(super) fn new(name: String, step: Step) -> Self {
        Self {
            name,
            step,
            body: String::new(),
            place: String::new(),
            media: Vec::new(),
            heard: Vec::new(),
            may_belong_to: None,
            afterwards: None,
            is_no_report: false,
        }
    }

    /// Everything that would be filed, in words: a recording says what was heard of it.
    pub(super) fn told(&self) -> String {
        let heard = self.heard.iter().map(String::as_str).filter(|heard| !self.body.contains(*heard));
        [self.body.as_str(), self.place.as_str()].into_iter().chain(heard).collect::<Vec<_>>().join("\n")
    }

    /// Takes notice of more words. Of what may turn it into a report, nobody has said yet that it does not.
    pub(super) fn take_notice(&mut self, words: &str) {
        if suspicion::adds_doubt(words) {
            self.is_no_report = false;
        }
    }

    /// Where it may be a report, that is asked before it goes on. Until then it lies where every draft lies, sealed; a report
    /// drops it.
    pub(super) fn hold_if_doubtful(&mut self, in_office: &[String]) {
        let can_be_held = !matches!(self.step, Step::Doubted | Step::What);
        if can_be_held && !self.is_no_report && suspicion::is_doubtful(&self.told(), in_office) {
            self.afterwards = Some(self.step);
            self.step = Step::Doubted;
        }
    }

    pub(super) fn count(&self, kind: MediaKind) -> usize {
        self.media.iter().filter(|one| one.kind == kind).count()
    }

    /// Whether there was room for it.
    pub(super) fn add(&mut self, one: PlatformMedia) -> bool {
        let most = match one.kind {
            MediaKind::Photo => MOST_PHOTOS,
            MediaKind::Voice => MOST_VOICES,
        };
        let fits = self.count(one.kind) < most;
        if fits {
            self.media.push(one);
        }
        fits
    }

    /// What a repetition has to have in common with the first time.
    pub(super) fn content(&self) -> Vec<u8> {
        let mut hash = Sha256::new();
        let media = self.media.iter().map(|one| one.reference.as_str());
        for part in [self.body.as_str(), &self.place].into_iter().chain(media) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().to_vec()
    }
}

fn key(conversations: &Conversations, open_id: &str) -> String {
    conversations.sealer.pseudonym("filing", open_id)
}

fn trace(conversations: &Conversations, open_id: &str) -> String {
    conversations.sealer.pseudonym("filing_begun", open_id)
}

pub(in crate::conversations) async fn kept(conversations: &Conversations, open_id: &str) -> Result<Kept, Fault> {
    let cache = &conversations.cache;
    let sealed = cache.get(&key(conversations, open_id)).await?;
    // One that no longer opens, as after a change of the key, is gone.
    let open = sealed.and_then(|sealed| conversations.sealer.open(PURPOSE, &sealed).ok());
    if let Some(draft) = open.and_then(|open| serde_json::from_slice(&open).ok()) {
        return Ok(Kept::Open(draft));
    }
    Ok(if cache.get(&trace(conversations, open_id)).await?.is_some() { Kept::Lapsed } else { Kept::None })
}

pub(super) async fn keep(conversations: &Conversations, open_id: &str, draft: &Draft) -> Result<(), Fault> {
    let open = serde_json::to_vec(draft).map_err(Fault::unavailable)?;
    let sealed = conversations.sealer.seal(PURPOSE, &open, conversations.store.randomness());
    conversations.cache.set(&trace(conversations, open_id), b"1", REMEMBERED).await?;
    conversations.cache.set(&key(conversations, open_id), &sealed, PATIENCE).await
}

/// Nothing is left, not even that there was one.
pub(in crate::conversations) async fn forget(conversations: &Conversations, open_id: &str) -> Result<(), Fault> {
    conversations.cache.remove(&key(conversations, open_id)).await?;
    conversations.cache.remove(&trace(conversations, open_id)).await
}
