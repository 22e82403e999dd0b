//! The bot as a program of its own, two of them, on PostgreSQL and Redis.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use qingfeng_core::{
    clock::Clock as _,
    outbox::{self, MessageState},
    storage::Engine,
};
use qingfeng_sandbox::{Group, RunningSandbox};
use sea_orm::{EntityTrait, QueryOrder};
use tempfile::TempDir;

use crate::support::{Scene, TestServer, platform};

/// A bot's process, stopped at the latest with the test.
struct OwnBot {
    child: Child,
    _folder: TempDir,
}

impl OwnBot {
    fn start(server: &TestServer, running: &RunningSandbox) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = &server.application.config;
        let redis = std::env::var("QINGFENG_TEST_REDIS").unwrap();
        let shift = (server.clock.now() - chrono::Utc::now()).num_seconds();
        let child = Command::new(env!("CARGO_BIN_EXE_qingfeng-bot"))
            .current_dir(folder.path())
            .env("QINGFENG_DATABASE__URL", &config.database.url)
            .env("QINGFENG_SECRETS__FILE", &config.secrets.file)
            // A numbered database of its own: leases of other tests' bots are not in the way.
            .env("QINGFENG_CACHE__REDIS_URL", format!("{redis}/9"))
            .env("QINGFENG_CLOCK__SHIFT_SECONDS", shift.to_string())
            // Nobody is there to read the posts, and no author is on a phone that the platform knows.
            .env("QINGFENG_BOT__SECOND_PERSON", "false")
            .env("QINGFENG_HTTP__DEMO", "true")
            .env("QINGFENG_WECHAT__API_BASE", running.wechat_base())
            .env("QINGFENG_WECOM__API_BASE", running.wecom_base())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, _folder: folder }
    }

    /// Asks it to stop, as a service manager does.
    fn stop(mut self) {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for OwnBot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[actix_web::test]
async fn two_bots_beside_the_api_send_every_post_once() {
    let server = TestServer::start(Engine::Postgres).await;
    let scene = Scene::of(&server, 3).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    platform.add_group(Group::new("own-bot-key", "东河村村民群"));
    scene.cast.township.chat_group(scene.cast.village, "东河村村民群", "own-bot-key").await;
    let bots = [OwnBot::start(&server, &running), OwnBot::start(&server, &running)];
    for _ in 0..3 {
        scene.published().await;
    }
    let states = || async {
        let query = outbox::entity::Entity::find().order_by_asc(outbox::entity::Column::Id);
        let rows = query.all(server.application.store.reader()).await.unwrap();
        let posts = rows.into_iter().filter(|row| row.kind == "rectification_published");
        posts.map(|row| row.state).collect::<Vec<_>>()
    };
    for _ in 0..600 {
        if states().await.iter().all(|state| *state == MessageState::Sent) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(states().await, [MessageState::Sent; 3]);
    for bot in bots {
        bot.stop();
    }
    let posts = platform.delivered_to_group("own-bot-key");
    let published = posts.iter().filter(|post| format!("{post:?}").contains("整改公示")).count();
    assert_eq!(published, 3, "{posts:?}");
    running.stop().await;
}
