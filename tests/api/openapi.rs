use std::collections::BTreeSet;

use serde_json::Value;

fn description() -> Value {
    serde_json::to_value(qingfeng::http::description()).unwrap()
}

/// Method, path and description of every operation.
pub fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    operations
}

#[test]
fn the_committed_description_is_that_of_the_program() {
    let committed: Value = serde_json::from_str(include_str!("../../openapi/openapi.json")).unwrap();
    assert!(committed == description(), "openapi/openapi.json has drifted: run `make openapi`");
}

#[test]
fn every_operation_has_a_tag_a_name_of_its_own_and_tells_its_refusals() {
    let description = description();
    assert_eq!(description["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&description) {
        let operation_name = format!("{method} {path}");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{operation_name} has one tag");
        let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
        assert!(names.insert(format!("{}:{name}", operation["tags"][0])), "{operation_name}: {name} is taken");
        let responses = operation["responses"].as_object().unwrap();
        let needs_sign_in = operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty());
        if needs_sign_in {
            assert!(responses.contains_key("401"), "{operation_name} tells that it needs a sign-in");
        }
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
            let is_problem = response["content"]["application/problem+json"].is_object();
            assert!(is_problem, "{operation_name} answers {status} with a problem");
        }
    }
}
