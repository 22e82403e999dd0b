//! A proxy in front of co-signer or witness that kills a program at an exact moment of a conversation.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, http::StatusCode, web};

/// When to kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// What was asked never arrives.
    Before,
    /// It was done, and nobody hears of it.
    After,
}

type Kill = Box<dyn Fn() + Send>;

/// What it waits for.
struct Armed {
    path_ends: &'static str,
    moment: Moment,
    kill: Kill,
}

/// Passes everything on, until it is armed and what it waits for comes by.
pub struct Trap {
    pub address: String,
    state: Arc<State>,
    handle: ServerHandle,
}

struct State {
    target: String,
    client: reqwest::Client,
    armed: Mutex<Option<Armed>>,
}

impl Trap {
    pub fn before(target: &str) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        let state = State { target: target.to_owned(), client, armed: Mutex::default() };
        let state = Arc::new(state);
        let data = web::Data::from(state.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(64 << 20))
                .default_service(web::to(pass_on))
        });
        let server = server.workers(2).shutdown_timeout(1).listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { address, state, handle }
    }

    /// Kills when a request whose path ends like this comes by.
    pub fn arm(&self, path_ends: &'static str, moment: Moment, kill: impl Fn() + Send + 'static) {
        *self.state.armed.lock().unwrap() = Some(Armed { path_ends, moment, kill: Box::new(kill) });
    }

    pub fn has_sprung(&self) -> bool {
        self.state.armed.lock().unwrap().is_none()
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl State {
    /// Takes the trap out if this is what it waits for.
    fn springs(&self, path: &str, moment: Moment) -> Option<Armed> {
        self.armed.lock().unwrap().take_if(|armed| armed.moment == moment && path.ends_with(armed.path_ends))
    }
}

async fn pass_on(request: HttpRequest, body: web::Bytes, state: web::Data<State>) -> HttpResponse {
    let path = request.path().to_owned();
    let nothing = || HttpResponse::BadGateway().finish();
    if let Some(armed) = state.springs(&path, Moment::Before) {
        (armed.kill)();
        return nothing();
    }
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    let mut forwarded = state.client.request(method, format!("{}{}", state.target, request.uri()));
    for (name, value) in request.headers() {
        if !["host", "content-length", "connection", "transfer-encoding"].contains(&name.as_str()) {
            forwarded = forwarded.header(name.as_str(), value.as_bytes());
        }
    }
    let Ok(answer) = forwarded.body(body.to_vec()).send().await else { return nothing() };
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    let Ok(content) = answer.bytes().await else { return nothing() };
    if let Some(armed) = state.springs(&path, Moment::After) {
        (armed.kill)();
        return nothing();
    }
    let mut passed = HttpResponse::build(status);
    if let Some(kind) = kind {
        passed.content_type(kind);
    }
    passed.body(content.to_vec())
}
