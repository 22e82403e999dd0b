//! Notices of working days arrive: versions, and what becomes of running deadlines.

use chrono::NaiveDate;
use qingfeng_core::{
    calendar::{Calendar, CalendarBook, DayRule, Limit, NoticeFault, OnRestDay, YearNotice, import_year},
    deadlines::{
        self, DeadlineStatus, NewDeadline,
        entity::{changes, deadlines as rows},
    },
    ids::{CountyId, DutyId, OrganizationId, StaffId},
    outbox,
    people::{
        Actor, OrganizationKind, Role, Staff,
        roster::{self, NewOrganization, NewPost, NewStaff},
    },
    refusal::Fault,
    sealing::Sealer,
    storage::Engine,
};
use rstest::rstest;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;
use uuid::Uuid;

use crate::engines::{Fixture, store};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// 1–3 January off, Saturday 9 January worked in exchange.
const NOTICE: &str = r#"{"year": 2027, "papers": ["https://www.gov.cn/"], "days": [
    {"name": "元旦", "date": "2027-01-01", "isOffDay": true},
    {"name": "元旦", "date": "2027-01-02", "isOffDay": true},
    {"name": "元旦", "date": "2027-01-03", "isOffDay": true},
    {"name": "元旦", "date": "2027-01-09", "isOffDay": false}]}"#;

/// A village and its secretary.
struct Place {
    township: OrganizationId,
    village: OrganizationId,
    secretary: StaffId,
}

async fn place(fixture: &Fixture, county: CountyId) -> Place {
    fixture
        .store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let new = |parent, kind, name: &str| NewOrganization {
                    parent,
                    kind,
                    name: name.to_owned(),
                    code: name.to_owned(),
                };
                let township = new(None, OrganizationKind::Township, "云溪镇");
                let township = roster::add_organization(unit, county, township).await?;
                let village = new(Some(township), OrganizationKind::Village, "东河村");
                let village = roster::add_organization(unit, county, village).await?;
                let secretary = NewStaff {
                    name: "测试干部".into(),
                    login: "secretary".into(),
                    password_hash: "nobody signs in here".into(),
                    totp_secret: vec![1; 20],
                    open_id: None,
                };
                let secretary = roster::add_staff(unit, county, &Sealer::new(&[7; 32]), secretary).await?;
                let (role, from) = (Role::VillageSecretary, date("2020-01-01"));
                let post =
                    NewPost { staff: secretary, organization: village, role, title: "书记".into(), from, to: None };
                roster::add_post(unit, county, post).await?;
                Ok(Place { township, village, secretary })
            })
        })
        .await
        .unwrap()
}

struct Opened {
    counted: DutyId,
    fixed: DutyId,
    by_people: DutyId,
    over: DutyId,
}

/// All are the village's; only the fixed one has nobody by name.
async fn open_deadlines(fixture: &Fixture, county: CountyId, staff: StaffId, place: &Place) -> Opened {
    let (township, village) = (place.township, place.village);
    let start_on = date("2026-12-29");
    let calendar = Calendar::shipped();
    let limit = Limit::working_days(5);
    let counted = calendar.due_date(start_on, limit);
    let rule = DayRule::Date { date: date("2027-01-02"), on_rest_day: OnRestDay::After };
    let fixed = calendar.day(rule);
    assert_eq!((counted.due_on, fixed.due_on), (None, None));
    let ids = std::array::from_fn(|_| DutyId(Uuid::now_v7()));
    let [counted_id, fixed_id, by_people, over] = ids;
    fixture
        .store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let dates = [
                    (counted_id, json!(limit), None),
                    (fixed_id, json!(rule), None),
                    (by_people, json!({"decided": "by_meeting"}), Some(date("2027-01-02"))),
                    (over, json!(limit), None),
                ];
                for (id, limit, due_on) in dates {
                    let new = NewDeadline {
                        county,
                        township: Some(township),
                        subject: id.into(),
                        title: "修路".into(),
                        kind: "duty",
                        round: 0,
                        start_on,
                        limit,
                        due_on,
                        explanation: String::new(),
                        responsible_staff: (id != fixed_id).then_some(staff),
                        responsible_unit: Some(village),
                    };
                    deadlines::open(unit, new).await?;
                }
                deadlines::end(unit, over.into(), None, DeadlineStatus::Met).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    Opened { counted: counted_id, fixed: fixed_id, by_people, over }
}

async fn due_on(fixture: &Fixture, id: DutyId) -> Option<NaiveDate> {
    let all = rows::Entity::find().all(fixture.store.reader()).await.unwrap();
    all.into_iter().find(|row| row.subject_id == id.0).unwrap().due_on
}

#[rstest]
#[tokio::test]
async fn a_notice_works_out_open_deadlines_again_and_keeps_both_dates(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store(engine).await;
    let (county, staff) = (CountyId(Uuid::now_v7()), StaffId(Uuid::now_v7()));
    let place = place(&fixture, county).await;
    let opened = open_deadlines(&fixture, county, staff, &place).await;
    let book = CalendarBook::new(fixture.store.clone());
    assert!(!book.of(county).await.unwrap().knows(2027));

    let known = rows::Entity::update_many().col_expr(rows::Column::AcknowledgedOn, Expr::value(date("2026-12-01")));
    fixture
        .store
        .housekeeping(move |unit| {
            Box::pin(async move {
                known.exec(unit.connection()).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    let system = Actor::System { county };
    let notice = YearNotice::parse(NOTICE).unwrap();
    let first = import_year(&fixture.store, &book, &system, county, notice.clone()).await.unwrap();
    assert_eq!((first.version, first.moved_deadlines), (1, 2));
    assert!(book.of(county).await.unwrap().knows(2027), "the import is in force at once");
    // 30, 31 December, 4, 5, 6 January.
    assert_eq!(due_on(&fixture, opened.counted).await, Some(date("2027-01-06")));
    assert_eq!(due_on(&fixture, opened.fixed).await, Some(date("2027-01-04")));
    assert_eq!(due_on(&fixture, opened.by_people).await, Some(date("2027-01-02")), "people decided that one");
    assert_eq!(due_on(&fixture, opened.over).await, None, "what is over does not move");
    let open = rows::Entity::find().filter(rows::Column::Status.eq(DeadlineStatus::Open));
    let known = open.filter(rows::Column::AcknowledgedOn.is_not_null()).all(fixture.store.reader()).await.unwrap();
    let known: Vec<_> = known.into_iter().map(|row| row.subject_id).collect();
    assert_eq!(known, [opened.by_people.0], "who knew of the old date does not know of the new one");

    let again = import_year(&fixture.store, &book, &system, county, notice.clone()).await.unwrap();
    assert_eq!((again.version, again.moved_deadlines), (2, 0));

    let mut corrected = notice;
    corrected.days.retain(|day| day.date != date("2027-01-03"));
    corrected.days.push(qingfeng_core::calendar::NoticeDay {
        name: "元旦".into(),
        date: date("2027-01-04"),
        is_off_day: true,
    });
    let third = import_year(&fixture.store, &book, &system, county, corrected).await.unwrap();
    assert_eq!((third.version, third.moved_deadlines), (3, 2));
    assert_eq!(due_on(&fixture, opened.counted).await, Some(date("2027-01-07")));
    let moves = changes::Entity::find().all(fixture.store.reader()).await.unwrap();
    let last = moves.iter().filter(|change| change.new_due_on == Some(date("2027-01-07"))).collect::<Vec<_>>();
    assert_eq!(last.len(), 1);
    assert_eq!((last[0].old_due_on, last[0].cause.as_str()), (Some(date("2027-01-06")), "calendar"));
    let told = outbox::entity::Entity::find().all(fixture.store.reader()).await.unwrap();
    let to = |person: StaffId| told.iter().filter(|message| message.recipient_id == person.0).count();
    assert_eq!((told.len(), to(staff), to(place.secretary)), (4, 2, 2), "of each move once, by name or for the unit");
    assert!(told.iter().all(|message| message.township_id == Some(place.township)), "its office sees what is lost");
}

#[rstest]
#[tokio::test]
async fn only_the_system_administrator_imports(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let fixture = store(engine).await;
    let county = CountyId(Uuid::now_v7());
    let book = CalendarBook::new(fixture.store.clone());
    let nobody = Staff {
        id: StaffId(Uuid::now_v7()),
        county,
        posts: vec![],
        recused_from_staff: vec![],
        recused_from_organizations: vec![],
    };
    for actor in [Actor::Visitor, Actor::Staff(nobody)] {
        let notice = YearNotice::parse(NOTICE).unwrap();
        let refused = import_year(&fixture.store, &book, &actor, county, notice).await;
        assert!(matches!(refused, Err(Fault::Refused(_))), "{actor:?}");
    }
    assert!(!book.of(county).await.unwrap().knows(2027));
}

#[rstest]
#[tokio::test]
async fn a_countys_own_holidays_come_on_top_and_stay_in_the_county(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let fixture = store(engine).await;
    let (county, neighbour) = (CountyId(Uuid::now_v7()), CountyId(Uuid::now_v7()));
    let book = CalendarBook::new(fixture.store.clone());
    let import = async |text: &str| {
        let notice = YearNotice::parse(text).unwrap();
        import_year(&fixture.store, &book, &Actor::System { county }, county, notice).await.unwrap()
    };
    let festival = date("2026-04-20");
    let day = r#"{"name": "三月三", "date": "2026-04-20", "isOffDay": true}"#;
    import(&format!(r#"{{"year": 2026, "local": true, "days": [{day}]}}"#)).await;
    let calendar = book.of(county).await.unwrap();
    assert_eq!(calendar.is_working_day(festival), Ok(false));
    assert_eq!(calendar.is_working_day(date("2026-10-01")), Ok(false), "the State Council's days stay");
    assert_eq!(calendar.due_date(date("2026-04-17"), Limit::working_days(1)).due_on, Some(date("2026-04-21")));
    assert_eq!(book.of(neighbour).await.unwrap().is_working_day(festival), Ok(true));

    let later = r#"{"name": "三月三", "date": "2027-04-09", "isOffDay": true}"#;
    import(&format!(r#"{{"year": 2027, "local": true, "days": [{later}]}}"#)).await;
    assert!(!book.of(county).await.unwrap().knows(2027), "that takes the State Council");
    import(NOTICE).await;
    let calendar = book.of(county).await.unwrap();
    assert_eq!(calendar.is_working_day(date("2027-04-09")), Ok(false));
    assert_eq!(calendar.is_working_day(date("2027-01-01")), Ok(false));
}

#[test]
fn a_file_without_days_is_not_a_notice() {
    assert_eq!(YearNotice::parse(r#"{"year": 2027, "papers": [], "days": []}"#).unwrap_err(), NoticeFault::Empty(2027));
    let malformed = YearNotice::parse("{\n  \"year\": 2027,\n  \"days\": [{\"name\": 1}]}").unwrap_err();
    assert!(matches!(malformed, NoticeFault::Malformed { line: 3, .. }), "{malformed}");
    let twice = NOTICE.replace("2027-01-09", "2027-01-02");
    assert_eq!(YearNotice::parse(&twice).unwrap_err(), NoticeFault::Contradiction { date: date("2027-01-02") });
    let elsewhere = NOTICE.replace("2027-01-09", "2028-01-09");
    assert!(matches!(YearNotice::parse(&elsewhere).unwrap_err(), NoticeFault::OtherYear { year: 2027, .. }));
    let december = NOTICE.replace("2027-01-09", "2026-12-26");
    let calendar =
        Calendar::from_notices(&[Calendar::shipped_notices(), vec![YearNotice::parse(&december).unwrap()]].concat());
    assert_eq!(calendar.is_working_day(date("2026-12-26")), Ok(true), "a notice may move the December before");
}
