//! The account's own server, as far as a push concerns it: checks the signature, keeps what came, answers as told.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

pub const TOKEN: &str = "sandbox-callback-token";
const ROBOT_TOKEN: &str = "sandbox-robot-token";

#[derive(Clone)]
pub enum Reply {
    Text(String),
    Body(String),
    Status(u16),
    Late(Duration),
}

#[derive(Clone, Default)]
pub struct AccountServer {
    pub url: String,
    received: Arc<Mutex<Vec<String>>>,
    replies: Arc<Mutex<Vec<Reply>>>,
}

impl AccountServer {
    /// Answers with these replies one after the other, then with `success`.
    pub fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/wechat/callback", listener.local_addr().unwrap());
        let server = Self { url, replies: Arc::new(Mutex::new(replies)), ..Self::default() };
        let shared = server.clone();
        let app = move || {
            App::new().app_data(web::Data::new(shared.clone())).route("/wechat/callback", web::post().to(receive))
        };
        tokio::spawn(HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run());
        server
    }

    pub fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
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

async fn receive(request: HttpRequest, body: String, server: web::Data<AccountServer>) -> HttpResponse {
    let query: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    // What the smart robot is told is signed with what it is sealed into.
    let sealed = serde_json::from_str::<serde_json::Value>(&body).unwrap_or_default();
    let (mut parts, name) = match sealed["encrypt"].as_str() {
        Some(encrypted) => (vec![ROBOT_TOKEN, &query["timestamp"], &query["nonce"], encrypted], "msg_signature"),
        None => (vec![TOKEN, &query["timestamp"], &query["nonce"]], "signature"),
    };
    parts.sort_unstable();
    if sha1_smol::Sha1::from(parts.concat()).digest().to_string() != query[name] {
        return HttpResponse::Forbidden().finish();
    }
    server.received.lock().unwrap().push(body);
    let reply = {
        let mut replies = server.replies.lock().unwrap();
        if replies.is_empty() { Reply::Body("success".into()) } else { replies.remove(0) }
    };
    match reply {
        Reply::Text(text) => HttpResponse::Ok().body(format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[gh_sandbox000001]]></FromUserName>\
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
