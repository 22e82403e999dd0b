//! The simulator alone with a made-up township: `cargo run -p qingfeng-sandbox --example township`, then open
//! <http://127.0.0.1:8090/sandbox/>.

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use qingfeng_sandbox::{Group, GroupKind, Phone, RunningSandbox, Sandbox, SandboxSettings, Template, WeComAccount};
use serde_json::{Value, json};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let sandbox = Sandbox::new(SandboxSettings {
        phones: vec![
            Phone::new("o-villager-1", "林水生").with_persona("村民 东河村 3 组"),
            Phone::new("o-secretary-1", "河东升").with_persona("东河村党支部书记").at_wecom("secretary"),
        ],
        groups: vec![
            Group::new("robot-donghe", "东河村村务公开群"),
            Group::new("robot-xihe", "西河村村务公开群").of_kind(GroupKind::Dingtalk),
            Group::new("robot-nanhe", "南河村村务公开群").of_kind(GroupKind::Feishu),
            Group::new("wrDonghe", "东河村村民客户群").of_customers("secretary"),
        ],
        templates: vec![
            Template::new("TEMPLATE-REMINDER", "事项到期提醒")
                .with_field("thing1", "事项")
                .with_field("date2", "截止日期")
                .with_field("phrase3", "状态"),
            Template::new("TEMPLATE-PROGRESS", "办理进度通知")
                .with_field("thing1", "事项")
                .with_field("thing2", "进度"),
        ],
        // One account for everything, and an application that listens: what it is told can be looked at.
        official_account: None,
        wecom: WeComAccount {
            callback_url: Some("http://127.0.0.1:8080/callbacks/wecom".into()),
            ..WeComAccount::default()
        },
        ..SandboxSettings::default()
    });
    let running = sandbox.start("127.0.0.1:8090")?;
    tell(&sandbox, &running.wechat_base(), &running.wecom_base()).await.map_err(std::io::Error::other)?;
    tell_others(&sandbox, &running).await.map_err(std::io::Error::other)?;
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}

async fn tell(sandbox: &Sandbox, wechat: &str, wecom: &str) -> reqwest::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let account = sandbox.account();
    let request = json!({"grant_type": "client_credential", "appid": account.app_id, "secret": account.app_secret});
    let answer: Value =
        client.post(format!("{wechat}/cgi-bin/stable_token")).json(&request).send().await?.json().await?;
    let token = answer["access_token"].as_str().unwrap_or_default().to_owned();
    sandbox.accept_subscription("o-secretary-1", "TEMPLATE-REMINDER", 2);
    let reminder = json!({
        "touser": "o-secretary-1", "template_id": "TEMPLATE-REMINDER", "page": "pages/item/item?id=7",
        "miniprogram_state": "formal", "lang": "zh_CN",
        "data": {
            "thing1": {"value": "三组水渠清淤修复"}, "date2": {"value": "2026年11月30日"}, "phrase3": {"value": "即将到期"}
        }
    });
    let url = format!("{wechat}/cgi-bin/message/subscribe/send?access_token={token}");
    client.post(url).json(&reminder).send().await?;

    let phone = sandbox.phone("o-villager-1");
    phone.say("3组的水渠什么时候能修好？").await;
    let reply = json!({"touser": phone.openid(), "msgtype": "text", "text": {
        "content": "您反映的水渠问题已列入整改清单，承诺 11 月 30 日前完成。\n进度：http://127.0.0.1:8080/app/"
    }});
    let question = json!({"touser": phone.openid(), "msgtype": "msgmenu", "msgmenu": {
        "head_content": "水渠修好了吗？", "tail_content": "点一下就行", "list": [
            {"id": "1", "content": "修好了"}, {"id": "2", "content": "还没有"},
        ],
    }});
    for message in [reply, question] {
        client.post(format!("{wechat}/cgi-bin/message/custom/send?access_token={token}")).json(&message).send().await?;
    }

    let progress = "## 东河村十一月整改进度\n> 在办 **4** 项，已销号 **3** 项\n- 三组水渠清淤：<font color=\"info\">按期</font>\n\
                    - 村口路灯维修：<font color=\"warning\">逾期 2 天</font>\n- 低保名单复核：<font color=\"comment\">待群众评价</font>\n\n\
                    [查看公示](http://127.0.0.1:8080/app/)";
    for message in [
        json!({"msgtype": "text", "text": {"content": "本月整改进度将于今天公布，请大家监督。", "mentioned_list": ["@all"]}}),
        json!({"msgtype": "markdown", "markdown": {"content": progress}}),
        json!({"msgtype": "news", "news": {"articles": [{
            "title": "三组水渠修好了吗？请您来评", "description": "只问这条水渠，不问您是谁", "url": "http://127.0.0.1:8080/app/"
        }]}}),
        json!({"msgtype": "image", "image": {"base64": STANDARD.encode(PICTURE), "md5": hex::encode(Md5::digest(PICTURE))}}),
        json!({"msgtype": "template_card", "template_card": {
            "card_type": "text_notice", "source": {"desc": "清风"}, "main_title": {"title": "十一月整改", "desc": "截至今日"},
            "emphasis_content": {"title": "3", "desc": "已销号"}, "quote_area": {"quote_text": "请大家监督"},
            "horizontal_content_list": [{"keyname": "在办", "value": "4 项"}, {"keyname": "逾期", "value": "1 项"}],
            "card_action": {"type": 1, "url": "http://127.0.0.1:8080/app/"},
        }}),
    ] {
        client.post(format!("{wecom}/cgi-bin/webhook/send?key=robot-donghe")).json(&message).send().await?;
    }
    Ok(())
}

/// A square of one colour.
const PICTURE: &[u8] = include_bytes!("square.png");

/// The robots of the other platforms, and a message that the secretary has to confirm.
async fn tell_others(sandbox: &Sandbox, running: &RunningSandbox) -> reqwest::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let page = "http://127.0.0.1:8080/app/";
    for message in [
        json!({"msgtype": "actionCard", "actionCard": {"title": "十一月整改", "text": "### 十一月整改\n在办 4 项，已销号 3 项", "btns": [
            {"title": "看公示", "actionURL": page}, {"title": "去评价", "actionURL": page},
        ]}}),
        json!({"msgtype": "feedCard", "feedCard": {"links": [
            {"title": "三组水渠修好了", "messageURL": page, "picURL": "http://127.0.0.1:8090/none.png"},
            {"title": "村口路灯亮了", "messageURL": page, "picURL": "http://127.0.0.1:8090/none.png"},
        ]}}),
    ] {
        let url = format!("{}/robot/send?access_token=robot-xihe", running.dingtalk_base());
        client.post(url).json(&message).send().await?;
    }
    let card = json!({"msg_type": "interactive", "card": {
        "header": {"title": {"tag": "plain_text", "content": "十一月整改"}},
        "elements": [
            {"tag": "div", "text": {"tag": "lark_md", "content": "在办 **4** 项，已销号 **3** 项"}}, {"tag": "hr"},
            {"tag": "action", "actions": [{"tag": "button", "text": {"tag": "plain_text", "content": "看公示"}, "url": page}]},
        ],
    }});
    let url = format!("{}/open-apis/bot/v2/hook/robot-nanhe", running.feishu_base());
    client.post(url).json(&card).send().await?;

    let (wecom, account) = (running.wecom_base(), sandbox.wecom_account());
    let query = [("corpid", &account.corp_id), ("corpsecret", &account.secret)];
    let answer: Value = client.get(format!("{wecom}/cgi-bin/gettoken")).query(&query).send().await?.json().await?;
    let token = answer["access_token"].as_str().unwrap_or_default().to_owned();
    for (call, message) in [
        (
            "message/send",
            json!({"touser": "secretary", "agentid": account.agent_id, "msgtype": "template_card", "template_card": {
                "card_type": "button_interaction", "main_title": {"title": "水渠还有 3 天到期"}, "task_id": "canal-3",
                "button_list": [{"text": "知道了", "style": 1, "key": "known"}, {"text": "要延期", "style": 2, "key": "more_time"}],
            }}),
        ),
        (
            "externalcontact/add_msg_template",
            json!({"chat_type": "group", "sender": "secretary", "chat_id_list": ["wrDonghe"], "text": {
                "content": "三组水渠已修好，请大家来评。"
            }}),
        ),
    ] {
        client.post(format!("{wecom}/cgi-bin/{call}?access_token={token}")).json(&message).send().await?;
    }
    Ok(())
}
