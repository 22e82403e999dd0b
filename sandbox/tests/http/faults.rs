use std::time::{Duration, Instant};

use qingfeng_sandbox::{BlackHole, Fault, FaultKind, Platform as Which, Silence};
use rstest::rstest;
use serde_json::{Value, json};

use crate::platform::{Platform, code};

const SEND: &str = "/cgi-bin/webhook/send";

fn text() -> Value {
    json!({"msgtype": "text", "text": {"content": "进度通报"}})
}

impl Platform {
    async fn raw(&self) -> reqwest::Result<reqwest::Response> {
        let url = self.url("/wecom/cgi-bin/webhook/send?key=robot-donghe");
        self.client.post(url).body(text().to_string()).send().await
    }

    fn arrived(&self) -> usize {
        self.sandbox.delivered_to_group("robot-donghe").len()
    }
}

#[tokio::test]
async fn a_cut_connection_gives_no_answer_but_the_message_arrived() {
    let platform = Platform::start().await;
    platform.sandbox.inject(Fault::new(Which::WeCom, FaultKind::Cut).at(SEND).times(1));
    assert!(platform.raw().await.is_err());
    assert_eq!(platform.arrived(), 1);
    assert_eq!(platform.raw().await.unwrap().status(), 200);
    let occurrences: Vec<u32> =
        platform.sandbox.delivered_to_group("robot-donghe").iter().map(|delivery| delivery.occurrence).collect();
    assert_eq!(occurrences, [1, 2]);
}

#[tokio::test]
async fn a_truncated_answer_is_no_json_but_the_message_arrived() {
    let platform = Platform::start().await;
    platform.sandbox.inject(Fault::new(Which::WeCom, FaultKind::Truncated).times(1));
    let body = platform.raw().await.unwrap().text().await.unwrap();
    assert!(!body.is_empty() && serde_json::from_str::<Value>(&body).is_err(), "{body}");
    assert_eq!(platform.arrived(), 1);
}

#[tokio::test]
async fn a_gateway_error_is_a_page_and_nothing_arrived() {
    let platform = Platform::start().await;
    platform.sandbox.inject(Fault::new(Which::WeCom, FaultKind::BadGateway).times(1));
    let response = platform.raw().await.unwrap();
    assert_eq!(response.status(), 502);
    assert!(response.text().await.unwrap().starts_with("<html>"));
    assert_eq!(platform.arrived(), 0);
}

#[tokio::test]
async fn a_busy_burst_ends_after_its_times() {
    let platform = Platform::start().await;
    platform.sandbox.inject(Fault::new(Which::WeCom, FaultKind::Busy).times(3));
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(code(&platform.send_to_group("robot-donghe", &text()).await));
    }
    assert_eq!(codes, [-1, -1, -1, 0]);
    assert_eq!(platform.arrived(), 1);
    let calls = platform.sandbox.calls();
    assert_eq!(calls.iter().map(|call| call.code).collect::<Vec<_>>(), codes);
    assert_eq!((calls[0].endpoint.as_str(), calls[0].fault, calls[3].fault), (SEND, Some("busy"), None));
}

#[tokio::test]
async fn a_delayed_answer_comes_late_and_the_message_arrived_in_time() {
    let platform = Platform::start().await;
    platform.sandbox.inject(Fault::new(Which::WeCom, FaultKind::Delay { milliseconds: 1200 }).times(2));
    let url = platform.url("/wecom/cgi-bin/webhook/send?key=robot-donghe");
    let impatient = platform.client.post(url).body(text().to_string()).timeout(Duration::from_millis(800));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    assert_eq!(platform.arrived(), 1);
    let start = Instant::now();
    assert_eq!(platform.raw().await.unwrap().status(), 200);
    assert!(start.elapsed() >= Duration::from_millis(1200));
}

#[tokio::test]
async fn a_held_answer_comes_when_the_fault_ends_and_the_message_arrived_before() {
    let platform = Platform::start().await;
    let held = platform.sandbox.inject(Fault::new(Which::WeCom, FaultKind::Hold).at(SEND));
    let meanwhile = async {
        for attempt in 0.. {
            if platform.arrived() == 1 {
                break;
            }
            assert!(attempt < 2000, "the call is carried out");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(platform.sandbox.end_fault(held));
    };
    let (answer, ()) = futures::join!(platform.raw(), meanwhile);
    assert_eq!(answer.unwrap().status(), 200);
}

#[tokio::test]
async fn an_outage_takes_one_platform_until_it_ends() {
    let platform = Platform::start().await;
    let outage = platform.sandbox.inject(Fault::new(Which::WeCom, FaultKind::Outage));
    for _ in 0..3 {
        assert_eq!(platform.raw().await.unwrap().status(), 503);
    }
    platform.token().await;
    assert!(platform.sandbox.end_fault(outage));
    assert_eq!(platform.raw().await.unwrap().status(), 200);
    assert_eq!(platform.arrived(), 1);
}

#[tokio::test]
async fn a_stopped_platform_refuses_connections_and_remembers_everything() {
    let platform = Platform::start().await;
    platform.raw().await.unwrap();
    let Platform { sandbox, running, .. } = platform;
    let address = running.address;
    running.stop().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{address}/wecom/cgi-bin/webhook/send?key=robot-donghe");
    assert!(client.post(&url).body(text().to_string()).send().await.unwrap_err().is_connect());
    let again = sandbox.start(address).unwrap();
    assert_eq!(client.post(&url).body(text().to_string()).send().await.unwrap().status(), 200);
    assert_eq!(sandbox.delivered_to_group("robot-donghe").len(), 2);
    again.stop().await;
}

#[tokio::test]
async fn faults_are_set_listed_and_ended_through_http() {
    let platform = Platform::start().await;
    let fault = json!({"platform": "wecom", "endpoint": SEND, "kind": "refuse", "code": 45009, "times": 2});
    let created = platform.client.post(platform.url("/sandbox/faults")).json(&fault).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let id = created.json::<Value>().await.unwrap()["id"].clone();
    assert_eq!(code(&platform.send_to_group("robot-donghe", &text()).await), 45009);
    let listed = platform.get("/sandbox/faults").await;
    assert_eq!((&listed[0]["id"], &listed[0]["times"], &listed[0]["kind"]), (&id, &json!(1), &json!("refuse")));
    let ended = platform.client.delete(platform.url(&format!("/sandbox/faults/{id}"))).send().await.unwrap();
    assert_eq!(ended.status(), 204);
    assert_eq!(code(&platform.send_to_group("robot-donghe", &text()).await), 0);
    let wrong = json!({"platform": "wecom", "kind": "earthquake"});
    let refused = platform.client.post(platform.url("/sandbox/faults")).json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn the_journal_is_read_by_platform_kind_recipient_and_time() {
    let platform = Platform::start().await;
    platform.raw().await.unwrap();
    platform.pass(chrono::TimeDelta::hours(1));
    platform.send_to_group("robot-xihe", &json!({"msgtype": "markdown", "markdown": {"content": "**公示**"}})).await;
    let total = async |query: &str| platform.get(&format!("/sandbox/journal?{query}")).await["total"].clone();
    assert_eq!(total("").await, 2);
    assert_eq!(total("platform=wecom").await, 2);
    assert_eq!(total("platform=wechat").await, 0);
    assert_eq!(total("to=robot-donghe").await, 1);
    assert_eq!(total("kind=markdown").await, 1);
    assert_eq!(total("text=%E5%85%AC%E7%A4%BA").await, 1);
    assert_eq!(total("since=2026-11-24T02:30:00Z").await, 1);
    let entry = &platform.get("/sandbox/journal?to=robot-xihe").await["entries"][0];
    assert_eq!(entry["to"], json!({"group": "robot-xihe"}));
    assert_eq!((&entry["content"]["text"], &entry["occurrence"]), (&json!("**公示**"), &json!(1)));
}

#[tokio::test]
async fn an_interface_that_is_not_played_is_said_to_be_none() {
    let platform = Platform::start().await;
    for path in ["/wechat/cgi-bin/nothing", "/wecom/cgi-bin/nothing"] {
        let response = platform.client.get(platform.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(code(&response.json::<Value>().await.unwrap()), 40066);
    }
    assert_eq!(platform.sandbox.calls().iter().map(|call| call.code).collect::<Vec<_>>(), [40066, 40066]);
}

#[rstest]
#[case(502)]
#[case(504)]
#[tokio::test]
async fn a_gateway_gives_up_after_the_platform_took_the_message(#[case] status: u16) {
    let platform = Platform::start().await;
    platform.sandbox.inject(Fault::new(Which::WeCom, FaultKind::GatewayAfter { status }).times(1));
    let response = platform.raw().await.unwrap();
    assert_eq!(response.status(), status);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(response.text().await.unwrap().starts_with("<html>"));
    assert_eq!(platform.arrived(), 1, "it was taken all the same");
    assert_eq!(platform.sandbox.calls()[0].code, 0);
    assert_eq!(platform.raw().await.unwrap().status(), 200);
    let held = json!({"platform": "wecom", "kind": "hold", "times": 1});
    let refused = platform.client.post(platform.url("/sandbox/faults")).json(&held).send().await.unwrap();
    assert_eq!(refused.status(), 422, "it is held until the fault is ended");
    let odd = json!({"platform": "wecom", "kind": "gateway_after", "status": 200});
    let refused = platform.client.post(platform.url("/sandbox/faults")).json(&odd).send().await.unwrap();
    assert_eq!(refused.status(), 422);
}

#[tokio::test]
async fn a_silent_platform_takes_the_request_and_neither_answers_nor_does_it() {
    let platform = Platform::start().await;
    platform.sandbox.inject(Fault::new(Which::WeCom, FaultKind::Silent).times(1));
    let url = platform.url("/wecom/cgi-bin/webhook/send?key=robot-donghe");
    let patient = platform.client.post(url).body(text().to_string()).timeout(Duration::from_millis(600));
    let error = patient.send().await.unwrap_err();
    assert!(error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!(platform.arrived(), 0);
    assert_eq!(platform.raw().await.unwrap().status(), 200);
}

#[rstest]
#[case::never_opens(Silence::NeverOpens, true)]
#[case::never_answers(Silence::NeverAnswers, false)]
#[tokio::test]
async fn behind_a_black_hole_nothing_answers_until_the_platform_is_back(
    #[case] silence: Silence,
    #[case] before_opening: bool,
) {
    let Platform { sandbox, running, .. } = Platform::start().await;
    let address = running.address;
    running.stop().await;
    let hole = BlackHole::open(address, silence).await.unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(Duration::from_millis(400))
        .timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let url = format!("http://{}/wecom/cgi-bin/webhook/send?key=robot-donghe", hole.address);
    let error = client.post(&url).body(text().to_string()).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.is_connect(), before_opening, "{error:?}");
    assert!(sandbox.delivered_to_group("robot-donghe").is_empty());
    drop(hole);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let again = sandbox.start(address).unwrap();
    assert_eq!(client.post(&url).body(text().to_string()).send().await.unwrap().status(), 200);
    assert_eq!(sandbox.delivered_to_group("robot-donghe").len(), 1);
    again.stop().await;
}
