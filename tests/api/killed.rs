//! Programs are killed in the middle of what they do, as a power cut does it: what was accepted stays, nothing is done twice,
//! and the survey comes to its end.

use std::{cell::Cell, collections::BTreeSet, time::Duration};

use futures::{StreamExt, future::join, stream};
use qingfeng_core::{
    people::{PersonKind, sessions::Person as Identity},
    sealed_surveys::{
        BallotBoxId,
        batches::FULL_BATCH,
        entity::{entries, issuance},
    },
    storage::Engine,
};
use reqwest::Method;
use rstest::rstest;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Statement};
use serde_json::{Value, json};

use crate::{
    linking::{Dice, Polled, RESIDENTS, Survey, seed},
    support::{Between, Moment, Person, Program, Trap},
};

/// Longer than a program takes to come back.
const PATIENCE: Duration = Duration::from_secs(90);

/// Kills these programs in turn while something is going on; returns how often.
async fn killing(survey: &Survey, programs: &[Program], over: &Cell<bool>, dice: &mut Dice) -> usize {
    let mut kills = 0;
    while !over.get() {
        tokio::time::sleep(Duration::from_millis(200 + dice.roll() % 500)).await;
        survey.programs.kill(programs[kills % programs.len()]);
        survey.programs.start_all().await;
        kills += 1;
    }
    kills
}

/// A survey of one box, with somebody of the office who needs no sign-in.
struct Stage {
    survey: Survey,
    office: Person,
    sid: BallotBoxId,
}

impl Stage {
    async fn new(engine: Engine) -> Self {
        let mut survey = Survey::begun(engine, 1, Between::Traps).await;
        // WeChat's codes are good once: everybody is signed in before anything is killed.
        for resident in &survey.residents {
            resident.sign_in(&survey.programs).await;
        }
        survey.residents.iter_mut().for_each(|resident| resident.patience = PATIENCE);
        let sid = survey.boxes().await[0]["sid"].as_str().unwrap().parse().unwrap();
        let identity = Identity { county: survey.county, kind: PersonKind::Staff, id: survey.office_id.0 };
        let office = survey.programs.server.signed_in(identity).await.at(&survey.programs.address);
        Self { survey, office, sid }
    }

    /// Asks the platform to look after its boxes; it may not live to answer.
    async fn ask(&self) {
        let path = format!("/api/sealed-surveys/{}/preparation", self.survey.surveys[0]);
        let office = self.office.at(&self.survey.programs.address);
        let _ = office.request(Method::POST, &path).json(&json!({})).send().await;
    }

    async fn view(&self) -> Value {
        let path = format!("/api/sealed-surveys/{}", self.survey.surveys[0]);
        self.office.at(&self.survey.programs.address).get(&path).await.ok()["boxes"][0].clone()
    }

    /// Kills the platform at each of these moments, one after the other, until nothing keeps it from ending in this state.
    async fn killed_at(&self, moments: &[(&Trap, &'static str, Moment)], state: &str) {
        let programs = &self.survey.programs;
        for (trap, path, moment) in moments {
            trap.arm(path, *moment, programs.killer(Program::Platform));
            programs.start_all().await;
            self.ask().await;
            assert!(trap.has_sprung(), "the platform never came to {path} ({moment:?}); state {}", self.view().await);
            programs.kill(Program::Platform);
        }
        programs.start_all().await;
        self.ask().await;
        let view = self.view().await;
        assert_eq!((&view["state"], &view["trouble"]), (&json!(state), &Value::Null));
    }

    async fn audited(&self, action: &str) -> i64 {
        let connection = self.survey.programs.server.application.store.reader();
        let sql = "SELECT count(*) AS found FROM audit_records WHERE action = $1";
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [action.into()]);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "found").unwrap()
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[actix_web::test]
async fn a_survey_outlives_programs_that_are_killed_at_any_moment(#[case] engine: Engine) {
    let mut dice = Dice::new(seed());
    let stage = Stage::new(engine).await;
    let (programs, residents) = (&stage.survey.programs, &stage.survey.residents);
    let traps = programs.traps.as_ref().unwrap();
    let (cosigner, witness) = (&traps.cosigner, &traps.witness);
    let store = &programs.server.application.store;
    let poll = stage.survey.open(stage.sid, &mut dice).await;

    // The co-signer has signed, and nobody hears of it.
    cosigner.arm("/v1/cosign", Moment::After, programs.killer(Program::Cosigner));
    let revival = async {
        while !cosigner.has_sprung() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        programs.kill(Program::Cosigner);
        programs.start_all().await;
    };
    let (first, ()) = join(poll.draw(programs, residents, 0, 0), revival).await;

    // Everybody else draws while platform and co-signer are killed again and again.
    let over = Cell::new(false);
    let drawing = async {
        let each = stream::iter(1..RESIDENTS).map(|person| poll.draw(programs, residents, person, person));
        let drawn: Vec<_> = each.buffer_unordered(4).collect().await;
        over.set(true);
        drawn
    };
    let both = [Program::Platform, Program::Cosigner];
    let (mut drawn, kills) = join(drawing, killing(&stage.survey, &both, &over, &mut dice)).await;
    drawn.push(first);
    assert!(kills >= 2, "killed {kills} times only");
    let issued = issuance::Entity::find().filter(issuance::Column::Sid.eq(stage.sid)).count(store.reader());
    assert_eq!(issued.await.unwrap(), RESIDENTS as u64);

    // They answer, some twice, while the platform is killed; the last of them when it is at rest.
    over.set(false);
    let at_rest = drawn.split_off(RESIDENTS - FULL_BATCH);
    let times: Vec<u32> = drawn.iter().map(|_| if dice.below(6) == 0 { 2 } else { 1 }).collect();
    let casting = async {
        let each = drawn.into_iter().zip(times).map(|(drawn, times)| poll.answer(programs, residents, drawn, times));
        let votes: Vec<_> = stream::iter(each).buffer_unordered(4).collect().await;
        over.set(true);
        votes
    };
    let (mut votes, kills) = join(casting, killing(&stage.survey, &both[..1], &over, &mut dice)).await;
    assert!(kills >= 1);
    stage.ask().await;
    for drawn in at_rest {
        votes.push(poll.answer(programs, residents, drawn, 1).await);
    }
    votes.sort_by_key(|(person, _)| *person);
    let votes: Vec<_> = votes.into_iter().map(|(_, vote)| vote).collect();
    let thrown: BTreeSet<_> = votes.iter().flat_map(|vote| vote.envelopes.iter().map(|hash| hash.0.to_vec())).collect();
    let held = entries::Entity::find().filter(entries::Column::Sid.eq(stage.sid)).all(store.reader()).await.unwrap();
    assert_eq!(held.len(), thrown.len());
    assert_eq!(held.into_iter().map(|entry| entry.env_hash).collect::<BTreeSet<_>>(), thrown);

    let (note, seen) = ("/checkpoints", "/add-checkpoint");
    let polled = [Polled { sid: poll.sid, manifest: poll.manifest, keys: poll.keys, votes }];
    let batch = [
        (cosigner, note, Moment::Before),
        (cosigner, note, Moment::After),
        (witness, seen, Moment::Before),
        (witness, seen, Moment::After),
    ];
    stage.killed_at(&batch, "issuing").await;

    programs.kill(Program::Platform);
    programs.go_to(8);
    programs.stop(Program::Cosigner);
    let closing = [
        (cosigner, "/envelopes", Moment::Before),
        (cosigner, "/envelopes", Moment::After),
        (cosigner, "/close", Moment::Before),
        (cosigner, "/close", Moment::After),
        (cosigner, "/count", Moment::After),
    ];
    stage.killed_at(&closing, "closed").await;

    let sid = stage.sid.to_string();
    programs.cosigner(&["count", &sid, "--observer", "监票甲", "--observer", "监票乙"]);
    programs.kill(Program::Platform);
    let publishing = [(cosigner, "/count", Moment::After)].into_iter().chain(batch).collect::<Vec<_>>();
    stage.killed_at(&publishing, "published").await;

    stage.survey.check_bundles(&polled).await;
    for once in ["ballot_box_closed", "ballot_box_counted", "ballot_box_published"] {
        assert_eq!(stage.audited(once).await, 1, "{once}");
    }
    let audit = programs.platform_command(&["verify-audit"]).output().unwrap();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}
