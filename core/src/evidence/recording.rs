//! Voice notes: speech as phones of the platform send it (AMR, RFC 4867 §5), kept as it came.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::entity::recordings;
use crate::{
    ids::{ComplaintId, FileId},
    people::authorization::Subject,
    refusal::{Fault, Refusal, RefusalKind},
    storage::Store,
};

/// The platforms' own limits of a voice note.
const MOST_BYTES: usize = 2 * 1024 * 1024;
const MOST_SECONDS: u32 = 60;
/// What a narrow-band AMR file of one channel begins with.
const OPENING: &[u8] = b"#!AMR\n";
/// Bytes of a frame, its head included, by frame type: eight rates, then silence; 15 = nothing was sent. None for types that
/// no file holds.
const FRAMES: [Option<usize>; 16] = [
    Some(13),
    Some(14),
    Some(16),
    Some(18),
    Some(20),
    Some(21),
    Some(27),
    Some(32),
    Some(6),
    None,
    None,
    None,
    None,
    None,
    None,
    Some(1),
];
/// A frame is 20 ms.
const FRAMES_PER_SECOND: u32 = 50;

/// Why a recording is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingRefusal {
    #[error("more bytes or seconds than allowed")]
    TooLong,
    #[error("no AMR")]
    UnsupportedType,
    #[error("the recording ends in the middle or holds nothing")]
    Broken,
}

impl From<RecordingRefusal> for Refusal {
    fn from(refusal: RecordingRefusal) -> Self {
        use RefusalKind as K;
        let (kind, code, sentence) = match refusal {
            RecordingRefusal::TooLong => (K::TooLarge, "recording_too_long", "语音最长一分钟，请分开说。"),
            RecordingRefusal::UnsupportedType => {
                (K::UnsupportedType, "recording_type_unsupported", "这段语音的格式听不了，请用微信按住说话再发一次。")
            }
            RecordingRefusal::Broken => (K::BadInput, "recording_broken", "这段语音没有传完整，请再发一次。"),
        };
        Self::new(kind, code, sentence)
    }
}

/// How long a recording lasts, in seconds begun; its frames are walked through to the end.
///
/// # Errors
/// [`RecordingRefusal`]. Never panics, whatever the bytes.
pub fn seconds(amr: &[u8]) -> Result<u32, RecordingRefusal> {
    if amr.len() > MOST_BYTES {
        return Err(RecordingRefusal::TooLong);
    }
    let mut rest = amr.strip_prefix(OPENING).ok_or(RecordingRefusal::UnsupportedType)?;
    let mut frames = 0;
    while let Some(head) = rest.first() {
        let length = FRAMES[usize::from(head >> 3 & 0x0f)].ok_or(RecordingRefusal::Broken)?;
        rest = rest.get(length..).ok_or(RecordingRefusal::Broken)?;
        frames += 1;
    }
    match u32::div_ceil(frames, FRAMES_PER_SECOND) {
        0 => Err(RecordingRefusal::Broken),
        seconds if seconds > MOST_SECONDS => Err(RecordingRefusal::TooLong),
        seconds => Ok(seconds),
    }
}

impl recordings::Model {
    /// What decides who may hear it, from what decides who may see its complaint. A voice tells who brought a matter up: of
    /// several reporters, as after a merge, only the one who spoke hears it, and whoever works on it.
    #[must_use]
    pub fn subject(&self, of_complaint: &Subject) -> Subject {
        Subject { reporters: vec![self.resident_id], complaint: None, ..of_complaint.clone() }
    }
}

/// What was said with a complaint, in order; not everybody who sees the complaint may hear it.
///
/// # Errors
/// When the database does not answer.
pub async fn recordings_of(
    connection: &impl ConnectionTrait,
    complaint: ComplaintId,
) -> Result<Vec<recordings::Model>, Fault> {
    Ok(recordings::Entity::find()
        .filter(recordings::Column::ComplaintId.eq(complaint))
        .order_by_asc(recordings::Column::Id)
        .all(connection)
        .await?)
}

/// One recording.
///
/// # Errors
/// When there is none.
pub async fn recording(store: &Store, id: FileId) -> Result<recordings::Model, Fault> {
    Ok(recordings::Entity::find_by_id(id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// So many frames of 12.2 kbit/s.
    fn speech(frames: usize) -> Vec<u8> {
        let frame = [&[0x3c_u8][..], &[7; 31]].concat();
        [OPENING.to_vec(), frame.repeat(frames)].concat()
    }

    #[test]
    fn seconds_are_counted_by_frames() {
        assert_eq!(seconds(&speech(1)), Ok(1));
        assert_eq!(seconds(&speech(50)), Ok(1));
        assert_eq!(seconds(&speech(51)), Ok(2));
        assert_eq!(seconds(&speech(3000)), Ok(60));
        assert_eq!(seconds(&speech(3001)), Err(RecordingRefusal::TooLong));
        // Silence and frames that were not sent last as long as speech.
        let quiet = [OPENING, &[0x44, 0, 0, 0, 0, 0], &[0x7c; 49]].concat();
        assert_eq!(seconds(&quiet), Ok(1));
    }

    #[test]
    fn what_is_no_whole_recording_is_refused() {
        assert_eq!(seconds(b""), Err(RecordingRefusal::UnsupportedType));
        assert_eq!(seconds(b"#!AMR-WB\n\x04"), Err(RecordingRefusal::UnsupportedType));
        assert_eq!(seconds(b"\x02#!SILK_V3"), Err(RecordingRefusal::UnsupportedType));
        assert_eq!(seconds(OPENING), Err(RecordingRefusal::Broken));
        assert_eq!(seconds(&speech(3)[..40]), Err(RecordingRefusal::Broken));
        assert_eq!(seconds(&[OPENING, &[0x48]].concat()), Err(RecordingRefusal::Broken), "no such frame");
        let long = [OPENING.to_vec(), vec![0x7c; MOST_BYTES]].concat();
        assert_eq!(seconds(&long), Err(RecordingRefusal::TooLong));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_product_fall_over(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = seconds(&bytes);
            let _ = seconds(&[OPENING, &bytes].concat());
        }
    }
}
