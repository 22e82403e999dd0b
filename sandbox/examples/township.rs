//! The simulator alone with a made-up township: `cargo run -p qingfeng-sandbox --example township`, then open
//! <http://127.0.0.1:8090/sandbox/>.

use qingfeng_sandbox::{Group, Phone, Sandbox, SandboxSettings, Template};
use serde_json::{Value, json};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let sandbox = Sandbox::new(SandboxSettings {
        phones: vec![
            Phone::new("o-villager-1", "林水生").with_persona("村民 东河村 3 组"),
            Phone::new("o-secretary-1", "河东升").with_persona("东河村党支部书记"),
        ],
        groups: vec![Group::new("robot-donghe", "东河村村务公开群"), Group::new("robot-xihe", "西河村村务公开群")],
        templates: vec![
            Template::new("TEMPLATE-REMINDER", "事项到期提醒")
                .with_field("thing1", "事项")
                .with_field("date2", "截止日期")
                .with_field("phrase3", "状态"),
            Template::new("TEMPLATE-PROGRESS", "办理进度通知")
                .with_field("thing1", "事项")
                .with_field("thing2", "进度"),
        ],
        ..SandboxSettings::default()
    });
    let running = sandbox.start("127.0.0.1:8090")?;
    tell(&sandbox, &running.wechat_base(), &running.wecom_base()).await.map_err(std::io::Error::other)?;
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
    client.post(format!("{wechat}/cgi-bin/message/custom/send?access_token={token}")).json(&reply).send().await?;

    let progress = "## 东河村十一月整改进度\n> 在办 **4** 项，已销号 **3** 项\n- 三组水渠清淤：<font color=\"info\">按期</font>\n\
                    - 村口路灯维修：<font color=\"warning\">逾期 2 天</font>\n- 低保名单复核：<font color=\"comment\">待群众评价</font>\n\n\
                    [查看公示](http://127.0.0.1:8080/app/)";
    for message in [
        json!({"msgtype": "text", "text": {"content": "本月整改进度将于今天公布，请大家监督。", "mentioned_list": ["@all"]}}),
        json!({"msgtype": "markdown", "markdown": {"content": progress}}),
        json!({"msgtype": "news", "news": {"articles": [{
            "title": "三组水渠修好了吗？请您来评", "description": "只问这条水渠，不问您是谁", "url": "http://127.0.0.1:8080/app/"
        }]}}),
    ] {
        client.post(format!("{wecom}/cgi-bin/webhook/send?key=robot-donghe")).json(&message).send().await?;
    }
    Ok(())
}
