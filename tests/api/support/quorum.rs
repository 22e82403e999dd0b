//! The real co-signer and the real witness, each with data of its own, beside a server's clock.

use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, Utc};
use ed25519_dalek::{Signer, SigningKey};
use qingfeng::{Config, sealed_surveys::OwnCosigner};
use qingfeng_ballots::{
    Hex,
    close::{SlipKey, SlipTag},
    codes::Code,
    messages,
    voter::Credential,
};
use qingfeng_core::{
    clock::{Clock, SimulatedClock},
    ids::{OrganizationId, ResidentId},
};
use qingfeng_cosigner::{
    Cosigner, Settings,
    paper::{Batch, PlatformPaper, slip_keys},
    randomness::{SharedRandomness, SystemRandomness},
    roll::{Extent, RollLine},
    witness::RunningWitness,
};
use serde_json::json;
use tempfile::TempDir;

/// The other two of the quorum.
pub struct Others {
    settings: Settings,
    cosigner: Mutex<Option<Cosigner>>,
    clock: Arc<OnceLock<Arc<SimulatedClock>>>,
    pub cosigner_address: String,
    pub witness_address: String,
    /// `name+id+key` of both.
    pub cosigner_key: String,
    pub witness_key: String,
    _witness: RunningWitness,
    _folder: TempDir,
}

fn randomness() -> SharedRandomness {
    Arc::new(SystemRandomness)
}

impl Others {
    /// Starts both; `platform` is the key that they take for the platform's.
    pub async fn start(platform: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.http.bind = "127.0.0.1:0".into();
        settings.http.shutdown_seconds = 1;
        settings.database.url = format!("sqlite://{}", folder.path().join("cosigner.sqlite").display());
        settings.keys.file = folder.path().join("keys.toml");
        settings.platform.vkey = Some(platform.to_owned());
        settings.witness.bind = "127.0.0.1:0".into();
        settings.witness.folder = folder.path().join("witness");
        let witness = RunningWitness::start(&settings, &randomness()).unwrap();
        let clock = Arc::default();
        let cosigner = start(&settings, &clock).await;
        settings.http.bind = cosigner.address.to_string();
        Self {
            cosigner_address: format!("http://{}", cosigner.address),
            witness_address: format!("http://{}", witness.address),
            cosigner_key: cosigner.authority.log_signer().public.clone(),
            witness_key: witness.witness.public_key().to_owned(),
            settings,
            cosigner: Mutex::new(Some(cosigner)),
            clock,
            _witness: witness,
            _folder: folder,
        }
    }

    /// A co-signer inside the platform's own program.
    pub async fn inside(config: &mut Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        config.ballots.own_cosigner_bind = "127.0.0.1:0".into();
        config.ballots.own_witness_bind = "127.0.0.1:0".into();
        config.ballots.own_cosigner_folder = folder.path().join("own");
        let clock: Arc<OnceLock<Arc<SimulatedClock>>> = Arc::default();
        let own = OwnCosigner::start(config, Arc::new(Borrowed(clock.clone()))).await.unwrap().unwrap();
        Self {
            cosigner_address: format!("http://{}", own.cosigner.address),
            witness_address: format!("http://{}", own.witness.address),
            cosigner_key: own.cosigner.authority.log_signer().public.clone(),
            witness_key: own.witness.witness.public_key().to_owned(),
            settings: Settings::default(),
            cosigner: Mutex::new(Some(own.cosigner)),
            clock,
            _witness: own.witness,
            _folder: folder,
        }
    }

    /// Prints paper slips, as the co-signer's tool does, and returns what they are worth.
    pub async fn print_slips(&self, sid: &messages::SurveyId, number: u32, platform: &str) -> Vec<Credential> {
        let platform = PlatformPaper::at(platform).unwrap();
        let mut printed = Vec::new();
        let print = |batch: &Batch| {
            printed.extend(batch.codes.iter().map(|code| {
                let (ballot_key, tag_key) = slip_keys(code, sid);
                let (pk, tag) = (ballot_key.verifying_key().to_bytes(), tag_key.verifying_key().to_bytes());
                let key = batch.slips.keys.iter().find(|slip| slip.pk.0 == pk).unwrap();
                let drop = batch.slips.tags.iter().find(|slip| slip.tag.0 == tag).unwrap();
                let SlipKey { pa, sa, pb, sb, .. } = *key;
                let SlipTag { pd, sd, .. } = *drop;
                Credential { survey: *sid, ballot_key, tag_key, pa, sa, pb, sb, pd, sd }
            }));
            Ok(())
        };
        self.authority().make_paper(sid, number, &platform, print).await.unwrap();
        printed
    }

    /// From now on the co-signer goes by this clock.
    pub fn go_by(&self, clock: Arc<SimulatedClock>) {
        assert!(self.clock.set(clock).is_ok());
    }

    pub async fn switch_off(&self) {
        let running = self.cosigner.lock().unwrap().take().unwrap();
        running.stop().await;
    }

    /// Starts the co-signer anew, on its data and at its address.
    pub async fn switch_on(&self) {
        let started = start(&self.settings, &self.clock).await;
        *self.cosigner.lock().unwrap() = Some(started);
    }

    fn authority(&self) -> actix_web::web::Data<qingfeng_cosigner::Authority> {
        self.cosigner.lock().unwrap().as_ref().unwrap().authority.clone()
    }

    /// Takes these residents over into the co-signer's roll and prints their cards.
    pub async fn print_cards(&self, village: OrganizationId, residents: &[ResidentId]) -> Vec<(ResidentId, Code)> {
        let lines: Vec<_> = residents
            .iter()
            .map(|resident| RollLine {
                resident: resident.0,
                village: village.0,
                village_name: "东河村".into(),
                class: "resident".into(),
                name: "测试村民".into(),
            })
            .collect();
        self.authority().import_roll(&lines, Extent::Additions).await.unwrap();
        let cards = self.authority().make_cards(village.0).await.unwrap();
        cards.into_iter().map(|card| (ResidentId(card.resident), card.code)).collect()
    }

    /// Enrols a phone with a card, as the app does.
    pub async fn enrol(&self, code: &Code, device: &SigningKey) {
        let key = Hex(device.verifying_key().to_bytes());
        let signature = Hex(device.sign(&messages::enrolment(&code.hash(), &key)).to_bytes());
        let body = json!({"code": *code.to_print(), "device": key, "signature": signature});
        let answer = reqwest::Client::new().post(format!("{}/v1/enrolments", self.cosigner_address)).json(&body);
        let answer = answer.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Has a phone's blinded ballot key signed; the status and what came.
    pub async fn cosign(&self, sid: &messages::SurveyId, device: &SigningKey, blinded: &[u8]) -> Hex<256> {
        let signed = self.ask_to_cosign(sid, device, blinded, None).await;
        Hex::parse(signed["sb"].as_str().unwrap_or_else(|| panic!("{signed}"))).unwrap()
    }

    /// What comes of asking, as the mini-program does or as a page from an origin does.
    pub async fn ask_to_cosign(
        &self,
        sid: &messages::SurveyId,
        device: &SigningKey,
        blinded: &[u8],
        origin: Option<&str>,
    ) -> serde_json::Value {
        let signature = Hex(device.sign(&messages::request(sid, &[blinded])).to_bytes());
        let key = Hex(device.verifying_key().to_bytes());
        let body = json!({"sid": sid, "device": key, "b": hex::encode(blinded), "signature": signature});
        let mut asked = reqwest::Client::new().post(format!("{}/v1/cosign", self.cosigner_address)).json(&body);
        if let Some(origin) = origin {
            asked = asked.header("Origin", origin);
        }
        asked.send().await.unwrap().json().await.unwrap()
    }

    /// People count before two observers.
    pub async fn count(&self, sid: &messages::SurveyId) {
        let observers = ["监票甲".to_owned(), "监票乙".to_owned()];
        self.authority().count(sid, &observers, &[]).await.unwrap();
    }
}

/// A clock that is handed in later.
struct Borrowed(Arc<OnceLock<Arc<SimulatedClock>>>);

impl Clock for Borrowed {
    fn now(&self) -> DateTime<Utc> {
        self.0.get().map_or(DateTime::UNIX_EPOCH, |clock| clock.now())
    }
}

async fn start(settings: &Settings, clock: &Arc<OnceLock<Arc<SimulatedClock>>>) -> Cosigner {
    let clock = Borrowed(clock.clone());
    let now = move || -> DateTime<Utc> { clock.now() };
    Cosigner::start(settings.clone(), Arc::new(now), randomness()).await.unwrap()
}
