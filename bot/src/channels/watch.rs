//! Hears what the platforms say to every call, and keeps the list of what is for whoever runs the installation to mend.

use qingfeng_core::{
    outbox::alarms::{self, AlarmKind},
    refusal::Fault,
    storage::Store,
};

use super::codes::{Place, alarm};

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

    /// An interface answered with this code; none is success. An alarm that cannot be written down stops no message.
    pub(super) async fn heard(&self, place: Place, interface: &str, code: Option<i64>) {
        let Some(store) = &self.0 else { return };
        let interface = format!("{}:{interface}", place.platform());
        let code = code.unwrap_or(0);
        let written = match alarm(place, code) {
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
