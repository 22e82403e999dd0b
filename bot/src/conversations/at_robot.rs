//! The smart robot of WeCom: to one member of staff it says what the application says; in a group only what everybody may
//! know. Who asked is used to find the county and forgotten.

use qingfeng_core::{people::phones, refusal::Fault};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    AT_WORK, BEING_ANSWERED, Conversations, HANDLED, PushFault, REMEMBERED, Wish, at_wecom, deadline, in_time, opinion,
    robot::{Told, What},
    standing,
};
use crate::messages::within_bytes;

/// Longest answer of the robot, in bytes.
const LONGEST: usize = 20_480;

const PUBLIC_HELP: &str = "群里可以@我发：\n“公示” 看各村在办的事\n整改编号（ZG开头） 看一件办到哪一步\n自己的事不要在群里说：反映问题、查进度请打开小程序“清风”，或在公众号里发“反映”。";

const NO_SURVEYS: &str = "问卷和测评不在企业微信里答：企业微信会把您的账号一起传给我们，在这里答就不是不记名了。请用自己的手机在小程序里答。";

impl Conversations {
    /// Takes what the platform told the robot, its encryption opened; gives the answer, not encrypted yet. The same message
    /// delivered again is dropped.
    ///
    /// # Errors
    /// When it is not readable, or something of ours does not answer: then it is delivered again.
    pub async fn take_at_robot(&self, body: &[u8]) -> Result<String, PushFault> {
        let told = Told::parse(body).ok_or(PushFault::Unreadable)?;
        let key = format!("robot:{}", hex::encode(Sha256::digest(&told.message_id)));
        if !self.cache.set_if_absent(&key, BEING_ANSWERED, AT_WORK).await? {
            return self.answered_before(&key, "", "").await;
        }
        match in_time(deadline(), answer(self, &told)).await {
            Ok(answer) => {
                self.cache.set(&key, HANDLED.as_bytes(), REMEMBERED).await?;
                Ok(answer.map_or_else(|| HANDLED.into(), |answer| answer.to_string()))
            }
            Err(fault) => {
                self.cache.remove(&key).await?;
                Err(fault.into())
            }
        }
    }
}

async fn answer(conversations: &Conversations, told: &Told) -> Result<Option<Value>, Fault> {
    let said = match &told.what {
        What::Nothing => return Ok(None),
        // The only message that may be answered with a plain text.
        What::Entered => return Ok(Some(json!({"msgtype": "text", "text": {"content": at_wecom::HELP}}))),
        What::Picture if told.in_group => PUBLIC_HELP.to_owned(),
        What::Picture => "我只看得懂文字。照片请在工作台打开“清风”上传。".to_owned(),
        What::Words(text) if told.in_group => in_group(conversations, &told.user_id, text).await?,
        What::Words(text) => at_wecom::reply(conversations, &told.user_id, text).await?,
    };
    let id = hex::encode(conversations.store.randomness().bytes::<16>());
    let stream = json!({"id": id, "finish": true, "content": within_bytes(&said, LONGEST)});
    Ok(Some(json!({"msgtype": "stream", "stream": stream})))
}

/// What everybody in the group may read.
async fn in_group(conversations: &Conversations, user_id: &str, text: &str) -> Result<String, Fault> {
    let wish = Wish::of_staff(text);
    if wish == Wish::Report {
        let sealed_way = conversations.sealed_way().await?;
        return Ok(format!("群里大家都看得到，请把这条撤回。您写的我们没有保存。\n检举干部违纪违法，{sealed_way}"));
    }
    if opinion::is_about_an_office_holder(text) {
        return Ok(conversations.not_here());
    }
    Ok(match wish {
        Wish::Item(number) => {
            let members = phones::members(conversations.store.reader(), user_id).await?;
            match members.first() {
                Some(member) => standing::of_item(conversations, member.county, &number).await?,
                None => conversations.board(),
            }
        }
        Wish::Board => conversations.board(),
        Wish::Survey | Wish::Choice(_) => NO_SURVEYS.into(),
        Wish::Tasks | Wish::MyComplaints | Wish::Complaint(_) | Wish::Receipt(_) => {
            format!("这是个人的事，不在群里说。请单独和我聊，或打开小程序“清风”。\n{PUBLIC_HELP}")
        }
        Wish::File => "反映问题不要在群里说，大家都看得到。请打开小程序“我要反映”，或在公众号里发“反映”。".into(),
        _ => PUBLIC_HELP.into(),
    })
}
