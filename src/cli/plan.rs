use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use qingfeng_core::{
    calendar::Calendar,
    campaigns::{self, PlanFault, load_plan, schedule::LONGEST_PREVIEW},
    clock::shanghai,
    people::Actor,
    storage::Command,
};

use super::places;
use crate::{Application, Config};

/// 专项行动方案
#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(subcommand)]
    command: PlanCommand,
}

#[derive(Debug, Subcommand)]
enum PlanCommand {
    /// Check plan files and name everything that is wrong, with line, column and field.
    Check {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Create a campaign in a township from a plan file, or bring the running one up to the file.
    Load {
        file: PathBuf,
        /// Name or code of the township.
        #[arg(long)]
        township: String,
        /// Run it in another year: every date moves by whole years.
        #[arg(long)]
        year: Option<i32>,
    },
    /// Show what the bot will do by itself under a plan, and when.
    Schedule {
        file: PathBuf,
        /// First day; none: the first of the campaign.
        #[arg(long)]
        from: Option<NaiveDate>,
        /// Last day; none: the last of the campaign.
        #[arg(long)]
        to: Option<NaiveDate>,
        /// In another year: every date moves by whole years.
        #[arg(long)]
        year: Option<i32>,
    },
    /// Print the format of plan files (JSON Schema), for editors.
    Schema,
}

impl Plan {
    #[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
    pub(super) async fn execute(self, config: Config) -> anyhow::Result<ExitCode> {
        match self.command {
            PlanCommand::Check { files } => check(&files),
            PlanCommand::Load { file, township, year } => Box::pin(load(config, &file, &township, year)).await,
            PlanCommand::Schedule { file, from, to, year } => schedule(&file, from, to, year),
            PlanCommand::Schema => {
                println!("{}", serde_json::to_string_pretty(&campaigns::schema())?);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
async fn load(config: Config, file: &Path, township: &str, year: Option<i32>) -> anyhow::Result<ExitCode> {
    let source = text_of(file)?;
    let plan = match campaigns::read(&source) {
        Ok(plan) => plan,
        Err(faults) => {
            show(file, &faults);
            return Ok(ExitCode::FAILURE);
        }
    };
    let plan = year.map_or_else(|| plan.clone(), |year| plan.clone().moved_to_year(year));
    let application = Application::start_real(config).await?;
    let store = &application.store;
    let township = places::township(store, township).await?;
    let calendar = application.calendar.of(township.county_id).await?;
    let command = Command::by(&Actor::System { county: township.county_id });
    let name = plan.name.clone();
    let outcome = load_plan(store, &calendar, &command, township.id, plan, source).await?.value;
    println!("{}：{name}第{}版已载入，现在到期前的{}项履职事项已派出", township.name, outcome.version, outcome.opened);
    for vacancy in outcome.vacancies {
        println!("注意：{}还没有“{}”，这里的提醒没有人收", vacancy.unit, vacancy.office);
    }
    Ok(ExitCode::SUCCESS)
}

/// By the shipped calendar: a file belongs to no county yet.
#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
fn schedule(
    file: &Path,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    year: Option<i32>,
) -> anyhow::Result<ExitCode> {
    let plan = match campaigns::read(&text_of(file)?) {
        Ok(plan) => plan,
        Err(faults) => {
            show(file, &faults);
            return Ok(ExitCode::FAILURE);
        }
    };
    let plan = year.map_or_else(|| plan.clone(), |year| plan.clone().moved_to_year(year));
    let (first, last) = (from.unwrap_or(plan.starts_on), to.unwrap_or(plan.ends_on));
    let preview = plan.preview(&Calendar::shipped(), first, last, &[]);
    if plan.schedule.is_empty() {
        println!("方案没有 schedule：期限提醒每天 08:10，村群月度公示每月第1个工作日 09:00");
    }
    for coming in &preview.times {
        let at = coming.at.with_timezone(&shanghai());
        println!("{} {}（{}，{}）", at.format("%Y-%m-%d %H:%M"), coming.runs.label(), coming.key, coming.rule);
    }
    if preview.times.len() == LONGEST_PREVIEW {
        println!("只列出前{LONGEST_PREVIEW}次");
    }
    if let Some(year) = preview.unknown_from {
        println!("{year}年的放假安排尚未公布，从{year}年起的日期未定");
    }
    Ok(ExitCode::SUCCESS)
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("读不到文件 {}", file.display()))
}

/// file:line:column leads, so that editors and terminals can jump to it.
#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
fn show(file: &Path, faults: &[PlanFault]) {
    for fault in faults {
        println!("{}:{}:{} {}：{}", file.display(), fault.line, fault.column, fault.field, fault.sentence);
    }
}

#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
fn check(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let mut outcome = ExitCode::SUCCESS;
    for file in files {
        match campaigns::read(&text_of(file)?) {
            Ok(plan) => println!(
                "{}：正确。{}，{}至{}，{}个阶段，{}项履职事项",
                file.display(),
                plan.name,
                plan.starts_on,
                plan.ends_on,
                plan.phases.len(),
                plan.duties.len(),
            ),
            Err(faults) => {
                show(file, &faults);
                outcome = ExitCode::FAILURE;
            }
        }
    }
    Ok(outcome)
}
