use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use qingfeng_core::{
    calendar::{YearNotice, import_year},
    people::Actor,
};

use super::places;
use crate::{Application, Config};

/// 工作日历
#[derive(Debug, Args)]
pub(super) struct Calendar {
    #[command(subcommand)]
    command: CalendarCommand,
}

#[derive(Debug, Subcommand)]
enum CalendarCommand {
    /// Take the State Council's notice for a year into force: `{"year", "papers", "days": [{"name", "date", "isOffDay"}]}`.
    /// Running deadlines are worked out again, and both dates are kept.
    Import {
        file: PathBuf,
        /// Name or code of the county; not needed where there is only one.
        #[arg(long)]
        county: Option<String>,
    },
}

impl Calendar {
    #[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
    pub(super) async fn execute(self, config: Config) -> anyhow::Result<()> {
        let CalendarCommand::Import { file, county } = self.command;
        let text = std::fs::read_to_string(&file).with_context(|| format!("读不到文件 {}", file.display()))?;
        let notice = YearNotice::parse(&text).with_context(|| format!("{} 不能导入", file.display()))?;
        let application = Application::start_real(config).await?;
        let store = &application.store;
        let county = places::county(store, county.as_deref()).await?;
        let actor = Actor::System { county: county.county_id };
        let outcome = import_year(store, &application.calendar, &actor, county.county_id, notice).await?;
        println!(
            "{}：{}年工作日历第{}版已生效，{}个正在计算的期限重新算出日期",
            county.name, outcome.year, outcome.version, outcome.moved_deadlines
        );
        Ok(())
    }
}
