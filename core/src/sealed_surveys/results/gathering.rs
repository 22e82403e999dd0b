//! From a survey's boxes to what the sheet is made of.

use std::collections::BTreeMap;

use qingfeng_ballots::{
    answers::{Answers, Question},
    ballot::Ballot,
    close::{Close, Publication},
    publication::{Tally, Totals},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, de::DeserializeOwned};

use super::entity::rules;
use crate::{
    campaigns::plan::About,
    ids::{OrganizationId, StaffId},
    refusal::Fault,
    sealed_surveys::{
        BallotBoxId, BoxState,
        entity::{ballot_boxes, box_files, issuance, rows, sealed_surveys},
        questionnaires::{self, Questionnaire},
        sheet::{Evaluated, Unit},
        suppression::{CountedBox, PaperAccount},
    },
};

/// Which row of the sheet it is; the same subject has the same key in every round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowKey {
    pub subject: String,
    pub staff: Option<StaffId>,
    pub organization: Option<OrganizationId>,
    /// The villages whose residents it is about; of a sum none.
    pub villages: Vec<OrganizationId>,
}

/// The rules of the survey: its own, or those that ship. None for a survey that no questionnaire describes.
pub(super) async fn questionnaire(
    connection: &impl ConnectionTrait,
    survey: &sealed_surveys::Model,
) -> Result<Option<Questionnaire>, Fault> {
    let own = rules::Entity::find_by_id(survey.id).one(connection).await?;
    let found = match own {
        Some(own) => Some(serde_json::from_value(own.questionnaire).map_err(Fault::unavailable)?),
        None => questionnaires::find(&survey.kind).cloned(),
    };
    Ok(found.filter(|questionnaire| serde_json::json!(questionnaire.ballot_questions()) == survey.questions))
}

/// The boxes of the survey that were held. None while one of them is still to come.
pub(super) async fn finished_boxes(
    connection: &impl ConnectionTrait,
    survey: &sealed_surveys::Model,
) -> Result<Option<Vec<ballot_boxes::Model>>, Fault> {
    let boxes = ballot_boxes::Entity::find()
        .filter(ballot_boxes::Column::SurveyId.eq(survey.id))
        .order_by_asc(ballot_boxes::Column::UnitName)
        .order_by_asc(ballot_boxes::Column::Evaluatee)
        .order_by_asc(ballot_boxes::Column::Sid)
        .all(connection)
        .await?;
    if !boxes.iter().all(|one| one.state.is_over()) {
        return Ok(None);
    }
    let held: Vec<_> = boxes.into_iter().filter(|one| one.state != BoxState::Cancelled).collect();
    Ok((!held.is_empty()).then_some(held))
}

/// Whom and what the boxes are about, with their counts.
pub(super) async fn evaluated(
    connection: &impl ConnectionTrait,
    questionnaire: &Questionnaire,
    boxes: &[ballot_boxes::Model],
) -> Result<Vec<Evaluated<RowKey>>, Fault> {
    // Who evaluates himself or an office has a sheet of his own; what everybody has alike is added up over all.
    let (about, questions) = (questionnaire.about, questionnaire.ballot_questions());
    let is_added_up = matches!(about, About::VillageBody | About::PublicService | About::Rectification);
    let mut subjects: BTreeMap<String, Evaluated<RowKey>> = BTreeMap::new();
    for one in boxes {
        let own = subject(one);
        let subject = if is_added_up { String::new() } else { own.clone() };
        let evaluated = subjects.entry(subject.clone()).or_insert_with(|| Evaluated {
            label: if is_added_up { "合计".into() } else { label(one) },
            units: Vec::new(),
            sum: None,
        });
        let key = RowKey {
            subject: format!("{own}@{}", one.unit_id),
            staff: one.evaluatee_staff_id,
            organization: one.evaluatee_organization_id,
            villages: serde_json::from_value(one.village_ids.clone()).map_err(Fault::unavailable)?,
        };
        let counted = counted(connection, one, &questions).await?;
        match evaluated.units.iter_mut().find(|unit| unit.key.subject == key.subject) {
            Some(unit) => unit.boxes.push(counted),
            None => {
                let (label, name) = (label(one), one.unit_name.clone());
                evaluated.units.push(Unit { key, label, name, boxes: vec![counted] });
            }
        }
        if evaluated.units.len() > 1 && evaluated.sum.is_none() {
            let staff = one.evaluatee_staff_id.filter(|_| !is_added_up);
            let organization = one.evaluatee_organization_id.filter(|_| !is_added_up);
            evaluated.sum = Some(RowKey { subject: format!("{subject}@*"), staff, organization, villages: Vec::new() });
        }
    }
    // By name: an order that tells nothing.
    let mut evaluated: Vec<_> = subjects.into_values().collect();
    evaluated.sort_by(|one, other| one.label.cmp(&other.label));
    Ok(evaluated)
}

fn subject(one: &ballot_boxes::Model) -> String {
    match (one.evaluatee_staff_id, one.evaluatee_organization_id, &one.evaluatee) {
        (Some(staff), _, _) => format!("staff:{staff}"),
        (None, Some(organization), _) => format!("organization:{organization}"),
        (None, None, Some(text)) => format!("text:{text}"),
        (None, None, None) => String::new(),
    }
}

fn label(one: &ballot_boxes::Model) -> String {
    one.evaluatee.clone().unwrap_or_else(|| one.unit_name.clone())
}

/// As the counting team writes it.
#[derive(Deserialize)]
struct SlipAccount {
    #[serde(default)]
    printed: u32,
    #[serde(default)]
    drawn: u32,
    #[serde(default)]
    returned: u32,
    #[serde(default)]
    spoiled: u32,
    #[serde(default)]
    lost: u32,
    #[serde(default)]
    batch_void: bool,
}

async fn counted(
    connection: &impl ConnectionTrait,
    one: &ballot_boxes::Model,
    questions: &[Question],
) -> Result<CountedBox, Fault> {
    let account: Option<SlipAccount> =
        one.slip_account.clone().map(serde_json::from_value).transpose().map_err(Fault::unavailable)?;
    let paper = account.map(|account| PaperAccount {
        printed: account.printed,
        drawn: account.drawn,
        returned: account.returned,
        spoiled: account.spoiled,
        lost: account.lost,
        is_voided: account.batch_void,
    });
    let drawn = paper.map_or(0, |paper| paper.drawn);
    let mut counted = CountedBox {
        group: one.class,
        eligible: small(one.eligible)?,
        issued: 0,
        ballots: 0,
        junk: 0,
        unopenable: 0,
        withheld: 0,
        paper,
        totals: Totals { v: 1, ballots: 0, questions: BTreeMap::new() },
        tally: None,
    };
    if !one.state.is_published() {
        // Fewer than may be opened: nobody knows what is in it.
        let issued = issuance::Entity::find().filter(issuance::Column::Sid.eq(one.sid)).count(connection).await?;
        counted.issued = small(issued)? + drawn;
        return Ok(counted);
    }
    let close: Close = file(connection, one.sid, "close.json").await?;
    let totals: Totals = file(connection, one.sid, "totals.json").await?;
    counted.issued = small(close.issued_a.len())? + drawn;
    counted.ballots = small(close.ballots)?;
    counted.junk = small(close.junk)?;
    counted.unopenable = small(close.unopenable.len())?;
    counted.withheld = small(close.withheld.len())?;
    // Of too few nobody has the rows.
    if close.publication > Publication::Count {
        counted.tally = Some(tally(connection, one.sid, questions, counted.ballots).await?);
    }
    counted.totals = totals;
    Ok(counted)
}

/// How much of an opened box is published; none of a box that stays shut.
pub(super) async fn publication(
    connection: &impl ConnectionTrait,
    one: &ballot_boxes::Model,
) -> Result<Option<Publication>, Fault> {
    if !one.state.is_published() {
        return Ok(None);
    }
    let close: Close = file(connection, one.sid, "close.json").await?;
    Ok(Some(close.publication))
}

/// Every answer, from the rows.
async fn tally(
    connection: &impl ConnectionTrait,
    sid: BallotBoxId,
    questions: &[Question],
    ballots: u32,
) -> Result<Tally, Fault> {
    let rows = rows::Entity::find().filter(rows::Column::Sid.eq(sid)).all(connection).await?;
    if small(rows.len())? != ballots {
        return Err(Fault::unavailable("a ballot box has other rows than its close record says"));
    }
    let answers: Vec<Answers> = rows
        .iter()
        .map(|row| Ballot::parse(row.row.as_bytes()).map(|ballot| ballot.ans).map_err(Fault::unavailable))
        .collect::<Result<_, _>>()?;
    Ok(Tally::of(questions, &answers))
}

async fn file<T: DeserializeOwned>(
    connection: &impl ConnectionTrait,
    sid: BallotBoxId,
    name: &str,
) -> Result<T, Fault> {
    let file = box_files::Entity::find_by_id((sid, name.to_owned()))
        .one(connection)
        .await?
        .ok_or_else(|| Fault::unavailable(format!("a published ballot box has no {name}")))?;
    serde_json::from_slice(&file.content).map_err(Fault::unavailable)
}

fn small(number: impl TryInto<u32>) -> Result<u32, Fault> {
    number.try_into().map_err(|_| Fault::unavailable("a count of a ballot box is out of range"))
}
