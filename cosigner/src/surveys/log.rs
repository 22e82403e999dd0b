//! The copy of the public log. The co-signer works the root out from its own copy and signs nothing but extensions.

use qingfeng_ballots::{
    Hex,
    close::Slips,
    closing::Closing,
    log::{Leaf, Note, Signer, Tree},
    manifest::Manifest,
    messages::SurveyId,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};

use super::{Lock, MinuteKind, State, Survey};
use crate::{
    Authority,
    fault::{Fault, Kind, Refusal},
    paper::slips_of,
    roll::key_of,
    storage::entity::{log_checkpoints, log_leaves, minutes},
};

/// New lines of the log, and the platform's checkpoint over them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// With the first lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
    pub leaves: Vec<String>,
    pub size_before: u64,
    /// Signed by the platform.
    pub note: String,
}

/// The same note with the co-signer's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    pub note: String,
}

/// What a note says, and of which log.
pub(super) struct Claim {
    pub origin: String,
    pub size: u64,
    pub root: Hex<32>,
}

pub(super) fn read_note(text: &str) -> Result<(Note, Claim), Refusal> {
    let bad_note = || Refusal::new(Kind::BadInput, "bad_note", "这不是日志的签名检查点。");
    let note = Note::from_bytes(text.as_bytes()).map_err(|_| bad_note())?;
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|_| bad_note())?;
    let claim =
        Claim { origin: checkpoint.origin().to_owned(), size: checkpoint.size(), root: Hex(checkpoint.hash().0) };
    Ok((note, claim))
}

impl Authority {
    /// Takes over new lines of the log and signs the checkpoint.
    ///
    /// # Errors
    /// Refuses a manifest that was not agreed, a note that is not the platform's, lines that do not follow the own copy, a
    /// root that does not follow from the lines, and lines that may not come now.
    pub async fn extend_log(&self, sid: &SurveyId, extension: Extension) -> Result<Signed, Fault> {
        let (mut note, claim) = read_note(&extension.note)?;
        let transaction = self.store.begin().await?;
        let survey = Survey::find(&transaction, sid, Lock::Exclusive).await?;
        if extension.manifest.as_ref().is_some_and(|manifest| *manifest != survey.manifest) {
            return Err(Refusal::conflict("manifest_differs", "公布的方案与约定的不一样。").into());
        }
        let signed = self.platform.as_ref().is_some_and(|key| key.has_signed_note(&note));
        if !signed || claim.origin != survey.manifest.origin {
            let sentence = "检查点不是本次测评的，或没有平台的签名。";
            return Err(Refusal::new(Kind::BadInput, "bad_note", sentence).into());
        }
        let held = leaves(&transaction, sid).await?;
        let held_size = length(&held);
        if extension.size_before > held_size {
            let sentence = "联署人的日志还没有这么长，请从它的末尾补起。";
            return Err(Refusal::conflict("log_behind", sentence).with("size", held_size).into());
        }
        let offered: Vec<_> = extension.leaves.iter().map(|line| line.as_bytes().to_vec()).collect();
        let after = &held[usize::try_from(extension.size_before).map_err(Fault::unavailable)?..];
        let common = after.len().min(offered.len());
        let new = &offered[common..];
        let mut tree = Tree::default();
        for leaf in held.iter().chain(new) {
            tree.append(leaf);
        }
        let claimed_size = extension.size_before + length(&offered);
        if after[..common] != offered[..common]
            || claim.size != claimed_size
            || tree.root(claimed_size) != Some(claim.root)
        {
            self.keep_fork(&transaction, sid, &extension.note).await?;
            transaction.commit().await?;
            let sentence = "这不是原来那本日志的延续，联署人不签。";
            return Err(Refusal::conflict("log_forked", sentence).with("size", held_size).into());
        }
        if !new.is_empty() {
            let next = self.admit_leaves(&transaction, &survey, &held, new).await?;
            append(&transaction, sid, held_size, new).await?;
            let today = self.today();
            if next != survey.row.state {
                survey
                    .update(&transaction, |row| {
                        row.state = Set(next);
                        if next == State::Published {
                            row.published_on = Set(Some(today));
                        }
                    })
                    .await?;
            }
        }
        note.add_sigs(&[self.keys.log.note_signer() as &dyn Signer]).map_err(Fault::unavailable)?;
        let note = String::from_utf8(note.to_bytes()).map_err(Fault::unavailable)?;
        keep_checkpoint(&transaction, sid, claim.size, &note).await?;
        transaction.commit().await?;
        Ok(Signed { note })
    }

    /// Whether these lines may come now, and the state that follows.
    async fn admit_leaves(
        &self,
        connection: &impl ConnectionTrait,
        survey: &Survey,
        held: &[Vec<u8>],
        new: &[Vec<u8>],
    ) -> Result<State, Fault> {
        let bad_leaf = || Refusal::new(Kind::BadInput, "bad_leaf", "日志里有一行不对。");
        let parsed: Vec<_> =
            new.iter().map(|line| Leaf::parse(line)).collect::<Result<_, _>>().map_err(|_| bad_leaf())?;
        match survey.row.state {
            State::Agreed => {
                if self.has_undelivered_shares(connection, &survey.sid).await? {
                    let sentence = "票箱密钥的分片还没有发给保管人，不能开始。";
                    return Err(Refusal::conflict("shares_not_handed_out", sentence).into());
                }
                let manifest = Leaf::Manifest { h: survey.manifest.hash() };
                if parsed.first() != Some(&manifest) || !is_box(&parsed[1..]) || repeats(&[], &parsed) {
                    return Err(bad_leaf().into());
                }
                Ok(State::Open)
            }
            State::Open => {
                let slips = slips_of(connection, &survey.sid).await?.unwrap_or_default();
                if !is_box(&parsed) || repeats(&box_leaves(held)?, &parsed) || revises_a_slip(&parsed, &slips) {
                    return Err(bad_leaf().into());
                }
                Ok(State::Open)
            }
            State::Counted => {
                let expected = self.expected_log(connection, survey, held).await?;
                let place = held.len()..held.len() + new.len();
                if expected.get(place) != Some(new) {
                    let sentence = "公布的内容与联署人的计票结果不一样。";
                    return Err(Refusal::conflict("log_differs_from_count", sentence).into());
                }
                Ok(if held.len() + new.len() == expected.len() { State::Published } else { State::Counted })
            }
            // Nothing was counted: the close record says so, and holds nothing that could be checked here.
            State::TooFew | State::Cancelled if matches!(parsed[..], [Leaf::Close { .. }]) && !is_closed(held) => {
                Ok(if survey.row.state == State::TooFew { State::Published } else { State::Cancelled })
            }
            State::Closed | State::TooFew | State::Cancelled | State::Published | State::Wiped => {
                Err(Refusal::conflict("box_closed", "票箱已经封了，不能再加。").into())
            }
        }
    }

    /// The whole log as it follows from the count.
    async fn expected_log(
        &self,
        connection: &impl ConnectionTrait,
        survey: &Survey,
        held: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, Fault> {
        let result = self.result(connection, &survey.sid).await?.ok_or_else(|| Fault::unavailable("no result"))?;
        let closing = Closing {
            manifest: survey.manifest.clone(),
            box_leaves: box_leaves(held)?,
            issued_a: Survey::kept_list(survey.row.issued_a.as_deref())?,
            issued_b: result.issued_b.clone(),
            voided: result.voided.clone(),
            count: result.into_count(),
            paper: Slips::default(),
        };
        Ok(closing.settled().bundle().log)
    }

    /// Two logs signed by the platform are a proof; it is kept, once.
    async fn keep_fork(&self, connection: &impl ConnectionTrait, sid: &SurveyId, note: &str) -> Result<(), Fault> {
        tracing::error!(%sid, "the platform signed a log that does not extend the one held here");
        let content = format!("平台签了一本不是延续的日志：\n{note}");
        let known = minutes::Entity::find().filter(minutes::Column::Content.eq(&content)).one(connection).await?;
        if known.is_none() {
            self.minute(connection, MinuteKind::ForkRefused, Some(sid), &content, &[]).await?;
        }
        Ok(())
    }
}

/// The lines of the copy, in order.
pub(super) async fn leaves(connection: &impl ConnectionTrait, sid: &SurveyId) -> Result<Vec<Vec<u8>>, Fault> {
    let rows = log_leaves::Entity::find()
        .filter(log_leaves::Column::Sid.eq(key_of(sid)))
        .order_by_asc(log_leaves::Column::Idx)
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.leaf).collect())
}

/// The box's leaves among the lines.
pub(super) fn box_leaves(lines: &[Vec<u8>]) -> Result<Vec<Leaf>, Fault> {
    let mut leaves = Vec::new();
    for line in lines {
        let leaf = Leaf::parse(line).map_err(Fault::unavailable)?;
        if matches!(leaf, Leaf::Box { .. }) {
            leaves.push(leaf);
        }
    }
    Ok(leaves)
}

async fn append(connection: &impl ConnectionTrait, sid: &SurveyId, from: u64, lines: &[Vec<u8>]) -> Result<(), Fault> {
    let first = i64::try_from(from).map_err(Fault::unavailable)?;
    let rows: Vec<_> = (first..)
        .zip(lines)
        .map(|(idx, line)| log_leaves::ActiveModel { sid: Set(key_of(sid)), idx: Set(idx), leaf: Set(line.clone()) })
        .collect();
    for rows in rows.chunks(500) {
        log_leaves::Entity::insert_many(rows.iter().cloned()).exec_without_returning(connection).await?;
    }
    Ok(())
}

async fn keep_checkpoint(
    connection: &impl ConnectionTrait,
    sid: &SurveyId,
    size: u64,
    note: &str,
) -> Result<(), Fault> {
    let row = log_checkpoints::ActiveModel {
        sid: Set(key_of(sid)),
        size: Set(i64::try_from(size).map_err(Fault::unavailable)?),
        note: Set(note.to_owned()),
    };
    let same = OnConflict::columns([log_checkpoints::Column::Sid, log_checkpoints::Column::Size])
        .update_column(log_checkpoints::Column::Note)
        .to_owned();
    log_checkpoints::Entity::insert(row).on_conflict(same).exec_without_returning(connection).await?;
    Ok(())
}

fn is_box(leaves: &[Leaf]) -> bool {
    leaves.iter().all(|leaf| matches!(leaf, Leaf::Box { .. }))
}

fn is_closed(lines: &[Vec<u8>]) -> bool {
    lines.last().is_some_and(|line| matches!(Leaf::parse(line), Ok(Leaf::Close { .. })))
}

/// Whether a revision of a tag or an envelope stands in the box twice.
fn repeats(held: &[Leaf], new: &[Leaf]) -> bool {
    let (mut revisions, mut envelopes) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    held.iter().chain(new).any(|leaf| match leaf {
        Leaf::Box { tag, seq, h } => !revisions.insert((*tag, *seq)) || !envelopes.insert(*h),
        _ => false,
    })
}

/// Whether a paper slip was thrown in a second time: it is good once, whoever holds it.
fn revises_a_slip(new: &[Leaf], slips: &Slips) -> bool {
    new.iter().any(|leaf| matches!(leaf, Leaf::Box { tag, seq: 1.., .. } if slips.has_tag(tag)))
}

pub(super) fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}
