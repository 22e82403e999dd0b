//! Scripted residents with phones, and whatever an attacker in the platform could write down of them.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use ed25519_dalek::{Signer, SigningKey};
use qingfeng_ballots::{
    Hex,
    answers::{Answers, Question},
    ballot::Ballot,
    canonical::sha256,
    codes::Code,
    manifest::{Keys, Manifest},
    messages,
    outer::Outer,
    voter::{Credential, Request},
};
use qingfeng_core::{
    ids::ResidentId,
    people::{
        RosterGroup,
        roster::{self, NewResident},
    },
    sealed_surveys::BallotBoxId,
};
use qingfeng_sandbox::Phone as SandboxPhone;
use serde_json::{Value, json};

use super::{TOKENS_LAST, chance::Dice};
use crate::support::{Person, Programs, Source, Township, Village};

pub const RESIDENTS: usize = 60;

/// Somebody with a phone. Every mark is hers alone and stands nowhere by chance.
pub struct Resident {
    pub id: ResidentId,
    pub name: String,
    pub open_id: String,
    pub agent: String,
    pub forwarded: String,
    pub device: SigningKey,
    /// Of her card: what the rolls are made from.
    pub commitment: Hex<32>,
    /// How long she sends again what got no answer.
    pub patience: Duration,
    token: Mutex<Option<(Instant, String)>>,
}

fn open_id(number: usize) -> String {
    format!("oKanarienvogel{number:03}xQ7")
}

/// The phones as the simulated WeChat has to know them.
pub fn sandbox_phones() -> Vec<SandboxPhone> {
    (0..RESIDENTS).map(|number| SandboxPhone::new(open_id(number), format!("手机{number}"))).collect()
}

/// What one resident did at one box, as the platform could have seen and as only she knows.
pub struct Vote {
    /// Hers alone.
    pub ballot: Ballot,
    /// Hashes of everything that she had signed.
    pub req_hashes: [Hex<32>; 2],
    pub a: Hex<256>,
    pub d: Hex<256>,
    pub sa: Hex<256>,
    pub leaf: Hex<32>,
    pub tag: Hex<32>,
    /// Of the envelopes, the last of which counts.
    pub envelopes: Vec<Hex<32>>,
    pub size: usize,
    /// Places in the order of arrival: at the platform, at the box.
    pub issued: usize,
    pub cast: usize,
}

/// One box with all that happened at it.
pub struct Polled {
    pub sid: BallotBoxId,
    pub manifest: Manifest,
    pub keys: Keys,
    /// By resident.
    pub votes: Vec<Vote>,
}

/// Puts residents on the roll; they have no phones yet.
pub async fn move_in(township: &Township<'_>, village: Village) -> Vec<(ResidentId, String)> {
    let mut residents = Vec::new();
    for number in 0..RESIDENTS {
        let (county, place, name) = (township.county, township.id, format!("金丝雀{number:03}"));
        let new = NewResident {
            township: place,
            village: village.id,
            name: name.clone(),
            neighbourhood: "三组".into(),
            group: RosterGroup::Resident,
            also_staff: None,
            open_id: Some(open_id(number)),
        };
        let id = township.write(move |unit| Box::pin(roster::add_resident(unit, county, new))).await;
        residents.push((id, name));
    }
    residents
}

/// Gives everybody a card of the co-signer's, enrols the phones and signs everybody in.
pub async fn enrol(programs: &Programs, cards: &str, residents: Vec<(ResidentId, String)>) -> Vec<Resident> {
    let cards: Vec<Value> = cards.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut enrolled = Vec::new();
    for (number, (id, name)) in residents.into_iter().enumerate() {
        let card = cards.iter().find(|card| card["resident"] == json!(id)).unwrap();
        let code = Code::parse(card["code"].as_str().unwrap()).unwrap();
        let mut seed = [0; 32];
        qingfeng_core::randomness::Randomness::fill(&qingfeng_core::randomness::SystemRandomness, &mut seed);
        let resident = Resident {
            id,
            name,
            open_id: open_id(number),
            agent: format!("Kanarien/{number:03} Zeisig"),
            forwarded: format!("203.0.113.{}", number + 1),
            device: SigningKey::from_bytes(&seed),
            commitment: messages::audit_commitment(&code.card_secret()),
            patience: Duration::ZERO,
            token: Mutex::default(),
        };
        let key = Hex(resident.device.verifying_key().to_bytes());
        let signature = Hex(resident.device.sign(&messages::enrolment(&code.hash(), &key)).to_bytes());
        let body = json!({"code": *code.to_print(), "device": key, "signature": signature});
        let address = format!("{}/v1/enrolments", programs.cosigner_address);
        resident.send(&address, bytes(&body), Authority::Nobody).await;
        enrolled.push(resident);
    }
    enrolled
}

/// Whether a request says who asks.
#[derive(Clone, Copy)]
enum Authority {
    SignedIn,
    Nobody,
}

impl Resident {
    /// With her phone's name, through a proxy that names her address. What gets no answer is sent again, unchanged, as long as
    /// her patience lasts.
    async fn send(&self, address: &str, body: Vec<u8>, authority: Authority) -> Value {
        let since = Instant::now();
        loop {
            let fault = match self.try_once(address, body.clone(), authority).await {
                Ok(answer) => return answer,
                Err(fault) => fault,
            };
            assert!(since.elapsed() < self.patience, "{address}: {fault}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn try_once(&self, address: &str, body: Vec<u8>, authority: Authority) -> Result<Value, String> {
        let client = reqwest::Client::builder().no_proxy().user_agent(&self.agent).build().unwrap();
        let mut request = client.post(address).header("X-Forwarded-For", &self.forwarded);
        if let Authority::SignedIn = authority {
            let (_, token) = self.token.lock().unwrap().clone().unwrap();
            request = request.bearer_auth(token);
        }
        let answer = request.header("Content-Type", "application/json").body(body).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if status.is_server_error() {
            return Err(format!("{status} {text}"));
        }
        assert!(status.is_success(), "{address}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    pub async fn sign_in(&self, programs: &Programs) {
        let signed_in = self.token.lock().unwrap().as_ref().is_some_and(|(since, _)| since.elapsed() < TOKENS_LAST);
        if signed_in {
            return;
        }
        let body = json!({"code": programs.sandbox.login_code(&self.open_id)});
        let address = format!("{}/api/sign-in/mini-program", programs.address);
        let answer = self.send(&address, bytes(&body), Authority::Nobody).await;
        let token = answer["access_token"].as_str().unwrap().to_owned();
        *self.token.lock().unwrap() = Some((Instant::now(), token));
    }

    /// As the app does: nobody's request, but a proxy may have added what it knows.
    pub async fn throw(&self, programs: &Programs, outer: &Outer) {
        let address = format!("{}/v1/{}", programs.box_address, outer.sid);
        self.send(&address, outer.to_bytes(), Authority::Nobody).await;
    }
}

fn bytes(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).unwrap()
}

/// An open box, and what everybody is going to answer.
pub struct Poll {
    pub sid: BallotBoxId,
    pub manifest: Manifest,
    pub keys: Keys,
    answers: Vec<Answers>,
}

/// What the phone keeps between credential and box.
pub struct Drawn {
    pub person: usize,
    credential: Credential,
    pub vote: Vote,
}

impl Poll {
    pub async fn open(programs: &Programs, sid: BallotBoxId, dice: &mut Dice) -> Self {
        let answer = reqwest::get(format!("{}/v1/{sid}/manifest.json", programs.box_address)).await.unwrap();
        let manifest: Manifest = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let (keys, answers) = (manifest.check().unwrap(), combinations(&manifest, dice));
        Self { sid, manifest, keys, answers }
    }

    /// A credential of both authorities; `place` is the person's in the order of asking.
    pub async fn draw(&self, programs: &Programs, residents: &[Resident], person: usize, place: usize) -> Drawn {
        let (sid, resident) = (self.sid.sid(), &residents[person]);
        resident.sign_in(programs).await;
        let request = Request::new(sid, &self.keys, &Source).unwrap();
        let (a, d) = request.for_platform();
        let (a, d): (Hex<256>, Hex<256>) = (Hex::try_from(a).unwrap(), Hex::try_from(d).unwrap());
        let signature = Hex(resident.device.sign(&messages::request(&sid, &[&a.0, &d.0])).to_bytes());
        let address = format!("{}/api/sealed-surveys/boxes/{}/credential", programs.address, self.sid);
        let body = json!({"a": a, "d": d, "signature": signature});
        let signed = resident.send(&address, bytes(&body), Authority::SignedIn).await;
        let signed = |name: &str| -> Hex<256> { serde_json::from_value(signed[name].clone()).unwrap() };
        let (sa, sd) = (signed("sa"), signed("sd"));
        let b: Hex<256> = Hex::try_from(request.for_cosigner()).unwrap();
        let signature = Hex(resident.device.sign(&messages::request(&sid, &[&b.0])).to_bytes());
        let device = Hex(resident.device.verifying_key().to_bytes());
        let body = json!({"sid": sid, "device": device, "b": b, "signature": signature});
        let address = format!("{}/v1/cosign", programs.cosigner_for_others());
        let cosigned = resident.send(&address, bytes(&body), Authority::Nobody).await;
        let sb: Hex<256> = serde_json::from_value(cosigned["sb"].clone()).unwrap();
        let credential = request.finish(&self.keys, &sa.0, &sb.0, &sd.0).unwrap();
        let vote = Vote {
            ballot: credential.ballot(self.answers[person].clone()),
            req_hashes: [sha256(&[&a.0, &d.0]), sha256(&[&b.0])],
            a,
            d,
            sa,
            leaf: messages::roll_leaf(&sid, &resident.commitment),
            tag: Hex(credential.tag_key.verifying_key().to_bytes()),
            envelopes: Vec::new(),
            size: 0,
            issued: place,
            cast: 0,
        };
        Drawn { person, credential, vote }
    }

    /// Answers, so many times; only the last one counts.
    pub async fn answer(&self, programs: &Programs, residents: &[Resident], drawn: Drawn, times: u32) -> (usize, Vote) {
        let Drawn { person, credential, mut vote } = drawn;
        for revision in 0..times {
            let recipient = self.manifest.box_recipient.parse().unwrap();
            let outer = credential.outer(&vote.ballot.to_bytes(), revision, recipient, &Source).unwrap();
            vote.envelopes.push(outer.envelope_hash());
            vote.size = outer.to_bytes().len();
            residents[person].throw(programs, &outer).await;
        }
        (person, vote)
    }

    /// Everybody draws a credential and answers, in orders of their own; some answer twice. `look` is what the platform does
    /// every minute.
    pub async fn run(
        self,
        programs: &Programs,
        residents: &[Resident],
        dice: &mut Dice,
        look: impl AsyncFn(),
    ) -> Polled {
        let mut votes: Vec<Option<Vote>> = (0..residents.len()).map(|_| None).collect();
        let mut waiting: Vec<Drawn> = Vec::new();
        let mut cast = 0;
        let order = dice.order(residents.len());
        for place in 0..=order.len() {
            let next = order.get(place);
            if let Some(person) = next {
                waiting.push(self.draw(programs, residents, *person, place).await);
            }
            // Some answer at once, some in the evening.
            while !waiting.is_empty() && (next.is_none() || dice.below(2) == 0) {
                let drawn = waiting.swap_remove(dice.below(waiting.len()));
                let times = if dice.below(10) == 0 { 2 } else { 1 };
                let (person, mut vote) = self.answer(programs, residents, drawn, times).await;
                vote.cast = cast;
                votes[person] = Some(vote);
                cast += 1;
                if cast % 13 == 0 {
                    look().await;
                }
            }
        }
        Polled {
            sid: self.sid,
            manifest: self.manifest,
            keys: self.keys,
            votes: votes.into_iter().map(Option::unwrap).collect(),
        }
    }
}

/// For every resident other answers than for every other one, so that an answer is as good as a name. First and third
/// differ: other tests, which share a server's write-ahead log, answer alike or in turns of two.
fn combinations(manifest: &Manifest, dice: &mut Dice) -> Vec<Answers> {
    let mut chosen = std::collections::BTreeSet::new();
    while chosen.len() < RESIDENTS {
        let answer = |question: &Question| dice.below(question.options.len() + 1);
        let answers: Vec<_> = manifest.questions.iter().map(answer).collect();
        if answers[0] != answers[2] {
            chosen.insert(answers);
        }
    }
    let mut chosen: Vec<_> = chosen.into_iter().collect();
    dice.shuffle(&mut chosen);
    let answers = |chosen: Vec<usize>| {
        let keys = manifest.questions.iter().map(|question| question.key.clone());
        Answers(keys.zip(chosen.into_iter().map(|answer| u8::try_from(answer).unwrap())).collect())
    };
    chosen.into_iter().map(answers).collect()
}

/// The office's view of what was planned.
pub async fn boxes(office: &Person, survey: &str) -> Vec<Value> {
    office.get(&format!("/api/sealed-surveys/{survey}")).await.ok()["boxes"].as_array().unwrap().clone()
}
