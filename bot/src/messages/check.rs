//! What a township's own wording has to be before a second person reads it. Every rule is about the text and what can stand
//! in its gaps, never about one message.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use qingfeng_core::publication::{Finding, FindingKind, lint};

use super::{
    catalogue::Kind,
    facts::{self, Fact, Occasion},
    length::units,
    scan::{Scanned, Tag, Token, scan},
    template::{Surface, TemplateFault, around_names, render},
};
use crate::channels::{LONGEST_GROUP_TEXT, LONGEST_MARKDOWN, LONGEST_THING, plain_words};

/// Longest template, in bytes: a post of the longest kind with all its gaps is shorter.
pub const LONGEST_TEMPLATE: usize = 8 * 1024;
/// Fewest UTF-16 units that a name keeps in a card's line.
const SHORTEST_NAME: usize = 4;
/// An address of ours as long as they get.
const PUBLIC_URL: &str = "https://a-rather-long-name-of-a-county.gov.example";
/// Tags that decide.
const DECIDING: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];
/// Words between names.
const BETWEEN: [&str; 7] = ["and", "or", "not", "in", "if", "true", "false"];
const NO_ADDRESSES: &str = "不能自己写网址：要链接请写“[文字]({{ 链接 }})”。";
/// Colours of WeCom's markdown.
const COLOURS: [&str; 3] = ["info", "comment", "warning"];

/// Everything that is wrong with a text of this kind, in the order of the text.
///
/// # Errors
/// The faults, at least one.
pub fn check(kind: &Kind, text: &str, today: NaiveDate) -> Result<(), Vec<TemplateFault>> {
    if text.trim().is_empty() {
        return Err(vec![TemplateFault::of_the_whole("请写上内容；要用回平常的用语，请点“用回平常的用语”。")]);
    }
    if text.len() > LONGEST_TEMPLATE {
        return Err(vec![TemplateFault::of_the_whole(format!("太长了，最多{LONGEST_TEMPLATE}字节。"))]);
    }
    if let Some((at, _)) = text.char_indices().find(|(_, letter)| is_unseen(*letter)) {
        return Err(vec![TemplateFault::at(text, at, "这里有看不见的字符，请删去。")]);
    }
    let scanned = scan(text).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    words_of_tags(kind, text, &scanned, &mut faults);
    must_tell(kind, &scanned, &mut faults);
    addresses(text, &mut faults);
    if kind.is_post() {
        markup(text, &scanned, &mut faults);
    } else if text.trim().contains('\n') {
        faults.push(TemplateFault::of_the_whole("卡片上只有一行，请不要换行。"));
    }
    if faults.is_empty() {
        faults.extend(at_the_edges(kind, text, today).err());
    }
    // Pieces that no address is in can make one.
    if faults.is_empty() && lines(kind, text, today).iter().any(|line| address_in(line).is_some()) {
        faults.push(TemplateFault::of_the_whole(NO_ADDRESSES));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn surface(kind: &Kind) -> Surface {
    if kind.is_post() { Surface::Post } else { Surface::Card }
}

/// Control characters but for line ends, and what turns the direction of writing around.
fn is_unseen(letter: char) -> bool {
    (letter.is_control() && letter != '\n')
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Only facts, loop variables, filters and tags that there are.
fn words_of_tags(kind: &Kind, text: &str, scanned: &Scanned<'_>, faults: &mut Vec<TemplateFault>) {
    let known: Vec<&Fact> = kind.facts().collect();
    let entries: Vec<&str> = known.iter().flat_map(|fact| fact.entries()).map(|fact| fact.name).collect();
    let filters = surface(kind).filters();
    let mut loops: Vec<&str> = Vec::new();
    for Tag { decides, tokens } in &scanned.tags {
        let mut add = |token: &Token<'_>, sentence: String| faults.push(TemplateFault::at(text, token.at, sentence));
        let tokens = match (decides, &tokens[..]) {
            (false, tokens) => tokens,
            (true, [first, rest @ ..]) if DECIDING.contains(&first.word) => {
                if let ("for", [variable, ..]) = (first.word, rest) {
                    loops.push(variable.word);
                }
                rest
            }
            (true, tokens) => {
                add(&tokens[0], format!("“{{%”后面只能写：{}。", DECIDING.join("、")));
                continue;
            }
        };
        for (place, token) in tokens.iter().enumerate() {
            let before = place.checked_sub(1).map(|before| tokens[before].word);
            match (before, token.word) {
                (Some("|"), word) if !filters.contains(&word) => {
                    add(token, format!("“|”后面只能写：{}。", filters.join("、")));
                }
                (Some("|"), _) => {}
                (Some("."), word) if !entries.contains(&word) => {
                    add(token, format!("没有“{word}”这一项。可以写：{}。", entries.join("、")));
                }
                (Some("."), _) => {}
                (before, "(") if !before.is_some_and(|word| filters.contains(&word)) => {
                    add(token, "括号只能写在“缩短”后面，如“缩短(12)”。".into());
                }
                (_, word) if token.is_name() => {
                    let is_known =
                        known.iter().any(|fact| fact.name == word) || loops.contains(&word) || BETWEEN.contains(&word);
                    if !is_known {
                        let names: Vec<_> = known.iter().map(|fact| fact.name).collect();
                        add(token, format!("没有“{word}”这一项。可以写：{}。", names.join("、")));
                    }
                }
                _ => {}
            }
        }
    }
}

/// The deadline, the link and whatever else the kind may not be without.
fn must_tell(kind: &Kind, scanned: &Scanned<'_>, faults: &mut Vec<TemplateFault>) {
    let told: Vec<&Fact> =
        scanned.tags.iter().flat_map(|tag| &tag.tokens).filter_map(|token| facts::named(token.word)).collect();
    for name in kind.must_tell() {
        let Some(fact) = facts::named(name) else { continue };
        if !told.iter().any(|other| fact.tells_the_same(other)) {
            faults.push(TemplateFault::of_the_whole(format!("要写上“{name}”：{}。", fact.meaning)));
        }
    }
}

/// Links lead to our own pages only, through the fact that is one.
fn addresses(text: &str, faults: &mut Vec<TemplateFault>) {
    if let Some(at) = address_in(text) {
        faults.push(TemplateFault::at(text, at, NO_ADDRESSES));
    }
}

/// Where an address is written, in bytes.
fn address_in(text: &str) -> Option<usize> {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let is_dotted = |place: usize| {
        let near = |place: Option<usize>| place.and_then(|place| letters.get(place)).map(|(_, letter)| *letter);
        letters[place].1 == '.'
            && near(place.checked_sub(1)).is_some_and(|letter| letter.is_ascii_alphanumeric())
            && near(place.checked_add(1)).is_some_and(|letter| letter.is_ascii_alphabetic())
    };
    let dotted = (0..letters.len()).find(|place| is_dotted(*place)).map(|place| letters[place].0);
    [text.find("://"), text.to_ascii_lowercase().find("www."), dotted].into_iter().flatten().min()
}

/// The lines that a text can become: read through its choices, and written with facts at their edges that say nothing. What
/// choices hold apart stands together here as in a message.
fn lines(kind: &Kind, text: &str, today: NaiveDate) -> BTreeSet<String> {
    let of = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let mut lines: BTreeSet<String> =
        scan(text).map(|scanned| of(&scanned.read_through)).into_iter().flatten().collect();
    let known: Vec<&Fact> = kind.facts().collect();
    let surface = surface(kind);
    // Without an address of ours, so that any that is found is not.
    let occasion = Occasion { public_url: "", today };
    for facts in facts::edges(&known, today) {
        let values = facts::values(known.iter().copied(), &facts::blanked(facts), occasion, surface);
        // Where it cannot be written, that is told as a fault of its own.
        lines.extend(render(text, &values, surface, today).map(|rendered| of(&rendered)).into_iter().flatten());
    }
    lines
}

/// Bold, colours and links are whole within their line.
fn markup(text: &str, scanned: &Scanned<'_>, faults: &mut Vec<TemplateFault>) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut add = |sentence: &str| faults.push(TemplateFault::at(text, start, sentence));
        if line.matches("**").count() % 2 == 1 {
            add("这一行的“**”不成对。");
        }
        if line.matches("<font").count() != line.matches("</font>").count() {
            add("这一行的“<font>”和“</font>”不成对。");
        }
        if line.matches('[').count() != line.matches("](").count() {
            add("这一行的链接写得不对，应是“[文字]({{ 链接 }})”。");
        }
        if line.split("](").skip(1).any(|after| !after.trim_start().starts_with("{{")) {
            add("链接的网址只能写“{{ 链接 }}”。");
        }
        start += line.len();
    }
    let mut rest = scanned.own_words.as_str();
    while let Some((_, after)) = rest.split_once('<') {
        let tag = after.split_once('>').map_or(after, |(tag, _)| tag);
        let is_ours = tag == "/font" || COLOURS.iter().any(|colour| tag == format!("font color=\"{colour}\""));
        if !is_ours {
            let colours = COLOURS.map(|colour| format!("<font color=\"{colour}\">")).join("、");
            faults.push(TemplateFault::of_the_whole(format!("尖括号只能写{colours}和</font>。")));
            return;
        }
        rest = after;
    }
}

/// With facts as long as they get, and without those that may be missing, the text fits each platform, leads to the page it
/// has to lead to and says what it has to say.
fn at_the_edges(kind: &Kind, text: &str, today: NaiveDate) -> Result<(), TemplateFault> {
    let known: Vec<&Fact> = kind.facts().collect();
    let surface = surface(kind);
    let occasion = Occasion { public_url: PUBLIC_URL, today };
    let link = kind.must_tell().iter().filter_map(|name| facts::named(name)).find(|fact| fact.is_link());
    for facts in facts::edges(&known, today) {
        let values = facts::values(known.iter().copied(), &facts, occasion, surface);
        let rendered = render(text, &values, surface, today)?;
        let whole = |sentence: String| Err(TemplateFault::of_the_whole(sentence));
        if rendered.is_empty() {
            return whole("有的时候整条是空的，请检查if。".into());
        }
        if let Some(words) = kind.must_say().filter(|words| !rendered.contains(words)) {
            return whole(format!("每一种情况都要写上“{words}”，说清怎么办。"));
        }
        match surface {
            Surface::Post => {
                if link.is_some() && !rendered.contains(&format!("]({PUBLIC_URL}")) {
                    return whole("每一种情况都要有链接：“[文字]({{ 链接 }})”。".into());
                }
                if rendered.len() > LONGEST_MARKDOWN {
                    let most = format!("内容最长时有{}字节，群机器人一条最多{LONGEST_MARKDOWN}字节。", rendered.len());
                    return whole(format!("{most}请少写一些，或用“缩短”。"));
                }
                let plain = plain_words(&rendered).len();
                if plain > LONGEST_GROUP_TEXT {
                    let most = format!("内容最长时有{plain}字节，客户群一条最多{LONGEST_GROUP_TEXT}字节。");
                    return whole(format!("{most}请少写一些，或用“缩短”。"));
                }
            }
            Surface::Card => {
                let (around, names) = around_names(text, &values, today)?;
                if around + names * SHORTEST_NAME > LONGEST_THING || units(&rendered) > LONGEST_THING {
                    let long = around + names * SHORTEST_NAME;
                    return whole(format!("卡片上一行最多{LONGEST_THING}个字，内容最长时要{long}个字，请写短一些。"));
                }
            }
        }
    }
    Ok(())
}

/// What the words of a template itself — not its facts — may not say: numbers and names of people would stand in every
/// message. `names` are those of the township's residents and staff.
#[must_use]
pub fn private_words(kind: &Kind, text: &str, names: &[String], today: NaiveDate) -> Vec<Finding> {
    let forbidden = |finding: &Finding| matches!(finding.kind, FindingKind::PrivateNumber | FindingKind::ResidentName);
    lint(&own_words(kind, text, today), names.iter().map(String::as_str)).into_iter().filter(forbidden).collect()
}

/// What the second person should look at in a template's own words.
#[must_use]
pub fn findings(kind: &Kind, text: &str, today: NaiveDate) -> Vec<Finding> {
    lint(&own_words(kind, text, today), std::iter::empty())
}

/// As they stand there, and as they can come together. Also where the template cannot be read: then all of it.
fn own_words(kind: &Kind, text: &str, today: NaiveDate) -> String {
    let mut words = scan(text).map_or_else(|_| text.to_owned(), |scanned| scanned.own_words);
    for line in lines(kind, text, today) {
        // Neither a name nor a number goes on over it.
        words.push_str("\n。\n");
        words.push_str(&line);
    }
    words
}
