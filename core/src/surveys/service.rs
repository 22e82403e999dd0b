use chrono::{Days, NaiveDate};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    FEWEST_PEOPLE, Question, SurveyRefusal, SurveyState, check,
    entity::{participation, surveys, tallies},
};
use crate::{
    audit::AuditEntry,
    clock::shanghai_date,
    groups,
    ids::{CountyId, OrganizationId, SurveyId},
    outbox::{Notice, Recipient},
    people::{
        Actor, OrganizationKind, Resident,
        authorization::{Action, Subject, may},
        entity::organizations,
    },
    refusal::{Fault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// Days that people have to answer.
const FEWEST_DAYS: u64 = 3;
const MOST_DAYS: u64 = 30;

/// A survey to be opened.
#[derive(Clone, Debug)]
pub struct NewSurvey {
    pub village: OrganizationId,
    pub title: String,
    pub questions: Vec<Question>,
    pub closes_on: NaiveDate,
}

/// Opens a survey and invites the village's groups.
///
/// # Errors
/// When the actor may not, the village is unknown, or the survey is not one about a thing.
pub async fn invite(
    store: &Store,
    command: &Command,
    county: CountyId,
    new: NewSurvey,
) -> Result<Outcome<SurveyId>, Fault> {
    let village = organizations::Entity::find_by_id(new.village)
        .one(store.reader())
        .await?
        .filter(|place| place.kind == OrganizationKind::Village && place.county_id == county);
    let (village, township) = village
        .and_then(|village| village.parent_id.map(|township| (village, township)))
        .ok_or_else(|| Refusal::new(RefusalKind::NotFound, "unknown_village", "没有这个村。"))?;
    let subject =
        Subject { county: Some(county), township: Some(township), village: Some(village.id), ..Subject::default() };
    may(&command.actor, Action::ManageSurvey, &subject)?;
    check(&new.title, &new.questions)?;
    let author = command.actor.staff().map(|staff| staff.id);
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let window = unit.today() + Days::new(FEWEST_DAYS)..=unit.today() + Days::new(MOST_DAYS);
                if !window.contains(&new.closes_on) {
                    let sentence = format!("答题时间要有{FEWEST_DAYS}到{MOST_DAYS}天。");
                    return Err(Refusal::invalid(Vec::new()).with_field("/closes_on", &sentence).into());
                }
                let id = SurveyId::new(unit.randomness(), unit.now());
                surveys::Entity::insert(surveys::ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    township_id: Set(township),
                    village_id: Set(village.id),
                    title: Set(new.title.trim().to_owned()),
                    questions: Set(json!(new.questions)),
                    state: Set(SurveyState::Open),
                    closes_on: Set(new.closes_on),
                    created_at: Set(unit.now()),
                    author_staff_id: Set(author),
                })
                .exec_without_returning(unit.connection())
                .await?;
                let facts = json!({
                    "village": village.name,
                    "title": new.title.trim(),
                    "questions": new.questions.len(),
                    "closes_on": new.closes_on,
                    "fewest": FEWEST_PEOPLE,
                    "author": author,
                });
                let posts = posts(unit, village.id, township, id, "survey_invitation", facts).await?;
                Ok(Done::new(id, AuditEntry::new("survey_opened", id)).telling(posts))
            })
        })
        .await
}

async fn posts(
    unit: &UnitOfWork,
    village: OrganizationId,
    township: OrganizationId,
    id: SurveyId,
    kind: &'static str,
    facts: serde_json::Value,
) -> Result<Vec<Notice>, Fault> {
    let groups = groups::of_village(unit.connection(), village).await?;
    let post = |group: groups::entity::Model| {
        Notice::new(Recipient::Group(group.id), kind, id).township(township).facts(facts.clone())
    };
    Ok(groups.into_iter().map(post).collect())
}

/// The oldest survey of his village that the resident can still answer, with its questions.
///
/// # Errors
/// When the database does not answer.
pub async fn open_for(store: &Store, resident: &Resident) -> Result<Option<(surveys::Model, Vec<Question>)>, Fault> {
    let open = surveys::Entity::find()
        .filter(surveys::Column::VillageId.eq(resident.village))
        .filter(surveys::Column::State.eq(SurveyState::Open))
        .filter(surveys::Column::ClosesOn.gte(shanghai_date(store.clock().now())))
        .order_by_asc(surveys::Column::Id)
        .all(store.reader())
        .await?;
    for survey in open {
        let took_part = participation::Entity::find_by_id((survey.id, resident.id)).one(store.reader()).await?;
        if took_part.is_none() {
            let questions = serde_json::from_value(survey.questions.clone()).map_err(Fault::unavailable)?;
            return Ok(Some((survey, questions)));
        }
    }
    Ok(None)
}

/// A resident answers all questions, once; `choices` holds the number of the choice for each question, from 0.
///
/// # Errors
/// When it is another village's survey, closed, answered before, or an answer is none of the choices.
pub async fn answer(store: &Store, actor: &Actor, id: SurveyId, choices: Vec<usize>) -> Result<(), Fault> {
    let resident = actor.resident().cloned().ok_or_else(Refusal::forbidden)?;
    let actor = actor.clone();
    store
        .anonymous(move |unit| {
            Box::pin(async move {
                // One answer at a time: all figures are written together below.
                let survey = surveys::Entity::find_by_id(id)
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?
                    .ok_or_else(Refusal::not_found)?;
                let subject = Subject {
                    county: Some(survey.county_id),
                    township: Some(survey.township_id),
                    village: Some(survey.village_id),
                    ..Subject::default()
                };
                may(&actor, Action::AnswerSurvey, &subject)?;
                if survey.state != SurveyState::Open || unit.today() > survey.closes_on {
                    return Err(Fault::refused(SurveyRefusal::Closed));
                }
                let questions: Vec<Question> = serde_json::from_value(survey.questions).map_err(Fault::unavailable)?;
                let fits = choices.len() == questions.len()
                    && choices.iter().zip(&questions).all(|(choice, question)| *choice < question.choices.len());
                if !fits {
                    return Err(Fault::refused(SurveyRefusal::WrongAnswers));
                }
                let row = participation::ActiveModel {
                    county_id: Set(survey.county_id),
                    survey_id: Set(id),
                    resident_id: Set(resident.id),
                };
                let once = OnConflict::columns([participation::Column::SurveyId, participation::Column::ResidentId])
                    .do_nothing()
                    .to_owned();
                let first = participation::Entity::insert_many([row])
                    .on_conflict(once)
                    .exec_without_returning(unit.connection())
                    .await?;
                if first == 0 {
                    return Err(Fault::refused(SurveyRefusal::AlreadyAnswered));
                }
                count(unit, survey.county_id, id, &questions, &choices).await
            })
        })
        .await
}

/// One more for each choice that was made.
///
/// Rows keep the number of the transaction that wrote them (xmin), and the row of whoever took part has the same. So every answer
/// writes every figure of the survey, in one statement: what was chosen stands out nowhere. And all figures are there from the
/// first answer on: in what order choices were made for the first time cannot be seen either.
async fn count(
    unit: &UnitOfWork,
    county: CountyId,
    survey: SurveyId,
    questions: &[Question],
    choices: &[usize],
) -> Result<(), Fault> {
    use tallies::Column as C;
    let small = |number: usize| i32::try_from(number).map_err(Fault::unavailable);
    let (mut figures, mut chosen) = (Vec::new(), Condition::any());
    for (number, (question, choice)) in questions.iter().zip(choices).enumerate() {
        chosen = chosen.add(C::Question.eq(small(number)?).and(C::Choice.eq(small(*choice)?)));
        for choice in 0..question.choices.len() {
            figures.push(tallies::ActiveModel {
                county_id: Set(county),
                survey_id: Set(survey),
                question: Set(small(number)?),
                choice: Set(small(choice)?),
                answers: Set(0),
            });
        }
    }
    let once = OnConflict::columns([C::SurveyId, C::Question, C::Choice]).do_nothing().to_owned();
    tallies::Entity::insert_many(figures).on_conflict(once).exec_without_returning(unit.connection()).await?;
    let answers = Expr::col(C::Answers);
    tallies::Entity::update_many()
        .col_expr(C::Answers, Expr::case(chosen, answers.clone().add(1)).finally(answers).into())
        .filter(C::SurveyId.eq(survey))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// What came of a survey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SurveyResults)]
pub struct Results {
    pub title: String,
    /// How many took part.
    pub people: u64,
    /// For each question its text and how many chose what.
    pub questions: Vec<Counted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SurveyCounts)]
pub struct Counted {
    pub text: String,
    pub choices: Vec<ChoiceCount>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SurveyChoiceCount)]
pub struct ChoiceCount {
    pub label: String,
    pub answers: i32,
}

/// The office ends a survey whose days are over; the village's groups get the result, or that there is none to show.
///
/// # Errors
/// When the actor may not, or people may still answer.
pub async fn close(store: &Store, command: &Command, county: CountyId, id: SurveyId) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let survey = surveys::Entity::find_by_id(id)
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?
                    .filter(|survey| survey.county_id == county)
                    .ok_or_else(Refusal::not_found)?;
                let subject = Subject {
                    county: Some(county),
                    township: Some(survey.township_id),
                    village: Some(survey.village_id),
                    ..Subject::default()
                };
                may(&actor, Action::ManageSurvey, &subject)?;
                if survey.state == SurveyState::Closed {
                    return Err(Fault::refused(SurveyRefusal::Closed));
                }
                if unit.today() <= survey.closes_on {
                    return Err(Fault::refused(SurveyRefusal::StillOpen));
                }
                surveys::Entity::update_many()
                    .col_expr(surveys::Column::State, Expr::value(SurveyState::Closed))
                    .filter(surveys::Column::Id.eq(id))
                    .exec(unit.connection())
                    .await?;
                let (village, township, author) = (survey.village_id, survey.township_id, survey.author_staff_id);
                let counted = counted(unit.connection(), survey).await?;
                let facts = if counted.people < FEWEST_PEOPLE {
                    json!({"title": counted.title, "author": author})
                } else {
                    json!({
                        "title": counted.title,
                        "people": counted.people,
                        "questions": counted.questions,
                        "author": author,
                    })
                };
                let posts = posts(unit, village, township, id, "survey_result", facts).await?;
                Ok(Done::new((), AuditEntry::new("survey_closed", id)).telling(posts))
            })
        })
        .await
}

/// The result of a closed survey.
///
/// # Errors
/// While it is open, and when too few took part.
pub async fn results(store: &Store, id: SurveyId) -> Result<Results, Fault> {
    let survey = surveys::Entity::find_by_id(id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    if survey.state == SurveyState::Open {
        return Err(Fault::refused(SurveyRefusal::StillOpen));
    }
    let counted = counted(store.reader(), survey).await?;
    if counted.people < FEWEST_PEOPLE {
        return Err(Fault::refused(SurveyRefusal::TooFewAnswers));
    }
    Ok(counted)
}

async fn counted(connection: &impl sea_orm::ConnectionTrait, survey: surveys::Model) -> Result<Results, Fault> {
    let people =
        participation::Entity::find().filter(participation::Column::SurveyId.eq(survey.id)).count(connection).await?;
    let rows = tallies::Entity::find().filter(tallies::Column::SurveyId.eq(survey.id)).all(connection).await?;
    let questions: Vec<Question> = serde_json::from_value(survey.questions).map_err(Fault::unavailable)?;
    let answers = |question: usize, choice: usize| {
        let same = |row: &&tallies::Model| {
            usize::try_from(row.question) == Ok(question) && usize::try_from(row.choice) == Ok(choice)
        };
        rows.iter().find(same).map_or(0, |row| row.answers)
    };
    let questions = questions.into_iter().enumerate().map(|(number, question)| Counted {
        text: question.text,
        choices: question
            .choices
            .into_iter()
            .enumerate()
            .map(|(choice, label)| ChoiceCount { label, answers: answers(number, choice) })
            .collect(),
    });
    Ok(Results { title: survey.title, people, questions: questions.collect() })
}
