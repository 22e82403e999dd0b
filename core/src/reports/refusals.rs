use super::MOST_ADDITIONS;
use crate::refusal::{FieldFault, Refusal, RefusalKind};

/// Why something cannot be done with a sealed report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportRefusal {
    #[error("this office has no current key")]
    NotReceiving,
    #[error("not an envelope of the one size")]
    NotSealed,
    #[error("another report is looked up by this")]
    CodeTaken,
    #[error("no report is looked up by this")]
    Unknown,
    #[error("as many additions as a report can have")]
    TooManyAdditions,
    #[error("decided already")]
    Decided,
    #[error("too many requests from one place")]
    TooManyRequests,
    #[error("not a public key")]
    NotAKey,
    #[error("somebody's key already, or one that was retired")]
    KeyUsed,
}

impl From<ReportRefusal> for Refusal {
    fn from(refusal: ReportRefusal) -> Self {
        use RefusalKind::{Conflict, NotFound, TooManyRequests};
        use ReportRefusal as R;
        let field = |pointer: &str, sentence: &str| Self::invalid(vec![FieldFault::new(pointer, sentence)]);
        let (kind, code, sentence) = match refusal {
            R::NotSealed => return field("/sealed", "内容没有按要求加密，请刷新页面后再试。"),
            R::NotAKey => return field("/recipient", "这不是公钥，请刷新页面后再试。"),
            R::NotReceiving => (Conflict, "office_not_receiving", "这个纪委还不能收加密举报，请拨打12388。"),
            R::CodeTaken => (Conflict, "report_code_taken", "这个查询码已经用过，请刷新页面后重新提交。"),
            R::Unknown => (NotFound, "report_unknown", "没有找到，请核对查询码。"),
            R::TooManyAdditions => {
                let sentence = format!("补充已经满{MOST_ADDITIONS}次，请等纪委答复，或拨打12388。");
                return Self::new(Conflict, "too_many_additions", sentence);
            }
            R::Decided => (Conflict, "report_decided", "这件举报已经定过了，不能再改成这样。"),
            R::TooManyRequests => (TooManyRequests, "too_many_requests", "现在提交的人太多，请过十分钟再试。"),
            R::KeyUsed => (Conflict, "report_key_used", "这把公钥已经登记过，请重新生成一把。"),
        };
        Self::new(kind, code, sentence)
    }
}
