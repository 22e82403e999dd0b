use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::{
    Settings,
    keys::write_secret,
    roll::{cards_lines, cards_sheet},
};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Cards {
    #[command(subcommand)]
    command: Option<Replace>,
    /// The village: its id, or its name as the roll has it.
    #[arg(long)]
    village: Option<String>,
    /// File to print from (`.html`), or JSON lines for a printing house (`.jsonl`); destroy it afterwards.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Replace {
    /// A new card for one resident; the old card and the old phone count no more.
    Reissue {
        #[arg(long)]
        resident: Uuid,
        #[arg(long)]
        out: PathBuf,
    },
}

impl Cards {
    pub(super) async fn execute(self, settings: Settings) -> anyhow::Result<()> {
        let address = settings.http.public_url.clone();
        let authority = super::open(settings).await?;
        let (cards, out) = match self.command {
            Some(Replace::Reissue { resident, out }) => {
                refuse_existing(&out)?;
                (vec![authority.reissue_card(resident).await?], out)
            }
            None => {
                let out = self.out.context("--out FILE.html is needed")?;
                refuse_existing(&out)?;
                let village = self.village.context("--village is needed")?;
                let village = match village.parse() {
                    Ok(id) => id,
                    Err(_) => authority.village_named(&village).await?,
                };
                (authority.make_cards(village).await?, out)
            }
        };
        if cards.is_empty() {
            super::say("这个村的人都已有卡。补卡用 cards reissue。");
            return Ok(());
        }
        let lines = out.extension().is_some_and(|kind| kind == "jsonl");
        let content = if lines { cards_lines(&cards) } else { cards_sheet(&cards, &address)? };
        write_secret(&out, content.as_bytes()).with_context(|| out.display().to_string())?;
        super::say(&format!("{}张登记卡写入 {}。打印后请删除这个文件。", cards.len(), out.display()));
        Ok(())
    }
}

/// Before codes are made that would exist nowhere else.
pub(super) fn refuse_existing(out: &std::path::Path) -> anyhow::Result<()> {
    anyhow::ensure!(!out.exists(), "{} exists already", out.display());
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    anyhow::ensure!(folder.is_none_or(|folder| folder.is_dir()), "the folder of {} does not exist", out.display());
    Ok(())
}
