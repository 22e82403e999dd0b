//! V5 to V8: the rows.

use std::{collections::BTreeSet, thread};

use super::{Check, Report};
use crate::{
    bundle::{Bundle, Row},
    manifest::{Keys, Manifest},
};

pub(super) fn check(bundle: &Bundle, report: &mut Report) -> Option<Keys> {
    let keys = bundle.manifest.keys().ok();
    report.require(Check::V6, keys.is_some(), "说明书里的三把钥匙不合规定");
    let Some(rows) = &bundle.ballots else {
        for check in [Check::V5, Check::V6, Check::V7, Check::V8] {
            report.not_checked.insert(check, "选票没有逐张公布，由审计人员核对");
        }
        return keys;
    };
    let mut seen = BTreeSet::new();
    for row in rows {
        if !seen.insert(row.ballot.pk) {
            report.fail(Check::V5, format!("选票钥匙{}用了两次", row.ballot.pk));
        }
    }
    if let Some(keys) = &keys {
        for (check, found) in in_parallel(rows, |row| faults(row, &bundle.manifest, keys)) {
            report.fail(check, found);
        }
    }
    keys
}

fn faults(row: &Row, manifest: &Manifest, keys: &Keys) -> Vec<(Check, String)> {
    let ballot = &row.ballot;
    let mut faults = Vec::new();
    if !ballot.is_entitled(&manifest.sid, keys) {
        faults.push((Check::V6, format!("选票{}缺少凭证签名", ballot.pk)));
    }
    if ballot.v != 1 || ballot.seq != crate::ballot::BALLOT_SEQUENCE || !ballot.is_signed(&manifest.sid) {
        faults.push((Check::V7, format!("选票{}的答案签名不对", ballot.pk)));
    }
    if !ballot.ans.fit(&manifest.questions) {
        faults.push((Check::V8, format!("选票{}的答案超出选项", ballot.pk)));
    }
    faults
}

/// Signatures are the long part: every core takes a share, and the findings keep the rows' order.
fn in_parallel(rows: &[Row], faults: impl Fn(&Row) -> Vec<(Check, String)> + Sync) -> Vec<(Check, String)> {
    let share = rows.len().div_ceil(thread::available_parallelism().map_or(1, usize::from)).max(1);
    let faults = &faults;
    thread::scope(|scope| {
        let shares: Vec<_> = rows
            .chunks(share)
            .map(|rows| scope.spawn(move || rows.iter().flat_map(faults).collect::<Vec<_>>()))
            .collect();
        shares.into_iter().flat_map(|share| share.join().expect("checking a row does not panic")).collect()
    })
}
