//! Both authorities, the box and the verifier of one survey in one process, for checking other programs against: reads one
//! command per line from standard input and answers with one line of JSON. `app/tests/interop` drives the phones' client with it.

use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
};

use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use qingfeng_ballots::{
    Hex,
    answers::Question,
    blind::{BlindSigner, RsaSigner, generate},
    bundle::{Bundle, Mine},
    canonical::canonical,
    close::{SlipKey, SlipTag, Slips, Voided},
    closing::Closing,
    count::count,
    envelope::BoxKey,
    log::{Checkpoint, Leaf, LogKey, Note, Pinned, Signer, StandardSigner, Tree, checkpoint_text},
    manifest::{Keys, Manifest, Moduli, Windows},
    messages,
    outer::{Outer, OuterRefusal},
    randomness::{NoRandomness, Randomness},
    verification::{Reader, verify},
    voter::Request,
};
use rand::TryRngCore;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    /// Makes keys and manifest for the residents with these cards, and paper slips with these codes.
    Prepare { cards: Vec<String>, slips: Vec<String> },
    /// Signs for the platform.
    Credential { a: Hex<256>, d: Box<Hex<256>>, device: Hex<32>, signature: Hex<64>, card: String },
    /// Signs for the co-signer.
    Cosign { b: Hex<256>, device: Hex<32>, signature: Hex<64> },
    /// Throws bytes into the box.
    Drop { outer: String },
    /// Puts what is in the box into the log and has it signed by these; only what all have signed is published.
    Flush { signers: Vec<String> },
    /// Closes, counts, publishes and verifies with what one voter kept.
    Publish { mine: Mine },
}

struct System;

impl Randomness for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        rand::rngs::OsRng.try_fill_bytes(bytes).map_err(|_| NoRandomness)
    }
}

const NAMES: [&str; 3] = ["platform", "cosigner", "witness"];

struct Survey {
    a: RsaSigner,
    b: RsaSigner,
    d: RsaSigner,
    log_keys: Vec<LogKey>,
    box_key: BoxKey,
    manifest: Manifest,
    keys: Keys,
    issued: Vec<Hex<32>>,
    outers: Vec<Outer>,
    paper: Slips,
    logged: usize,
    checkpoints: Vec<String>,
}

impl Survey {
    fn prepare(cards: &[String], slips: &[String]) -> Self {
        let key = || generate(&System).expect("randomness");
        let (a, b, d, box_key) = (key(), key(), key(), BoxKey::generate());
        let mut sid = [0; 16];
        System.fill(&mut sid).expect("randomness");
        let mut roll: Vec<_> = cards.iter().map(|card| leaf_of(&Hex(sid), card)).collect();
        roll.sort_unstable();
        let modulus = |key: &RsaSigner| Hex::try_from(key.public_key().modulus()).expect("2048 bits");
        let question = |key: &str, text: &str| Question {
            key: key.to_owned(),
            text: text.to_owned(),
            options: ["满意", "基本满意", "不满意"].map(str::to_owned).to_vec(),
        };
        let log_keys: Vec<_> = NAMES.iter().map(|name| LogKey::generate(name, &System).expect("randomness")).collect();
        let manifest = Manifest {
            v: 1,
            sid: Hex(sid),
            title: "东河村“村务”满意度\n调查".to_owned(),
            questions: vec![question("q1", "村务公开及时吗？"), question("q2", "办事公道吗？")],
            roll,
            keys: Moduli { a: modulus(&a), b: modulus(&b), d: modulus(&d) },
            box_recipient: box_key.recipient(),
            windows: Windows {
                issue_from: "2026-03-02".to_owned(),
                issue_until: "2026-03-06".to_owned(),
                cast_from: "2026-03-02".to_owned(),
                cast_until: "2026-03-07".to_owned(),
            },
            k_min: 5,
            q_min: 3,
            l2_min: 5,
            min_level: 2,
            paper: u32::try_from(slips.len()).expect("few slips"),
            origin: "box.example/donghe".to_owned(),
            vkeys: log_keys.iter().map(|key| key.public.clone()).collect(),
        };
        let keys = manifest.check().expect("a good manifest");
        let paper = Slips::new(slips.iter().map(|code| slip(&manifest.sid, &keys, [&a, &b, &d], code)));
        Self {
            a,
            b,
            d,
            log_keys,
            box_key,
            manifest,
            keys,
            issued: vec![],
            outers: vec![],
            paper,
            logged: 0,
            checkpoints: vec![],
        }
    }

    /// Throws an outer in, as the box does: the identical bytes once more are welcome.
    fn drop(&mut self, bytes: &[u8]) -> Result<(), OuterRefusal> {
        let outer = Outer::parse(bytes)?;
        if self.outers.contains(&outer) {
            return Ok(());
        }
        let held = self.outers.iter().filter(|held| held.tag == outer.tag).map(|held| held.seq).max();
        outer.admit(&self.manifest.sid, &self.keys.d, held)?;
        self.outers.push(outer);
        Ok(())
    }

    fn box_leaves(&self) -> Vec<Leaf> {
        let logged = self.outers[..self.logged].iter();
        logged.map(|outer| Leaf::Box { tag: outer.tag, seq: outer.seq, h: outer.envelope_hash() }).collect()
    }

    fn flush(&mut self, signers: &[String]) -> Value {
        self.logged = self.outers.len();
        let leaves = [Leaf::Manifest { h: self.manifest.hash() }].into_iter().chain(self.box_leaves());
        let lines: Vec<_> = leaves.map(|leaf| leaf.to_bytes()).collect();
        let note = self.sign(&lines, signers);
        if signers.len() == NAMES.len() {
            self.checkpoints.push(note.clone());
        }
        json!({ "log": joined(&lines), "note": note, "checkpoints": canonical_text(&self.checkpoints) })
    }

    fn sign(&self, lines: &[Vec<u8>], signers: &[String]) -> String {
        let mut tree = Tree::default();
        lines.iter().for_each(|line| tree.append(line));
        let checkpoint = Checkpoint { size: tree.size(), root: tree.root(tree.size()).expect("the whole tree") };
        let named =
            |name: &String| self.log_keys[NAMES.iter().position(|known| known == name).expect("a name")].secret.clone();
        let signers: Vec<_> =
            signers.iter().map(|name| StandardSigner::new(&named(name)).expect("a key just made")).collect();
        let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
        let mut note =
            Note::new(&checkpoint_text(&self.manifest.origin, &checkpoint).expect("an origin"), &[]).expect("a text");
        note.add_sigs(&signers).expect("signers");
        String::from_utf8(note.to_bytes()).expect("text")
    }

    fn publish(&mut self, mine: Mine) -> Value {
        let envelopes: Vec<_> = self.outers[..self.logged].iter().map(|outer| outer.env).collect();
        let box_leaves = self.box_leaves();
        let count = count(&self.manifest, &self.keys, &box_leaves, &envelopes, &Voided::default(), &self.box_key)
            .expect("a whole box");
        let (ballots, junk) = (count.ballots.len(), count.junk.len());
        self.issued.sort_unstable();
        let mut bundle = Closing {
            manifest: self.manifest.clone(),
            box_leaves,
            count,
            issued_a: self.issued.clone(),
            issued_b: self.issued.clone(),
            voided: Voided::default(),
            paper: self.paper.clone(),
        }
        .bundle();
        let everybody = NAMES.map(str::to_owned);
        self.checkpoints.push(self.sign(&bundle.log, &everybody));
        bundle.checkpoints.clone_from(&self.checkpoints);
        let pinned = Pinned::parse(&self.pinned().join("\n")).expect("good keys");
        let reader = Reader { pinned, checkpoints: vec![], fingerprints: vec![], mine: Some(mine), roll_size: None };
        let failed: Vec<_> = verify(&bundle, &reader).failed.into_keys().map(|check| check.code()).collect();
        json!({ "ballots": ballots, "junk": junk, "failed": failed, "files": files(&bundle) })
    }

    fn pinned(&self) -> Vec<String> {
        NAMES.iter().zip(&self.log_keys).map(|(role, key)| format!("{role} {}", key.public)).collect()
    }
}

/// What HKDF-SHA256 makes of a printed code.
fn derived<const LENGTH: usize>(code: &str, purpose: &[u8]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    Hkdf::<Sha256>::new(None, code.as_bytes()).expand(purpose, &mut bytes).expect("a short output");
    bytes
}

fn leaf_of(sid: &Hex<16>, card: &str) -> Hex<32> {
    messages::roll_leaf(sid, &messages::audit_commitment(&Hex(derived(card, b"bbk1/card"))))
}

fn slip(sid: &Hex<16>, keys: &Keys, signers: [&RsaSigner; 3], code: &str) -> (SlipKey, SlipTag) {
    let seeds: [u8; 64] = derived(code, &[b"bbk1/paper", sid.as_slice()].concat());
    let key = |half: &[u8]| SigningKey::from_bytes(half.try_into().expect("32 bytes"));
    let request = Request::with_keys(*sid, keys, key(&seeds[..32]), key(&seeds[32..]), &System).expect("randomness");
    let sign = |signer: &RsaSigner, message: &[u8]| signer.blind_sign(message, &System).expect("a blinded message");
    let (a, d) = request.for_platform();
    let (a, d, b) = (sign(signers[0], a), sign(signers[2], d), sign(signers[1], request.for_cosigner()));
    request.finish(keys, &a, &b, &d).expect("good signatures").slip()
}

fn joined(lines: &[Vec<u8>]) -> String {
    lines.iter().map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
}

/// The files that phones read, by name.
fn files(bundle: &Bundle) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("log.jsonl", joined(&bundle.log)),
        ("checkpoints.json", canonical_text(&bundle.checkpoints)),
        ("close.json", canonical_text(&bundle.close)),
        ("totals.json", canonical_text(&bundle.totals)),
    ])
}

fn canonical_text<T: serde::Serialize>(value: &T) -> String {
    String::from_utf8(canonical(value)).expect("JSON is text")
}

/// Whether the device signed this request.
fn is_signed(device: &Hex<32>, message: &[u8], signature: &Hex<64>) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    ed25519_dalek::VerifyingKey::from_bytes(&device.0).and_then(|key| key.verify_strict(message, &signature)).is_ok()
}

fn answer(survey: &mut Option<Survey>, command: Command) -> Value {
    if let Command::Prepare { cards, slips } = command {
        let survey = survey.insert(Survey::prepare(&cards, &slips));
        return json!({
            "manifest": survey.manifest,
            "hash": survey.manifest.hash(),
            "poster": survey.manifest.poster_code(),
            "pinned": survey.pinned(),
            "paper": survey.paper,
        });
    }
    let Some(survey) = survey else { return json!({ "refused": "not prepared" }) };
    let refused = |reason: &dyn std::fmt::Debug| json!({ "refused": format!("{reason:?}") });
    let sid = survey.manifest.sid;
    match command {
        Command::Prepare { .. } => unreachable!("answered above"),
        Command::Credential { a, d, device, signature, card } => {
            if !is_signed(&device, &messages::request(&sid, &[a.as_slice(), d.as_slice()]), &signature) {
                return json!({ "refused": "DeviceSignature" });
            }
            survey.issued.push(leaf_of(&sid, &card));
            match (survey.a.blind_sign(a.as_slice(), &System), survey.d.blind_sign(d.as_slice(), &System)) {
                (Ok(sa), Ok(sd)) => json!({ "sa": hex::encode(sa), "sd": hex::encode(sd) }),
                (Err(error), _) | (_, Err(error)) => refused(&error),
            }
        }
        Command::Cosign { b, device, signature } => {
            if !is_signed(&device, &messages::request(&sid, &[b.as_slice()]), &signature) {
                return json!({ "refused": "DeviceSignature" });
            }
            match survey.b.blind_sign(b.as_slice(), &System) {
                Ok(sb) => json!({ "sb": hex::encode(sb) }),
                Err(error) => refused(&error),
            }
        }
        Command::Drop { outer } => match survey.drop(outer.as_bytes()) {
            Ok(()) => json!({ "admitted": true }),
            Err(refusal) => refused(&refusal),
        },
        Command::Flush { signers } => survey.flush(&signers),
        Command::Publish { mine } => survey.publish(mine),
    }
}

fn main() -> std::io::Result<()> {
    let mut survey = None;
    for line in std::io::stdin().lock().lines() {
        let answered = match serde_json::from_str(&line?) {
            Ok(command) => answer(&mut survey, command),
            Err(error) => json!({ "refused": error.to_string() }),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answered}")?;
        out.flush()?;
    }
    Ok(())
}
