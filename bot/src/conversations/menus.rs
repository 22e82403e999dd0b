//! The menus under the chats: what stands on their buttons, and which words they mean.

use serde_json::json;

/// The menu under the chat with the official account: each button means what a word means.
#[must_use]
pub fn menu() -> serde_json::Value {
    let button = |name: &str, key: &str| json!({"type": "click", "name": name, "key": key});
    let more = [button("问卷测评", "survey"), button("村务公示", "board"), button("帮助", "help")];
    json!({"button": [button("反映问题", "file"), button("查进度", "progress"), {"name": "更多", "sub_button": more}]})
}

/// The menu under the chat with the application at WeCom.
#[must_use]
pub fn staff_menu() -> serde_json::Value {
    let button = |name: &str, key: &str| json!({"type": "click", "name": name, "key": key});
    json!({"button": [button("待办", "tasks"), button("村务公示", "board"), button("帮助", "help")]})
}

/// The word that a button of the menu stands for.
pub(super) fn words_of_staff_button(key: &str) -> &'static str {
    match key {
        "tasks" => "待办",
        "board" => "公示",
        _ => "帮助",
    }
}
