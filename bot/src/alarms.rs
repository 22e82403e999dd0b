//! What keeps messages from leaving and is for whoever runs the platform to mend, in one list: interfaces that refuse us, templates
//! that are used no more, groups whose robot is gone, events that were given up, scheduled jobs that fail. Each stands there
//! until it works again.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use qingfeng_core::{
    groups,
    ids::GroupId,
    outbox::{
        alarms::{self, AlarmKind, entity::Model as Refused},
        template_stops,
    },
    people::Actor,
    refusal::Fault,
    storage::Store,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    callbacks,
    schedule::{self, FailingJob},
};

/// What sort of thing does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmSource {
    /// An interface of a platform.
    Interface,
    /// A group's robot.
    Group,
    /// A template of subscribe messages; an operator lets it be used again.
    Template,
    /// An event that a platform pushed; an operator tries it again.
    Event,
    /// A scheduled job.
    Schedule,
}

/// Something that does not work.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Alarm {
    /// What acts are about; none where there is nothing to do here.
    pub id: Option<Uuid>,
    pub source: AlarmSource,
    /// As the machines call it.
    pub name: String,
    /// What it is, in Chinese.
    pub what: String,
    /// What is wrong, in Chinese.
    pub trouble: String,
    /// What to do, in Chinese.
    pub advice: String,
    pub since: DateTime<Utc>,
    pub times: i64,
}

/// What is open within the actor's reach.
///
/// # Errors
/// `forbidden` for those who see no alarms; when the database does not answer.
pub async fn open(store: &Store, actor: &Actor) -> Result<Vec<Alarm>, Fault> {
    let refused = alarms::within_reach(store, actor).await?;
    let names = groups::names(store.reader(), refused.iter().filter_map(group_of)).await?;
    let mut open: Vec<Alarm> = refused.into_iter().map(|alarm| of_refusal(&alarm, &names)).collect();
    let waiting = template_stops::waiting(store.reader()).await?;
    open.extend(template_stops::in_force(store.reader()).await?.iter().map(|stop| of_template(stop, waiting)));
    if let Some(county) = actor.county() {
        open.extend(callbacks::given_up(store, county).await?.iter().map(of_event));
        open.extend(schedule::failing_jobs_of(store, county).await?.into_iter().map(of_job));
    }
    Ok(open)
}

/// The same for the machines that watch over this one: a line each, without names or secrets.
///
/// # Errors
/// When the database does not answer.
pub async fn lines(store: &Store) -> Result<Vec<String>, Fault> {
    let mut lines: Vec<_> = alarms::all(store.reader()).await?.iter().map(alarms::line).collect();
    for stop in template_stops::in_force(store.reader()).await? {
        lines.push(format!("template:{} ({}) since {}", stop.template_id, stop.code, stop.stopped_at.to_rfc3339()));
    }
    let given_up = callbacks::given_up_at_all(store).await?;
    if given_up > 0 {
        lines.push(format!("{given_up} events of platforms were given up"));
    }
    for job in schedule::failing_jobs(store).await? {
        lines.push(format!("{} failed {} times since {}", job.job, job.failures, job.since.to_rfc3339()));
    }
    Ok(lines)
}

fn group_of(alarm: &Refused) -> Option<GroupId> {
    alarm.interface.strip_prefix("group:")?.parse().ok()
}

fn of_refusal(alarm: &Refused, names: &HashMap<GroupId, String>) -> Alarm {
    let platform = platform_words(&alarm.interface);
    let (trouble, advice) = match alarm.kind {
        AlarmKind::BadConfig => (
            format!("{platform}不认我们的账号、密钥或服务器地址（{}）", alarm.code),
            format!("请核对配置里{platform}的账号和密钥，并在{platform}后台把服务器地址加进可信名单。"),
        ),
        AlarmKind::DailyQuota => (
            format!("今天的调用次数已用完（{}）", alarm.code),
            "明天会自动恢复。经常这样的话，请在平台后台申请提高额度。".to_owned(),
        ),
        AlarmKind::Permission => (
            format!("{platform}没有开通这个接口（{}）", alarm.code),
            format!("请在{platform}后台开通这个接口，或给应用授予权限。"),
        ),
        AlarmKind::ChannelGone => (
            "群机器人已被移除，或密钥失效".to_owned(),
            "请在群里重新添加机器人，再把新密钥换上。换好并发出一条以后，这里会自动消失。".to_owned(),
        ),
        AlarmKind::UnknownCode => (
            format!("{platform}拒绝了我们，原因程序不认识（{}）", alarm.code),
            format!("请到{platform}开放文档查这个返回码，按说明处理。这个接口再次成功后，这里会自动消失。"),
        ),
        AlarmKind::Clock => (
            "平台推送的时间和本机相差十分钟以上，推送都没有收下".to_owned(),
            "请校准服务器的时间。时间没有错的话，可能是有人重放旧的推送。收到正常的推送后，这里会自动消失。".to_owned(),
        ),
    };
    let group = group_of(alarm);
    Alarm {
        id: None,
        source: if group.is_some() { AlarmSource::Group } else { AlarmSource::Interface },
        name: alarm.interface.clone(),
        what: match group {
            Some(group) => format!("群“{}”", names.get(&group).map(String::as_str).unwrap_or_default()),
            None => interface_words(&alarm.interface),
        },
        trouble,
        advice,
        since: alarm.since,
        times: alarm.times.into(),
    }
}

fn platform_words(interface: &str) -> &'static str {
    if interface.starts_with("wecom:") { "企业微信" } else { "微信" }
}

/// What an interface is for, and whose it is.
fn interface_words(interface: &str) -> String {
    if interface == alarms::CLOCK {
        return "服务器的时间".to_owned();
    }
    let platform = platform_words(interface);
    let mut parts = interface.splitn(3, ':').skip(1);
    let (account, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let what = match path {
        "token" => "访问凭证（不通则什么都发不出）",
        "/cgi-bin/message/subscribe/send" => "订阅消息",
        "/cgi-bin/message/template/send" => "服务号模板消息",
        "/cgi-bin/message/custom/send" => "服务号回复",
        "/cgi-bin/message/send" => "应用消息",
        "/cgi-bin/message/update_template_card" => "卡片按钮的更新",
        "/cgi-bin/media/get" | "/cgi-bin/media/upload" => "照片、语音和文件",
        "/cgi-bin/auth/getuserinfo" => "干部登录",
        "/sns/jscode2session" => "小程序登录",
        "/cgi-bin/menu/create" => "服务号菜单",
        "/wxaapi/newtmpl/gettemplate" | "/cgi-bin/template/get_all_private_template" => "消息模板的清单",
        "/wxa/generate_urllink" | "/wxa/generatescheme" | "/wxa/getwxacodeunlimit" => "小程序链接和小程序码",
        "/wxa/msg_sec_check" => "公示内容的安全检查",
        "/wxa/business/getuserphonenumber" => "手机号授权",
        path if path.starts_with("/cgi-bin/externalcontact/") => "客户群群发",
        path => return format!("{platform}接口 {path}（账号 {account}）"),
    };
    format!("{platform}：{what}（账号 {account}）")
}

fn of_template(stop: &template_stops::entity::Model, waiting: u64) -> Alarm {
    let trouble = if stop.people > 0 {
        format!("连续{}个人都收不到（{}），已停用", stop.people, stop.code)
    } else {
        format!("微信停用了这个模板（{}）", stop.code)
    };
    Alarm {
        id: Some(stop.id.0),
        source: AlarmSource::Template,
        name: stop.template_id.clone(),
        what: format!("微信订阅消息模板 {}", stop.template_id),
        trouble,
        advice: format!(
            "请到微信公众平台查看这个模板为什么不能用，处理好后点“重新启用”。现在有{waiting}条消息在等模板，启用后接着发。"
        ),
        since: stop.stopped_at,
        times: stop.people.max(1).into(),
    }
}

fn of_event(event: &callbacks::GivenUp) -> Alarm {
    let what = match event.event.as_str() {
        "template_card_event" => "卡片按钮的点击",
        name if name.starts_with("subscribe_msg_") => "订阅授权的变化",
        "TEMPLATESENDJOBFINISH" => "模板消息的送达结果",
        _ => "平台推送的事件",
    };
    Alarm {
        id: Some(event.id),
        source: AlarmSource::Event,
        name: event.event.clone(),
        what: what.to_owned(),
        trouble: format!("处理了{}次都没有成功，已放下", event.attempts),
        advice: "请查看程序日志里的原因，处理好后点“再试一次”。".to_owned(),
        since: event.received_at,
        times: event.attempts.into(),
    }
}

fn of_job(job: FailingJob) -> Alarm {
    let what = match job.job.as_str() {
        "surveys" => "测评到期收结",
        "duties" => "开出到期任务",
        "reminders" => "到期提醒",
        "silence" => "未评价的询问",
        "prepared_posts" => "转发公示的提醒",
        "monthly_posts" => "每月公示",
        "housekeeping" => "日常清理",
        _ => "专项行动的定时任务",
    };
    Alarm {
        id: None,
        source: AlarmSource::Schedule,
        what: format!("定时任务：{what}"),
        name: job.job,
        trouble: "一直没有完成".to_owned(),
        advice: "程序会不断重试，成功后这里会自动消失。一直不成功的话，请查看程序日志。".to_owned(),
        since: job.since,
        times: job.failures.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::interface_words;

    #[test]
    fn interfaces_are_called_by_what_they_are_for() {
        assert_eq!(interface_words("wechat:wx1:/cgi-bin/message/subscribe/send"), "微信：订阅消息（账号 wx1）");
        let task = "wecom:1000002:/cgi-bin/externalcontact/add_msg_template";
        assert_eq!(interface_words(task), "企业微信：客户群群发（账号 1000002）");
        assert_eq!(interface_words("wechat:wx1:/wxa/other"), "微信接口 /wxa/other（账号 wx1）");
        assert_eq!(interface_words("clock"), "服务器的时间");
    }
}
