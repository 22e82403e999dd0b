//! An anonymous survey with its residents: scripted phones against the real server.

use ed25519_dalek::{Signer, SigningKey};
use qingfeng::{Config, http::ballot_box, sealed_surveys, secrets::Secrets};
use qingfeng_ballots::{
    Hex,
    answers::Answers,
    log::Leaf,
    manifest::{Keys, Manifest},
    messages,
    outer::Outer,
    voter::{Credential, Request},
};
use qingfeng_core::{
    ids::{ResidentId, StaffId},
    people::{PersonKind, Role, entity::residents, sessions::Person as Identity},
    randomness::{Randomness as _, SystemRandomness},
    sealed_surveys::{
        BallotBoxId,
        entity::{devices, log},
    },
    storage::Engine,
};
use reqwest::StatusCode;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use super::{Answer, Others, Person, TestServer, Township, Village};

/// A server with a ballot box, a co-signer and a witness.
pub struct Polling {
    pub server: TestServer,
    pub others: Others,
    _secrets: tempfile::TempDir,
    pub box_address: String,
    box_handle: actix_web::dev::ServerHandle,
}

impl Drop for Polling {
    fn drop(&mut self) {
        drop(self.box_handle.stop(false));
    }
}

impl Polling {
    pub async fn start(engine: Engine) -> Self {
        let secrets = tempfile::tempdir().unwrap();
        let file = secrets.path().join("secrets.toml");
        let keys = Secrets::load_or_create(&file, "platform.qinghe", &SystemRandomness).unwrap();
        let others = Others::start(keys.log_signer().unwrap().public()).await;
        let (cosigner, witness) = (others.cosigner_address.clone(), others.witness_address.clone());
        let keys = (others.cosigner_key.clone(), others.witness_key.clone());
        Self::among(engine, secrets, others, |config| {
            config.ballots.cosigner_url = Some(cosigner);
            config.ballots.witness_url = Some(witness);
            (config.ballots.cosigner_key, config.ballots.witness_key) = (Some(keys.0), Some(keys.1));
        })
        .await
    }

    /// The township runs the co-signer, too.
    pub async fn of_one_operator() -> Self {
        let secrets = tempfile::tempdir().unwrap();
        let mut own = Config::default();
        own.secrets.file = secrets.path().join("secrets.toml");
        let others = Others::inside(&mut own).await;
        Self::among(Engine::Sqlite, secrets, others, |config| config.ballots = own.ballots).await
    }

    async fn among(
        engine: Engine,
        secrets: tempfile::TempDir,
        others: Others,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let box_address = format!("http://{}", listener.local_addr().unwrap());
        let server = TestServer::start_with(engine, |config| {
            configure(config);
            config.secrets.file = secrets.path().join("secrets.toml");
            config.ballots.box_public_url = box_address.clone();
        })
        .await;
        others.go_by(server.clock.clone());
        let serving = ballot_box::serve(server.application.clone(), listener).unwrap();
        let box_handle = serving.handle();
        actix_web::rt::spawn(serving);
        Self { server, others, box_address, box_handle, _secrets: secrets }
    }

    /// People count what was handed over, and everything moves on.
    pub async fn count(&self, sid: &BallotBoxId) {
        self.others.count(&sid.sid()).await;
        self.tick().await;
    }

    /// Moves everything on, as the clock does every minute.
    pub async fn tick(&self) {
        sealed_surveys::advance_all(&self.server.application).await.unwrap();
    }

    pub async fn throw(&self, sid: &str, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{}/v1/{sid}", self.box_address)).header("Content-Type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.headers().get("set-cookie").is_none());
        (answer.status(), answer.bytes().await.unwrap().to_vec())
    }

    pub async fn file(&self, sid: &str, name: &str) -> Option<Vec<u8>> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{}/v1/{sid}/{name}", self.box_address)).send().await.unwrap();
        let found = answer.status() == StatusCode::OK;
        let body = answer.bytes().await.unwrap().to_vec();
        found.then_some(body)
    }

    /// A bundle's folder, from the public files or from what `read` finds.
    pub async fn folder(&self, sid: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in qingfeng_core::sealed_surveys::queries::FILES {
            if let Some(content) = self.file(sid, name).await {
                std::fs::write(folder.path().join(name), content).unwrap();
            }
        }
        folder
    }
}

/// Somebody on the roll with her phone.
pub struct Voter {
    pub resident: ResidentId,
    pub person: Person,
    pub device: SigningKey,
}

impl Voter {
    /// Asks the platform to sign; returns the answer and the request, to be finished or sent again.
    pub fn body(&self, sid: &BallotBoxId, request: &Request) -> Value {
        let (a, d) = request.for_platform();
        let signature = self.device.sign(&messages::request(&sid.sid(), &[a, d])).to_bytes();
        json!({"a": hex::encode(a), "d": hex::encode(d), "signature": hex::encode(signature)})
    }
}

/// A survey over one village.
pub struct SealedStage<'a> {
    pub polling: &'a Polling,
    pub township: Township<'a>,
    pub village: Village,
    pub office: Person,
    pub voters: Vec<Voter>,
    pub survey: Value,
    pub sid: BallotBoxId,
}

pub fn draft() -> Value {
    json!({
        "kind": "public_satisfaction", "title": "东河村村务满意度", "min_level": 2,
        "topics": [{}], "classes": ["resident"],
        "issue_from": "2026-03-02", "issue_until": "2026-03-06", "cast_until": "2026-03-07",
    })
}

impl<'a> SealedStage<'a> {
    /// Thirty residents, enrolled; the survey is planned.
    pub async fn planned(polling: &'a Polling, draft: Value) -> Self {
        Self::peopled(polling).await.plan(draft).await
    }

    /// Thirty residents, enrolled, and nothing planned.
    pub async fn peopled(polling: &'a Polling) -> Self {
        let township = polling.server.township().await;
        let village = township.village("东河村").await;
        let office = township.staff(Role::TownshipOffice).await;
        township.chat_group(village, "东河村村民群", "robot-1").await;
        let mut residents = Vec::new();
        for _ in 0..30 {
            residents.push(township.add_resident(village, None, None).await);
        }
        let mut voters = Vec::new();
        for (resident, code) in polling.others.print_cards(village.id, &residents).await {
            let device = SigningKey::from_bytes(&seed());
            polling.others.enrol(&code, &device).await;
            let identity = Identity { county: township.county, kind: PersonKind::Resident, id: resident.0 };
            voters.push(Voter { resident, person: polling.server.signed_in(identity).await, device });
        }
        let sid = BallotBoxId::from(Hex([0; 16]));
        Self { polling, township, village, office, voters, survey: Value::Null, sid }
    }

    pub async fn plan(mut self, draft: Value) -> Self {
        self.survey = self.office.post("/api/sealed-surveys", draft).await.ok()["id"].clone();
        self.sid = self.view().await["boxes"][0]["sid"].as_str().unwrap().parse().unwrap();
        self
    }

    /// A draft that rates the village's secretary; and the secretary.
    pub async fn rating(&self) -> (Value, Person, StaffId) {
        let (rated, id) = self.township.staff_of(self.village.id, Role::VillageSecretary).await;
        let mut rating = draft();
        rating["kind"] = json!("cadre_evaluation");
        rating["title"] = json!("村干部民主测评");
        rating["topics"] = json!([{"evaluatee": "测试干部", "staff_id": id}]);
        (rating, rated, id)
    }

    pub async fn opened(polling: &'a Polling) -> Self {
        let stage = Self::planned(polling, draft()).await;
        stage.prepare().await;
        stage.act("opening", json!({})).await.ok();
        stage
    }

    /// With three paper slips, opened.
    pub async fn with_slips(polling: &'a Polling) -> (Self, Vec<Credential>) {
        let mut with_paper = draft();
        with_paper["paper"] = json!(3);
        let stage = Self::planned(polling, with_paper).await;
        stage.prepare().await;
        stage.act("opening", json!({})).await.problem(409, "paper_missing");
        let slips = polling.others.print_slips(&stage.sid.sid(), 3, &polling.server.address).await;
        stage.act("opening", json!({})).await.ok();
        (stage, slips)
    }

    pub async fn prepare(&self) -> Value {
        self.act("preparation", json!({})).await.ok()["boxes"][0].clone()
    }

    pub async fn act(&self, act: &str, body: Value) -> Answer {
        self.office.post(&format!("/api/sealed-surveys/{}/{act}", self.survey.as_str().unwrap()), body).await
    }

    pub async fn view(&self) -> Value {
        self.office.get(&format!("/api/sealed-surveys/{}", self.survey.as_str().unwrap())).await.ok()
    }

    pub async fn state(&self) -> String {
        self.view().await["boxes"][0]["state"].as_str().unwrap().to_owned()
    }

    pub async fn trouble(&self) -> Value {
        self.view().await["boxes"][0]["trouble"].clone()
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/api/sealed-surveys/boxes/{}/{rest}", self.sid)
    }

    pub async fn manifest(&self) -> (Manifest, Keys) {
        let bytes = self.polling.file(&self.sid.to_string(), "manifest.json").await.unwrap();
        let manifest: Manifest = serde_json::from_slice(&bytes).unwrap();
        let keys = manifest.check().unwrap();
        (manifest, keys)
    }

    /// A credential from both authorities, through HTTP.
    pub async fn credential(&self, voter: &Voter, keys: &Keys) -> Credential {
        let request = Request::new(self.sid.sid(), keys, &Source).unwrap();
        let answer = voter.person.post(&self.path("credential"), voter.body(&self.sid, &request)).await.ok();
        let signed = |name: &str| hex::decode(answer[name].as_str().unwrap()).unwrap();
        let b = self.polling.others.cosign(&self.sid.sid(), &voter.device, request.for_cosigner()).await;
        request.finish(keys, &signed("sa"), b.as_slice(), &signed("sd")).unwrap()
    }

    /// So many residents get a credential and answer.
    pub async fn vote(&self, voters: usize) -> Vec<Credential> {
        let (manifest, keys) = self.manifest().await;
        let mut credentials = Vec::new();
        for (number, voter) in self.voters.iter().take(voters).enumerate() {
            let credential = self.credential(voter, &keys).await;
            let answers = [u8::try_from(number % 3).unwrap() + 1, u8::try_from(number % 4).unwrap()];
            let outer = outer(&manifest, &credential, answers, 0);
            let (status, _) = self.polling.throw(&self.sid.to_string(), outer.to_bytes()).await;
            assert_eq!(status, StatusCode::NO_CONTENT);
            credentials.push(credential);
        }
        credentials
    }

    /// Goes to this day of March 2026.
    pub fn day(&self, day: u32) {
        let date = chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
        let time = chrono::NaiveTime::from_hms_opt(9, 0, 0).unwrap();
        self.polling.server.clock.set(qingfeng_core::clock::shanghai_instant(date, time));
    }

    /// The platform has not heard of this phone yet.
    pub async fn forget_phone(&self, resident: ResidentId) {
        self.township
            .write(move |unit| {
                Box::pin(async move {
                    devices::Entity::update_many()
                        .col_expr(devices::Column::Device, Expr::value(Option::<Vec<u8>>::None))
                        .filter(devices::Column::ResidentId.eq(resident))
                        .exec(unit.connection())
                        .await?;
                    Ok(())
                })
            })
            .await;
    }

    pub async fn strike_off(&self, resident: ResidentId) {
        self.on_the_roster(resident, false).await;
    }

    pub async fn take_back(&self, resident: ResidentId) {
        self.on_the_roster(resident, true).await;
    }

    async fn on_the_roster(&self, resident: ResidentId, active: bool) {
        self.township
            .write(move |unit| {
                Box::pin(async move {
                    residents::Entity::update_many()
                        .col_expr(residents::Column::Active, Expr::value(active))
                        .filter(residents::Column::Id.eq(resident))
                        .exec(unit.connection())
                        .await?;
                    Ok(())
                })
            })
            .await;
    }

    /// Puts another envelope's hash into a line of the platform's own log.
    pub async fn change_the_log(&self, line: i64) {
        let leaf = Leaf::Box { tag: Hex([1; 32]), seq: 0, h: Hex([2; 32]) };
        let (sid, leaf) = (self.sid, String::from_utf8(leaf.to_bytes()).unwrap());
        self.township
            .write(move |unit| {
                Box::pin(async move {
                    log::Entity::update_many()
                        .col_expr(log::Column::Leaf, Expr::value(leaf))
                        .filter(log::Column::Sid.eq(sid))
                        .filter(log::Column::Idx.eq(line))
                        .exec(unit.connection())
                        .await?;
                    Ok(())
                })
            })
            .await;
    }
}

/// Answers, the two in turns, sealed.
pub fn outer(manifest: &Manifest, credential: &Credential, answers: [u8; 2], revision: u32) -> Outer {
    let answers = (0..).zip(&manifest.questions).map(|(number, question)| (question.key.clone(), answers[number % 2]));
    let answers = Answers(answers.collect());
    let recipient = manifest.box_recipient.parse().unwrap();
    credential.outer(&credential.ballot(answers).to_bytes(), revision, recipient, &Source).unwrap()
}

/// The operating system's randomness in the ballots' shape.
pub use qingfeng_cosigner::randomness::SystemRandomness as Source;

fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    SystemRandomness.fill(&mut seed);
    seed
}
