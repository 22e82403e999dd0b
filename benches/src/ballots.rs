//! Anonymous surveys: a blind signature beside what OpenSSL says of itself, and a counted box of many ballots, verified, beside
//! a bare loop over its signatures.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use qingfeng_ballots::{
    Hex,
    answers::{Answers, Question},
    ballot::{Ballot, is_signed_by},
    blind::{BlindSigner, RsaSigner, blind, generate, prepare},
    bundle::Bundle,
    close::{Slips, Voided},
    closing::Closing,
    count::Count,
    envelope::BoxKey,
    log::{Checkpoint, Leaf, LogKey, Note, Pinned, Signer, StandardSigner, checkpoint_text},
    manifest::{Keys, Manifest, Moduli, Windows},
    messages,
    randomness::{NoRandomness, Randomness, random_bytes},
    verification::{self, Reader},
    voter::Request,
};

/// Rounds in which both sides are measured in turn, and how long each lasts.
const ROUNDS: u32 = 5;
const ROUND: Duration = Duration::from_secs(1);

struct Source;

impl Randomness for Source {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        qingfeng_core::randomness::Randomness::fill(&qingfeng_core::randomness::SystemRandomness, bytes);
        Ok(())
    }
}

/// What blind signing reached on one core, in signatures per second of CPU.
pub struct Signing {
    pub engine: &'static str,
    pub ours: f64,
    pub openssl: f64,
}

/// Measures every engine that is built in.
pub fn signing() -> anyhow::Result<Vec<Signing>> {
    let pure = generate(&Source)?;
    #[cfg(feature = "openssl")]
    let kept = pure.to_pkcs8()?;
    let engines: Vec<(&'static str, Box<dyn BlindSigner>)> = vec![
        #[cfg(feature = "openssl")]
        ("OpenSSL", Box::new(qingfeng_ballots::blind::OpensslSigner::from_pkcs8(&kept)?)),
        ("pure Rust", Box::new(pure)),
    ];
    let mut measured = Vec::new();
    for (engine, signer) in engines {
        let message = prepare(&random_bytes(&Source)?, b"a credential");
        let blinded = blind(signer.public_key(), &message, &Source)?;
        let (mut ours, mut openssl) = (0.0, 0.0);
        for _ in 0..ROUNDS {
            openssl += openssl_speed()?;
            let (since, cpu, mut signed) = (Instant::now(), cpu_time()?, 0_u32);
            while since.elapsed() < ROUND {
                signer.blind_sign(&blinded.message, &Source)?;
                signed += 1;
            }
            ours += f64::from(signed) / cpu_since(cpu)?.as_secs_f64();
        }
        measured.push(Signing { engine, ours: ours / f64::from(ROUNDS), openssl: openssl / f64::from(ROUNDS) });
    }
    Ok(measured)
}

/// `openssl speed rsa2048`: private operations per second; it counts CPU time, too.
fn openssl_speed() -> anyhow::Result<f64> {
    let output = Command::new("openssl").args(["speed", "-mr", "-seconds", "1", "rsa2048"]).output();
    let output = output.context("openssl is needed for this row")?;
    let told = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
    // `+R1:operations:2048:seconds`
    let line = told.lines().find_map(|line| line.strip_prefix("+R1:")).context("openssl tells no speed")?;
    let mut parts = line.split(':');
    let (operations, seconds) = (parts.next(), parts.nth(1));
    let operations: f64 = operations.context("no number")?.parse()?;
    Ok(operations / seconds.context("no time")?.parse::<f64>()?)
}

/// CPU seconds of both.
pub struct Verifying {
    pub ballots: usize,
    pub verifier: Duration,
    pub bare: Duration,
    /// Reading the folder from the disk, besides.
    pub reading: Duration,
}

/// Makes a box of so many ballots, counts it, and verifies what was published.
pub fn verifying(ballots: usize) -> anyhow::Result<Verifying> {
    let survey = Survey::new(ballots)?;
    let bundle = survey.published()?;
    let folder = tempfile::tempdir()?;
    bundle.write(folder.path())?;
    drop(bundle);
    let before = cpu_time()?;
    let bundle = Bundle::read(folder.path())?;
    let reading = cpu_since(before)?;

    let reader = survey.reader()?;
    let before = cpu_time()?;
    let report = verification::verify(&bundle, &reader);
    let verifier = cpu_since(before)?;
    ensure!(report.passed(), "the bundle does not hold: {:?}", report.failed);
    ensure!(bundle.ballots.as_ref().map(Vec::len) == Some(ballots), "ballots are missing");

    let rows: Vec<_> = bundle.ballots.iter().flatten().map(|row| &row.ballot).collect();
    let before = cpu_time()?;
    ensure!(bare_loop(&rows, &survey.manifest, &survey.keys), "a signature does not verify");
    Ok(Verifying { ballots, verifier, bare: cpu_since(before)?, reading })
}

/// Two RSA-PSS signatures and one of Ed25519 for each ballot, and nothing else; on all cores, as the verifier.
fn bare_loop(rows: &[&Ballot], manifest: &Manifest, keys: &Keys) -> bool {
    let sid = &manifest.sid;
    let verifies = |ballot: &&Ballot| {
        let credential = messages::credential(sid, &ballot.pk);
        let answers = messages::ballot(sid, &ballot.pk, ballot.seq, &ballot.ans.hash());
        keys.a.verify(&prepare(&ballot.pa.0, &credential), ballot.sa.as_slice()).is_ok()
            && keys.b.verify(&prepare(&ballot.pb.0, &credential), ballot.sb.as_slice()).is_ok()
            && is_signed_by(&ballot.pk, &answers, &ballot.sig)
    };
    in_parallel(rows, |share| share.iter().all(verifies)).into_iter().all(|verified| verified)
}

fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let share = items.len().div_ceil(thread::available_parallelism().map_or(1, usize::from)).max(1);
    let work = &work;
    thread::scope(|scope| {
        let shares: Vec<_> = items.chunks(share).map(|items| scope.spawn(move || work(items))).collect();
        shares.into_iter().map(|share| share.join().expect("the work does not panic")).collect()
    })
}

/// A counted box with the keys of all three.
struct Survey {
    manifest: Manifest,
    keys: Keys,
    ballots: Vec<Ballot>,
    box_leaves: Vec<Leaf>,
    logs: Vec<(&'static str, LogKey)>,
}

impl Survey {
    fn new(number: usize) -> anyhow::Result<Self> {
        let signers: Vec<RsaSigner> = (0..3).map(|_| generate(&Source)).collect::<Result<_, _>>()?;
        let sid = Hex(random_bytes(&Source)?);
        let mut roll: Vec<Hex<32>> = (0..number).map(|_| random_bytes(&Source).map(Hex)).collect::<Result<_, _>>()?;
        roll.sort_unstable();
        let question = |key: &str, text: &str| Question {
            key: key.into(),
            text: text.into(),
            options: ["满意", "基本满意", "不满意", "不了解"].map(str::to_owned).to_vec(),
        };
        let modulus = |signer: &RsaSigner| Hex::try_from(signer.public_key().modulus());
        let moduli = signers.iter().map(modulus).collect::<Result<Vec<_>, _>>();
        let moduli = moduli.map_err(|_| anyhow::anyhow!("a key of another length"))?;
        let manifest = Manifest {
            v: 1,
            sid,
            title: "村务满意度".into(),
            questions: vec![question("overall", "总体上"), question("disclosure", "对村务公开")],
            roll,
            keys: Moduli { a: moduli[0], b: moduli[1], d: moduli[2] },
            box_recipient: BoxKey::generate().recipient(),
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
            origin: format!("box.example/{sid}"),
            vkeys: vec![],
        };
        let keys = manifest.check()?;
        let signers = Signers::fastest(&signers)?;
        let numbers: Vec<usize> = (0..number).collect();
        let made = in_parallel(&numbers, |share| {
            share.iter().map(|number| ballot(*number, &manifest, &keys, &signers)).collect::<anyhow::Result<Vec<_>>>()
        });
        let mut ballots = made.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat();
        ballots.sort_unstable_by_key(|ballot| ballot.pk);
        let leaf = |_| Ok(Leaf::Box { tag: Hex(random_bytes(&Source)?), seq: 0, h: Hex(random_bytes(&Source)?) });
        let box_leaves = (0..number).map(leaf).collect::<Result<_, NoRandomness>>()?;
        let log = |role: &'static str| Ok((role, LogKey::generate(role, &Source)?));
        let logs = ["platform", "cosigner", "witness"].into_iter().map(log).collect::<anyhow::Result<_>>()?;
        Ok(Self { manifest, keys, ballots, box_leaves, logs })
    }

    /// The bundle, signed by all three at the close and at the end.
    fn published(&self) -> anyhow::Result<Bundle> {
        let issued = self.manifest.roll.clone();
        let closing = Closing {
            manifest: self.manifest.clone(),
            box_leaves: self.box_leaves.clone(),
            count: Count { ballots: self.ballots.clone(), junk: vec![], unopenable: vec![], withheld: vec![] },
            issued_a: issued.clone(),
            issued_b: issued,
            voided: Voided::default(),
            paper: Slips::default(),
        };
        let mut bundle = closing.bundle();
        let tree = bundle.tree();
        for size in [bundle.close.box_size, tree.size()] {
            let root = tree.root(size).context("a tree without its root")?;
            let text = checkpoint_text(&self.manifest.origin, &Checkpoint { size, root })?;
            let mut note = Note::new(&text, &[])?;
            for (_, key) in &self.logs {
                let signer = StandardSigner::new(&key.secret).map_err(|_| anyhow::anyhow!("a log key"))?;
                note.add_sigs(&[&signer as &dyn Signer])?;
            }
            bundle.checkpoints.push(String::from_utf8(note.to_bytes())?);
        }
        Ok(bundle)
    }

    fn reader(&self) -> anyhow::Result<Reader> {
        let lines: Vec<_> = self.logs.iter().map(|(role, key)| format!("{role} {}\n", key.public)).collect();
        let pinned = Pinned::parse(&lines.concat())?;
        Ok(Reader { pinned, checkpoints: vec![], fingerprints: vec![], mine: None, roll_size: None })
    }
}

/// The three authorities' keys on the fastest engine that is built in: making the ballots is not what is measured.
struct Signers(Vec<Box<dyn BlindSigner>>);

impl Signers {
    fn fastest(signers: &[RsaSigner]) -> anyhow::Result<Self> {
        let fastest = |signer: &RsaSigner| -> anyhow::Result<Box<dyn BlindSigner>> {
            let kept = signer.to_pkcs8()?;
            #[cfg(feature = "openssl")]
            let signer = qingfeng_ballots::blind::OpensslSigner::from_pkcs8(&kept)?;
            #[cfg(not(feature = "openssl"))]
            let signer = RsaSigner::from_pkcs8(&kept)?;
            Ok(Box::new(signer))
        };
        Ok(Self(signers.iter().map(fastest).collect::<anyhow::Result<_>>()?))
    }
}

fn ballot(number: usize, manifest: &Manifest, keys: &Keys, signers: &Signers) -> anyhow::Result<Ballot> {
    let request = Request::new(manifest.sid, keys, &Source)?;
    let (a, d) = request.for_platform();
    let a = signers.0[0].blind_sign(a, &Source)?;
    let d = signers.0[2].blind_sign(d, &Source)?;
    let b = signers.0[1].blind_sign(request.for_cosigner(), &Source)?;
    let credential = request.finish(keys, &a, &b, &d)?;
    let answer = |(place, question): (usize, &Question)| {
        let choices = question.options.len() + 1;
        Ok((question.key.clone(), u8::try_from((number + place) % choices)?))
    };
    let answers = manifest.questions.iter().enumerate().map(answer).collect::<anyhow::Result<_>>()?;
    Ok(credential.ballot(Answers(answers)))
}

/// CPU time of this process so far.
fn cpu_time() -> anyhow::Result<Duration> {
    crate::load::cpu_of(std::process::id())
}

fn cpu_since(before: Duration) -> anyhow::Result<Duration> {
    Ok(cpu_time()?.saturating_sub(before))
}
