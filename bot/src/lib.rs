//! The bot: puts messages of the outbox into words and onto the platforms, schedules reminders and posts.
//!
//! Any number of bots may run. A message is claimed with a lease; what is scheduled is scheduled by one leader; and a
//! unique key in the outbox makes each reminder exist once, whatever crashes.

pub mod alarms;
pub mod callbacks;
pub mod channels;
pub mod conversations;
pub mod delivery;
mod fetching;
pub mod messages;
pub mod schedule;
mod template_check;

use std::{sync::Arc, time::Duration};

use qingfeng_core::{
    cache::Cache, calendar::CalendarBook, evidence::Darkroom, refusal::Fault, sealing::Sealer, storage::Store,
};
use tokio_util::sync::CancellationToken;

pub use channels::PlatformSettings;
use channels::{Channels, Watch};
use delivery::Delivered;
pub use template_check::template_misfits;

/// Pause between two looks at the outbox.
const PAUSE: Duration = Duration::from_secs(2);

/// What a bot works with.
pub struct Bot {
    pub(crate) store: Store,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) calendar: CalendarBook,
    pub(crate) sealer: Sealer,
    /// Where photos and voice notes of the chat go.
    pub(crate) darkroom: Arc<Darkroom>,
    pub(crate) settings: BotSettings,
    pub(crate) channels: Channels,
    /// Names this bot among its replicas.
    pub(crate) holder: String,
}

/// How a bot behaves.
#[derive(Clone, Debug)]
pub struct BotSettings {
    /// Address under which people reach the app, for links in posts.
    pub public_url: String,
    pub platforms: PlatformSettings,
    pub reviewing: Reviewing,
    /// A template that failed so many different people is used no more.
    pub template_failures: u32,
}

/// Who reads what goes into a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reviewing {
    /// The rules, and a second person where somebody wrote it.
    #[default]
    SecondPerson,
    /// The rules and the platform; a person only where they find something, or the platform could not check what somebody wrote.
    Rules,
    /// The rules, also where the platform could not check it: for demonstrations.
    RulesAlone,
}

impl Bot {
    /// # Errors
    /// When a platform's address is neither https nor on this machine.
    pub fn new(
        store: Store,
        cache: Arc<dyn Cache>,
        sealer: Sealer,
        darkroom: Arc<Darkroom>,
        settings: BotSettings,
    ) -> Result<Self, Fault> {
        let clock = Arc::clone(&store.surroundings().clock);
        let holder = format!("bot-{}", hex::encode(store.randomness().bytes::<8>()));
        Ok(Self {
            calendar: CalendarBook::new(store.clone()),
            channels: Channels::new(&cache, &clock, &Watch::on(&store), &holder, &settings.platforms)?,
            store,
            cache,
            sealer,
            darkroom,
            settings,
            holder,
        })
    }

    /// Works until told to stop; a round that has begun is finished.
    pub async fn run(&self, stop: CancellationToken) {
        // Beside the rounds: a platform that is slow to tell its templates holds up no card.
        tokio::join!(self.work(&stop), template_check::keep_asking(self, &stop));
    }

    async fn work(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.tick().await {
                Ok(Delivered { more: true, .. }) => continue,
                Ok(_) => {}
                Err(fault) => tracing::error!(%fault, "the bot's round failed; it tries again"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        let _ = self.cache.release(schedule::LEADERSHIP, &self.holder).await;
    }

    /// One round: work off what the platforms told, fetch what they hold for us, schedule what is due, then deliver what is due,
    /// for some seconds at most.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tick(&self) -> Result<Delivered, Fault> {
        // Each for itself: what is due already is delivered also while nobody can lead.
        let scheduled = async {
            callbacks::work_off(self).await?;
            fetching::run(self).await?;
            schedule::run(self).await
        };
        if let Err(fault) = scheduled.await {
            tracing::error!(%fault, "nothing could be scheduled; it is tried again");
        }
        delivery::run(self).await
    }
}
