//! V1, V2, V4: the log itself.

use super::{Check, Report};
use crate::{
    Hex,
    bundle::Bundle,
    canonical::sha256,
    close::Publication,
    log::{Leaf, Pinned, Tree},
    manifest::BadManifest,
};

/// The log, read.
pub(super) struct Log {
    pub leaves: Vec<Leaf>,
    pub tree: Tree,
}

impl Log {
    /// The envelopes that were in the box at its close.
    pub fn box_leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.leaves.iter().filter(|leaf| matches!(leaf, Leaf::Box { .. }))
    }

    /// The rows' hashes in the log's order.
    pub fn rows(&self) -> impl Iterator<Item = Hex<32>> {
        self.leaves.iter().filter_map(|leaf| if let Leaf::Ballot { h } = leaf { Some(*h) } else { None })
    }
}

/// V1: manifest first, then the box, then the rows, the close record last; the manifest can be one.
pub(super) fn read(bundle: &Bundle, report: &mut Report) -> Log {
    let mut log = Log { leaves: Vec::with_capacity(bundle.log.len()), tree: Tree::default() };
    for (index, line) in bundle.log.iter().enumerate() {
        log.tree.append(line);
        match Leaf::parse(line) {
            Ok(leaf) => log.leaves.push(leaf),
            Err(_) => report.fail(Check::V1, format!("日志第{}行写法不合规定", index + 1)),
        }
    }
    let (manifest, close) = (bundle.manifest.hash(), bundle.close.hash());
    let first = matches!(log.leaves.first(), Some(Leaf::Manifest { h }) if *h == manifest);
    report.require(Check::V1, first, "日志的第一行不是这份说明书");
    let last = matches!(log.leaves.last(), Some(Leaf::Close { h }) if *h == close);
    report.require(Check::V1, last, "日志的最后一行不是这份结束记录");
    let rank = |leaf: &Leaf| match leaf {
        Leaf::Manifest { .. } => 0,
        Leaf::Box { .. } => 1,
        Leaf::Ballot { .. } => 2,
        Leaf::Close { .. } => 3,
    };
    let once = |wanted: u8| log.leaves.iter().filter(|leaf| rank(leaf) == wanted).count() == 1;
    let ordered = log.leaves.is_sorted_by_key(rank) && once(0) && once(3);
    report.require(Check::V1, ordered, "日志不是说明书、投递、选票、结束的顺序");
    let box_size = u64::try_from(log.box_leaves().count()).unwrap_or(u64::MAX).saturating_add(1);
    report.require(Check::V1, bundle.close.box_size == box_size, "关箱以后日志里又有投递，或者关箱时的条数不对");
    report.require(Check::V1, bundle.close.v == 1 && bundle.close.sid == bundle.manifest.sid, "结束记录属于另一次调查");
    match bundle.manifest.check() {
        Ok(_) | Err(BadManifest::Roll | BadManifest::Keys) => {} // V9 and V6 say so.
        Err(BadManifest::Questions) => report.fail(Check::V8, "题目不合规定"),
        Err(error) => report.fail(Check::V1, format!("说明书不合规定：{error}")),
    }
    log
}

/// V2: every checkpoint has its quorum and its root; one stands at the close of the box, and one covers everything.
pub(super) fn check_checkpoints(bundle: &Bundle, log: &Log, pinned: &Pinned, report: &mut Report) {
    let mut sizes = Vec::new();
    for (index, note) in bundle.checkpoints.iter().enumerate() {
        match pinned.read(note.as_bytes(), &bundle.manifest.origin) {
            Ok(checkpoint) if log.tree.root(checkpoint.size) == Some(checkpoint.root) => sizes.push(checkpoint.size),
            Ok(_) => report.fail(Check::V2, format!("第{}个检查点与日志对不上", index + 1)),
            Err(error) => report.fail(Check::V2, format!("第{}个检查点不可信：{error}", index + 1)),
        }
    }
    report.require(Check::V2, sizes.iter().max() == Some(&log.tree.size()), "没有检查点覆盖全部日志");
    report.require(Check::V2, sizes.contains(&bundle.close.box_size), "没有关箱时的检查点");
}

/// V4: the rows are those of the log, in its order — by ballot key.
pub(super) fn check_rows(bundle: &Bundle, log: &Log, report: &mut Report) {
    let Some(rows) = &bundle.ballots else {
        report.not_checked.insert(Check::V4, "选票没有逐张公布");
        let withheld = bundle.close.publication < Publication::Rows;
        report.require(Check::V4, withheld, "按规定应当公布的选票没有公布");
        return;
    };
    let same = rows.iter().map(|row| sha256(&[&row.bytes])).eq(log.rows());
    report.require(Check::V4, same, "公布的选票与日志里登记的不同");
    let sorted = rows.is_sorted_by(|one, next| one.ballot.pk <= next.ballot.pk);
    report.require(Check::V4, sorted, "选票没有按选票钥匙排列");
}
