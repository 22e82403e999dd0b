//! Long texts in numbered parts: cut at line ends, and where a line alone is too long between characters.

/// Room for "(12/34)" and a line end.
const NUMBER: usize = 16;

/// The parts of a text, each at most `longest` by the platform's measure (bytes, or bytes once it is JSON). The measure of
/// two texts together is the sum of both.
pub(super) fn parts(text: &str, longest: usize, measure: fn(&str) -> usize) -> Vec<String> {
    if measure(text) <= longest {
        return vec![text.to_owned()];
    }
    let room = longest - NUMBER;
    let mut parts = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        loop {
            let current = parts.last_mut().expect("there is always a part");
            if measure(current) + measure(rest) <= room {
                current.push_str(rest);
                break;
            }
            if current.is_empty() {
                let cut = longest_start(rest, room, measure);
                current.push_str(&rest[..cut]);
                rest = &rest[cut..];
            }
            parts.push(String::new());
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    let count = parts.len();
    parts.iter().enumerate().map(|(number, part)| format!("({}/{count})\n{}", number + 1, part.trim_end())).collect()
}

/// Where the longest beginning ends that fits: never inside a character, nor inside a link or a coloured passage when
/// those leave a beginning at all.
fn longest_start(text: &str, room: usize, measure: fn(&str) -> usize) -> usize {
    let mut used = 0;
    let mut end = 0;
    for (at, letter) in text.char_indices() {
        used += measure(&text[at..at + letter.len_utf8()]);
        if used > room {
            break;
        }
        end = at + letter.len_utf8();
    }
    let open = [("[", ")"), ("<font", "</font>"), ("**", "**")].into_iter().filter_map(|(opens, closes)| {
        // The cut may fall into the opening mark itself.
        let seen = (end..end + opens.len()).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(end);
        let begins = text[..seen].rfind(opens).filter(|begins| *begins > 0 && *begins < end)?;
        let after = begins + opens.len();
        let whole = after + text[after..].find(closes)? + closes.len();
        // An odd number of bold marks before this one means that it closes.
        let closes_one = opens == closes && text[..begins].matches(opens).count() % 2 == 1;
        (whole > end && !closes_one).then_some(begins)
    });
    open.min().unwrap_or(end)
}

/// Bytes of a text inside a JSON string.
pub(super) fn json_bytes(text: &str) -> usize {
    text.chars()
        .map(|letter| match letter {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\u{0}'..='\u{1f}' => 6,
            other => other.len_utf8(),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: usize = 4096;

    #[test]
    fn a_long_text_is_cut_at_line_ends_and_never_inside_a_character() {
        let text = "整改进展，今日完成路灯更换。\n".repeat(300) + &"长".repeat(3000);
        let parts = parts(&text, LONGEST, str::len);
        assert!(parts.len() > 3);
        assert!(parts.iter().all(|part| part.len() <= LONGEST));
        let together: String = parts.iter().flat_map(|part| part.lines().skip(1)).collect();
        assert_eq!(together, text.replace('\n', ""));
    }

    #[test]
    fn a_text_of_just_the_limit_is_one_part_and_one_byte_more_is_two() {
        let text = "中".repeat(1365) + "a";
        assert_eq!(text.len(), LONGEST);
        assert_eq!(parts(&text, LONGEST, str::len), [text.as_str()]);
        assert_eq!(parts(&(text + "b"), LONGEST, str::len).len(), 2);
    }

    #[test]
    fn a_link_and_a_coloured_passage_stay_whole() {
        for passage in
            ["[查看公示](https://example.org/board?id=7)", "<font color=\"warning\">已超期三天</font>", "**要紧**"]
        {
            for before in 60..110 {
                let text = "长".repeat(before / 3) + passage + &"短".repeat(60);
                let parts = parts(&text, 128, str::len);
                assert!(parts.len() > 1 && parts.iter().all(|part| part.len() <= 128));
                assert_eq!(parts.iter().filter(|part| part.contains(passage)).count(), 1, "{before} {parts:?}");
            }
        }
    }

    #[test]
    fn the_measure_is_the_one_of_the_json() {
        for text in ["清风\n\"引\"\\", "\u{1}\t😀", ""] {
            assert_eq!(json_bytes(text), serde_json::to_string(text).unwrap().len() - 2, "{text:?}");
        }
        let quoted = "\"引\"\n".repeat(200);
        assert!(parts(&quoted, 300, json_bytes).iter().all(|part| json_bytes(part) <= 300));
    }
}
