use crate::refusal::{FieldFault, Refusal};

/// Longest text of a complaint or an answer, in characters.
pub const LONGEST_BODY: usize = 2000;
/// Longest title, in characters.
pub const LONGEST_TITLE: usize = 40;

/// What a resident wrote, kept as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// # Errors
    /// When it is empty or longer than [`LONGEST_BODY`].
    pub fn parse(pointer: &str, text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 {
            return Err(Refusal::invalid(vec![FieldFault::new(pointer, "请写明内容。")]));
        }
        if length > LONGEST_BODY {
            let sentence = format!("最多{LONGEST_BODY}个字，现在有{length}个字。");
            return Err(Refusal::invalid(vec![FieldFault::new(pointer, sentence)]));
        }
        if text.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t') {
            return Err(Refusal::invalid(vec![FieldFault::new(pointer, "内容里有不能显示的字符。")]));
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line that staff see in lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// The title as given, or the beginning of the text: nobody has to invent one.
    ///
    /// # Errors
    /// When the given title is too long.
    pub fn of(given: Option<&str>, body: &Body) -> Result<Self, Refusal> {
        let given = given.map(str::trim).filter(|text| !text.is_empty());
        if let Some(title) = given {
            if title.chars().count() > LONGEST_TITLE || title.chars().any(char::is_control) {
                let sentence = format!("标题最多{LONGEST_TITLE}个字，不能换行。");
                return Err(Refusal::invalid(vec![FieldFault::new("/title", sentence)]));
            }
            return Ok(Self(title.to_owned()));
        }
        let line = body.as_str().lines().next().unwrap_or_default();
        let mut title: String = line.chars().take(20).collect();
        if title.chars().count() < body.as_str().chars().count() {
            title.push('…');
        }
        Ok(Self(title))
    }

    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}
