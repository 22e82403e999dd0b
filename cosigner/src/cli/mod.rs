//! The command line of the co-signer's and the witness's people.

mod cards;
mod count;
mod init;
mod paper;
mod roll;
mod run;

use std::{path::PathBuf, sync::Arc};

use clap::{Parser, Subcommand};
use qingfeng_ballots::messages::SurveyId;
use tracing_subscriber::EnvFilter;

use crate::{
    Authority, Settings,
    clock::SystemClock,
    config::{Log, LogFormat},
    randomness::{SharedRandomness, SystemRandomness},
};

/// 清风联署人：匿名测评的第二方——联署、保管票箱密钥、计票；以及见证人
#[derive(Debug, Parser)]
#[command(name = "qingfeng-cosigner", version)]
struct Arguments {
    /// Configuration file (TOML).
    #[arg(long, short, global = true, env = "QINGFENG_COSIGNER_CONFIG")]
    config: Option<PathBuf>,
    /// Show the configuration in force and stop.
    #[arg(long)]
    print_config: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve phones and the platform.
    Run(run::Serve),
    /// Serve as a witness: own folder, own key.
    Witness(run::Serve),
    /// Make keys and database where there are none, write the public keys beside them, and say what to do next.
    Init(init::Init),
    /// Print the public keys: what is pinned, and the own ones.
    Keys,
    /// Import the roll, and look it through.
    #[command(subcommand)]
    Roll(roll::Roll),
    /// Print cards (登记卡) for everybody of a village who has none; or replace one.
    Cards(cards::Cards),
    /// Paper slips (纸票).
    #[command(subcommand)]
    Paper(paper::Paper),
    /// Hand out the three shares of a box key.
    Shares(count::Shares),
    /// Open and count a closed box before at least two observers.
    Count(count::CountBox),
    /// Destroy keys and envelopes of a published survey now.
    Wipe(count::Wipe),
    /// Print the minutes.
    Minutes,
}

/// Runs what the command line asks for.
///
/// # Errors
/// When the configuration is wrong or the command fails.
pub async fn run() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let settings = Settings::load(arguments.config.as_deref())?;
    if arguments.print_config {
        say(&settings.printable()?);
        return Ok(());
    }
    start_log(&settings.log);
    match arguments.command.unwrap_or(Command::Run(run::Serve::default())) {
        Command::Run(serve) => run::cosigner(settings, &serve).await,
        Command::Witness(serve) => run::witness(&settings, &serve).await,
        Command::Init(command) => command.execute(settings).await,
        Command::Keys => init::print_keys(settings).await,
        Command::Roll(command) => command.execute(settings).await,
        Command::Cards(command) => command.execute(settings).await,
        Command::Paper(command) => command.execute(settings).await,
        Command::Shares(command) => command.execute(settings).await,
        Command::Count(command) => command.execute(settings).await,
        Command::Wipe(command) => command.execute(settings).await,
        Command::Minutes => count::print_minutes(settings).await,
    }
}

/// Says why the command failed: the refusal's sentence where there is one.
pub fn explain(error: &anyhow::Error) {
    match error.downcast_ref::<crate::fault::Fault>() {
        Some(crate::fault::Fault::Refused(refusal)) => say_error(&format!("{}（{}）", refusal.sentence, refusal.code)),
        _ => say_error(&format!("{error:#}")),
    }
}

#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
fn say(text: &str) {
    println!("{}", text.trim_end());
}

#[expect(clippy::print_stderr, reason = "a command line tool complains on standard error")]
fn say_error(text: &str) {
    eprintln!("{text}");
}

fn randomness() -> SharedRandomness {
    Arc::new(SystemRandomness)
}

fn clock(settings: &Settings) -> Arc<SystemClock> {
    Arc::new(SystemClock { shift_seconds: settings.clock.shift_seconds })
}

async fn open(settings: Settings) -> anyhow::Result<Authority> {
    let clock = clock(&settings);
    Authority::open(settings, clock, randomness()).await
}

fn survey(text: &str) -> Result<SurveyId, String> {
    SurveyId::parse(text).ok_or_else(|| "32 lower-case hexadecimal characters".into())
}

/// Starts the log on standard error. Events carry names of surveys, counts and codes; never persons or addresses.
fn start_log(settings: &Log) {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first log.
    let _ = match settings.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
