//! A running simulator on a free port with a clock that only moves when it is told to.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_sandbox::{Group, Phone, RunningSandbox, Sandbox, SandboxSettings, Template};
use serde_json::{Value, json};

pub struct Platform {
    pub sandbox: Sandbox,
    pub running: RunningSandbox,
    pub client: reqwest::Client,
    now: Arc<Mutex<DateTime<Utc>>>,
}

impl Platform {
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut SandboxSettings)) -> Self {
        let now = Arc::new(Mutex::new("2026-11-24T02:00:00Z".parse().unwrap()));
        let clock = now.clone();
        let mut settings = SandboxSettings {
            // Most interfaces are tried one by one; what the two accounts have apart is in `two_accounts.rs`.
            official_account: None,
            clock: Arc::new(move || *clock.lock().unwrap()),
            phones: vec![Phone::new("o-villager", "手机甲").with_persona("村民 东河村 3 组")],
            groups: vec![Group::new("robot-donghe", "东河村村务群"), Group::new("robot-xihe", "西河村村务群")],
            templates: vec![
                Template::new("T-REMIND", "办理期限提醒").with_field("thing1", "事项").with_field("date2", "截止日期"),
                Template::new("T-LEVEL", "评价结果").with_choice("enum1", "评价", &["满意", "不满意"]),
            ],
            ..SandboxSettings::default()
        };
        change(&mut settings);
        let sandbox = Sandbox::new(settings);
        let running = sandbox.start("127.0.0.1:0").unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, running, client, now }
    }

    pub fn pass(&self, time: TimeDelta) {
        *self.now.lock().unwrap() += time;
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 200, "logical failures are HTTP 200");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        self.post_bytes(path, body.to_string()).await
    }

    pub async fn post_bytes(&self, path: &str, body: impl Into<reqwest::Body>) -> Value {
        let response = self.client.post(self.url(path)).body(body).send().await.unwrap();
        assert_eq!(response.status(), 200, "logical failures are HTTP 200");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    pub async fn token(&self) -> String {
        let answer = self.post("/wechat/cgi-bin/stable_token", &token_request()).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub async fn send_subscribe(&self, token: &str, message: &Value) -> Value {
        self.post(&format!("/wechat/cgi-bin/message/subscribe/send?access_token={token}"), message).await
    }

    pub async fn send_to_group(&self, key: &str, message: &Value) -> Value {
        self.post(&format!("/wecom/cgi-bin/webhook/send?key={key}"), message).await
    }
}

pub fn token_request() -> Value {
    json!({"grant_type": "client_credential", "appid": "wxsandbox0000000001", "secret": "sandbox-app-secret"})
}

pub fn reminder() -> Value {
    json!({
        "touser": "o-villager", "template_id": "T-REMIND", "page": "pages/items/detail?id=7",
        "miniprogram_state": "formal", "lang": "zh_CN",
        "data": {"thing1": {"value": "东河村三组水渠修复"}, "date2": {"value": "2026-11-30 18:00"}}
    })
}

/// The code of an answer; absent means success.
pub fn code(answer: &Value) -> i64 {
    answer.get("errcode").map_or(0, |code| code.as_i64().unwrap())
}
