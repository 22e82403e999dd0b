//! Pushes to the address of the official account, signed by hand: for what no platform would send, or not twice.

use reqwest::StatusCode;

use super::TestServer;

/// One delivery; gives status and body of the answer.
pub async fn push(server: &TestServer, nonce: &str, body: &str) -> (StatusCode, String) {
    let timestamp = "1772413200";
    let token = &server.application.config.wechat.callback_token;
    let mut parts = [token.as_str(), timestamp, nonce];
    parts.sort_unstable();
    let signature = sha1_smol::Sha1::from(parts.concat()).digest().to_string();
    let query = [("signature", signature.as_str()), ("timestamp", timestamp), ("nonce", nonce)];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("{}/callbacks/wechat", server.address);
    let answer = client.post(address).query(&query).body(body.to_owned()).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}
