//! A co-signer, a witness, a platform with its keys, and a village with cards and phones.

use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use qingfeng_ballots::{
    Hex,
    answers::Question,
    blind::{BlindSigner, RsaSigner, generate},
    log::{Checkpoint, Leaf, LogKey, Note, Signer, Tree, checkpoint_text},
    manifest::Windows,
    messages::SurveyId,
    outer::Outer,
    randomness::random_bytes,
    voter::Credential,
};
use qingfeng_cosigner::{
    Cosigner, Settings,
    config::Counting,
    keys::LogSigner,
    randomness::{SharedRandomness, SystemRandomness},
    roll::{Extent, RollLine},
    surveys::{Draft, PlatformKeys, Proposal, RollPlace},
    witness::{AddCheckpoint, RunningWitness},
};
use reqwest::{Method, StatusCode};
use sea_orm::{ConnectionTrait, Database};
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::actors::{Phone, Resident, Running, Village};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct Time(Arc<Mutex<DateTime<Utc>>>);

impl Time {
    fn morning() -> Self {
        // Monday 2026-03-02, 09:00 in China.
        Self(Arc::new(Mutex::new(Utc.with_ymd_and_hms(2026, 3, 2, 1, 0, 0).unwrap())))
    }

    pub fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    pub fn advance(&self, step: TimeDelta) {
        *self.0.lock().unwrap() += step;
    }
}

/// An answer: its status and its JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Answer {
    /// Status and code of a refusal.
    pub fn refusal(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default())
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.body
    }
}

pub struct County {
    pub cosigner: Cosigner,
    pub witness: RunningWitness,
    pub platform: Platform,
    pub time: Time,
    _folder: TempDir,
    pub settings: Settings,
    pub database_url: String,
    pub client: reqwest::Client,
}

/// The platform's keys.
pub struct Platform {
    pub log: LogSigner,
    pub a: &'static RsaSigner,
    pub d: &'static RsaSigner,
}

pub fn randomness() -> SharedRandomness {
    Arc::new(SystemRandomness)
}

/// Key generation is the slow part; every test of one run shares one pair.
fn platform_signers() -> &'static (RsaSigner, RsaSigner) {
    static SIGNERS: OnceLock<(RsaSigner, RsaSigner)> = OnceLock::new();
    SIGNERS.get_or_init(|| (generate(&SystemRandomness).unwrap(), generate(&SystemRandomness).unwrap()))
}

pub fn log_signer(name: &str) -> LogSigner {
    let key = LogKey::generate(name, &SystemRandomness).unwrap();
    LogSigner::parse(&key.secret, &key.public).unwrap()
}

impl County {
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, |_| {}).await
    }

    pub async fn start_with(engine: Engine, configure: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (a, d) = platform_signers();
        let platform = Platform { log: log_signer("platform.qinghe"), a, d };
        let database_url = match engine {
            Engine::Sqlite => format!("sqlite://{}", folder.path().join("cosigner.sqlite").display()),
            Engine::Postgres => fresh_postgres().await,
        };
        let mut settings = Settings::default();
        settings.http.bind = "127.0.0.1:0".into();
        settings.http.shutdown_seconds = 1;
        settings.database.url = database_url.clone();
        settings.keys.file = folder.path().join("keys.toml");
        settings.platform.vkey = Some(platform.log.public.clone());
        settings.witness.bind = "127.0.0.1:0".into();
        settings.witness.folder = folder.path().join("witness");
        configure(&mut settings);
        let witness = RunningWitness::start(&settings, &randomness()).unwrap();
        let time = Time::morning();
        let cosigner = start_cosigner(&settings, &time).await;
        Self {
            cosigner,
            witness,
            platform,
            time,
            _folder: folder,
            settings,
            database_url,
            client: reqwest::Client::new(),
        }
    }

    /// The same program, started anew on the same data.
    pub async fn restart(mut self) -> Self {
        let next = start_cosigner(&self.settings, &self.time).await;
        std::mem::replace(&mut self.cosigner, next).stop().await;
        self
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.cosigner.address)
    }

    /// What a phone or anybody sends.
    pub async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Answer {
        answer(self.client.request(method, self.url(path)).body(body)).await
    }

    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.send(Method::POST, path, serde_json::to_vec(body).unwrap()).await
    }

    /// What the platform sends, signed.
    pub async fn operate(&self, method: Method, path: &str, body: Vec<u8>) -> Answer {
        let signature = self.platform.log.sign_request(method.as_str(), path, &body);
        let request = self.client.request(method, self.url(path)).header("Qingfeng-Signature", signature);
        answer(request.body(body)).await
    }

    pub async fn operate_json(&self, path: &str, body: &impl Serialize) -> Answer {
        self.operate(Method::POST, path, serde_json::to_vec(body).unwrap()).await
    }

    /// A village of so many residents, with cards.
    pub async fn village(&self, residents: usize) -> Village {
        let id = Uuid::new_v4();
        let lines: Vec<_> = (0..residents)
            .map(|number| RollLine {
                resident: Uuid::new_v4(),
                village: id,
                village_name: "东河村".into(),
                class: "residents".into(),
                name: format!("村民{number:03}"),
            })
            .collect();
        let imported = self.cosigner.authority.import_roll(&lines, Extent::Additions).await.unwrap();
        assert_eq!(imported.added, residents);
        let cards = self.cosigner.authority.make_cards(id).await.unwrap();
        assert_eq!(cards.len(), residents);
        let people = cards.into_iter().map(|card| Resident { id: card.resident, code: card.code, phone: None });
        Village { id, people: people.collect() }
    }

    /// The same with every phone enrolled.
    pub async fn village_with_phones(&self, residents: usize) -> Village {
        let mut village = self.village(residents).await;
        for resident in &mut village.people {
            let phone = Phone::new();
            self.post("/v1/enrolments", &phone.enrolment(&resident.code)).await.ok();
            resident.phone = Some(phone);
        }
        village
    }

    pub fn draft(&self, sid: SurveyId) -> Draft {
        let modulus = |signer: &RsaSigner| Hex::try_from(signer.public_key().modulus()).unwrap();
        Draft {
            sid,
            title: "东河村村务满意度".into(),
            questions: vec![Question {
                key: "q1".into(),
                text: "村务公开及时吗？".into(),
                options: ["满意", "基本满意", "不满意"].map(str::to_owned).to_vec(),
            }],
            windows: Windows {
                issue_from: "2026-03-02".into(),
                issue_until: "2026-03-06".into(),
                cast_from: "2026-03-02".into(),
                cast_until: "2026-03-07".into(),
            },
            k_min: 5,
            q_min: 3,
            l2_min: 5,
            min_level: 2,
            paper: 0,
            origin: format!("box.example/{sid}"),
            keys: PlatformKeys { a: modulus(self.platform.a), d: modulus(self.platform.d) },
            vkeys: vec![
                format!("platform {}", self.platform.log.public),
                format!("cosigner {}", self.cosigner.authority.log_signer().public),
                format!("witness {}", self.witness.witness.public_key()),
            ],
        }
    }

    pub fn proposal(&self, village: &Village, sid: SurveyId) -> Proposal {
        let roll = village.people.iter().map(|resident| RollPlace { resident: resident.id, leaf: resident.leaf(&sid) });
        Proposal { draft: self.draft(sid), roll: roll.collect(), unit: None }
    }

    /// A survey that is agreed, not yet opened.
    pub async fn agreed(&self, village: &Village) -> Running {
        self.agreed_with(village, |_| {}).await
    }

    pub async fn agreed_with(&self, village: &Village, change: impl FnOnce(&mut Draft)) -> Running {
        let sid = Hex(random_bytes(&SystemRandomness).unwrap());
        let mut proposal = self.proposal(village, sid);
        change(&mut proposal.draft);
        let agreed = self.operate_json("/v1/surveys", &proposal).await.ok();
        Running::new(proposal, &agreed)
    }

    /// A survey that is open.
    pub async fn open(&self, village: &Village) -> Running {
        let mut survey = self.agreed(village).await;
        self.extend(&mut survey, Vec::new()).await.ok();
        survey
    }

    /// Appends leaves to the platform's log and has the co-signer sign.
    pub async fn extend(&self, survey: &mut Running, leaves: Vec<Leaf>) -> Answer {
        let mut next = survey.clone();
        if next.log.is_empty() {
            next.log.push(Leaf::Manifest { h: next.manifest.hash() }.to_bytes());
        }
        next.log.extend(leaves.iter().map(Leaf::to_bytes));
        let answer = self.send_log(survey.log.len(), &next).await;
        if answer.status.is_success() {
            next.note = answer.body["note"].as_str().unwrap().to_owned();
            *survey = next;
        }
        answer
    }

    /// Sends the log from this size on.
    pub async fn send_log(&self, size_before: usize, survey: &Running) -> Answer {
        let lines: Vec<_> =
            survey.log[size_before..].iter().map(|line| String::from_utf8(line.clone()).unwrap()).collect();
        let mut body = json!({
            "leaves": lines,
            "size_before": size_before,
            "note": self.platform_note(survey),
        });
        if size_before == 0 {
            body["manifest"] = serde_json::to_value(&survey.manifest).unwrap();
        }
        self.operate_json(&format!("/v1/surveys/{}/checkpoints", survey.sid), &body).await
    }

    pub fn platform_note(&self, survey: &Running) -> String {
        note(&survey.manifest.origin, &survey.log, &self.platform.log)
    }

    /// Draws a credential as a phone does.
    pub async fn draw(&self, survey: &Running, resident: &Resident) -> Credential {
        let wish = survey.wish();
        let request = resident.phone().cosign(&survey.sid, wish.for_cosigner());
        let sb = self.post("/v1/cosign", &request).await.ok();
        let sb = Hex::<256>::parse(sb["sb"].as_str().unwrap()).unwrap();
        let (a, d) = wish.for_platform();
        let sa = self.platform.a.blind_sign(a, &SystemRandomness).unwrap();
        let sd = self.platform.d.blind_sign(d, &SystemRandomness).unwrap();
        wish.finish(&survey.keys, &sa, sb.as_slice(), &sd).unwrap()
    }

    /// Has the witness sign the log as the co-signer last signed it, and closes.
    pub async fn close(&self, survey: &mut Running, issued_a: &[Hex<32>]) -> Answer {
        self.witnessed(survey).await;
        let mut issued_a = issued_a.to_vec();
        issued_a.sort_unstable();
        let body = json!({ "issued_a": issued_a, "note": survey.note });
        self.operate_json(&format!("/v1/surveys/{}/close", survey.sid), &body).await
    }

    /// The witness's line under the present note.
    pub async fn witnessed(&self, survey: &mut Running) {
        let note = Note::from_bytes(survey.note.as_bytes()).unwrap();
        let request = AddCheckpoint { old_size: 0, proof: Vec::new(), note };
        let line = self.ask_witness(request.to_bytes()).await;
        assert_eq!(line.0, 200, "{}", line.1);
        survey.note.push_str(&line.1);
    }

    pub async fn ask_witness(&self, request: Vec<u8>) -> (u16, String) {
        let address = format!("http://{}/add-checkpoint", self.witness.address);
        let answer = self.client.post(address).body(request).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn hand_over(&self, survey: &Running, outers: &[Outer]) -> Answer {
        let bytes = outers.iter().flat_map(|outer| outer.env.0).collect();
        self.operate(Method::PUT, &format!("/v1/surveys/{}/envelopes", survey.sid), bytes).await
    }

    /// Appends what is still missing of the whole log.
    pub async fn publish(&self, survey: &mut Running, log: &[Vec<u8>]) -> Answer {
        let new = log[survey.log.len()..].iter().map(|line| Leaf::parse(line).unwrap()).collect();
        self.extend(survey, new).await
    }

    pub async fn counted(&self, survey: &Running) -> Answer {
        self.operate(Method::GET, &format!("/v1/surveys/{}/count", survey.sid), Vec::new()).await
    }
}

impl Drop for County {
    fn drop(&mut self) {
        let Some((server, name)) =
            self.database_url.strip_prefix("postgres://").and(self.database_url.rsplit_once('/'))
        else {
            return;
        };
        let (server, name) = (server.to_owned(), name.to_owned());
        // The test's own runtime is ending: a thread with a runtime of its own drops the database.
        let _ = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let administration = Database::connect(format!("{server}/postgres")).await.unwrap();
                let _ = administration.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            });
        })
        .join();
    }
}

async fn start_cosigner(settings: &Settings, time: &Time) -> Cosigner {
    let time = time.clone();
    Cosigner::start(settings.clone(), Arc::new(move || time.now()), randomness()).await.unwrap()
}

async fn fresh_postgres() -> String {
    let server = std::env::var("QINGFENG_TEST_POSTGRES").unwrap_or("postgres://postgres@127.0.0.1:5432".into());
    let name = format!("cosigner_test_{}", Uuid::new_v4().simple());
    let administration = Database::connect(format!("{server}/postgres")).await.unwrap();
    administration.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    format!("{server}/{name}")
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

/// A checkpoint of these lines, signed.
pub fn note(origin: &str, log: &[Vec<u8>], signer: &LogSigner) -> String {
    let mut tree = Tree::default();
    for line in log {
        tree.append(line);
    }
    let checkpoint = Checkpoint { size: tree.size(), root: tree.root(tree.size()).unwrap() };
    let mut note = Note::new(&checkpoint_text(origin, &checkpoint).unwrap(), &[]).unwrap();
    note.add_sigs(&[signer.note_signer() as &dyn Signer]).unwrap();
    String::from_utf8(note.to_bytes()).unwrap()
}

pub fn automatic(settings: &mut Settings) {
    settings.surveys.count = Counting::Automatic;
}
