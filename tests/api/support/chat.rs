//! Somebody who writes to the official account, on a server with either cache.

use qingfeng_core::{ids::ResidentId, storage::Engine};
use qingfeng_sandbox::{AccountMessage, PushOutcome, Sandbox};
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::{Cast, TestServer, platform};
use crate::engines::CacheEngine;

/// A server whose cache is this one, and that listens to the smart robot. What stands in a shared Redis is told apart by names nobody else has.
pub async fn server_with(engine: Engine, cache: CacheEngine) -> TestServer {
    TestServer::start_with(engine, |config| {
        qingfeng::demo::use_simulated_robot(config);
        if cache == CacheEngine::Redis {
            let url = std::env::var("QINGFENG_TEST_REDIS").unwrap_or("redis://127.0.0.1:6379".into());
            config.cache.redis_url = Some(format!("{url}/12"));
            config.wechat.app_id = format!("wx{}", Uuid::now_v7().simple());
            if let Some(own) = &mut config.official_account {
                own.app_id = format!("wx{}", Uuid::now_v7().simple());
            }
        }
    })
    .await
}

/// A resident with a phone, and the platform between.
pub struct Chat<'a> {
    pub platform: Sandbox,
    pub phone: String,
    pub resident: ResidentId,
    server: &'a TestServer,
}

impl<'a> Chat<'a> {
    pub async fn of(server: &'a TestServer, cast: &Cast<'a>) -> Self {
        let platform = platform(server);
        let phone = format!("phone-{}", Uuid::now_v7());
        let resident = cast.township.add_resident(cast.village, Some(&phone), None).await;
        Self { platform, phone, resident, server }
    }

    /// What the official account calls the person.
    pub fn open_id(&self) -> String {
        self.platform.phone(&self.phone).official_openid()
    }

    pub async fn say(&self, text: &str) -> String {
        match self.platform.phone(&self.phone).say(text).await {
            PushOutcome::Replied(answer) => answer,
            other => panic!("{text}: {other:?}"),
        }
    }

    pub async fn send(&self, message: AccountMessage) -> String {
        match self.platform.phone(&self.phone).send(message).await.unwrap() {
            PushOutcome::Replied(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// Everything up to the look before it is filed.
    pub async fn write(&self, text: &str) -> String {
        self.say("反映").await;
        self.say(text).await;
        self.say("1").await
    }

    /// Complaints that were filed.
    pub async fn filed(&self) -> i64 {
        self.count("SELECT COUNT(*) AS counted FROM complaints").await
    }

    pub async fn count(&self, sql: &str) -> i64 {
        let connection = self.server.application.store.reader();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "counted").unwrap()
    }

    /// What the cache holds of the draft.
    pub async fn draft(&self) -> Option<Vec<u8>> {
        self.server.application.cache.get(&self.draft_key()).await.unwrap()
    }

    /// Under which the cache holds it.
    pub fn draft_key(&self) -> String {
        self.server.application.sealer.pseudonym("filing", &self.open_id())
    }
}

/// The number in an answer.
pub fn number_in(answer: &str) -> String {
    let start = answer.find("SQ").unwrap_or_else(|| panic!("{answer}"));
    answer[start..].chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect()
}
