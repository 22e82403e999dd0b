use std::sync::Arc;

use actix_web::web;
use chrono::NaiveDate;
use qingfeng::{Application, Config};
use qingfeng_core::{
    clock::SimulatedClock,
    people::sessions::{self, Person as Identity},
    randomness::SystemRandomness,
    storage::{Engine, Surroundings},
};
use tempfile::TempDir;

use super::{Person, Township, person::Key};
use crate::engines::TestDatabase;

/// A running server with a database and a clock of its own.
pub struct TestServer {
    pub application: web::Data<Application>,
    pub clock: Arc<SimulatedClock>,
    pub address: String,
    _folder: TempDir,
    handle: actix_web::dev::ServerHandle,
    _database: TestDatabase,
}

impl TestServer {
    /// Starts on Monday 2026-03-02, 09:00 in China.
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, |_| {}).await
    }

    pub async fn start_with(engine: Engine, configure: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::fresh(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimulatedClock::at_shanghai(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap(), 9));
        let mut config = Config::default();
        config.database.url = database.url.clone();
        config.database.connections = 8;
        config.files.url = format!("file://{}", folder.path().join("files").display());
        config.secrets.file = folder.path().join("secrets.toml");
        config.bot.embedded = false;
        qingfeng::demo::use_simulated_account(&mut config);
        // Most tests of cards are about accepts: they have no other way but what a test opens.
        if let Some(account) = &mut config.official_account {
            (account.reminder_template, account.progress_template) = (None, None);
        }
        config.board.fresh_seconds = 0;
        config.http.workers = 2;
        config.http.shutdown_seconds = 1;
        configure(&mut config);
        let surroundings = Surroundings { clock: clock.clone(), randomness: Arc::new(SystemRandomness) };
        let application = web::Data::new(Application::start(config, surroundings).await.unwrap());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = qingfeng::http::serve(application.clone(), listener).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { application, clock, address, _folder: folder, handle, _database: database }
    }

    /// Sets up a county with one township; see its methods for villages and people.
    pub async fn township(&self) -> Township<'_> {
        Township::found(self).await
    }

    pub fn visitor(&self) -> Person {
        Person::new(&self.address, Key::None)
    }

    /// Signs somebody in without the ceremony.
    pub async fn signed_in(&self, identity: Identity) -> Person {
        let session = sessions::start(&self.application.store, identity).await.unwrap();
        Person::new(&self.address, Key::Session(self.application.clone(), identity, session.id))
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}
