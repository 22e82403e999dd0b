//! One account at WeChat besides subscribe messages: what the mini-program asks of the platform, and what either account
//! tells people.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use qingfeng_core::clock::Clock;
use serde_json::{Value, json};

use super::{
    access_token::{AccessTokens, Given},
    codes::{Meaning, Place, meaning},
    exchange,
    parts::parts,
};
use crate::delivery::Outcome;

/// Longest text of a customer-service message, in bytes.
const LONGEST_TEXT: usize = 2048;
/// Longest text that the platform checks at once, in characters.
const LONGEST_CHECKED: usize = 2500;
/// Longest scene of a code, in characters.
const LONGEST_SCENE: usize = 32;
/// What the platform says of a photo or voice note that it does not hold.
const GONE: [i64; 2] = [40007, 41006];

/// What the platform thinks of a text that staff are about to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentVerdict {
    Pass,
    /// A person should look at it.
    Review,
    Risky,
}

/// Why there is no photo or voice note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaFault {
    /// The platform does not hold it, or no longer.
    Gone(String),
    /// Not given now, which may be mended as long as the platform holds it.
    NotYet(String),
}

/// The account at WeChat.
pub struct WeChatAccount {
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    tokens: Arc<AccessTokens>,
    base: String,
    app_id: String,
}

/// Who somebody is to the official account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// The same at all accounts of one owner, where the platform tells it.
    pub union_id: Option<String>,
}

impl WeChatAccount {
    pub(super) fn new(
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
        tokens: Arc<AccessTokens>,
        base: &str,
        app_id: &str,
    ) -> Self {
        let (base, app_id) = (base.to_owned(), app_id.to_owned());
        Self { client, clock, tokens, base, app_id }
    }

    /// By which the platform knows the account.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// The account's access tokens, for what else is called with them.
    pub(super) fn tokens(&self) -> Arc<AccessTokens> {
        Arc::clone(&self.tokens)
    }

    /// Asks who follows under this openid. Official accounts only.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`]; asking again does no harm.
    pub async fn follower(&self, open_id: &str) -> Result<Follower, Outcome> {
        let path = "/cgi-bin/user/info";
        let address = format!("{}{path}", self.base);
        let request = |token: &str| {
            self.client.get(&address).query(&[("access_token", token), ("openid", open_id), ("lang", "zh_CN")])
        };
        let answer = self.tokens.call(path, request).await?;
        exchange::succeeded(&answer, self.clock.now())?;
        let union_id = answer["unionid"].as_str().filter(|union_id| !union_id.is_empty());
        Ok(Follower { union_id: union_id.map(str::to_owned) })
    }

    /// The phone number that a person agreed to tell; `code` comes from the button and works once. Each success is paid for:
    /// the caller keeps the number before anything else.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`].
    pub async fn phone_number(&self, code: &str) -> Result<String, Outcome> {
        let answer = self.call("/wxa/business/getuserphonenumber", &json!({"code": code})).await?;
        let info = &answer["phone_info"];
        // A code of another account's button gives another account's answer.
        let ours = info["watermark"]["appid"].as_str() == Some(self.app_id.as_str());
        match info["purePhoneNumber"].as_str().filter(|_| ours) {
            Some(number) => Ok(number.to_owned()),
            None => Err(Outcome::Final("微信没有给出手机号".into())),
        }
    }

    /// A web address that opens a page of the mini-program, until then.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`].
    pub async fn url_link(&self, page: &str, query: &str, until: DateTime<Utc>) -> Result<String, Outcome> {
        let body = json!({
            "path": page, "query": query, "env_version": "release",
            "expire_type": 0, "expire_time": until.timestamp(),
        });
        let answer = self.call("/wxa/generate_urllink", &body).await?;
        text(&answer, "url_link")
    }

    /// The same as an address that other apps open.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`].
    pub async fn scheme(&self, page: &str, query: &str, until: DateTime<Utc>) -> Result<String, Outcome> {
        let body = json!({
            "jump_wxa": {"path": page, "query": query, "env_version": "release"},
            "is_expire": true, "expire_type": 0, "expire_time": until.timestamp(),
        });
        let answer = self.call("/wxa/generatescheme", &body).await?;
        text(&answer, "openlink")
    }

    /// A picture that opens a page of the mini-program when it is scanned. `scene` is told to the page.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`].
    pub async fn code_image(&self, scene: &str, page: &str) -> Result<Vec<u8>, Outcome> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "!#$&'()*+,/:;=?@-._~".contains(letter);
        if scene.is_empty() || scene.chars().count() > LONGEST_SCENE || !scene.chars().all(fits) {
            return Err(Outcome::Final("小程序码的参数要有1至32个字母、数字或符号".into()));
        }
        let body = json!({"scene": scene, "page": page, "check_path": true, "env_version": "release", "width": 430});
        let path = "/wxa/getwxacodeunlimit";
        match self.tokens.call_for_file(path, |token| self.request(path, token, &body)).await? {
            Given::File(image) => Ok(image),
            Given::Refused(code) => Err(match meaning(Place::WeChatCall, code).outcome(self.clock.now()) {
                Outcome::Taken(_) => Outcome::Final("微信没有给出小程序码".into()),
                other => other,
            }),
        }
    }

    /// A photo or voice note that somebody sent to this account; the platform holds it for three days.
    ///
    /// # Errors
    /// [`MediaFault`]; fetching again does no harm.
    pub async fn media(&self, media_id: &str) -> Result<Vec<u8>, MediaFault> {
        let path = "/cgi-bin/media/get";
        let address = format!("{}{path}", self.base);
        let request = |token: &str| self.client.get(&address).query(&[("access_token", token), ("media_id", media_id)]);
        let reason = |outcome: Outcome| outcome.reason().unwrap_or("微信没有给出照片或语音").to_owned();
        match self.tokens.call_for_file(path, request).await {
            Ok(Given::File(bytes)) => Ok(bytes),
            Ok(Given::Refused(code)) => {
                let reason = reason(meaning(Place::WeChatCall, code).outcome(self.clock.now()));
                Err(if GONE.contains(&code) { MediaFault::Gone(reason) } else { MediaFault::NotYet(reason) })
            }
            Err(outcome) => Err(MediaFault::NotYet(reason(outcome))),
        }
    }

    /// Has an access token at hand. Fetching one goes on when nobody waits for it any more, so that the next call finds it.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`].
    pub async fn get_ready(&self) -> Result<(), Outcome> {
        let tokens = Arc::clone(&self.tokens);
        let fetched = tokio::spawn(async move { tokens.ready().await }).await;
        fetched.unwrap_or_else(|_| Err(Meaning::later(1, "拿不到微信的访问令牌").outcome(self.clock.now())))
    }

    /// Puts the menu under the chat with the official account.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`].
    pub async fn create_menu(&self, menu: &Value) -> Result<(), Outcome> {
        self.call("/cgi-bin/menu/create", menu).await.map(|_| ())
    }

    /// Lets the platform judge a text that a member of staff is about to publish, in his name. Never for what residents write:
    /// the platform ties the text to the person.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`]: then a person has to judge, and nothing is published by itself.
    pub async fn check_staff_text(&self, open_id: &str, text: &str) -> Result<ContentVerdict, Outcome> {
        let letters: Vec<char> = text.chars().collect();
        let mut worst = ContentVerdict::Pass;
        for part in letters.chunks(LONGEST_CHECKED) {
            let part: String = part.iter().collect();
            let body = json!({"content": part, "version": 2, "scene": 3, "openid": open_id});
            let answer = self.call("/wxa/msg_sec_check", &body).await?;
            match answer["result"]["suggest"].as_str() {
                Some("pass") => {}
                Some("risky") => return Ok(ContentVerdict::Risky),
                _ => worst = ContentVerdict::Review,
            }
        }
        Ok(worst)
    }

    /// Answers a person who wrote to this account; a long text in several messages.
    pub async fn reply(&self, open_id: &str, text: &str) -> Outcome {
        let mut outcome = Outcome::Final("没有要发的内容".into());
        for (number, part) in parts(text, LONGEST_TEXT, str::len).iter().enumerate() {
            let body = json!({"touser": open_id, "msgtype": "text", "text": {"content": part}});
            outcome = match self.call("/cgi-bin/message/custom/send", &body).await {
                Ok(_) => Outcome::Taken(None),
                Err(outcome) if number == 0 => return outcome,
                Err(_) => return Outcome::Unknown(format!("长消息只确知发出了前{number}段")),
            };
        }
        outcome
    }

    fn request(&self, path: &str, token: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).query(&[("access_token", token)]).json(body)
    }

    /// The answer of a call that succeeded.
    async fn call(&self, path: &str, body: &Value) -> Result<Value, Outcome> {
        let answer = self.tokens.call(path, |token| self.request(path, token, body)).await?;
        exchange::succeeded(&answer, self.clock.now())?;
        Ok(answer)
    }
}

fn text(answer: &Value, field: &str) -> Result<String, Outcome> {
    answer[field].as_str().map(str::to_owned).ok_or_else(|| Outcome::Final("微信的回应里没有链接".into()))
}
