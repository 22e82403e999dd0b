//! V9 to V13: what was issued, thrown in, counted and left out.

use std::collections::BTreeSet;

use super::{Check, Report, log::Log};
use crate::{
    Hex,
    bundle::Bundle,
    canonical::sha256,
    count::{ballot_in, winners},
    envelope::open_with_file_key,
    log::Leaf,
    manifest::Keys,
    publication::{Tally, Thresholds, publication, totals},
};

fn is_strictly_sorted<T: Ord>(items: &[T]) -> bool {
    items.is_sorted_by(|one, next| one < next)
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// V9 and V10: nobody was invented, and no more was counted than was issued.
pub(super) fn check_issue(bundle: &Bundle, log: &Log, keys: Option<&Keys>, report: &mut Report) {
    let (manifest, close) = (&bundle.manifest, &bundle.close);
    report.require(Check::V9, is_strictly_sorted(&manifest.roll), "名册没有排好，或者有人列了两次");
    let roll: BTreeSet<_> = manifest.roll.iter().collect();
    report.require(Check::V9, close.issued_a == close.issued_b, "两家的发放名单不同");
    for issued in [&close.issued_a, &close.issued_b] {
        report.require(Check::V9, is_strictly_sorted(issued), "发放名单没有排好，或者有人领了两次");
        let known = issued.iter().all(|leaf| roll.contains(leaf));
        report.require(Check::V9, known, "发放名单里有名册以外的人");
    }

    let slips = &bundle.paper;
    let complete = length(&slips.keys) == u64::from(manifest.paper) && slips.is_well_formed();
    report.require(Check::V10, complete, "纸质票的张数与说明书不同，或者没有排好");
    let signed = keys.is_none_or(|keys| slips.is_signed(&manifest.sid, keys));
    report.require(Check::V10, signed, "有的纸质票没有三个签名");
    let named = "作废名单里有不是纸质票的，或者有重复";
    report.require(Check::V10, close.voided.is_of(slips), named);
    let voided: BTreeSet<_> = close.voided.keys.iter().collect();
    let counted = bundle.ballots.iter().flatten().any(|row| voided.contains(&row.ballot.pk));
    report.require(Check::V10, !counted, "作废的纸质票计入了结果");
    let issued = length(&close.issued_a).min(length(&close.issued_b));
    let most = (issued + length(&slips.keys)).saturating_sub(length(&close.voided.keys));
    let ballots = u64::try_from(log.rows().count()).unwrap_or(u64::MAX);
    report.require(Check::V10, ballots <= most, "选票比发出的资格多");
}

/// V11: of every tag one envelope counts, and none is lost on the way.
pub(super) fn check_box(bundle: &Bundle, log: &Log, report: &mut Report) {
    let close = &bundle.close;
    let mut envelopes = BTreeSet::new();
    for leaf in log.box_leaves() {
        let Leaf::Box { tag, seq, h } = leaf else { continue };
        if !envelopes.insert(*h) {
            report.fail(Check::V11, format!("信封{h}投递了两次：有人复制了别人的信封"));
        }
        report.require(Check::V11, *seq == 0 || !bundle.paper.has_tag(tag), "一张纸质票投了不止一次");
    }
    match winners(&log.leaves) {
        Err(tag) => report.fail(Check::V11, format!("标签{tag}有两次投递编号相同")),
        Ok(winners) => {
            let ballots = u64::try_from(log.rows().count()).unwrap_or(u64::MAX);
            report.require(Check::V11, close.ballots == ballots, "结束记录的选票数与日志不同");
            report.require(Check::V11, close.junk == length(&bundle.junk), "结束记录的无效信封数与清单不同");
            let others = length(&bundle.junk) + length(&close.unopenable) + length(&close.withheld);
            let standing = winners.keys().filter(|tag| !close.voided.tags.contains(tag)).count();
            let balanced = u64::try_from(standing).ok() == Some(ballots + others);
            report.require(Check::V11, balanced, "没有作废的标签数不等于选票数与其余信封数之和");
        }
    }
}

/// V12: the totals, and how much of the ballots is shown.
pub(super) fn check_totals(bundle: &Bundle, log: &Log, report: &mut Report) {
    let Some(rows) = &bundle.ballots else {
        report.not_checked.insert(Check::V12, "选票没有逐张公布，合计由审计人员核对");
        let told = u64::try_from(log.rows().count()).ok() == Some(bundle.totals.ballots);
        report.require(Check::V12, told, "合计里的选票数与日志不同");
        return;
    };
    let thresholds = Thresholds::from(&bundle.manifest);
    let tally = Tally::of(&bundle.manifest.questions, rows.iter().map(|row| &row.ballot.ans));
    let ballots = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let same = bundle.totals == totals(&tally, ballots, thresholds);
    report.require(Check::V12, same, "公布的合计与选票算出来的不同");
    let allowed = bundle.close.publication == publication(&tally, ballots, thresholds);
    report.require(Check::V12, allowed, "公布的范围不合规定");
}

/// V13: what was not counted was opened and is no ballot; what could not be opened is next to nothing.
pub(super) fn check_uncounted(bundle: &Bundle, log: &Log, keys: Option<&Keys>, report: &mut Report) {
    let close = &bundle.close;
    let Ok(winning) = winners(&log.leaves) else {
        report.not_checked.insert(Check::V13, "票箱本身有错，看不出哪些信封该计");
        return;
    };
    let mut left_out = BTreeSet::new();
    for junk in &bundle.junk {
        let hash = sha256(&[junk.env.as_slice()]);
        let wins = winning.get(&junk.tag).is_some_and(|winner| winner.seq == junk.seq && winner.envelope == hash);
        let stands = !close.voided.tags.contains(&junk.tag);
        report.require(Check::V13, wins && stands && left_out.insert(junk.tag), "无效清单里有不该打开的信封");
        match (open_with_file_key(junk.key, junk.env.as_slice()), keys) {
            (Err(_), _) => report.fail(Check::V13, format!("信封{hash}用公布的钥匙打不开")),
            (Ok(opened), Some(keys)) if ballot_in(&opened, &bundle.manifest, keys).is_some() => {
                report.fail(Check::V13, format!("信封{hash}其实是有效选票"));
            }
            _ => {}
        }
    }
    let envelopes: BTreeSet<Hex<32>> = winning.values().map(|winner| winner.envelope).collect();
    let listed = [close.unopenable.clone(), close.withheld.clone()].concat();
    let known = listed.iter().all(|hash| envelopes.contains(hash));
    report.require(Check::V13, known, "打不开的清单里有不在票箱里的信封");
    let repeated = BTreeSet::from_iter(&listed).len() != listed.len();
    report.require(Check::V13, !repeated, "打不开的清单里有重复");
    if !listed.is_empty() {
        report.notices.push(format!(
            "有{}个信封打不开，{}个信封装着已经计过的选票而没有打开。没有人能替它们的主人核对，请主人自己核对。",
            close.unopenable.len(),
            close.withheld.len()
        ));
        let few = listed.len().saturating_mul(100) <= winning.len();
        report.require(Check::V13, few, "没有打开的信封超过百分之一，结果有争议");
    }
}
