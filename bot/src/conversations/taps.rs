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
    sealing::Sealer,
    storage::{Command, Store},
};
use serde_json::json;

use super::{
    Key, Push, Task, answers,
    open_questions::{OpenQuestions, Question, Wanted},
};
use crate::messages::shorten;

/// On a card whose matter has moved on.
const OVER: &str = "已办理";
/// On a card that shows a date which is another one by now.
const MOVED: &str = "期限已调整";
/// Of what a question is about, in characters.
const SHOWN_TITLE: usize = 16;

/// What a tap is worked on with.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) store: &'a Store,
    pub(super) cache: &'a dyn Cache,
    pub(super) sealer: &'a Sealer,
}

/// Takes a tap. Whoever may not do what the button does has tapped in vain, and so has who taps twice.
///
/// # Errors
/// When the database or the cache does not answer.
pub(super) async fn take(desk: Desk<'_>, push: &Push) -> Result<(), Fault> {
    let store = desk.store;
    let (Some(task), Some(key)) = (Task::parse(&push.task_id), Key::parse(&push.event_key)) else { return Ok(()) };
    let today = shanghai_date(store.clock().now());
    for member in phones::members(store.reader(), &push.from).await? {
        let Some(staff) = people::load_staff(store, StaffId(member.id), today).await? else { continue };
        match act(desk, member.county, &staff, (task, key), push).await {
            Ok(Tapped::Done) => say(store, member.county, &push.from, &push.response_code, key.done()).await?,
            // Somebody was faster, or this very tap has been here: there is nothing to tap any more.
            Err(Fault::Refused(refusal)) if refusal.kind == RefusalKind::Conflict => {
                let words = if refusal.code == acknowledgements::DEADLINE_MOVED { MOVED } else { OVER };
                say(store, member.county, &push.from, &push.response_code, words).await?;
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
    desk: Desk<'_>,
    county: CountyId,
    staff: &Staff,
    (task, key): (Task, Key),
    push: &Push,
) -> Result<Tapped, Fault> {
    let store = desk.store;
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
            acknowledgements::known(store, &command, county, id, Task::date_shown(&push.task_id)).await?;
        }
        (Task::Deadline(_), Key::MoreTime) => {
            return ask(desk, county, staff, (task, Wanted::MoreTime), push).await;
        }
        (Task::Deadline(_) | Task::Complaint(_), Key::NotMine) => {
            return ask(desk, county, staff, (task, Wanted::NotMine), push).await;
        }
        _ => return Ok(Tapped::Nothing),
    }
    Ok(Tapped::Done)
}

/// A tap gives no reason: it is asked for, and what the person writes next is taken for it, or, with several cards open, for the
/// one that is named. Who taps again while it is asked is not asked twice; who taps again after giving it up is asked anew.
async fn ask(
    desk: Desk<'_>,
    county: CountyId,
    staff: &Staff,
    (task, wanted): (Task, Wanted),
    push: &Push,
) -> Result<Tapped, Fault> {
    let actor = Actor::Staff(staff.clone());
    let Some(matter) = answers::matter(desk.store, &actor, task).await? else { return Ok(Tapped::Nothing) };
    let question = Question {
        wanted,
        task,
        title: shorten(&matter.title, SHOWN_TITLE),
        response_code: push.response_code.clone(),
        tap: push.created_at.clone(),
        asked_at: desk.store.clock().now(),
    };
    let mut notice = Notice::new(Recipient::Staff(staff.id), "answer_wanted", matter.subject)
        // Another tap is another question; the same one, worked off again, is not.
        .step(format!("{}:{}:{}", push.event_key, push.task_id, push.created_at))
        .facts(json!({"title": matter.title, "wanted": wanted.as_str()}));
    notice.township = matter.township;
    let questions = OpenQuestions::of(desk.store, desk.cache, desk.sealer, &push.from);
    let turn = questions.turn().await?;
    let asked = ask_once(desk.store, &questions, county, question, notice).await;
    turn.give_back().await?;
    asked.map(|()| Tapped::Asked)
}

async fn ask_once(
    store: &Store,
    questions: &OpenQuestions<'_>,
    county: CountyId,
    question: Question,
    notice: Notice,
) -> Result<(), Fault> {
    let open = questions.open().await?;
    let before = open.iter().find(|other| other.is_same(&question));
    // First what waits, then the card that asks: with a crash in between the tap is taken again.
    questions.add(question.clone()).await?;
    if before.is_some_and(|before| before.tap != question.tap) {
        return Ok(());
    }
    let new = store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, vec![notice]))).await?;
    if new == 0 && before.is_none() {
        // This very tap was asked about and answered before.
        questions.close(&question).await?;
    }
    Ok(())
}
