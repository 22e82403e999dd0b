//! Pushes to the addresses of both accounts, signed by hand: for what no platform would send, or not twice.

use qingfeng_core::clock::Clock as _;
use reqwest::StatusCode;

use super::TestServer;

/// One delivery to the official account, of this moment; gives status and body of the answer.
pub async fn push(server: &TestServer, nonce: &str, body: &str) -> (StatusCode, String) {
    push_at(server, server.clock.now().timestamp(), nonce, body).await
}

/// The same, signed at another time.
pub async fn push_at(server: &TestServer, timestamp: i64, nonce: &str, body: &str) -> (StatusCode, String) {
    let account = server.application.config.official_account.as_ref().expect("the server has an official account");
    signed(server, "official-account", &account.callback_token, timestamp, nonce, body).await
}

/// One delivery to the mini-program, of this moment.
pub async fn push_to_mini_program(server: &TestServer, nonce: &str, body: &str) -> (StatusCode, String) {
    let token = &server.application.config.wechat.callback_token;
    signed(server, "wechat", token, server.clock.now().timestamp(), nonce, body).await
}

async fn signed(
    server: &TestServer,
    address: &str,
    token: &str,
    timestamp: i64,
    nonce: &str,
    body: &str,
) -> (StatusCode, String) {
    let timestamp = timestamp.to_string();
    let mut parts = [token, timestamp.as_str(), nonce];
    parts.sort_unstable();
    let signature = sha1_smol::Sha1::from(parts.concat()).digest().to_string();
    let query = [("signature", signature.as_str()), ("timestamp", timestamp.as_str()), ("nonce", nonce)];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("{}/callbacks/{address}", server.address);
    let answer = client.post(address).query(&query).body(body.to_owned()).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}
