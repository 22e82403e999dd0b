//! What is said while a complaint is written.

use qingfeng_core::{complaints::service::MOST_PHOTOS, evidence::MediaKind};

use super::draft::{Draft, Earlier, Step};
use crate::{conversations::wish::plain, messages::shorten};

/// Shown in the look before it is filed, in characters: a chat's answer has 2048 bytes.
const SHOWN_BODY: usize = 300;

/// Of the complaint to which something may be added, in characters.
const SHOWN_TITLE: usize = 16;

pub(super) const INTRODUCTION: &str = "谁看得到：办理的单位看得到您写的、拍的、说的，系统不告诉他们是谁反映的（录音听得出声音，照片不要拍到自己家门牌）；村民群里不公布原话。微信平台也看得到这段聊天。没提交的半小时后删掉。\n检举干部违纪违法不要写在这里。";

pub(super) const ASKED_WHAT: &str = "请说是什么事、在哪里：写一两句话，或按住说一段语音。不写了发“取消”。";

pub(super) const LAPSED: &str = "您上次没写完的诉求过了半小时，草稿已经删掉，没有登记。";

pub(super) const NO_SUCH_CHOICE: &str = "没有这个选项。";

pub(super) const PHOTOS_ARE_FULL: &str = "照片最多九张，这一张没有收。";

pub(super) const VOICES_ARE_FULL: &str = "语音最多三段，这一段没有收。";

/// The question that is open.
pub(super) fn asked(draft: &Draft) -> String {
    match draft.step {
        Step::Doubted => {
            "这里面说到了干部。是检举干部违纪违法吗？\n1 是（您写的马上删掉，告诉您安全的地方）\n2 不是，是反映一件事"
                .into()
        }
        Step::Offered => match &draft.may_belong_to {
            Some(Earlier { number, title, .. }) if !draft.media.is_empty() => {
                let title = shorten(title, SHOWN_TITLE);
                format!("要用它反映问题吗？\n1 反映新的事\n2 不是（不保存）\n3 补到{number}“{title}”")
            }
            _ if draft.body.is_empty() => "要用它反映问题吗？\n1 反映\n2 不是（不保存）".into(),
            _ => "要作为诉求反映吗？\n1 反映\n2 不是（不保存）".into(),
        },
        Step::What => ASKED_WHAT.into(),
        Step::More => {
            format!("可以接着发照片（最多{MOST_PHOTOS}张）、语音、位置，或补充几句；都由您定，不发也行。\n发完了回 1。")
        }
        Step::Summary => summary(draft),
        Step::Changing => "改哪里？\n1 重写是什么事\n2 去掉照片、语音、位置，重新发\n3 写地点\n4 不改了".into(),
        Step::Place => "请写在哪里，比如“三组水塔旁”。".into(),
    }
}

/// What will be filed.
fn summary(draft: &Draft) -> String {
    let mut lines = vec!["请看一遍：".to_owned(), format!("什么事：{}", shorten(&draft.body, SHOWN_BODY))];
    if !draft.place.is_empty() {
        lines.push(format!("在哪里：{}", draft.place));
    }
    let (photos, voices) = (draft.count(MediaKind::Photo), draft.count(MediaKind::Voice));
    if photos + voices > 0 {
        lines.push(format!("照片{photos}张，语音{voices}段"));
    }
    lines.push("交给您自己村所在的镇专项行动办。".into());
    lines.push("1 提交\n2 改\n3 取消".into());
    lines.join("\n")
}

/// The answer to whether it is a report: 没有 is no yes here.
pub(super) fn is_a_report(text: &str) -> Option<bool> {
    match plain(text).as_str() {
        "是" | "是的" | "对" | "算" => Some(true),
        "不是" | "不" | "没有" | "不算" => Some(false),
        _ => None,
    }
}

/// The number of the choice that a word stands for, whatever the question.
pub(super) fn chosen(text: &str) -> Option<usize> {
    Some(match plain(text).as_str() {
        "是" | "是的" | "对" | "要" | "好" | "好的" | "可以" | "行" | "提交" | "确认" | "没有" | "没有了" | "没了"
        | "不用了" | "发完了" | "完了" | "好了" | "下一步" => 1,
        "不" | "不是" | "不要" | "不用" | "改" | "修改" | "改一下" => 2,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("是的。", Some(1))]
    #[case("提 交", Some(1))]
    #[case("没有了", Some(1))]
    #[case("不是！", Some(2))]
    #[case("改", Some(2))]
    #[case("改到三组", None)]
    #[case("好了伤疤忘了疼", None)]
    fn words_stand_for_numbers(#[case] text: &str, #[case] expected: Option<usize>) {
        assert_eq!(chosen(text), expected);
    }

    #[rstest]
    #[case("是。", Some(true))]
    #[case("不是", Some(false))]
    #[case("没有", Some(false))]
    #[case("好的", None)]
    #[case("提交", None)]
    fn whether_it_is_a_report_is_not_taken_from_a_courtesy(#[case] text: &str, #[case] expected: Option<bool>) {
        assert_eq!(is_a_report(text), expected);
    }

    #[test]
    fn the_look_at_a_long_draft_fits_into_an_answer() {
        let mut draft = Draft::new("name".into(), Step::Summary);
        draft.body = "路".repeat(2000);
        draft.place = "塔".repeat(100);
        assert!(asked(&draft).len() < 2048);
    }
}
