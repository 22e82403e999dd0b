//! The command line.

mod audit;
mod ballot_box;
mod bot;
mod calendar;
mod fetch_bundle;
mod groups;
mod logging;
mod menu;
mod messages;
mod places;
mod plan;
mod roll;
mod run;
mod sandbox;
mod sending;
mod templates;
mod verify;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use qingfeng_core::{
    clock::{Clock, ShiftedClock, SystemClock},
    randomness::SystemRandomness,
    storage::Surroundings,
};

use crate::Config;

pub use bot::run as run_bot;
pub use menu::put_menu;
pub(crate) use roll::export as export_roll;
pub use templates::check_templates;

/// 清风: 乡镇群众诉求、整改、测评与公示平台
#[derive(Debug, Parser)]
#[command(name = "qingfeng", version)]
struct Arguments {
    /// Configuration file (TOML).
    #[arg(long, short, global = true, env = "QINGFENG_CONFIG")]
    config: Option<PathBuf>,
    /// Show the configuration in force, secrets masked, and stop.
    #[arg(long)]
    print_config: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API, the screens and — unless configured otherwise — the bot.
    Run(run::Run),
    /// Serve the platform simulator alone: WeChat, group robots, the phones' screens.
    Sandbox(sandbox::Sandbox),
    /// Seed the demo township into an empty database.
    Demo,
    /// Check the audit chains of every county.
    VerifyAudit,
    /// Print the API's description (OpenAPI 3.1).
    Openapi,
    /// Keep the working-day calendar.
    Calendar(calendar::Calendar),
    /// Set up village groups and change their robots' keys.
    Groups(groups::Groups),
    /// Stop all sending at once, or let it go on.
    Sending(sending::Sending),
    /// List the kinds of messages and preview their words.
    Messages(messages::Messages),
    /// Check, load and describe campaign plans.
    Plan(plan::Plan),
    /// Serve the ballot box of anonymous surveys alone: no login, no log.
    Box,
    /// The roll of eligible residents, for the co-signer.
    Roll(roll::Roll),
    /// Download the public files of an anonymous survey's box, to be checked.
    FetchBundle(fetch_bundle::FetchBundle),
    /// Check a published anonymous survey, offline: needs the folder and the keys that you trust, nothing else.
    Verify(verify::Verify),
    /// Put the menus under the chats with the official account and with the application at WeCom.
    PutMenu(menu::PutMenu),
    /// Compare the templates of subscribe messages with those of the mini-program's account.
    CheckTemplates,
    /// Bring the database's schema up to date.
    Migrate,
}

/// Time and randomness of the real world; time moved as the configuration says.
#[must_use]
pub fn real_surroundings(config: &Config) -> Surroundings {
    let clock: Arc<dyn Clock> = match config.clock.shift_seconds {
        0 => Arc::new(SystemClock),
        seconds => Arc::new(ShiftedClock(chrono::TimeDelta::seconds(seconds))),
    };
    Surroundings { clock, randomness: Arc::new(SystemRandomness) }
}

/// Runs what the command line asks for.
///
/// # Errors
/// When the configuration is wrong or the command fails.
#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
pub async fn run() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let config = Config::load(arguments.config.as_deref())?;
    if arguments.print_config {
        print!("{}", config.printable()?);
        return Ok(ExitCode::SUCCESS);
    }
    logging::start(&config.log);
    match arguments.command.unwrap_or(Command::Run(run::Run::default())) {
        Command::Run(command) => Box::pin(command.execute(config)).await?,
        Command::Sandbox(command) => command.execute(&config).await?,
        Command::Demo => crate::demo::seed(&crate::Application::start_real(config).await?).await?,
        Command::VerifyAudit => return Box::pin(audit::verify(config)).await,
        Command::Openapi => println!("{}", crate::http::description().to_pretty_json()?),
        Command::Calendar(command) => Box::pin(command.execute(config)).await?,
        Command::Groups(command) => Box::pin(command.execute(config)).await?,
        Command::Sending(command) => Box::pin(command.execute(config)).await?,
        Command::Messages(command) => command.execute(&config)?,
        Command::Plan(command) => return Box::pin(command.execute(config)).await,
        Command::Box => Box::pin(ballot_box::serve(config)).await?,
        Command::Roll(command) => Box::pin(command.execute(config)).await?,
        Command::FetchBundle(command) => command.execute().await?,
        Command::Verify(command) => return Ok(command.execute()),
        Command::PutMenu(command) => command.execute(config).await?,
        Command::CheckTemplates => return check_templates(&config).await,
        Command::Migrate => {
            crate::Application::start_real(config).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
