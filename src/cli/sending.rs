use clap::{Args, Subcommand};
use qingfeng_core::{outbox::stops, people::Actor, refusal::Fault, storage::Command};

use super::places;
use crate::{Application, Config};

/// 停止和恢复发送消息
#[derive(Debug, Args)]
pub(super) struct Sending {
    #[command(subcommand)]
    command: SendingCommand,
}

#[derive(Debug, Subcommand)]
enum SendingCommand {
    /// Say whether messages are sent.
    State,
    /// Stop all sending of the installation; what is due waits.
    Stop {
        #[arg(long)]
        reason: String,
        /// Name or code of the county in whose audit it stands; not needed when there is one.
        #[arg(long)]
        county: Option<String>,
    },
    Resume {
        #[arg(long)]
        county: Option<String>,
    },
}

impl Sending {
    #[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
    pub(super) async fn execute(self, config: Config) -> anyhow::Result<()> {
        let application = Application::start_real(config).await?;
        let store = &application.store;
        match self.command {
            SendingCommand::State => match stops::in_force(store.reader()).await? {
                Some(stop) => println!("已停止（{}起）：{}", stop.since.format("%Y-%m-%d %H:%M UTC"), stop.reason),
                None => println!("正常发送"),
            },
            SendingCommand::Stop { reason, county } => {
                let county = places::county(store, county.as_deref()).await?.county_id;
                let command = Command::by(&Actor::System { county });
                said(stops::stop(store, &command, county, &reason).await.map(|_| ()))?;
                println!("已停止发送");
            }
            SendingCommand::Resume { county } => {
                let county = places::county(store, county.as_deref()).await?.county_id;
                let command = Command::by(&Actor::System { county });
                said(stops::resume(store, &command, county).await.map(|_| ()))?;
                println!("已恢复发送");
            }
        }
        Ok(())
    }
}

/// A refusal in its Chinese words.
fn said(done: Result<(), Fault>) -> anyhow::Result<()> {
    match done {
        Err(Fault::Refused(refusal)) => anyhow::bail!(refusal.sentence),
        other => Ok(other?),
    }
}
