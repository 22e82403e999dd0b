//! Taps on the buttons of cards at WeCom.

use qingfeng_core::{
    acknowledgements,
    cache::Cache,
    calendar::CalendarBook,
    clock::shanghai_date,
    complaints::service as complaints,
    groups::prepared,
    ids::{CountyId, StaffId},
    outbox::{self, Notice, Recipient, card_updates},
    people::{self, Actor, Staff, phones},
    refusal::{Fault, RefusalKind},
    storage::{Command, Store},
};
use serde_json::json;

use super::{
    Key, Push, Task,
    answers::{self, Question, Wanted},
};

/// On a card whose matter has moved on.
const OVER: &str = "已办理";

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
            Ok(Tapped::Done) => say(store, member.county, &push.from, &push.response_code, key.done()).await?,
            // Somebody was faster, or this very tap has been here: there is nothing to tap any more.
            Err(Fault::Refused(refusal)) if refusal.kind == RefusalKind::Conflict => {
                say(store, member.county, &push.from, &push.response_code, OVER).await?;
            }
            Ok(Tapped::Asked | Tapped::Nothing) | Err(Fault::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// Lets the card say what was done on it. With a crash in between the tap is taken again, and says it then.
pub(super) async fn say(
    store: &Store,
    county: CountyId,
    user_id: &str,
    response_code: &str,
    words: &'static str,
) -> Result<(), Fault> {
    if response_code.is_empty() {
        return Ok(());
    }
    let (user_id, code) = (user_id.to_owned(), response_code.to_owned());
    store
        .housekeeping(move |unit| {
            Box::pin(async move { card_updates::enqueue(unit, county, user_id, code, words).await })
        })
        .await
}

/// What came of a tap.
enum Tapped {
    Done,
    /// A reason was asked for.
    Asked,
    Nothing,
}

async fn act(
    store: &Store,
    cache: &dyn Cache,
    county: CountyId,
    staff: &Staff,
    task: Task,
    key: Key,
    push: &Push,
) -> Result<Tapped, Fault> {
    let command = Command::by(&Actor::Staff(staff.clone()));
    match (task, key) {
        (Task::Post(post), Key::Posted) => {
            prepared::confirm(store, &command, county, post).await?;
        }
        (Task::Complaint(id), Key::TakeOn) => {
            let calendar = CalendarBook::new(store.clone()).of(county).await?;
            complaints::accept(store, &calendar, &command, county, id).await?;
        }
        (Task::Deadline(id), Key::Known) => {
            acknowledgements::known(store, &command, county, id).await?;
        }
        (Task::Deadline(_), Key::MoreTime) => {
            return ask(store, cache, county, staff, Wanted::MoreTime, task, push).await;
        }
        (Task::Deadline(_) | Task::Complaint(_), Key::NotMine) => {
            return ask(store, cache, county, staff, Wanted::NotMine, task, push).await;
        }
        _ => return Ok(Tapped::Nothing),
    }
    Ok(Tapped::Done)
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
) -> Result<Tapped, Fault> {
    let actor = Actor::Staff(staff.clone());
    let Some(matter) = answers::matter(store, &actor, task).await? else { return Ok(Tapped::Nothing) };
    let question = Question { wanted, task, response_code: push.response_code.clone() };
    answers::expect(cache, &push.from, &question).await?;
    let mut notice = Notice::new(Recipient::Staff(staff.id), "answer_wanted", matter.subject)
        .step(format!("{}:{}", push.event_key, push.task_id))
        .facts(json!({"title": matter.title, "wanted": wanted.as_str()}));
    notice.township = matter.township;
    store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await?;
    Ok(Tapped::Asked)
}
