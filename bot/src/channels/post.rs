//! What is posted into a group, before it is written in a platform's way.

use super::template_card::TemplateCard;

/// A post. Not every platform takes every kind; what it does not take is refused without asking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Post {
    /// Plain words; `mentioned` are the platform's own user ids, `@all` is everybody.
    Text {
        content: String,
        mentioned: Vec<String>,
    },
    /// WeCom's markdown: bold, quotes, links, `<font color="info|comment|warning">`.
    Markdown(String),
    /// Tables, lists and pictures, but no colours and no mentions. Old clients show it as plain text.
    RichMarkdown(String),
    /// JPEG or PNG.
    Image {
        bytes: Vec<u8>,
    },
    File {
        name: String,
        bytes: Vec<u8>,
    },
    Card(TemplateCard),
}

/// The words of WeCom's markdown without its markup: what a platform without it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span {
    Words(String),
    Link { words: String, address: String },
}

/// A line of markdown as words and links.
pub(super) fn spans(line: &str) -> Vec<Span> {
    let line = line.strip_prefix('>').map_or(line, str::trim_start);
    let mut spans = Vec::new();
    let mut words = String::new();
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**").or_else(|| rest.strip_prefix("</font>")) {
            rest = after;
        } else if let Some((_, after)) = rest.strip_prefix("<font ").and_then(|tag| tag.split_once('>')) {
            rest = after;
        } else if let Some((text, address, after)) = link(rest) {
            if !words.is_empty() {
                spans.push(Span::Words(std::mem::take(&mut words)));
            }
            spans.push(Span::Link { words: text.to_owned(), address: address.to_owned() });
            rest = after;
        } else {
            words.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    if !words.is_empty() {
        spans.push(Span::Words(words));
    }
    spans
}

fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (words, after) = text.strip_prefix('[')?.split_once("](")?;
    let (address, after) = after.split_once(')')?;
    let web = address.starts_with("https://") || address.starts_with("http://");
    (web && !words.contains(['[', '\n'])).then_some((words, address, after))
}

/// The words of a text's first line: its heading where the platform has headings.
pub(super) fn heading(markdown: &str) -> String {
    let words = |span| match span {
        Span::Words(words) | Span::Link { words, .. } => words,
    };
    spans(markdown.lines().next().unwrap_or_default()).into_iter().map(words).collect()
}

/// A text without any markup, to be copied by a person: addresses stand after their words.
pub(crate) fn plain_words(markdown: &str) -> String {
    let words = |span| match span {
        Span::Words(words) => words,
        Span::Link { words, address } => format!("{words}：{address}"),
    };
    let line = |line: &str| spans(line).into_iter().map(words).collect::<String>();
    markdown.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What a text says: the words of its links, not their addresses. An id in an address can look like somebody's number.
pub(crate) fn words_alone(markdown: &str) -> String {
    let words = |span| match span {
        Span::Words(words) | Span::Link { words, .. } => words,
    };
    let line = |line: &str| spans(line).into_iter().map(words).collect::<String>();
    markdown.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Where the first link of a text leads.
pub(crate) fn first_link(markdown: &str) -> Option<String> {
    markdown.lines().flat_map(spans).find_map(|span| match span {
        Span::Link { address, .. } => Some(address),
        Span::Words(_) => None,
    })
}

/// Markdown without colours, for platforms that have other ones.
pub(super) fn without_colours(markdown: &str) -> String {
    let mut plain = String::new();
    let mut rest = markdown;
    while let Some(start) = rest.find("<font ").into_iter().chain(rest.find("</font>")).min() {
        plain.push_str(&rest[..start]);
        rest = rest[start..].split_once('>').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_words_and_links() {
        let words = |text: &str| Span::Words(text.into());
        assert_eq!(
            spans("> 路灯**三**盏，<font color=\"warning\">已超期</font>。[查看](https://example.org/a)吧"),
            [
                words("路灯三盏，已超期。"),
                Span::Link { words: "查看".into(), address: "https://example.org/a".into() },
                words("吧")
            ]
        );
        let post = "**路灯**\n> 三盏\n[查看](https://example.org/a)";
        assert_eq!(plain_words(post), "路灯\n三盏\n查看：https://example.org/a");
        assert_eq!(words_alone(post), "路灯\n三盏\n查看");
        assert_eq!(first_link(post).as_deref(), Some("https://example.org/a"));
        assert_eq!(first_link("没有"), None);
        assert_eq!(spans("[x](javascript:alert(1)) [未完"), [words("[x](javascript:alert(1)) [未完")]);
        assert_eq!(without_colours("甲<font color=\"info\">乙</font>丙<b>"), "甲乙丙<b>");
    }
}
