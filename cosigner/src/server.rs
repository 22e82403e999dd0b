//! A running co-signer: as a program of its own, or inside another (the platform of a single operator, tests).

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{dev::ServerHandle, web};
use anyhow::Context;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Authority, Settings, clock::Clock, http, randomness::SharedRandomness};

/// How often it looks whether something is to be destroyed.
const LOOK: Duration = Duration::from_secs(3600);

/// A co-signer that serves.
#[derive(Debug)]
pub struct Cosigner {
    /// Where it listens; with port 0 in the settings a free port was taken.
    pub address: SocketAddr,
    /// Everything it can do, for the process that started it.
    pub authority: web::Data<Authority>,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    housekeeping: JoinHandle<()>,
    stop: CancellationToken,
}

impl Cosigner {
    /// Starts to serve on `settings.http.bind`; makes keys and database where there are none.
    ///
    /// # Errors
    /// When the address, a key file, a pinned key or the database cannot be used.
    pub async fn start(
        settings: Settings,
        clock: Arc<dyn Clock>,
        randomness: SharedRandomness,
    ) -> anyhow::Result<Self> {
        let bind = &settings.http.bind;
        let listener = TcpListener::bind(bind).with_context(|| format!("cannot listen on {bind}"))?;
        let address = listener.local_addr()?;
        let authority = web::Data::new(Authority::open(settings, clock, randomness).await?);
        let server = http::serve(authority.clone(), listener)?;
        let handle = server.handle();
        let stop = CancellationToken::new();
        let housekeeping = tokio::spawn(keep_house(authority.clone(), stop.clone()));
        Ok(Self { address, authority, handle, server: tokio::spawn(server), housekeeping, stop })
    }

    /// Stops: running requests get their time.
    pub async fn stop(self) {
        self.stop.cancel();
        self.handle.stop(true).await;
        let _ = self.server.await;
        let _ = self.housekeeping.await;
    }
}

/// Destroys what is due, at the start and every hour. A failure is tried again an hour later.
async fn keep_house(authority: web::Data<Authority>, stop: CancellationToken) {
    loop {
        if let Err(error) = authority.wipe_what_is_due().await {
            tracing::error!(%error, "what is due could not be destroyed");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
