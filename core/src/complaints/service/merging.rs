use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::steps::{Entry, advance, context, hold, note, tell_reporters};
use crate::{
    audit::AuditEntry,
    complaints::{
        Act, ComplaintRefusal, State,
        entity::{complaints, reporters},
        queries::subject_of,
    },
    deadlines::{self, DeadlineStatus},
    ids::{ComplaintId, CountyId},
    people::{
        authorization::{Action, may},
        concerns::{self, Concerns},
    },
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store},
};

/// The same matter was brought up before: this one joins the earlier one. Its reporters follow and rate that one, each
/// for himself (lessons D3.8).
///
/// # Errors
/// When the other one is not open in the same township.
pub async fn merge(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    into: ComplaintId,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                // Permission before anything else; the locks are taken below, the earlier complaint's first.
                let asked = complaints::Entity::find_by_id(id).one(unit.connection()).await?;
                let asked = asked.ok_or_else(Refusal::not_found)?;
                may(&actor, Action::MergeComplaints, &subject_of(unit.connection(), &asked).await?)?;
                if into >= id {
                    // Earlier ones have smaller ids; also keeps two merges from locking each other out.
                    return Err(Fault::refused(ComplaintRefusal::CannotMerge));
                }
                let main = hold(unit, &actor, Action::MergeComplaints, into).await?;
                let mut held = hold(unit, &actor, Action::MergeComplaints, id).await?;
                let fits = main.complaint.township_id == held.complaint.township_id
                    && main.complaint.state.is_open()
                    && main.complaint.state != State::Merged;
                if !fits {
                    return Err(Fault::refused(ComplaintRefusal::CannotMerge));
                }
                // Whom the joining one is about must not end up working on both.
                let about = &held.subject;
                let works_on_it =
                    main.complaint.lead_unit_id.is_some_and(|unit| about.concerns_organizations.contains(&unit))
                        || main.complaint.handler_id.is_some_and(|person| about.concerns_staff.contains(&person));
                if works_on_it {
                    return Err(Fault::refused(ComplaintRefusal::Recused));
                }
                let new_concerns = Concerns {
                    organizations: missing(&about.concerns_organizations, &main.subject.concerns_organizations),
                    staff: missing(&about.concerns_staff, &main.subject.concerns_staff),
                };
                concerns::record(unit, county, into.into(), &new_concerns).await?;
                let context = context(unit, &held.complaint).await?;
                held.complaint.merged_into_id = Some(into);
                advance(unit, &mut held.complaint, Act::Merge, &context).await?;
                reporters::Entity::update_many()
                    .col_expr(reporters::Column::ComplaintId, Expr::value(into))
                    .filter(reporters::Column::ComplaintId.eq(id))
                    .exec(unit.connection())
                    .await?;
                deadlines::end(unit, id.into(), None, DeadlineStatus::Cancelled).await?;
                note(unit, &actor, &held.complaint, Entry::shown("merged", &main.complaint.number));
                note(unit, &actor, &main.complaint, Entry::internal("joined", &held.complaint.number));
                let facts = json!({
                    "number": held.complaint.number, "title": held.complaint.title, "into": main.complaint.number,
                });
                let notices = tell_reporters(&held, "complaint_merged", &facts);
                Ok(Done::new((), AuditEntry::new("complaint_merged", id)).telling(notices))
            })
        })
        .await
}

fn missing<T: Copy + PartialEq>(of: &[T], known: &[T]) -> Vec<T> {
    of.iter().filter(|item| !known.contains(item)).copied().collect()
}
