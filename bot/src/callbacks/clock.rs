//! Whether our clock and the platforms' agree. Where they do not, every push is refused: that is for whoever runs the installation.

use std::time::Duration;

use qingfeng_core::{
    cache::Cache,
    outbox::alarms::{self, AlarmKind, CLOCK},
    refusal::Fault,
    storage::Store,
};

/// What the cache knows: that no alarm stands, and that one was raised a moment ago.
const AGREES: &str = "clock_agrees";
const RAISED: &str = "clock_alarm_raised";
/// So often a good push looks whether an alarm stands that nobody here remembers.
const LOOKED_AT_AGAIN: Duration = Duration::from_secs(10 * 60);
/// Whoever caught an old push can send it as often as he likes.
const RAISED_AGAIN: Duration = Duration::from_secs(60);

/// A push that is rightly signed came in time.
pub(super) async fn agrees(store: &Store, cache: &dyn Cache) {
    let over = async {
        if cache.set_if_absent(AGREES, b"1", LOOKED_AT_AGAIN).await? {
            alarms::works(store, CLOCK).await?;
        }
        Ok::<_, Fault>(())
    };
    noted(over.await);
}

/// A push that is rightly signed is not of these minutes.
pub(super) async fn disagrees(store: &Store, cache: &dyn Cache) {
    let raised = async {
        if cache.set_if_absent(RAISED, b"1", RAISED_AGAIN).await? {
            store.housekeeping(|unit| Box::pin(alarms::raise(unit, CLOCK.into(), AlarmKind::Clock, 0))).await?;
            cache.remove(AGREES).await?;
        }
        Ok::<_, Fault>(())
    };
    noted(raised.await);
}

/// An alarm that cannot be written down stops no push.
fn noted(written: Result<(), Fault>) {
    if let Err(fault) = written {
        tracing::error!(%fault, "the clock's alarm could not be written down");
    }
}
