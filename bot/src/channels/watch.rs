//! Hears what the platforms say to every call, and keeps the list of what is for whoever runs the installation to mend.

use qingfeng_core::{
    outbox::alarms::{self, AlarmKind},
    refusal::Fault,
    storage::Store,
};

use super::codes::{Place, alarm};

/// The interface that exchanges a login code.
const LOGIN: &str = "/sns/jscode2session";
/// What it says about a code, or about the person behind it.
const OF_A_LOGIN: [i64; 4] = [40029, 40163, 40226, 41008];

/// Who writes alarms down. All replicas write into the same list.
#[derive(Clone)]
pub struct Watch(Option<Store>);

impl Watch {
    #[must_use]
    pub fn on(store: &Store) -> Self {
        Self(Some(store.clone()))
    }

    /// Writes nothing down: for a single call at somebody's keyboard, who sees what comes of it.
    #[must_use]
    pub fn nobody() -> Self {
        Self(None)
    }

    /// The exchange of a mini-program's login code answered with this code; 0 is success.
    pub async fn heard_login(&self, app_id: &str, code: i64) {
        // It takes the secret itself, as asking for a token does; permission and quota are told as of any call.
        let kind = match alarm(Place::WeChatToken, code) {
            _ if OF_A_LOGIN.contains(&code) => None,
            None | Some(AlarmKind::UnknownCode) => alarm(Place::WeChatCall, code),
            known => known,
        };
        self.heard(&format!("wechat:{app_id}"), LOGIN, code, kind).await;
    }

    /// An interface of an account answered with this code, and what of it is for an operator to mend. An alarm that cannot be
    /// written down stops no message.
    pub(super) async fn heard(&self, account: &str, interface: &str, code: i64, kind: Option<AlarmKind>) {
        let Some(store) = &self.0 else { return };
        let interface = format!("{account}:{interface}");
        let written = match kind {
            Some(kind) => raise(store, interface, kind, code).await,
            None if code == 0 => alarms::works(store, &interface).await,
            // Says something about a message or a person, nothing about the interface.
            None => return,
        };
        if let Err(fault) = written {
            tracing::error!(%fault, "an alarm could not be written down");
        }
    }
}

async fn raise(store: &Store, interface: String, kind: AlarmKind, code: i64) -> Result<(), Fault> {
    tracing::error!(interface, code, kind = kind.as_ref(), "a platform refuses us");
    let code = i32::try_from(code).unwrap_or_default();
    store.housekeeping(move |unit| Box::pin(alarms::raise(unit, interface, kind, code))).await
}
