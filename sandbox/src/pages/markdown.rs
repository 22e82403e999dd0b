//! The markdown that WeCom shows in a group. Everything is escaped first; only what is known here becomes markup.

use super::layout::escape;

/// A markdown message as HTML.
pub(super) fn render(text: &str) -> String {
    let mut html = String::new();
    for line in text.lines() {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if (1..=6).contains(&level) && line[level..].starts_with(' ') {
            html.push_str(&format!("<p class=\"heading h{level}\">{}</p>", inline(&escape(line[level..].trim()))));
        } else if let Some(quoted) = line.strip_prefix('>') {
            html.push_str(&format!("<blockquote>{}</blockquote>", inline(&escape(quoted.trim_start()))));
        } else if let Some(item) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
            html.push_str(&format!("<p class=\"item\">{}</p>", inline(&escape(item))));
        } else if line.trim().is_empty() {
            html.push_str("<p class=\"gap\"></p>");
        } else {
            html.push_str(&format!("<p>{}</p>", inline(&escape(line))));
        }
    }
    html
}

/// A text message as HTML: lines and addresses.
pub(super) fn plain(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        html.push_str(&escape(&rest[..start]));
        let address = &rest[start..];
        let end = address
            .find(|character: char| !character.is_ascii_graphic() || "<>\"'`".contains(character))
            .unwrap_or(address.len());
        html.push_str(&link(&escape(&address[..end]), &escape(&address[..end])));
        rest = &address[end..];
    }
    html.push_str(&escape(rest));
    html.replace('\n', "<br>")
}

fn link(address: &str, text: &str) -> String {
    format!("<a href=\"{address}\" target=\"_blank\" rel=\"noopener noreferrer\">{text}</a>")
}

const COLOURS: [(&str, &str); 3] = [
    ("&lt;font color=&quot;info&quot;&gt;", "info"),
    ("&lt;font color=&quot;comment&quot;&gt;", "comment"),
    ("&lt;font color=&quot;warning&quot;&gt;", "warning"),
];

/// Markup within a line of escaped text. Every opened element is closed again, inner ones first.
fn inline(escaped: &str) -> String {
    let mut html = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = escaped;
    while let Some(character) = rest.chars().next() {
        if let Some((code, after)) = rest.strip_prefix('`').and_then(|inner| inner.split_once('`')) {
            html.push_str(&format!("<code>{code}</code>"));
            rest = after;
        } else if let Some((address, text, after)) = link_parts(rest) {
            html.push_str(&link(address, text));
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix("&lt;@").and_then(|inner| inner.split_once("&gt;")) {
            html.push_str(&format!("<span class=\"mention\">@{name}</span>"));
            rest = after;
        } else if let Some((colour, after)) =
            COLOURS.iter().find_map(|(tag, colour)| Some((colour, rest.strip_prefix(tag)?)))
        {
            html.push_str(&format!("<span class=\"{colour}\">"));
            open.push("span");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("&lt;/font&gt;").filter(|_| open.contains(&"span")) {
            close(&mut html, &mut open, "span");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            if open.contains(&"strong") {
                close(&mut html, &mut open, "strong");
            } else if after.contains("**") {
                html.push_str("<strong>");
                open.push("strong");
            } else {
                html.push_str("**");
            }
            rest = after;
        } else {
            html.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    while let Some(element) = open.pop() {
        html.push_str(&format!("</{element}>"));
    }
    html
}

fn close(html: &mut String, open: &mut Vec<&str>, element: &str) {
    while let Some(inner) = open.pop() {
        html.push_str(&format!("</{inner}>"));
        if inner == element {
            break;
        }
    }
}

/// `[text](address)` at the start, for web addresses only.
fn link_parts(rest: &str) -> Option<(&str, &str, &str)> {
    let (text, after) = rest.strip_prefix('[')?.split_once("](")?;
    let (address, after) = after.split_once(')')?;
    let web = address.starts_with("https://") || address.starts_with("http://");
    (web && !text.contains('[') && !address.contains(char::is_whitespace)).then_some((address, text, after))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("# 通报", "<p class=\"heading h1\">通报</p>")]
    #[case("**三**项", "<p><strong>三</strong>项</p>")]
    #[case("**三项", "<p>**三项</p>")]
    #[case("> 引用", "<blockquote>引用</blockquote>")]
    #[case("<font color=\"warning\">逾期</font>", "<p><span class=\"warning\">逾期</span></p>")]
    #[case("<font color=\"info\">**办结**", "<p><span class=\"info\"><strong>办结</strong></span></p>")]
    #[case("<font color=\"info\">**办</font>结**", "<p><span class=\"info\"><strong>办</strong></span>结**</p>")]
    #[case("<@village1>", "<p><span class=\"mention\">@village1</span></p>")]
    #[case("`a<b`", "<p><code>a&lt;b</code></p>")]
    #[case(
        "[公示](https://example.org/?a=1&b=2)",
        "<p><a href=\"https://example.org/?a=1&amp;b=2\" target=\"_blank\" rel=\"noopener noreferrer\">公示</a></p>"
    )]
    #[case("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>")]
    #[case("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>")]
    #[case("<font color=\"x\" onclick=\"y\">", "<p>&lt;font color=&quot;x&quot; onclick=&quot;y&quot;&gt;</p>")]
    fn only_known_markup_is_rendered(#[case] text: &str, #[case] html: &str) {
        assert_eq!(render(text), html);
    }

    #[test]
    fn an_address_in_a_text_ends_before_chinese() {
        assert_eq!(
            plain("见http://example.org/a\"。\n完"),
            "见<a href=\"http://example.org/a\" target=\"_blank\" rel=\"noopener noreferrer\">http://example.org/a</a>&quot;。<br>完"
        );
    }
}
