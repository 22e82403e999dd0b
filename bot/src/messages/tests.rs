//! Every wording, as a snapshot: a change of words is seen in review.

mod checks;
mod previews;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use qingfeng_core::{
    ids::{CountyId, MessageId},
    outbox::{MessageState, Priority, RecipientKind, entity::Model as Message},
    subject::SubjectKind,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Wordings, card, post};
use crate::channels::{CardTemplates, LONGEST_MARKDOWN, LONGEST_THING};

const PUBLIC_URL: &str = "https://qingfeng.example";

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

fn nine() -> NaiveDateTime {
    today().and_hms_opt(9, 0, 0).unwrap()
}

fn templates() -> CardTemplates {
    CardTemplates::usual("T-REMIND", "T-PROGRESS")
}

fn usual() -> Wordings {
    Wordings::usual(PUBLIC_URL, today())
}

fn message(recipient: RecipientKind, kind: &str, subject: SubjectKind, facts: Value) -> Message {
    let at: DateTime<Utc> = "2026-03-02T01:00:00Z".parse().unwrap();
    Message {
        id: MessageId(Uuid::nil()),
        county_id: CountyId(Uuid::nil()),
        township_id: None,
        recipient_kind: recipient,
        recipient_id: Uuid::nil(),
        reached_id: None,
        priority: Priority::of(recipient, kind),
        kind: kind.into(),
        subject_kind: subject,
        subject_id: Uuid::nil(),
        step: String::new(),
        round: 1,
        facts,
        state: MessageState::Pending,
        not_before: at,
        lease_holder: None,
        lease_until: None,
        attempts: 0,
        parked_reason: None,
        channel: None,
        platform_reference: None,
        departure_id: None,
        card_id: None,
        left_at: None,
        may_have_arrived: false,
        retracted_at: None,
        sent_at: None,
        created_at: at,
    }
}

/// Every kind that goes to a person, with facts as the product writes them, and its title.
fn to_people(title: &str) -> Vec<Message> {
    use RecipientKind::{Resident, Staff};
    use SubjectKind::{Campaign, Complaint, Duty, Group, MessageTemplate, Rectification, SealedSurvey};
    let due = |date: &str| json!({"title": title, "due_on": date});
    let late = json!({"title": title, "due_on": "2026-02-27", "rung": "督办函"});
    let unit = json!({"title": title, "unit": "东河村"});
    let decided = |approved: bool| json!({"title": title, "approved": approved, "due_on": "2026-03-20"});
    let plain = || json!({"title": title});
    let parked = json!({"title": title, "reason": "等省里批复", "review_on": "2026-06-30"});
    vec![
        message(Staff, "deadline_ahead", Duty, due("2026-03-05")),
        message(Staff, "deadline_today", Complaint, due("2026-03-02")),
        message(Staff, "deadline_overdue", Rectification, due("2026-02-27")),
        message(Staff, "deadline_escalated", Complaint, due("2026-02-27")),
        message(Staff, "deadline_escalated", Complaint, late),
        message(Staff, "deadline_moved_by_calendar", Complaint, due("2026-03-20")),
        message(Staff, "complaint_assigned", Complaint, unit.clone()),
        message(Staff, "complaint_rated", Complaint, plain()),
        message(Staff, "complaint_rated_bad", Complaint, plain()),
        message(Staff, "call_back_due", Complaint, plain()),
        message(
            Staff,
            "summary",
            Campaign,
            json!({"title": "调度提示：12月21日至12月27日", "due": 120, "overdue": 35, "done_again": 11}),
        ),
        message(Staff, "answer_wanted", Complaint, json!({"title": title, "wanted": "more_time"})),
        message(Staff, "answer_wanted", Rectification, json!({"title": title, "wanted": "not_mine"})),
        message(Staff, "assignment_disputed", Duty, due("2026-03-20")),
        message(Staff, "item_handed_over", Rectification, due("2026-03-20")),
        message(Staff, "objection_upheld", Duty, due("2026-03-20")),
        message(Staff, "objection_rejected", Rectification, due("2026-03-20")),
        message(Staff, "post_to_review", Group, json!({"title": "东河村村民群"})),
        message(Staff, "review_waiting", Group, json!({"title": "东河村村民群"})),
        message(Staff, "post_unread", Group, json!({"title": "东河村村民群"})),
        message(Staff, "post_rejected", Group, json!({"title": "东河村村民群"})),
        message(Staff, "post_prepared", Group, json!({"title": "东河村村民群"})),
        message(Staff, "post_waiting", Group, json!({"title": "东河村村民群"})),
        message(Staff, "post_recalled", Group, json!({"title": "东河村村民群"})),
        message(Staff, "group_task_waiting", Group, json!({"title": "东河村客户群"})),
        message(Staff, "group_robot_gone", Group, json!({"title": "东河村村民群"})),
        message(Staff, "wording_to_review", MessageTemplate, json!({"title": "群众评价了"})),
        message(Staff, "wording_rejected", MessageTemplate, json!({"title": "群众评价了"})),
        message(Staff, "extension_decided", Complaint, decided(true)),
        message(Staff, "extension_decided", Rectification, decided(false)),
        message(Staff, "rectification_assigned", Rectification, due("2026-05-31")),
        message(Staff, "close_out_refused", Rectification, plain()),
        message(Staff, "rectification_closed", Rectification, plain()),
        message(Resident, "complaint_dispatched", Complaint, unit),
        message(Resident, "complaint_accepted", Complaint, plain()),
        message(Resident, "complaint_answered", Complaint, plain()),
        message(Resident, "complaint_not_accepted", Complaint, plain()),
        message(Resident, "complaint_merged", Complaint, plain()),
        message(Resident, "complaint_parked", Complaint, parked),
        message(Resident, "rating_reminder", Complaint, plain()),
        message(Resident, "media_missing", Complaint, json!({"title": title, "media": "photo"})),
        message(Resident, "media_missing", Complaint, json!({"title": title, "media": "voice"})),
        message(Resident, "complaint_extended", Complaint, due("2026-03-20")),
        message(Resident, "complaint_closed", Complaint, plain()),
        message(Resident, "evaluation_opened", Rectification, plain()),
        message(Resident, "sealed_survey_opened", SealedSurvey, plain()),
        message(Resident, "sealed_survey_reminder", SealedSurvey, plain()),
        message(Resident, "sealed_survey_published", SealedSurvey, plain()),
    ]
}

/// Every kind that goes to a group, with texts of this length.
fn to_groups(length: usize) -> Vec<Message> {
    let long = |text: &str| text.chars().cycle().take(length.max(text.chars().count())).collect::<String>();
    let village = json!({"village": "东河村", "village_id": Uuid::nil()});
    let with = |more: Value| {
        let mut facts = village.clone();
        facts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        facts
    };
    let item = |due_on: &str, days: i64| json!({"title": long("村口路灯更换"), "due_on": due_on, "days_overdue": days});
    let items: Vec<_> = (0..7).map(|number| item("2026-03-20", i64::from(number == 0) * 4)).collect();
    let question = json!({
        "text": long("村里的路灯修得怎么样？"),
        "choices": [{"label": long("好"), "answers": 12}, {"label": long("不好"), "answers": 6}],
    });
    let figures = json!({
        "month_label": "2026年2月", "received": 5, "closed": 3, "satisfied": 2, "dissatisfied": 1, "items": items,
    });
    let published = json!({
        "title": long("村口路灯更换"), "goal": long("全村路灯都亮"), "commitment": long("每周公布一次进度"),
        "due_on": "2026-05-31",
    });
    let progress = json!({
        "title": long("村口路灯更换"), "finished": [long("换三盏路灯"), long("每月巡查")], "text": long("都换好了"),
        "reported_done": true,
    });
    let corrected = json!({
        "title": long("村口路灯更换"), "posted_on": "2026-03-01", "reason": long("换的是三盏，不是五盏"),
    });
    let survey = json!({"title": long("路灯好不好"), "questions": 3, "closes_on": "2026-03-12", "fewest": 10});
    let few = json!({"title": long("路灯好不好")});
    let result = json!({"title": long("路灯好不好"), "people": 18, "questions": [question.clone(), question]});
    let boxes: Vec<_> = (0..21)
        .map(
            |_| json!({"title": long("东河村 村民票"), "poster_code": "K7Q2-M4XD", "fingerprint": "K7Q2-M4XD-9TWZ/42"}),
        )
        .collect();
    let sealed = |more: Value| {
        let mut facts = json!({"survey_id": Uuid::nil(), "title": long("村干部民主测评"), "closes_on": "2026-03-12"});
        facts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        facts
    };
    let rates =
        json!([{"label": long("满意率"), "per_cent": "91.30"}, {"label": long("不满意率"), "per_cent": "2.10"}]);
    let rows: Vec<_> = (0..7).map(|_| json!({"label": long("东河村"), "score": "86.25", "rates": rates})).collect();
    let satisfaction =
        json!({"purpose": "satisfaction", "ballots": 86, "rows": rows, "boxes": boxes, "checkable": "rows"});
    let under_twenty = json!({"purpose": "satisfaction", "ballots": 12, "rows": rows[..1], "boxes": boxes[..1], "checkable": "totals"});
    let of_few = json!({"purpose": "statutory_review", "rows": [], "boxes": boxes[..1], "checkable": "nothing"});
    let organizational =
        json!({"purpose": "organizational", "ballots": 86, "boxes": boxes[..2], "rows": rows, "checkable": "own"});
    let single = json!({"poster_code": "K7Q2-M4XD", "single_operator": true, "paper": 0});
    let of_paper = json!({"boxes": boxes[..2], "on_paper_alone": true, "paper": 40});
    [
        ("monthly_progress", figures),
        ("rectification_published", published),
        ("rectification_progress", progress),
        ("post_corrected", corrected),
        ("survey_invitation", survey),
        ("survey_result", few),
        ("survey_result", result),
        ("sealed_survey_opened", sealed(json!({"boxes": boxes, "paper": 40}))),
        ("sealed_survey_opened", sealed(of_paper)),
        ("sealed_survey_opened", sealed(single)),
        ("sealed_survey_fingerprint", sealed(json!({"fingerprint": "票箱指纹 K7Q2-M4XD-9TWZ/42"}))),
        ("sealed_survey_reminder", sealed(json!({}))),
        ("sealed_survey_cancelled", sealed(json!({"reason": long("题目印错了，更正后再办")}))),
        ("sealed_survey_published", sealed(satisfaction)),
        ("sealed_survey_published", sealed(under_twenty)),
        ("sealed_survey_published", sealed(of_few)),
        ("sealed_survey_published", sealed(organizational)),
    ]
    .into_iter()
    .map(|(kind, facts)| message(RecipientKind::Group, kind, SubjectKind::Rectification, with(facts)))
    .collect()
}

/// The card as the platform gets it.
fn shown(messages: &[Message]) -> String {
    let card = card(messages[0].recipient_kind, messages, &usual());
    let fields = templates().of(card.template).data(&card, nine());
    let values = fields.as_object().unwrap().values().map(|field| field["value"].as_str().unwrap());
    format!("{:?} {} → {}", card.template, values.collect::<Vec<_>>().join(" | "), card.page)
}

#[test]
fn the_words_of_every_card() {
    let lines: Vec<_> = to_people("村口路灯更换")
        .iter()
        .map(|message| {
            let recipient = format!("{:?}", message.recipient_kind);
            format!("{recipient} {}\n    {}", message.kind, shown(std::slice::from_ref(message)))
        })
        .collect();
    insta::assert_snapshot!("cards", lines.join("\n"));
}

#[test]
fn the_words_of_a_card_for_several_messages() {
    let (staff, residents): (Vec<_>, Vec<_>) =
        to_people("村口路灯更换").into_iter().partition(|message| message.recipient_kind == RecipientKind::Staff);
    let in_time: Vec<_> = staff.iter().filter(|message| message.kind != "deadline_overdue").take(2).cloned().collect();
    let lines = [shown(&staff), shown(&in_time), shown(&residents[..2]), shown(&residents)];
    insta::assert_snapshot!("cards_for_several", lines.join("\n"));
}

#[test]
fn the_words_of_every_post() {
    let posts: Vec<_> =
        to_groups(0).iter().map(|message| format!("{}\n{}", message.kind, post(message, &usual()))).collect();
    insta::assert_snapshot!("posts", posts.join("\n----\n"));
}

#[test]
fn a_group_is_never_told_the_result_of_an_organizational_evaluation() {
    let published = to_groups(0).into_iter().filter(|message| message.kind == "sealed_survey_published");
    let organizational: Vec<_> = published.filter(|message| message.facts["purpose"] == "organizational").collect();
    assert_eq!(organizational.len(), 1);
    // Even if whoever writes the message put the rows into it.
    let post = post(&organizational[0], &usual());
    assert!(post.contains("86张票") && !post.contains("86.25") && !post.contains("91.30"), "{post}");
}

#[test]
fn no_message_of_an_anonymous_survey_tells_whether_somebody_took_part() {
    let kinds = ["sealed_survey_opened", "sealed_survey_reminder", "sealed_survey_published"];
    for message in to_people("测评").into_iter().filter(|message| kinds.contains(&message.kind.as_str())) {
        let shown = shown(std::slice::from_ref(&message));
        assert!(!shown.contains("您还没") && !shown.contains("您已") && shown.contains("您在参加人名单上"), "{shown}");
        assert!(!shown.contains(&message.subject_id.to_string()), "the address tells nothing: {shown}");
    }
}

#[test]
fn the_words_of_every_card_about_something_with_a_long_name() {
    let long = "云溪镇东河村三组村口至小学路段路灯损坏及夜间照明不足问题".repeat(3);
    let mut messages = to_people(&long);
    let named = json!({"title": long, "unit": long, "rung": long, "due_on": "2019-01-01"});
    messages.push(message(RecipientKind::Staff, "deadline_escalated", SubjectKind::Complaint, named.clone()));
    messages.push(message(RecipientKind::Resident, "complaint_dispatched", SubjectKind::Complaint, named));
    let lines: Vec<_> = messages.iter().map(|message| shown(std::slice::from_ref(message))).collect();
    insta::assert_snapshot!("cards_with_long_names", lines.join("\n"));
}

#[test]
fn every_kind_has_a_wording_and_every_wording_a_message() {
    let messages: Vec<_> = to_people("村口路灯更换").into_iter().chain(to_groups(0)).collect();
    let sent = |kind: &super::Kind| {
        messages.iter().any(|message| message.recipient_kind == kind.recipient && message.kind == kind.name)
    };
    for kind in super::kinds().iter().filter(|kind| !["several", "other"].contains(&kind.name.as_str())) {
        assert!(sent(kind), "{}", kind.key());
    }
    for message in &messages {
        assert_eq!(super::catalogue::kind_of(message.recipient_kind, &message.kind).name, message.kind);
    }
}

#[test]
fn no_kind_is_left_to_the_words_for_the_unknown() {
    for message in to_people("村口路灯更换") {
        assert!(!shown(std::slice::from_ref(&message)).contains("有新进展，请查看 |"), "{}", message.kind);
    }
}

#[test]
fn whatever_the_title_every_field_is_within_the_platforms_limit() {
    for title in ["长".repeat(400), "😀".repeat(60), "行\n".repeat(60), "中".repeat(19) + "😀"] {
        let messages = to_people(&title);
        let unit = json!({"title": title, "unit": title, "rung": title, "due_on": "2019-01-01"});
        let kinds = ["complaint_dispatched", "deadline_escalated", "deadline_overdue"];
        let odd = kinds.map(|kind| message(RecipientKind::Staff, kind, SubjectKind::Complaint, unit.clone()));
        for message in messages.iter().chain(&odd) {
            let card = card(message.recipient_kind, std::slice::from_ref(message), &usual());
            let fields = templates().of(card.template).data(&card, nine());
            for (key, field) in fields.as_object().unwrap() {
                let value = field["value"].as_str().unwrap();
                assert!(!value.is_empty() && value.encode_utf16().count() <= LONGEST_THING, "{key} {value}");
                assert!(!value.chars().any(char::is_control), "{key} {value:?}");
            }
        }
    }
}

#[test]
fn only_titles_and_names_are_shortened_in_a_card() {
    // A hint, a reason and a date that end in dots would be worthless.
    for message in to_people("村口路灯更换") {
        assert!(!shown(std::slice::from_ref(&message)).contains('…'), "{}", message.kind);
    }
}

#[test]
fn however_long_the_texts_a_post_is_one_message_of_the_robot() {
    for message in to_groups(4000) {
        let post = post(&message, &usual());
        assert!(post.len() <= LONGEST_MARKDOWN, "{} {}", message.kind, post.len());
        assert!(post.contains('…'), "{}", message.kind);
        assert!(!post.contains('\u{fffd}'));
    }
}
