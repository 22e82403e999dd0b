//! The simulator as a test or a demonstration speaks to it: what people do with their phones, what arrived, what fails.

use crate::{
    Sandbox,
    faults::{ActiveFault, Fault},
    groups::Group,
    journal::{Call, Content, Delivery, Push, Recipient},
    phones::Phone,
    settings::{Account, WeComAccount},
    wechat::{
        AccountMessage, Callback, Event, LINK_HOST, Passive, PushOutcome, Template, Which, element, issue_code,
        push_at_wecom, push_event, push_message, push_text, verify_callback,
    },
    wecom::{RobotMessage, tell},
};

impl Sandbox {
    /// Adds a phone, or changes the one with the same openid.
    pub fn add_phone(&self, phone: Phone) {
        self.state().phones.insert(phone.openid.clone(), phone);
    }

    /// Adds a group, or renames the one with the same robot.
    pub fn add_group(&self, group: Group) {
        self.state().groups.insert(group.key.clone(), group);
    }

    /// Takes the robot out of its group: from now on its key is unknown (93000).
    pub fn remove_robot(&self, key: &str) {
        self.state().groups.remove(key);
    }

    /// Adds a template, or replaces the one with the same id.
    ///
    /// # Errors
    /// A sentence for the operator when a key is none of the platform's.
    pub fn add_template(&self, template: Template) -> Result<(), String> {
        template.check()?;
        self.state().templates.insert(template.id.clone(), template);
        Ok(())
    }

    #[must_use]
    pub fn account(&self) -> Account {
        self.state().account.clone()
    }

    pub fn set_account(&self, account: Account) {
        self.state().account = account;
    }

    /// The official account; the only account where there is one for everything.
    #[must_use]
    pub fn official_account(&self) -> Account {
        self.state().account_of(Which::OfficialAccount).clone()
    }

    pub fn set_official_account(&self, account: Account) {
        self.state().official_account = Some(account);
    }

    /// Binds both accounts to one another: from now on a person has a union id.
    pub fn bind_to_open_platform(&self) {
        self.state().open_platform = true;
    }

    pub fn set_wecom_account(&self, account: WeComAccount) {
        self.state().wecom_account = account;
    }

    #[must_use]
    pub fn wecom_account(&self) -> WeComAccount {
        self.state().wecom_account.clone()
    }

    /// Whether the account's server answers the platform's question as it should.
    pub async fn verify_callback(&self) -> bool {
        verify_callback(self, Callback::Account).await
    }

    /// The same for the official account's.
    pub async fn verify_official_callback(&self) -> bool {
        verify_callback(self, Callback::OfficialAccount).await
    }

    /// The same for the application at WeCom.
    pub async fn verify_wecom_callback(&self) -> bool {
        verify_callback(self, Callback::Corporation).await
    }

    /// The same for the smart robot.
    pub async fn verify_robot_callback(&self) -> bool {
        verify_callback(self, Callback::Robot).await
    }

    /// The phone with this openid. One that is not registered yet is registered with its openid as label.
    #[must_use]
    pub fn phone(&self, openid: &str) -> PhoneHandle {
        let phone = || Phone::new(openid, openid);
        self.state().phones.entry(openid.to_owned()).or_insert_with(phone);
        PhoneHandle { sandbox: self.clone(), openid: openid.to_owned() }
    }

    /// What `wx.login` gives this person: a code good for five minutes, once.
    #[must_use]
    pub fn login_code(&self, openid: &str) -> String {
        self.phone(openid).login_code()
    }

    /// The page of the mini-program that a link opens, with its query; none when it is over or not the platform's.
    #[must_use]
    pub fn page_of_link(&self, address: &str) -> Option<String> {
        let now = self.now();
        self.state().links.page(address.strip_prefix(LINK_HOST)?, now)
    }

    /// The person accepted the template that many times, silently: no event is pushed.
    pub fn accept_subscription(&self, openid: &str, template: &str, times: u32) {
        self.phone(openid).change_accepts(template, |accepts| accepts.saturating_add(times));
    }

    /// Accepts left of this person for the template.
    #[must_use]
    pub fn accepts_left(&self, openid: &str, template: &str) -> u32 {
        self.state().accepts.get(&(openid.to_owned(), template.to_owned())).copied().unwrap_or_default()
    }

    /// What arrived in the group of this robot, in order.
    #[must_use]
    pub fn delivered_to_group(&self, key: &str) -> Vec<Delivery> {
        self.state().journal.to(&Recipient::Group(key.to_owned()))
    }

    /// What arrived at this member of the corporation through WeCom, in order.
    #[must_use]
    pub fn delivered_to_member(&self, user_id: &str) -> Vec<Delivery> {
        self.state().journal.to(&Recipient::WeComUser(user_id.to_lowercase()))
    }

    /// How often WeCom was asked for a token.
    #[must_use]
    pub fn wecom_token_calls(&self) -> u32 {
        self.state().wecom_app.token_calls
    }

    /// Everything that arrived anywhere, what people wrote to the account included, in order.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state().journal.deliveries.iter().cloned().collect()
    }

    /// Every call of a platform's interface, the refused and the faulty ones included, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().journal.calls.iter().cloned().collect()
    }

    /// Every delivery of a push to the account's server, in order.
    #[must_use]
    pub fn pushes(&self) -> Vec<Push> {
        self.state().journal.pushes.iter().cloned().collect()
    }

    /// Puts a fault in force; of several that meet a call the oldest works.
    pub fn inject(&self, fault: Fault) -> u64 {
        self.state().faults.add(fault)
    }

    /// Ends a fault; whether there was one.
    pub fn end_fault(&self, id: u64) -> bool {
        self.state().faults.remove(id)
    }

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    #[must_use]
    pub fn faults(&self) -> Vec<ActiveFault> {
        self.state().faults.list().to_vec()
    }

    /// The platform holds what people sent to the account no longer, as after three days.
    pub fn forget_media(&self) {
        self.state().account_media = crate::wechat::AccountMedia::default();
    }

    /// Kills every access token now (40001, at WeCom 42001), as a new secret does.
    pub fn revoke_tokens(&self) {
        let state = &mut *self.state();
        state.tokens.revoke_all();
        state.official_tokens.revoke_all();
        state.wecom_app.revoke();
    }
}

/// A person's phone.
#[derive(Clone)]
pub struct PhoneHandle {
    pub(crate) sandbox: Sandbox,
    pub(crate) openid: String,
}

impl PhoneHandle {
    #[must_use]
    pub fn openid(&self) -> &str {
        &self.openid
    }

    /// What the official account calls this person.
    #[must_use]
    pub fn official_openid(&self) -> String {
        self.sandbox.state().openid_at(Which::OfficialAccount, &self.openid)
    }

    /// What `wx.login` gives.
    #[must_use]
    pub fn login_code(&self) -> String {
        let now = self.sandbox.now();
        issue_code(&mut self.sandbox.state(), &self.openid, now)
    }

    /// What arrived on the phone, subscribe messages and the account's answers, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<Delivery> {
        self.sandbox.state().journal.to(&Recipient::Phone(self.openid.clone()))
    }

    /// The subscribe messages among [`Self::messages`].
    #[must_use]
    pub fn subscribe_messages(&self) -> Vec<Delivery> {
        let mut messages = self.messages();
        messages.retain(|message| matches!(message.content, Content::SubscribeMessage { .. }));
        messages
    }

    /// Writes to the official account and waits until the account's server took it, or all deliveries failed.
    pub async fn say(&self, text: &str) -> PushOutcome {
        push_text(&self.sandbox, Which::OfficialAccount, &self.openid, text).await
    }

    /// Writes to the mini-program's customer service.
    pub async fn say_in_mini_program(&self, text: &str) -> PushOutcome {
        push_text(&self.sandbox, Which::MiniProgram, &self.openid, text).await
    }

    /// Sends something to the mini-program's customer service.
    ///
    /// # Errors
    /// A sentence when the phone would not send that.
    pub async fn send_in_mini_program(&self, message: AccountMessage) -> Result<PushOutcome, &'static str> {
        let passive = message.of_phone(&self.sandbox, Which::MiniProgram)?;
        Ok(push_message(&self.sandbox, Which::MiniProgram, &self.openid, passive).await)
    }

    /// Sends something to the official account, or taps its menu.
    ///
    /// # Errors
    /// A sentence when the phone would not send that.
    pub async fn send(&self, message: AccountMessage) -> Result<PushOutcome, &'static str> {
        let passive = self.prepare(message)?;
        Ok(self.push(passive).await)
    }

    pub(crate) fn prepare(&self, message: AccountMessage) -> Result<Passive, &'static str> {
        message.of_phone(&self.sandbox, Which::OfficialAccount)
    }

    pub(crate) async fn push(&self, passive: Passive) -> PushOutcome {
        push_message(&self.sandbox, Which::OfficialAccount, &self.openid, passive).await
    }

    /// Writes to the application at WeCom.
    pub async fn say_at_wecom(&self, text: &str) -> PushOutcome {
        let message = rand::random::<u32>();
        let parts = format!("{}{}<MsgId>{message}</MsgId>", element("MsgType", "text"), element("Content", text));
        self.push_at_wecom("text", &parts).await
    }

    /// Tells the smart robot something: alone, or in the group of this robot.
    pub async fn tell_robot(&self, group: Option<&str>, message: &RobotMessage) -> PushOutcome {
        let user = self.sandbox.state().phones.get(&self.openid).and_then(|phone| phone.wecom_user_id.clone());
        match user {
            Some(user) => tell(&self.sandbox, &user, group, message).await,
            None => PushOutcome::NotConfigured,
        }
    }

    /// Taps a button of a card that came through WeCom. Only a button that stands on a card of this member can be
    /// tapped.
    pub async fn tap(&self, task: &str, key: &str) -> PushOutcome {
        let offered = {
            let state = self.sandbox.state();
            state.has_button(&self.openid, task, key) && state.may_answer(task, &[])
        };
        if offered { self.forge_tap(task, key).await } else { PushOutcome::Impossible }
    }

    /// Pushes a tap that nobody can make, rightly signed: what a server must not believe.
    pub async fn forge_tap(&self, task: &str, key: &str) -> PushOutcome {
        let code = self.response_code(task);
        let parts = format!(
            "{}{}{}{}{}{}",
            element("MsgType", "event"),
            element("Event", "template_card_event"),
            element("EventKey", key),
            element("TaskId", task),
            element("CardType", "button_interaction"),
            element("ResponseCode", &code),
        );
        self.push_at_wecom("template_card_event", &parts).await
    }

    /// What comes with a tap on a card of this task: with it the card can be changed, once.
    #[must_use]
    pub fn response_code(&self, task: &str) -> String {
        let now = self.sandbox.now();
        self.sandbox.state().response_codes.issue(task, now)
    }

    pub(crate) async fn push_at_wecom(&self, subject: &str, parts: &str) -> PushOutcome {
        let user = self.sandbox.state().phones.get(&self.openid).and_then(|phone| phone.wecom_user_id.clone());
        match user {
            Some(user) => push_at_wecom(&self.sandbox, &user, subject, parts).await,
            None => PushOutcome::NotConfigured,
        }
    }

    /// What the platform puts into the address when a member of the corporation signs in.
    #[must_use]
    pub fn wecom_login_code(&self) -> String {
        let now = self.sandbox.now();
        self.sandbox.state().wecom_codes.issue(&self.openid, now)
    }

    /// Taps "send" on the messages into customer groups that wait for this member; how many there were.
    #[must_use]
    pub fn confirm_group_messages(&self) -> usize {
        let user = self.sandbox.state().phones.get(&self.openid).and_then(|phone| phone.wecom_user_id.clone());
        user.map_or(0, |user| crate::wecom::confirm(&self.sandbox, &user, None))
    }

    /// What the button for the phone number gives.
    #[must_use]
    pub fn number_code(&self, number: &str) -> String {
        let now = self.sandbox.now();
        self.sandbox.state().phone_codes.issue(number, now)
    }

    /// Stops following the official account.
    pub fn unfollow(&self) {
        self.sandbox.state().unfollowed.insert(self.openid.clone());
    }

    /// Taps the accept button for a template; the account's server gets the event.
    pub async fn accept(&self, template: &str) -> PushOutcome {
        self.choose(&[(template, true)]).await
    }

    /// Taps the reject button; accepts given before stay.
    pub async fn reject(&self, template: &str) -> PushOutcome {
        self.choose(&[(template, false)]).await
    }

    /// Answers a pop-up that asks for several templates at once.
    pub async fn choose(&self, choices: &[(&str, bool)]) -> PushOutcome {
        for (template, _) in choices.iter().filter(|(_, accepted)| *accepted) {
            self.change_accepts(template, |accepts| accepts.saturating_add(1));
        }
        let choices = choices.iter().map(|(template, accepted)| ((*template).to_owned(), *accepted)).collect();
        push_event(&self.sandbox, &self.openid, &Event::Popup { choices }).await
    }

    /// The platform took a message and tells later that it did not arrive.
    pub async fn lose(&self, template: &str, message_id: u64, code: i64) -> PushOutcome {
        let event = Event::Sent { template_id: template.to_owned(), message_id, code };
        push_event(&self.sandbox, &self.openid, &event).await
    }

    /// Switches the template off in the settings: no accepts are left.
    pub async fn switch_off(&self, template: &str) -> PushOutcome {
        self.change_accepts(template, |_| 0);
        let event = Event::Changed { template_id: template.to_owned() };
        push_event(&self.sandbox, &self.openid, &event).await
    }

    fn change_accepts(&self, template: &str, change: impl FnOnce(u32) -> u32) {
        let state = &mut *self.sandbox.state();
        let accepts = state.accepts.entry((self.openid.clone(), template.to_owned())).or_default();
        *accepts = change(*accepts);
    }
}
