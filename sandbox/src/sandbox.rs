//! The simulator itself: its state, its routes, its server.

use std::{
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web};
use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use crate::{
    administration, dingtalk, faults, feishu,
    journal::Platform,
    pages,
    settings::{Clock, SandboxSettings},
    state::State,
    switches,
    wechat::{self, PushManner, Target},
    wecom,
};

/// A simulator. Clones share one state.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    clock: Clock,
    client: reqwest::Client,
    token_lifetime: Duration,
    push_patience: Duration,
    verification_patience: Duration,
    push_deliveries: u32,
    /// Told whenever a push has arrived.
    arrivals: Notify,
    subscribe_send_duration: Duration,
}

impl Sandbox {
    /// # Panics
    /// When a template of the settings has a key that no platform knows, or no HTTP client can be built.
    #[must_use]
    pub fn new(settings: SandboxSettings) -> Self {
        let mut state = State {
            account: settings.account,
            official_account: settings.official_account,
            open_platform: settings.open_platform,
            wecom_account: settings.wecom,
            limits: settings.limits,
            ..State::default()
        };
        for template in settings.templates {
            template.check().expect("templates in settings have the platform's keys");
            state.templates.insert(template.id.clone(), template);
        }
        state.groups = settings.groups.into_iter().map(|group| (group.key.clone(), group)).collect();
        state.phones = settings.phones.into_iter().map(|phone| (phone.openid.clone(), phone)).collect();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client without special settings can be built");
        let inner = Inner {
            state: Mutex::new(state),
            clock: settings.clock,
            client,
            token_lifetime: settings.token_lifetime,
            push_patience: settings.push_patience,
            verification_patience: settings.verification_patience,
            push_deliveries: settings.push_deliveries,
            arrivals: Notify::new(),
            subscribe_send_duration: settings.subscribe_send_duration,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Adds the simulator to an application: `/wechat`, `/wecom`, `/dingtalk`, `/feishu`, `/sandbox` and `/connect`.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(web::Data::new(self.clone()))
            .configure(pages::authorization)
            .service(
                web::scope("/wechat")
                    .wrap(from_fn(|request, next| faults::inject(Platform::WeChat, request, next)))
                    .configure(wechat::routes),
            )
            .service(
                web::scope("/wecom")
                    .wrap(from_fn(|request, next| faults::inject(Platform::WeCom, request, next)))
                    .configure(wecom::routes),
            )
            .service(
                web::scope("/dingtalk")
                    .wrap(from_fn(|request, next| faults::inject(Platform::DingTalk, request, next)))
                    .configure(dingtalk::routes),
            )
            .service(
                web::scope("/feishu")
                    .wrap(from_fn(|request, next| faults::inject(Platform::Feishu, request, next)))
                    .configure(feishu::routes),
            )
            .service(
                web::scope("/sandbox")
                    .wrap(from_fn(pages::guard))
                    .configure(administration::routes)
                    .configure(switches::routes)
                    .configure(pages::routes),
            );
    }

    /// Serves the simulator by itself. Stop it and start it again on the same address to play a platform that is down:
    /// the state survives.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn start(&self, bind: impl ToSocketAddrs) -> std::io::Result<RunningSandbox> {
        let listener = TcpListener::bind(bind)?;
        let address = listener.local_addr()?;
        let sandbox = self.clone();
        let server = HttpServer::new(move || App::new().configure(|config| sandbox.configure(config)))
            .workers(1)
            .disable_signals()
            .listen(listener)?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(RunningSandbox { address, handle })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.inner.clock)()
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.inner.client
    }

    pub(crate) fn token_lifetime(&self) -> Duration {
        self.state().token_lifetime.unwrap_or(self.inner.token_lifetime)
    }

    pub(crate) fn push_patience(&self) -> Duration {
        self.inner.push_patience
    }

    /// WeCom's console waits a second for its question to be answered, WeChat's as long as for a push.
    pub(crate) fn verification_patience(&self, target: &Target) -> Duration {
        match target.manner {
            PushManner::Corporation { .. } | PushManner::SmartRobot => self.inner.verification_patience,
            PushManner::Account | PushManner::Compatible => self.inner.push_patience,
        }
    }

    pub(crate) fn arrivals(&self) -> &Notify {
        &self.inner.arrivals
    }

    pub(crate) fn push_deliveries(&self) -> u32 {
        self.inner.push_deliveries
    }

    pub(crate) fn subscribe_send_duration(&self) -> Duration {
        self.inner.subscribe_send_duration
    }
}

/// A simulator that listens.
pub struct RunningSandbox {
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl RunningSandbox {
    /// What stands for `https://api.weixin.qq.com`.
    #[must_use]
    pub fn wechat_base(&self) -> String {
        format!("http://{}/wechat", self.address)
    }

    /// What stands for `https://qyapi.weixin.qq.com`.
    #[must_use]
    pub fn wecom_base(&self) -> String {
        format!("http://{}/wecom", self.address)
    }

    /// What stands for `https://oapi.dingtalk.com`.
    #[must_use]
    pub fn dingtalk_base(&self) -> String {
        format!("http://{}/dingtalk", self.address)
    }

    /// What stands for `https://open.feishu.cn`.
    #[must_use]
    pub fn feishu_base(&self) -> String {
        format!("http://{}/feishu", self.address)
    }

    /// Stops listening at once; open connections break.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}
