use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use qingfeng_bot::messages::{self, Kind};
use qingfeng_core::clock::{Clock as _, SystemClock, shanghai_date};

use crate::Config;

/// 通知用语：列出种类，预览
#[derive(Debug, Args)]
pub(super) struct Messages {
    #[command(subcommand)]
    command: MessagesCommand,
}

#[derive(Debug, Subcommand)]
enum MessagesCommand {
    /// List the kinds of messages.
    List,
    /// Show a message with made-up facts as each platform would; with a file, in its words, if they will do.
    Preview {
        /// E.g. `staff.deadline_ahead`.
        kind: String,
        /// A text with gaps to be used instead of the usual one.
        #[arg(long)]
        file: Option<PathBuf>,
    },
}

impl Messages {
    #[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
    pub(super) fn execute(self, config: &Config) -> anyhow::Result<()> {
        match self.command {
            MessagesCommand::List => {
                for kind in messages::kinds() {
                    let fixed = kind.fixed().map(|why| format!("（不能改：{why}）")).unwrap_or_default();
                    println!("{}  {}{fixed}", kind.key(), kind.meaning());
                }
            }
            MessagesCommand::Preview { kind, file } => {
                let kind = messages::kind(&kind).with_context(|| format!("没有“{kind}”这种消息"))?;
                print!("{}", shown(kind, file, config)?);
            }
        }
        Ok(())
    }
}

fn shown(kind: &Kind, file: Option<PathBuf>, config: &Config) -> anyhow::Result<String> {
    let today = shanghai_date(SystemClock.now());
    let text = match file {
        None => kind.text().to_owned(),
        Some(file) => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("读不到文件 {}", file.display()))?;
            messages::checked(kind, &text, &[], today).map_err(|refusal| {
                let places: Vec<_> = refusal.fields.into_iter().map(|field| field.sentence).collect();
                anyhow::anyhow!("{}", places.join("\n"))
            })?
        }
    };
    let (facts, templates) = (messages::sample_facts(kind, today), config.card_templates());
    let preview = messages::preview(kind, &text, &facts, &config.http.public_url, today, &templates);
    let preview = preview.map_err(|fault| anyhow::anyhow!("{}", messages::field(fault).sentence))?;
    let mut lines = vec![format!("{}：{}", kind.key(), kind.meaning())];
    for view in preview.views {
        lines.push(format!("\n== {}", view.label));
        for field in view.fields {
            let limit = field.limit.map(|limit| format!("/{limit}")).unwrap_or_default();
            let unit = if field.in_bytes { "字节" } else { "字" };
            lines.push(format!("{}（{}{limit}{unit}）：{}", field.name, field.used, field.text));
        }
    }
    Ok(lines.join("\n") + "\n")
}
