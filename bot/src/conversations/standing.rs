//! How something stands, for whoever asks in the chat. What somebody may not know of is answered like what does not exist.

use qingfeng_core::{
    clock::{shanghai, shanghai_date},
    complaints::{
        RECEIPT_LOOKS, RECEIPT_LOOKS_WINDOW, ReceiptCode, State,
        entity::complaints,
        queries::{self, Filter},
        service,
    },
    ids::CountyId,
    people::{Actor, Resident},
    publication::{PublicItem, item_by_number},
    rectification::State as ItemState,
    refusal::Fault,
};

use super::Conversations;

/// Lines of a list in a chat.
const LINES: usize = 5;

pub(super) async fn of_own(conversations: &Conversations, resident: &Resident) -> Result<String, Fault> {
    let own = queries::list(&conversations.store, &Actor::Resident(resident.clone()), Filter::default()).await?;
    if own.is_empty() {
        return Ok("您还没有反映过问题。要反映，发“反映”。".into());
    }
    let mut lines: Vec<_> = own
        .iter()
        .take(LINES)
        .map(|complaint| {
            let title: String = complaint.title.chars().take(12).collect();
            format!("{} {title}：{}", complaint.number, of_state(complaint.state))
        })
        .collect();
    lines.push("发编号看一件，详情和评价在小程序“我的诉求”。".into());
    Ok(lines.join("\n"))
}

pub(super) async fn of_complaint(
    conversations: &Conversations,
    resident: &Resident,
    number: &str,
) -> Result<String, Fault> {
    let actor = Actor::Resident(resident.clone());
    Ok(match queries::by_number(&conversations.store, &actor, number).await? {
        Some(complaint) => format!("{}\n详情和评价在小程序“我的诉求”。", told(&complaint)),
        None => "您名下没有这个编号。发“进度”看您反映过的事；有纸质回执，发回执上的回执码。".into(),
    })
}

/// By the code on a paper receipt, whoever sends it: as guarded as in the app.
pub(super) async fn of_receipt(conversations: &Conversations, open_id: &str, code: &str) -> Result<String, Fault> {
    // A receipt is nobody's by name: which phone looked one up is not told, not even to the cache.
    let slot = conversations.sealer.pseudonym("receipt_in_chat", open_id);
    if conversations.cache.take_slot(&slot, RECEIPT_LOOKS, RECEIPT_LOOKS_WINDOW).await?.is_some() {
        return Ok("查得太多了，请十分钟后再试。".into());
    }
    let seen = async {
        let digest = ReceiptCode::parse(code)?.digest(&conversations.paper_codes);
        let holder = service::receipt_holder(&conversations.store, digest).await?;
        let Actor::Receipt { complaint, .. } = holder else { return Ok(None) };
        queries::detail(&conversations.store, &holder, complaint).await.map(|seen| Some(seen.complaint))
    };
    match seen.await {
        Ok(Some(complaint)) => {
            Ok(format!("{}\n评价请在小程序“凭回执查询”里做，也可以请网格员帮忙。", told(&complaint)))
        }
        Ok(None) | Err(Fault::Refused(_)) => Ok("没有这个回执码，请对照回执单再发一次。发“帮助”看能做什么。".into()),
        Err(fault) => Err(fault),
    }
}

/// Rectification items are public once they are promised.
pub(super) async fn of_item(conversations: &Conversations, county: CountyId, number: &str) -> Result<String, Fault> {
    let store = &conversations.store;
    let today = shanghai_date(store.clock().now());
    Ok(match item_by_number(store.reader(), county, number, today).await? {
        Some(item) => format!("{}\n{}", of_public_item(&item), conversations.board()),
        None => format!("公示里没有这个编号。{}", conversations.board()),
    })
}

fn of_public_item(item: &PublicItem) -> String {
    let state = match item.state {
        ItemState::NotStarted => "未启动",
        ItemState::InProgress => "推进中",
        ItemState::ReportedDone => "已上报完成，待评价",
        ItemState::Evaluating => "群众正在评价",
        ItemState::Evaluated => "群众已评价，待销号",
        ItemState::Returned => "群众不满意，退回整改",
        ItemState::Closed => "已销号",
    };
    let due = match (item.due_on, item.days_overdue) {
        (Some(_), days @ 1..) => format!("，已超期{days}天"),
        (Some(due_on), _) if item.state != ItemState::Closed => format!("，期限{}", due_on.format("%-m月%-d日")),
        _ => String::new(),
    };
    format!("整改事项{} {}\n现在：{state}{due}", item.number, item.title)
}

fn told(complaint: &complaints::Model) -> String {
    let day = complaint.changed_at.with_timezone(&shanghai()).format("%-m月%-d日");
    format!(
        "{} {}\n现在：{}（{day}更新，第{}轮）",
        complaint.number,
        complaint.title,
        of_state(complaint.state),
        complaint.round
    )
}

/// A complaint's state in words for the person who brought it up.
pub(super) fn of_state(state: State) -> &'static str {
    match state {
        State::Registered => "已登记，等待分类",
        State::Classified => "已分类，等待交办",
        State::Dispatched => "已交办，等待承办单位受理",
        State::Working => "正在办理",
        State::Answered => "已有答复，请您评价",
        State::Rated => "您已评价，等待办结",
        State::Reopened => "群众不满意，正在重新安排",
        State::Parked => "暂时办不了，已挂账",
        State::ParkedUnsatisfied => "有人不满意，已公开挂账，随时可以再评价",
        State::Closed => "已办结",
        State::Merged => "已与同一件事合并办理",
        State::NotAccepted => "不予受理，请看说明",
        State::Withdrawn => "您已撤回",
    }
}
