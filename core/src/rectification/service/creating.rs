use chrono::NaiveDate;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::steps::{note, open_deadline, tell_responsible};
use crate::{
    audit::AuditEntry,
    ids::{EntryId, OrganizationId, ProblemId, RectificationId, ResidentId, StaffId},
    numbers,
    people::{
        Actor, Role,
        authorization::{Action, Subject, is_recused, may},
        concerns::{self, Concerns},
        entity::{organizations, posts, residents},
        staff_in,
    },
    problems::entity::problems,
    publication::{PublicText, check_residents},
    rectification::{
        Pace, RectificationRefusal, State,
        entity::{affected, joint_units, measures, problems as problem_links, rectifications},
    },
    refusal::{Fault, FieldFault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::SubjectRef,
};

/// A rectification item: one for several problems, or one of several for a problem.
#[derive(Clone, Debug)]
pub struct NewRectification {
    pub village: OrganizationId,
    pub problems: Vec<ProblemId>,
    pub title: String,
    pub goal: String,
    pub measures: Vec<String>,
    pub pace: Pace,
    pub due_on: NaiveDate,
    pub lead_unit: OrganizationId,
    pub joint_units: Vec<OrganizationId>,
    /// The person who answers for it; the unit's responsible person when none is named.
    pub responsible: Option<StaffId>,
    /// The leader above (责任领导).
    pub leader: Option<StaffId>,
    /// Residents whom it affects: they judge. None named: all of the village.
    pub affected: Vec<ResidentId>,
    /// Words that are on the village's roster and name nobody here.
    pub no_names: Vec<String>,
}

const LONGEST_TITLE: usize = 60;
const MOST_MEASURES: usize = 20;
const LONGEST_MEASURE: usize = 300;

impl NewRectification {
    /// What everybody will read, with the field it is in.
    fn texts(&self) -> Vec<(String, &str)> {
        let named = [("/title".to_owned(), &*self.title), ("/goal".to_owned(), &*self.goal)];
        let measures = self.measures.iter().enumerate();
        named.into_iter().chain(measures.map(|(place, text)| (format!("/measures/{place}"), &**text))).collect()
    }
}

fn check(new: &NewRectification, today: NaiveDate) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    let length = |text: &str| text.trim().chars().count();
    for (pointer, text) in new.texts() {
        if let Err(refusal) = PublicText::parse(&pointer, text) {
            faults.extend(refusal.fields);
        }
    }
    if length(&new.title) > LONGEST_TITLE {
        faults.push(FieldFault::new("/title", format!("标题最多{LONGEST_TITLE}个字。")));
    }
    if new.measures.is_empty() || new.measures.len() > MOST_MEASURES {
        faults.push(FieldFault::new("/measures", format!("请写一到{MOST_MEASURES}条整改措施。")));
    }
    for (position, measure) in new.measures.iter().enumerate() {
        let pointer = format!("/measures/{position}");
        if length(measure) > LONGEST_MEASURE {
            faults.push(FieldFault::new(pointer, format!("每条措施最多{LONGEST_MEASURE}个字。")));
        }
    }
    if new.due_on < today {
        faults.push(FieldFault::new("/due_on", "完成时限不能早于今天。"));
    }
    if new.problems.is_empty() {
        faults.push(FieldFault::new("/problem_ids", "请选出要整改的问题。"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::invalid(faults)) }
}

/// The office turns problems into a rectification item.
///
/// # Errors
/// What is wrong with the input; when unit or person is what the problems are about.
pub async fn create(
    store: &Store,
    command: &Command,
    new: NewRectification,
) -> Result<Outcome<RectificationId>, Fault> {
    let village =
        organizations::Entity::find_by_id(new.village).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    let (county, township) = (village.county_id, village.parent_id.ok_or_else(Refusal::not_found)?);
    let general =
        Subject { county: Some(county), township: Some(township), village: Some(village.id), ..Subject::default() };
    may(&command.actor, Action::CreateRectification, &general)?;
    check(&new, crate::clock::shanghai_date(store.clock().now()))?;
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let about = concerns_of(unit, township, &new.problems).await?;
                let subject = Subject {
                    concerns_organizations: about.organizations.clone(),
                    concerns_staff: about.staff.clone(),
                    ..general
                };
                may(&actor, Action::CreateRectification, &subject)?;
                let ordinary = check_residents(unit.connection(), village.id, &new.texts(), &new.no_names).await?;
                let responsible = responsible(unit, township, &subject, &new).await?;
                let id = RectificationId::new(unit.randomness(), unit.now());
                let item = rectifications::Model {
                    id,
                    county_id: county,
                    township_id: township,
                    village_id: village.id,
                    number: numbers::fresh("ZG", unit),
                    title: new.title.trim().to_owned(),
                    goal: new.goal.trim().to_owned(),
                    commitment: String::new(),
                    pace: new.pace,
                    state: State::NotStarted,
                    round: 1,
                    lead_unit_id: new.lead_unit,
                    responsible_staff_id: responsible,
                    leader_staff_id: new.leader,
                    evaluation_closes_on: None,
                    township_passed: false,
                    published_at: None,
                    closed_at: None,
                    created_at: unit.now(),
                    changed_at: unit.now(),
                };
                rectifications::Entity::insert(rectifications::ActiveModel::from(item.clone()))
                    .exec_without_returning(unit.connection())
                    .await?;
                concerns::record(unit, county, SubjectRef::from(id), &about).await?;
                add_parts(unit, &actor, &item, &new).await?;
                let explanation = format!("镇里下达时确定，{}前完成", new.due_on.format("%Y年%-m月%-d日"));
                open_deadline(unit, &item, new.due_on, explanation).await?;
                let facts = json!({"number": item.number, "title": item.title, "due_on": new.due_on});
                let notice = tell_responsible(&item, "rectification_assigned", facts);
                Ok(Done::new(id, AuditEntry::new("rectification_created", id))
                    .telling([notice])
                    .recording(ordinary.recorded(id)))
            })
        })
        .await
}

async fn concerns_of(
    unit: &UnitOfWork,
    township: OrganizationId,
    problem_ids: &[ProblemId],
) -> Result<Concerns, Fault> {
    let known = problems::Entity::find()
        .filter(problems::Column::Id.is_in(problem_ids.iter().copied()))
        .filter(problems::Column::TownshipId.eq(township))
        .all(unit.connection())
        .await?;
    if known.len() != problem_ids.len() {
        return Err(Fault::refused(RectificationRefusal::UnknownProblem));
    }
    let mut about = Concerns::default();
    for problem in known {
        about.join(concerns::of(unit.connection(), problem.id.into()).await?);
    }
    Ok(about)
}

/// A named person of the lead unit whom the problems are not about. A village committee rectifies its own problems
/// (plan A: the secretary is directly responsible), so a unit is not kept out of its own rectification, a person is.
async fn responsible(
    unit: &UnitOfWork,
    township: OrganizationId,
    subject: &Subject,
    new: &NewRectification,
) -> Result<StaffId, Fault> {
    for place in new.joint_units.iter().chain([&new.lead_unit]) {
        let known = organizations::Entity::find_by_id(*place).one(unit.connection()).await?;
        if !known.is_some_and(|known| known.id == township || known.parent_id == Some(township)) {
            return Err(Fault::refused(RectificationRefusal::UnknownResponsible));
        }
    }
    let today = unit.today();
    let mut held = posts::Entity::find()
        .filter(posts::Column::OrganizationId.eq(new.lead_unit))
        .filter(posts::Column::Role.is_in([Role::VillageSecretary, Role::VillageStaff, Role::DepartmentHandler]))
        .filter(posts::Column::FromDate.lte(today))
        .filter(Condition::any().add(posts::Column::ToDate.is_null()).add(posts::Column::ToDate.gte(today)))
        .order_by_asc(posts::Column::Id)
        .all(unit.connection())
        .await?;
    held.sort_by_key(|post| u8::from(post.role == Role::VillageStaff));
    if let Some(named) = new.responsible {
        held.retain(|post| post.staff_id == named);
    }
    let mut anybody = false;
    for post in held {
        anybody = true;
        let person = staff_in(unit.connection(), post.staff_id, today).await?;
        if person.is_some_and(|person| !is_recused(&person, subject)) {
            return Ok(post.staff_id);
        }
    }
    Err(Fault::refused(if anybody { RectificationRefusal::Recused } else { RectificationRefusal::UnknownResponsible }))
}

async fn add_parts(
    unit: &UnitOfWork,
    actor: &Actor,
    item: &rectifications::Model,
    new: &NewRectification,
) -> Result<(), Fault> {
    let fresh = || EntryId::new(unit.randomness(), unit.now());
    let links = new.problems.iter().map(|problem| problem_links::ActiveModel {
        id: Set(fresh()),
        county_id: Set(item.county_id),
        rectification_id: Set(item.id),
        problem_id: Set(*problem),
    });
    problem_links::Entity::insert_many(links).exec_without_returning(unit.connection()).await?;
    let steps = new.measures.iter().zip(1..).map(|(text, position)| measures::ActiveModel {
        id: Set(fresh()),
        county_id: Set(item.county_id),
        rectification_id: Set(item.id),
        position: Set(position),
        text: Set(text.trim().to_owned()),
        done_on: Set(None),
    });
    measures::Entity::insert_many(steps).exec_without_returning(unit.connection()).await?;
    let joined: Vec<_> = new
        .joint_units
        .iter()
        .filter(|joined| **joined != item.lead_unit_id)
        .map(|joined| joint_units::ActiveModel {
            id: Set(fresh()),
            county_id: Set(item.county_id),
            rectification_id: Set(item.id),
            unit_id: Set(*joined),
        })
        .collect();
    if !joined.is_empty() {
        joint_units::Entity::insert_many(joined).exec_without_returning(unit.connection()).await?;
    }
    let mut roll = residents::Entity::find()
        .filter(residents::Column::VillageId.eq(item.village_id))
        .filter(residents::Column::Active.eq(true))
        // Who answers for the work does not judge it.
        .filter(
            Condition::any()
                .add(residents::Column::StaffId.is_null())
                .add(residents::Column::StaffId.ne(item.responsible_staff_id)),
        );
    if !new.affected.is_empty() {
        roll = roll.filter(residents::Column::Id.is_in(new.affected.iter().copied()));
    }
    let roll = roll.all(unit.connection()).await?;
    if roll.is_empty() || (!new.affected.is_empty() && roll.len() < new.affected.len()) {
        return Err(Fault::refused(RectificationRefusal::NobodyAffected));
    }
    // PostgreSQL takes at most 65 535 values in one statement.
    for chunk in roll.chunks(5000) {
        let rows = chunk.iter().map(|resident| affected::ActiveModel {
            id: Set(fresh()),
            county_id: Set(item.county_id),
            rectification_id: Set(item.id),
            resident_id: Set(resident.id),
        });
        affected::Entity::insert_many(rows).exec_without_returning(unit.connection()).await?;
    }
    note(unit, actor, item, "created", &item.goal, false).await?;
    Ok(())
}
