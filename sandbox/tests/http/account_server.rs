//! The account's own server, as far as a push concerns it: checks the signature, opens what is encrypted, keeps what
//! came, answers as told.

use std::{
    collections::HashMap,
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aes::cipher::{BlockDecryptMut as _, KeyIvInit as _, block_padding::NoPadding};
use base64::{
    Engine as _, alphabet,
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};

pub const TOKEN: &str = "sandbox-callback-token";
const ROBOT_TOKEN: &str = "sandbox-robot-token";

#[derive(Clone)]
pub enum Reply {
    Text(String),
    Body(String),
    Status(u16),
    Late(Duration),
}

/// What was agreed about encryption.
#[derive(Clone)]
struct Agreement {
    token: String,
    key: String,
    receiver: String,
}

/// A push as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub query: HashMap<String, String>,
    pub body: String,
}

#[derive(Clone, Default)]
pub struct AccountServer {
    pub url: String,
    agreement: Option<Agreement>,
    received: Arc<Mutex<Vec<String>>>,
    raw: Arc<Mutex<Vec<Received>>>,
    replies: Arc<Mutex<Vec<Reply>>>,
    echo_after: Duration,
}

impl AccountServer {
    /// Answers with these replies one after the other, then with `success`.
    pub fn start(replies: Vec<Reply>) -> Self {
        Self { replies: Arc::new(Mutex::new(replies)), ..Self::default() }.listen()
    }

    /// Takes nothing but what is encrypted for this receiver.
    pub fn encrypted(token: &str, key: &str, receiver: &str, replies: Vec<Reply>) -> Self {
        let agreement = Agreement { token: token.into(), key: key.into(), receiver: receiver.into() };
        Self { agreement: Some(agreement), replies: Arc::new(Mutex::new(replies)), ..Self::default() }.listen()
    }

    /// Answers the console's question after this time.
    pub fn slow_to_verify(token: &str, key: &str, receiver: &str, echo_after: Duration) -> Self {
        let agreement = Agreement { token: token.into(), key: key.into(), receiver: receiver.into() };
        Self { agreement: Some(agreement), echo_after, ..Self::default() }.listen()
    }

    fn listen(mut self) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.url = format!("http://{}/wechat/callback", listener.local_addr().unwrap());
        let shared = self.clone();
        let app = move || {
            App::new()
                .app_data(web::Data::new(shared.clone()))
                .route("/wechat/callback", web::post().to(receive))
                .route("/wechat/callback", web::get().to(verify))
        };
        tokio::spawn(HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run());
        self
    }

    /// The honest messages, opened.
    pub fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }

    /// Everything that came, the forged too.
    pub fn raw(&self) -> Vec<Received> {
        self.raw.lock().unwrap().clone()
    }

    /// Waits for what arrives by itself.
    pub async fn wait_for(&self, count: usize) -> Vec<String> {
        for _ in 0..200 {
            if self.received().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.received()
    }
}

fn sha1(mut parts: Vec<&str>) -> String {
    parts.sort_unstable();
    sha1_smol::Sha1::from(parts.concat()).digest().to_string()
}

impl Agreement {
    fn open(&self, query: &HashMap<String, String>, encrypted: &str) -> Option<String> {
        let signature = sha1(vec![&self.token, &query["timestamp"], &query["nonce"], encrypted]);
        if query.get("msg_signature") != Some(&signature) {
            return None;
        }
        let lenient = NO_PAD.with_decode_allow_trailing_bits(true);
        let key: [u8; 32] =
            GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(&self.key).unwrap().try_into().unwrap();
        let sealed = base64::engine::general_purpose::STANDARD.decode(encrypted).ok()?;
        let cipher = cbc::Decryptor::<aes::Aes256>::new(&key.into(), key[..16].into());
        let frame = cipher.decrypt_padded_vec_mut::<NoPadding>(&sealed).ok()?;
        let padding = usize::from(*frame.last()?);
        if !(1..=32).contains(&padding) || padding > frame.len() {
            return None;
        }
        let frame = &frame[..frame.len() - padding];
        let length = u32::from_be_bytes(frame.get(16..20)?.try_into().ok()?) as usize;
        let message = frame.get(20..20_usize.checked_add(length)?)?;
        (&frame[20 + length..] == self.receiver.as_bytes()).then(|| String::from_utf8(message.to_vec()).ok())?
    }
}

fn query(request: &HttpRequest) -> HashMap<String, String> {
    url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect()
}

/// The encrypted text of an envelope, XML or JSON.
fn encrypted(body: &str) -> Option<String> {
    if body.starts_with('{') {
        return Some(serde_json::from_str::<serde_json::Value>(body).ok()?["Encrypt"].as_str()?.to_owned());
    }
    let (_, rest) = body.split_once("<Encrypt><![CDATA[")?;
    Some(rest.split_once("]]>")?.0.to_owned())
}

async fn verify(request: HttpRequest, server: web::Data<AccountServer>) -> HttpResponse {
    tokio::time::sleep(server.echo_after).await;
    let query = query(&request);
    match server.agreement.as_ref().and_then(|agreement| agreement.open(&query, &query["echostr"])) {
        Some(echo) => HttpResponse::Ok().body(echo),
        None => HttpResponse::Forbidden().finish(),
    }
}

/// What the smart robot is told is signed with what it is sealed into.
fn is_signed(query: &HashMap<String, String>, body: &str) -> bool {
    let (timestamp, nonce) = (query["timestamp"].as_str(), query["nonce"].as_str());
    let sealed = serde_json::from_str::<serde_json::Value>(body).unwrap_or_default();
    match sealed["encrypt"].as_str() {
        Some(encrypted) => sha1(vec![ROBOT_TOKEN, timestamp, nonce, encrypted]) == query["msg_signature"],
        None => sha1(vec![TOKEN, timestamp, nonce]) == query["signature"],
    }
}

async fn receive(request: HttpRequest, body: String, server: web::Data<AccountServer>) -> HttpResponse {
    let query = query(&request);
    server.raw.lock().unwrap().push(Received { query: query.clone(), body: body.clone() });
    let message = match &server.agreement {
        Some(agreement) => encrypted(&body).and_then(|encrypted| agreement.open(&query, &encrypted)),
        None => is_signed(&query, &body).then_some(body),
    };
    let Some(message) = message else { return HttpResponse::Forbidden().finish() };
    let written_to = message.split_once("<ToUserName><![CDATA[").and_then(|(_, rest)| rest.split_once("]]>"));
    let written_to = written_to.map_or_else(String::new, |(account, _)| account.to_owned());
    server.received.lock().unwrap().push(message);
    let reply = {
        let mut replies = server.replies.lock().unwrap();
        if replies.is_empty() { Reply::Body("success".into()) } else { replies.remove(0) }
    };
    match reply {
        Reply::Text(text) => HttpResponse::Ok().body(format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[{written_to}]]></FromUserName>\
             <CreateTime>1</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content></xml>",
            query["openid"]
        )),
        Reply::Body(body) => HttpResponse::Ok().body(body),
        Reply::Status(status) => HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).finish(),
        Reply::Late(time) => {
            tokio::time::sleep(time).await;
            HttpResponse::Ok().body("success")
        }
    }
}
