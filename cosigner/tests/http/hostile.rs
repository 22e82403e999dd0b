//! Whatever comes in, nothing panics and nothing is the server's fault.

use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
};
use reqwest::{Method, header};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    actors::Phone,
    support::{County, Engine},
};

fn routes(sid: &str, village: &str) -> Vec<(Method, String)> {
    vec![
        (Method::POST, "/v1/enrolments".into()),
        (Method::POST, "/v1/cosign".into()),
        (Method::GET, format!("/v1/roll?village={village}")),
        (Method::POST, "/v1/surveys".into()),
        (Method::POST, format!("/v1/surveys/{sid}/checkpoints")),
        (Method::POST, format!("/v1/surveys/{sid}/channel")),
        (Method::PUT, format!("/v1/surveys/{sid}/envelopes")),
        (Method::POST, format!("/v1/surveys/{sid}/close")),
        (Method::GET, format!("/v1/surveys/{sid}/count")),
    ]
}

#[rstest]
#[actix_web::test]
async fn hostile_bodies_are_refused_and_never_the_servers_fault(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let county = County::start(engine).await;
    let village = county.village_with_phones(5).await;
    let survey = county.open(&village).await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    let mut bodies: Vec<Vec<u8>> = (0..20).map(|_| bytes.new_tree(&mut runner).unwrap().current()).collect();
    bodies.extend([
        b"{}".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{\"sid\":".to_vec(),
        vec![b'['; 5000],
        json!({ "leaves": ["x"], "size_before": u64::MAX, "note": "x" }).to_string().into_bytes(),
        json!({ "leaves": [], "size_before": u64::MAX, "note": survey.note }).to_string().into_bytes(),
        json!({ "issued_a": [], "note": "\n\n— \n" }).to_string().into_bytes(),
        json!({ "code": "票".repeat(21), "device": "00", "signature": "zz" }).to_string().into_bytes(),
    ]);
    for sid in [survey.sid.to_string(), "nonsense".into(), "00".repeat(16), "%00".into(), "..%2f..".into()] {
        for (method, path) in routes(&sid, "not-an-id") {
            for body in &bodies {
                for answer in [
                    county.send(method.clone(), &path, body.clone()).await,
                    county.operate(method.clone(), &path, body.clone()).await,
                ] {
                    assert!((400..500).contains(&answer.status.as_u16()), "{method} {path} {body:?}: {answer:?}");
                    assert!(answer.body["code"].is_string(), "{path}: {answer:?}");
                    assert!(answer.body["detail"].is_string());
                }
            }
        }
    }
}

#[actix_web::test]
async fn a_body_beyond_all_measure_is_refused() {
    let county = County::start(Engine::Sqlite).await;
    let long = vec![b' '; 17 * 1024];
    for path in ["/v1/enrolments", "/v1/cosign"] {
        assert_eq!(county.send(Method::POST, path, long.clone()).await.refusal(), (413, "body_too_large"));
    }
}

#[actix_web::test]
async fn pages_of_any_origin_may_ask_but_never_with_credentials() {
    let county = County::start(Engine::Sqlite).await;
    let village = county.village(1).await;
    let origin = "https://somewhere.example";
    for path in ["/v1/enrolments", "/v1/cosign", "/api/site"] {
        let asked = county
            .client
            .request(Method::OPTIONS, county.url(path))
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type")
            .send()
            .await
            .unwrap();
        assert!(asked.status().is_success(), "{path}");
        assert_eq!(asked.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(asked.headers().get(header::ACCESS_CONTROL_ALLOW_CREDENTIALS).is_none());
    }
    let phone = Phone::new();
    let enrolled = county
        .client
        .post(county.url("/v1/enrolments"))
        .header(header::ORIGIN, origin)
        .body(phone.enrolment(&village.people[0].code).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(enrolled.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(enrolled.headers().get(header::SET_COOKIE).is_none());
    let operator = county.client.get(county.url("/v1/roll")).header(header::ORIGIN, origin).send().await.unwrap();
    assert!(operator.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_none());
}

#[actix_web::test]
async fn everybody_learns_who_this_is_and_which_keys_it_trusts() {
    let county = County::start_with(Engine::Sqlite, |settings| settings.surveys.single_operator = true).await;
    let site = county.send(Method::GET, "/api/site", Vec::new()).await.ok();
    let vkeys = json!([
        format!("platform {}", county.platform.log.public),
        format!("cosigner {}", county.cosigner.authority.log_signer().public),
    ]);
    assert_eq!(
        site,
        json!({
            "served_by": "cosigner",
            "single_operator": true,
            "platform": "http://127.0.0.1:8080",
            "cosigner": "http://127.0.0.1:8070",
            "box": "http://127.0.0.1:8085",
            "vkeys": vkeys,
            "demo": false,
        })
    );
    let keys = county.send(Method::GET, "/v1/keys", Vec::new()).await;
    assert_eq!(keys.body.as_str().unwrap().lines().count(), 2);
    assert_eq!(county.send(Method::GET, "/healthz", Vec::new()).await.body, Value::from("ok"));
    assert_eq!(county.send(Method::GET, "/readyz", Vec::new()).await.body, Value::from("ok"));
    let front = county.client.get(county.url("/v1/nowhere")).send().await.unwrap();
    let policy = front.headers()["Content-Security-Policy"].to_str().unwrap().to_owned();
    assert_eq!(front.status(), 404);
    let connect = "connect-src 'self' http://127.0.0.1:8080 http://127.0.0.1:8085 http://127.0.0.1:8070;";
    assert!(policy.contains(connect), "{policy}");
}
