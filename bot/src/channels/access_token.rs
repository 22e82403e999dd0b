//! Access tokens: one per account, shared by all replicas through the cache, fetched by one of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_core::{cache::Cache, clock::Clock, outbox::alarms::AlarmKind};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{
    breaker::{Breaker, Heard},
    codes::{Meaning, Place, alarm, meaning},
    exchange::{self, Reply},
    watch::Watch,
};
use crate::delivery::Outcome;

/// A token that ends sooner than this is not worth keeping.
const MARGIN: u64 = 300;
/// Who fetches a token has this long before another one tries.
const FETCHING: Duration = Duration::from_secs(10);
/// How often the others look for the token that one of them fetches, and how many times.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: u32 = 50;
/// The platform wants forced refreshes half a minute apart by its own clock, and so many a day.
const FORCED_APART: Duration = Duration::from_secs(35);
const FORCED_A_DAY: u32 = 20;
/// What asking for a token stands under in the list of alarms.
const TOKEN: &str = "token";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What WeCom says when a minute's number is used up, and when the day's is …
const TOO_FAST: i64 = 45009;
/// … which it is, when that has been said for so long …
const TOO_FAST_FOR_LONG: TimeDelta = TimeDelta::minutes(10);
/// … with no longer pause than this. What waits is tried again every minute.
const TOO_FAST_AGAIN_WITHIN: Duration = Duration::from_secs(3 * 60);

/// Where tokens come from.
#[derive(Clone, Debug)]
pub(super) enum Issuer {
    /// `stable_token`: asking again gives the same token while it is good.
    WeChat { base: String, app_id: String, secret: String },
    /// `gettoken`, one per application.
    WeCom { base: String, corp_id: String, agent_id: i64, secret: String },
}

impl Issuer {
    fn cache_key(&self) -> String {
        match self {
            Self::WeChat { app_id, .. } => format!("wechat_token:{app_id}"),
            Self::WeCom { corp_id, agent_id, .. } => format!("wecom_token:{corp_id}:{agent_id}"),
        }
    }

    /// What its interfaces stand under in the list of alarms: each account has tokens, permissions and numbers of its own.
    fn alarm_name(&self) -> String {
        match self {
            Self::WeChat { app_id, .. } => format!("wechat:{app_id}"),
            Self::WeCom { agent_id, .. } => format!("wecom:{agent_id}"),
        }
    }

    fn platform(&self) -> &'static str {
        match self {
            Self::WeChat { .. } => "微信",
            Self::WeCom { .. } => "企业微信",
        }
    }

    /// Where a call with a token belongs to, and where asking for one does.
    fn places(&self) -> (Place, Place) {
        match self {
            Self::WeChat { .. } => (Place::WeChatCall, Place::WeChatToken),
            Self::WeCom { .. } => (Place::WeComCall, Place::WeComToken),
        }
    }

    fn request(&self, client: &reqwest::Client, forced: bool) -> RequestBuilder {
        match self {
            Self::WeChat { base, app_id, secret } => client.post(format!("{base}/cgi-bin/stable_token")).json(&json!({
                "grant_type": "client_credential", "appid": app_id, "secret": secret, "force_refresh": forced,
            })),
            Self::WeCom { base, corp_id, secret, .. } => {
                client.get(format!("{base}/cgi-bin/gettoken")).query(&[("corpid", corp_id), ("corpsecret", secret)])
            }
        }
    }
}

/// What an interface answered that gives a file.
pub(super) enum Given {
    File(Vec<u8>),
    /// A code in the place of the file.
    Refused(i64),
}

/// The tokens of one account.
pub(super) struct AccessTokens {
    client: reqwest::Client,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    breaker: Breaker,
    watch: Watch,
    issuer: Issuer,
    /// Names this process and each of its attempts.
    holder: String,
    attempts: AtomicU64,
}

impl AccessTokens {
    pub(super) fn new(
        client: reqwest::Client,
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        watch: Watch,
        holder: &str,
        issuer: Issuer,
    ) -> Self {
        let breaker = Breaker::new(Arc::clone(&cache), Arc::clone(&clock));
        Self { client, cache, clock, breaker, watch, issuer, holder: holder.to_owned(), attempts: AtomicU64::new(0) }
    }

    /// Has a token at hand, for who calls in a moment.
    pub(super) async fn ready(&self) -> Result<(), Outcome> {
        self.token(None).await.map(drop)
    }

    /// A call of an interface with the token. When the platform refuses the token, one more call with another token; never
    /// a third. What it answers otherwise is for the caller to read. An interface that was called too often, whose quota is used
    /// up or that does not answer rests for all replicas.
    pub(super) async fn call(
        &self,
        interface: &str,
        request: impl Fn(&str) -> RequestBuilder,
    ) -> Result<Value, Outcome> {
        let reply = self.called(interface, request, |reply| reply.object().is_some()).await?;
        let unreadable = || Outcome::Unknown(format!("{}的回应看不懂，不知道是否已发出", self.issuer.platform()));
        reply.object().ok_or_else(unreadable)
    }

    /// The same for interfaces that answer with a file, or with JSON when they fail. They change nothing: what came back
    /// as neither may be asked for again.
    pub(super) async fn call_for_file(
        &self,
        interface: &str,
        request: impl Fn(&str) -> RequestBuilder,
    ) -> Result<Given, Outcome> {
        let reply = self.called(interface, request, |reply| reply.is_file || code_of(reply).is_some()).await?;
        match code_of(&reply) {
            _ if reply.is_file => Ok(Given::File(reply.body)),
            Some(code) => Ok(Given::Refused(code)),
            None => {
                let reason = format!("{}的回应既不是文件也看不懂", self.issuer.platform());
                Err(Meaning::later(2, reason).outcome(self.clock.now()))
            }
        }
    }

    async fn called(
        &self,
        interface: &str,
        request: impl Fn(&str) -> RequestBuilder,
        is_readable: impl Fn(&Reply) -> bool,
    ) -> Result<Reply, Outcome> {
        let line = format!("{}:{interface}", self.issuer.cache_key());
        let rests = format!("{}:rests:{interface}", self.issuer.cache_key());
        let platform = self.issuer.platform();
        self.may_ask(&rests).await?;
        let mut refused = None;
        loop {
            let token = self.token(refused.as_deref()).await?;
            self.breaker.admit(&line, platform).await?;
            let answer = exchange::reply(request(&token), platform).await;
            let is_unreadable = answer.as_ref().is_ok_and(|reply| !is_readable(reply));
            let heard = if is_unreadable { Heard::Silence } else { Heard::of(&answer) };
            self.breaker.heard(&line, heard).await;
            let reply = answer.map_err(|failure| failure.outcome(self.clock.now()))?;
            if is_unreadable {
                // Nobody knows whether the interface works.
                return Ok(reply);
            }
            let code = code_of(&reply).unwrap_or(0);
            let said = meaning(self.issuer.places().0, code);
            self.rest(&rests, &said).await;
            self.note(interface, &rests, code).await;
            if said != Meaning::TokenStale || refused.is_some() {
                return Ok(reply);
            }
            // Only if it is still the one that was refused: another replica may have got a new one.
            if let Err(fault) = self.cache.remove_if(&self.issuer.cache_key(), token.as_bytes()).await {
                return Err(Meaning::later(1, fault.to_string()).outcome(self.clock.now()));
            }
            refused = Some(token);
        }
    }

    /// The shared token. One replica fetches it, the others wait for that; when it takes too long, each for itself: asking
    /// again does no harm on either platform.
    async fn token(&self, refused: Option<&str>) -> Result<String, Outcome> {
        let lock = format!("{}:fetch", self.issuer.cache_key());
        let holder = format!("{}:{}", self.holder, self.attempts.fetch_add(1, Ordering::Relaxed));
        for _ in 0..LOOKS {
            if let Some(token) = self.cached(refused).await {
                return Ok(token);
            }
            if self.cache.lease(&lock, &holder, FETCHING).await.unwrap_or(true) {
                // Between the look and the lease another one may have brought it.
                let token = match self.cached(refused).await {
                    Some(token) => Ok(token),
                    None => self.fetch(refused).await,
                };
                let _ = self.cache.release(&lock, &holder).await;
                return token;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.fetch(refused).await
    }

    /// Whether the platform may be asked at all now.
    async fn may_ask(&self, rests: &str) -> Result<(), Outcome> {
        let now = self.clock.now();
        let kept = self.cache.get(rests).await.ok().flatten();
        let kept = kept.and_then(|kept| String::from_utf8(kept).ok()).unwrap_or_default();
        // What one bot was told, all of them say.
        let (until, reason) = kept.split_once('\n').unwrap_or((kept.as_str(), "平台要求歇一会儿"));
        match DateTime::parse_from_rfc3339(until).map(|until| until.to_utc()) {
            Ok(until) if until > now => Err(Outcome::Waits { until, reason: reason.to_owned() }),
            _ => Ok(()),
        }
    }

    /// What was said closes the interface for a while, or does not.
    async fn rest(&self, rests: &str, said: &Meaning) {
        let now = self.clock.now();
        let Some(until) = said.rests_until(now) else { return };
        if matches!(said, Meaning::Closed { .. }) {
            tracing::error!(rests, %until, "an interface is closed");
        }
        self.keep_closed(rests, until, said.clone().outcome(now).reason().unwrap_or_default()).await;
    }

    async fn keep_closed(&self, rests: &str, until: DateTime<Utc>, reason: &str) {
        let keep = (until - self.clock.now()).to_std().unwrap_or_default();
        let _ = self.cache.set(rests, format!("{}\n{reason}", until.to_rfc3339()).as_bytes(), keep).await;
    }

    /// The shared token, unless it is the very one that was refused: who has not met with the refusal may have brought it back.
    async fn cached(&self, refused: Option<&str>) -> Option<String> {
        let token = self.cache.get(&self.issuer.cache_key()).await.ok()??;
        String::from_utf8(token).ok().filter(|token| refused != Some(token.as_str()))
    }

    async fn fetch(&self, refused: Option<&str>) -> Result<String, Outcome> {
        let (token, lasts) = self.ask().await?;
        if refused == Some(token.as_str()) && matches!(self.issuer, Issuer::WeChat { .. }) {
            // The platform insists on a token that it refuses: it is made to give another, which is dear.
            let key = format!("{}:forced", self.issuer.cache_key());
            let daily = format!("{key}:today");
            let has_room = async || self.cache.take_slot(&daily, FORCED_A_DAY, DAY).await.ok() == Some(None);
            if self.cache.set_if_absent(&key, b"1", FORCED_APART).await.unwrap_or(false) && has_room().await {
                let (token, lasts) = self.force(&key).await?;
                return Ok(self.keep(token, lasts).await);
            }
            // Nobody else is to meet with the same refusal.
            return Ok(token);
        }
        Ok(self.keep(token, lasts).await)
    }

    async fn keep(&self, token: String, lasts: u64) -> String {
        let keep = lasts - MARGIN.min(lasts / 2);
        if keep > 0 {
            let _ = self.cache.set(&self.issuer.cache_key(), token.as_bytes(), Duration::from_secs(keep)).await;
        }
        token
    }

    /// Token and seconds that it lasts.
    async fn ask(&self) -> Result<(String, u64), Outcome> {
        let now = self.clock.now();
        let rests = format!("{}:rests", self.issuer.cache_key());
        self.may_ask(&rests).await?;
        let (place, alarm_name) = (self.issuer.places().1, self.issuer.alarm_name());
        match self.asked(false).await? {
            Ok(token) => {
                self.watch.heard(&alarm_name, TOKEN, 0, None).await;
                Ok(token)
            }
            Err(code) => {
                // Nobody asks again before it can be better: many refusals, and the platform bans our address.
                let said = meaning(place, code);
                tracing::error!(platform = self.issuer.platform(), code, "the platform gives no access token");
                self.watch.heard(&alarm_name, TOKEN, code, alarm(place, code)).await;
                match &said {
                    Meaning::Later { after, reason } => self.keep_closed(&rests, now + *after, reason).await,
                    said => self.rest(&rests, said).await,
                }
                Err(said.outcome(now))
            }
        }
    }

    /// The same, and the former token dies. Forced refreshes have a number of their own: that one is refused says nothing of the
    /// ordinary way, which stays open. Until it can be better, nobody forces one (`key`).
    async fn force(&self, key: &str) -> Result<(String, u64), Outcome> {
        match self.asked(true).await? {
            Ok(token) => Ok(token),
            Err(code) => {
                tracing::warn!(platform = self.issuer.platform(), code, "the platform refuses to replace a token");
                let now = self.clock.now();
                if let Some(until) = meaning(self.issuer.places().1, code).rests_until(now) {
                    let rests = (until - now).to_std().unwrap_or_default().max(FORCED_APART);
                    let _ = self.cache.set(key, b"1", rests).await;
                }
                let platform = self.issuer.platform();
                Err(Meaning::later(2, format!("{platform}暂时不换新的访问令牌（{code}）")).outcome(now))
            }
        }
    }

    /// Asks for a token: the token and the seconds that it lasts, or the code of the refusal.
    async fn asked(&self, forced: bool) -> Result<Result<(String, u64), i64>, Outcome> {
        let later = |reason: String| Meaning::later(2, reason).outcome(self.clock.now());
        let platform = self.issuer.platform();
        let line = format!("{}:fetch", self.issuer.cache_key());
        self.breaker.admit(&line, platform).await?;
        let answer = exchange::json(self.issuer.request(&self.client, forced), platform).await;
        self.breaker.heard(&line, Heard::of(&answer)).await;
        // Nothing was sent to anybody yet: whatever happens here may be tried again.
        let answer = answer.map_err(|_| later(format!("从{platform}拿不到访问令牌")))?;
        match (exchange::code(&answer, "errcode").unwrap_or(0), answer["access_token"].as_str()) {
            (0, Some(token)) => {
                let lasts = exchange::code(&answer, "expires_in").and_then(|lasts| u64::try_from(lasts).ok());
                Ok(Ok((token.to_owned(), lasts.unwrap_or(0))))
            }
            (0, None) => Err(later(format!("{platform}的回应里没有访问令牌"))),
            (code, _) => Ok(Err(code)),
        }
    }

    /// Tells the list of alarms what an interface said.
    async fn note(&self, interface: &str, rests: &str, code: i64) {
        let mut kind = alarm(self.issuer.places().0, code);
        if kind.is_none() && self.is_too_fast_for_long(rests, code).await {
            kind = Some(AlarmKind::DailyQuota);
        }
        self.watch.heard(&self.issuer.alarm_name(), interface, code, kind).await;
    }

    /// Whether this is WeCom's one code for a minute's and a day's number, and has been said again and again.
    async fn is_too_fast_for_long(&self, rests: &str, code: i64) -> bool {
        if !(matches!(self.issuer, Issuer::WeCom { .. }) && code == TOO_FAST) {
            return false;
        }
        let (key, now) = (format!("{rests}:too_fast_since"), self.clock.now());
        let kept = self.cache.get(&key).await.ok().flatten().and_then(|kept| String::from_utf8(kept).ok());
        let since = kept.and_then(|kept| DateTime::parse_from_rfc3339(&kept).ok()).map_or(now, |since| since.to_utc());
        let _ = self.cache.set(&key, since.to_rfc3339().as_bytes(), TOO_FAST_AGAIN_WITHIN).await;
        now - since >= TOO_FAST_FOR_LONG
    }
}

/// The code of an answer; none where it is no object or has none.
fn code_of(reply: &Reply) -> Option<i64> {
    exchange::code(&reply.object()?, "errcode")
}

#[cfg(test)]
mod tests {
    use qingfeng_core::{cache::MemoryCache, clock::SystemClock};

    use super::*;

    #[tokio::test]
    async fn a_token_that_was_refused_is_not_taken_out_of_the_cache_again() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::clone(&clock)));
        let issuer = Issuer::WeChat { base: "http://127.0.0.1:9".into(), app_id: "wx".into(), secret: String::new() };
        let tokens = AccessTokens::new(reqwest::Client::new(), cache, clock, Watch::nobody(), "bot", issuer);
        // Somebody who has not met with the refusal brought it back.
        tokens.keep("stale".into(), 7200).await;
        assert_eq!(tokens.cached(Some("stale")).await, None);
        assert_eq!(tokens.cached(None).await.as_deref(), Some("stale"));
        assert_eq!(tokens.cached(Some("another")).await.as_deref(), Some("stale"));
    }
}
