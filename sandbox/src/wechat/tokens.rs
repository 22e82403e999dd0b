//! Access tokens. The stable and the legacy interface keep tokens of their own that do not disturb each other.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Which;
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    state::State,
};

/// The platform renews a stable token this long before its end; a legacy token lives on this long after it was replaced.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// Forced refreshes of the stable token: at most 20 a day …
const FORCED_PER_DAY: usize = 20;
/// … and 30 s apart.
const FORCED_APART: TimeDelta = TimeDelta::seconds(30);

#[derive(Clone, Copy)]
enum TokenState {
    GoodUntil(DateTime<Utc>),
    Revoked,
}

/// The tokens of one account.
#[derive(Default)]
pub(crate) struct TokenBook {
    known: HashMap<String, TokenState>,
    newest_stable: Option<String>,
    newest_legacy: Option<String>,
    forced: VecDeque<DateTime<Utc>>,
    issued: u64,
}

impl TokenBook {
    /// # Errors
    /// 41001 without a token, 40014 for what is no token, 42001 after its end, 40001 for a foreign or replaced one.
    pub(crate) fn check(&self, token: &str, now: DateTime<Utc>) -> Result<(), Refused> {
        if token.is_empty() {
            return refused(41001, "access_token missing");
        }
        if token.len() < 64 || !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            return refused(40014, "invalid access_token");
        }
        match self.known.get(token) {
            Some(TokenState::GoodUntil(end)) if now < *end => Ok(()),
            Some(TokenState::GoodUntil(_)) => refused(42001, "access_token expired"),
            Some(TokenState::Revoked) | None => {
                refused(40001, "invalid credential, access_token is invalid or not latest")
            }
        }
    }

    /// Whether it was ever given out here.
    pub(super) fn knows(&self, token: &str) -> bool {
        self.known.contains_key(token)
    }

    /// Kills every token now, as when somebody resets the secret in the console.
    pub(crate) fn revoke_all(&mut self) {
        self.known.values_mut().for_each(|state| *state = TokenState::Revoked);
        self.newest_stable = None;
        self.newest_legacy = None;
    }

    fn end_of(&self, token: Option<&String>) -> Option<DateTime<Utc>> {
        match self.known.get(token?)? {
            TokenState::GoodUntil(end) => Some(*end),
            TokenState::Revoked => None,
        }
    }

    fn issue(&mut self, now: DateTime<Utc>, lifetime: Duration) -> String {
        self.issued += 1;
        let remembered = now - TimeDelta::days(1);
        self.known.retain(|_, state| !matches!(state, TokenState::GoodUntil(end) if *end < remembered));
        let token = format!("{}_{}", 80 + self.issued, hex::encode(rand::random::<[u8; 64]>()));
        let end = now + TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX);
        self.known.insert(token.clone(), TokenState::GoodUntil(end));
        token
    }

    fn stable(&mut self, forced: bool, now: DateTime<Utc>, lifetime: Duration) -> Result<(String, i64), Refused> {
        if forced {
            self.count_forced(now)?;
            if let Some(token) = self.newest_stable.take() {
                self.known.insert(token, TokenState::Revoked);
            }
        }
        let renewal = OVERLAP.min(TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX) / 2);
        let token = match (&self.newest_stable, self.end_of(self.newest_stable.as_ref())) {
            (Some(token), Some(end)) if now + renewal < end => token.clone(),
            _ => self.issue(now, lifetime),
        };
        self.newest_stable = Some(token.clone());
        let left = self.end_of(Some(&token)).map_or(0, |end| (end - now).num_seconds());
        Ok((token, left))
    }

    fn count_forced(&mut self, now: DateTime<Utc>) -> Result<(), Refused> {
        self.forced.retain(|at| now - *at < TimeDelta::days(1));
        if self.forced.back().is_some_and(|last| now - *last < FORCED_APART) {
            return refused(45011, "api minute-quota reach limit, must slower, retry next minute");
        }
        if self.forced.len() >= FORCED_PER_DAY {
            return refused(45009, "reach max api daily quota limit");
        }
        self.forced.push_back(now);
        Ok(())
    }

    fn legacy(&mut self, now: DateTime<Utc>, lifetime: Duration) -> (String, i64) {
        if let Some(former) = self.newest_legacy.take()
            && let Some(TokenState::GoodUntil(end)) = self.known.get_mut(&former)
        {
            *end = (*end).min(now + OVERLAP);
        }
        let token = self.issue(now, lifetime);
        self.newest_legacy = Some(token.clone());
        (token, i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StableRequest {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    appid: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    force_refresh: bool,
}

/// Right application and right secret: whose they are.
pub(super) fn check_account(state: &State, app_id: &str, secret: &str) -> Result<Which, Refused> {
    if app_id.is_empty() {
        return refused(41002, "appid missing");
    }
    if secret.is_empty() {
        return refused(41004, "appsecret missing");
    }
    let official = state.official_account.as_ref().filter(|account| account.app_id == app_id);
    let (which, account) = match official {
        Some(account) => (Which::OfficialAccount, account),
        None => (Which::MiniProgram, &state.account),
    };
    if app_id != account.app_id {
        return refused(40013, "invalid appid");
    }
    if secret != account.app_secret {
        return refused(40125, "invalid appsecret");
    }
    Ok(which)
}

pub(super) async fn stable_token(body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = || -> Result<Value, Refused> {
        let request: StableRequest = match serde_json::from_slice(&body) {
            Ok(request) => request,
            Err(error) => return refused(47001, format!("data format error: {error}")),
        };
        let (now, lifetime) = (sandbox.now(), sandbox.token_lifetime());
        let state = &mut *sandbox.state();
        let which = check_account(state, &request.appid, &request.secret)?;
        check_grant(&request.grant_type)?;
        let (token, left) = state.tokens_of(which).stable(request.force_refresh, now, lifetime)?;
        Ok(json!({"access_token": token, "expires_in": left}))
    };
    answer(&Manner::CgiBin, result())
}

pub(super) async fn token(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let result = || -> Result<Value, Refused> {
        let (now, lifetime) = (sandbox.now(), sandbox.token_lifetime());
        let state = &mut *sandbox.state();
        let which = check_account(state, parameters.get("appid"), parameters.get("secret"))?;
        check_grant(parameters.get("grant_type"))?;
        let (token, left) = state.tokens_of(which).legacy(now, lifetime);
        Ok(json!({"access_token": token, "expires_in": left}))
    };
    answer(&Manner::CgiBin, result())
}

fn check_grant(grant_type: &str) -> Result<(), Refused> {
    if grant_type == "client_credential" { Ok(()) } else { refused(40002, "invalid grant_type") }
}
