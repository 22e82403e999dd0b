//! The program itself: commands, configuration, start and stop.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use qingfeng_ballots::codes::Code;
use qingfeng_cosigner::{keys::LogSigner, randomness::SystemRandomness};
use serde_json::json;
use tempfile::TempDir;

struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qingfeng-cosigner"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("QINGFENG_COSIGNER_HTTP__BIND", "127.0.0.1:0")
            .env("QINGFENG_COSIGNER_WITNESS__BIND", "127.0.0.1:0")
            .env("QINGFENG_COSIGNER_HTTP__SHUTDOWN_SECONDS", "1");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// A program that serves; its address is read from its log.
struct Serving {
    child: Child,
    address: String,
    /// What it logs afterwards.
    log: std::thread::JoinHandle<Vec<String>>,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| {
                let plain: String =
                    line.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |part| part.1)).collect();
                let rest = plain.split_once("address=")?.1.to_owned();
                rest.split_whitespace().next().map(str::to_owned)
            })
            .unwrap();
        // Keeps reading, so that the program never waits for its log.
        let log = std::thread::spawn(move || lines.map(|line| line.unwrap()).collect());
        Self { child, address, log }
    }

    /// As an operating system stops a program.
    fn stop(mut self) -> Vec<String> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.log.join().unwrap()
    }
}

fn mode(file: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).unwrap().permissions()) & 0o777
}

#[test]
fn keys_are_made_once_and_their_public_halves_lie_beside_them() {
    let machine = Machine::new();
    let first = machine.ok(&["init", "--demo"]);
    assert_eq!(machine.ok(&["init", "--demo"]), first);
    let vkey = fs::read_to_string(machine.path("data-cosigner/vkey")).unwrap();
    let witness = fs::read_to_string(machine.path("data-witness/vkey")).unwrap();
    assert_eq!(first, format!("witness {witness}cosigner {vkey}"));
    assert_eq!(machine.ok(&["keys"]), format!("cosigner {vkey}witness {witness}"));
    assert_eq!(mode(Path::new(&machine.path("data-cosigner/keys.toml"))), 0o600);
    assert_eq!(mode(Path::new(&machine.path("data-witness/keys.toml"))), 0o600);
    assert!(!fs::read_to_string(machine.path("data-cosigner/vkey")).unwrap().contains("PRIVATE"));
}

#[test]
fn an_unknown_setting_stops_the_program_and_is_named() {
    let machine = Machine::new();
    let output = machine.command(&["--print-config"]).env("QINGFENG_COSIGNER_SURVEYS__CUONT", "automatic").output();
    let output = output.unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("cuont"));
    let printed = machine.command(&["--print-config"]).env("QINGFENG_COSIGNER_SURVEYS__COUNT", "automatic").output();
    assert!(String::from_utf8_lossy(&printed.unwrap().stdout).contains("count = \"automatic\""));
}

#[test]
fn a_roll_becomes_cards_that_only_their_owner_reads() {
    let machine = Machine::new();
    let line = |name: &str| {
        let (resident, village) = (uuid::Uuid::new_v4(), "6f9619ff-8b86-4d01-b42d-00cf4fc964ff");
        json!({ "resident": resident, "village": village, "village_name": "东河村", "class": "residents", "name": name })
    };
    fs::write(machine.path("roll.jsonl"), format!("{}\n{}\n", line("村民甲"), line("村民乙"))).unwrap();
    assert_eq!(machine.ok(&["roll", "import", "roll.jsonl"]), "名册：新增2人，变动0人，移出0人\n");
    let review = machine.ok(&["roll", "review", "--village", "东河村"]);
    assert!(review.contains("村民甲\tresidents\t无卡\t未登记") && review.ends_with("共2人\n"), "{review}");

    assert!(machine.fails(&["cards", "--village", "南河村", "--out", "cards.html"]).contains("没有南河村"));
    machine.ok(&["cards", "--village", "东河村", "--out", "cards.html"]);
    let sheet = fs::read_to_string(machine.path("cards.html")).unwrap();
    assert_eq!(mode(Path::new(&machine.path("cards.html"))), 0o600);
    assert_eq!(sheet.matches("<section>").count(), 2);
    assert!(sheet.contains("村民甲") && sheet.contains("<svg"));
    // The code is on paper and nowhere else.
    let code = sheet.split("class=\"code\">").nth(1).unwrap()[..25].to_owned();
    Code::parse(&code).unwrap();
    for file in fs::read_dir(machine.path("data-cosigner")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for wanted in [code.as_bytes().to_vec(), code.replace('-', "").into_bytes()] {
            assert!(!bytes.windows(wanted.len()).any(|window| window == wanted));
        }
    }
    assert!(machine.fails(&["cards", "--village", "东河村", "--out", "cards.html"]).contains("exists already"));
    assert!(machine.ok(&["cards", "--village", "东河村", "--out", "more.html"]).contains("都已有卡"));
    let resident = review.lines().next().unwrap().rsplit('\t').next().unwrap();
    machine.ok(&["cards", "reissue", "--resident", resident, "--out", "card.jsonl"]);
    let line: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(machine.path("card.jsonl")).unwrap()).unwrap();
    assert_eq!(line["resident"], resident);
    Code::parse(line["code"].as_str().unwrap()).unwrap();
    assert!(machine.ok(&["minutes"]).contains("补发登记卡1张"));
    assert!(machine.fails(&["roll", "import", "cards.html"]).contains("第1行不对"));
}

#[test]
fn a_copied_code_is_checked() {
    let machine = Machine::new();
    let code = Code::generate(&SystemRandomness).unwrap().to_print().to_string();
    assert_eq!(machine.ok(&["paper", "verify-code", &code]), "抄写无误。\n");
    let other = if code.starts_with('0') { "1" } else { "0" };
    assert!(machine.fails(&["paper", "verify-code", &format!("{other}{}", &code[1..])]).contains("校验不符"));
    assert!(machine.fails(&["paper", "verify-code", "12345"]).contains("21个字符"));
}

#[test]
fn both_programs_serve_with_pinned_keys_and_stop_when_told() {
    let machine = Machine::new();
    let platform = qingfeng_ballots::log::LogKey::generate("platform.qinghe", &SystemRandomness).unwrap();
    assert!(LogSigner::parse(&platform.secret, &platform.public).is_ok());
    fs::write(machine.path("platform.vkey"), &platform.public).unwrap();
    let start = |command: &str| {
        let mut command = machine.command(&[command]);
        command.env("QINGFENG_COSIGNER_PLATFORM__VKEY_FILE", "platform.vkey");
        // The framework's words about its threads aside, everything at its usual level.
        command.env("QINGFENG_COSIGNER_LOG__LEVEL", "info,actix_server=warn");
        Serving::start(command)
    };
    let (cosigner, witness) = (start("run"), start("witness"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let get = |address: &str, path: &str| {
        let address = format!("http://{address}{path}");
        runtime.block_on(async { reqwest::get(address).await.unwrap().text().await.unwrap() })
    };
    assert_eq!(get(&cosigner.address, "/readyz"), "ok");
    let site: serde_json::Value = serde_json::from_str(&get(&cosigner.address, "/api/site")).unwrap();
    assert_eq!(site["vkeys"][0], format!("platform {}", platform.public));
    assert_eq!(get(&witness.address, "/healthz"), "ok");
    assert!(get(&witness.address, "/v1/keys").starts_with("witness witness.qinghe+"));
    let enrol = format!("http://{}/v1/enrolments", cosigner.address);
    for body in ["{}", "nonsense", "{\"code\":\"01234-56789-ABCDE-FGHJK-W\",\"device\":\"\",\"signature\":\"\"}"] {
        let request = reqwest::Client::new().post(&enrol).body(body).send();
        assert_eq!(runtime.block_on(request).unwrap().status(), 422);
    }
    // Of the phones' requests nothing is in the log: no address, no code, no time of a request.
    for log in [cosigner.stop(), witness.stop()] {
        assert_eq!(log.len(), 1, "{log:?}");
        assert!(log[0].contains("stopped"), "{log:?}");
    }
    let unpinned = machine.fails(&["witness"]);
    assert!(unpinned.contains("platform.vkey"), "{unpinned}");
}

#[test]
fn what_people_do_wrong_is_said_in_their_language() {
    let machine = Machine::new();
    let sid = "00112233445566778899aabbccddeeff";
    assert!(machine.fails(&["count", sid, "--observer", "甲"]).contains("至少要有两位"));
    assert!(machine.fails(&["count", sid, "--observer", "甲", "--observer", "乙"]).contains("没有这次测评"));
    assert!(machine.fails(&["wipe", sid]).contains("unknown_survey"));
    assert!(machine.fails(&["count", "XYZ", "--observer", "甲"]).contains("32 lower-case"));
    assert_eq!(machine.ok(&["minutes"]), "");
}
