//! Templates of messages: of the mini-program's subscribe messages, and of the official account's.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::values::ValueKind;
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
};

/// A template of the account: what a message's card shows, line by line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub id: String,
    pub title: String,
    /// A long-term template needs no accept per message. Only offline public services get one.
    #[serde(default)]
    pub long_term: bool,
    pub fields: Vec<TemplateField>,
}

/// One line of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateField {
    /// Kind and number, as in `thing1`.
    pub key: String,
    pub label: String,
    /// The listed values of an `enum` field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

impl Template {
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self { id: id.into(), title: title.into(), long_term: false, fields: Vec::new() }
    }

    #[must_use]
    pub fn with_field(mut self, key: impl Into<String>, label: impl Into<String>) -> Self {
        self.fields.push(TemplateField { key: key.into(), label: label.into(), values: Vec::new() });
        self
    }

    #[must_use]
    pub fn with_choice(mut self, key: impl Into<String>, label: impl Into<String>, values: &[&str]) -> Self {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        self.fields.push(TemplateField { key: key.into(), label: label.into(), values });
        self
    }

    /// # Errors
    /// The Chinese sentence for the operator when a key has no known kind or appears twice.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.id.is_empty() || self.fields.is_empty() {
            return Err("模板需要编号和至少一个字段".into());
        }
        for (position, field) in self.fields.iter().enumerate() {
            if ValueKind::of_key(&field.key).is_none() {
                return Err(format!("字段 {} 不是平台的类型加数字，例如 thing1", field.key));
            }
            if self.fields[..position].iter().any(|earlier| earlier.key == field.key) {
                return Err(format!("字段 {} 重复", field.key));
            }
        }
        Ok(())
    }

    /// Whether a message has just these fields, each with a value of its kind.
    ///
    /// # Errors
    /// 47003 with the field's name.
    pub(super) fn check_values<'a>(
        &self,
        given: &[&str],
        value: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(), Refused> {
        let argument = |what: &str, why: &str| refused(47003, format!("argument invalid! {what} {why}"));
        if let Some(extra) = given.iter().find(|key| !self.fields.iter().any(|field| field.key == **key)) {
            return argument(&format!("data.{extra}"), "is not in the template");
        }
        for field in &self.fields {
            let name = format!("data.{}.value", field.key);
            let kind = ValueKind::of_key(&field.key).expect("a template's keys are checked when it is registered");
            match value(&field.key) {
                None => return argument(&name, "is missing"),
                Some("") => return argument(&name, "is empty"),
                Some(value) if !kind.accepts(value, &field.values) => return argument(&name, "invalid"),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Its lines with their keys, and the same as an example.
    fn lines(&self) -> (String, String) {
        let content = self.fields.iter().map(|field| format!("{}:{{{{{}.DATA}}}}\n", field.label, field.key)).collect();
        let example = self.fields.iter().map(|field| format!("{}:示例\n", field.label)).collect();
        (content, example)
    }

    /// As the official account's templates are listed.
    fn as_listed_at_official_account(&self) -> Value {
        let (content, example) = self.lines();
        json!({
            "template_id": self.id,
            "title": self.title,
            "primary_industry": "政府与公共事业",
            "deputy_industry": "公共事业",
            "content": content,
            "example": example,
        })
    }

    fn as_listed(&self) -> Value {
        let (content, example) = self.lines();
        let enums: Vec<Value> = self
            .fields
            .iter()
            .filter(|field| !field.values.is_empty())
            .map(|field| json!({"keywordCode": format!("{}.DATA", field.key), "enumValueList": field.values}))
            .collect();
        json!({
            "priTmplId": self.id,
            "title": self.title,
            "content": content,
            "example": example,
            "type": if self.long_term { 3 } else { 2 },
            "keywordEnumValueList": enums,
        })
    }
}

pub(super) async fn list(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = || -> Result<Value, Refused> {
        let now = sandbox.now();
        let state = sandbox.state();
        state.only_mini_program(Parameters::of(&request).get("access_token"), now)?;
        let listed: Vec<Value> = state.templates.values().map(Template::as_listed).collect();
        Ok(json!({"errcode": 0, "errmsg": "ok", "data": listed}))
    };
    answer(&Manner::CgiBin, result())
}

/// The official account's templates. What is listed here says nothing of listed values.
pub(super) async fn list_at_official_account(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = || -> Result<Value, Refused> {
        let now = sandbox.now();
        let state = sandbox.state();
        state.only_official_account(Parameters::of(&request).get("access_token"), now)?;
        let listed: Vec<Value> = state.templates.values().map(Template::as_listed_at_official_account).collect();
        // No errcode on success: the real interface leaves it out, too.
        Ok(json!({"template_list": listed}))
    };
    answer(&Manner::CgiBin, result())
}
