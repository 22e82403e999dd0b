//! Posting into groups: the platforms' robots side by side.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use qingfeng_core::{
    cache::Cache,
    clock::Clock,
    groups::{GroupKind, RobotKey},
    refusal::Fault,
};
use reqwest::RequestBuilder;
use serde_json::Value;

use super::{
    PlatformSettings,
    breaker::{Breaker, Heard},
    check_base,
    codes::Meaning,
    dingtalk_robot, exchange, feishu_robot,
    pace::Pace,
    post::Post,
    wecom_robot,
};
use crate::delivery::Outcome;

/// What a platform's robots are worked with.
pub(super) struct Workshop {
    pub(super) client: reqwest::Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pace: Pace,
    breaker: Breaker,
    /// The platform's name.
    platform: &'static str,
    /// The platform's address.
    pub(super) base: String,
}

impl Workshop {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// One request to the platform's robots, and what came back. All of them are one interface: when it does not answer, all rest.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Value, Outcome> {
        let interface = format!("robots:{}", self.base);
        self.breaker.admit(&interface, self.platform).await?;
        let answer = exchange::json(request, self.platform).await;
        self.breaker.heard(&interface, Heard::of(&answer)).await;
        answer.map_err(|failure| failure.outcome(self.now()))
    }

    /// What the platform said; a robot that was too fast rests.
    pub(super) async fn settled(&self, key: &RobotKey, said: Meaning) -> Outcome {
        let now = self.now();
        if let Some(until) = said.rests_until(now) {
            self.pace.rest(&key.token, until).await;
        }
        said.outcome(now)
    }

    /// Sends the parts of a post in order. When a later one fails, sending it all again would double the first ones: a
    /// person has to look.
    pub(super) async fn one_after_the_other(&self, kind: GroupKind, key: &RobotKey, bodies: Vec<Value>) -> Outcome {
        let count = bodies.len();
        let mut outcome = Outcome::Final("没有要发的内容".into());
        for (number, body) in bodies.into_iter().enumerate() {
            outcome = match kind {
                GroupKind::WecomRobot => wecom_robot::send(self, key, &body).await,
                GroupKind::DingtalkRobot => dingtalk_robot::send(self, key, &body).await,
                GroupKind::FeishuRobot => feishu_robot::send(self, key, body).await,
                GroupKind::WecomCustomerGroup | GroupKind::OrdinaryChat => return outcome,
            };
            match &outcome {
                Outcome::Taken(_) => {}
                _ if number == 0 => return outcome,
                _ => return Outcome::Unknown(format!("长消息分{count}段，只确知发出了前{number}段")),
            }
        }
        outcome
    }
}

/// The robots of all platforms.
pub struct Robots {
    wecom: Workshop,
    dingtalk: Workshop,
    feishu: Workshop,
}

impl Robots {
    /// # Errors
    /// When a platform's address is neither https nor on this machine.
    pub fn new(
        client: &reqwest::Client,
        cache: &Arc<dyn Cache>,
        clock: &Arc<dyn Clock>,
        settings: &PlatformSettings,
    ) -> Result<Self, Fault> {
        let workshop = |platform: &'static str, name: &str, base: &str| {
            check_base(name, base)?;
            Ok::<_, Fault>(Workshop {
                client: client.clone(),
                clock: Arc::clone(clock),
                pace: Pace::new(Arc::clone(cache), Arc::clone(clock)),
                breaker: Breaker::new(Arc::clone(cache), Arc::clone(clock)),
                platform,
                base: base.to_owned(),
            })
        };
        Ok(Self {
            wecom: workshop("企业微信", "wecom.api_base", &settings.wecom_api_base)?,
            dingtalk: workshop("钉钉", "dingtalk.api_base", &settings.dingtalk_api_base)?,
            feishu: workshop("飞书", "feishu.api_base", &settings.feishu_api_base)?,
        })
    }

    /// Posts into a group through its robot.
    pub async fn post(&self, kind: GroupKind, key: &RobotKey, post: &Post) -> Outcome {
        match kind {
            GroupKind::WecomRobot => wecom_robot::post(&self.wecom, key, post).await,
            GroupKind::DingtalkRobot => dingtalk_robot::post(&self.dingtalk, key, post).await,
            GroupKind::FeishuRobot => feishu_robot::post(&self.feishu, key, post).await,
            GroupKind::WecomCustomerGroup | GroupKind::OrdinaryChat => {
                Outcome::Final("这个群没有机器人，要由人转发".into())
            }
        }
    }
}
