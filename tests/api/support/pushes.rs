//! Pushes to the address of the official account, signed by hand: for what no platform would send, or not twice.

use qingfeng_core::clock::Clock as _;
use reqwest::StatusCode;

use super::TestServer;

/// One delivery, of this moment; gives status and body of the answer.
pub async fn push(server: &TestServer, nonce: &str, body: &str) -> (StatusCode, String) {
    push_at(server, server.clock.now().timestamp(), nonce, body).await
}

/// The same, signed at another time.
pub async fn push_at(server: &TestServer, timestamp: i64, nonce: &str, body: &str) -> (StatusCode, String) {
    let timestamp = timestamp.to_string();
    let account = server.application.config.official_account.as_ref().expect("the server has an official account");
    let mut parts = [account.callback_token.as_str(), timestamp.as_str(), nonce];
    parts.sort_unstable();
    let signature = sha1_smol::Sha1::from(parts.concat()).digest().to_string();
    let query = [("signature", signature.as_str()), ("timestamp", timestamp.as_str()), ("nonce", nonce)];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("{}/callbacks/official-account", server.address);
    let answer = client.post(address).query(&query).body(body.to_owned()).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}
