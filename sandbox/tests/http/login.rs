use chrono::TimeDelta;
use serde_json::Value;

use crate::platform::{Platform, code};

impl Platform {
    pub async fn exchange(&self, login_code: &str) -> Value {
        self.exchange_as("wxsandbox0000000001", "sandbox-app-secret", login_code).await
    }

    async fn exchange_as(&self, app_id: &str, secret: &str, login_code: &str) -> Value {
        self.get(&format!(
            "/wechat/sns/jscode2session?appid={app_id}&secret={secret}&js_code={login_code}&grant_type=authorization_code"
        ))
        .await
    }
}

#[tokio::test]
async fn a_code_gives_the_person_and_no_errcode() {
    let platform = Platform::start().await;
    let answer = platform.exchange(&platform.sandbox.login_code("o-villager")).await;
    assert_eq!(answer["openid"], "o-villager");
    assert_eq!(answer["session_key"].as_str().unwrap().len(), 24);
    assert!(answer.get("errcode").is_none());
}

#[tokio::test]
async fn the_answer_does_not_call_itself_json() {
    let platform = Platform::start().await;
    let response = platform.client.get(platform.url("/wechat/sns/jscode2session")).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain");
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert!(answer["errmsg"].as_str().unwrap().contains(" rid: "), "{answer}");
}

#[tokio::test]
async fn a_code_works_once() {
    let platform = Platform::start().await;
    let login_code = platform.sandbox.login_code("o-villager");
    assert_eq!(code(&platform.exchange(&login_code).await), 0);
    assert_eq!(code(&platform.exchange(&login_code).await), 40163);
}

#[tokio::test]
async fn a_code_lives_five_minutes() {
    let platform = Platform::start().await;
    let (early, late) = (platform.sandbox.login_code("o-villager"), platform.sandbox.login_code("o-villager"));
    platform.pass(TimeDelta::minutes(5));
    assert_eq!(code(&platform.exchange(&early).await), 0);
    platform.pass(TimeDelta::seconds(1));
    assert_eq!(code(&platform.exchange(&late).await), 40029);
}

#[tokio::test]
async fn an_invented_code_is_invalid() {
    let platform = Platform::start().await;
    assert_eq!(code(&platform.exchange("0invented").await), 40029);
    assert_eq!(code(&platform.exchange("").await), 41008);
}

#[tokio::test]
async fn the_wrong_application_or_secret_does_not_use_the_code_up() {
    let platform = Platform::start().await;
    let login_code = platform.sandbox.login_code("o-villager");
    assert_eq!(code(&platform.exchange_as("wxother", "sandbox-app-secret", &login_code).await), 40013);
    assert_eq!(code(&platform.exchange_as("wxsandbox0000000001", "wrong", &login_code).await), 40125);
    assert_eq!(code(&platform.exchange_as("", "wrong", &login_code).await), 41002);
    assert_eq!(code(&platform.exchange(&login_code).await), 0);
}

#[tokio::test]
async fn a_blocked_person_cannot_log_in() {
    let platform = Platform::start().await;
    let mut phone = qingfeng_sandbox::Phone::new("o-blocked", "手机乙");
    phone.blocked = true;
    platform.sandbox.add_phone(phone);
    assert_eq!(code(&platform.exchange(&platform.sandbox.login_code("o-blocked")).await), 40226);
}
