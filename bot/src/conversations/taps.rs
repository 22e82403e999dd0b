//! Taps on the buttons of cards at WeCom.

use qingfeng_core::{
    acknowledgements,
    cache::Cache,
    calendar::CalendarBook,
    clock::shanghai_date,
    complaints::service as complaints,
    groups::prepared,
    ids::{CountyId, StaffId},
    outbox::{self, Notice, Recipient},
    people::{self, Actor, Staff, phones},
    refusal::Fault,
    storage::{Command, Store},
};
use serde_json::json;

use super::{
    Key, Push, Task,
    answers::{self, Wanted},
};

/// Takes a tap. Whoever may not do what the button does has tapped in vain, and so has who taps twice.
///
/// # Errors
/// When the database or the cache does not answer.
pub(super) async fn take(store: &Store, cache: &dyn Cache, push: &Push) -> Result<(), Fault> {
    let (Some(task), Some(key)) = (Task::parse(&push.task_id), Key::parse(&push.event_key)) else { return Ok(()) };
    let today = shanghai_date(store.clock().now());
    for member in phones::members(store.reader(), &push.from).await? {
        let Some(staff) = people::load_staff(store, StaffId(member.id), today).await? else { continue };
        match act(store, cache, member.county, &staff, task, key, push).await {
            Ok(()) | Err(Fault::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

async fn act(
    store: &Store,
    cache: &dyn Cache,
    county: CountyId,
    staff: &Staff,
    task: Task,
    key: Key,
    push: &Push,
) -> Result<(), Fault> {
    let command = Command::by(&Actor::Staff(staff.clone()));
    match (task, key) {
        (Task::Post(post), Key::Posted) => prepared::confirm(store, &command, county, post).await.map(|_| ()),
        (Task::Complaint(id), Key::TakeOn) => {
            let calendar = CalendarBook::new(store.clone()).of(county).await?;
            complaints::accept(store, &calendar, &command, county, id).await.map(|_| ())
        }
        (Task::Deadline(id), Key::Known) => acknowledgements::known(store, &command, county, id).await.map(|_| ()),
        (Task::Deadline(_), Key::MoreTime) => ask(store, cache, county, staff, Wanted::MoreTime, task, push).await,
        (Task::Deadline(_) | Task::Complaint(_), Key::NotMine) => {
            ask(store, cache, county, staff, Wanted::NotMine, task, push).await
        }
        _ => Ok(()),
    }
}

/// A tap gives no reason: it is asked for, and the next thing that the person writes is taken for it.
async fn ask(
    store: &Store,
    cache: &dyn Cache,
    county: CountyId,
    staff: &Staff,
    wanted: Wanted,
    task: Task,
    push: &Push,
) -> Result<(), Fault> {
    let Some(matter) = answers::matter(store, &Actor::Staff(staff.clone()), task).await? else { return Ok(()) };
    answers::expect(cache, &push.from, wanted, task).await?;
    let mut notice = Notice::new(Recipient::Staff(staff.id), "answer_wanted", matter.subject)
        .step(format!("{}:{}", push.event_key, push.task_id))
        .facts(json!({"title": matter.title, "wanted": wanted.as_str()}));
    notice.township = matter.township;
    store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await?;
    Ok(())
}
