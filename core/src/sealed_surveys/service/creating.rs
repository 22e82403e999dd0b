use chrono::NaiveDate;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::super::{
    BallotBoxId, BoxState, FEWEST_LEVEL_FOR_PERSONS, LEVEL_OF_PAPER, Purpose, SealedSurveyRefusal,
    entity::{ballot_boxes, sealed_surveys},
    planning::{Topic, plan},
    questionnaires::Questionnaire,
    results::{self, Adoption},
};
use super::{electors::Roster, topics::Places};
use crate::{
    audit::AuditEntry,
    campaigns::{self, plan::About},
    ids::{CampaignId, CountyId, OrganizationId, SealedSurveyId},
    people::{
        OrganizationKind, RosterGroup,
        authorization::{Action, Subject, may},
        entity::organizations,
    },
    refusal::{Fault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// Days on which credentials are given out: enough for everybody to hear of it.
const FEWEST_DAYS: i64 = 1;
const MOST_DAYS: i64 = 30;
/// Slips beyond this are a typing mistake.
const MOST_SLIPS: u32 = 2000;

/// An anonymous survey to be planned.
#[derive(Clone, Debug)]
pub struct NewSealedSurvey {
    pub township: OrganizationId,
    pub title: String,
    pub questionnaire: Questionnaire,
    pub min_level: u8,
    pub topics: Vec<Topic>,
    pub classes: Vec<RosterGroup>,
    pub issue_from: NaiveDate,
    pub issue_until: NaiveDate,
    pub cast_until: NaiveDate,
    /// Slips for each box.
    pub paper: u32,
    /// Whether township and co-signer are one operator.
    pub single_operator: bool,
    /// The campaign and the key of the evaluation in its plan, when the plan asks for it: its weights, levels and ranking hold.
    pub asked_for_by: Option<(CampaignId, String)>,
}

/// Plans a survey and its boxes. Nothing binds yet and nobody is told.
///
/// # Errors
/// When the actor may not, a form is wrong, the level cannot be kept, or nobody is left who can be asked.
pub async fn create(
    store: &Store,
    command: &Command,
    county: CountyId,
    new: NewSealedSurvey,
) -> Result<Outcome<SealedSurveyId>, Fault> {
    let township = organizations::Entity::find_by_id(new.township)
        .one(store.reader())
        .await?
        .filter(|place| place.kind == OrganizationKind::Township && place.county_id == county)
        .ok_or_else(|| Refusal::new(RefusalKind::NotFound, "unknown_township", "没有这个乡镇。"))?;
    let subject = Subject {
        county: Some(county),
        township: Some(township.id),
        concerns_staff: new.topics.iter().filter_map(|topic| topic.staff).collect(),
        concerns_organizations: new.topics.iter().filter_map(|topic| topic.organization).collect(),
        ..Subject::default()
    };
    may(&command.actor, Action::ManageSealedSurvey, &subject)?;
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut new = new;
                if let Some((campaign, evaluation)) = &new.asked_for_by {
                    new.questionnaire =
                        of_plan(unit, township.id, *campaign, evaluation, &new.questionnaire.key).await?;
                }
                let places = Places::of(unit, &township).await?;
                places.tidy(&mut new.topics);
                check(&new, &places, unit.today())?;
                let electors = Roster::of(unit, &places).await?;
                let plan =
                    plan((township.id, &township.name), &new.topics, &new.classes, |topic| electors.about(topic));
                if plan.boxes.is_empty() {
                    return Err(Fault::refused(SealedSurveyRefusal::NobodyToAsk));
                }
                let id = SealedSurveyId::new(unit.randomness(), unit.now());
                sealed_surveys::Entity::insert(sealed_surveys::ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    township_id: Set(township.id),
                    title: Set(new.title.trim().to_owned()),
                    kind: Set(new.questionnaire.key.clone()),
                    purpose: Set(if new.questionnaire.purpose.is_public() {
                        Purpose::Public
                    } else {
                        Purpose::Organizational
                    }),
                    questions: Set(json!(new.questionnaire.ballot_questions())),
                    min_level: Set(new.min_level.into()),
                    issue_from: Set(new.issue_from),
                    issue_until: Set(new.issue_until),
                    cast_until: Set(new.cast_until),
                    paper: Set(i32::try_from(new.paper).map_err(Fault::unavailable)?),
                    not_held: Set(json!(plan.not_held)),
                    created_at: Set(unit.now()),
                })
                .exec_without_returning(unit.connection())
                .await?;
                for planned in plan.boxes {
                    let topic = &new.topics[planned.topic];
                    let parts = [
                        Some(new.title.trim()),
                        topic.evaluatee.as_deref(),
                        Some(&planned.unit_name),
                        Some(class_label(planned.class)),
                    ];
                    ballot_boxes::Entity::insert(ballot_boxes::ActiveModel {
                        sid: Set(BallotBoxId::random(unit.randomness())),
                        county_id: Set(county),
                        survey_id: Set(id),
                        township_id: Set(township.id),
                        unit_id: Set(planned.unit),
                        village_ids: Set(json!(planned.villages)),
                        unit_name: Set(planned.unit_name.clone()),
                        class: Set(planned.class),
                        title: Set(parts.into_iter().flatten().collect::<Vec<_>>().join("·")),
                        evaluatee: Set(topic.evaluatee.clone()),
                        evaluatee_staff_id: Set(topic.staff),
                        evaluatee_organization_id: Set(topic.organization),
                        eligible: Set(i32::try_from(planned.eligible).map_err(Fault::unavailable)?),
                        state: Set(BoxState::Draft),
                        trouble: Set(None),
                        single_operator: Set(new.single_operator),
                        manifest: Set(None),
                        key_a_sealed: Set(None),
                        key_d_sealed: Set(None),
                        batches: Set(0),
                        flushed_at: Set(None),
                        handed_over: Set(false),
                        slip_account: Set(None),
                        published_on: Set(None),
                    })
                    .exec_without_returning(unit.connection())
                    .await?;
                }
                let adoption =
                    Adoption { survey: id, questionnaire: new.questionnaire, asked_for_by: new.asked_for_by };
                results::adopt(unit, county, adoption).await?;
                Ok(Done::new(id, AuditEntry::new("sealed_survey_planned", id)))
            })
        })
        .await
}

/// The questionnaire in the terms of the campaign's plan.
async fn of_plan(
    unit: &UnitOfWork,
    township: OrganizationId,
    campaign: CampaignId,
    evaluation: &str,
    kind: &str,
) -> Result<Questionnaire, Fault> {
    let wrong = |field: &str, sentence: &str| Refusal::invalid(Vec::new()).with_field(field, sentence);
    let campaign = campaigns::queries::of_township(unit.connection(), township, campaign)
        .await?
        .ok_or_else(|| wrong("/campaign_id", "本镇没有这个专项行动。"))?;
    let asked = campaign.plan.evaluations.iter().find(|one| one.key == evaluation);
    let asked = asked.ok_or_else(|| wrong("/evaluation", "专项行动的方案里没有这次测评。"))?;
    let questionnaire = Questionnaire::of_plan(asked)
        .map_err(|_| wrong("/evaluation", "方案里这次测评的等次或权重不能用，请先改方案。"))?;
    if questionnaire.key != kind {
        return Err(wrong("/kind", "方案要求用另一份问卷。").into());
    }
    Ok(questionnaire)
}

/// What a class of electors is called.
#[must_use]
pub fn class_label(class: RosterGroup) -> &'static str {
    match class {
        RosterGroup::Resident => "村民",
        RosterGroup::PartyMember => "党员",
        RosterGroup::Representative => "村民代表",
        RosterGroup::Deputy => "人大代表",
    }
}

fn check(new: &NewSealedSurvey, places: &Places, today: NaiveDate) -> Result<(), Refusal> {
    let rates_persons = new.questionnaire.about == About::Cadre || new.topics.iter().any(|topic| topic.staff.is_some());
    if rates_persons && new.min_level < FEWEST_LEVEL_FOR_PERSONS {
        return Err(SealedSurveyRefusal::LevelTooLowForPersons.into());
    }
    if new.single_operator && new.min_level > 1 {
        return Err(SealedSurveyRefusal::NoCosigner.into());
    }
    let mut refusal = Refusal::invalid(Vec::new());
    let fits = |text: &str, most: usize| {
        let length = text.trim().chars().count();
        length > 0 && length <= most && !text.chars().any(char::is_control)
    };
    if !fits(&new.title, 40) {
        refusal = refusal.with_field("/title", "标题写1到40个字。");
    }
    if !(1..=4).contains(&new.min_level) {
        refusal = refusal.with_field("/min_level", "保护级别是1到4级。");
    }
    if new.topics.is_empty()
        || new.topics.len() > 50
        || new.topics.iter().filter_map(|topic| topic.evaluatee.as_deref()).any(|name| !fits(name, 40))
    {
        refusal = refusal.with_field("/topics", "被评议的对象要有1到50个，每个名称最多40个字。");
    }
    for (field, sentence) in places.wrong(new.questionnaire.about, &new.title, &new.topics) {
        refusal = refusal.with_field(&field, sentence);
    }
    let mut classes = new.classes.clone();
    classes.sort_unstable_by_key(|class| class_label(*class));
    classes.dedup();
    let asked: Vec<_> = new.questionnaire.groups().collect();
    if classes.is_empty() || classes.len() != new.classes.len() || !classes.iter().all(|class| asked.contains(class)) {
        refusal = refusal.with_field("/classes", "请从这份问卷的作答人里选择，不能重复。");
    }
    let days = (new.issue_until - new.issue_from).num_days() + 1;
    if new.issue_from < today || !(FEWEST_DAYS..=MOST_DAYS).contains(&days) {
        refusal = refusal.with_field("/issue_until", "领票的时间从今天或以后开始，有1到30天。");
    }
    let grace = (new.cast_until - new.issue_until).num_days();
    if !(1..=MOST_DAYS).contains(&grace) {
        refusal = refusal.with_field("/cast_until", "投票至少要比领票晚一天结束。");
    }
    if new.paper > MOST_SLIPS {
        refusal = refusal.with_field("/paper", "每个票箱的纸票最多2000张。");
    }
    if i32::from(new.min_level) >= LEVEL_OF_PAPER && new.paper == 0 {
        refusal = refusal.with_field("/paper", "4级保护只用纸票，请写明每个票箱的纸票张数。");
    }
    if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
}

/// The boxes of a survey in the order of their names.
///
/// # Errors
/// When the database does not answer.
pub(in crate::sealed_surveys) async fn boxes_of(
    connection: &impl ConnectionTrait,
    survey: SealedSurveyId,
) -> Result<Vec<ballot_boxes::Model>, Fault> {
    Ok(ballot_boxes::Entity::find()
        .filter(ballot_boxes::Column::SurveyId.eq(survey))
        .order_by_asc(ballot_boxes::Column::Sid)
        .all(connection)
        .await?)
}
