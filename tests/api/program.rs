//! The program as an operator meets it: started as a process, configured, watched, stopped.

use std::{
    io::Read as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use qingfeng_core::{clock::Clock as _, people::sign_in, storage::Engine};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Answer, Cast, Person, TestServer, cosigner_program};

const PROGRAM: &str = env!("CARGO_BIN_EXE_qingfeng");

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The demo, running in a folder of its own.
struct Running {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Running {
    async fn demo() -> Self {
        cosigner_program();
        Self::start("", "run --demo", &[]).await
    }

    /// `before` is shell that runs before the program, e.g. a limit.
    async fn start(before: &str, arguments: &str, environment: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, sandbox) = (free_port(), free_port());
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("{before} exec {PROGRAM} {arguments}")])
            .current_dir(folder.path())
            .env("QINGFENG_HTTP__BIND", format!("127.0.0.1:{port}"))
            .env("QINGFENG_SANDBOX__BIND", format!("127.0.0.1:{sandbox}"))
            .env("QINGFENG_WECHAT__API_BASE", format!("http://127.0.0.1:{sandbox}/wechat"))
            .env("QINGFENG_WECOM__API_BASE", format!("http://127.0.0.1:{sandbox}/wecom"))
            .env("QINGFENG_BALLOTS__BOX_BIND", "127.0.0.1:0")
            .env("QINGFENG_BALLOTS__OWN_COSIGNER_BIND", "127.0.0.1:0")
            .env("QINGFENG_BALLOTS__OWN_WITNESS_BIND", "127.0.0.1:0")
            .env("QINGFENG_LOG__FORMAT", "json")
            .env("QINGFENG_LOG__LEVEL", "debug,actix=info")
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdout(Stdio::null())
            .stderr(log);
        let running = Self { child: command.spawn().unwrap(), address: format!("http://127.0.0.1:{port}"), folder };
        for _ in 0..300 {
            if reqwest::get(format!("{}/readyz", running.address)).await.is_ok_and(|answer| answer.status() == 200) {
                return running;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the program does not start: {}", running.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    async fn office(&self) -> Person {
        let account = qingfeng::demo::accounts().into_iter().find(|account| account.login == "office").unwrap();
        let seconds = u64::try_from(chrono::Utc::now().timestamp()).unwrap();
        let code = sign_in::authenticator(account.totp_secret()).unwrap().generate(seconds).to_string();
        let visitor = Person::visiting(&self.address);
        let body = json!({"login": "office", "password": qingfeng::demo::PASSWORD, "code": code});
        let tokens = visitor.post("/api/sign-in/staff", body).await.ok();
        visitor.with_token(tokens["access_token"].as_str().unwrap())
    }

    /// Asks the program to stop, as a service manager does.
    fn stop(mut self) -> (std::process::ExitStatus, String) {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        let status = self.child.wait().unwrap();
        let log = self.log();
        (status, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[actix_web::test]
async fn a_full_disk_is_told_in_words_and_what_was_written_before_stays() {
    // No file may grow past four megabytes: the kernel's answer is the one of a full disk for that file.
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let config = &server.application.config;
    let environment = [
        ("QINGFENG_DATABASE__URL", config.database.url.clone()),
        ("QINGFENG_SECRETS__FILE", config.secrets.file.display().to_string()),
        // The other process shares the database and the signing keys, and so has to live at the same time.
        ("QINGFENG_CLOCK__SHIFT_SECONDS", (server.clock.now() - chrono::Utc::now()).num_seconds().to_string()),
        ("QINGFENG_BOT__EMBEDDED", "false".to_owned()),
    ];
    let running = Running::start("trap '' XFSZ; ulimit -f 4096;", "run", &environment).await;
    let office = cast.office.at(&running.address);
    let mut state = 1_u32;
    let noise = image::RgbImage::from_fn(2400, 1900, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(state >> 24) as u8, (state >> 16) as u8, (state >> 8) as u8])
    });
    let mut png = Vec::new();
    noise.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    let send = |bytes: Vec<u8>| {
        let form = Form::new().part("photo", Part::bytes(bytes).file_name("photo.png"));
        Answer::of(office.request(Method::POST, "/api/files").multipart(form))
    };
    send(png).await.problem(507, "storage_full");
    // Small ones still fit, and everything else goes on.
    let mut small = Vec::new();
    image::RgbImage::new(20, 20).write_to(&mut std::io::Cursor::new(&mut small), image::ImageFormat::Png).unwrap();
    send(small).await.ok();
    office.get("/api/complaints").await.ok();
    let parts = Command::new("find").arg(running.folder.path()).args(["-name", "*.part"]).output().unwrap();
    assert!(parts.stdout.is_empty(), "no half files are left");
}

#[actix_web::test]
async fn the_log_holds_nothing_personal_and_the_program_stops_when_told() {
    let running = Running::demo().await;
    let office = running.office().await;
    let units = office.get("/api/organizations").await.ok()["items"].clone();
    let village = units.as_array().unwrap().iter().find(|unit| unit["kind"] == "village").unwrap()["id"].clone();
    let body = json!({
        "village_id": village, "channel": "phone",
        "complaint": {"body": "MARKER-WORDS 13800138000", "place": "MARKER-PLACE", "title": "MARKER-TITLE"},
    });
    let filed = office.post("/api/complaints/on-behalf", body).await.ok();
    let receipt = filed["receipt_code"].as_str().unwrap().to_owned();
    Person::visiting(&running.address).post("/api/receipts/lookup", json!({"receipt_code": receipt})).await.ok();
    office.get("/api/complaints?state=MARKER-QUERY").await.problem(422, "invalid_query");
    let phone = qingfeng::demo::accounts()[0].open_id();
    for text in ["MARKER-CHAT 路灯坏了", "举报 MARKER-REPORT 收了钱"] {
        said_in_chat(&running.address, &qingfeng::demo::official_open_id(&phone), text).await;
    }
    let (status, log) = running.stop();
    assert!(status.success(), "{status}");
    assert!(log.lines().count() > 5 && log.lines().all(|line| line.starts_with('{')), "the log is JSON: {log}");
    let secrets = [
        "MARKER",
        "13800138000",
        qingfeng::demo::PASSWORD,
        "sandbox-app-secret",
        "sandbox-account-secret",
        "demo-group-",
        "Bearer ",
        &receipt,
    ];
    for secret in secrets {
        let leak = log.lines().find(|line| line.contains(secret));
        assert_eq!(leak, None, "the log holds {secret}");
    }
}

/// What the platform pushes when somebody writes to the official account.
async fn said_in_chat(address: &str, phone: &str, text: &str) {
    let timestamp = chrono::Utc::now().timestamp().to_string();
    let token = qingfeng::config::OfficialAccount::simulated().callback_token;
    let mut parts = [token, timestamp.clone(), "2".to_owned()];
    parts.sort_unstable();
    let signature = sha1_smol::Sha1::from(parts.concat()).digest().to_string();
    let body = format!(
        "<xml><ToUserName>gh</ToUserName><FromUserName>{phone}</FromUserName><CreateTime>1</CreateTime>\
         <MsgType>text</MsgType><Content>{text}</Content><MsgId>{}</MsgId></xml>",
        text.len()
    );
    let query = [("signature", signature.as_str()), ("timestamp", timestamp.as_str()), ("nonce", "2")];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer =
        client.post(format!("{address}/callbacks/official-account")).query(&query).body(body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
}

#[test]
fn a_configuration_key_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("qingfeng.toml");
    std::fs::write(&file, "[http]\nbindd = \"127.0.0.1:1\"\n").unwrap();
    let output = Command::new(PROGRAM).arg("--config").arg(&file).arg("--print-config").output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("bindd"), "{told}");
}

#[test]
fn the_printed_configuration_shows_the_environment_and_hides_secrets() {
    let mut child = Command::new(PROGRAM)
        .arg("--print-config")
        .env("QINGFENG_DATABASE__URL", "postgres://me:hidden-1@db/x")
        .env("QINGFENG_WECHAT__APP_SECRET", "hidden-2")
        .env("QINGFENG_OFFICIAL_ACCOUNT__APP_ID", "wx-official")
        .env("QINGFENG_OFFICIAL_ACCOUNT__APP_SECRET", "hidden-3")
        .env("QINGFENG_OFFICIAL_ACCOUNT__CALLBACK_KEYS", "[\"hidden-4\"]")
        .env("QINGFENG_HTTP__BEHIND_PROXY", "true")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = String::new();
    child.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(shown.contains("@db/x") && shown.contains("wx-official") && !shown.contains("hidden"), "{shown}");
    assert!(shown.contains("behind_proxy = true"), "{shown}");
}

#[actix_web::test]
async fn a_database_that_is_gone_is_told_and_comes_back_without_a_restart() {
    let server = TestServer::start(Engine::Postgres).await;
    let cast = Cast::of(&server).await;
    let url = server.application.config.database.url.clone();
    let (host, name) = url.rsplit_once('/').unwrap();
    let administration = sea_orm::Database::connect(format!("{host}/postgres")).await.unwrap();
    let rename = |from: &str, to: &str| {
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from}'");
        let sql = format!("ALTER DATABASE {from} RENAME TO {to}");
        let administration = &administration;
        async move {
            use sea_orm::ConnectionTrait as _;
            for _ in 0..50 {
                administration.execute_unprepared(&end).await.unwrap();
                if administration.execute_unprepared(&sql).await.is_ok() {
                    return;
                }
            }
            panic!("the database cannot be renamed");
        }
    };
    let away = format!("{name}_away");
    rename(name, &away).await;
    server.visitor().get("/readyz").await.problem(503, "temporarily_unavailable");
    let draft = json!({"body": "路灯坏了"});
    let refused = cast.resident.post_once("/api/complaints", "draft-9999", draft.clone()).await;
    refused.problem(503, "temporarily_unavailable");
    assert_eq!(server.visitor().get("/healthz").await.status, 200);
    rename(&away, name).await;
    // The phone sends its draft again with the same key: nothing was lost, and it is there once.
    let mut answer = cast.resident.post_once("/api/complaints", "draft-9999", draft.clone()).await;
    for _ in 0..20 {
        if answer.status == 201 {
            break;
        }
        answer = cast.resident.post_once("/api/complaints", "draft-9999", draft.clone()).await;
    }
    answer.ok();
    assert_eq!(cast.resident.get("/api/complaints").await.ok()["items"].as_array().unwrap().len(), 1);
}
