use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::platform::{Platform, code, reminder, token_request};

impl Platform {
    async fn stable(&self, force: bool) -> Value {
        let mut request = token_request();
        request["force_refresh"] = json!(force);
        self.post("/wechat/cgi-bin/stable_token", &request).await
    }

    async fn legacy(&self) -> String {
        let query = "grant_type=client_credential&appid=wxsandbox0000000001&secret=sandbox-app-secret";
        let answer = self.get(&format!("/wechat/cgi-bin/token?{query}")).await;
        assert_eq!(answer["expires_in"], 7200);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn judge(&self, token: &str) -> i64 {
        code(&self.get(&format!("/wechat/wxaapi/newtmpl/gettemplate?access_token={token}")).await)
    }
}

#[tokio::test]
async fn the_stable_token_stays_the_same_and_tells_what_is_left() {
    let platform = Platform::start().await;
    let first = platform.stable(false).await;
    assert_eq!(first["expires_in"], 7200);
    assert!(first.get("errcode").is_none());
    platform.pass(TimeDelta::seconds(6800));
    let second = platform.stable(false).await;
    assert_eq!(second["access_token"], first["access_token"]);
    assert_eq!(second["expires_in"], 400);
}

#[tokio::test]
async fn in_the_last_five_minutes_a_new_token_comes_and_the_old_one_still_works() {
    let platform = Platform::start().await;
    let old = platform.token().await;
    platform.pass(TimeDelta::seconds(6901));
    let new = platform.token().await;
    assert_ne!(new, old);
    assert_eq!((platform.judge(&old).await, platform.judge(&new).await), (0, 0));
    platform.pass(TimeDelta::seconds(299));
    assert_eq!((platform.judge(&old).await, platform.judge(&new).await), (42001, 0));
}

#[tokio::test]
async fn a_forced_refresh_kills_the_former_token_and_is_rationed() {
    let platform = Platform::start().await;
    let old = platform.token().await;
    assert_eq!(code(&platform.stable(true).await), 0);
    assert_eq!(platform.judge(&old).await, 40001);
    platform.pass(TimeDelta::seconds(29));
    assert_eq!(code(&platform.stable(true).await), 45011);
    for _ in 0..19 {
        platform.pass(TimeDelta::seconds(31));
        assert_eq!(code(&platform.stable(true).await), 0);
    }
    platform.pass(TimeDelta::seconds(31));
    assert_eq!(code(&platform.stable(true).await), 45009);
}

#[tokio::test]
async fn every_legacy_call_retires_the_former_token_after_five_minutes() {
    let platform = Platform::start().await;
    let (stable, old, new) = (platform.token().await, platform.legacy().await, platform.legacy().await);
    assert_ne!(old, new);
    assert_eq!(platform.judge(&old).await, 0);
    platform.pass(TimeDelta::minutes(5));
    assert_eq!(platform.judge(&old).await, 42001);
    assert_eq!((platform.judge(&new).await, platform.judge(&stable).await), (0, 0));
}

#[tokio::test]
async fn a_call_with_a_bad_token_is_refused_by_what_is_wrong_with_it() {
    let platform = Platform::start().await;
    platform.sandbox.accept_subscription("o-villager", "T-REMIND", 1);
    let token = platform.token().await;
    assert_eq!(code(&platform.send_subscribe("", &reminder()).await), 41001);
    assert_eq!(code(&platform.send_subscribe("short", &reminder()).await), 40014);
    assert_eq!(code(&platform.send_subscribe(&"a".repeat(128), &reminder()).await), 40001);
    platform.sandbox.revoke_tokens();
    assert_eq!(code(&platform.send_subscribe(&token, &reminder()).await), 40001);
    let token = platform.token().await;
    platform.pass(TimeDelta::seconds(7200));
    assert_eq!(code(&platform.send_subscribe(&token, &reminder()).await), 42001);
    assert!(platform.sandbox.deliveries().is_empty());
    assert_eq!(platform.sandbox.accepts_left("o-villager", "T-REMIND"), 1);
}

#[tokio::test]
async fn a_token_may_be_about_to_end_and_every_asking_is_counted() {
    let platform = Platform::start().await;
    for (asked, seconds) in [345, 300, 1].into_iter().enumerate() {
        let put = platform.client.put(platform.url("/sandbox/tokens/lifetime")).json(&json!({"seconds": seconds}));
        assert_eq!(put.send().await.unwrap().status(), 204);
        platform.sandbox.revoke_tokens();
        let fresh = platform.stable(false).await;
        assert_eq!(fresh["expires_in"], seconds);
        assert_eq!(platform.judge(fresh["access_token"].as_str().unwrap()).await, 0);
        let counts = platform.get("/sandbox/journal/counts").await;
        assert_eq!(counts["wechat /cgi-bin/stable_token"], asked + 1);
    }
}

#[tokio::test]
async fn a_days_number_is_cleared_ten_times_a_month() {
    let platform = Platform::start().await;
    let token = platform.token().await;
    let path = format!("/wechat/cgi-bin/clear_quota?access_token={token}");
    let clear = async |app_id: &str| code(&platform.post(&path, &json!({"appid": app_id})).await);
    assert_eq!(clear("wxother").await, 40013);
    for expected in [[0; 10].as_slice(), &[48006]].concat() {
        assert_eq!(clear("wxsandbox0000000001").await, expected);
    }
}

#[tokio::test]
async fn the_token_request_is_checked() {
    let platform = Platform::start().await;
    for (field, value, expected) in [
        ("grant_type", json!("password"), 40002),
        ("appid", json!("wxother"), 40013),
        ("secret", json!("wrong"), 40125),
        ("appid", json!(""), 41002),
        ("secret", json!(""), 41004),
        ("force_refresh", json!("yes"), 47001),
        ("extra", json!(1), 47001),
    ] {
        let mut request = token_request();
        request[field] = value;
        assert_eq!(code(&platform.post("/wechat/cgi-bin/stable_token", &request).await), expected, "{request}");
    }
    assert_eq!(code(&platform.get("/wechat/cgi-bin/stable_token").await), 43002);
    assert_eq!(code(&platform.post("/wechat/cgi-bin/token", &json!({})).await), 43001);
}
