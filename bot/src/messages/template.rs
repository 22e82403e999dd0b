//! Texts with gaps for facts, filled by minijinja: only our filters, no text that loads another one, a bound on the work,
//! and facts that cannot become markup.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{NaiveDate, NaiveTime};
use minijinja::{Environment, Error, ErrorKind, Output, UndefinedBehavior, Value};

use super::{
    day, facts,
    length::{shorten, units},
};
use crate::channels::LONGEST_THING;

const DATE: &str = "日期";
const DISTANCE: &str = "还有几天";
const SHORTENED: &str = "缩短";

/// Steps and written bytes of one rendering: more than three times what the longest text of ours takes.
const FUEL: u64 = 10_000;

/// Where a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surface {
    /// A line of a card: names in it are shortened so that the line fits.
    Card,
    /// A post in markdown.
    Post,
}

impl Surface {
    /// The filters that there are. A post may wait for its second reader: words that change by the day would have to be read
    /// again.
    pub(super) fn filters(self) -> &'static [&'static str] {
        match self {
            Self::Card => &[DATE, DISTANCE, SHORTENED],
            Self::Post => &[DATE, SHORTENED],
        }
    }
}

/// What is wrong with a template, and where: line and character, both from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    pub line: usize,
    pub column: usize,
    /// In Chinese.
    pub sentence: String,
}

impl TemplateFault {
    /// At this byte of the text.
    pub(super) fn at(text: &str, byte: usize, sentence: impl Into<String>) -> Self {
        let before = &text[..byte];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line, column, sentence: sentence.into() }
    }

    /// Of the text as a whole.
    pub(super) fn of_the_whole(sentence: impl Into<String>) -> Self {
        Self { line: 1, column: 1, sentence: sentence.into() }
    }
}

/// Fills a text's gaps.
///
/// # Errors
/// When the text cannot be read, asks for a fact that there is not, or works too long.
pub(super) fn render(text: &str, values: &Value, surface: Surface, today: NaiveDate) -> Result<String, TemplateFault> {
    match surface {
        Surface::Post => fill(text, values, today, surface, Names::AsTheyAre),
        // A long name does not push out what stands around it: it gets the room that is left.
        Surface::Card => {
            let count = Arc::new(AtomicUsize::new(0));
            let around = fill(text, values, today, surface, Names::LeftOut(Arc::clone(&count)))?;
            let room = LONGEST_THING.saturating_sub(units(&around));
            let each = room / count.load(Ordering::Relaxed).max(1);
            fill(text, values, today, surface, Names::Within(each))
        }
    }
}

/// UTF-16 units of a card's line around its names, and how many names there are.
pub(super) fn around_names(text: &str, values: &Value, today: NaiveDate) -> Result<(usize, usize), TemplateFault> {
    let count = Arc::new(AtomicUsize::new(0));
    let around = fill(text, values, today, Surface::Card, Names::LeftOut(Arc::clone(&count)))?;
    Ok((units(&around), count.load(Ordering::Relaxed)))
}

/// What becomes of the names in a text.
#[derive(Clone)]
enum Names {
    AsTheyAre,
    LeftOut(Arc<AtomicUsize>),
    Within(usize),
}

fn fill(text: &str, values: &Value, today: NaiveDate, surface: Surface, names: Names) -> Result<String, TemplateFault> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter(DATE, |value: Value| on(&value).map_or_else(|| safe("待定"), |date| safe(&day(date))));
    if surface == Surface::Card {
        let distance = move |value: Value| safe(&on(&value).map(|date| distance(date, today)).unwrap_or_default());
        environment.add_filter(DISTANCE, distance);
    }
    environment.add_filter(SHORTENED, move |value: Value, most: usize| {
        let short = shorten(&value.to_string(), most);
        safe(&if surface == Surface::Post { facts::without_markup(&short) } else { short })
    });
    environment.set_formatter(move |out, _, value| write(out, value, surface, &names));
    let source = without_bare_lines(text);
    let filled = environment.render_str(&source, values.clone()).map_err(|error| fault(text, surface, &error))?;
    Ok(filled.trim().to_owned())
}

fn safe(text: &str) -> Value {
    Value::from_safe_string(text.to_owned())
}

fn on(value: &Value) -> Option<NaiveDate> {
    value.as_str()?.parse().ok()
}

/// `还有3天`, `就在今天`, `已过2天`.
fn distance(date: NaiveDate, today: NaiveDate) -> String {
    match date.and_time(NaiveTime::MIN).signed_duration_since(today.and_time(NaiveTime::MIN)).num_days() {
        0 => "就在今天".into(),
        days @ 1.. => format!("还有{days}天"),
        days => format!("已过{}天", -days),
    }
}

/// Text that people wrote is made harmless; what the product made — dates, numbers, our own links — is not touched.
fn write(out: &mut Output<'_>, value: &Value, surface: Surface, names: &Names) -> Result<(), Error> {
    let failed = |_| Error::from(ErrorKind::WriteFailure);
    let text = match value.as_str() {
        _ if value.is_undefined() => return Err(Error::from(ErrorKind::UndefinedError)),
        None if value.is_number() => value.to_string(),
        Some(text) if value.is_safe() => text.to_owned(),
        Some(text) => match (surface, names) {
            (Surface::Post, _) => facts::without_markup(text),
            (Surface::Card, Names::LeftOut(count)) => {
                count.fetch_add(1, Ordering::Relaxed);
                String::new()
            }
            (Surface::Card, Names::Within(room)) => shorten(text, *room),
            (Surface::Card, Names::AsTheyAre) => text.to_owned(),
        },
        None => return Err(Error::new(ErrorKind::NonPrimitive, "a list or a yes-or-no in the text")),
    };
    std::fmt::Write::write_str(out, &text).map_err(failed)
}

/// A line that is only a `{% … %}` leaves no line behind: its end moves into the tag, so that lines keep their numbers.
fn without_bare_lines(text: &str) -> String {
    let mut source = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        let tag = words.strip_prefix("{%").and_then(|rest| rest.strip_suffix("%}"));
        match tag {
            Some(inside) if !inside.contains("{%") && !inside.contains("{{") && line.ends_with('\n') => {
                source.push_str("{%");
                source.push_str(inside);
                source.push_str("\n%}");
            }
            _ => source.push_str(line),
        }
    }
    source
}

fn fault(text: &str, surface: Surface, error: &Error) -> TemplateFault {
    let sentence = match error.kind() {
        ErrorKind::SyntaxError => "这里写得不对：看看花括号、if和endif、for和endfor是不是成对。".to_owned(),
        ErrorKind::UndefinedError => "这里用了没有的内容。".to_owned(),
        ErrorKind::UnknownFilter => format!("“|”后面只能写：{}。", surface.filters().join("、")),
        ErrorKind::NonPrimitive => "这里是一个列表或者“是/否”，不能直接写出来，要放在for或者if里。".to_owned(),
        ErrorKind::OutOfFuel => "这段文字太复杂，请简化。".to_owned(),
        ErrorKind::TooManyArguments | ErrorKind::MissingArgument => {
            "“缩短”后面要写最多几个字，如“缩短(12)”；别的后面不写。".to_owned()
        }
        _ => "这里写得不对，请改正。".to_owned(),
    };
    let line = error.line().unwrap_or(1).clamp(1, text.lines().count().max(1));
    TemplateFault { line, column: 1, sentence }
}
