use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{PlanFault, form::Fault};
use crate::campaigns::checking::{Path, Step};

/// The text of a plan file.
pub(super) struct Source<'t> {
    text: &'t str,
}

/// A place for people to look at, both from 1.
pub(super) struct Position {
    pub line: usize,
    pub column: usize,
}

/// A value of the file and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
    /// A date without a time.
    Date(String),
    /// Anything with a time of day, which no field takes.
    Moment,
    List(Vec<Node>),
    Table(Vec<Entry>),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub node: Node,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text }
    }

    pub(super) fn parse(&self) -> Result<Node, Vec<PlanFault>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        if errors.is_empty() {
            return Ok(Node { span: 0..0, value: Value::Table(entries(table.into_inner())) });
        }
        let faults = errors.iter().map(|error| Fault {
            span: error.span().unwrap_or(0..0),
            field: String::new(),
            sentence: format!("不是正确的 TOML：{}", error.message().lines().next().unwrap_or_default()),
        });
        Err(self.locate(faults.collect()))
    }

    /// Puts faults into the order of the file, each with line and column.
    pub(super) fn locate(&self, mut faults: Vec<Fault>) -> Vec<PlanFault> {
        faults.sort_by_key(|fault| fault.span.start);
        let located = faults.into_iter().map(|fault| {
            let Position { line, column } = self.position(fault.span.start);
            PlanFault { line, column, field: fault.field, sentence: fault.sentence }
        });
        located.collect()
    }

    fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

fn entries(table: DeTable<'_>) -> Vec<Entry> {
    let entry = |(key, value): (Spanned<std::borrow::Cow<'_, str>>, Spanned<DeValue<'_>>)| Entry {
        key_span: key.span(),
        key: key.into_inner().into_owned(),
        node: node(value),
    };
    table.into_iter().map(entry).collect()
}

fn node(value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Number(f64::INFINITY), Value::Integer)
        }
        DeValue::Float(number) => Value::Number(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(moment) if moment.time.is_none() => Value::Date(moment.to_string()),
        DeValue::Datetime(_) => Value::Moment,
        DeValue::Array(items) => Value::List(items.into_iter().map(node).collect()),
        DeValue::Table(table) => Value::Table(entries(table)),
    };
    Node { span, value }
}

impl Node {
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Text(text) | Value::Date(text) => text.as_str().into(),
            Value::Integer(number) => (*number).into(),
            Value::Number(number) => (*number).into(),
            Value::Flag(flag) => (*flag).into(),
            Value::Moment => serde_json::Value::Null,
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Table(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect(),
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// Where the value at this path stands; when it was left out, where the thing it belongs to stands.
    pub(super) fn nearest_span(&self, path: &Path) -> Range<usize> {
        let mut node = self;
        for step in path.steps() {
            let next = match (step, &node.value) {
                (Step::Field(key), _) => node.entry(key).map(|entry| &entry.node),
                (Step::Index(index), Value::List(items)) => items.get(*index),
                (Step::Index(_), _) => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node.span.clone()
    }
}
