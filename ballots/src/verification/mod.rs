//! The verifier: checks V1 to V15 over a bundle, offline, with nothing but the reader's pinned keys.

mod ballots;
mod counts;
mod log;
mod reader;

use std::collections::BTreeMap;

use crate::{
    bundle::{Bundle, Mine},
    log::{Fingerprint, Pinned},
};

/// What is checked. Codes are stable; everything that quotes a check names its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    V1,
    V2,
    V3,
    V4,
    V5,
    V6,
    V7,
    V8,
    V9,
    V10,
    V11,
    V12,
    V13,
    V14,
    V15,
}

impl Check {
    pub const ALL: [Self; 15] = [
        Self::V1,
        Self::V2,
        Self::V3,
        Self::V4,
        Self::V5,
        Self::V6,
        Self::V7,
        Self::V8,
        Self::V9,
        Self::V10,
        Self::V11,
        Self::V12,
        Self::V13,
        Self::V14,
        Self::V15,
    ];

    /// `V1` … `V15`.
    #[must_use]
    pub fn code(self) -> String {
        format!("{self:?}")
    }

    /// What holds when the check passes.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::V1 => "调查说明书在公开日志的最前面，结束记录在最后面，日志的顺序没有乱",
            Self::V2 => "每个检查点都有乡镇、会签方和至少一名见证人的签名，与日志一致，最后一个覆盖全部日志",
            Self::V3 => "您自己保存的票箱指纹和检查点，都与这份日志吻合",
            Self::V4 => "公布的选票与日志里登记的选票逐张相同，顺序也相同",
            Self::V5 => "没有一把选票钥匙用了两次",
            Self::V6 => "每张选票都有乡镇和会签方两家的凭证签名",
            Self::V7 => "每张选票的答案都由它自己的钥匙签名，没有被改过",
            Self::V8 => "每个答案都在题目的选项之内",
            Self::V9 => "乡镇和会签方的发放名单相同，没有重复，都在名册之内",
            Self::V10 => "选票数不超过发出的资格数加纸质票数，作废的纸质票没有计入",
            Self::V11 => "每个投递标签只计最后一次，投递数等于选票数与其余信封数之和",
            Self::V12 => "公布的合计与选票重新计算的结果相同",
            Self::V13 => "没有计入的信封逐个打开看过，确实都不是有效选票；打不开的不超过百分之一",
            Self::V14 => "您自己的选票在内、没有改动，名册上您的领取记录与您所知相符",
            Self::V15 => "名册人数与您在张贴名单上数到的人数相同",
        }
    }
}

/// What the reader brings along, from elsewhere than the bundle.
pub struct Reader {
    pub pinned: Pinned,
    /// Checkpoints kept from the group or the poster: signed notes.
    pub checkpoints: Vec<Vec<u8>>,
    /// Fingerprints copied out of the group.
    pub fingerprints: Vec<Fingerprint>,
    pub mine: Option<Mine>,
    /// Names counted on the posted list.
    pub roll_size: Option<u64>,
}

/// What the verifier found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Failed checks with what was found.
    pub failed: BTreeMap<Check, Vec<String>>,
    /// Checks that this bundle or this reader does not allow, with the reason.
    pub not_checked: BTreeMap<Check, &'static str>,
    /// What is no failure but belongs beside the result.
    pub notices: Vec<String>,
}

impl Report {
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failed.is_empty()
    }

    fn fail(&mut self, check: Check, found: impl Into<String>) {
        self.failed.entry(check).or_default().push(found.into());
    }

    fn require(&mut self, check: Check, holds: bool, found: &str) {
        if !holds {
            self.fail(check, found);
        }
    }
}

/// Runs every check.
#[must_use]
pub fn verify(bundle: &Bundle, reader: &Reader) -> Report {
    let mut report = Report::default();
    let log = log::read(bundle, &mut report);
    log::check_checkpoints(bundle, &log, &reader.pinned, &mut report);
    reader::check_kept(bundle, &log, reader, &mut report);
    log::check_rows(bundle, &log, &mut report);
    let keys = ballots::check(bundle, &mut report);
    counts::check_issue(bundle, &log, keys.as_ref(), &mut report);
    counts::check_box(bundle, &log, &mut report);
    counts::check_totals(bundle, &log, &mut report);
    counts::check_uncounted(bundle, &log, keys.as_ref(), &mut report);
    reader::check_mine(bundle, &log, reader.mine.as_ref(), &mut report);
    reader::check_roll_size(bundle, reader.roll_size, &mut report);
    report
}
