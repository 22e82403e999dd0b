//! Shortening: never inside a character, never more than needed.

/// What stands for the rest.
const REST: char = '…';

/// At most so many UTF-16 units: how the platform counts emoji is not documented, and this is the cautious reading.
/// Line ends and the like become blanks.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let clean: String = text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if units(&clean) <= most {
        return clean;
    }
    let mut short = String::new();
    let mut room = most.saturating_sub(REST.len_utf16());
    for letter in clean.chars() {
        let Some(left) = room.checked_sub(letter.len_utf16()) else { break };
        room = left;
        short.push(letter);
    }
    short.truncate(short.trim_end().len());
    short.push(REST);
    short
}

/// At most so many bytes of UTF-8, never cut inside a character.
pub(crate) fn within_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(REST.len_utf8());
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{REST}", text[..end].trim_end())
}

/// The name is shortened, what stands around it is not.
pub(crate) fn around(before: &str, name: &str, after: &str, most: usize) -> String {
    let room = most.saturating_sub(units(before) + units(after));
    format!("{before}{}{after}", shorten(name, room))
}

pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_shortened_without_cutting_a_character() {
        assert_eq!(shorten("村口路灯坏了", 20), "村口路灯坏了");
        assert_eq!(shorten(&"长".repeat(20), 20), "长".repeat(20));
        assert_eq!(shorten(&"长".repeat(21), 20), "长".repeat(19) + "…");
        assert_eq!(shorten("一行\n又一行", 20), "一行 又一行");
        // Two units each: nine and the dots are nineteen.
        assert_eq!(shorten(&"😀".repeat(30), 20), "😀".repeat(9) + "…");
    }

    #[test]
    fn a_text_within_so_many_bytes_ends_between_characters() {
        assert_eq!(within_bytes("路灯", 6), "路灯");
        assert_eq!(within_bytes("路灯坏了", 11), "路灯…");
        for most in 0..40 {
            let short = within_bytes("路灯😀a坏了三个月没有人管", most);
            assert!(short.len() <= most.max(REST.len_utf8()) && !short.contains('\u{fffd}'), "{most} {short}");
        }
    }

    #[test]
    fn a_long_name_does_not_push_out_what_stands_after_it() {
        assert_eq!(around("已交", "东河村", "办理", 20), "已交东河村办理");
        let long = around("已交", "云溪镇综合行政执法和应急管理办公室二组", "办理", 20);
        assert_eq!(long, "已交云溪镇综合行政执法和应急管理办…办理");
        assert_eq!(units(&long), 20);
    }
}
