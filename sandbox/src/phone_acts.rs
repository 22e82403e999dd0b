//! What a person does with a phone beside writing and tapping buttons.

use serde_json::json;

use crate::{
    PhoneHandle,
    wechat::{EncryptedData, Occasion, PushOutcome, Which, element, grant, push_choice, push_object},
};

impl PhoneHandle {
    /// Submits a card with questions that came through WeCom: for each question what was chosen.
    pub async fn submit(&self, task: &str, key: &str, answers: &[(&str, &[&str])]) -> PushOutcome {
        let offered = {
            let state = self.sandbox.state();
            !answers.is_empty() && state.has_button(&self.openid, task, key) && state.may_answer(task, answers)
        };
        if !offered {
            return PushOutcome::Impossible;
        }
        let option = |id: &&str| element("OptionId", id);
        let item = |(question, chosen): &(&str, &[&str])| {
            let options: String = chosen.iter().map(option).collect();
            let question = element("QuestionKey", question);
            format!("<SelectedItem>{question}<OptionIds>{options}</OptionIds></SelectedItem>")
        };
        let parts = [
            element("MsgType", "event"),
            element("Event", "template_card_event"),
            element("EventKey", key),
            element("TaskId", task),
            element("CardType", if answers.len() == 1 { "vote_interaction" } else { "multiple_interaction" }),
            element("ResponseCode", &self.response_code(task)),
            format!("<SelectedItems>{}</SelectedItems>", answers.iter().map(item).collect::<String>()),
        ];
        self.push_at_wecom("template_card_event", &parts.concat()).await
    }

    /// What a mini-program inside WeCom gets from the platform when this person opens it.
    #[must_use]
    pub fn wecom_mini_program_code(&self) -> String {
        let now = self.sandbox.now();
        self.sandbox.state().mini_program_codes.issue(&self.openid, now)
    }

    /// What the phone hands over of its number in the older way, encrypted with the newest session key; none without a
    /// session.
    #[must_use]
    pub fn encrypted_number(&self, number: &str) -> Option<EncryptedData> {
        let now = self.sandbox.now();
        let state = &mut *self.sandbox.state();
        let message = json!({
            "phoneNumber": number, "purePhoneNumber": number, "countryCode": "86",
            "watermark": {"appid": state.account.app_id, "timestamp": now.timestamp()},
        });
        state.sessions.encrypt(&self.openid, &message, now)
    }

    /// The platform ends the session with the mini-program.
    pub fn end_session(&self) {
        self.sandbox.state().sessions.end(&self.openid);
    }

    /// Wants no template messages of the official account any more.
    pub fn block_template_messages(&self) {
        self.sandbox.state().blocking.insert(self.openid.clone());
    }

    /// Taps a line of a menu that the account sent into the chat.
    pub async fn choose_in_chat(&self, id: &str) -> PushOutcome {
        let words = self.sandbox.state().choice(&self.openid, id);
        match words {
            Some(words) => push_choice(&self.sandbox, Which::OfficialAccount, &self.openid, &words, Some(id)).await,
            None => PushOutcome::Impossible,
        }
    }

    /// Opens the mini-program's customer service; `from` is what the mini-program says about where.
    pub async fn enter_chat(&self, from: &str) -> PushOutcome {
        let now = self.sandbox.now();
        grant(&mut self.sandbox.state(), &self.openid, Occasion::EnteredChat, now);
        let (which, told) = (Which::MiniProgram, json!({"SessionFrom": from}));
        push_object(&self.sandbox, which, &self.openid, "user_enter_tempsession", &told).await
    }

    /// Follows the official account.
    pub async fn follow(&self) -> PushOutcome {
        let now = self.sandbox.now();
        let openid = {
            let state = &mut *self.sandbox.state();
            state.unfollowed.remove(&self.openid);
            let openid = state.openid_at(Which::OfficialAccount, &self.openid);
            grant(state, &openid, Occasion::Followed, now);
            openid
        };
        push_object(&self.sandbox, Which::OfficialAccount, &openid, "subscribe", &json!({"EventKey": ""})).await
    }

    /// Taps the menu under the chat with the application at WeCom.
    pub async fn tap_wecom_menu(&self, key: &str) -> PushOutcome {
        if self.sandbox.state().wecom_menu.button(key).is_none() {
            return PushOutcome::Impossible;
        }
        self.push_at_wecom("click", &wecom_event("click", key)).await
    }

    /// Opens the chat with the application at WeCom.
    pub async fn enter_wecom(&self) -> PushOutcome {
        self.push_at_wecom("enter_agent", &wecom_event("enter_agent", "")).await
    }

    /// Becomes one of those who see the application at WeCom.
    pub async fn join_wecom(&self) -> PushOutcome {
        self.push_at_wecom("subscribe", &wecom_event("subscribe", "")).await
    }
}

fn wecom_event(name: &str, key: &str) -> String {
    element("MsgType", "event") + &element("Event", name) + &element("EventKey", key)
}
