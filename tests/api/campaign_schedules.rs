//! What a campaign's plan lets the bot do, and when.

use chrono::TimeDelta;
use qingfeng_core::{people::Role, storage::Engine};
use qingfeng_sandbox::Group;
use rstest::rstest;
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use crate::{
    schedule::messages,
    support::{Cast, TestServer, bot, platform},
};

/// A small plan with this schedule.
fn plan(schedule: &str) -> String {
    let head = include_str!("../../core/src/campaigns/reading/right.toml").split("[publication]").next().unwrap();
    format!("{head}\n{schedule}")
}

const WEEKLY: &str =
    "[[schedule]]\nkey = \"weekly\"\nruns = \"summary\"\nnth_working_day_of_week = 1\nat = \"08:30\"\n";
const REMINDERS: &str =
    "[[schedule]]\nkey = \"reminders\"\nruns = \"reminders\"\nworking_days = true\nat = \"14:00\"\n";
const DAILY: &str = "[[schedule]]\nkey = \"daily\"\nruns = \"summary\"\nworking_days = true\nat = \"10:30\"\n";

async fn load(cast: &Cast<'_>, plan: &str) -> String {
    let body = json!({"township_id": cast.township.id, "source": plan});
    cast.office.post("/api/campaigns", body).await.ok()["id"].as_str().unwrap().to_owned()
}

fn at(server: &TestServer, text: &str) {
    server.clock.set(chrono::DateTime::parse_from_str(&format!("{text} +0800"), "%Y-%m-%d %H:%M %z").unwrap().to_utc());
}

/// The days of the summaries so far, one per person.
async fn summaries(server: &TestServer) -> Vec<String> {
    let steps = messages(server, "summary").await.into_iter().map(|message| message.step);
    let mut steps: Vec<_> = steps.map(|step| step.split_once(':').unwrap().1[..10].to_owned()).collect();
    steps.sort();
    steps
}

#[rstest]
#[actix_web::test]
async fn a_campaigns_summary_comes_at_its_own_times_and_each_reader_has_his_own_figures(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    load(&cast, &plan(WEEKLY)).await;
    bot.tick().await.unwrap();
    assert_eq!(summaries(&server).await, [""; 0], "what was due at half past eight is not made up for");

    cast.working().await;
    let again = cast.answered().await;
    cast.rate(&again, "dissatisfied").await.ok();
    at(&server, "2026-03-09 08:29");
    bot.tick().await.unwrap();
    assert_eq!(summaries(&server).await, [""; 0]);
    at(&server, "2026-03-09 08:30");
    for _ in 0..3 {
        bot.tick().await.unwrap();
    }
    assert_eq!(summaries(&server).await, ["2026-03-09"; 2], "the office and the leader, once each");
    let written = messages(&server, "summary").await;
    let desk = cast.office.get("/api/desk").await.ok();
    let on_desk = |wanted: &dyn Fn(i64) -> bool| {
        let left = desk["items"].as_array().unwrap().iter().filter_map(|line| line["days_left"].as_i64());
        left.filter(|days| wanted(*days)).count()
    };
    let due = on_desk(&|days| (0..7).contains(&days));
    let overdue = on_desk(&|days| days < 0);
    for message in &written {
        assert_eq!((&message.facts["due"], &message.facts["overdue"]), (&json!(due), &json!(overdue)), "{desk}");
        assert_eq!(message.facts["title"], "调度提示：3月9日至3月15日");
    }
    at(&server, "2026-03-15 20:00");
    bot.tick().await.unwrap();
    assert_eq!(summaries(&server).await.len(), 2, "no other week has begun");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn an_outage_is_caught_up_once_and_an_edited_plan_replays_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    load(&cast, &plan(DAILY)).await;
    at(&server, "2026-03-03 10:31");
    bot.tick().await.unwrap();
    // Away from Wednesday to the Tuesday after.
    at(&server, "2026-03-10 15:00");
    bot.tick().await.unwrap();
    bot.tick().await.unwrap();
    let caught_up = ["2026-03-03", "2026-03-03", "2026-03-10", "2026-03-10"];
    assert_eq!(summaries(&server).await, caught_up);

    // The same file again changes nothing; another time does, from now on.
    at(&server, "2026-03-11 11:00");
    load(&cast, &plan(DAILY)).await;
    bot.tick().await.unwrap();
    assert_eq!(summaries(&server).await.len(), 6, "today's was due before the file was loaded again, and is not lost");
    load(&cast, &plan(&DAILY.replace("10:30", "09:15"))).await;
    bot.tick().await.unwrap();
    at(&server, "2026-03-12 09:14");
    bot.tick().await.unwrap();
    assert_eq!(summaries(&server).await.len(), 6);
    at(&server, "2026-03-12 09:15");
    bot.tick().await.unwrap();
    assert_eq!(summaries(&server).await.len(), 8);
    // An entry that is gone runs no more.
    load(&cast, &plan("")).await;
    at(&server, "2026-03-13 12:00");
    bot.tick().await.unwrap();
    assert_eq!(summaries(&server).await.len(), 8);
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_campaign_runs_nothing_before_it_begins_nor_after_it_ends(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let short = plan(DAILY)
        .replace("starts_on = 2026-01-01", "starts_on = 2026-03-05")
        .replace("ends_on = 2026-12-31\n\n[[offices]]", "ends_on = 2026-04-10\n\n[[offices]]")
        .replace("2026-01-05", "2026-03-05")
        .replace("ends_on = 2026-12-31", "ends_on = 2026-04-10");
    load(&cast, &short).await;
    for (now, sent) in [
        ("2026-03-04 12:00", 0),
        ("2026-03-05 09:00", 0),
        ("2026-03-05 10:30", 2),
        ("2026-04-10 12:00", 4),
        ("2026-04-13 12:00", 4),
    ] {
        at(&server, now);
        bot.tick().await.unwrap();
        assert_eq!(summaries(&server).await.len(), sent, "{now}");
    }
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn two_bots_write_each_summary_once_also_when_the_leader_dies_between_work_and_record(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bots = [bot(&server, &running), bot(&server, &running)];
    load(&cast, &plan(DAILY)).await;
    at(&server, "2026-03-03 10:30");
    let (one, other) = futures::join!(bots[0].tick(), bots[1].tick());
    one.unwrap();
    other.unwrap();
    assert_eq!(summaries(&server).await, ["2026-03-03"; 2]);

    // Its last step fails, as it does for a program that dies there.
    let database = server.application.store.reader();
    let trap = if engine == Engine::Sqlite {
        "CREATE TRIGGER dies BEFORE UPDATE ON campaign_schedule BEGIN SELECT RAISE(ABORT, 'gone'); END"
    } else {
        "CREATE RULE dies AS ON UPDATE TO campaign_schedule DO INSTEAD SELECT 1 / 0"
    };
    database.execute_unprepared(trap).await.unwrap();
    at(&server, "2026-03-04 10:30");
    bots[0].tick().await.unwrap();
    assert_eq!(summaries(&server).await.len(), 4, "the work was done");
    let ready = server.visitor().get("/readyz").await;
    assert!(ready.text.contains("daily failed 1 times"), "{}", ready.text);
    let mend = if engine == Engine::Sqlite { "DROP TRIGGER dies" } else { "DROP RULE dies ON campaign_schedule" };
    database.execute_unprepared(mend).await.unwrap();
    // The other bot takes over when the lease has run out, and does it again in vain.
    server.clock.advance(TimeDelta::seconds(61));
    bots[1].tick().await.unwrap();
    assert_eq!(summaries(&server).await.len(), 4);
    assert_eq!(server.visitor().get("/readyz").await.text, "ok");
    at(&server, "2026-03-05 10:30");
    for bot in &bots {
        bot.tick().await.unwrap();
    }
    assert_eq!(summaries(&server).await.len(), 6);
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn one_campaigns_trouble_stops_no_other_and_a_year_without_a_calendar_is_told(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let years = plan(&format!(
        "{DAILY}{}",
        "[[schedule]]\nkey = \"fixed\"\nruns = \"summary\"\nday_of_month = 5\non_rest_day = \"same\"\nat = \"08:30\"\n"
    ));
    let years = years.replacen("ends_on = 2026-12-31", "ends_on = 2027-12-31", 1);
    load(&cast, &years).await;
    at(&server, "2027-01-05 12:00");
    bot.tick().await.unwrap();
    assert_eq!(summaries(&server).await, ["2027-01-05"; 2], "a fixed day needs no calendar");
    let ready = server.visitor().get("/readyz").await;
    assert!(
        ready.text.starts_with("degraded\ncampaign ") && ready.text.contains(" daily failed 1 times"),
        "{}",
        ready.text
    );
    // Nobody asks for it any more.
    load(&cast, &years.replace(DAILY, "")).await;
    bot.tick().await.unwrap();
    assert_eq!(server.visitor().get("/readyz").await.text, "ok");
    running.stop().await;
}

#[rstest]
#[actix_web::test]
async fn a_campaigns_time_replaces_the_usual_one_in_its_own_township(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let platform = platform(&server);
    let running = platform.start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    for village in ["东河村", "西坡村"] {
        let village = cast.township.village(village).await;
        let key = format!("robot-{}", village.id);
        platform.add_group(Group::new(&key, "村民群"));
        cast.township.chat_group(village, "村民群", &key).await;
    }
    platform.add_group(Group::new("robot-elsewhere", "村民群"));
    let elsewhere = server.township().await;
    let village = elsewhere.village("南山村").await;
    elsewhere.chat_group(village, "村民群", "robot-elsewhere").await;
    let posts = "[[schedule]]\nkey = \"posts\"\nruns = \"monthly_posts\"\nday_of_month = 20\non_rest_day = \"before\"\nat = \"09:30\"\n";
    load(&cast, &plan(&format!("{posts}{REMINDERS}"))).await;
    cast.working().await;
    for (now, here, there) in [
        ("2026-03-20 09:29", 0, 1),
        ("2026-03-20 09:30", 2, 1),
        ("2026-04-01 09:01", 2, 2),
        ("2026-04-20 09:29", 2, 2),
        ("2026-04-20 09:30", 4, 2),
        ("2026-04-30 12:00", 4, 2),
    ] {
        at(&server, now);
        bot.tick().await.unwrap();
        let written = messages(&server, "monthly_progress").await;
        let ours = written.iter().filter(|message| message.township_id == Some(cast.township.id)).count();
        assert_eq!((ours, written.len() - ours), (here, there), "{now}");
    }
    let desk = cast.secretary.get("/api/desk").await.ok();
    let complaint = desk["items"].as_array().unwrap().iter().find(|line| line["subject_kind"] == "complaint").unwrap();
    let due_on = complaint["due_on"].as_str().unwrap();
    for (time, reminded) in [("13:59", 0), ("14:00", 1)] {
        at(&server, &format!("{due_on} {time}"));
        bot.tick().await.unwrap();
        let told = messages(&server, "deadline_today").await;
        let about = told.iter().filter(|message| complaint["subject_id"] == json!(message.subject_id));
        assert_eq!(about.count(), reminded, "{time}");
    }
    running.stop().await;
}

#[rstest]
#[case::the_second_names_no_reminders("", "14:00", &["daily", "reminders"], &["weekly"])]
#[case::the_second_has_its_own("16:00", "16:00", &["daily"], &["weekly", "reminders"])]
#[actix_web::test]
async fn two_campaigns_sum_up_each_for_itself_and_remind_once(
    #[case] second_reminds_at: &str,
    #[case] reminded_at: &str,
    #[case] shown_of_first: &[&str],
    #[case] shown_of_second: &[&str],
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    let second_reminds = match second_reminds_at {
        "" => String::new(),
        at => REMINDERS.replace("14:00", at),
    };
    let first = load(&cast, &plan(&format!("{DAILY}{REMINDERS}"))).await;
    let second = plan(&format!("{WEEKLY}{second_reminds}"))
        .replacen("key = \"probe-2026\"", "key = \"probe-second\"", 1)
        .replacen("starts_on = 2026-01-01", "starts_on = 2026-01-02", 1);
    let second = load(&cast, &second).await;
    for (campaign, expected) in [(&first, shown_of_first), (&second, shown_of_second)] {
        let path = format!("/api/campaigns/{campaign}/schedule?from=2026-04-07&to=2026-04-07");
        let seen = cast.leader.get(&path).await.ok();
        let keys: Vec<_> = seen["items"].as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap()).collect();
        assert_eq!(keys, expected, "{seen}");
    }

    cast.working().await;
    at(&server, "2026-03-09 12:00");
    bot.tick().await.unwrap();
    let written = messages(&server, "summary").await;
    for campaign in [&first, &second] {
        let its = written.iter().filter(|message| message.subject_id.to_string() == *campaign);
        assert_eq!(its.count(), 2, "the office and the leader, of each campaign");
    }

    let desk = cast.secretary.get("/api/desk").await.ok();
    let complaint = desk["items"].as_array().unwrap().iter().find(|line| line["subject_kind"] == "complaint").unwrap();
    let due_on = complaint["due_on"].as_str().unwrap();
    for time in ["13:59", "14:00", "15:59", "16:00"] {
        at(&server, &format!("{due_on} {time}"));
        bot.tick().await.unwrap();
        let told = messages(&server, "deadline_today").await;
        let about = told.iter().filter(|message| complaint["subject_id"] == json!(message.subject_id));
        assert_eq!(about.count(), usize::from(time >= reminded_at), "{time}");
    }
    running.stop().await;
}

/// At ten o'clock the day's reminders are moved to nine, and later to five in the afternoon.
#[rstest]
#[actix_web::test]
async fn reminders_that_move_within_their_day_come_once_that_day(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bot = bot(&server, &running);
    load(&cast, &plan(REMINDERS)).await;
    cast.working().await;
    let desk = cast.secretary.get("/api/desk").await.ok();
    let complaint = desk["items"].as_array().unwrap().iter().find(|line| line["subject_kind"] == "complaint").unwrap();
    let due_on = complaint["due_on"].as_str().unwrap();
    let reminded = async || {
        let told = messages(&server, "deadline_today").await;
        told.iter().filter(|message| complaint["subject_id"] == json!(message.subject_id)).count()
    };
    at(&server, &format!("{due_on} 10:00"));
    bot.tick().await.unwrap();
    assert_eq!(reminded().await, 0);
    load(&cast, &plan(&REMINDERS.replace("14:00", "09:00"))).await;
    bot.tick().await.unwrap();
    assert_eq!(reminded().await, 1, "nine o'clock is past, and nothing came today");
    load(&cast, &plan(&REMINDERS.replace("14:00", "17:00"))).await;
    for time in ["16:59", "17:00", "18:00"] {
        at(&server, &format!("{due_on} {time}"));
        bot.tick().await.unwrap();
        assert_eq!(reminded().await, 1, "{time}");
    }
    running.stop().await;
}

/// The usual time is over when the campaign drops its own.
#[rstest]
#[actix_web::test]
async fn reminders_that_are_dropped_on_their_day_before_they_came_come_as_usual_and_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let server = TestServer::start(engine).await;
    let cast = Cast::of(&server).await;
    let running = platform(&server).start("127.0.0.1:0").unwrap();
    let bots = [bot(&server, &running), bot(&server, &running)];
    load(&cast, &plan(REMINDERS)).await;
    cast.working().await;
    let desk = cast.secretary.get("/api/desk").await.ok();
    let complaint = desk["items"].as_array().unwrap().iter().find(|line| line["subject_kind"] == "complaint").unwrap();
    let due_on = complaint["due_on"].as_str().unwrap();
    let reminded = async |kind: &'static str| {
        let told = messages(&server, kind).await;
        told.iter().filter(|message| complaint["subject_id"] == json!(message.subject_id)).count()
    };
    at(&server, &format!("{due_on} 10:00"));
    bots[0].tick().await.unwrap();
    assert_eq!(reminded("deadline_today").await, 0, "they are to come at two o'clock");
    load(&cast, &plan("")).await;
    for _ in 0..2 {
        for bot in &bots {
            bot.tick().await.unwrap();
        }
    }
    assert_eq!(reminded("deadline_today").await, 1);
    let written = messages(&server, "deadline_today").await.len();

    // The day after they come at the usual time, and what was made up for is not made up for again.
    server.clock.advance(TimeDelta::hours(4));
    bots[0].tick().await.unwrap();
    assert_eq!(messages(&server, "deadline_today").await.len(), written);
    server.clock.advance(TimeDelta::days(1));
    bots[0].tick().await.unwrap();
    assert_eq!(reminded("deadline_today").await, 1);
    assert_eq!(reminded("deadline_overdue").await, 1);
    running.stop().await;
}

#[actix_web::test]
async fn what_is_to_come_is_shown_to_those_who_see_the_campaign() {
    let server = TestServer::start(Engine::Sqlite).await;
    let cast = Cast::of(&server).await;
    let id = load(&cast, &plan(&format!("{WEEKLY}{DAILY}"))).await;
    let path = format!("/api/campaigns/{id}/schedule");
    let seen = cast.leader.get(&format!("{path}?from=2026-04-03&to=2026-04-08")).await.ok();
    let shown: Vec<_> = seen["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["at"].as_str().unwrap(), item["key"].as_str().unwrap()))
        .collect();
    // Qingming from Saturday to Monday.
    let expected = [
        ("2026-04-03T02:30:00Z", "daily"),
        ("2026-04-07T00:30:00Z", "weekly"),
        ("2026-04-07T02:30:00Z", "daily"),
        ("2026-04-08T02:30:00Z", "daily"),
    ];
    assert_eq!(shown, expected, "{seen}");
    assert_eq!(seen["items"][1]["rule"], "每周第1个工作日 08:30");
    assert_eq!(cast.office.get(&path).await.ok()["items"][0]["at"], "2026-03-02T00:30:00Z", "today's first");
    for query in ["from=2026-04-03&to=2026-04-02", "from=2026-01-01&to=2027-06-01", "from=%2B262142-12-31"] {
        cast.office.get(&format!("{path}?{query}")).await.problem(422, "invalid_input");
    }
    cast.resident.get(&path).await.problem(404, "not_found");
    let other = server.township().await.staff(Role::TownshipOffice).await;
    other.get(&path).await.problem(404, "not_found");
}
