//! Where a template's tags are and which words stand in them: what a township writes is read before the engine sees it, so
//! that everything it may use is on a list.

use super::template::TemplateFault;

/// What stands between `{{` and `}}`, or `{%` and `%}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    /// `{% … %}`, which decides, and writes nothing.
    pub(super) decides: bool,
    pub(super) tokens: Vec<Token<'t>>,
}

/// A name, a number or a sign, and where it begins in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) word: &'t str,
    pub(super) at: usize,
}

impl Token<'_> {
    pub(super) fn is_name(&self) -> bool {
        self.word.starts_with(is_letter) && !self.word.starts_with(|letter: char| letter.is_ascii_digit())
    }
}

fn is_letter(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

/// A template taken apart: its tags, and its own words with a line end in the place of each tag.
#[derive(Debug)]
pub(super) struct Scanned<'t> {
    pub(super) tags: Vec<Tag<'t>>,
    pub(super) own_words: String,
    /// The same with nothing in the place of a tag that decides: what it holds apart can stand together in a message.
    pub(super) read_through: String,
}

const SIGNS: [&str; 11] = ["==", "!=", "<=", ">=", "<", ">", "|", ".", ",", "(", ")"];

/// # Errors
/// The first place that is no tag of ours.
pub(super) fn scan(text: &str) -> Result<Scanned<'_>, TemplateFault> {
    let mut scanned = Scanned { tags: Vec::new(), own_words: String::new(), read_through: String::new() };
    let mut rest = 0;
    loop {
        let Some(start) = ["{{", "{%", "{#"].iter().filter_map(|mark| text[rest..].find(mark)).min() else {
            scanned.own_words.push_str(&text[rest..]);
            scanned.read_through.push_str(&text[rest..]);
            return Ok(scanned);
        };
        let start = rest + start;
        scanned.own_words.push_str(&text[rest..start]);
        scanned.own_words.push('\n');
        scanned.read_through.push_str(&text[rest..start]);
        let inside = start + 2;
        let (decides, closes) = match &text[start..inside] {
            "{{" => (false, "}}"),
            "{%" => (true, "%}"),
            _ => return Err(TemplateFault::at(text, start, "不能写注释（{# #}），请删去。")),
        };
        let Some(length) = text[inside..].find(closes) else {
            return Err(TemplateFault::at(text, start, format!("这里开了头，后面没有找到“{closes}”。")));
        };
        if !decides {
            scanned.read_through.push('\n');
        }
        scanned.tags.push(Tag { decides, tokens: tokens(text, inside, inside + length)? });
        rest = inside + length + closes.len();
    }
}

fn tokens(text: &str, from: usize, to: usize) -> Result<Vec<Token<'_>>, TemplateFault> {
    let mut tokens = Vec::new();
    let mut at = from;
    while let Some(letter) = text[at..to].chars().next() {
        let rest = &text[at..to];
        let length = if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        } else if is_letter(letter) {
            rest.find(|letter| !is_letter(letter)).unwrap_or(rest.len())
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            sign.len()
        } else {
            return Err(TemplateFault::at(text, at, format!("花括号里不能用“{letter}”。")));
        };
        tokens.push(Token { word: &rest[..length], at });
        at += length;
    }
    if tokens.is_empty() {
        return Err(TemplateFault::at(text, from, "花括号里是空的。"));
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<&str>> {
        let tags = scan(text).unwrap().tags;
        tags.iter().map(|tag| tag.tokens.iter().map(|token| token.word).collect()).collect()
    }

    #[test]
    fn tags_are_told_from_words() {
        let text = "还有{{ 剩余天数 }}天{% if 期限|日期 >= 3 %}，{{项.标题|缩短(12)}}{% endif %}。";
        assert_eq!(
            words(text),
            [
                vec!["剩余天数"],
                vec!["if", "期限", "|", "日期", ">=", "3"],
                vec!["项", ".", "标题", "|", "缩短", "(", "12", ")"],
                vec!["endif"],
            ]
        );
        let scanned = scan(text).unwrap();
        assert_eq!(scanned.own_words, "还有\n天\n，\n\n。");
        assert_eq!(scanned.read_through, "还有\n天，\n。");
    }

    #[test]
    fn what_is_no_tag_is_told_with_its_place() {
        for (text, line, column) in [
            ("您好\n还有{{ 剩余天数", 2, 3),
            ("{# 注释 #}", 1, 1),
            ("好{{ a['b'] }}", 1, 6),
            ("{{ 1 * 2 }}", 1, 6),
            ("😀{{ }}", 1, 4),
        ] {
            let fault = scan(text).unwrap_err();
            assert_eq!((fault.line, fault.column), (line, column), "{text} {fault:?}");
        }
    }
}
