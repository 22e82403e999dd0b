//! Anonymous surveys whose boxes are counted, as the count leaves them in the database.

use chrono::NaiveDate;
use qingfeng_ballots::{
    Hex,
    answers::Answers,
    ballot::Ballot,
    canonical::canonical,
    close::Close,
    publication::{Tally, Thresholds, publication, totals},
};
use qingfeng_core::{
    ids::{OrganizationId, ResidentId, SealedSurveyId, StaffId},
    people::RosterGroup,
    sealed_surveys::{
        BallotBoxId, BoxState, Channel, Purpose,
        entity::{ballot_boxes, box_files, checkpoints, roll, rows, sealed_surveys},
        questionnaires::{Questionnaire, find},
    },
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::json;

use super::{Township, Village};

const THRESHOLDS: Thresholds = Thresholds { k_min: 10, q_min: 5, l2_min: 20 };

/// A box and how each of its questions was answered.
#[derive(Clone, Debug)]
pub struct TestBox {
    pub village: Village,
    pub unit_name: &'static str,
    pub group: RosterGroup,
    pub evaluatee: Option<(&'static str, Evaluatee)>,
    pub eligible: i32,
    pub state: BoxState,
    /// From "no answer" on.
    pub counts: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
pub enum Evaluatee {
    Staff(StaffId),
    Unit(OrganizationId),
}

impl TestBox {
    pub fn of(village: Village, unit_name: &'static str, counts: &[u32]) -> Self {
        Self {
            village,
            unit_name,
            group: RosterGroup::Resident,
            evaluatee: None,
            eligible: 60,
            state: BoxState::Published,
            counts: counts.into(),
        }
    }

    pub fn about(self, label: &'static str, evaluatee: Evaluatee) -> Self {
        Self { evaluatee: Some((label, evaluatee)), ..self }
    }

    pub fn by(self, group: RosterGroup) -> Self {
        Self { group, ..self }
    }

    pub fn in_state(self, state: BoxState) -> Self {
        Self { state, ..self }
    }
}

impl Township<'_> {
    /// A survey with these boxes.
    pub async fn sealed_survey(&self, kind: &'static str, boxes: Vec<TestBox>) -> (SealedSurveyId, Vec<BallotBoxId>) {
        let (county, township) = (self.county, self.id);
        let questionnaire = find(kind).unwrap();
        self.write(move |unit| {
            Box::pin(async move {
                let day = |day| NaiveDate::from_ymd_opt(2026, 2, day).unwrap();
                let id = SealedSurveyId::new(unit.randomness(), unit.now());
                let survey = sealed_surveys::Model {
                    id,
                    county_id: county,
                    township_id: township,
                    title: questionnaire.title.clone(),
                    kind: kind.into(),
                    purpose: if questionnaire.purpose.is_public() { Purpose::Public } else { Purpose::Organizational },
                    questions: json!(questionnaire.ballot_questions()),
                    min_level: 2,
                    issue_from: day(1),
                    issue_until: day(6),
                    cast_until: day(7),
                    paper: 0,
                    not_held: json!([]),
                    created_at: unit.now(),
                };
                survey.into_active_model().insert(unit.connection()).await?;
                let mut sids = Vec::new();
                for one in boxes {
                    let sid = BallotBoxId::random(unit.randomness());
                    let staff = one.evaluatee.and_then(|(_, evaluatee)| match evaluatee {
                        Evaluatee::Staff(id) => Some(id),
                        Evaluatee::Unit(_) => None,
                    });
                    let organization = one.evaluatee.and_then(|(_, evaluatee)| match evaluatee {
                        Evaluatee::Unit(id) => Some(id),
                        Evaluatee::Staff(_) => None,
                    });
                    let model = ballot_boxes::Model {
                        sid,
                        county_id: county,
                        survey_id: id,
                        township_id: township,
                        unit_id: one.village.id,
                        village_ids: json!([one.village.id]),
                        unit_name: one.unit_name.into(),
                        class: one.group,
                        title: format!("{} {}票", one.unit_name, one.group.label()),
                        evaluatee: one.evaluatee.map(|(label, _)| label.into()),
                        evaluatee_staff_id: staff,
                        evaluatee_organization_id: organization,
                        eligible: one.eligible,
                        state: one.state,
                        trouble: None,
                        single_operator: false,
                        manifest: None,
                        key_a_sealed: None,
                        key_d_sealed: None,
                        batches: 1,
                        flushed_at: None,
                        handed_over: true,
                        slip_account: None,
                        published_on: Some(day(9)),
                    };
                    model.into_active_model().insert(unit.connection()).await?;
                    if one.state.is_published() {
                        count(unit.connection(), questionnaire, sid, &one.counts).await;
                    }
                    sids.push(sid);
                }
                Ok((id, sids))
            })
        })
        .await
    }

    /// Puts the box on.
    pub async fn move_box(&self, sid: BallotBoxId, state: BoxState) {
        self.write(move |unit| {
            Box::pin(async move {
                let one = ballot_boxes::Entity::find_by_id(sid).one(unit.connection()).await?.unwrap();
                let mut one = one.into_active_model();
                one.state = Set(state);
                one.update(unit.connection()).await?;
                Ok(())
            })
        })
        .await;
    }

    pub async fn enrol(&self, sid: BallotBoxId, resident: ResidentId) {
        self.write(move |unit| {
            Box::pin(async move {
                let row = roll::Model { sid, resident_id: resident, leaf: vec![7; 32], channel: Channel::Electronic };
                row.into_active_model().insert(unit.connection()).await?;
                Ok(())
            })
        })
        .await;
    }
}

/// Rows, close record, totals and last checkpoint of a counted box. Every ballot answers all questions alike.
async fn count(
    connection: &impl sea_orm::ConnectionTrait,
    questionnaire: &Questionnaire,
    sid: BallotBoxId,
    counts: &[u32],
) {
    let questions = questionnaire.ballot_questions();
    let mut ballots = Vec::new();
    for (chosen, count) in (0u8..).zip(counts) {
        for _ in 0..*count {
            let mut pk = [0; 32];
            pk[..4].copy_from_slice(&u32::try_from(ballots.len()).unwrap().to_be_bytes());
            let ans = Answers(questions.iter().map(|question| (question.key.clone(), chosen)).collect());
            let (prefix, signature) = (Hex([0; 32]), Hex([0; 256]));
            let sig = Hex([0; 64]);
            let (pa, sa, pb, sb) = (prefix, signature, prefix, signature);
            ballots.push(Ballot { v: 1, pk: Hex(pk), seq: 0, ans, sig, pa, sa, pb, sb });
        }
    }
    let tally = Tally::of(&questions, ballots.iter().map(|ballot| &ballot.ans));
    let number = u32::try_from(ballots.len()).unwrap();
    let close = Close {
        v: 1,
        sid: sid.sid(),
        box_size: u64::from(number) + 1,
        issued_a: (0..number).map(|one| Hex([u8::try_from(one % 256).unwrap(); 32])).collect(),
        issued_b: Vec::new(),
        voided: qingfeng_ballots::close::Voided::default(),
        unopenable: Vec::new(),
        withheld: Vec::new(),
        ballots: number.into(),
        junk: 0,
        publication: publication(&tally, number, THRESHOLDS),
    };
    let totals = totals(&tally, number, THRESHOLDS);
    for (name, content) in [("close.json", canonical(&close)), ("totals.json", canonical(&totals))] {
        let file = box_files::Model { sid, name: name.into(), content };
        file.into_active_model().insert(connection).await.unwrap();
    }
    let row = |ballot: &Ballot| {
        let row = String::from_utf8(ballot.to_bytes()).unwrap();
        rows::Model { sid, row_hash: ballot.row_hash().0.to_vec(), row }.into_active_model()
    };
    rows::Entity::insert_many(ballots.iter().map(row)).exec_without_returning(connection).await.unwrap();
    let note = format!("box/{sid}\n42\n{}\n", "A".repeat(43) + "=");
    checkpoints::Model { sid, size: 42, note }.into_active_model().insert(connection).await.unwrap();
}
