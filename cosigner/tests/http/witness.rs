use qingfeng_ballots::{
    Hex,
    log::{Note, Pinned, Tree},
};
use qingfeng_cosigner::{
    Settings,
    keys::LogSigner,
    witness::{AddCheckpoint, RunningWitness, Witness},
};
use tempfile::TempDir;

use crate::support::{log_signer, note, randomness};

const ORIGIN: &str = "box.example/survey";

struct Stand {
    witness: RunningWitness,
    settings: Settings,
    platform: LogSigner,
    _folder: TempDir,
}

impl Stand {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let platform = log_signer("platform.qinghe");
        let mut settings = Settings::default();
        settings.witness.bind = "127.0.0.1:0".into();
        settings.witness.folder = folder.path().join("witness");
        settings.platform.vkey = Some(platform.public.clone());
        settings.http.shutdown_seconds = 1;
        let witness = RunningWitness::start(&settings, &randomness()).unwrap();
        Self { witness, settings, platform, _folder: folder }
    }

    async fn restart(self) -> Self {
        let Self { witness, settings, platform, _folder } = self;
        witness.stop().await;
        let witness = RunningWitness::start(&settings, &randomness()).unwrap();
        Self { witness, settings, platform, _folder }
    }

    async fn ask(&self, body: Vec<u8>) -> (u16, String) {
        let address = format!("http://{}/add-checkpoint", self.witness.address);
        let answer = reqwest::Client::new().post(address).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    fn request(&self, old: u64, lines: &[Vec<u8>]) -> AddCheckpoint {
        let size = u64::try_from(lines.len()).unwrap();
        let proof = if old == 0 || old >= size { Vec::new() } else { tree(lines).consistency(old, size).unwrap() };
        let note = Note::from_bytes(note(ORIGIN, lines, &self.platform).as_bytes()).unwrap();
        AddCheckpoint { old_size: old, proof, note }
    }
}

fn tree(lines: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::default();
    for line in lines {
        tree.append(line);
    }
    tree
}

fn lines(number: u8) -> Vec<Vec<u8>> {
    (0..number).map(|line| vec![line]).collect()
}

#[actix_web::test]
async fn the_witness_signs_what_continues_and_its_line_counts() {
    let stand = Stand::start();
    assert_eq!(stand.ask(stand.request(0, &lines(3)).to_bytes()).await.0, 200);
    let request = stand.request(3, &lines(8));
    let (status, line) = stand.ask(request.to_bytes()).await;
    assert_eq!(status, 200);
    let cosigner = log_signer("cosigner.qinghe");
    let mut signed = request.note;
    signed.add_sigs(&[cosigner.note_signer()]).unwrap();
    let text = [signed.to_bytes(), line.into_bytes()].concat();
    let keys = format!(
        "platform {}\ncosigner {}\nwitness {}",
        stand.platform.public,
        cosigner.public,
        stand.witness.witness.public_key()
    );
    assert_eq!(Pinned::parse(&keys).unwrap().read(&text, ORIGIN).unwrap().size, 8);
}

#[actix_web::test]
async fn a_log_that_was_rolled_back_or_forked_is_not_signed() {
    let stand = Stand::start();
    stand.ask(stand.request(0, &lines(5)).to_bytes()).await;
    assert_eq!(stand.ask(stand.request(3, &lines(4)).to_bytes()).await, (409, "5\n".into()), "rolled back");
    assert_eq!(stand.ask(stand.request(0, &lines(8)).to_bytes()).await, (409, "5\n".into()), "as if it were new");

    let mut forked = lines(8);
    forked[2] = vec![99];
    assert_eq!(stand.ask(stand.request(5, &forked).to_bytes()).await.0, 422);
    let mut same_size = lines(5);
    same_size[4] = vec![99];
    assert_eq!(stand.ask(stand.request(5, &same_size).to_bytes()).await, (409, "5\n".into()));
    let mut no_proof = stand.request(5, &lines(8));
    no_proof.proof.clear();
    assert_eq!(stand.ask(no_proof.to_bytes()).await.0, 422);
    let mut idle_proof = stand.request(5, &lines(5));
    idle_proof.proof.push(Hex([1; 32]));
    assert_eq!(stand.ask(idle_proof.to_bytes()).await.0, 422);
    assert_eq!(stand.ask(stand.request(5, &lines(8)).to_bytes()).await.0, 200, "the true log goes on");
}

#[actix_web::test]
async fn a_witness_remembers_when_it_starts_again() {
    let stand = Stand::start();
    let (_, line) = stand.ask(stand.request(0, &lines(5)).to_bytes()).await;
    let stand = stand.restart().await;
    assert_eq!(stand.ask(stand.request(0, &lines(5)).to_bytes()).await, (409, "5\n".into()));
    // It died after remembering and before answering: the platform asks from the size it is told, and gets the same line.
    assert_eq!(stand.ask(stand.request(5, &lines(5)).to_bytes()).await, (200, line));
    assert_eq!(stand.ask(stand.request(5, &lines(6)).to_bytes()).await.0, 200);
}

#[actix_web::test]
async fn a_damaged_memory_is_not_taken_for_no_memory() {
    let stand = Stand::start();
    stand.ask(stand.request(0, &lines(5)).to_bytes()).await;
    let logs = stand.settings.witness.folder.join("logs");
    let files: Vec<_> = std::fs::read_dir(&logs).unwrap().map(|file| file.unwrap().path()).collect();
    let memory = files.iter().find(|file| file.extension().is_some_and(|kind| kind == "json")).unwrap();
    std::fs::write(memory, b"{").unwrap();
    assert_eq!(stand.ask(stand.request(0, &lines(5)).to_bytes()).await.0, 503);
    assert_eq!(stand.ask(stand.request(5, &lines(6)).to_bytes()).await.0, 503);
}

#[actix_web::test]
async fn two_witnesses_do_not_share_a_folder() {
    let stand = Stand::start();
    let error = Witness::open(&stand.settings, &randomness()).unwrap_err();
    assert!(format!("{error:#}").contains("another witness"), "{error:#}");
}

#[actix_web::test]
async fn only_the_pinned_platforms_logs_are_witnessed() {
    let stand = Stand::start();
    let stranger = log_signer("platform.qinghe");
    let foreign = Note::from_bytes(note(ORIGIN, &lines(3), &stranger).as_bytes()).unwrap();
    let request = AddCheckpoint { old_size: 0, proof: Vec::new(), note: foreign };
    assert_eq!(stand.ask(request.to_bytes()).await.0, 403);
}

#[actix_web::test]
async fn hostile_requests_are_refused_and_never_the_witnesss_fault() {
    let stand = Stand::start();
    let good = stand.request(0, &lines(3)).to_bytes();
    let good = String::from_utf8(good).unwrap();
    let bad = [
        String::new(),
        "old".into(),
        "old 0".into(),
        "old -1\n\n".into(),
        good.replacen("old 0", "old 00", 1),
        good.replacen("old 0", "old 18446744073709551616", 1),
        good.replacen("old 0", "old 4", 1),
        good.replacen("old 0\n", "old 0\nnot base64\n", 1),
        good.replacen("old 0\n", &format!("old 0\n{}", "AAAA\n".repeat(3)), 1),
        good.replacen("\n\n", "\n", 1),
        good[..good.len() - 5].to_owned(),
        "\u{0}".repeat(70_000),
    ];
    for request in bad {
        assert_eq!(stand.ask(request.clone().into_bytes()).await.0, 400, "{request:?}");
    }
    assert_eq!(stand.ask(vec![0xff; 100]).await.0, 400);
    assert_eq!(stand.ask(good.into_bytes()).await.0, 200);
}
