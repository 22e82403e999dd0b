//! Holds a file against the schema. Only what the generated schema uses is understood; a test keeps it so.

use std::ops::Range;

use serde_json::Value as Json;

use super::source::{Entry, Node, Value};
use crate::campaigns::checking::Path;

pub(super) struct Fault {
    pub span: Range<usize>,
    pub field: String,
    pub sentence: String,
}

struct Check<'s> {
    /// Named parts of the schema.
    parts: &'s Json,
    faults: Vec<Fault>,
}

pub(super) fn check(root: &Node, schema: &Json) -> Vec<Fault> {
    let mut check = Check { parts: &schema["$defs"], faults: Vec::new() };
    check.value(root, schema, &Path::default());
    check.faults
}

impl<'s> Check<'s> {
    fn refuse(&mut self, span: &Range<usize>, path: &Path, sentence: impl Into<String>) {
        self.faults.push(Fault { span: span.clone(), field: path.to_string(), sentence: sentence.into() });
    }

    /// Follows references and takes the value's side of "this or nothing" (TOML has no null).
    fn resolve(&self, schema: &'s Json) -> &'s Json {
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
            return self.resolve(&self.parts[name]);
        }
        let alternatives = schema["anyOf"].as_array().map_or(&[][..], Vec::as_slice);
        match alternatives.iter().find(|alternative| alternative["type"] != "null") {
            Some(alternative) => self.resolve(alternative),
            None => schema,
        }
    }

    fn value(&mut self, node: &Node, schema: &'s Json, path: &Path) {
        let schema = self.resolve(schema);
        if let Some(variants) = schema["oneOf"].as_array() {
            return self.variant(node, variants, path);
        }
        if let Some(words) = schema["enum"].as_array() {
            return self.word(node, words.iter().filter_map(Json::as_str).collect(), path);
        }
        match expected_type(schema) {
            "object" => self.table(node, schema, path),
            "array" => self.list(node, schema, path),
            "string" if schema["format"] == "date" => self.date(node, path),
            "string" => self.text(node, schema, path),
            "integer" => match node.value {
                #[expect(clippy::cast_precision_loss, reason = "numbers in plans are small")]
                Value::Integer(number) => self.bounds(node, number as f64, schema, path),
                _ => self.wrong_type(node, "整数", path),
            },
            "number" => match node.value {
                #[expect(clippy::cast_precision_loss, reason = "numbers in plans are small")]
                Value::Integer(number) => self.bounds(node, number as f64, schema, path),
                Value::Number(number) => self.bounds(node, number, schema, path),
                _ => self.wrong_type(node, "数字", path),
            },
            "boolean" => {
                if !matches!(node.value, Value::Flag(_)) {
                    self.wrong_type(node, "true 或 false", path);
                }
            }
            other => unreachable!("the schema of plans uses no type {other}"),
        }
    }

    fn wrong_type(&mut self, node: &Node, expected: &str, path: &Path) {
        let found = match node.value {
            Value::Text(_) => "文字",
            Value::Integer(_) => "整数",
            Value::Number(_) => "小数",
            Value::Flag(_) => "true/false",
            Value::Date(_) => "日期",
            Value::Moment => "带时刻的时间",
            Value::List(_) => "列表",
            Value::Table(_) => "表",
        };
        self.refuse(&node.span, path, format!("这里要填{expected}，现在是{found}"));
    }

    fn table(&mut self, node: &Node, schema: &'s Json, path: &Path) {
        let Value::Table(entries) = &node.value else { return self.wrong_type(node, "表", path) };
        let Some(fields) = schema["properties"].as_object() else { return };
        for entry in entries {
            match fields.get(&entry.key) {
                Some(field) => self.value(&entry.node, field, &path.field(&entry.key)),
                None => self.unknown_key(entry, fields.keys(), path),
            }
        }
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if node.entry(required).is_none() {
                self.refuse(&node.span, &path.field(required), format!("缺少必填项 {required}"));
            }
        }
    }

    fn unknown_key<'k>(&mut self, entry: &Entry, known: impl Iterator<Item = &'k String>, path: &Path) {
        let sentence = match nearest(&entry.key, known.map(String::as_str)) {
            Some(meant) => format!("不认识的项目 {}，是不是 {meant}？", entry.key),
            None => format!("不认识的项目 {}", entry.key),
        };
        self.refuse(&entry.key_span, &path.field(&entry.key), sentence);
    }

    fn list(&mut self, node: &Node, schema: &'s Json, path: &Path) {
        let Value::List(items) = &node.value else { return self.wrong_type(node, "列表", path) };
        if schema["minItems"].as_u64().is_some_and(|least| (items.len() as u64) < least) {
            self.refuse(&node.span, path, format!("至少要有{}项", schema["minItems"]));
        }
        for (index, item) in items.iter().enumerate() {
            self.value(item, &schema["items"], &path.index(index));
        }
    }

    fn date(&mut self, node: &Node, path: &Path) {
        if !matches!(node.value, Value::Date(_)) {
            self.wrong_type(node, "日期（如 2026-01-15，不加引号）", path);
        }
    }

    fn text(&mut self, node: &Node, schema: &'s Json, path: &Path) {
        let Value::Text(text) = &node.value else { return self.wrong_type(node, "文字（加引号）", path) };
        if schema["minLength"].as_u64().is_some_and(|least| (text.trim().chars().count() as u64) < least) {
            self.refuse(&node.span, path, "不能为空");
        }
        match schema["pattern"].as_str() {
            Some(OFFICE_KEY) if !is_key(text, '_') => {
                self.refuse(&node.span, path, "标识只能用小写英文字母、数字和下划线，以字母开头");
            }
            Some(PLAN_KEY) if !is_key(text, '-') => {
                self.refuse(&node.span, path, "方案标识只能用小写英文字母、数字和连字符");
            }
            _ => {}
        }
    }

    fn bounds(&mut self, node: &Node, number: f64, schema: &'s Json, path: &Path) {
        let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        let inside = least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most);
        // Not a number is inside no bounds, whether the schema names any or not.
        if inside && number.is_finite() {
            return;
        }
        let sentence = match (least, most) {
            (Some(least), Some(most)) => format!("应在{least}到{most}之间"),
            (Some(least), None) => format!("不能小于{least}"),
            (None, Some(most)) => format!("不能大于{most}"),
            (None, None) => "不是一个有限的数".into(),
        };
        self.refuse(&node.span, path, sentence);
    }

    fn word(&mut self, node: &Node, words: Vec<&str>, path: &Path) {
        let Value::Text(text) = &node.value else { return self.wrong_type(node, "文字（加引号）", path) };
        if words.contains(&text.as_str()) {
            return;
        }
        let hint = nearest(text, words.iter().copied()).map(|meant| format!("，是不是 {meant}？")).unwrap_or_default();
        self.refuse(&node.span, path, format!("“{text}”不在可选范围内（{}）{hint}", words.join("、")));
    }

    /// Either plain words, each with its description, or tables told apart by the word in one field.
    fn variant(&mut self, node: &Node, variants: &'s [Json], path: &Path) {
        let words: Vec<&str> = variants.iter().flat_map(words_of).collect();
        if words.len() >= variants.len() {
            return self.word(node, words, path);
        }
        let Some((tag, _)) = tag_of(&variants[0]) else { return };
        let Value::Table(_) = &node.value else { return self.wrong_type(node, "表", path) };
        let Some(entry) = node.entry(tag) else {
            return self.refuse(&node.span, &path.field(tag), format!("缺少必填项 {tag}"));
        };
        let named = |variant: &&Json| {
            tag_of(variant).is_some_and(|(_, word)| matches!(&entry.node.value, Value::Text(text) if text == word))
        };
        match variants.iter().find(named) {
            Some(variant) => self.table(node, variant, path),
            None => self.word(
                &entry.node,
                variants.iter().filter_map(tag_of).map(|(_, word)| word).collect(),
                &path.field(tag),
            ),
        }
    }
}

/// Patterns that have a sentence of their own.
const OFFICE_KEY: &str = r"^[a-z][a-z0-9_]*$";
const PLAN_KEY: &str = r"^[a-z0-9]+(-[a-z0-9]+)*$";

fn is_key(text: &str, joint: char) -> bool {
    let plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    match joint {
        '-' => text.split('-').all(|part| !part.is_empty() && part.chars().all(plain)),
        _ => {
            text.starts_with(|first: char| first.is_ascii_lowercase())
                && text.chars().all(|character| plain(character) || character == joint)
        }
    }
}

fn expected_type(schema: &Json) -> &str {
    match &schema["type"] {
        Json::Array(types) => types.iter().filter_map(Json::as_str).find(|name| *name != "null").unwrap_or_default(),
        single => single.as_str().unwrap_or_default(),
    }
}

fn words_of(variant: &Json) -> Vec<&str> {
    match &variant["enum"] {
        Json::Array(words) => words.iter().filter_map(Json::as_str).collect(),
        _ => variant["const"].as_str().into_iter().collect(),
    }
}

/// The field and word by which a variant is recognized.
fn tag_of(variant: &Json) -> Option<(&str, &str)> {
    variant["properties"]
        .as_object()?
        .iter()
        .find_map(|(name, field)| field["const"].as_str().map(|word| (name.as_str(), word)))
}

/// The known word that was probably meant.
pub(in crate::campaigns) fn nearest<'k>(written: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|word| (strsim::osa_distance(written, word), word))
        .filter(|(distance, word)| *distance <= 2.max(word.chars().count() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keywords(schema: &Json, found: &mut BTreeSet<String>) {
        match schema {
            Json::Object(members) => {
                for (key, value) in members {
                    if key == "properties" || key == "$defs" {
                        for named in value.as_object().unwrap().values() {
                            keywords(named, found);
                        }
                    } else if key != "default" {
                        found.insert(key.clone());
                        keywords(value, found);
                    }
                }
            }
            Json::Array(items) => items.iter().for_each(|item| keywords(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_keyword_of_the_schema_is_understood_here() {
        let understood = [
            "$ref",
            "$schema",
            "additionalProperties",
            "anyOf",
            "const",
            "description",
            "enum",
            "format",
            "items",
            "maximum",
            "minItems",
            "minLength",
            "minimum",
            "oneOf",
            "pattern",
            "required",
            "title",
            "type",
        ];
        let mut found = BTreeSet::new();
        keywords(super::super::schema().as_value(), &mut found);
        let unknown: Vec<_> = found.iter().filter(|keyword| !understood.contains(&keyword.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
