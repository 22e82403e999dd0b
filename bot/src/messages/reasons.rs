//! Why somebody gets a message: one line on each that goes to a person.

use qingfeng_core::outbox::RecipientKind;

/// In the words of the recipient's part in the matter; fits into a field of 20 characters.
pub(super) fn reason(recipient: RecipientKind, kind: &str) -> &'static str {
    match (recipient, kind) {
        (RecipientKind::Resident, "evaluation_opened") => "这件事关系到您",
        // The roll, not whether she took part.
        (RecipientKind::Resident, kind) if kind.starts_with("sealed_survey_") => "您在参加人名单上",
        (RecipientKind::Resident, _) => "您反映了这件事",
        (_, "deadline_escalated") => "按规定超期报上级",
        (_, "deadline_moved_by_calendar") => "您负责的期限变了",
        (_, kind) if kind.starts_with("deadline_") => "您负责办这件事",
        (_, kind) if kind.starts_with("complaint_") => "您是承办人",
        (_, kind) if kind.starts_with("rectification_") || kind == "close_out_refused" => "您是整改责任人",
        (_, "post_prepared" | "post_waiting") => "您负责这个群的转发",
        (_, "post_to_review") => "公示要两个人看过才发",
        (_, "post_rejected") => "这条公示是您写的",
        (_, "answer_wanted") => "您点了卡片上的按钮",
        (_, "assignment_disputed") => "由您单位交办",
        (_, "objection_upheld" | "objection_rejected") => "您说这件事不归您办",
        (_, "summary") => "专项行动定期调度",
        (_, "call_back_due") => "回访由您单位来做",
        (_, "extension_decided") => "您申请了延期",
        _ => "您负责办这件事",
    }
}

/// Why somebody gets several in one.
pub(super) fn reason_for_several(recipient: RecipientKind) -> &'static str {
    match recipient {
        RecipientKind::Resident => "都是您反映或关系到您的事",
        _ => "都是您承办或督办的事",
    }
}
