//! A plan in the database: loading, what falls due, handing in — alike on both engines.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use qingfeng_core::{
    calendar::{Calendar, CalendarBook, YearNotice, import_year},
    campaigns::{
        self, DutyState, HandedIn, HandedInItem, Ladder, LoadOutcome, SHIPPED_PLANS, complete_duty,
        entity::{campaigns as campaign_rows, duties},
        load_plan, open_case, open_coming_duties, queries,
    },
    clock::Clock,
    complaints::ClockRules,
    deadlines::{
        DeadlineStatus,
        entity::{changes, deadlines},
    },
    ids::{CountyId, DutyId, OrganizationId, StaffId},
    people::{
        self, Actor, OrganizationKind, Role,
        entity::posts,
        roster::{self, NewOrganization, NewPost, NewStaff},
    },
    refusal::Fault,
    sealing::Sealer,
    storage::{Command, Engine, IdempotencyKey},
};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, sea_query::Expr};
use uuid::Uuid;

use crate::engines::{Fixture, store};

/// A township with three villages, their secretaries and an office.
struct Township {
    fixture: Fixture,
    county: CountyId,
    id: OrganizationId,
    villages: Vec<OrganizationId>,
    secretaries: Vec<StaffId>,
    office: StaffId,
    leader: StaffId,
}

impl Township {
    /// Stands on 2 March 2026, a Monday.
    async fn found(engine: Engine) -> Self {
        let fixture = store(engine).await;
        let county = CountyId(Uuid::now_v7());
        let founded = fixture
            .store
            .housekeeping(move |unit| {
                Box::pin(async move {
                    let organization = async |parent, kind, name: &str| {
                        let code = format!("{name}-{}", Uuid::new_v4());
                        let new = NewOrganization { parent, kind, name: name.to_owned(), code };
                        roster::add_organization(unit, county, new).await
                    };
                    let staff = async |place, role, title: &str| {
                        let new = NewStaff {
                            name: "试验".into(),
                            login: Uuid::new_v4().to_string(),
                            password_hash: "none".into(),
                            totp_secret: vec![7; 20],
                            open_id: None,
                        };
                        let staff = roster::add_staff(unit, county, &Sealer::new(&[7; 32]), new).await?;
                        let from = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
                        let post = NewPost { staff, organization: place, role, title: title.into(), from, to: None };
                        roster::add_post(unit, county, post).await?;
                        Ok::<_, Fault>(staff)
                    };
                    let above = organization(None, OrganizationKind::County, "清和县").await?;
                    let id = organization(Some(above), OrganizationKind::Township, "云溪镇").await?;
                    organization(Some(id), OrganizationKind::Department, "云溪镇财政所").await?;
                    let station = organization(Some(id), OrganizationKind::Department, "云溪镇农经站").await?;
                    staff(station, Role::DepartmentHandler, "站长").await?;
                    let office = staff(id, Role::TownshipOffice, "镇专项行动办主任").await?;
                    let leader = staff(id, Role::TownshipLeader, "镇党委副书记").await?;
                    let (mut villages, mut secretaries) = (Vec::new(), Vec::new());
                    for name in ["东河村", "西坡村", "南塘村"] {
                        let village = organization(Some(id), OrganizationKind::Village, name).await?;
                        secretaries.push(staff(village, Role::VillageSecretary, "村党支部书记").await?);
                        villages.push(village);
                    }
                    Ok((id, villages, secretaries, office, leader))
                })
            })
            .await
            .unwrap();
        let (id, villages, secretaries, office, leader) = founded;
        Self { fixture, county, id, villages, secretaries, office, leader }
    }

    fn system(&self) -> Actor {
        Actor::System { county: self.county }
    }

    async fn actor(&self, staff: StaffId) -> Actor {
        let today = qingfeng_core::clock::shanghai_date(self.fixture.clock.now());
        Actor::Staff(people::load_staff(&self.fixture.store, staff, today).await.unwrap().unwrap())
    }

    async fn load(&self, source: &str) -> LoadOutcome {
        let plan = campaigns::read(source).unwrap_or_else(|faults| panic!("{faults:#?}"));
        self.load_read(plan.moved_to_year(2026), source).await
    }

    async fn load_read(&self, plan: campaigns::Plan, source: &str) -> LoadOutcome {
        let command = Command::by(&self.system());
        let calendar = Calendar::shipped();
        load_plan(&self.fixture.store, &calendar, &command, self.id, plan, source.into()).await.unwrap().value
    }

    async fn duties(&self) -> Vec<duties::Model> {
        duties::Entity::find().order_by_asc(duties::Column::Id).all(self.fixture.store.reader()).await.unwrap()
    }

    async fn deadlines(&self) -> BTreeMap<Uuid, deadlines::Model> {
        let rows = deadlines::Entity::find().all(self.fixture.store.reader()).await.unwrap();
        rows.into_iter().map(|row| (row.subject_id, row)).collect()
    }

    /// The village's duty of this key that was opened first.
    async fn duty(&self, key: &str, village: usize) -> duties::Model {
        let duties = self.duties().await;
        duties.into_iter().find(|duty| duty.duty_key == key && duty.unit_id == self.villages[village]).unwrap()
    }

    async fn state(&self, id: DutyId) -> (DutyState, DeadlineStatus) {
        let duty = duties::Entity::find_by_id(id).one(self.fixture.store.reader()).await.unwrap().unwrap();
        (duty.state, self.deadlines().await[&id.0].status)
    }
}

const PLAN_A: &str = SHIPPED_PLANS[0].text;

fn visits(number: u32) -> HandedIn {
    HandedIn {
        items: vec![
            HandedInItem { label: "走访户数".into(), text: None, figure: Some(number), files: vec![] },
            HandedInItem {
                label: "走访情况和群众诉求".into(),
                text: Some("走访十二户，两户反映路灯不亮".into()),
                figure: None,
                files: vec![],
            },
        ],
    }
}

#[rstest]
#[tokio::test]
async fn loading_a_plan_opens_what_falls_due_within_45_days(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let township = Township::found(engine).await;
    let outcome = township.load(PLAN_A).await;
    assert_eq!(outcome.version, 1);
    let mut found = BTreeMap::new();
    for duty in township.duties().await {
        *found.entry(duty.duty_key.clone()).or_insert(0) += 1;
    }
    let expected = [
        ("backpack_inspection", 2),
        ("cadre_case_ledger", 1),
        ("disclosure", 6),
        ("evaluation:cadre_evaluation", 1),
        ("evaluation:satisfaction_survey", 1),
        ("finance_check", 1),
        ("funnel_exchange", 3),
        ("home_visits", 3),
        ("list:problem_list_cadre", 3),
        ("list:problem_list_village", 3),
        ("phase:study:1", 1),
        ("phase:study:2", 1),
        ("phase:study:3", 1),
        ("study_demands", 2),
    ];
    assert_eq!(found, expected.map(|(key, count)| (key.to_owned(), count)).into());
    assert_eq!(outcome.opened, 29);

    let visit = township.duty("home_visits", 1).await;
    assert_eq!(visit.title, "定期入户走访（四个必访）（2026年3月）");
    assert_eq!(visit.staff_id, Some(township.secretaries[1]));
    let deadline = &township.deadlines().await[&visit.id.0];
    assert_eq!(deadline.due_on, NaiveDate::from_ymd_opt(2026, 3, 20));
    assert_eq!(deadline.responsible_staff_id, Some(township.secretaries[1]));
    assert_eq!(deadline.explanation, "固定在2026年3月20日");
}

#[rstest]
#[tokio::test]
async fn offices_that_nobody_holds_are_named(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let township = Township::found(engine).await;
    let outcome = township.load(PLAN_A).await;
    let vacant: Vec<String> =
        outcome.vacancies.iter().map(|vacancy| format!("{}@{}", vacancy.office, vacancy.unit)).collect();
    let expected = ["镇纪委@云溪镇", "村干部@东河村", "村干部@西坡村", "村干部@南塘村"].map(str::to_owned).to_vec();
    assert_eq!(vacant, expected);
}

#[rstest]
#[tokio::test]
async fn loading_the_same_file_again_changes_nothing_and_a_new_one_cancels_what_it_drops(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let township = Township::found(engine).await;
    let first = township.load(PLAN_A).await;
    let before = township.duties().await;
    let again = township.load(PLAN_A).await;
    assert_eq!((again.campaign, again.version, again.opened), (first.campaign, 1, 0));
    assert_eq!(township.duties().await, before);

    let mut plan = campaigns::read(PLAN_A).unwrap().moved_to_year(2026);
    plan.duties.retain(|duty| duty.key != "home_visits");
    let changed = township.load_read(plan, "# changed").await;
    assert_eq!((changed.campaign, changed.version, changed.opened), (first.campaign, 2, 0));
    let dropped = township.duty("home_visits", 0).await;
    assert_eq!(township.state(dropped.id).await, (DutyState::Cancelled, DeadlineStatus::Cancelled));
    let kept = township.duty("disclosure", 0).await;
    assert_eq!(township.state(kept.id).await, (DutyState::Open, DeadlineStatus::Open));
    let campaigns = campaign_rows::Entity::find().count(township.fixture.store.reader()).await.unwrap();
    assert_eq!(campaigns, 1);
}

#[rstest]
#[tokio::test]
async fn a_year_of_duties_is_opened_once_whether_daily_or_after_outages(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(1, 100)] step: i64,
) {
    let township = Township::found(engine).await;
    township.load(PLAN_A).await;
    let calendar = Calendar::shipped();
    let mut day = 0;
    while day < 320 {
        township.fixture.clock.advance(chrono::TimeDelta::days(step));
        day += step;
        open_coming_duties(&township.fixture.store, &calendar, township.county).await.unwrap();
        // A second bot, or a repetition after a crash.
        assert_eq!(open_coming_duties(&township.fixture.store, &calendar, township.county).await.unwrap(), 0);
    }
    let mut found = BTreeMap::new();
    for duty in township.duties().await {
        *found.entry(duty.duty_key.clone()).or_insert(0) += 1;
    }
    let expected = [
        ("annual_debriefing", 3),
        ("backpack_inspection", 10),
        ("cadre_case_ledger", 10),
        ("cadre_summary", 3),
        ("disclosure", 30),
        ("evaluation:cadre_evaluation", 1),
        ("evaluation:democratic_appraisal", 1),
        ("evaluation:duty_survey", 2),
        ("evaluation:satisfaction_survey", 4),
        ("finance_check", 4),
        ("funnel_exchange", 20),
        ("home_visits", 30),
        ("list:development_plan", 3),
        ("list:petition_list", 3),
        ("list:problem_list_cadre", 3),
        ("list:problem_list_village", 3),
        ("list:rectification_list", 3),
        ("list:service_list", 3),
        ("look_back", 1),
        ("mentoring", 2),
        ("phase:consolidate:1", 1),
        ("phase:consolidate:2", 1),
        ("phase:consolidate:3", 1),
        ("phase:rectify:1", 1),
        ("phase:rectify:2", 1),
        ("phase:rectify:3", 1),
        ("phase:study:1", 1),
        ("phase:study:2", 1),
        ("phase:study:3", 1),
        ("progress_report", 27),
        ("report_to_villagers", 3),
        ("study_demands", 10),
        ("township_appraisal", 1),
        ("two_educations", 6),
        ("village_self_report", 3),
    ];
    assert_eq!(found, expected.map(|(key, count)| (key.to_owned(), count)).into());
    let days: Vec<_> = township.deadlines().await.into_values().map(|deadline| deadline.due_on.unwrap()).collect();
    assert!(days.iter().all(|day| calendar.is_working_day(*day).unwrap()));
}

#[rstest]
#[tokio::test]
async fn the_owner_hands_in_and_the_duty_is_done(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let township = Township::found(engine).await;
    township.load(PLAN_A).await;
    let (store, county) = (&township.fixture.store, township.county);
    let duty = township.duty("home_visits", 0).await;
    let owner = township.actor(township.secretaries[0]).await;
    let neighbour = township.actor(township.secretaries[1]).await;

    let refused = complete_duty(store, &Command::by(&neighbour), county, duty.id, visits(12)).await;
    assert!(matches!(refused, Err(Fault::Refused(refusal)) if refusal.code == "not_found"));
    let refused = complete_duty(store, &Command::by(&owner), county, duty.id, HandedIn::default()).await;
    assert!(matches!(refused, Err(Fault::Refused(refusal)) if refusal.fields.len() == 2));
    assert_eq!(township.state(duty.id).await, (DutyState::Open, DeadlineStatus::Open));

    let key = IdempotencyKey::parse("owner", "complete", "one-request", b"12").unwrap();
    let command = Command::once(&owner, Some(key));
    complete_duty(store, &command, county, duty.id, visits(12)).await.unwrap();
    assert_eq!(township.state(duty.id).await, (DutyState::Done, DeadlineStatus::Met));
    let replay = complete_duty(store, &command, county, duty.id, visits(12)).await.unwrap();
    assert!(replay.replayed, "a phone that was offline sends it again");

    let twice = complete_duty(store, &Command::by(&owner), county, duty.id, visits(13)).await;
    assert!(matches!(twice, Err(Fault::Refused(refusal)) if refusal.code == "duty_done"));
    let seen = queries::duty(store, &owner, duty.id).await.unwrap();
    assert_eq!(seen.duty.completed_by, Some(township.secretaries[0]));
    assert_eq!(seen.duty.evidence.unwrap()["items"][0]["figure"], 12);
    assert_eq!(seen.deadline.unwrap().ended_on, NaiveDate::from_ymd_opt(2026, 3, 2));
}

#[rstest]
#[tokio::test]
async fn people_see_the_duties_of_their_unit_and_the_office_those_of_the_township(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let township = Township::found(engine).await;
    township.load(PLAN_A).await;
    let store = &township.fixture.store;
    let secretary = township.actor(township.secretaries[0]).await;
    let seen = queries::duties(store, &secretary, queries::Filter::default()).await.unwrap();
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|seen| seen.duty.unit_id == township.villages[0] && seen.deadline.is_some()));
    let office = township.actor(township.office).await;
    let seen = queries::duties(store, &office, queries::Filter::default()).await.unwrap();
    assert_eq!(seen.len(), 29);
    let later = queries::Filter { after: Some(seen[10].duty.id), ..queries::Filter::default() };
    assert_eq!(queries::duties(store, &office, later).await.unwrap().len(), 18);
    assert!(queries::duties(store, &Actor::Visitor, queries::Filter::default()).await.unwrap().is_empty());
    let other = queries::duty(store, &secretary, township.duty("home_visits", 1).await.id).await;
    assert!(matches!(other, Err(Fault::Refused(refusal)) if refusal.code == "not_found"));
    assert_eq!(queries::list(store, &secretary).await.unwrap().len(), 1);
    assert!(queries::list(store, &Actor::Visitor).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_case_opens_a_duty_with_its_limit(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let township = Township::found(engine).await;
    let campaign = township.load(PLAN_A).await.campaign;
    let (store, calendar) = (&township.fixture.store, Calendar::shipped());
    let office = township.actor(township.office).await;
    let command = Command::by(&office);
    let open = async |key: &str, about: &str| {
        open_case(store, &calendar, &command, campaign, key, township.villages[0], about).await
    };
    let id = open("deliberation", "新修通组路").await.unwrap().value;
    let other = open("deliberation", "新修通组路").await.unwrap().value;
    assert_ne!(id, other, "each case is one of its own");
    let deadline = &township.deadlines().await[&id.0];
    assert_eq!(deadline.due_on, NaiveDate::from_ymd_opt(2026, 3, 9));
    assert_eq!(deadline.subject_title, "四议两公开和“三三制”议事：新修通组路");
    let refused = open("home_visits", "新修通组路").await;
    assert!(matches!(refused, Err(Fault::Refused(refusal)) if refusal.code == "no_such_case_duty"));
    let refused = open("deliberation", " ").await;
    assert!(matches!(refused, Err(Fault::Refused(refusal)) if refusal.fields[0].pointer == "/about"));
    let secretary = Command::by(&township.actor(township.secretaries[0]).await);
    let refused =
        open_case(store, &calendar, &secretary, campaign, "deliberation", township.villages[0], "新修通组路").await;
    assert!(matches!(refused, Err(Fault::Refused(_))));
}

#[rstest]
#[tokio::test]
async fn complaints_run_by_the_campaigns_clocks_while_it_lasts(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let township = Township::found(engine).await;
    let reader = township.fixture.store.reader();
    let day = |month| NaiveDate::from_ymd_opt(2026, month, 2).unwrap();
    let clocks = queries::complaint_clocks(reader, township.id, day(3)).await.unwrap();
    assert_eq!(clocks.rules().acceptance, ClockRules::default().acceptance);
    // Plan E promises acceptance within five working days.
    township.load(SHIPPED_PLANS[4].text).await;
    let clocks = queries::complaint_clocks(reader, township.id, day(3)).await.unwrap();
    assert_eq!(clocks.rules().acceptance, qingfeng_core::calendar::Limit::working_days(5));
    let over = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
    let clocks = queries::complaint_clocks(reader, township.id, over).await.unwrap();
    assert_eq!(clocks.rules().acceptance, ClockRules::default().acceptance);
    assert_eq!(queries::in_force(reader, township.id, day(3)).await.unwrap().unwrap().row.key, "xuncha-zhenggai-2024");
    assert!(queries::in_force(reader, township.id, over).await.unwrap().is_none());
}

#[rstest]
#[tokio::test]
async fn duties_of_an_unpublished_year_get_their_date_when_the_notice_arrives(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let township = Township::found(engine).await;
    let (store, clock) = (&township.fixture.store, &township.fixture.clock);
    clock.advance(chrono::TimeDelta::days(300));
    let plan = campaigns::read(PLAN_A).unwrap().moved_to_year(2027);
    township.load_read(plan, PLAN_A).await;
    // 27 December: 45 days reach into February.
    let unknown: Vec<_> = township.deadlines().await.into_values().filter(|row| row.due_on.is_none()).collect();
    let all = township.deadlines().await.len();
    assert!(!unknown.is_empty() && unknown.len() == all, "{} of {all}", unknown.len());
    assert!(unknown[0].explanation.contains("2027年"));

    let notice = YearNotice::parse(
        r#"{"year": 2027, "papers": [], "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}"#,
    )
    .unwrap();
    let book = CalendarBook::new(store.clone());
    let outcome = import_year(store, &book, &township.system(), township.county, notice).await.unwrap();
    assert_eq!((outcome.version, outcome.moved_deadlines as usize), (1, all));
    assert!(township.deadlines().await.values().all(|row| row.due_on.is_some()));
    let moves =
        changes::Entity::find().filter(changes::Column::Cause.eq("calendar")).all(store.reader()).await.unwrap();
    assert_eq!(moves.len(), all);
    assert!(moves.iter().all(|change| change.old_due_on.is_none() && change.new_due_on.is_some()));
    let visit = township.duty("home_visits", 0).await;
    let january = township.deadlines().await[&visit.id.0].due_on.unwrap();
    assert_eq!(january, NaiveDate::from_ymd_opt(2027, 1, 20).unwrap());
    assert!(january > qingfeng_core::clock::shanghai_date(clock.now()) + Days::new(1));
}

#[rstest]
#[tokio::test]
async fn the_ladder_tells_the_offices_of_the_rung_and_of_the_villages_only_the_one_there(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let township = Township::found(engine).await;
    let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    let reader = township.fixture.store.reader();
    let read = async || Ladder::read(reader, township.county, township.id, today).await.unwrap();
    assert!(read().await.is_none(), "no campaign, no ladder");
    township.load(PLAN_A).await;
    let ladder = read().await.unwrap();
    let told = |days| {
        let rung = ladder.rung(days)?;
        Some((rung.step, ladder.told(rung, Some(township.villages[1]))))
    };
    use qingfeng_core::campaigns::plan::EscalationKind as Kind;
    assert_eq!(told(0), None);
    assert_eq!(told(1), Some((Kind::Reminder, vec![township.secretaries[1]])));
    assert_eq!(told(2), told(1));
    assert_eq!(told(3), Some((Kind::Urging, vec![township.office])));
    // 镇纪委书记 is nobody's title here: whoever leads the township is told instead, once though two offices are named.
    assert_eq!(told(21), Some((Kind::Talk, vec![township.leader])));
    assert_eq!(told(400).map(|(step, _)| step), Some(Kind::Accountability));
}

#[rstest]
#[tokio::test]
async fn who_takes_over_a_post_takes_over_what_is_coming_but_not_what_is_late(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let township = Township::found(engine).await;
    township.load(PLAN_A).await;
    let (store, county) = (&township.fixture.store, township.county);
    let (village, before) = (township.villages[0], township.secretaries[0]);
    // 16 March: the disclosure due on the 10th is late, the visits due on the 20th are not.
    township.fixture.clock.advance(chrono::TimeDelta::days(14));
    let successor = store
        .housekeeping(move |unit| {
            Box::pin(async move {
                posts::Entity::update_many()
                    .col_expr(posts::Column::ToDate, Expr::value(Some(NaiveDate::from_ymd_opt(2026, 3, 15).unwrap())))
                    .filter(posts::Column::StaffId.eq(before))
                    .exec(unit.connection())
                    .await?;
                let new = NewStaff {
                    name: "接任".into(),
                    login: Uuid::new_v4().to_string(),
                    password_hash: "none".into(),
                    totp_secret: vec![7; 20],
                    open_id: None,
                };
                let staff = roster::add_staff(unit, county, &Sealer::new(&[7; 32]), new).await?;
                let role = Role::VillageSecretary;
                let from = NaiveDate::from_ymd_opt(2026, 3, 16).unwrap();
                let title = "村党支部书记".to_owned();
                roster::add_post(unit, county, NewPost { staff, organization: village, role, title, from, to: None })
                    .await?;
                Ok(staff)
            })
        })
        .await
        .unwrap();
    open_coming_duties(store, &Calendar::shipped(), county).await.unwrap();
    let late = township.duty("disclosure", 0).await;
    let coming = township.duty("home_visits", 0).await;
    assert_eq!((late.staff_id, coming.staff_id), (Some(before), Some(successor)));
    let deadlines = township.deadlines().await;
    assert_eq!(deadlines[&late.id.0].responsible_staff_id, Some(before));
    assert_eq!(deadlines[&coming.id.0].responsible_staff_id, Some(successor));
    let neighbour = township.duty("home_visits", 1).await;
    assert_eq!(neighbour.staff_id, Some(township.secretaries[1]));
}
