//! Every answer of every test is held against the API's description: a status that is not described, or a body that is not as
//! described, is a failure wherever it comes up.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{LazyLock, Mutex},
};

use jsonschema::Validator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// What any operation may answer without saying so: too large to be read, too many, out of order, no room.
const OF_THE_WHOLE_SERVER: [u16; 4] = [413, 429, 503, 507];

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let mut description = serde_json::to_value(qingfeng::http::description()).unwrap();
    forbid_what_is_not_described(&mut description);
    description
});

static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);

/// Nothing may leave the server that nobody described: an object has the properties of its description, no others.
fn forbid_what_is_not_described(description: &mut Value) {
    let mut parts = BTreeSet::new();
    collect_parts(description, &mut parts);
    for (name, schema) in description["components"]["schemas"].as_object_mut().unwrap() {
        if !parts.contains(name) {
            close(schema);
        }
    }
}

/// Names of schemas that others are composed of: these close the whole.
fn collect_parts(value: &Value, parts: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let reference = part["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
                parts.extend(reference.map(str::to_owned));
            }
            fields.values().for_each(|field| collect_parts(field, parts));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_parts(item, parts)),
        _ => {}
    }
}

fn close(schema: &mut Value) {
    let open = schema.get("additionalProperties").is_none()
        && (schema.get("properties").is_some() || schema.get("allOf").is_some());
    if open {
        schema["unevaluatedProperties"] = json!(false);
    }
}

/// Path of the description that this path is an example of.
fn template(path: &str) -> Option<&'static str> {
    let fits = |template: &str| {
        let (asked, described) = (path.split('/'), template.split('/'));
        asked.clone().count() == described.clone().count()
            && asked.zip(described).all(|(part, name)| name.starts_with('{') || part == name)
    };
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    // A literal path comes before one with a parameter.
    paths
        .keys()
        .filter(|template| fits(template))
        .min_by_key(|template| template.matches('{').count())
        .map(String::as_str)
}

fn validator(key: &str, schema: &Value) -> &'static Validator {
    let mut validators = VALIDATORS.lock().unwrap();
    if let Some(known) = validators.get(key) {
        return known;
    }
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "components": DESCRIPTION["components"],
    });
    let built = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&whole);
    let built: &'static Validator = Box::leak(Box::new(built.unwrap_or_else(|error| panic!("{key}: {error}"))));
    validators.insert(key.to_owned(), built);
    built
}

/// Holds an answer against the description.
///
/// # Panics
/// When it is not as described.
pub fn check(method: &Method, path: &str, status: StatusCode, content_type: &str, body: &str) {
    let Some(template) = template(path) else { return };
    let Some(operation) = DESCRIPTION["paths"][template].get(method.as_str().to_lowercase()) else { return };
    let key = format!("{method} {template} {status}");
    let Some(response) = operation["responses"].get(status.as_str()) else {
        assert!(OF_THE_WHOLE_SERVER.contains(&status.as_u16()), "{key} is not described: {body}");
        return;
    };
    let Some(content) = response.get("content").and_then(Value::as_object) else {
        assert!(body.is_empty(), "{key} is described without a body: {body}");
        return;
    };
    let media_type = content_type.split(';').next().unwrap_or_default();
    let described = content.get(media_type).unwrap_or_else(|| panic!("{key} is not described as {media_type}"));
    if !media_type.ends_with("json") {
        return;
    }
    let Some(schema) = described.get("schema") else { return };
    let value: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{key}: {body}"));
    let faults: Vec<_> =
        validator(&key, schema).iter_errors(&value).map(|error| format!("{} {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{key} is not as described: {faults:#?}\n{body}");
}
