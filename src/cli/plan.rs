use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};
use qingfeng_core::campaigns;

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
    /// Print the format of plan files (JSON Schema), for editors.
    Schema,
}

impl Plan {
    #[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
    pub(super) async fn execute(self) -> anyhow::Result<ExitCode> {
        match self.command {
            PlanCommand::Check { files } => check(&files),
            PlanCommand::Schema => {
                println!("{}", serde_json::to_string_pretty(&campaigns::schema())?);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
fn check(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let mut outcome = ExitCode::SUCCESS;
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| format!("读不到文件 {}", file.display()))?;
        match campaigns::read(&text) {
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
                for fault in faults {
                    // file:line:column leads, so that editors and terminals can jump to it.
                    println!("{}:{}:{} {}：{}", file.display(), fault.line, fault.column, fault.field, fault.sentence);
                }
                outcome = ExitCode::FAILURE;
            }
        }
    }
    Ok(outcome)
}
