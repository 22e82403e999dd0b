//! What was written becomes a complaint, or what was sent is added to one. Whatever died in between, it happens once.

use std::time::Duration;

use qingfeng_core::{
    calendar::CalendarBook,
    complaints::{
        Category,
        service::{self, NewComplaint},
    },
    ids::ComplaintId,
    outbox::opt_outs,
    people::{Actor, Resident, concerns::Concerns},
    refusal::{Fault, Refusal},
    storage::{Command, IdempotencyKey},
};

use super::{
    Writer,
    draft::{Draft, forget},
    led_elsewhere, refused,
    words::asked,
};
use crate::conversations::Conversations;

/// Complaints of one person in a day.
const MOST_A_DAY: u32 = 30;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Files it by the service that the app calls, too. A repetition, whatever died in between, gets the same number.
pub(super) async fn submit(conversations: &Conversations, writer: &Writer<'_>, draft: Draft) -> Result<String, Fault> {
    // What was harmless when it was told need not be so now: somebody took office, a survey opened.
    if let Some(said) = led_elsewhere(conversations, writer, &draft).await? {
        return Ok(said);
    }
    let resident = writer.resident;
    if is_one_too_many(conversations, resident, "filed", &draft).await? {
        return Ok(format!("您今天已经反映了{MOST_A_DAY}件，请明天再提交，草稿留半小时。急事请打村里或镇里的电话。"));
    }
    let actor = Actor::Resident(resident.clone());
    let key = once(resident, "submit_in_chat", &draft)?;
    let new = NewComplaint {
        title: None,
        body: draft.body.clone(),
        place: draft.place.clone(),
        category: Category::Other,
        photos: Vec::new(),
        concerns: Concerns::default(),
        is_accusation: false,
    };
    let calendar = CalendarBook::new(conversations.store.clone()).of(resident.county).await?;
    let command = Command::once(&actor, Some(key));
    let media = draft.media.clone();
    let filed = match service::submit_in_chat(&conversations.store, &calendar, &command, new, media).await {
        Ok(filed) => filed.value,
        Err(Fault::Refused(refusal)) if refusal.code == "idempotency_key_reused" => {
            forget(conversations, writer.open_id).await?;
            return Ok("这件事已经登记过了，发“进度”看编号和进展。".into());
        }
        Err(Fault::Refused(refusal)) => return Ok(refused(&refusal, &draft)),
        Err(fault) => return Err(fault),
    };
    forget(conversations, writer.open_id).await?;
    let media = if draft.media.is_empty() { "" } else { "照片、语音正在转存，取不到会告诉您。\n" };
    let silent = if opt_outs::has_opted_out(&conversations.store, resident.id).await? {
        "您退订了通知，有进展不会主动告诉您，发“进度”自己查。"
    } else {
        "有进展会告诉您，发“进度”也能查。"
    };
    Ok(format!("已登记，编号{}。\n{media}{silent}办完请您评价，不满意就重办。\n这段聊天可以删掉。", filed.number))
}

/// Adds what was sent to a complaint that is filed already.
pub(super) async fn supplement(
    conversations: &Conversations,
    writer: &Writer<'_>,
    draft: Draft,
    complaint: ComplaintId,
) -> Result<String, Fault> {
    if draft.media.is_empty() {
        return Ok(format!("还没有照片或语音可补。{}", asked(&draft)));
    }
    if let Some(said) = led_elsewhere(conversations, writer, &draft).await? {
        return Ok(said);
    }
    let resident = writer.resident;
    if is_one_too_many(conversations, resident, "supplemented", &draft).await? {
        return Ok("您今天补得太多了，请明天再发，或直接交给办理的人。".into());
    }
    let actor = Actor::Resident(resident.clone());
    let key = once(resident, "supplement_in_chat", &draft)?;
    let command = Command::once(&actor, Some(key));
    let county = resident.county;
    match service::supplement(&conversations.store, &command, county, complaint, draft.media.clone()).await {
        Ok(number) => {
            forget(conversations, writer.open_id).await?;
            Ok(format!("补到{}了，正在转存，取不到会告诉您。", number.value))
        }
        Err(Fault::Refused(refusal)) => Ok(refused(&refusal, &draft)),
        Err(fault) => Err(fault),
    }
}

/// Whether the day's number of such acts is reached. A draft counts once, however often it is tried. What is counted leads to
/// nobody: times at which somebody filed stand beside the complaints, too.
async fn is_one_too_many(
    conversations: &Conversations,
    resident: &Resident,
    act: &str,
    draft: &Draft,
) -> Result<bool, Fault> {
    let (cache, sealer, who) = (&conversations.cache, &conversations.sealer, resident.id.to_string());
    let (slot, counted) = (sealer.pseudonym(act, &who), sealer.pseudonym("counted", &format!("{act}:{}", draft.name)));
    if !cache.set_if_absent(&counted, b"1", DAY).await? {
        return Ok(false);
    }
    let is_full = cache.take_slot(&slot, MOST_A_DAY, DAY).await?.is_some();
    if is_full {
        cache.remove(&counted).await?;
    }
    Ok(is_full)
}

/// By which a repetition of the same draft is known.
fn once(resident: &Resident, operation: &str, draft: &Draft) -> Result<IdempotencyKey, Refusal> {
    IdempotencyKey::parse(&format!("resident:{}", resident.id), operation, &draft.name, &draft.content())
}
