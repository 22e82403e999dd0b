//! What the platforms' error codes mean for a message. The same number means different things in different places.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use qingfeng_core::{
    clock::{shanghai_date, shanghai_instant},
    outbox::alarms::AlarmKind,
};

use crate::delivery::Outcome;

/// Where a code came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `api.weixin.qq.com`, an API call with an access token.
    WeChatCall,
    /// `api.weixin.qq.com`, asking for an access token.
    WeChatToken,
    /// `qyapi.weixin.qq.com`, an API call with an access token.
    WeComCall,
    /// `qyapi.weixin.qq.com`, asking for an access token.
    WeComToken,
    /// A WeCom group robot.
    WeComRobot,
    DingTalkRobot,
    FeishuRobot,
}

/// What to do about a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Taken,
    /// The access token is stale: get another and try once more.
    TokenStale,
    Later {
        after: TimeDelta,
        reason: String,
    },
    /// Too fast: nothing goes to this destination for so long; it is no failed attempt.
    TooFast {
        rest: TimeDelta,
        reason: String,
    },
    /// The day's quota is used up, or our account is set up wrongly: as [`Self::TooFast`], for longer.
    Closed {
        until: Reopens,
        reason: String,
    },
    /// This person cannot be reached this way (any more); another way may do.
    NoConsent(String),
    Final(String),
    /// As [`Self::Final`], for a reason that we do not know.
    Unlisted(String),
    /// The robot or its group is gone: nothing will go there any more.
    Dead(String),
    /// The platform knows no such template, which may pass.
    TemplateDoubted(String),
    /// The platform took the template away.
    TemplateDead(String),
}

/// When an interface may be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reopens {
    /// The platform counts by days of Beijing.
    Tomorrow,
    /// Many wrong requests, and the platform bans our address for an hour.
    InTenMinutes,
}

impl Reopens {
    fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Tomorrow => shanghai_instant(shanghai_date(now) + TimeDelta::days(1), NaiveTime::MIN),
            Self::InTenMinutes => now + TimeDelta::minutes(10),
        }
    }
}

impl Meaning {
    /// Until when nobody asks this interface, or posts with this robot, any more; none when that goes on.
    pub(super) fn rests_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::TooFast { rest, .. } => Some(now + *rest),
            Self::Closed { until, .. } => Some(until.at(now)),
            _ => None,
        }
    }

    pub(super) fn later(minutes: i64, reason: impl Into<String>) -> Self {
        Self::Later { after: TimeDelta::minutes(minutes), reason: reason.into() }
    }

    pub(super) fn outcome(self, now: DateTime<Utc>) -> Outcome {
        match self {
            Self::Taken => Outcome::Taken(None),
            Self::TokenStale => {
                Outcome::Later { at: now + TimeDelta::minutes(5), reason: "访问令牌反复失效".into() }
            }
            Self::Later { after, reason } => Outcome::Later { at: now + after, reason },
            Self::TooFast { rest, reason } => Outcome::Waits { until: now + rest, reason },
            Self::Closed { until, reason } => Outcome::Waits { until: until.at(now), reason },
            Self::NoConsent(reason) => Outcome::NoConsent(reason),
            Self::Final(reason) | Self::Unlisted(reason) | Self::TemplateDead(reason) => Outcome::Final(reason),
            Self::Dead(reason) => Outcome::Dead(reason),
            Self::TemplateDoubted(reason) => Outcome::Later { at: now + TimeDelta::minutes(15), reason },
        }
    }
}

pub(super) fn meaning(place: Place, code: i64) -> Meaning {
    use Place::{DingTalkRobot, FeishuRobot, WeChatCall, WeChatToken, WeComCall, WeComRobot, WeComToken};
    let later = |minutes, reason: &str| Meaning::later(minutes, format!("{reason}（{code}）"));
    let slower = |minutes, reason: &str| Meaning::TooFast {
        rest: TimeDelta::minutes(minutes),
        reason: format!("{reason}（{code}）"),
    };
    let closed = |until, reason: &str| Meaning::Closed { until, reason: format!("{reason}（{code}）") };
    let nobody = |reason: &str| Meaning::NoConsent(format!("{reason}（{code}）"));
    let last = |reason: &str| Meaning::Final(format!("{reason}（{code}）"));
    let dead = |reason: &str| Meaning::Dead(format!("{reason}（{code}）"));
    match (place, code) {
        (_, 0) => Meaning::Taken,
        (_, -1) => later(1, "平台繁忙"),

        (WeChatCall, 40001) | (WeChatCall | WeComCall, 40014 | 42001 | 41001) => Meaning::TokenStale,
        (
            WeChatToken,
            40001 | 40002 | 40013 | 40125 | 40164 | 40243 | 41002 | 41004 | 43002 | 50004 | 50007 | 89503 | 89506
            | 89507,
        )
        | (WeChatCall, 40013 | 40125 | 40164) => closed(Reopens::InTenMinutes, "微信账号设置不对，请管理员检查"),
        (WeComToken, 40001 | 40013 | 40125 | 41002 | 41004 | 60020) | (WeComCall, 60020) => {
            closed(Reopens::InTenMinutes, "企业微信应用设置不对，请管理员检查")
        }

        (WeChatCall | WeChatToken, 45011 | 44991 | 44990) => slower(1, "发送太快"),
        (WeComCall | WeComToken | WeComRobot, 45009 | 45033) => slower(1, "发送太快"),
        // DingTalk silences the robot for ten minutes.
        (DingTalkRobot, 130_101 | 410_100) => slower(10, "发送太快"),
        (FeishuRobot, 11232) => slower(1, "发送太快"),
        // Said to mean too fast by some and a wrong key by others: no reason to retire the group.
        (DingTalkRobot, 300_001) => later(10, "钉钉没有接收，正在重试"),
        (WeChatCall | WeChatToken, 45009 | 44993) => closed(Reopens::Tomorrow, "今天的发送额度已用完"),

        (WeChatCall, 43108) => later(1, "平台正在给同一个人发送"),
        // Bursts of it are reported for templates that work.
        (WeChatCall, 40037) => Meaning::TemplateDoubted(format!("消息模板暂不可用（{code}）")),
        (WeChatCall, 43101) => nobody("本人没有同意接收这类消息"),
        (WeChatCall, 43004) => nobody("本人没有关注服务号"),
        (WeChatCall, 45015) => nobody("本人48小时内没有来过信息，服务号不能主动发"),
        (WeChatCall, 45047) => nobody("本人来过一条信息，只能回五条"),
        (WeChatCall, 70000) => nobody("平台不允许给未成年人发送"),
        (WeChatCall, 61010) => nobody("本人两小时内没有用过小程序"),
        (WeChatCall, 40003 | 43104) => last("微信身份不属于本账号"),
        (WeChatCall, 43107 | 43116) => Meaning::TemplateDead(format!("消息模板被平台停用（{code}）")),
        (WeChatCall, 41030 | 40165) => last("小程序里没有这个页面"),
        (WeChatCall, 40212) => last("小程序链接的参数不合格式"),
        (WeChatCall, 85401) => last("小程序链接的有效期不对"),
        (WeChatCall, 40129 | 40169) => last("小程序码的参数不合格式"),
        (WeChatCall, 85079 | 85096 | 85402) => last("小程序还没有发布"),
        (WeChatCall, 48001 | 48002 | 48004 | 85407) => last("平台没有开通这个接口"),
        (WeChatCall, 40002) => last("没有生成小程序链接的权限"),
        (WeChatCall, 40007 | 41006) => last("照片或语音已过期"),
        (WeChatCall, 40016..=40023) => last("公众号菜单不合平台格式"),
        (WeChatCall, 40029) => last("授权码无效或已用过"),
        (WeChatCall, 85088) => last("小程序没有开通云开发"),
        (WeChatCall, 85406) => later(12 * 60, "今天打开小程序链接的次数已用完"),
        (WeChatCall, 85408) => last("小程序链接的参数不合格式"),
        (WeChatCall, 87007..=87009) => last("登录状态已失效，请重新打开小程序"),
        (WeChatCall, 87020) => last("同一个文件重复检测"),
        (
            WeChatCall,
            47003 | 47001 | 44002 | 44004 | 40004 | 40008 | 40035 | 40058 | 40097 | 43002 | 40249 | 40250 | 40251
            | 40252,
        ) => last("消息内容不合平台格式"),
        (WeChatCall, 45002) => last("消息内容太长"),
        (WeChatCall, 45168 | 87014) => last("消息内容含有平台限制的词语"),

        (WeComCall, 40003 | 60111 | 81013 | 82001) => nobody("企业微信里没有这个人"),
        (WeComCall, 60011) => nobody("本人不在应用的可见范围内"),
        (WeComCall, 41063) => later(2, "企业微信正在派发上一条群消息"),
        (WeComCall, 45035) => later(1, "企业微信正在处理同一个群"),
        (WeComCall, 81017 | 84061) => last("企业微信里没有这个客户群，或群主不是转发人"),
        (WeComCall, 40029) => last("登录码已失效"),
        (WeComCall, 50001) => last("企业微信没有信任这个网址"),
        (WeComCall, 301_002 | 40056 | 41011) => last("企业微信应用编号不对"),
        (WeComCall, 48001 | 48002 | 48004) => last("企业微信没有开通这个接口"),
        (WeComCall, 50003) => last("企业微信应用已停用"),
        (WeComCall, 42014) => last("这张卡片企业微信已经收过"),
        (WeComCall, 40007) => last("文件已过期，要重新上传"),
        (WeComCall, 45001 | 40009) => last("文件大小不合企业微信要求"),
        (WeComCall | WeComRobot, 40058 | 45002 | 45008) => last("内容超过企业微信的限制"),
        (WeComCall | WeComRobot, 44001 | 44004 | 40004 | 40035 | 40063 | 40008) => last("消息格式不被企业微信接受"),

        (WeComRobot, 93000) | (DingTalkRobot, 300_005 | 400_101 | 400_106) => {
            dead("群机器人已被移除或密钥失效，请更换密钥")
        }
        (WeComRobot, 45001) => last("文件大小不合企业微信要求"),
        (WeComRobot, 40009 | 301_019) => last("图片不被企业微信接受"),
        (WeComRobot, 40007) => last("文件已过期，要重新上传"),
        (DingTalkRobot, 400_102) => dead("群机器人已被停用"),
        (DingTalkRobot, 400_013) => dead("群已解散"),
        // One code, four causes.
        (DingTalkRobot, 310_000) => last("钉钉机器人的安全设置不让发：请核对签名密钥、关键词、服务器地址和时间"),
        (DingTalkRobot, 430_101..=430_104) => last("内容含有钉钉限制的词语或链接"),
        (DingTalkRobot, 400_105 | 40035 | 43002 | 43004) => last("消息格式不被钉钉接受"),
        (FeishuRobot, 19021) => last("飞书机器人的签名或时间不对，请核对签名密钥和时间"),
        (FeishuRobot, 19022) => last("服务器地址不在飞书机器人的白名单里"),
        (FeishuRobot, 19024) => last("飞书机器人要求的关键词不在消息里"),
        (FeishuRobot, 19001) => dead("群机器人已被移除或密钥失效，请更换密钥"),
        (FeishuRobot, 9499) => last("消息格式不被飞书接受"),
        (FeishuRobot, 19036) => last("内容超过飞书的长度限制"),
        _ => Meaning::Unlisted(format!("平台拒绝（{code}）")),
    }
}

/// What of a code is for whoever runs the installation to mend. A member whom the application may not see (60011) is not: who that is
/// stands with the message, and the application reaches the others.
pub(super) fn alarm(place: Place, code: i64) -> Option<AlarmKind> {
    use Place::{WeChatCall, WeChatToken, WeComCall, WeComToken};
    match (place, code) {
        (
            WeChatToken,
            40001 | 40002 | 40013 | 40125 | 40164 | 40243 | 41002 | 41004 | 43002 | 50004 | 50007 | 89503 | 89506
            | 89507,
        )
        | (WeChatCall, 40013 | 40125 | 40164)
        | (WeComToken, 40001 | 40013 | 40125 | 41002 | 41004 | 60020)
        | (WeComCall, 60020) => Some(AlarmKind::BadConfig),
        (WeChatCall | WeChatToken, 45009 | 44993) | (WeChatCall, 85406) => Some(AlarmKind::DailyQuota),
        (WeChatCall, 40002 | 48001 | 48002 | 48004 | 85407)
        | (WeComCall, 48001 | 48002 | 48004 | 50003 | 301_002 | 40056 | 41011) => Some(AlarmKind::Permission),
        (WeChatCall | WeChatToken | WeComCall | WeComToken, _) => match meaning(place, code) {
            Meaning::Unlisted(_) => Some(AlarmKind::UnknownCode),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Every code that the platforms document for what we call, where it can come from.
    const DOCUMENTED: [(Place, &[i64]); 7] = [
        (
            Place::WeChatCall,
            &[
                -1, 0, 40001, 40002, 40003, 40007, 40008, 40013, 40014, 40016, 40018, 40029, 40037, 40125, 40129,
                40164, 40165, 40169, 40212, 40249, 40250, 40251, 40252, 41001, 41006, 41030, 42001, 43004, 43101,
                43104, 43107, 43108, 43116, 44002, 44004, 44990, 44991, 44993, 45002, 45009, 45011, 45015, 45047,
                45168, 47001, 47003, 48001, 48002, 48004, 61010, 70000, 85079, 85096, 85401, 85402, 85407, 87014,
            ],
        ),
        (
            Place::WeChatToken,
            &[
                -1, 40001, 40002, 40013, 40125, 40164, 40243, 41002, 41004, 43002, 45009, 45011, 50004, 50007, 89503,
                89506, 89507,
            ],
        ),
        (
            Place::WeComCall,
            &[
                -1, 40003, 40007, 40008, 40014, 40029, 40035, 40056, 40058, 40063, 41001, 41011, 41063, 42001, 44004,
                45001, 45002, 45008, 45009, 45033, 45035, 48001, 48002, 48004, 50001, 50003, 60011, 60020, 60111,
                81013, 81017, 82001, 84061, 301_002,
            ],
        ),
        (Place::WeComToken, &[-1, 40001, 40013, 41004, 45009, 60020]),
        (Place::WeComRobot, &[40004, 40008, 40009, 40035, 40058, 44001, 44004, 45001, 45009, 93000, 301_019]),
        (
            Place::DingTalkRobot,
            &[
                -1, 40035, 43002, 43004, 130_101, 300_001, 300_005, 310_000, 400_013, 400_101, 400_102, 400_105,
                400_106, 410_100, 430_101, 430_102, 430_103, 430_104,
            ],
        ),
        (Place::FeishuRobot, &[9499, 11232, 19001, 19021, 19022, 19024, 19036]),
    ];

    #[test]
    fn every_documented_code_has_words_of_its_own() {
        for (place, codes) in DOCUMENTED {
            for code in codes {
                let said = format!("{:?}", meaning(place, *code));
                assert!(!said.contains("平台拒绝"), "{place:?} {code}: {said}");
            }
        }
    }

    #[rstest]
    // The same number, two meanings.
    #[case(Place::WeChatCall, 40001, "stale")]
    #[case(Place::WeComToken, 40001, "ten minutes")]
    #[case(Place::WeChatToken, 40001, "ten minutes")]
    #[case(Place::WeChatCall, 40164, "ten minutes")]
    #[case(Place::WeComCall, 60020, "ten minutes")]
    #[case(Place::WeChatCall, 45009, "tomorrow")]
    #[case(Place::WeChatCall, 44993, "tomorrow")]
    #[case(Place::WeComCall, 45009, "slower")]
    #[case(Place::WeComRobot, 45009, "slower")]
    #[case(Place::WeComCall, 42001, "stale")]
    #[case(Place::WeComRobot, 42001, "unlisted")]
    #[case(Place::DingTalkRobot, 130_101, "slower")]
    #[case(Place::FeishuRobot, 11232, "slower")]
    #[case(Place::WeComCall, 81013, "nobody")]
    #[case(Place::WeChatCall, 43101, "nobody")]
    #[case(Place::DingTalkRobot, 310_000, "final")]
    #[case(Place::DingTalkRobot, 300_005, "dead")]
    #[case(Place::WeComRobot, 93000, "dead")]
    #[case(Place::FeishuRobot, 19001, "dead")]
    #[case(Place::FeishuRobot, 9499, "final")]
    #[case(Place::FeishuRobot, 424_242, "unlisted")]
    #[case(Place::WeComCall, 424_242, "unlisted")]
    #[case(Place::FeishuRobot, -1, "later")]
    #[case(Place::DingTalkRobot, 0, "taken")]
    #[case(Place::WeChatCall, 40037, "doubted")]
    #[case(Place::WeChatCall, 43107, "template dead")]
    #[case(Place::WeChatCall, 43116, "template dead")]
    // What is wrong with the message stays wrong.
    #[case(Place::WeChatCall, 41030, "final")]
    #[case(Place::WeChatCall, 45168, "final")]
    #[case(Place::WeChatCall, 47003, "final")]
    #[case(Place::WeChatCall, 43108, "later")]
    fn a_code_is_read_where_it_was_said(#[case] place: Place, #[case] code: i64, #[case] expected: &str) {
        let read = match meaning(place, code) {
            Meaning::Taken => "taken",
            Meaning::TokenStale => "stale",
            Meaning::Later { .. } => "later",
            Meaning::TooFast { .. } => "slower",
            Meaning::Closed { until: Reopens::Tomorrow, .. } => "tomorrow",
            Meaning::Closed { until: Reopens::InTenMinutes, .. } => "ten minutes",
            Meaning::NoConsent(_) => "nobody",
            Meaning::Final(_) => "final",
            Meaning::Unlisted(_) => "unlisted",
            Meaning::Dead(_) => "dead",
            Meaning::TemplateDoubted(_) => "doubted",
            Meaning::TemplateDead(_) => "template dead",
        };
        assert_eq!(read, expected);
    }

    #[rstest]
    // Half past seven in the morning in Beijing, and a minute to midnight there.
    #[case("2026-03-01T23:30:00Z")]
    #[case("2026-03-02T15:59:00Z")]
    fn a_days_quota_is_there_again_at_midnight_in_beijing(#[case] now: &str) {
        let midnight: DateTime<Utc> = "2026-03-02T16:00:00Z".parse().unwrap();
        let now: DateTime<Utc> = now.parse().unwrap();
        let said = meaning(Place::WeChatCall, 45009);
        assert_eq!(said.rests_until(now), Some(midnight));
        assert!(matches!(said.outcome(now), Outcome::Waits { until, .. } if until == midnight));
    }

    #[rstest]
    #[case(Place::WeChatToken, 40001, Some(AlarmKind::BadConfig))]
    #[case(Place::WeChatCall, 40001, None)]
    #[case(Place::WeComToken, 40001, Some(AlarmKind::BadConfig))]
    #[case(Place::WeChatCall, 45009, Some(AlarmKind::DailyQuota))]
    #[case(Place::WeComCall, 45009, None)]
    #[case(Place::WeChatCall, 48001, Some(AlarmKind::Permission))]
    #[case(Place::WeComCall, 48002, Some(AlarmKind::Permission))]
    #[case(Place::WeChatCall, 43101, None)]
    #[case(Place::WeChatCall, 0, None)]
    #[case(Place::WeChatCall, 424_242, Some(AlarmKind::UnknownCode))]
    #[case(Place::WeChatToken, 424_242, Some(AlarmKind::UnknownCode))]
    #[case(Place::WeComCall, 424_242, Some(AlarmKind::UnknownCode))]
    #[case(Place::WeComToken, 424_242, Some(AlarmKind::UnknownCode))]
    // A robot's post says so itself, in its group's township.
    #[case(Place::WeComRobot, 424_242, None)]
    fn what_only_an_operator_can_mend_is_an_alarm(
        #[case] place: Place,
        #[case] code: i64,
        #[case] expected: Option<AlarmKind>,
    ) {
        assert_eq!(alarm(place, code), expected);
    }
}
