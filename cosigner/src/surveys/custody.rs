//! Where the box key is: sealed in the database, or in three shares of which two open it and one says nothing.

use std::convert::Infallible;

use age::secrecy::ExposeSecret;
use qingfeng_ballots::{
    canonical::sha256,
    envelope::BoxKey,
    messages::SurveyId,
    randomness::{NoRandomness, Randomness},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use vsss_rs::Gf256;
use zeroize::Zeroizing;

use super::{Lock, MinuteKind, State, Survey};
use crate::{
    Authority,
    config::Custody,
    fault::{Fault, Refusal},
    roll::key_of,
    storage::entity::box_shares,
};

const THRESHOLD: usize = 2;
const SHARES: usize = 3;

/// One holder's share of a box key, to keep on paper or on a stick.
pub struct Share {
    pub sid: SurveyId,
    /// 1, 2, 3.
    pub number: u8,
    bytes: Zeroizing<Vec<u8>>,
}

impl Share {
    /// The text for the holder.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "票箱密钥分片 {} / {SHARES}（任何{THRESHOLD}片可以开箱，一片什么也看不到）\nsurvey {}\nshare {}\ncheck {}\n",
            self.number,
            self.sid,
            hex::encode(self.bytes.as_slice()),
            self.check()
        ))
    }

    fn check(&self) -> String {
        hex::encode(&sha256(&[b"bbk1/share\0", self.sid.as_slice(), &self.bytes]).0[..4])
    }

    /// Reads a holder's text.
    ///
    /// # Errors
    /// When it is no share, or was copied wrongly.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let line = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
        let no_share = || Refusal::invalid("这不是票箱密钥的分片。");
        let sid = line("survey ").and_then(SurveyId::parse).ok_or_else(no_share)?;
        let bytes =
            line("share ").and_then(|share| hex::decode(share).ok()).map(Zeroizing::new).ok_or_else(no_share)?;
        let number = *bytes.first().ok_or_else(no_share)?;
        let share = Self { sid, number, bytes };
        if line("check ") == Some(share.check().as_str()) {
            Ok(share)
        } else {
            Err(Refusal::invalid("分片抄错了：校验不符。"))
        }
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Share({} of {})", self.number, self.sid)
    }
}

impl Authority {
    /// Keeps a fresh box key as the configuration says.
    pub(super) async fn keep_box_key(
        &self,
        connection: &impl ConnectionTrait,
        sid: &SurveyId,
        key: &BoxKey,
    ) -> Result<(), Fault> {
        let text = key.to_text();
        let text = text.expose_secret();
        match self.settings.surveys.box_custody {
            Custody::File => {
                let sealed = self.keys.sealer.seal(&format!("box key of {sid}"), text.as_bytes(), &*self.randomness)?;
                let survey = Survey::find(connection, sid, Lock::Exclusive).await?;
                survey.update(connection, |row| row.box_key_sealed = Set(Some(sealed))).await
            }
            Custody::Shares => {
                for (number, share) in (1..).zip(split(text.as_bytes(), &*self.randomness)?) {
                    let purpose = format!("share {number} of {sid}");
                    let share_sealed = self.keys.sealer.seal(&purpose, &share, &*self.randomness)?;
                    let row = box_shares::ActiveModel {
                        sid: Set(key_of(sid)),
                        number: Set(number),
                        share_sealed: Set(share_sealed),
                    };
                    box_shares::Entity::insert(row).exec_without_returning(connection).await?;
                }
                Ok(())
            }
        }
    }

    /// Hands the three shares out: `deliver` writes them down, and only then are they forgotten here. Minuted.
    ///
    /// # Errors
    /// Refuses when there is nothing to hand out; what `deliver` refuses.
    pub async fn hand_out_shares(
        &self,
        sid: &SurveyId,
        holders: &[String],
        deliver: impl FnOnce(&[Share]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let transaction = self.store.begin().await?;
        let survey = Survey::find(&transaction, sid, Lock::Exclusive).await?;
        let rows = box_shares::Entity::find()
            .filter(box_shares::Column::Sid.eq(key_of(sid)))
            .order_by_asc(box_shares::Column::Number)
            .all(&transaction)
            .await?;
        if rows.len() != SHARES || survey.row.state != State::Agreed {
            return Err(Refusal::conflict("no_shares", "没有待发的分片：密钥存在本机，或分片已经发出。").into());
        }
        let mut shares = Vec::new();
        for row in rows {
            let bytes = self.keys.sealer.open(&format!("share {} of {sid}", row.number), &row.share_sealed)?;
            shares.push(Share { sid: *sid, number: *bytes.first().unwrap_or(&0), bytes });
        }
        deliver(&shares)?;
        box_shares::Entity::delete_many().filter(box_shares::Column::Sid.eq(key_of(sid))).exec(&transaction).await?;
        self.minute(&transaction, MinuteKind::SharesHandedOut, Some(sid), "票箱密钥分成三片发出", holders).await?;
        transaction.commit().await?;
        self.store.compact().await
    }

    /// Whether shares are still waiting to be handed out: until then the survey is not opened.
    pub(super) async fn has_undelivered_shares(
        &self,
        connection: &impl ConnectionTrait,
        sid: &SurveyId,
    ) -> Result<bool, Fault> {
        let held = box_shares::Entity::find().filter(box_shares::Column::Sid.eq(key_of(sid))).one(connection).await?;
        Ok(held.is_some())
    }

    /// The box key, from the database or from two shares; checked against the manifest.
    pub(super) fn box_key(&self, survey: &Survey, shares: &[Share]) -> Result<BoxKey, Fault> {
        let text = match &survey.row.box_key_sealed {
            Some(sealed) => self.keys.sealer.open(&format!("box key of {}", survey.sid), sealed)?,
            None => combine(&survey.sid, shares)?,
        };
        let key = std::str::from_utf8(&text).ok().and_then(|text| text.parse::<BoxKey>().ok());
        key.filter(|key| key.recipient() == survey.manifest.box_recipient)
            .ok_or_else(|| Refusal::conflict("wrong_shares", "这些分片拼不出这次测评的票箱密钥，请换一片再试。").into())
    }
}

fn combine(sid: &SurveyId, shares: &[Share]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut numbers: Vec<_> = shares.iter().map(|share| share.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() < THRESHOLD || numbers.len() != shares.len() {
        return Err(Refusal::conflict("too_few_shares", "开箱需要两片不同的分片。"));
    }
    if shares.iter().any(|share| share.sid != *sid) {
        return Err(Refusal::conflict("wrong_shares", "有一片是另一次测评的。"));
    }
    let bytes: Vec<Vec<u8>> = shares.iter().map(|share| share.bytes.to_vec()).collect();
    Gf256::combine_array(&bytes)
        .map(Zeroizing::new)
        .map_err(|_| Refusal::conflict("wrong_shares", "这些分片合不到一起，请换一片再试。"))
}

fn split(secret: &[u8], randomness: &dyn Randomness) -> Result<Vec<Zeroizing<Vec<u8>>>, Fault> {
    // One random byte per byte of the secret; drawn beforehand, because the library's source cannot fail.
    let mut drawn = Drawn::new(secret.len() * 64, randomness)?;
    let shares = Gf256::split_array(THRESHOLD, SHARES, secret, &mut drawn).map_err(Fault::unavailable)?;
    Ok(shares.into_iter().map(Zeroizing::new).collect())
}

/// Random bytes drawn beforehand.
struct Drawn {
    bytes: Zeroizing<Vec<u8>>,
    next: usize,
}

impl Drawn {
    fn new(length: usize, randomness: &dyn Randomness) -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new(vec![0; length]);
        randomness.fill(&mut bytes)?;
        Ok(Self { bytes, next: 0 })
    }
}

impl rand_core::TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let end = self.next + bytes.len();
        bytes.copy_from_slice(self.bytes.get(self.next..end).expect("64 bytes are drawn for each byte of a secret"));
        self.next = end;
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Drawn {}

#[cfg(test)]
mod tests {
    use qingfeng_ballots::Hex;

    use super::*;
    use crate::randomness::SystemRandomness;

    fn shares() -> (BoxKey, Vec<Share>) {
        let key = BoxKey::generate();
        let split = split(key.to_text().expose_secret().as_bytes(), &SystemRandomness).unwrap();
        let share = |bytes: Zeroizing<Vec<u8>>| Share { sid: Hex([1; 16]), number: bytes[0], bytes };
        (key, split.into_iter().map(share).collect())
    }

    #[test]
    fn any_two_of_three_shares_are_the_key_and_one_is_nothing() {
        let (key, shares) = shares();
        let text = key.to_text();
        for pair in [[0, 1], [0, 2], [1, 2]] {
            let read = pair.map(|index| Share::parse(&shares[index].to_text()).unwrap());
            assert_eq!(combine(&Hex([1; 16]), &read).unwrap().as_slice(), text.expose_secret().as_bytes());
        }
        let one = || Share::parse(&shares[0].to_text()).unwrap();
        assert_eq!(combine(&Hex([1; 16]), &[]).unwrap_err().code, "too_few_shares");
        assert_eq!(combine(&Hex([1; 16]), &[one()]).unwrap_err().code, "too_few_shares");
        assert_eq!(combine(&Hex([1; 16]), &[one(), one()]).unwrap_err().code, "too_few_shares");
        assert_eq!(combine(&Hex([2; 16]), &shares[..2]).unwrap_err().code, "wrong_shares");
    }

    #[test]
    fn a_share_that_was_copied_wrongly_is_noticed() {
        let (_, shares) = shares();
        let text = shares[0].to_text();
        let at = text.find("share ").unwrap() + 20;
        let mut wrong = text.to_string();
        let other = if &wrong[at..=at] == "0" { "1" } else { "0" };
        wrong.replace_range(at..=at, other);
        assert!(Share::parse(&wrong).is_err());
        for hostile in ["", "survey x\nshare y\ncheck z", "share \nsurvey \ncheck "] {
            assert!(Share::parse(hostile).is_err());
        }
    }
}
