//! The real programs: platform, co-signer and witness as processes, each with a folder, a database and a log of its own.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::Utc;
use qingfeng::secrets::Secrets;
use qingfeng_ballots::{
    bundle::Bundle,
    log::Pinned,
    verification::{self, Reader},
};
use qingfeng_core::{
    clock::{Clock as _, shanghai_instant},
    ids::StaffId,
    people::{Role, sign_in},
    randomness::SystemRandomness,
    storage::Engine,
};
use qingfeng_sandbox::{Phone as SandboxPhone, RunningSandbox, Sandbox, SandboxSettings};
use serde_json::json;
use tempfile::TempDir;

use super::{Person, TestServer, Township, Trap, township};
use crate::engines::TestDatabase;

const PLATFORM: &str = env!("CARGO_BIN_EXE_qingfeng");

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Platform,
    Cosigner,
    Witness,
}

impl Program {
    pub const ALL: [Self; 3] = [Self::Witness, Self::Cosigner, Self::Platform];

    /// Its folder, below the one of all.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Cosigner => "cosigner",
            Self::Witness => "witness",
        }
    }
}

/// All three, beside a server in this process that shares the platform's database: it sets up what has no endpoint.
pub struct Programs {
    pub server: TestServer,
    pub sandbox: Sandbox,
    pub folder: TempDir,
    pub address: String,
    pub box_address: String,
    pub cosigner_address: String,
    pub cosigner_database: TestDatabase,
    pub redis: Option<Redis>,
    /// In front of co-signer and witness, where a test wants to kill between two of their words.
    pub traps: Option<Traps>,
    witness_address: String,
    /// What a reader pins.
    pinned: String,
    platform_environment: Vec<(String, String)>,
    /// Seconds between the clocks of programs and machine.
    shift: AtomicI64,
    running: Arc<Mutex<Vec<(Program, Child)>>>,
    _wechat: RunningSandbox,
}

/// What stands between the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    Nothing,
    Traps,
}

/// One in front of each.
pub struct Traps {
    pub cosigner: Trap,
    pub witness: Trap,
}

/// A Redis that goes away with its test.
pub struct Redis {
    pub url: String,
    child: Child,
}

impl Redis {
    fn start(folder: &Path) -> Self {
        let port = free_port();
        let arguments = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()];
        let log = File::create(folder.join("redis.log")).unwrap();
        let child =
            Command::new("redis-server").args(arguments).current_dir(folder).stdout(log).stderr(Stdio::null()).spawn();
        Self { url: format!("redis://127.0.0.1:{port}"), child: child.expect("redis-server starts; see README") }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The co-signer's program belongs to another package: the tests of the workspace build it, tests of this package alone do not.
pub fn cosigner_program() -> PathBuf {
    static BUILT: std::sync::Once = std::sync::Once::new();
    let program = Path::new(PLATFORM).with_file_name("qingfeng-cosigner");
    BUILT.call_once(|| {
        if !program.exists() {
            assert!(Command::new(env!("CARGO")).args(["build", "--quiet", "--bins"]).status().unwrap().success());
        }
    });
    program
}

impl Programs {
    /// Starts all three on Monday 2026-03-02, 09:00 in China. PostgreSQL comes with Redis, SQLite with neither.
    pub async fn start(engine: Engine, phones: Vec<SandboxPhone>, between: Between) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for program in Program::ALL {
            fs::create_dir_all(folder.path().join(program.folder()).join("tmp")).unwrap();
        }
        let sandbox = Sandbox::new(SandboxSettings { phones, ..SandboxSettings::default() });
        let wechat = sandbox.start("127.0.0.1:0").unwrap();
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        let (address, box_address) = (local(free_port()), local(free_port()));
        let (cosigner_address, witness_address) = (local(free_port()), local(free_port()));
        let traps = (between == Between::Traps)
            .then(|| Traps { cosigner: Trap::before(&cosigner_address), witness: Trap::before(&witness_address) });
        let redis = (engine == Engine::Postgres).then(|| Redis::start(folder.path()));
        let secrets = folder.path().join("platform/secrets.toml");
        Secrets::load_or_create(&secrets, "platform.qinghe", &SystemRandomness).unwrap();
        let server = TestServer::start_with(engine, |config| config.secrets.file = secrets.clone()).await;
        let mut programs = Self {
            server,
            sandbox,
            folder,
            address,
            box_address,
            cosigner_address,
            witness_address,
            cosigner_database: TestDatabase::empty(engine).await,
            redis,
            traps,
            pinned: String::new(),
            platform_environment: Vec::new(),
            shift: AtomicI64::new(0),
            running: Arc::default(),
            _wechat: wechat,
        };
        programs.set_clocks();
        let key = |words: &str, printed: Output| {
            let printed = String::from_utf8(printed.stdout).unwrap();
            printed.lines().find_map(|line| line.strip_prefix(words)).expect("a key").to_owned()
        };
        let cosigner_key = key("cosigner ", programs.cosigner_command(Program::Cosigner, &["init"]).output().unwrap());
        let witness_key =
            key("witness ", programs.cosigner_command(Program::Witness, &["init", "--witness"]).output().unwrap());
        let own = programs.server.application.quorum.client.signer().public().to_owned();
        programs.pinned = format!("platform {own}\ncosigner {cosigner_key}\nwitness {witness_key}\n");
        programs.platform_environment = programs.environment_of_platform(cosigner_key, witness_key);
        programs.start_all().await;
        programs
    }

    fn environment_of_platform(&self, cosigner_key: String, witness_key: String) -> Vec<(String, String)> {
        let bind = |address: &str| address.trim_start_matches("http://").to_owned();
        let files = self.folder.path().join("platform/files");
        let secrets = self.folder.path().join("platform/secrets.toml");
        let mut environment = vec![
            ("HTTP__BIND", bind(&self.address)),
            ("HTTP__PUBLIC_URL", self.address.clone()),
            ("HTTP__SHUTDOWN_SECONDS", "1".into()),
            ("DATABASE__URL", self.server.application.config.database.url.clone()),
            ("FILES__URL", format!("file://{}", files.display())),
            ("SECRETS__FILE", secrets.display().to_string()),
            ("WECHAT__API_BASE", self._wechat.wechat_base()),
            ("WECOM__API_BASE", self._wechat.wecom_base()),
            ("BALLOTS__COSIGNER_URL", self.cosigner_for_others().to_owned()),
            (
                "BALLOTS__WITNESS_URL",
                self.traps.as_ref().map_or(&self.witness_address, |traps| &traps.witness.address).clone(),
            ),
            ("BALLOTS__COSIGNER_KEY", cosigner_key),
            ("BALLOTS__WITNESS_KEY", witness_key),
            ("BALLOTS__BOX_BIND", bind(&self.box_address)),
            ("BALLOTS__BOX_PUBLIC_URL", self.box_address.clone()),
            ("LOG__FORMAT", "json".into()),
            // More than an operator turns on: nothing may be found there either.
            ("LOG__LEVEL", "debug".into()),
        ];
        if let Some(redis) = &self.redis {
            environment.push(("CACHE__REDIS_URL", redis.url.clone()));
        }
        environment.into_iter().map(|(name, value)| (format!("QINGFENG_{name}"), value)).collect()
    }

    /// A command of `qingfeng-cosigner` as that party runs it.
    pub fn cosigner_command(&self, party: Program, arguments: &[&str]) -> Command {
        let bind = |address: &str| address.trim_start_matches("http://").to_owned();
        let database = match self.cosigner_database.url.strip_prefix("sqlite://") {
            Some(_) => {
                format!("sqlite://{}", self.folder.path().join("cosigner/data-cosigner/cosigner.sqlite").display())
            }
            None => self.cosigner_database.url.clone(),
        };
        let platform_key = self.server.application.quorum.client.signer().public().to_owned();
        let mut command = Command::new(cosigner_program());
        command
            .args(arguments)
            .current_dir(self.folder.path().join(party.folder()))
            .env("TMPDIR", self.folder.path().join(party.folder()).join("tmp"))
            .envs([
                ("QINGFENG_COSIGNER_HTTP__BIND", bind(&self.cosigner_address)),
                ("QINGFENG_COSIGNER_HTTP__PUBLIC_URL", self.cosigner_address.clone()),
                ("QINGFENG_COSIGNER_HTTP__BEHIND_PROXY", "true".into()),
                ("QINGFENG_COSIGNER_HTTP__SHUTDOWN_SECONDS", "1".into()),
                ("QINGFENG_COSIGNER_DATABASE__URL", database),
                ("QINGFENG_COSIGNER_WITNESS__BIND", bind(&self.witness_address)),
                ("QINGFENG_COSIGNER_PLATFORM__URL", self.address.clone()),
                ("QINGFENG_COSIGNER_PLATFORM__BOX_URL", self.box_address.clone()),
                ("QINGFENG_COSIGNER_PLATFORM__VKEY", platform_key),
                ("QINGFENG_COSIGNER_CLOCK__SHIFT_SECONDS", self.shift()),
                ("QINGFENG_COSIGNER_LOG__LEVEL", "debug".into()),
            ]);
        command
    }

    /// Runs a command of the co-signer's people to its end.
    #[track_caller]
    pub fn cosigner(&self, arguments: &[&str]) -> String {
        let output = self.cosigner_command(Program::Cosigner, arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Where platform and phones find the co-signer.
    pub fn cosigner_for_others(&self) -> &str {
        self.traps.as_ref().map_or(&self.cosigner_address, |traps| &traps.cosigner.address)
    }

    /// A command of `qingfeng` as the township runs it.
    pub fn platform_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PLATFORM);
        command
            .args(arguments)
            .current_dir(self.folder.path().join("platform"))
            .env("TMPDIR", self.folder.path().join("platform/tmp"))
            .env("QINGFENG_CLOCK__SHIFT_SECONDS", self.shift())
            .envs(self.platform_environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// From now on programs go by the day of this process's server.
    fn set_clocks(&self) {
        self.shift.store((self.server.clock.now() - Utc::now()).num_seconds(), Ordering::Relaxed);
    }

    fn shift(&self) -> String {
        self.shift.load(Ordering::Relaxed).to_string()
    }

    /// Starts those that do not run, and waits until they answer.
    pub async fn start_all(&self) {
        for program in Program::ALL {
            if !self.running.lock().unwrap().iter().any(|(running, _)| *running == program) {
                self.start_one(program).await;
            }
        }
    }

    async fn start_one(&self, program: Program) {
        let (mut command, ready) = match program {
            Program::Platform => (self.platform_command(&["run"]), format!("{}/readyz", self.address)),
            Program::Cosigner => {
                (self.cosigner_command(program, &["run"]), format!("{}/readyz", self.cosigner_address))
            }
            Program::Witness => {
                (self.cosigner_command(program, &["witness"]), format!("{}/healthz", self.witness_address))
            }
        };
        let log = |name: &str| {
            let file = self.folder.path().join(program.folder()).join(name);
            File::options().create(true).append(true).open(file).unwrap()
        };
        let child = command.stdout(log("stdout")).stderr(log("stderr")).spawn().unwrap();
        self.running.lock().unwrap().push((program, child));
        for _ in 0..600 {
            if reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            // A trap may have killed it before it was ready.
            if self.traps.is_some() && !self.is_running(program) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{program:?} does not start: {}", self.log(program));
    }

    pub fn log(&self, program: Program) -> String {
        fs::read_to_string(self.folder.path().join(program.folder()).join("stderr")).unwrap_or_default()
    }

    pub fn is_running(&self, program: Program) -> bool {
        let mut running = self.running.lock().unwrap();
        running.iter_mut().any(|(which, child)| *which == program && child.try_wait().unwrap().is_none())
    }

    /// As a power cut ends a program.
    pub fn kill(&self, program: Program) {
        self.killer(program)();
        self.take(program);
    }

    /// The same for a trap.
    pub fn killer(&self, program: Program) -> impl Fn() + Send + 'static {
        let running = self.running.clone();
        move || {
            for (_, child) in running.lock().unwrap().iter_mut().filter(|(which, _)| *which == program) {
                child.kill().unwrap();
                child.wait().unwrap();
            }
        }
    }

    /// As a service manager ends a program.
    pub fn stop(&self, program: Program) {
        if !self.is_running(program) {
            self.take(program);
        }
        for (_, mut child) in self.take(program) {
            Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
            assert!(child.wait().unwrap().success(), "{program:?} ends in order");
        }
    }

    fn take(&self, program: Program) -> Vec<(Program, Child)> {
        self.running.lock().unwrap().extract_if(.., |(running, _)| *running == program).collect()
    }

    /// Starts everything anew on this day of March 2026: the first thing that the platform does is to look after its boxes.
    pub async fn day(&self, day: u32) {
        self.stop(Program::Platform);
        self.stop(Program::Cosigner);
        self.go_to(day);
        self.start_all().await;
    }

    /// What is started from now on goes by this day of March 2026.
    pub fn go_to(&self, day: u32) {
        let date = chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
        let time = chrono::NaiveTime::from_hms_opt(9, 0, 0).unwrap();
        self.server.clock.set(shanghai_instant(date, time));
        self.set_clocks();
    }

    /// Somebody of the office with password and authenticator.
    pub async fn add_office(&self, township: &Township<'_>) -> StaffId {
        township.add_staff(township.id, Role::TownshipOffice, "office").await.0
    }

    /// Signs the office in, at the programs' clock. A code of the authenticator is good once: the next one may have to be
    /// waited for.
    pub async fn office(&self) -> Person {
        for _ in 0..40 {
            let now = Utc::now().timestamp() + self.shift.load(Ordering::Relaxed);
            let seconds = u64::try_from(now).unwrap();
            let code = sign_in::authenticator(township::TOTP_SECRET.to_vec()).unwrap().generate(seconds).to_string();
            let visitor = Person::visiting(&self.address);
            let body = json!({"login": "office", "password": township::PASSWORD, "code": code});
            let tokens = visitor.post("/api/sign-in/staff", body).await;
            if tokens.status == 200 {
                return visitor.with_token(tokens.json()["access_token"].as_str().unwrap());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("the office cannot sign in");
    }

    /// A published bundle, which holds for whoever pins these keys.
    pub async fn bundle(&self, sid: &str) -> Bundle {
        let folder = tempfile::tempdir().unwrap();
        for name in qingfeng_core::sealed_surveys::queries::FILES {
            let answer = reqwest::get(format!("{}/v1/{sid}/{name}", self.box_address)).await.unwrap();
            if answer.status() == 200 {
                fs::write(folder.path().join(name), answer.bytes().await.unwrap()).unwrap();
            }
        }
        let bundle = Bundle::read(folder.path()).unwrap();
        let pinned = Pinned::parse(&self.pinned).unwrap();
        let reader = Reader { pinned, checkpoints: vec![], fingerprints: vec![], mine: None, roll_size: None };
        assert_eq!(verification::verify(&bundle, &reader).failed, Default::default());
        bundle
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        for (_, mut child) in self.running.lock().unwrap().drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
