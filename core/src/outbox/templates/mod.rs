//! A township's own words for a kind of message (11.3): somebody proposes them, a second person releases them, and until then
//! the former ones hold. Versions are added, never overwritten. What the words may be is checked where messages are worded.

pub mod entity;
mod queries;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DeriveActiveEnum, EntityTrait, EnumIter, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{Notice, Recipient};
use crate::{
    audit::AuditEntry,
    groups::reviews::is_second_person,
    ids::{CountyId, MessageTemplateId, OrganizationId, StaffId},
    people::{
        Role,
        authorization::{Action, may},
        holders,
    },
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store},
};
use entity::{ActiveModel, Column, Entity};
use queries::subject;

pub use queries::{Version, history, in_force, latest_facts, list, names, own, township};

/// Most versions of a page.
pub const PAGE: u64 = 30;
/// Longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = MessageTemplateState)]
pub enum TemplateState {
    /// A second person has to release it.
    Proposed,
    /// In force.
    Released,
    Rejected,
    /// A later one is in force.
    Replaced,
}

/// What is done to a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Release,
    /// Also by whoever proposed it: then it is taken back.
    Reject {
        reason: String,
    },
}

/// | state    | release by another | release by the proposer | reject   |
/// |----------|--------------------|-------------------------|----------|
/// | proposed | released           | `own_template`          | rejected |
/// | others   | `template_decided` | `template_decided`      | `template_decided` |
fn apply(
    state: TemplateState,
    proposed_by: StaffId,
    by: Option<StaffId>,
    verdict: &Verdict,
) -> Result<TemplateState, Refusal> {
    match (state, verdict) {
        (TemplateState::Proposed, Verdict::Reject { .. }) => Ok(TemplateState::Rejected),
        (TemplateState::Proposed, Verdict::Release) if is_second_person(Some(proposed_by), by) => {
            Ok(TemplateState::Released)
        }
        (TemplateState::Proposed, Verdict::Release) => {
            Err(Refusal::new(RefusalKind::Forbidden, "own_template", "自己提的用语要由另一个人确认。"))
        }
        _ => Err(Refusal::new(RefusalKind::Conflict, "template_decided", "这条用语已经有人确认或退回了。")),
    }
}

/// Writes down that a version did not hold a message; the latest trouble stands.
///
/// # Errors
/// When the database does not answer.
pub async fn note_failure(store: &Store, id: MessageTemplateId, reason: String) -> Result<(), Fault> {
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                Entity::update_many()
                    .col_expr(Column::Failure, Expr::value(reason))
                    .col_expr(Column::FailedAt, Expr::value(unit.now()))
                    .filter(Column::Id.eq(id))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Words to be used from now on.
#[derive(Clone, Debug)]
pub struct Proposal {
    pub township: OrganizationId,
    /// Recipient and kind, e.g. `staff.deadline_ahead`.
    pub kind: String,
    /// What messages of the kind are about, in Chinese.
    pub meaning: String,
    /// None = the usual words again.
    pub text: Option<String>,
}

/// Proposes words; those who may release them are told.
///
/// # Errors
/// As [`township`]; `template_waiting` while another proposal of the kind waits; `template_unchanged`.
pub async fn propose(
    store: &Store,
    command: &Command,
    county: CountyId,
    new: Proposal,
) -> Result<Outcome<MessageTemplateId>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                township(unit.connection(), &actor, Action::ProposeMessageTemplate, new.township).await?;
                let by = actor.staff().map(|staff| staff.id).ok_or_else(Refusal::forbidden)?;
                let open = Entity::find()
                    .filter(Column::TownshipId.eq(new.township))
                    .filter(Column::Kind.eq(&new.kind))
                    .order_by_desc(Column::Version)
                    .all(unit.connection())
                    .await?;
                let conflict = |code, sentence: &str| Refusal::new(RefusalKind::Conflict, code, sentence);
                if open.iter().any(|row| row.state == TemplateState::Proposed) {
                    let sentence = "这种消息已有一条新用语在等确认，请先确认或退回。";
                    return Err(conflict("template_waiting", sentence).into());
                }
                let current = open.iter().find(|row| row.state == TemplateState::Released);
                let current = current.and_then(|row| row.text.clone());
                if current == new.text {
                    return Err(conflict("template_unchanged", "和正在用的一样，没有改动。").into());
                }
                let id = MessageTemplateId::new(unit.randomness(), unit.now());
                Entity::insert(ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    township_id: Set(new.township),
                    kind: Set(new.kind),
                    // Of two at once the second is overtaken: the number is taken.
                    version: Set(open.first().map_or(0, |row| row.version) + 1),
                    text: Set(new.text.clone()),
                    state: Set(TemplateState::Proposed),
                    proposed_by: Set(by),
                    proposed_at: Set(unit.now()),
                    decided_by: Set(None),
                    decided_at: Set(None),
                    reason: Set(None),
                    failure: Set(None),
                    failed_at: Set(None),
                })
                .exec_without_returning(unit.connection())
                .await?;
                let notices =
                    readers(unit.connection(), new.township, by, unit.today()).await?.into_iter().map(|reader| {
                        Notice::new(Recipient::Staff(reader), "wording_to_review", id)
                            .township(new.township)
                            .facts(json!({"title": new.meaning}))
                    });
                let audit = AuditEntry::new("message_template_proposed", id).changing(&current, &new.text);
                Ok(Done::new(id, audit).telling(notices))
            })
        })
        .await
}

/// The leaders, or else the others of the office — never whoever proposed it.
async fn readers(
    connection: &impl ConnectionTrait,
    township: OrganizationId,
    proposed_by: StaffId,
    today: chrono::NaiveDate,
) -> Result<Vec<StaffId>, Fault> {
    for role in [Role::TownshipLeader, Role::TownshipOffice] {
        let mut readers = holders(connection, township, &[role], today).await?;
        readers.retain(|reader| *reader != proposed_by);
        if !readers.is_empty() {
            return Ok(readers);
        }
    }
    Ok(Vec::new())
}

/// A second person releases a proposal, or it is rejected and whoever proposed it is told why. `meaning` says in Chinese what
/// messages of a kind are about.
///
/// # Errors
/// `own_template`, `template_decided`; a reason that is missing or too long.
pub async fn decide(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: MessageTemplateId,
    meaning: impl Fn(&str) -> String + Send + 'static,
    verdict: Verdict,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    let reason = match &verdict {
        Verdict::Release => None,
        Verdict::Reject { reason } => Some(checked(reason)?),
    };
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let template = Entity::find_by_id(id).lock_exclusive().one(unit.connection()).await?;
                let template = template.ok_or_else(Refusal::not_found)?;
                let subject = subject(template.county_id, template.township_id);
                may(&actor, Action::ReleaseMessageTemplate, &subject)?;
                let by = actor.staff().map(|staff| staff.id);
                let state = apply(template.state, template.proposed_by, by, &verdict)?;
                let mut former = None;
                if state == TemplateState::Released {
                    let of_kind = || {
                        Column::TownshipId
                            .eq(template.township_id)
                            .and(Column::Kind.eq(&template.kind))
                            .and(Column::State.eq(TemplateState::Released))
                    };
                    former = Entity::find().filter(of_kind()).one(unit.connection()).await?.and_then(|row| row.text);
                    Entity::update_many()
                        .col_expr(Column::State, Expr::value(TemplateState::Replaced))
                        .filter(of_kind())
                        .exec(unit.connection())
                        .await?;
                }
                Entity::update_many()
                    .col_expr(Column::State, Expr::value(state))
                    .col_expr(Column::DecidedBy, Expr::value(by.map(|staff| staff.0)))
                    .col_expr(Column::DecidedAt, Expr::value(unit.now()))
                    .col_expr(Column::Reason, Expr::value(reason.clone()))
                    .filter(Column::Id.eq(id))
                    .exec(unit.connection())
                    .await?;
                let (act, notices) = if state == TemplateState::Released {
                    ("message_template_released", Vec::new())
                } else {
                    let told = by != Some(template.proposed_by);
                    let notice = Notice::new(Recipient::Staff(template.proposed_by), "wording_rejected", id)
                        .township(template.township_id)
                        .facts(json!({"title": meaning(&template.kind), "reason": reason}));
                    ("message_template_rejected", told.then_some(notice).into_iter().collect::<Vec<_>>())
                };
                let audit = AuditEntry::new(act, id).changing(&former, &template.text);
                Ok(Done::new((), audit).telling(notices))
            })
        })
        .await
}

fn checked(reason: &str) -> Result<String, Refusal> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let sentence = format!("请写明理由，最多{LONGEST_REASON}个字。");
        return Err(Refusal::invalid(vec![FieldFault::new("/reason", sentence)]));
    }
    Ok(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    fn person(number: u128) -> StaffId {
        StaffId(Uuid::from_u128(number))
    }

    #[rstest]
    #[case(TemplateState::Proposed, 2, Verdict::Release, Ok(TemplateState::Released))]
    #[case(TemplateState::Proposed, 1, Verdict::Release, Err("own_template"))]
    #[case(TemplateState::Proposed, 1, reject(), Ok(TemplateState::Rejected))]
    #[case(TemplateState::Proposed, 2, reject(), Ok(TemplateState::Rejected))]
    #[case(TemplateState::Released, 2, Verdict::Release, Err("template_decided"))]
    #[case(TemplateState::Rejected, 2, Verdict::Release, Err("template_decided"))]
    #[case(TemplateState::Replaced, 2, reject(), Err("template_decided"))]
    fn a_second_person_releases_and_nothing_is_decided_twice(
        #[case] state: TemplateState,
        #[case] by: u128,
        #[case] verdict: Verdict,
        #[case] expected: Result<TemplateState, &str>,
    ) {
        let done = apply(state, person(1), Some(person(by)), &verdict).map_err(|refusal| refusal.code);
        assert_eq!(done, expected);
    }

    fn reject() -> Verdict {
        Verdict::Reject { reason: "太长".into() }
    }
}
