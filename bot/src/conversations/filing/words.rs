//! What is said while a complaint is written.

use qingfeng_core::{complaints::service::MOST_PHOTOS, evidence::MediaKind};

use super::draft::{Draft, Earlier, Step};
use crate::{conversations::wish::plain, messages::shorten};

/// Shown in the look before it is filed, in characters: a chat's answer has 2048 bytes.
const SHOWN_BODY: usize = 300;

/// Of the complaint to which something may be added, in characters.
const SHOWN_TITLE: usize = 16;

pub(super) const INTRODUCTION: &str = "谁看得到：办理的单位看得到您写的、拍的、说的，系统不告诉他们是谁反映的（录音听得出声音，照片不要拍到自己家门牌）；村民群里不公布原话。微信平台和运行本号的单位也看得到这段聊天和您的微信昵称；不想让他们看到，请打开小程序“我要反映”。没提交的半小时后删掉。\n检举干部违纪违法不要写在这里。";

pub(super) const ASKED_WHAT: &str = "请说是什么事、在哪里：写一两句话，或按住说一段语音。不写了发“取消”。";

pub(super) const LAPSED: &str = "您上次没写完的诉求过了半小时，草稿已经删掉，没有登记。";

pub(super) const NO_SUCH_CHOICE: &str = "没有这个选项。";

pub(super) const PHOTOS_ARE_FULL: &str = "照片最多九张，这一张没有收。";

pub(super) const VOICES_ARE_FULL: &str = "语音最多三段，这一段没有收。";

/// The question that is open.
pub(super) fn asked(draft: &Draft) -> String {
    match draft.step {
        Step::Doubted => {
            "先问清楚：这是检举干部违纪违法吗？\n1 是（您写的马上删掉，告诉您安全的地方）\n2 不是，是反映一件事".into()
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
        "是" | "是的" | "对" | "算" | "是举报" => Some(true),
        "不是" | "不" | "没有" | "不算" | "不是举报" | "不是检举" => Some(false),
        _ => None,
    }
}

/// The number of the choice that a word stands for at this question. The same word says yes to one question and no to another:
/// none files or drops anything that does not plainly say so.
pub(super) fn chosen(step: Step, text: &str) -> Option<usize> {
    let plain = plain(text);
    match step {
        Step::Doubted | Step::What | Step::Place => None,
        Step::Offered => offered(&plain),
        Step::More => finished(&plain),
        Step::Summary => confirmed(&plain),
        Step::Changing => changed(&plain),
    }
}

/// 1 to bring it up, 2 not to.
fn offered(plain: &str) -> Option<usize> {
    match plain {
        "是" | "是的" | "对" | "要" | "好" | "好的" | "可以" | "行" | "提交" | "确认" => Some(1),
        "不" | "不是" | "不要" | "不用" | "不用了" | "不了" | "没有" | "没有了" | "没了" => Some(2),
        _ => None,
    }
}

/// 1 when there is nothing more. What answers another question is told apart from what is to be added.
fn finished(plain: &str) -> Option<usize> {
    match plain {
        "是" | "是的" | "对" | "好" | "好的" | "可以" | "行" | "提交" | "确认" | "没有" | "没有了" | "没了"
        | "不用" | "不用了" | "不发了" | "发完了" | "完了" | "好了" | "就这些" | "下一步" => {
            Some(1)
        }
        "不" | "不是" | "不要" | "要" | "改" | "修改" | "改一下" => Some(2),
        _ => None,
    }
}

/// 1 to file it, 2 to change it. 不用了 is asked again: not to change it, or not to file it?
fn confirmed(plain: &str) -> Option<usize> {
    match plain {
        "是" | "是的" | "对" | "好" | "好的" | "可以" | "行" | "提交" | "确认" => Some(1),
        "改" | "修改" | "改一下" => Some(2),
        "不提交" | "不提交了" => Some(3),
        _ => None,
    }
}

/// 4 to leave it as it is; what is to be changed is said by its number or its name.
fn changed(plain: &str) -> Option<usize> {
    match plain {
        "重写" => Some(1),
        "写地点" | "地点" => Some(3),
        "不" | "不要" | "不用" | "不用了" | "不改" | "不改了" | "没有" | "没有了" | "没了" => {
            Some(4)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("是的。", Some(1))]
    #[case("好的", Some(1))]
    #[case("不是！", Some(2))]
    #[case("不用了", Some(2))]
    #[case("没有", Some(2))]
    #[case("改", None)]
    fn words_take_up_or_refuse_what_is_offered(#[case] text: &str, #[case] expected: Option<usize>) {
        assert_eq!(chosen(Step::Offered, text), expected);
    }

    #[rstest]
    #[case("没有了", Some(1))]
    #[case("不用了。", Some(1))]
    #[case("发完了", Some(1))]
    #[case("改", Some(2))]
    #[case("改到三组", None)]
    #[case("好了伤疤忘了疼", None)]
    fn words_end_what_is_added(#[case] text: &str, #[case] expected: Option<usize>) {
        assert_eq!(chosen(Step::More, text), expected);
    }

    #[rstest]
    #[case("提 交", Some(1))]
    #[case("好的", Some(1))]
    #[case("可以", Some(1))]
    #[case("改", Some(2))]
    #[case("不提交了", Some(3))]
    #[case("不用了", None)]
    #[case("不要", None)]
    #[case("不", None)]
    #[case("没了", None)]
    #[case("没有了", None)]
    fn only_words_that_say_so_file(#[case] text: &str, #[case] expected: Option<usize>) {
        assert_eq!(chosen(Step::Summary, text), expected);
    }

    #[rstest]
    #[case("没有了", Some(4))]
    #[case("不用", Some(4))]
    #[case("不用了", Some(4))]
    #[case("不要", Some(4))]
    #[case("不改了", Some(4))]
    #[case("好的", None)]
    #[case("是", None)]
    #[case("写地点", Some(3))]
    fn no_word_of_refusal_drops_what_was_written(#[case] text: &str, #[case] expected: Option<usize>) {
        assert_eq!(chosen(Step::Changing, text), expected);
    }

    #[rstest]
    #[case("是。", Some(true))]
    #[case("不是", Some(false))]
    #[case("不是举报", Some(false))]
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
