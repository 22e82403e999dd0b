use crate::refusal::{Refusal, RefusalKind};

/// Why a sign-in is refused. The words never tell whether an account exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefusal {
    #[error("login, password or code is wrong")]
    WrongCredentials,
    #[error("too many attempts")]
    TooManyAttempts,
    #[error("the session is over")]
    SessionOver,
    #[error("the invitation is unknown, used or expired")]
    InvitationInvalid,
    #[error("this phone belongs to another resident already")]
    PhoneTaken,
    #[error("this name at WeCom belongs to another member of staff already")]
    WecomTaken,
    #[error("this account belongs to another member at WeCom already")]
    OtherWecomBound,
    #[error("the binding ticket is unknown or expired")]
    TicketExpired,
    #[error("the binding ticket from WeCom is unknown, expired or another browser's")]
    WecomTicketExpired,
}

impl From<SignInRefusal> for Refusal {
    fn from(refusal: SignInRefusal) -> Self {
        use RefusalKind::{Conflict, TooManyRequests, Unauthenticated};
        let (kind, code, sentence) = match refusal {
            SignInRefusal::WrongCredentials => (Unauthenticated, "wrong_credentials", "账号、密码或动态验证码不正确。"),
            SignInRefusal::TooManyAttempts => {
                (TooManyRequests, "too_many_attempts", "尝试次数过多，请十五分钟后再试。")
            }
            SignInRefusal::SessionOver => (Unauthenticated, "session_over", "登录已失效，请重新登录。"),
            SignInRefusal::InvitationInvalid => {
                (Unauthenticated, "invitation_invalid", "邀请码不对、已用过或已过期，请向村里重新领取。")
            }
            SignInRefusal::PhoneTaken => (Conflict, "phone_taken", "这个微信已经绑定了另一位村民。"),
            SignInRefusal::WecomTaken => (Conflict, "wecom_taken", "这个企业微信已经绑定了另一个账号，请联系管理员。"),
            SignInRefusal::OtherWecomBound => (
                Conflict,
                "other_wecom_bound",
                "这个账号绑定的是另一个企业微信。确定要换绑，请填下一个动态验证码，再点“换绑”。",
            ),
            SignInRefusal::TicketExpired => (Unauthenticated, "ticket_expired", "等待时间过长，请重新打开小程序。"),
            SignInRefusal::WecomTicketExpired => {
                (Unauthenticated, "ticket_expired", "等待时间过长，请重新点“用企业微信登录”，或者直接用账号登录。")
            }
        };
        Self::new(kind, code, sentence)
    }
}
