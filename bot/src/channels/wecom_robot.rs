use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use qingfeng_core::{cache::Cache, clock::Clock, refusal::Fault};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    PlatformSettings, check_base,
    codes::{Place, meaning},
    may_have_arrived,
};
use crate::delivery::Outcome;

/// The platform takes 20 a minute from a robot; two are left for whoever uses the same key by hand.
const POSTS_PER_MINUTE: u32 = 18;
const MINUTE: Duration = Duration::from_secs(60);

/// Longest markdown text, in bytes of UTF-8.
pub const LONGEST_MARKDOWN: usize = 4096;

/// Posts into groups through WeCom's group robots.
pub struct WeComRobots {
    client: reqwest::Client,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    base: String,
}

#[derive(Deserialize)]
struct Answer {
    errcode: Option<i64>,
}

impl WeComRobots {
    /// # Errors
    /// When the platform's address is neither https nor on this machine.
    pub fn new(
        client: reqwest::Client,
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        settings: &PlatformSettings,
    ) -> Result<Self, Fault> {
        check_base("wecom.api_base", &settings.wecom_api_base)?;
        Ok(Self { client, cache, clock, base: settings.wecom_api_base.clone() })
    }

    /// Posts markdown; longer texts than the platform takes go out in numbered parts.
    pub async fn post(&self, key: &str, markdown: &str) -> Outcome {
        let parts = split(markdown, LONGEST_MARKDOWN);
        let mut outcome = Outcome::Taken(None);
        for (number, part) in parts.iter().enumerate() {
            outcome = self.post_part(key, part).await;
            match (&outcome, number) {
                (Outcome::Taken(_), _) => {}
                // Nothing was posted yet: all of it may be tried again.
                (_, 0) => return outcome,
                // Trying again would post the first parts twice.
                _ => return Outcome::Unknown("长消息只发出了一部分".into()),
            }
        }
        outcome
    }

    async fn post_part(&self, key: &str, markdown: &str) -> Outcome {
        // The key is a password: not even the shared cache sees it.
        let window = format!("robot:{}", hex::encode(Sha256::digest(key.as_bytes())));
        match self.cache.take_slot(&window, POSTS_PER_MINUTE, MINUTE).await {
            Ok(None) => {}
            Ok(Some(wait)) => {
                let until = self.clock.now() + TimeDelta::from_std(wait).unwrap_or(TimeDelta::minutes(1));
                return Outcome::Waits { until, reason: "每分钟发送次数已满".into() };
            }
            Err(fault) => {
                return Outcome::Later { at: self.clock.now() + TimeDelta::minutes(1), reason: fault.to_string() };
            }
        }
        let sent = self
            .client
            .post(format!("{}/cgi-bin/webhook/send", self.base))
            .query(&[("key", key)])
            .json(&json!({"msgtype": "markdown", "markdown": {"content": markdown}}))
            .send()
            .await;
        let now = self.clock.now();
        let response = match sent {
            Ok(response) => response,
            Err(error) if may_have_arrived(&error) => return Outcome::Unknown("平台没有回应，不知道是否已发出".into()),
            Err(_) => {
                return Outcome::Later { at: now + TimeDelta::minutes(2), reason: "连不上企业微信".into() };
            }
        };
        if response.status().is_server_error() {
            return Outcome::Later { at: now + TimeDelta::minutes(2), reason: "企业微信暂时不可用".into() };
        }
        match response.json::<Answer>().await {
            Ok(Answer { errcode: Some(code) }) => meaning(Place::GroupRobot, code).outcome(now),
            // A robot always says 0: anything else is no success.
            _ => Outcome::Unknown("平台的回应看不懂，不知道是否已发出".into()),
        }
    }
}

/// Cuts at line ends, and where a line alone is too long between characters; numbers the parts.
fn split(text: &str, longest: usize) -> Vec<String> {
    if text.len() <= longest {
        return vec![text.to_owned()];
    }
    // Room for "(12/34)" and a line end.
    let room = longest - 16;
    let mut parts = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        loop {
            let current = parts.last_mut().expect("there is always a part");
            if current.len() + rest.len() <= room {
                current.push_str(rest);
                break;
            }
            if current.is_empty() {
                let cut = (0..=room).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(0);
                current.push_str(&rest[..cut]);
                rest = &rest[cut..];
            }
            parts.push(String::new());
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    let count = parts.len();
    parts.iter().enumerate().map(|(number, part)| format!("({}/{count})\n{}", number + 1, part.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_line_ends_and_never_inside_a_character() {
        let text = "整改进展，今日完成路灯更换。\n".repeat(300) + &"长".repeat(3000);
        let parts = split(&text, LONGEST_MARKDOWN);
        assert!(parts.len() > 3);
        assert!(parts.iter().all(|part| part.len() <= LONGEST_MARKDOWN));
        let together: String = parts.iter().flat_map(|part| part.lines().skip(1)).collect();
        assert_eq!(together, text.replace('\n', ""));
    }

    #[test]
    fn a_text_of_just_the_limit_is_one_part() {
        let text = "中".repeat(1365) + "a";
        assert_eq!(text.len(), LONGEST_MARKDOWN);
        assert_eq!(split(&text, LONGEST_MARKDOWN), [text]);
    }
}
