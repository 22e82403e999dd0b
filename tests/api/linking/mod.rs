//! The promise of anonymous surveys, attacked (survey protocol §9): real programs, sixty residents with marks of their own,
//! everything carried off, and every way tried to find out who answered what.
//!
//! `QINGFENG_LINKING_BOXES` says how many boxes are polled on each engine. With the two of an ordinary run strong leaks are
//! found; `make soak` takes 120, and finds weak ones too. That nothing is found shows it for these attacks, not for all.

mod algebra;
mod attacks;
mod canaries;
mod chance;
mod collecting;
mod leaks;
mod view;
mod voting;

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use qingfeng_core::{
    ids::{CountyId, StaffId},
    sealed_surveys::BallotBoxId,
    storage::Engine,
};
use rstest::rstest;
use serde_json::{Value, json};

use self::{
    attacks::attack,
    canaries::{Marks, side_by_side},
    collecting::{Dump, Row, write_ahead_position},
    leaks::Leak,
    view::BoxView,
    voting::{Poll, Resident, boxes, enrol, move_in, sandbox_phones},
};
pub use self::{
    chance::Dice,
    voting::{Polled, RESIDENTS},
};
use crate::support::{Between, Person, Program, Programs};

/// A little less than access tokens last.
const TOKENS_LAST: Duration = Duration::from_secs(10 * 60);
/// Topics of one survey.
const MOST_TOPICS: usize = 40;

fn boxes_to_poll() -> usize {
    std::env::var("QINGFENG_LINKING_BOXES").map_or(2, |number| number.parse().expect("a number of boxes"))
}

/// A number to repeat the run with, told when it fails.
pub fn seed() -> u64 {
    let seed = std::env::var("QINGFENG_LINKING_SEED").ok().and_then(|seed| seed.parse().ok());
    seed.unwrap_or_else(|| u64::from_be_bytes(uuid::Uuid::new_v4().as_bytes()[..8].try_into().unwrap()))
}

/// A survey that has begun, and everybody's phones.
pub struct Survey {
    pub programs: Programs,
    pub residents: Vec<Resident>,
    pub surveys: Vec<String>,
    pub county: CountyId,
    pub office_id: StaffId,
    office: tokio::sync::Mutex<(Instant, Person)>,
    _alone: Option<tokio::sync::OwnedMutexGuard<()>>,
}

/// All databases of a server share its write-ahead log: what one survey has counted must not be found there while the other is open.
static ON_THE_SERVER: LazyLock<Arc<tokio::sync::Mutex<()>>> = LazyLock::new(Arc::default);

impl Survey {
    /// The office, signed in anew before its token is over.
    async fn office(&self) -> Person {
        let mut office = self.office.lock().await;
        if office.0.elapsed() > TOKENS_LAST {
            *office = (Instant::now(), self.programs.office().await);
        }
        // Over fresh connections: an idle one may be closed from the other side at any moment.
        office.1.at(&self.programs.address)
    }

    pub async fn begun(engine: Engine, number: usize, between: Between) -> Self {
        let alone = match engine {
            Engine::Postgres => Some(Arc::clone(&ON_THE_SERVER).lock_owned().await),
            Engine::Sqlite => None,
        };
        let programs = Programs::start(engine, sandbox_phones(), between).await;
        let township = programs.server.township().await;
        let village = township.village("东河村").await;
        let office_id = programs.add_office(&township).await;
        let county = township.county;
        township.chat_group(village, "东河村村民群", "robot-1").await;
        let residents = move_in(&township, village).await;
        // The roll goes to the co-signer as a file, and the cards come from there.
        let code = township.code().await;
        let exported = programs.platform_command(&["roll", "export", "--township", &code]).output().unwrap();
        assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
        let folder = programs.folder.path().join(Program::Cosigner.folder());
        std::fs::write(folder.join("roll.jsonl"), exported.stdout).unwrap();
        programs.cosigner(&["roll", "import", "roll.jsonl"]);
        programs.cosigner(&["cards", "--village", "东河村", "--out", "cards.jsonl"]);
        let cards = std::fs::read_to_string(folder.join("cards.jsonl")).unwrap();
        std::fs::remove_file(folder.join("cards.jsonl")).unwrap();
        let residents = enrol(&programs, &cards, residents).await;
        let office = programs.office().await;
        let mut surveys = Vec::new();
        let topics: Vec<_> = (0..number).map(|topic| json!({"evaluatee": format!("第{topic}项工作")})).collect();
        for topics in topics.chunks(MOST_TOPICS) {
            let draft = json!({
                "kind": "public_satisfaction", "title": "东河村村务满意度", "min_level": 2,
                "topics": topics, "classes": ["resident"],
                "issue_from": "2026-03-02", "issue_until": "2026-03-06", "cast_until": "2026-03-07",
            });
            let survey = office.post("/api/sealed-surveys", draft).await.ok()["id"].as_str().unwrap().to_owned();
            act(&office, &survey, "preparation").await;
            act(&office, &survey, "opening").await;
            surveys.push(survey);
        }
        let office = tokio::sync::Mutex::new((Instant::now(), office));
        Self { programs, residents, surveys, county, office_id, office, _alone: alone }
    }

    async fn on_day(&self, day: u32) {
        self.programs.day(day).await;
        *self.office.lock().await = (Instant::now(), self.programs.office().await);
    }

    /// The boxes of the first survey.
    pub async fn boxes(&self) -> Vec<Value> {
        boxes(&self.office().await, &self.surveys[0]).await
    }

    pub async fn open(&self, sid: BallotBoxId, dice: &mut Dice) -> Poll {
        Poll::open(&self.programs, sid, dice).await
    }

    /// Everybody votes at every box.
    async fn poll(&self, dice: &mut Dice) -> Vec<Polled> {
        let mut polled = Vec::new();
        for survey in &self.surveys {
            for one in boxes(&self.office().await, survey).await {
                let sid = one["sid"].as_str().unwrap().parse().unwrap();
                let look = async || act(&self.office().await, survey, "preparation").await;
                let poll = Poll::open(&self.programs, sid, dice).await;
                polled.push(poll.run(&self.programs, &self.residents, dice, look).await);
            }
        }
        polled
    }

    /// The platform looks after all boxes; afterwards all are in this state.
    async fn look(&self, state: &str) {
        for survey in &self.surveys {
            act(&self.office().await, survey, "preparation").await;
            for one in boxes(&self.office().await, survey).await {
                assert_eq!((&one["state"], &one["trouble"]), (&json!(state), &Value::Null));
            }
        }
    }

    /// People count every box; the published bundles hold.
    async fn count(&self, polled: &[Polled]) {
        for one in polled {
            let sid = one.sid.to_string();
            self.programs.cosigner(&["count", &sid, "--observer", "监票甲", "--observer", "监票乙"]);
        }
        self.look("published").await;
        self.check_bundles(polled).await;
    }

    /// Everybody's ballot is in its bundle, nothing else is, and the bundle holds.
    pub async fn check_bundles(&self, polled: &[Polled]) {
        for one in polled {
            let bundle = self.programs.bundle(&one.sid.to_string()).await;
            let ballots = bundle.ballots.as_ref().unwrap();
            assert_eq!(ballots.len(), self.residents.len());
            for vote in &one.votes {
                assert!(ballots.iter().any(|row| row.ballot == vote.ballot));
            }
        }
    }
}

async fn act(office: &Person, survey: &str, act: &str) {
    office.post(&format!("/api/sealed-surveys/{survey}/{act}"), json!({})).await.ok();
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[actix_web::test]
async fn whoever_carries_everything_off_cannot_tell_who_answered_what(#[case] engine: Engine) {
    let (number, seed) = (boxes_to_poll(), seed());
    let mut dice = Dice::new(seed);
    let survey = Survey::begun(engine, number, Between::Nothing).await;
    let since = write_ahead_position(&survey.programs).await;
    let polled = survey.poll(&mut dice).await;
    survey.on_day(8).await;
    survey.look("closed").await;

    let nothing = Vec::<String>::new();
    let (answers, connections) = (Marks::of_answers(&polled), Marks::of_connections(&survey.residents));
    let before = Dump::of(&survey.programs, &since).await;
    assert_eq!(answers.found_in(&before), nothing, "an answer before the count");
    assert_eq!(connections.found_in(&before), nothing, "a phone or an address");
    assert_eq!(side_by_side(&before, &survey.residents, &polled), nothing, "a person beside an envelope");
    drop(before);

    survey.count(&polled).await;
    let after = Dump::of(&survey.programs, &since).await;
    assert_ne!(answers.found_in(&after), nothing, "what is published is found: we look in the right places");
    assert_eq!(connections.found_in(&after), nothing, "a phone or an address");
    assert_eq!(side_by_side(&after, &survey.residents, &polled), nothing, "a person beside a ballot");

    let view = |polled_one| BoxView::of(&after, &survey.residents, polled_one, &polled);
    let views: Vec<_> = polled.iter().map(view).collect();
    let report = attack(&views, seed);
    eprintln!("{engine:?}, {number} boxes, seed {seed}: {} attacks, best {:?}", report.attacks, report.best);
    assert!(report.attacks > 500, "orders are missing: {}", report.attacks);
    assert!(report.findings.is_empty(), "seed {seed}: {:?}", report.findings);
    assert!(report.best.links < number * RESIDENTS);

    // A detector that never fires is no test.
    for (leak, attack_that_finds_it, fewest) in Leak::ALL.into_iter().filter(|(.., fewest)| number >= *fewest) {
        let mut leaking = views.clone();
        for (view, polled) in leaking.iter_mut().zip(&polled) {
            leak.make(view, &survey.residents, polled, &mut dice);
        }
        let report = attack(&leaking, seed);
        assert!(
            report.has(attack_that_finds_it),
            "seed {seed}: {leak:?} (at least {fewest} boxes), best {:?}",
            report.best
        );
    }
    let pairs = algebra::fitting(&polled[0], 6);
    assert_eq!(pairs.len(), 36, "every ballot fits every request");
    planted_marks_are_found(&survey.residents, &polled);
}

/// What two boxes cannot show: that the detector finds weak leaks, too, once there are enough boxes, after the correction for all
/// the attacks of a real run.
#[test]
fn weak_leaks_are_found_in_a_hundred_and_twenty_boxes_and_nothing_in_fair_ones() {
    const ATTACKS: f64 = 4000.0;
    let seed = seed();
    let mut dice = Dice::new(seed);
    let fair: Vec<_> = (0..120).map(|_| BoxView::made_up(RESIDENTS, &mut dice)).collect();
    let report = attack(&fair, seed);
    assert!(report.findings.is_empty(), "seed {seed}: {:?}", report.findings);
    let weak = Leak::ALL.into_iter().filter(|(.., fewest)| (3..=fair.len()).contains(fewest));
    for (leak, attack_that_finds_it, _) in weak {
        let mut leaking = fair.clone();
        leaking.iter_mut().for_each(|view| leak.make_weak(view, &mut dice));
        let report = attack(&leaking, seed);
        let found = report.findings.iter().find(|finding| finding.attack.contains(attack_that_finds_it));
        let found = found.unwrap_or_else(|| panic!("seed {seed}: {leak:?}, best {:?}", report.best));
        assert!(found.probability * ATTACKS / (report.attacks as f64) < 1e-4, "seed {seed}: {found:?}");
    }
}

/// The same searches, over what a careless product would leave behind.
fn planted_marks_are_found(residents: &[Resident], polled: &[Polled]) {
    let vote = &polled[0].votes[7];
    let (answers, connections) = (Marks::of_answers(polled), Marks::of_connections(residents));
    let row = |cells: &[(&str, String)]| Row {
        table: "platform/planted".into(),
        place: 1,
        cells: cells.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
    };
    let leaving = |text: String| Dump { bytes: vec![("log".into(), text.into_bytes())], ..Dump::default() };
    let keeping = |rows: Vec<Row>| Dump { rows, ..Dump::default() };
    let logging = |line: String| Dump { entries: vec![("log".into(), line)], ..Dump::default() };
    let said = serde_json::to_string(&vote.ballot.ans).unwrap();
    for text in [said, vote.ballot.pk.to_string(), hex::encode_upper(vote.ballot.sig.0)] {
        assert_eq!(answers.found_in(&leaving(format!("debug {text} debug"))).len(), 1, "{text}");
    }
    assert_eq!(connections.found_in(&leaving(format!("GET / {}", residents[7].agent))).len(), 1);
    let (person, tag, envelope) = (residents[7].id.0.to_string(), vote.tag.to_string(), vote.envelopes[0].to_string());
    let beside = [
        keeping(vec![row(&[("resident_id", person.clone()), ("tag", tag.clone())])]),
        logging(format!("{} threw in {envelope}", residents[7].forwarded)),
        logging(format!("{} asked, {} answered", vote.req_hashes[0], vote.ballot.pk)),
    ];
    for dump in beside {
        assert_eq!(side_by_side(&dump, residents, polled).len(), 1);
    }
    let apart = keeping(vec![row(&[("resident_id", person)]), row(&[("tag", tag)])]);
    assert!(side_by_side(&apart, residents, polled).is_empty());
}
