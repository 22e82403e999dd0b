use crate::refusal::{Refusal, RefusalKind};

/// Why something cannot be done with an anonymous survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedSurveyRefusal {
    #[error("this installation has no co-signer of its own: level 1 at best")]
    NoCosigner,
    #[error("a rating of persons below level 2")]
    LevelTooLowForPersons,
    #[error("no group is large enough to be asked without being recognized")]
    NobodyToAsk,
    #[error("the roll has shrunk below what hides anybody")]
    RollTooSmall,
    #[error("the box's state does not allow it")]
    WrongState,
    #[error("before the first day")]
    TooEarly,
    #[error("after the last day")]
    TooLate,
    #[error("the quorum has not signed the manifest yet")]
    NotSignedYet,
    #[error("the paper slips have not been made yet")]
    PaperMissing,
    #[error("no credentials are given out now")]
    NotIssuing,
    #[error("another request of this person was signed")]
    AlreadyIssued,
    #[error("the register says paper")]
    VotesOnPaper,
    #[error("no phone of this person is enrolled at the co-signer")]
    NotEnrolled,
    #[error("not signed by the enrolled phone")]
    WrongDevice,
    #[error("not a blinded message")]
    BadRequest,
    #[error("this way of answering does not protect enough for this survey")]
    LevelTooLow,
    #[error("this survey is answered on paper alone")]
    PaperOnly,
    #[error("not published yet")]
    NotPublished,
    #[error("no paper slips, or not so many")]
    WrongSlips,
    #[error("this box has no paper slips")]
    NoPaper,
    #[error("the slips have been signed")]
    SlipsSigned,
    #[error("the person has a credential already")]
    IssuedElectronically,
}

impl From<SealedSurveyRefusal> for Refusal {
    fn from(refusal: SealedSurveyRefusal) -> Self {
        use RefusalKind::{BadInput, Conflict, Forbidden};
        use SealedSurveyRefusal as R;
        let (kind, code, sentence) = match refusal {
            R::NoCosigner => (
                Conflict,
                "no_cosigner",
                "本平台没有独立的共签方，做不到这个保护级别。请先由县里或监督委员会设立共签方。",
            ),
            R::LevelTooLowForPersons => (BadInput, "level_too_low_for_persons", "评议人的测评，保护级别至少要是2级。"),
            R::NobodyToAsk => (Conflict, "nobody_to_ask", "每一组人数都太少，问了会认出人来，这次测评不能开展。"),
            R::RollTooSmall => (Conflict, "roll_too_small", "名册上的人数少于30人，问了会认出人来，这个票箱不能开。"),
            R::WrongState => (Conflict, "sealed_survey_state", "测评现在的状态不能办这一步，请刷新后再看。"),
            R::TooEarly => (Conflict, "too_early", "还没有到开始的日子。"),
            R::TooLate => (Conflict, "too_late", "已经过了领票的最后一天。"),
            R::NotSignedYet => (Conflict, "not_signed_yet", "共签方和见证方还没有都签名，请稍后再试。"),
            R::PaperMissing => (Conflict, "paper_missing", "纸票还没有制好，不能开箱。"),
            R::NotIssuing => (Conflict, "not_issuing", "现在不在领票的时间内。"),
            R::AlreadyIssued => (Conflict, "already_issued", "您已经领过票了，请用领票的那部手机继续。"),
            R::VotesOnPaper => (Conflict, "votes_on_paper", "登记册上您选择了纸票，不能再用手机领票。"),
            R::NotEnrolled => (Conflict, "not_enrolled", "这部手机还没有登记，请先用登记卡登记。"),
            R::WrongDevice => (Forbidden, "wrong_device", "领票要用登记过的那部手机。"),
            R::BadRequest => (BadInput, "bad_request", "领票的内容不对，请更新后再试。"),
            R::LevelTooLow => (Forbidden, "level_too_low", "这次测评请从小程序或共签方的网页作答，保护更好。"),
            R::PaperOnly => (Forbidden, "paper_only", "这次测评只用纸票，手机不能领票。请到村里抽纸票。"),
            R::NotPublished => (Conflict, "not_published", "结果还没有公布，现在谁也看不到。"),
            R::WrongSlips => (Conflict, "wrong_slips", "纸票的数量或编码与制票记录对不上。"),
            R::NoPaper => (Conflict, "no_paper", "这个票箱没有纸票，不能登记用纸票。"),
            R::SlipsSigned => (Conflict, "slips_signed", "这个票箱的纸票已经签过了，不能再签一批。"),
            R::IssuedElectronically => (Conflict, "issued_electronically", "这位村民已经用手机领了票，不能再发纸票。"),
        };
        Self::new(kind, code, sentence)
    }
}
