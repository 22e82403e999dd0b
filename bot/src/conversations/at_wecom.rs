//! Staff write to the application at WeCom: what waits for them, how an item stands, the reason for what they tapped.

use qingfeng_core::{
    clock::shanghai_date,
    complaints::queries,
    deadlines::desk,
    ids::StaffId,
    people::{
        self, Actor,
        authorization::{Action, Reach, reach},
        phones,
    },
    refusal::Fault,
};

use super::{
    Conversations, Wish, answers,
    open_questions::OpenQuestions,
    opinion,
    standing::{self, of_state},
};

/// Lines of a list in a chat.
const LINES: usize = 5;

pub(super) const HELP: &str = "可以发：\n“待办” 看快到期的事\n诉求编号（SQ开头） 看一件办到哪一步\n卡片上的按钮可以直接答：受理、知道了、要延期、不是我的。\n请不要在这里发群众的个人信息。";

/// What to say to a member of the corporation who wrote this.
pub(super) async fn reply(conversations: &Conversations, user_id: &str, text: &str) -> Result<String, Fault> {
    let wish = Wish::of_staff(text);
    // Before anything else, and for everybody: who writes a report need not be known to us.
    if wish == Wish::Report {
        return conversations.report("").await;
    }
    let (store, cache) = (&conversations.store, &*conversations.cache);
    let today = shanghai_date(store.clock().now());
    let mut known = None;
    for member in phones::members(store.reader(), user_id).await? {
        known = people::load_staff(store, StaffId(member.id), today).await?.or(known);
    }
    let Some(staff) = known else {
        if opinion::is_about_an_office_holder(text) {
            return Ok(conversations.not_here());
        }
        return Ok(conversations.leads_to_binding());
    };
    let (county, actor) = (staff.county, Actor::Staff(staff));
    let questions = OpenQuestions::of(store, cache, &conversations.sealer, user_id);
    let writer = answers::Writer { user_id, county, actor: &actor };
    let turn = questions.turn().await?;
    let answered = answers::reply(store, &questions, &writer, &wish, text).await;
    turn.give_back().await?;
    if let Some(said) = answered? {
        return Ok(said);
    }
    if opinion::is_about_an_office_holder(text) {
        return Ok(conversations.not_here());
    }
    Ok(match wish {
        Wish::Tasks | Wish::MyComplaints => tasks(conversations, &actor).await?,
        Wish::Complaint(number) => complaint(conversations, &actor, &number).await?,
        Wish::Help | Wish::Cancel => HELP.into(),
        Wish::Item(number) => standing::of_item(conversations, county, &number).await?,
        Wish::Board => conversations.board(),
        Wish::File => "替群众登记请在工作台打开“清风”；自己的事请用个人微信在公众号里发“反映”。".into(),
        Wish::Survey => format!(
            "问卷和测评不在企业微信里答：企业微信会把您的账号一起传给我们，在这里答就不是不记名了。请用自己的手机在小程序里答。\n{HELP}"
        ),
        _ => format!("没看懂您的意思。\n{HELP}"),
    })
}

async fn tasks(conversations: &Conversations, actor: &Actor) -> Result<String, Fault> {
    let Reach::Staff(reach) = reach(actor, Action::ViewDesk) else { return Ok("您没有待办。".into()) };
    let rows = desk::due(&conversations.store, &reach, None).await?;
    if rows.is_empty() {
        return Ok("没有待办，都办完了。".into());
    }
    let today = shanghai_date(conversations.store.clock().now());
    let mut lines: Vec<_> = rows
        .iter()
        .take(LINES)
        .map(|row| {
            let title: String = row.subject_title.chars().take(16).collect();
            let left = row.due_on.map_or_else(
                || "期限未定".to_owned(),
                |due_on| match (due_on - today).num_days() {
                    days @ 1.. => format!("还有{days}天"),
                    0 => "今天到期".into(),
                    days => format!("已超期{}天", -days),
                },
            );
            format!("{title}：{left}")
        })
        .collect();
    if rows.len() > LINES {
        lines.push("还有更多，请在工作台打开“清风”看。".into());
    }
    Ok(lines.join("\n"))
}

async fn complaint(conversations: &Conversations, actor: &Actor, number: &str) -> Result<String, Fault> {
    // Another's number is answered like one that does not exist.
    Ok(match queries::by_number(&conversations.store, actor, number).await? {
        Some(complaint) => format!("{} {}\n现在：{}", complaint.number, complaint.title, of_state(complaint.state)),
        None => "没有这个编号，或者您无权查看。发“待办”看快到期的事。".into(),
    })
}
