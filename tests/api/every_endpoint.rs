//! Every operation of the description with every kind of person: nobody gets further than the table of permissions says,
//! nothing answers with a fault of the server, every refusal is a problem in Chinese.

use std::fmt::Write as _;

use qingfeng_core::{people::Role, sealed_surveys::results, storage::Engine};
use qingfeng_sandbox::{Sandbox, SandboxSettings};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    openapi::operations,
    support::{Answer, Cast, Evaluatee, Person, Reporter, TestBox, TestServer, key_of, path},
};

/// What the requests are about.
struct Scene {
    village: Value,
    township: Value,
    complaint: String,
    rectification: String,
    problem: Value,
    /// An organizational evaluation of the accused, counted.
    evaluation: String,
    /// A sealed report to the township's disciplinary office.
    report: String,
}

/// A body that fits its schema, about the scene.
fn example(description: &Value, schema: &Value, name: &str, scene: &Scene) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        return example(description, description.pointer(pointer).unwrap(), name, scene);
    }
    if let Some(variants) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let variant = variants.iter().find(|variant| variant["type"] != "null").unwrap();
        return example(description, variant, name, scene);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").unwrap().clone(),
        kind => kind.clone(),
    };
    match kind.as_str().unwrap_or("object") {
        "object" => {
            let required: Vec<_> = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            properties
                .iter()
                .filter(|(property, _)| required.iter().any(|name| name == *property))
                .map(|(property, schema)| (property.clone(), example(description, schema, property, scene)))
                .collect()
        }
        "array" if name == "problem_ids" => json!([scene.problem]),
        "array" => json!([example(description, &schema["items"], name, scene)]),
        "boolean" => json!(false),
        "integer" | "number" => json!(1),
        _ => match (schema["format"].as_str(), name) {
            (Some("date"), _) => json!("2026-03-10"),
            (_, "township_id") => scene.township.clone(),
            (_, "into") => json!(scene.complaint.rsplit('/').next().unwrap()),
            (Some("uuid"), _) => scene.village.clone(),
            _ => json!("足够长的内容 12345"),
        },
    }
}

fn address(path: &str, scene: &Scene) -> String {
    let item = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let id = if path.starts_with("/api/complaints/{") {
        item(&scene.complaint)
    } else if path.starts_with("/api/rectifications/{") {
        item(&scene.rectification)
    } else if path.starts_with("/api/sealed-reports/{") {
        scene.report.clone()
    } else if path.contains("/{id}/sheet") || path == "/api/sealed-surveys/{id}/release" {
        scene.evaluation.clone()
    } else if path.contains("/villages/") {
        scene.village.as_str().unwrap().to_owned()
    } else if path.contains("/townships/") {
        scene.township.as_str().unwrap().to_owned()
    } else {
        "01890000-0000-7000-8000-000000000000".to_owned()
    };
    path.replace("{id}", &id)
        .replace("{size}", "view")
        .replace("{key}", "nothing")
        .replace("{kind}", "staff.complaint_rated")
        .replace("{sid}", &"0".repeat(32))
        .replace("{file}", "log.jsonl")
}

async fn everybody(cast: &Cast<'_>, server: &TestServer) -> Vec<(&'static str, Person)> {
    let township = &cast.township;
    let elsewhere = township.village("西坡村").await;
    let department = township.department("民政办").await;
    vec![
        ("visitor", server.visitor()),
        ("reporter", cast.resident.clone()),
        ("other resident", township.resident(cast.village).await.0),
        ("resident elsewhere", township.resident(elsewhere).await.0),
        ("secretary", cast.secretary.clone()),
        ("secretary elsewhere", township.staff_of(elsewhere.id, Role::VillageSecretary).await.0),
        ("department", township.staff_of(department, Role::DepartmentHandler).await.0),
        ("office", cast.office.clone()),
        ("leader", cast.leader.clone()),
        ("discipline", township.staff(Role::DisciplinaryOfficer).await),
        ("county inspector", township.staff(Role::CountyInspector).await),
        ("city inspector", township.staff(Role::CityInspector).await),
        ("group administrator", township.staff(Role::GroupAdministrator).await),
        ("system administrator", township.staff(Role::SystemAdministrator).await),
    ]
}

async fn scene(cast: &Cast<'_>) -> (Scene, Person) {
    let (accused, accused_id) = cast.township.staff_of(cast.village.id, Role::VillageStaff).await;
    let complaint = json!({"body": "态度不好", "concerns": {"staff": [accused_id]}});
    let complaint = path(&cast.resident.post("/api/complaints", complaint).await);
    let problem = json!({
        "village_id": cast.village.id, "way": "residents", "category": "cold-faced", "words": "态度不好",
        "concerns": {"staff": [accused_id]},
    });
    let problem = cast.office.post("/api/problems", problem).await.ok()["id"].clone();
    let item = json!({
        "village_id": cast.village.id, "problem_ids": [problem], "title": "作风", "goal": "改", "measures": ["学"],
        "pace": "immediate", "due_on": "2026-04-10", "lead_unit_id": cast.village.id,
    });
    let item = cast.office.post("/api/rectifications", item).await.ok()["id"].clone();
    let boxed = TestBox::of(cast.village, "东河村", &[0, 20, 10, 10, 0]).about("村干部", Evaluatee::Staff(accused_id));
    let (evaluation, _) = cast.township.sealed_survey("cadre_evaluation", vec![boxed]).await;
    results::publish_finished(&cast.township.server.application.store, cast.township.county).await.unwrap();
    let officer = cast.township.staff(Role::DisciplinaryOfficer).await;
    key_of(&officer, cast.township.id).await;
    Reporter::at(&cast.resident).report(cast.township.id, "收了钱").await.ok();
    let reports = officer.get("/api/sealed-reports").await.ok();
    let scene = Scene {
        report: reports["items"][0]["id"].as_str().unwrap().to_owned(),
        evaluation: evaluation.to_string(),
        village: json!(cast.village.id),
        township: json!(cast.township.id),
        complaint,
        rectification: format!("/api/rectifications/{}", item.as_str().unwrap()),
        problem,
    };
    (scene, accused)
}

/// Whether the person got past the permission: done, or refused for what was asked and not for who asked.
fn class(answer: &Answer) -> &'static str {
    match answer.status.as_u16() {
        200..=399 => "done",
        401 => "sign in",
        403 => "forbidden",
        404 => "unknown",
        _ => "reached",
    }
}

#[track_caller]
fn check_form(operation: &str, who: &str, answer: &Answer) {
    let status = answer.status.as_u16();
    assert!(status < 500, "{operation} as {who}: {status} {}", answer.text);
    if status >= 400 {
        let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        assert_eq!(kind, "application/problem+json", "{operation} as {who}: {status} {}", answer.text);
        let problem = answer.json();
        let sentence = problem["detail"].as_str().unwrap_or_default();
        assert!(!sentence.is_ascii() && problem["code"].is_string(), "{operation} as {who}: {problem}");
    }
}

async fn send(person: &Person, method: &str, address: &str, body: &Value) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = person.request(method.clone(), address);
    Answer::of(if method == Method::GET { request } else { request.json(body) }).await
}

#[actix_web::test]
async fn nobody_gets_further_than_the_table_of_permissions_says() {
    let platform = Sandbox::new(SandboxSettings::default()).start("127.0.0.1:0").unwrap();
    let base = platform.wechat_base();
    let server = TestServer::start_with(Engine::Sqlite, |config| config.wechat.api_base = base).await;
    let cast = Cast::of(&server).await;
    let (scene, accused) = scene(&cast).await;
    let mut people = everybody(&cast, &server).await;
    people.push(("accused", accused));
    let description = serde_json::to_value(qingfeng::http::description()).unwrap();
    let mut table = String::new();
    for (method, path, operation) in operations(&description) {
        if path == "/api/sign-out" {
            // Would end the sessions of the others' requests; has a test of its own.
            continue;
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = if body.is_null() { json!({}) } else { example(&description, body, "", &scene) };
        let address = address(&path, &scene);
        let mut classes: Vec<(&str, Vec<&str>)> = Vec::new();
        for (who, person) in &people {
            let answer = send(person, &method, &address, &body).await;
            check_form(&format!("{method} {path}"), who, &answer);
            let class = class(&answer);
            match classes.iter_mut().find(|(known, _)| *known == class) {
                Some((_, names)) => names.push(who),
                None => classes.push((class, vec![who])),
            }
        }
        classes.sort_unstable();
        writeln!(table, "{method} {path}").unwrap();
        for (class, names) in classes {
            writeln!(table, "    {class}: {}", names.join(", ")).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[actix_web::test]
async fn garbage_is_refused_and_never_a_fault_of_the_server() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let (scene, _) = scene(&cast).await;
    let description = serde_json::to_value(qingfeng::http::description()).unwrap();
    let garbage = [
        json!({}),
        json!([]),
        json!("text"),
        json!(null),
        json!({"unknown": 1}),
        json!({"level": "perfect", "body": 7, "reason": "", "code": "\u{0}", "login": "x".repeat(5000)}),
        json!({"id": {"deep": [[[[[]]]]]}}),
    ];
    for (method, path, _) in operations(&description) {
        if path == "/api/sign-out" {
            continue;
        }
        for address in [address(&path, &scene), path.replace("{id}", "not-an-id").replace("{size}", "%00")] {
            for body in &garbage {
                for person in [&cast.office, &cast.resident] {
                    let answer = send(person, &method, &address, body).await;
                    check_form(&format!("{method} {path}"), "garbage", &answer);
                }
            }
        }
    }
}
