//! A survey with both authorities and its residents in one process.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use qingfeng_ballots::{
    Hex,
    answers::{Answers, Question},
    blind::{BlindSigner, PublicKey, RsaSigner, generate},
    envelope::{BoxKey, Recipient},
    log::{LogKey, StandardSigner},
    manifest::{Keys, Manifest, Moduli, Windows},
    messages::{audit_commitment, roll_leaf},
    outer::Outer,
    randomness::{NoRandomness, Randomness},
    voter::{Credential, Request},
};
use rand::{RngCore, SeedableRng, rngs::StdRng};

pub struct Seeded(Mutex<StdRng>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Randomness for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.lock().unwrap().fill_bytes(bytes);
        Ok(())
    }
}

/// The three signers: platform over ballot keys, co-signer over ballot keys, platform over tags.
pub struct Signers {
    pub a: RsaSigner,
    pub b: RsaSigner,
    pub d: RsaSigner,
}

/// Key generation is the slow part; every test of one run shares one set.
pub fn signers() -> &'static Signers {
    static SIGNERS: OnceLock<Signers> = OnceLock::new();
    SIGNERS.get_or_init(|| {
        let random = Seeded::new(20);
        let key = || generate(&random).unwrap();
        Signers { a: key(), b: key(), d: key() }
    })
}

/// A survey of two questions whose residents are numbered.
pub struct Survey {
    pub manifest: Manifest,
    pub keys: Keys,
    pub box_key: BoxKey,
    pub random: Seeded,
}

fn modulus(key: &PublicKey) -> Hex<256> {
    Hex::try_from(key.modulus()).unwrap()
}

impl Survey {
    pub fn with_residents(residents: u8) -> Self {
        // No two surveys draw the same numbers: credentials made later are not those made before.
        static NEXT: AtomicU64 = AtomicU64::new(30);
        let signers = signers();
        let box_key = BoxKey::generate();
        let sid = Hex([5; 16]);
        let mut roll: Vec<_> = (0..residents).map(|resident| leaf_of(&sid, resident)).collect();
        roll.sort_unstable();
        let question = |key: &str, text: &str| Question {
            key: key.into(),
            text: text.into(),
            options: ["满意", "基本满意", "不满意"].map(str::to_owned).to_vec(),
        };
        let manifest = Manifest {
            v: 1,
            sid,
            title: "东河村村务满意度".into(),
            questions: vec![question("q1", "村务公开及时吗？"), question("q2", "办事公道吗？")],
            roll,
            keys: Moduli {
                a: modulus(signers.a.public_key()),
                b: modulus(signers.b.public_key()),
                d: modulus(signers.d.public_key()),
            },
            box_recipient: box_key.recipient(),
            windows: Windows {
                issue_from: "2026-03-02".into(),
                issue_until: "2026-03-06".into(),
                cast_from: "2026-03-02".into(),
                cast_until: "2026-03-07".into(),
            },
            k_min: 10,
            q_min: 5,
            l2_min: 20,
            min_level: 2,
            paper: 0,
            origin: "ballots.example/donghe".into(),
            vkeys: vec![],
        };
        let keys = manifest.check().unwrap();
        Self { manifest, keys, box_key, random: Seeded::new(NEXT.fetch_add(1, Ordering::Relaxed)) }
    }

    pub fn recipient(&self) -> Recipient {
        self.manifest.box_recipient.parse().unwrap()
    }

    /// Issues a credential to somebody.
    pub fn credential(&self) -> Credential {
        let signers = signers();
        let request = Request::new(self.manifest.sid, &self.keys, &self.random).unwrap();
        let (a, d) = request.for_platform();
        let a = signers.a.blind_sign(a, &self.random).unwrap();
        let d = signers.d.blind_sign(d, &self.random).unwrap();
        let b = signers.b.blind_sign(request.for_cosigner(), &self.random).unwrap();
        request.finish(&self.keys, &a, &b, &d).unwrap()
    }

    /// Answers, sealed, under the credential's tag.
    pub fn cast(&self, credential: &Credential, answers: [u8; 2], revision: u32) -> Outer {
        let ballot = credential.ballot(answered(answers)).to_bytes();
        credential.outer(&ballot, revision, self.recipient(), &self.random).unwrap()
    }
}

pub fn answered(answers: [u8; 2]) -> Answers {
    Answers(BTreeMap::from([("q1".into(), answers[0]), ("q2".into(), answers[1])]))
}

/// Resident number so-and-so's leaf in the roll.
pub fn leaf_of(sid: &Hex<16>, resident: u8) -> Hex<32> {
    roll_leaf(sid, &audit_commitment(&Hex([resident; 32])))
}

/// A log key made from a name: the same for the same name.
fn log_key(name: &str) -> LogKey {
    let seed = name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    LogKey::generate(name, &Seeded::new(seed)).unwrap()
}

/// Who signs checkpoints under this name.
pub fn signer_of(name: &str) -> StandardSigner {
    StandardSigner::new(&log_key(name).secret).unwrap()
}

/// What a reader has pinned: platform, co-signer and two witnesses.
pub fn pinned_keys() -> String {
    let line = |role: &str, name: &str| format!("{role} {}\n", log_key(name).public);
    [
        line("platform", "platform"),
        line("cosigner", "cosigner"),
        line("witness", "committee"),
        line("witness", "county"),
    ]
    .concat()
}
