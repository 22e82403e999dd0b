//! V3, V14, V15: what only the reader can check, with what she kept or counted herself.

use super::{Check, Reader, Report, log::Log};
use crate::{
    bundle::{Bundle, Mine},
    log::Checkpoint,
};

/// V3: the log that the reader saw then is the beginning of the log of today.
pub(super) fn check_kept(bundle: &Bundle, log: &Log, reader: &Reader, report: &mut Report) {
    if reader.checkpoints.is_empty() && reader.fingerprints.is_empty() {
        report.not_checked.insert(Check::V3, "您没有提供自己保存的票箱指纹或检查点");
        return;
    }
    for (index, note) in reader.checkpoints.iter().enumerate() {
        match reader.pinned.read(note, &bundle.manifest.origin) {
            Ok(kept) if log.tree.root(kept.size) == Some(kept.root) => {}
            Ok(kept) => {
                report
                    .fail(Check::V3, format!("您保存的第{}个检查点（{}）与日志对不上", index + 1, kept.fingerprint()));
            }
            Err(error) => report.fail(Check::V3, format!("您保存的第{}个检查点不可信：{error}", index + 1)),
        }
    }
    for kept in &reader.fingerprints {
        let now = log.tree.root(kept.size).map(|root| Checkpoint { size: kept.size, root }.fingerprint());
        if now.as_ref() != Some(kept) {
            report.fail(Check::V3, format!("您保存的票箱指纹{kept}与日志对不上"));
        }
    }
}

/// V14: her row is there, and the roll says of her what she knows.
pub(super) fn check_mine(bundle: &Bundle, log: &Log, mine: Option<&Mine>, report: &mut Report) {
    let Some(mine) = mine else {
        report.not_checked.insert(Check::V14, "您没有提供自己的选票凭据");
        return;
    };
    let counted = mine.row.is_none_or(|row| log.rows().any(|logged| logged == row));
    report.require(Check::V14, counted, "您的选票不在结果里，或者被改过");
    report.require(Check::V14, bundle.manifest.roll.contains(&mine.roll_leaf), "名册里没有您");
    let issued = [&bundle.close.issued_a, &bundle.close.issued_b].map(|issued| issued.contains(&mine.roll_leaf));
    report.require(Check::V14, issued == [mine.issued; 2], "您的领取记录与您所知不符：也许有人冒用了您的名义");
}

/// V15: as many leaves as names on the posted list.
pub(super) fn check_roll_size(bundle: &Bundle, counted: Option<u64>, report: &mut Report) {
    let Some(counted) = counted else {
        report.not_checked.insert(Check::V15, "您没有提供张贴名单上的人数");
        return;
    };
    let roll = bundle.manifest.roll.len();
    if u64::try_from(roll).ok() != Some(counted) {
        report.fail(Check::V15, format!("名册有{roll}人，张贴的名单有{counted}人"));
    }
}
