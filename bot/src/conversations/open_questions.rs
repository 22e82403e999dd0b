//! What members of staff are asked after buttons that want words. Several cards may wait for one person's words at once: each
//! waits for its own, none takes another's place, and where it is not plain which one is meant, the words are kept until the
//! person says so. All of it lies in the cache, sealed, under a name that leads to nobody.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_core::{cache::Cache, refusal::Fault, sealing::Sealer, storage::Store};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Key, Task, turn::Turn};

/// A button that is tapped in the evening is asked about in the morning.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long words wait for the number of their card, and a number for its words.
const HELD_FOR: Duration = Duration::from_secs(30 * 60);
/// What the questions and the words are sealed as.
const QUESTIONS: &str = "questions to staff";
const HELD: &str = "words for a question to staff";

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Wanted {
    MoreTime,
    NotMine,
}

impl Wanted {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::MoreTime => "more_time",
            Self::NotMine => "not_mine",
        }
    }

    /// The button that was tapped.
    pub(super) fn button(self) -> Key {
        match self {
            Self::MoreTime => Key::MoreTime,
            Self::NotMine => Key::NotMine,
        }
    }
}

/// A button that waits for words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) wanted: Wanted,
    pub(super) task: Task,
    /// What it is about, to be named in every answer.
    pub(super) title: String,
    /// With which the card is changed when it is answered.
    pub(super) response_code: String,
    /// By which the tap is known that asked: an event that is worked off again is no second tap.
    pub(super) tap: String,
    pub(super) asked_at: DateTime<Utc>,
}

impl Question {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.task, self.wanted) == (other.task, other.wanted)
    }

    /// 《村口路灯》不是我的.
    pub(super) fn name(&self) -> String {
        format!("《{}》{}", self.title, self.wanted.button().label())
    }

    /// What is to be written now.
    pub(super) fn prompt(&self) -> String {
        let how = match self.wanted {
            Wanted::MoreTime => "请写新的日期和理由，例如：3月20日，等材料到货。不延了发“取消”。",
            Wanted::NotMine => "请写理由。不说了发“取消”。",
        };
        format!("{}：{how}", self.name())
    }
}

/// Half of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Held {
    /// Words of which it is not known to which question they belong.
    Words(String),
    /// The question that the next words answer.
    Chosen(Wanted, Task),
}

/// The questions to one person.
pub(super) struct OpenQuestions<'a> {
    store: &'a Store,
    cache: &'a dyn Cache,
    sealer: &'a Sealer,
    person: String,
}

impl<'a> OpenQuestions<'a> {
    /// To WeCom, capital and small letters of a member's name are the same.
    pub(super) fn of(store: &'a Store, cache: &'a dyn Cache, sealer: &'a Sealer, user_id: &str) -> Self {
        Self { store, cache, sealer, person: user_id.to_lowercase() }
    }

    /// Two taps, or a tap and an answer, that arrive at the same moment are worked on in turn.
    ///
    /// # Errors
    /// When it does not come in time.
    pub(super) async fn turn(&self) -> Result<Turn<'a>, Fault> {
        Turn::take(self.cache, self.sealer.pseudonym("chat_at_wecom", &self.person), self.store.randomness()).await
    }

    /// The oldest first.
    pub(super) async fn open(&self) -> Result<Vec<Question>, Fault> {
        let kept: Option<Vec<Question>> = self.read(QUESTIONS, &self.list()).await?;
        let patience = TimeDelta::from_std(PATIENCE).expect("a day is no long time");
        let now = self.store.clock().now();
        Ok(kept.unwrap_or_default().into_iter().filter(|question| question.asked_at + patience > now).collect())
    }

    /// From now on this one waits, too. The same button of the same card waits once.
    pub(super) async fn add(&self, question: Question) -> Result<(), Fault> {
        let mut open = self.open().await?;
        match open.iter_mut().find(|other| other.is_same(&question)) {
            Some(same) => *same = question,
            None => open.push(question),
        }
        self.write(QUESTIONS, &self.list(), &open, PATIENCE).await
    }

    /// It waits no longer; what was half an answer is gone with it.
    pub(super) async fn close(&self, question: &Question) -> Result<(), Fault> {
        let mut open = self.open().await?;
        open.retain(|other| !other.is_same(question));
        self.cache.remove(&self.half()).await?;
        if open.is_empty() {
            return self.cache.remove(&self.list()).await;
        }
        self.write(QUESTIONS, &self.list(), &open, PATIENCE).await
    }

    pub(super) async fn held(&self) -> Result<Option<Held>, Fault> {
        self.read(HELD, &self.half()).await
    }

    pub(super) async fn hold(&self, held: &Held) -> Result<(), Fault> {
        self.write(HELD, &self.half(), held, HELD_FOR).await
    }

    fn list(&self) -> String {
        self.sealer.pseudonym("wecom_questions", &self.person)
    }

    fn half(&self) -> String {
        self.sealer.pseudonym("wecom_answer", &self.person)
    }

    async fn read<T: DeserializeOwned>(&self, purpose: &str, key: &str) -> Result<Option<T>, Fault> {
        let sealed = self.cache.get(key).await?;
        let open = sealed.and_then(|sealed| self.sealer.open(purpose, &sealed).ok());
        Ok(open.and_then(|open| serde_json::from_slice(&open).ok()))
    }

    async fn write<T: Serialize + Sync>(
        &self,
        purpose: &str,
        key: &str,
        what: &T,
        keep_for: Duration,
    ) -> Result<(), Fault> {
        let open = serde_json::to_vec(what).map_err(Fault::unavailable)?;
        let sealed = self.sealer.seal(purpose, &open, self.store.randomness());
        self.cache.set(key, &sealed, keep_for).await
    }
}
