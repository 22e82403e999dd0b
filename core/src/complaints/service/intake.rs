use sea_orm::{ActiveValue::Set, EntityTrait};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::steps::{Entry, advance, clocks, context, hold, note};
use crate::{
    audit::AuditEntry,
    calendar::Calendar,
    complaints::{
        Act, Body, Category, Channel, ComplaintRefusal, ReceiptCode, State, Title,
        entity::{complaints, reporters},
    },
    deadlines::{self, DeadlineStatus, NewDeadline},
    evidence::{self, MediaKind, PlatformMedia},
    ids::{ComplaintId, CountyId, EntryId, FileId, OrganizationId, ResidentId},
    numbers,
    people::{
        Actor, CodeDigest, OrganizationKind, PaperCodes,
        authorization::{Action, Subject, may},
        concerns::{self, Concerns},
        entity::organizations,
    },
    refusal::{Fault, FieldFault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::SubjectRef,
};

/// What somebody wants to say.
#[derive(Clone, Debug)]
pub struct NewComplaint {
    pub title: Option<String>,
    pub body: String,
    /// Where, in words.
    pub place: String,
    pub category: Category,
    pub photos: Vec<FileId>,
    /// The unit or person it is about, if any: they are kept out of the handling.
    pub concerns: Concerns,
    /// The resident says that it accuses somebody of breaking rules: that takes the sealed way.
    pub is_accusation: bool,
}

/// A complaint that staff write down for somebody.
#[derive(Clone, Copy, Debug)]
pub struct OnBehalf {
    pub village: OrganizationId,
    pub channel: Channel,
}

/// What the resident gets back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    pub id: ComplaintId,
    pub number: String,
    /// For offline residents only: printed on the slip and kept nowhere.
    pub receipt_code: Option<String>,
}

/// Longest place, in characters.
pub const LONGEST_PLACE: usize = 100;
pub const MOST_PHOTOS: usize = 9;

struct Checked {
    title: String,
    body: String,
    place: String,
    category: Category,
    photos: Vec<FileId>,
    concerns: Concerns,
    /// What a platform holds for it.
    media: Vec<PlatformMedia>,
}

fn check(new: NewComplaint) -> Result<Checked, Refusal> {
    if new.is_accusation {
        return Err(ComplaintRefusal::BelongsToSealedReports.into());
    }
    let body = Body::parse("/body", &new.body)?;
    let title = Title::of(new.title.as_deref(), &body)?.into_string();
    if new.place.chars().count() > LONGEST_PLACE || new.place.chars().any(char::is_control) {
        return Err(Refusal::invalid(vec![FieldFault::new("/place", format!("地点最多{LONGEST_PLACE}个字。"))]));
    }
    if new.photos.len() > MOST_PHOTOS {
        return Err(too_many_photos());
    }
    if new.concerns.organizations.len() + new.concerns.staff.len() > 10 {
        return Err(Refusal::invalid(vec![FieldFault::new("/concerns", "最多写十个单位或个人。")]));
    }
    Ok(Checked {
        title,
        body: body.into_string(),
        place: new.place.trim().to_owned(),
        category: new.category,
        photos: new.photos,
        concerns: new.concerns,
        media: Vec::new(),
    })
}

fn too_many_photos() -> Refusal {
    Refusal::invalid(vec![FieldFault::new("/photos", format!("最多{MOST_PHOTOS}张照片。"))])
}

/// A resident files a complaint with his own phone.
///
/// # Errors
/// What is wrong with the input; an accusation is refused and nothing of it is kept.
pub async fn submit(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    new: NewComplaint,
) -> Result<Outcome<Filed>, Fault> {
    submit_through(store, calendar, command, Channel::MiniProgram, check(new)?).await
}

/// The same in the chat of the official account. What the resident sent there and the platform holds is written down with the
/// complaint, and fetched afterwards.
///
/// # Errors
/// As [`submit`].
pub async fn submit_in_chat(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    new: NewComplaint,
    media: Vec<PlatformMedia>,
) -> Result<Outcome<Filed>, Fault> {
    let photos = new.photos.len() + media.iter().filter(|one| one.kind == MediaKind::Photo).count();
    if photos > MOST_PHOTOS {
        return Err(too_many_photos().into());
    }
    submit_through(store, calendar, command, Channel::OfficialAccount, Checked { media, ..check(new)? }).await
}

async fn submit_through(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    channel: Channel,
    checked: Checked,
) -> Result<Outcome<Filed>, Fault> {
    may(&command.actor, Action::SubmitComplaint, &Subject::default())?;
    let resident = command.actor.resident().cloned().ok_or_else(Refusal::forbidden)?;
    let (actor, calendar) = (command.actor.clone(), calendar.clone());
    store
        .command(resident.county, command, move |unit| {
            Box::pin(async move {
                let place = Place { county: resident.county, township: resident.township, village: resident.village };
                let reporter = Reporter::Resident(resident.id);
                file(unit, &actor, &calendar, checked, place, channel, reporter).await
            })
        })
        .await
}

/// Staff write down what somebody told them and hand over the receipt (XF art. 19: oral matters are recorded truthfully).
///
/// # Errors
/// When the village is not one the actor registers for, or the input is wrong.
pub async fn register_on_behalf(
    store: &Store,
    calendar: &Calendar,
    codes: &PaperCodes,
    command: &Command,
    new: NewComplaint,
    how: OnBehalf,
) -> Result<Outcome<Filed>, Fault> {
    let unknown = || Refusal::invalid(vec![FieldFault::new("/village_id", "没有这个村。")]);
    let village = organizations::Entity::find_by_id(how.village)
        .one(store.reader())
        .await?
        .filter(|place| place.kind == OrganizationKind::Village)
        .ok_or_else(unknown)?;
    let township = village.parent_id.ok_or_else(unknown)?;
    let subject = Subject {
        county: Some(village.county_id),
        township: Some(township),
        village: Some(village.id),
        ..Subject::default()
    };
    may(&command.actor, Action::RegisterComplaintOnBehalf, &subject)?;
    let place = Place { county: village.county_id, township, village: village.id };
    let (actor, calendar, codes, checked) = (command.actor.clone(), calendar.clone(), codes.clone(), check(new)?);
    store
        .command(place.county, command, move |unit| {
            Box::pin(async move {
                let code = ReceiptCode::generate(unit.randomness());
                file(unit, &actor, &calendar, checked, place, how.channel, Reporter::Receipt(code.digest(&codes), code))
                    .await
            })
        })
        .await
}

#[derive(Clone, Copy)]
struct Place {
    county: CountyId,
    township: OrganizationId,
    village: OrganizationId,
}

enum Reporter {
    Resident(ResidentId),
    Receipt(CodeDigest, ReceiptCode),
}

async fn file(
    unit: &UnitOfWork,
    actor: &Actor,
    calendar: &Calendar,
    checked: Checked,
    place: Place,
    channel: Channel,
    reporter: Reporter,
) -> Result<Done<Filed>, Fault> {
    let id = ComplaintId::new(unit.randomness(), unit.now());
    let complaint = complaints::Model {
        id,
        county_id: place.county,
        township_id: place.township,
        village_id: place.village,
        number: numbers::fresh("SQ", unit),
        channel,
        kind: None,
        category: checked.category,
        title: checked.title,
        body: checked.body,
        place: checked.place,
        state: State::Registered,
        round: 1,
        returns: 0,
        lead_unit_id: None,
        handler_id: None,
        first_unit_id: None,
        merged_into_id: None,
        closed_in_silence: false,
        answered_at: None,
        registered_at: unit.now(),
        changed_at: unit.now(),
    };
    complaints::Entity::insert(complaints::ActiveModel::from(complaint.clone()))
        .exec_without_returning(unit.connection())
        .await?;
    let (resident_id, receipt_digest, receipt_code) = match reporter {
        Reporter::Resident(id) => (Some(id), None, None),
        Reporter::Receipt(digest, code) => (None, Some(digest.into_bytes()), Some(code.printed())),
    };
    reporters::Entity::insert(reporters::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(place.county),
        complaint_id: Set(id),
        origin_id: Set(id),
        resident_id: Set(resident_id),
        receipt_digest: Set(receipt_digest),
    })
    .exec_without_returning(unit.connection())
    .await?;
    concerns::record(unit, place.county, id.into(), &checked.concerns).await?;
    evidence::attach(unit, actor, place.county, id.into(), evidence::Purpose::Complaint, &checked.photos).await?;
    if let Some(resident) = resident_id {
        evidence::expect(unit, place.county, id, resident, &checked.media).await?;
    }
    note(unit, actor, &complaint, Entry::shown("registered", "已登记"));
    open_acceptance(unit, calendar, &complaint).await?;
    let filed = Filed { id, number: complaint.number, receipt_code };
    Ok(Done::new(filed, AuditEntry::new("complaint_registered", id)))
}

async fn open_acceptance(unit: &UnitOfWork, calendar: &Calendar, complaint: &complaints::Model) -> Result<(), Fault> {
    let limit = clocks(unit, complaint).await?.rules().acceptance;
    let worked_out = calendar.due_date(unit.today(), limit);
    deadlines::open(
        unit,
        NewDeadline {
            county: complaint.county_id,
            township: Some(complaint.township_id),
            subject: complaint.id.into(),
            title: complaint.title.clone(),
            kind: "acceptance",
            round: complaint.round,
            start_on: unit.today(),
            limit: json!(limit),
            due_on: worked_out.due_on,
            explanation: worked_out.explanation,
            responsible_staff: None,
            responsible_unit: Some(complaint.township_id),
        },
    )
    .await?;
    Ok(())
}

/// The resident takes it back, as long as nobody works on it.
///
/// # Errors
/// When it is not his, or somebody works on it already.
pub async fn withdraw(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::WithdrawComplaint, id).await?;
                let context = context(unit, &held.complaint).await?;
                advance(unit, &mut held.complaint, Act::Withdraw, &context).await?;
                note(unit, &actor, &held.complaint, Entry::shown("withdrawn", "本人撤回"));
                deadlines::end(unit, SubjectRef::from(id), None, DeadlineStatus::Cancelled).await?;
                Ok(Done::new((), AuditEntry::new("complaint_withdrawn", id)))
            })
        })
        .await
}
