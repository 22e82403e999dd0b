//! Posts about anonymous surveys. What protects the answer is said with what does not, in the words of the level; nobody's
//! taking part can be told from a post or from its absence.

use serde_json::Value;

use super::{NAME, PARAGRAPH, TITLE, date, day, number, plain, text};

/// Ballot boxes and rows that a post names; the rest is on the page.
const MOST_LINES: usize = 5;

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
fn boxes(facts: &Value, code: &str) -> Vec<String> {
    let own = text(facts, code);
    if !own.is_empty() {
        return vec![format!("> {}", plain(own, PARAGRAPH))];
    }
    let boxes = list(facts, "boxes");
    let line = |one: &Value| format!("> {}：{}", plain(text(one, "title"), NAME), plain(text(one, code), NAME));
    let mut lines: Vec<_> = boxes.iter().take(MOST_LINES).map(line).collect();
    if boxes.len() > MOST_LINES {
        lines.push(format!("> 另有{}个票箱，见页面", boxes.len() - MOST_LINES));
    }
    lines
}

pub(super) fn opened(facts: &Value, public_url: &str) -> String {
    // With one operator for both halves (level 1) the promise is a promise, and is called one.
    let protects = if number(facts, "protects_level") < 2 {
        "运行单位承诺不看谁选了什么；两把钥匙都在一家手里，技术上做得到"
    } else {
        "您选了什么，镇里、县里单独哪一家都查不到您；两家串通才有可能"
    };
    let mut lines = vec![
        format!("**背靠背测评：{}**", plain(text(facts, "title"), TITLE)),
        format!(
            "{}的乡亲：{}前请在小程序“背靠背测评”里参加，可以不参加。没有手机的找村里抽纸票。",
            plain(text(facts, "village"), NAME),
            last_day(facts)
        ),
        format!("> {protects}。"),
        "> 镇里知道谁领过票，不知道选了什么。答的时候不要让人在旁边看。".into(),
        "请核对编号与村里张贴的一致：".into(),
    ];
    lines.extend(boxes(facts, "poster_code"));
    lines.push(format!("不要在群里说自己怎么选。[去参加]({})", page(public_url, facts)));
    lines.join("\n")
}

pub(super) fn fingerprint(facts: &Value, public_url: &str) -> String {
    let mut lines = vec![format!("**票箱指纹：{}**", plain(text(facts, "title"), TITLE))];
    lines.extend(boxes(facts, "fingerprint"));
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
        lines.extend(rows.iter().take(MOST_LINES).map(row));
        if rows.is_empty() {
            lines.push("参加的人较少，为保护大家不公布结果。谢谢参加。".into());
        } else if rows.len() > MOST_LINES {
            lines.push(format!("> 另有{}项，见页面", rows.len() - MOST_LINES));
        }
    }
    if let Some(ballots) = ballots {
        lines.push(format!("共计入{ballots}张票。"));
    }
    lines.extend(boxes(facts, "fingerprint"));
    lines.push(format!(
        "在小程序里能核对自己那张票在不在箱里；谁都可以核对全部计票。[怎么核对]({})",
        page(public_url, facts)
    ));
    lines.join("\n")
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
