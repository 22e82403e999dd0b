//! Groups with outside WeChat users: WeCom makes a task of a post, which a member taps on his phone. What became of it has to
//! be asked.

use qingfeng_core::groups::tasks::Standing;
use serde_json::{Value, json};

use super::{
    codes::{Place, meaning},
    exchange,
    wecom_app::WeComApp,
};
use crate::delivery::Outcome;

/// Longest text into a customer group, in bytes.
pub(crate) const LONGEST_GROUP_TEXT: usize = 4000;
/// The task is still being handed to the member.
const DISPATCHING: i64 = 41063;

impl WeComApp {
    /// Makes a task of a post: what is taken is the task, under the name that comes back. Nothing is in the group yet.
    pub async fn customer_group_task(&self, sender: &str, chat_id: &str, text: &str) -> Outcome {
        if text.len() > LONGEST_GROUP_TEXT {
            return Outcome::Final("内容超过企业微信客户群的限制".into());
        }
        let body = json!({
            "chat_type": "group", "sender": sender, "chat_id_list": [chat_id], "text": {"content": text},
        });
        let answer = match self.of_groups("/cgi-bin/externalcontact/add_msg_template", &body).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let Some(code) = exchange::code(&answer, "errcode") else {
            return Outcome::Unknown("企业微信的回应看不懂，不知道是否已发出".into());
        };
        match meaning(Place::WeComCall, code).outcome(self.clock.now()) {
            // To nobody is a success to the platform.
            Outcome::Taken(_) if answer["fail_list"].as_array().is_some_and(|failed| !failed.is_empty()) => {
                Outcome::Final("企业微信里没有这个客户群，或群主不是转发人".into())
            }
            Outcome::Taken(_) => Outcome::Taken(exchange::reference(&answer)),
            other => other,
        }
    }

    /// What became of a task into one group.
    pub async fn group_task_standing(&self, task: &str, sender: &str) -> Standing {
        let path = "/cgi-bin/externalcontact/get_groupmsg_send_result";
        let Ok(answer) = self.of_groups(path, &json!({"msgid": task, "userid": sender})).await else {
            return Standing::Unanswered;
        };
        match exchange::code(&answer, "errcode") {
            Some(0) => {}
            Some(DISPATCHING) => return Standing::Dispatching,
            _ => return Standing::Unanswered,
        }
        match exchange::code(&answer["send_list"][0], "status") {
            Some(0) => Standing::Untapped,
            Some(1) => Standing::Posted,
            Some(2) => Standing::NotPosted("企业微信没有发到这个客户群：群已解散，或转发人不在群里".into()),
            Some(3) => Standing::NotPosted("这个客户群收到的群发已满，企业微信没有发出".into()),
            _ => Standing::Unanswered,
        }
    }

    /// Takes a task back that nobody has tapped: nobody can any more.
    pub async fn stop_group_task(&self, task: &str) -> Outcome {
        match self.of_groups("/cgi-bin/externalcontact/cancel_groupmsg_send", &json!({"msgid": task})).await {
            Ok(answer) => match exchange::code(&answer, "errcode") {
                Some(code) => meaning(Place::WeComCall, code).outcome(self.clock.now()),
                None => Outcome::Unknown("企业微信的回应看不懂，不知道是否已停止".into()),
            },
            Err(outcome) => outcome,
        }
    }

    async fn of_groups(&self, path: &str, body: &Value) -> Result<Value, Outcome> {
        let request =
            |token: &str| self.client.post(format!("{}{path}", self.base)).query(&[("access_token", token)]).json(body);
        self.tokens.call(path, request).await
    }
}
