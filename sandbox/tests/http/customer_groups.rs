//! Groups with outside WeChat users: nothing arrives there without a member's tap.

use chrono::TimeDelta;
use qingfeng_sandbox::{Content, Group, Phone};
use serde_json::{Value, json};

use crate::platform::{Platform, code};

async fn platform() -> Platform {
    Platform::with(|settings| {
        settings.phones = vec![
            Phone::new("o-1", "书记").at_wecom("keeper"),
            Phone::new("o-2", "文书").at_wecom("clerk"),
            Phone::new("o-3", "外人").at_wecom("stranger"),
        ];
        settings.groups = vec![
            Group::new("wrEast", "东河村客户群").of_customers("Keeper").with_member("clerk"),
            Group::new("wrWest", "西河村客户群").of_customers("keeper"),
            Group::new("robot", "内部群"),
        ];
    })
    .await
}

fn task(sender: &str, chats: &[&str], words: &str) -> Value {
    json!({"chat_type": "group", "sender": sender, "chat_id_list": chats, "text": {"content": words}})
}

impl Platform {
    async fn contact(&self, call: &str, body: &Value) -> Value {
        let token = self.wecom_token().await;
        self.post(&format!("/wecom/cgi-bin/externalcontact/{call}?access_token={token}"), body).await
    }

    fn in_group(&self, key: &str) -> usize {
        self.sandbox.delivered_to_group(key).len()
    }
}

#[tokio::test]
async fn the_member_confirms_on_the_phone_before_it_stands_in_the_group() {
    let platform = platform().await;
    let mut new = task("keeper", &["wrEast", "robot", "nothing"], "水渠修好了");
    new["attachments"] = json!([{"msgtype": "link", "link": {"title": "看公示", "url": "https://example.org/1"}}]);
    let answer = platform.contact("add_msg_template", &new).await;
    assert_eq!((code(&answer), &answer["fail_list"]), (0, &json!(["robot", "nothing"])), "{answer}");
    assert_eq!(platform.in_group("wrEast"), 0);
    let page = async |path: &str| platform.client.get(platform.url(path)).send().await.unwrap().text().await.unwrap();
    let id = answer["msgid"].as_str().unwrap();
    assert!(page("/sandbox/phones/o-1").await.contains("发到客户群：水渠修好了"));
    assert!(!page("/sandbox/phones/o-2").await.contains("水渠修好了"), "only on the sender's phone");

    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let tap = async |phone: &str| {
        let address = platform.url(&format!("/sandbox/phones/{phone}/group-tasks"));
        client.post(address).form(&[("task", id)]).send().await.unwrap().status().as_u16()
    };
    assert_eq!(tap("o-2").await, 422, "it is not his");
    assert_eq!((tap("o-1").await, tap("o-1").await), (303, 422), "once");
    assert_eq!(platform.in_group("wrEast"), 2);
    let group = page("/sandbox/groups/wrEast").await;
    assert!(group.contains("企业微信客户群") && group.contains("水渠修好了") && group.contains("看公示"), "{group}");
}

#[tokio::test]
async fn only_who_is_in_a_customer_group_writes_there() {
    let platform = platform().await;
    for (body, expected) in [
        (task("clerk", &["wrEast"], "甲"), 0),
        (task("clerk", &["wrWest"], "甲"), 84061),
        (task("stranger", &["wrEast"], "甲"), 84061),
        (task("keeper", &["robot"], "甲"), 84061),
        (task("nobody", &["wrEast"], "甲"), 40003),
        (task("keeper", &["wrEast"], ""), 44004),
        (task("keeper", &["wrEast"], &"渠".repeat(1334)), 40058),
        (task("keeper", &[], "甲"), 40058),
        (
            json!({"chat_type": "single", "sender": "keeper", "external_userid": ["wm1"], "text": {"content": "甲"}}),
            40058,
        ),
        (
            json!({"chat_type": "group", "sender": "keeper", "chat_id_list": ["wrEast"], "text": {"content": "甲"}, "allow_select": true}),
            40058,
        ),
        (
            json!({"chat_type": "group", "sender": "keeper", "chat_id_list": ["wrEast"], "attachments": [{"msgtype": "file", "file": {"media_id": "3"}}]}),
            40007,
        ),
    ] {
        assert_eq!(code(&platform.contact("add_msg_template", &body).await), expected, "{body}");
    }
}

#[tokio::test]
async fn a_group_gets_as_many_messages_a_month_as_the_month_has_days() {
    let platform = platform().await;
    let mut last = String::new();
    for number in 0..31 {
        let answer = platform.contact("add_msg_template", &task("keeper", &["wrEast"], &format!("第{number}条"))).await;
        last = answer["msgid"].as_str().unwrap().to_owned();
    }
    assert_eq!(platform.sandbox.phone("o-1").confirm_group_messages(), 31);
    assert_eq!(platform.in_group("wrEast"), 30, "November has thirty days; what is too much is lost without a word");
    platform.pass(TimeDelta::minutes(1));
    let lost = platform.sandbox.delivered_to_group("wrEast");
    assert!(lost.iter().all(|delivery| matches!(delivery.content, Content::Text { .. })));
    let query = json!({"msgid": last, "userid": "keeper"});
    let answer = platform.contact("get_groupmsg_send_result", &query).await;
    assert_eq!(answer["send_list"][0]["status"], 3, "only who asks learns it: {answer}");
    platform.pass(TimeDelta::days(7));
    platform.contact("add_msg_template", &task("keeper", &["wrEast"], "十二月")).await;
    assert_eq!(platform.sandbox.phone("o-1").confirm_group_messages(), 1);
    assert_eq!(platform.in_group("wrEast"), 31, "a new month");
}

#[tokio::test]
async fn who_asks_too_early_is_told_to_wait_and_reminders_are_rationed() {
    let platform = platform().await;
    let id = platform.contact("add_msg_template", &task("keeper", &["wrEast"], "甲")).await["msgid"].clone();
    let (task, result) = (json!({"msgid": id}), json!({"msgid": id, "userid": "keeper"}));
    assert_eq!(code(&platform.contact("get_groupmsg_send_result", &result).await), 41063);
    platform.pass(TimeDelta::seconds(10));
    assert_eq!(platform.contact("get_groupmsg_send_result", &result).await["send_list"][0]["status"], 0);
    assert_eq!(platform.contact("get_groupmsg_task", &task).await["task_list"][0]["status"], 0);
    for expected in [0, 0, 0, 45009] {
        assert_eq!(code(&platform.contact("remind_groupmsg_send", &task).await), expected);
    }
    assert_eq!(platform.sandbox.phone("o-1").confirm_group_messages(), 1);
    assert_eq!(platform.contact("get_groupmsg_task", &task).await["task_list"][0]["status"], 2);
    assert_eq!(platform.contact("get_groupmsg_send_result", &result).await["send_list"][0]["status"], 1);
    let other = json!({"msgid": id, "userid": "clerk"});
    assert_eq!(code(&platform.contact("get_groupmsg_send_result", &other).await), 40003);
    assert_eq!(code(&platform.contact("get_groupmsg_task", &json!({"msgid": "msg0"})).await), 40058);
}

#[tokio::test]
async fn a_task_is_taken_back_until_somebody_taps_it() {
    let platform = platform().await;
    let mut tasks = Vec::new();
    for words in ["甲", "乙"] {
        let answer = platform.contact("add_msg_template", &task("keeper", &["wrEast"], words)).await;
        tasks.push(json!({"msgid": answer["msgid"]}));
    }
    platform.pass(TimeDelta::seconds(10));
    let stop = async |task: &Value| code(&platform.contact("cancel_groupmsg_send", task).await);
    assert_eq!(stop(&tasks[0]).await, 0);
    assert_eq!(platform.sandbox.phone("o-1").confirm_group_messages(), 1, "the other one");
    assert_eq!(stop(&tasks[1]).await, 40058, "it is in the group");
    assert_eq!(stop(&json!({"msgid": "msg0"})).await, 40058);
    assert_eq!(stop(&json!({"msgid": tasks[0]["msgid"], "userid": "keeper"})).await, 40058, "an unknown field");
    let texts: Vec<_> =
        platform.sandbox.delivered_to_group("wrEast").iter().map(|delivery| delivery.content.text()).collect();
    assert_eq!(texts, ["乙"]);
    let mut page = json!({"msgid": tasks[1]["msgid"], "userid": "keeper", "limit": 1000, "cursor": ""});
    assert_eq!(code(&platform.contact("get_groupmsg_send_result", &page).await), 0);
    page["limit"] = json!(1001);
    assert_eq!(code(&platform.contact("get_groupmsg_send_result", &page).await), 40058);
}

#[tokio::test]
async fn groups_are_listed_page_by_page_with_their_members() {
    let platform = platform().await;
    let list = async |body: Value| platform.contact("groupchat/list", &body).await;
    let first = list(json!({"limit": 1})).await;
    assert_eq!(
        (&first["group_chat_list"], &first["next_cursor"]),
        (&json!([{"chat_id": "wrEast", "status": 0}]), &json!("wrEast"))
    );
    let second = list(json!({"limit": 1, "cursor": "wrEast"})).await;
    assert_eq!((&second["group_chat_list"][0]["chat_id"], &second["next_cursor"]), (&json!("wrWest"), &json!("")));
    let of = |owner: &str| json!({"limit": 10, "owner_filter": {"userid_list": [owner]}});
    assert_eq!(list(of("Keeper")).await["group_chat_list"].as_array().unwrap().len(), 2);
    assert_eq!(list(of("clerk")).await["group_chat_list"], json!([]));
    for wrong in
        [json!({}), json!({"limit": 1001}), json!({"limit": 1, "status_filter": 4}), json!({"limit": 1, "x": 1})]
    {
        assert_eq!(code(&list(wrong.clone()).await), 40058, "{wrong}");
    }
    for number in 0..1001 {
        platform.sandbox.add_phone(Phone::new(format!("o-n{number}"), "员").at_wecom(&format!("n{number}")));
    }
    assert_eq!(code(&list(json!({"limit": 1})).await), 81017);

    let group = platform.contact("groupchat/get", &json!({"chat_id": "wrEast", "need_name": 1})).await;
    assert_eq!(group["group_chat"]["owner"], "keeper");
    assert_eq!(group["group_chat"]["member_list"][1]["name"], "文书");
    assert_eq!(code(&platform.contact("groupchat/get", &json!({"chat_id": "robot"})).await), 40050);
}
