use std::collections::HashMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use qingfeng_ballots::{Hex, close::Publication, log::Checkpoint};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, Iterable as _, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use serde_json::{Value, json};

use super::{
    entity::{results, sheets},
    gathering::{self, RowKey},
};
use crate::{
    audit::AuditEntry,
    groups,
    ids::{CountyId, OrganizationId, SealedSurveyId, SealedSurveyResultId},
    outbox::{Notice, Recipient},
    people::Actor,
    refusal::{Fault, Refusal},
    sealed_surveys::{
        BallotBoxId, BoxState, FEWEST_BALLOTS,
        entity::{ballot_boxes, checkpoints, sealed_surveys},
        sheet::{self, Head, LastRound, Row},
    },
    storage::{Command, Done, Store, UnitOfWork},
};

/// Makes the sheets that can be made: of surveys whose last box is out. Each in a transaction of its own, once; after a crash
/// the next turn does what is left. Gives the number of new sheets.
///
/// # Errors
/// When the database does not answer, or a box does not agree with its close record.
pub async fn publish_finished(store: &Store, county: CountyId) -> Result<u32, Fault> {
    let with_sheet = sheets::Entity::find().select_only().column(sheets::Column::SurveyId).into_query();
    let boxes = |states: Vec<BoxState>| {
        ballot_boxes::Entity::find()
            .select_only()
            .column(ballot_boxes::Column::SurveyId)
            .filter(ballot_boxes::Column::State.is_in(states))
            .into_query()
    };
    let (over, to_come): (Vec<_>, Vec<_>) = BoxState::iter().partition(|state| state.is_over());
    let held = over.into_iter().filter(|state| *state != BoxState::Cancelled).collect();
    let without = sealed_surveys::Entity::find()
        .filter(sealed_surveys::Column::CountyId.eq(county))
        .filter(sealed_surveys::Column::Id.in_subquery(boxes(held)))
        .filter(sealed_surveys::Column::Id.not_in_subquery(boxes(to_come)))
        .filter(sealed_surveys::Column::Id.not_in_subquery(with_sheet))
        .order_by_asc(sealed_surveys::Column::Id)
        .all(store.reader())
        .await?;
    let mut made = 0;
    for survey in without {
        if gathering::questionnaire(store.reader(), &survey).await?.is_some() {
            made += u32::from(publish(store, county, survey.id).await?);
        }
    }
    Ok(made)
}

/// Makes the sheet of one survey; false when it is there already or cannot be made yet.
///
/// # Errors
/// As above.
pub async fn publish(store: &Store, county: CountyId, id: SealedSurveyId) -> Result<bool, Fault> {
    let command = Command::by(&Actor::System { county });
    let outcome = store
        .command(county, &command, move |unit| {
            Box::pin(async move {
                let survey = sealed_surveys::Entity::find_by_id(id)
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?
                    .filter(|survey| survey.county_id == county)
                    .ok_or_else(Refusal::not_found)?;
                let is_there = sheets::Entity::find_by_id(id).one(unit.connection()).await?.is_some();
                let boxes = gathering::finished_boxes(unit.connection(), &survey).await?;
                let questionnaire = gathering::questionnaire(unit.connection(), &survey).await?;
                let (false, Some(boxes), Some(questionnaire)) = (is_there, boxes, questionnaire) else {
                    return Err(Refusal::not_found().into());
                };
                let formula = questionnaire.check().map_err(Fault::unavailable)?;
                let evaluated = gathering::evaluated(unit.connection(), &questionnaire, &boxes).await?;
                let last = last_rounds(unit.connection(), &survey, &questionnaire.key).await?;
                let not_held: Vec<_> = serde_json::from_value(survey.not_held.clone()).map_err(Fault::unavailable)?;
                let today = unit.today();
                let last_round = |key: &RowKey| {
                    last.get(&key.subject).map(|(head, last)| LastRound {
                        is_comparable: head.formula == formula.name() && head.groups == questionnaire.rules.groups,
                        ..last.clone()
                    })
                };
                let (mut head, rows) =
                    sheet::make(&questionnaire, formula, FEWEST_BALLOTS, today, evaluated, &not_held, last_round);
                head.title.clone_from(&survey.title);
                keep(unit, &survey, &head, &rows).await?;
                let posts = posts(unit, &survey, &head, &rows, &boxes).await?;
                let audit = AuditEntry::new("sealed_survey_results_published", id).changing(
                    &Value::Null,
                    &json!({"head": head, "rows": rows.iter().map(|(_, row)| row).collect::<Vec<_>>()}),
                );
                Ok(Done::new((), audit).telling(posts))
            })
        })
        .await;
    match outcome {
        Ok(_) => Ok(true),
        Err(Fault::Refused(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Of each subject the sheet's head and the figures of its last round.
async fn last_rounds(
    connection: &impl ConnectionTrait,
    survey: &sealed_surveys::Model,
    questionnaire: &str,
) -> Result<HashMap<String, (Head, LastRound)>, Fault> {
    let earlier = results::Entity::find()
        .filter(results::Column::TownshipId.eq(survey.township_id))
        .filter(results::Column::Questionnaire.eq(questionnaire))
        .order_by_asc(results::Column::Id)
        .all(connection)
        .await?;
    let mut heads: HashMap<SealedSurveyId, Head> = HashMap::new();
    let mut last = HashMap::new();
    for result in earlier {
        let head = match heads.get(&result.survey_id) {
            Some(head) => head.clone(),
            None => {
                let Some(sheet) = sheets::Entity::find_by_id(result.survey_id).one(connection).await? else { continue };
                let head: Head = serde_json::from_value(sheet.head).map_err(Fault::unavailable)?;
                heads.insert(result.survey_id, head.clone());
                head
            }
        };
        let row: Row = serde_json::from_value(result.figures).map_err(Fault::unavailable)?;
        let round = LastRound { published_on: result.published_on, score: row.score, is_comparable: false };
        last.insert(result.subject, (head, round));
    }
    Ok(last)
}

async fn keep(
    unit: &UnitOfWork,
    survey: &sealed_surveys::Model,
    head: &Head,
    rows: &[(RowKey, Row)],
) -> Result<(), Fault> {
    sheets::Entity::insert(sheets::ActiveModel {
        survey_id: Set(survey.id),
        county_id: Set(survey.county_id),
        township_id: Set(survey.township_id),
        purpose: Set(head.purpose),
        head: Set(json!(head)),
        published_at: Set(unit.now()),
        released_at: Set(None),
    })
    .exec_without_returning(unit.connection())
    .await?;
    let models = (0..).zip(rows).map(|(position, (key, row))| results::ActiveModel {
        id: Set(SealedSurveyResultId::new(unit.randomness(), unit.now())),
        county_id: Set(survey.county_id),
        survey_id: Set(survey.id),
        township_id: Set(survey.township_id),
        position: Set(position),
        subject: Set(key.subject.clone()),
        questionnaire: Set(head.questionnaire.clone()),
        evaluatee_staff_id: Set(key.staff),
        evaluatee_organization_id: Set(key.organization),
        figures: Set(json!(row)),
        published_on: Set(unit.today()),
    });
    let models: Vec<_> = models.collect();
    for chunk in models.chunks(500) {
        results::Entity::insert_many(chunk.iter().cloned()).exec_without_returning(unit.connection()).await?;
    }
    Ok(())
}

/// The posts for the groups of the villages that were asked: figures only where they are public.
async fn posts(
    unit: &UnitOfWork,
    survey: &sealed_surveys::Model,
    head: &Head,
    rows: &[(RowKey, Row)],
    boxes: &[ballot_boxes::Model],
) -> Result<Vec<Notice>, Fault> {
    let mut villages: Vec<OrganizationId> = Vec::new();
    for one in boxes {
        villages.extend(of_box(one)?);
    }
    villages.sort_unstable();
    villages.dedup();
    let mut notices = Vec::new();
    for village in villages {
        let groups = groups::of_village(unit.connection(), village).await?;
        if groups.is_empty() {
            continue;
        }
        let facts = facts(unit.connection(), survey, head, rows, boxes, village).await?;
        notices.extend(groups.into_iter().map(|group| {
            Notice::new(Recipient::Group(group.id), "sealed_survey_published", survey.id)
                .township(survey.township_id)
                .facts(facts.clone())
        }));
    }
    Ok(notices)
}

fn of_box(one: &ballot_boxes::Model) -> Result<Vec<OrganizationId>, Fault> {
    serde_json::from_value(one.village_ids.clone()).map_err(Fault::unavailable)
}

async fn facts(
    connection: &impl ConnectionTrait,
    survey: &sealed_surveys::Model,
    head: &Head,
    rows: &[(RowKey, Row)],
    boxes: &[ballot_boxes::Model],
    village: OrganizationId,
) -> Result<Value, Fault> {
    let own: Vec<&Row> = rows.iter().filter(|(key, _)| key.villages.contains(&village)).map(|(_, row)| row).collect();
    // Said only when it may be said of every row: a part of the sum is a sum, too.
    let ballots: Option<u32> = own.iter().map(|row| row.ballots).sum();
    let mut fingerprints = Vec::new();
    let mut publications = Vec::new();
    for one in boxes {
        if of_box(one)?.contains(&village) {
            publications.extend(gathering::publication(connection, one).await?);
            let fingerprint = fingerprint(connection, one.sid).await?;
            fingerprints.push(json!({"title": one.title, "fingerprint": fingerprint}));
        }
    }
    let mut facts = json!({
        "survey_id": survey.id,
        "title": survey.title,
        "purpose": head.purpose,
        "boxes": fingerprints,
        "checkable": checkable(head, &publications),
    });
    if let Some(ballots) = ballots.filter(|ballots| *ballots >= FEWEST_BALLOTS) {
        facts["ballots"] = json!(ballots);
    }
    if head.purpose.is_public() {
        let line = |row: &&Row| {
            let rates = row.questions.first().map_or(&[][..], |question| &question.rates);
            json!({"label": row.label, "score": row.score, "rates": rates})
        };
        let told = |row: &&&Row| row.questions.iter().any(|question| !question.rates.is_empty());
        facts["rows"] = own.iter().filter(told).map(line).collect();
    }
    Ok(facts)
}

/// What people can check for themselves: in the words of the post.
fn checkable(head: &Head, opened: &[Publication]) -> &'static str {
    match opened.iter().min() {
        None => "nothing",
        Some(_) if !head.purpose.is_public() => "own",
        Some(Publication::Rows) => "rows",
        Some(_) => "totals",
    }
}

/// What the last checkpoint of the box's log looks like in the group.
async fn fingerprint(connection: &impl ConnectionTrait, sid: BallotBoxId) -> Result<Option<String>, Fault> {
    let last = checkpoints::Entity::find()
        .filter(checkpoints::Column::Sid.eq(sid))
        .order_by_desc(checkpoints::Column::Size)
        .one(connection)
        .await?;
    Ok(last.and_then(|last| {
        let mut lines = last.note.lines().skip(1);
        let size = lines.next()?.parse().ok()?;
        let root = BASE64_STANDARD.decode(lines.next()?).ok()?;
        let checkpoint = Checkpoint { size, root: Hex(root.try_into().ok()?) };
        Some(checkpoint.fingerprint().to_string())
    }))
}
