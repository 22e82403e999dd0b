//! Posts about anonymous surveys. What protects the answer is said with what does not, in the words of the level; nobody's
//! taking part can be told from a post or from its absence.

use serde_json::Value;

use super::{NAME, PARAGRAPH, TITLE, date, day, number, plain, text};

/// Rows of a result that a post names; the rest is on the page.
const MOST_ROWS: usize = 5;
/// Ballot boxes that a post names: as many as the platform puts into one. Whoever keeps the post keeps each fingerprint.
const MOST_BOXES: usize = 20;
/// Beside a result: what was in the boxes was told when they were shut.
const MOST_BOXES_OF_A_RESULT: usize = 10;

fn page(public_url: &str, facts: &Value) -> String {
    match text(facts, "link") {
        "" => format!("{public_url}/app/#/pages/sealed-surveys/list"),
        link => link.to_owned(),
    }
}

fn last_day(facts: &Value) -> String {
    date(facts, "closes_on").map_or_else(|| "截止日".into(), day)
}

fn list<'a>(facts: &'a Value, name: &str) -> &'a [Value] {
    facts.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What people compare: the manifest's code of the poster, or the fingerprint of the log. One of the post's own box, or one
/// for each of several.
fn boxes(facts: &Value, code: &str, most: usize) -> Vec<String> {
    let own = text(facts, code);
    if !own.is_empty() {
        return vec![format!("> {}", plain(own, PARAGRAPH))];
    }
    let boxes = list(facts, "boxes");
    let line = |one: &Value| format!("> {}：{}", plain(text(one, "title"), NAME), plain(text(one, code), NAME));
    let mut lines: Vec<_> = boxes.iter().take(most).map(line).collect();
    if boxes.len() > most {
        lines.push(format!("> 另有{}个票箱，见页面", boxes.len() - most));
    }
    lines
}

pub(super) fn opened(facts: &Value, public_url: &str) -> String {
    let is = |name: &str| facts.get(name) == Some(&Value::Bool(true));
    // With one operator for both halves (level 1) the promise is a promise, and is called one.
    let protects = if is("on_paper_alone") {
        "纸票上没有名字，谁拿了哪张没有人知道"
    } else if is("single_operator") {
        "运行单位承诺不看谁选了什么；两把钥匙都在一家手里，技术上做得到"
    } else {
        "您选了什么，镇里、县里单独哪一家都查不到您；两家串通才有可能"
    };
    let how = if is("on_paper_alone") {
        "前请到村里抽纸票参加，可以不参加。"
    } else if number(facts, "paper") > 0 {
        "前请在小程序“背靠背测评”里参加，可以不参加。没有手机的找村里抽纸票。"
    } else {
        "前请在小程序“背靠背测评”里参加，可以不参加。"
    };
    let mut lines = vec![
        format!("**背靠背测评：{}**", plain(text(facts, "title"), TITLE)),
        format!("{}的乡亲：{}{how}", plain(text(facts, "village"), NAME), last_day(facts)),
        format!("> {protects}。"),
    ];
    if !is("on_paper_alone") {
        lines.push("> 镇里知道谁领过票，不知道选了什么。答的时候不要让人在旁边看。".into());
    }
    lines.push("请核对这里的核对码与村里张贴的一致：".into());
    lines.extend(boxes(facts, "poster_code", MOST_BOXES));
    lines.push(format!("不要在群里说自己怎么选。[去参加]({})", page(public_url, facts)));
    lines.join("\n")
}

pub(super) fn fingerprint(facts: &Value, public_url: &str) -> String {
    let mut lines = vec![format!("**票箱指纹：{}**", plain(text(facts, "title"), TITLE))];
    lines.extend(boxes(facts, "fingerprint", MOST_BOXES));
    lines.push(format!("请留着这条消息：箱里的票少了、换了，指纹就对不上。[怎么核对]({})", page(public_url, facts)));
    lines.join("\n")
}

/// To everybody on the roll, whoever has taken part: getting it or not says nothing.
pub(super) fn reminder(facts: &Value, public_url: &str) -> String {
    format!(
        "**背靠背测评快截止了：{}**\n{}截止。这条消息发给名单上的每一个人，不看谁参加了没有；如已参加请忽略，也可以不参加。\n[去参加]({})",
        plain(text(facts, "title"), TITLE),
        last_day(facts),
        page(public_url, facts)
    )
}

/// Why it ended, and that nobody's answer was looked at.
pub(super) fn cancelled(facts: &Value) -> String {
    format!(
        "**背靠背测评取消：{}**\n> 原因：{}\n票箱没有打开，今后也不会打开：信封和领票记录都已销毁，谁选了什么没有人看过。给您添麻烦了。",
        plain(text(facts, "title"), TITLE),
        plain(text(facts, "reason"), PARAGRAPH),
    )
}

/// The result where it is public; of an organizational evaluation only that it is over, and how to check the count.
pub(super) fn published(facts: &Value, public_url: &str) -> String {
    let title = plain(text(facts, "title"), TITLE);
    let mut lines = Vec::new();
    let ballots = facts.get("ballots").and_then(Value::as_u64);
    if text(facts, "purpose") == "organizational" {
        lines.push(format!("**背靠背测评结束：{title}**"));
        lines.push("结果报党组织研究，不在群里公布。谢谢参加。".into());
    } else {
        lines.push(format!("**测评结果：{title}**"));
        let rows = list(facts, "rows");
        lines.extend(rows.iter().take(MOST_ROWS).map(row));
        if rows.is_empty() {
            lines.push("参加的人较少，为保护大家不公布结果。谢谢参加。".into());
        } else if rows.len() > MOST_ROWS {
            lines.push(format!("> 另有{}项，见页面", rows.len() - MOST_ROWS));
        }
    }
    if let Some(ballots) = ballots {
        lines.push(format!("共计入{ballots}张票。"));
    }
    lines.extend(boxes(facts, "fingerprint", MOST_BOXES_OF_A_RESULT));
    lines.push(format!("{}[怎么核对]({})", checkable(facts), page(public_url, facts)));
    lines.join("\n")
}

/// What can be checked, by whom: never more than is published.
fn checkable(facts: &Value) -> &'static str {
    match text(facts, "checkable") {
        "rows" => "在小程序里能核对自己那张票在不在箱里；谁都可以核对全部计票。",
        "totals" => "在小程序里能核对自己那张票在不在箱里；票少，逐张的内容不公开，由组织和监督方核对。",
        "own" => "在小程序里能核对自己那张票在不在箱里；全部计票由组织和监督方核对。",
        _ => "票箱没有打开，信封已经销毁；谁都可以核对票箱指纹。",
    }
}

fn row(row: &Value) -> String {
    let label = plain(text(row, "label"), NAME);
    let score = match text(row, "score") {
        "" => "不计分".into(),
        score => format!("{}分", plain(score, NAME)),
    };
    let rates: String = list(row, "rates")
        .iter()
        .take(2)
        .map(|rate| format!("，{}{}%", plain(text(rate, "label"), NAME), plain(text(rate, "per_cent"), NAME)))
        .collect();
    shortened(&format!("> {label}：{score}{rates}"))
}

fn shortened(line: &str) -> String {
    super::super::shorten(line, PARAGRAPH)
}
