//! What the platforms' error codes mean for a message. The same number means different things in different places.

use chrono::{DateTime, TimeDelta, Utc};

use crate::delivery::Outcome;

/// Where a code came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `api.weixin.qq.com`, an API call with an access token.
    MiniProgramCall,
    /// `api.weixin.qq.com`, asking for an access token.
    TokenEndpoint,
    /// A WeCom group robot.
    GroupRobot,
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
    /// This person accepts no message of this template (any more).
    NoConsent(String),
    Final(String),
}

impl Meaning {
    pub(super) fn outcome(self, now: DateTime<Utc>) -> Outcome {
        match self {
            Self::Taken => Outcome::Taken(None),
            Self::TokenStale => {
                Outcome::Later { at: now + TimeDelta::minutes(5), reason: "访问令牌反复失效".into() }
            }
            Self::Later { after, reason } => Outcome::Later { at: now + after, reason },
            Self::NoConsent(reason) => Outcome::NoConsent(reason),
            Self::Final(reason) => Outcome::Final(reason),
        }
    }
}

pub(super) fn meaning(place: Place, code: i64) -> Meaning {
    use Place::{GroupRobot, MiniProgramCall, TokenEndpoint};
    let later = |minutes, reason: &str| Meaning::Later {
        after: TimeDelta::minutes(minutes),
        reason: format!("{reason}（{code}）"),
    };
    let last = |reason: &str| Meaning::Final(format!("{reason}（{code}）"));
    match (place, code) {
        (_, 0) => Meaning::Taken,
        (_, -1) => later(1, "平台繁忙"),
        (MiniProgramCall, 40001 | 40014 | 42001 | 41001) => Meaning::TokenStale,
        (TokenEndpoint, 40001 | 40002 | 40013 | 40125 | 40164 | 41002 | 41004 | 89503 | 89506 | 89507) => {
            later(10, "小程序账号设置不对，请管理员检查")
        }
        (MiniProgramCall | TokenEndpoint, 45011 | 44991) | (GroupRobot, 45009 | 45033) => later(1, "发送太快"),
        (MiniProgramCall | TokenEndpoint, 45009) => later(12 * 60, "今天的发送额度已用完"),
        (MiniProgramCall, 43108) => later(1, "平台正在给同一个人发送"),
        // Bursts of it are reported for templates that work: tried again later, given up after the usual attempts.
        (MiniProgramCall, 40037) => later(15, "消息模板暂不可用"),
        (MiniProgramCall, 43101) => Meaning::NoConsent(format!("本人没有同意接收这类消息（{code}）")),
        (MiniProgramCall, 40003) => last("微信身份不属于本小程序"),
        (MiniProgramCall, 43107) => last("消息模板被平台停用"),
        (MiniProgramCall, 47003) => last("消息内容不合平台格式"),
        (MiniProgramCall, 45168) => last("消息内容含有平台限制的词语"),
        (GroupRobot, 93000) => last("群机器人已被移除或密钥失效"),
        (GroupRobot, 40058) => last("内容超过群机器人的长度限制"),
        (GroupRobot, 44004 | 40035 | 40008) => last("群消息格式不被接受"),
        _ => last("平台拒绝"),
    }
}
