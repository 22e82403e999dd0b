//! Co-signer and witness of the demo: programs of their own with data, keys and a roll of their own, as a county would run
//! them. Only that they stand on the same machine, and count without people looking on, is not as it should be.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use qingfeng_core::clock::Clock;
use qingfeng_cosigner::{
    Authority, Cosigner, Settings,
    config::Counting,
    keys::witness_signer,
    randomness::{SharedRandomness, SystemRandomness},
    witness::{KEY_FILE, RunningWitness},
};

use crate::{Config, secrets::Secrets};

const PROGRAM: &str = "qingfeng-cosigner";
const COSIGNER_FOLDER: &str = "data-cosigner";
const WITNESS_FOLDER: &str = "data-witness";
/// Longer than a slow machine takes to start a program.
const PATIENCE: Duration = Duration::from_secs(30);

/// Both with keys and configuration, not serving yet.
#[derive(Debug)]
pub struct Authorities {
    settings: Settings,
}

impl Authorities {
    /// Makes keys where there are none, and writes into the platform's configuration where both will be and what their keys are.
    ///
    /// # Errors
    /// When a folder cannot be written or an address cannot be used.
    pub async fn prepare(config: &mut Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let randomness = qingfeng_core::randomness::SystemRandomness;
        let secrets = Secrets::load_or_create(&config.secrets.file, &config.ballots.key_name, &randomness)?;
        let mut settings = Settings::default();
        settings.http.bind = with_port(&config.ballots.own_cosigner_bind)?;
        settings.http.public_url = format!("http://{}", settings.http.bind);
        settings.http.shutdown_seconds = config.http.shutdown_seconds;
        settings.http.demo = true;
        settings.database.url = format!("sqlite://{COSIGNER_FOLDER}/cosigner.sqlite");
        settings.keys.file = Path::new(COSIGNER_FOLDER).join("keys.toml");
        settings.platform.url.clone_from(&config.http.public_url);
        settings.platform.box_url.clone_from(&config.ballots.box_public_url);
        settings.platform.vkey = Some(secrets.log_signer()?.public().to_owned());
        settings.surveys.count = Counting::Automatic;
        settings.witness.bind = with_port(&config.ballots.own_witness_bind)?;
        settings.witness.folder = WITNESS_FOLDER.into();
        settings.clock.shift_seconds = config.clock.shift_seconds;
        settings.log.level = "warn".into();
        let witness =
            witness_signer(&settings.witness.folder.join(KEY_FILE), &settings.witness.name, &SystemRandomness)?;
        settings.surveys.witnesses = vec![witness.public.clone()];
        let cosigner = Authority::open(settings.clone(), Arc::new(move || clock.now()), shared()).await?;
        let ballots = &mut config.ballots;
        ballots.cosigner_url = Some(settings.http.public_url.clone());
        ballots.witness_url = Some(format!("http://{}", settings.witness.bind));
        ballots.cosigner_key = Some(cosigner.log_signer().public.clone());
        ballots.witness_key = Some(witness.public);
        // A newcomer does not wait for an hour until the own envelope is in the log.
        ballots.batch_minutes = ballots.batch_minutes.min(1);
        Ok(Self { settings })
    }

    /// Both inside this process and by this clock, to tell a story that happened on other days.
    ///
    /// # Errors
    /// When an address is taken.
    pub async fn inside(&self, clock: Arc<dyn Clock>) -> anyhow::Result<Inside> {
        let witness = RunningWitness::start(&self.settings, &shared())?;
        let cosigner = Cosigner::start(self.settings.clone(), Arc::new(move || clock.now()), shared()).await?;
        Ok(Inside { cosigner, witness })
    }

    /// Starts both programs and waits until they answer.
    ///
    /// # Errors
    /// When the program is not built, or one of the two does not start.
    pub async fn start(self) -> anyhow::Result<Running> {
        let file = Path::new(COSIGNER_FOLDER).join("cosigner.toml");
        fs::write(&file, self.settings.printable()?).with_context(|| file.display().to_string())?;
        let running = Running { cosigner: spawn("run", &file)?, witness: spawn("witness", &file)? };
        let addresses = [self.settings.http.bind.as_str(), self.settings.witness.bind.as_str()];
        running.ready(addresses).await
    }
}

/// Both serving inside this process.
pub struct Inside {
    pub cosigner: Cosigner,
    witness: RunningWitness,
}

impl Inside {
    pub async fn stop(self) {
        self.cosigner.stop().await;
        self.witness.stop().await;
    }
}

/// Both as programs. They end when this process does: their standard input ends with it.
#[derive(Debug)]
pub struct Running {
    cosigner: Child,
    witness: Child,
}

impl Running {
    async fn ready(mut self, addresses: [&str; 2]) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1)).build()?;
        let asked = async {
            for (child, address) in [&mut self.cosigner, &mut self.witness].into_iter().zip(addresses) {
                while client.get(format!("http://{address}/healthz")).send().await.is_err() {
                    if let Some(status) = child.try_wait()? {
                        anyhow::bail!("{PROGRAM} at {address} ended at once: {status}");
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            Ok(())
        };
        tokio::time::timeout(PATIENCE, asked).await.context("co-signer and witness do not answer")??;
        Ok(self)
    }

    /// Stops both and waits for them.
    pub async fn stop(self) {
        let ended = tokio::task::spawn_blocking(move || {
            for mut child in [self.cosigner, self.witness] {
                drop(child.stdin.take());
                let _ = child.wait();
            }
        });
        let _ = ended.await;
    }
}

fn spawn(command: &str, configuration: &Path) -> anyhow::Result<Child> {
    let program = program()?;
    Command::new(&program)
        .args([command, "--stop-with-input", "--config"])
        .arg(configuration)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| program.display().to_string())
}

/// The co-signer's program, beside this one.
fn program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    // Tests run from a folder below.
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join(PROGRAM)).find(|program| program.is_file());
    found.with_context(|| format!("{PROGRAM} is not built: cargo build --bins"))
}

fn shared() -> SharedRandomness {
    Arc::new(SystemRandomness)
}

/// The address, with a free port where it has none.
fn with_port(bind: &str) -> anyhow::Result<String> {
    let free = || TcpListener::bind(bind).and_then(|listener| listener.local_addr());
    match bind.rsplit_once(':') {
        Some((_, "0")) => Ok(free().with_context(|| format!("cannot listen on {bind}"))?.to_string()),
        _ => Ok(bind.to_owned()),
    }
}
