//! Messages as they might be: for previews, and for trying a text with the longest and the emptiest that may come.

use chrono::{Days, NaiveDate};
use serde_json::{Value as Json, json};

use super::{Fact, Form};

/// The facts of a message as it might be.
pub(in crate::messages) fn sample<'f>(known: impl Iterator<Item = &'f Fact>, today: NaiveDate) -> Json {
    let mut facts = json!({"village_id": uuid::Uuid::nil()});
    for fact in known {
        let Some(from) = fact.form.from() else { continue };
        let sample = match &fact.form {
            Form::Date { .. } | Form::DaysLeft { .. } | Form::DaysOver { .. } => json!(today + Days::new(3)),
            Form::Number { .. } => json!(fact.sample.parse::<i64>().unwrap_or_default()),
            Form::Flag { .. } => json!(fact.sample == "true"),
            Form::IsTold { .. } => json!(fact.sample.parse::<i64>().unwrap_or_default()),
            Form::Texts { .. } => json!([fact.sample]),
            Form::List { of, .. } => json!([sample(of.iter(), today), sample(of.iter(), today)]),
            Form::More { .. } => continue,
            _ => json!(fact.sample),
        };
        facts[from] = sample;
    }
    facts
}

/// Longer than any of ours.
const LONG: usize = 400;
const LONG_LETTER: char = '长';
/// A text that is no part of a name, a number or an address.
const BLANK: &str = "□";

/// Facts of messages at the edges of what they can be: as long as they get, and each of what need not be there missing. A
/// text that bears all of them bears what comes.
pub(in crate::messages) fn edges(known: &[&Fact], today: NaiveDate) -> Vec<Json> {
    let mut edges = vec![json!({"village_id": uuid::Uuid::nil()})];
    let mut seen = Vec::new();
    for fact in known {
        let Some(from) = fact.form.from() else { continue };
        let variants = variants(&fact.form, today);
        // The same place told in several ways varies once.
        if variants.is_empty() || seen.contains(&from) {
            continue;
        }
        seen.push(from);
        let with = |facts: &Json| {
            let facts = facts.clone();
            variants.clone().into_iter().map(move |variant| {
                let mut facts = facts.clone();
                facts[from] = variant;
                facts
            })
        };
        edges = edges.iter().flat_map(with).collect();
    }
    edges
}

/// The same facts with nothing in them that could be taken for words of the text: only what the text itself says is left, in
/// whichever way it is put together.
pub(in crate::messages) fn blanked(facts: Json) -> Json {
    match facts {
        Json::Array(entries) => entries.into_iter().map(blanked).collect(),
        Json::Object(pairs) => {
            let blank = |(name, fact): (String, Json)| {
                let fact = if name == "village_id" { json!("") } else { blanked(fact) };
                (name, fact)
            };
            Json::Object(pairs.into_iter().map(blank).collect())
        }
        Json::String(text) if text.starts_with(LONG_LETTER) => json!(BLANK),
        // Several figures in a row are no account's number.
        Json::Number(number) if number.as_i64().is_some_and(|number| number > 99) => json!(99),
        other => other,
    }
}

fn variants(form: &Form, today: NaiveDate) -> Vec<Json> {
    let long = || json!(LONG_LETTER.to_string().repeat(LONG));
    match form {
        Form::Text { .. } => vec![long(), json!("")],
        Form::Date { .. } | Form::DaysLeft { .. } | Form::DaysOver { .. } => {
            let last = |years: u64| today + Days::new(365 * years);
            let in_december = NaiveDate::from_ymd_opt(2099, 12, 31).unwrap_or(today);
            vec![json!(in_december), json!(today), json!(today - Days::new(9000)), json!(last(1)), Json::Null]
        }
        Form::Number { .. } => vec![json!(9999), json!(0)],
        Form::IsTold { .. } => vec![json!(9999), Json::Null],
        Form::Flag { .. } => vec![json!(true), json!(false)],
        Form::Is { word, .. } => vec![json!(word), json!("other")],
        Form::Texts { most, .. } => vec![json!(vec![long(); most + 2]), json!([])],
        Form::List { most, of, .. } => {
            let entry = |pick: fn(Vec<Json>) -> Option<Json>| -> Json {
                let pairs = of
                    .iter()
                    .filter_map(|fact| Some((fact.form.from()?.to_owned(), pick(variants(&fact.form, today))?)));
                Json::Object(pairs.collect())
            };
            let first = entry(|variants| variants.into_iter().next());
            let last = entry(|variants| variants.into_iter().last());
            vec![json!(vec![first; most + 2]), json!([last]), json!([])]
        }
        Form::More { .. } | Form::BoardLink | Form::SurveysLink => Vec::new(),
    }
}
