use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use crate::{
    Settings,
    roll::{Extent, RollLine},
};

#[derive(Debug, Subcommand)]
pub(super) enum Roll {
    /// Take over a file that the platform exported (JSON lines) and that county people have looked through.
    Import {
        file: PathBuf,
        /// The file holds everybody of its villages: who is not in it is taken off.
        #[arg(long)]
        complete: bool,
    },
    /// Print the roll with names, for those who look it through.
    Review {
        /// Only this village (its name).
        #[arg(long)]
        village: Option<String>,
    },
}

impl Roll {
    pub(super) async fn execute(self, settings: Settings) -> anyhow::Result<()> {
        let authority = super::open(settings).await?;
        match self {
            Self::Import { file, complete } => {
                let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
                let lines = RollLine::parse_file(&text).map_err(crate::fault::Fault::from)?;
                let extent = if complete { Extent::Complete } else { Extent::Additions };
                let imported = authority.import_roll(&lines, extent).await?;
                let crate::roll::Imported { added, changed, removed } = imported;
                super::say(&format!("名册：新增{added}人，变动{changed}人，移出{removed}人"));
            }
            Self::Review { village } => {
                let mut people = authority.review_roll().await?;
                people.retain(|person| village.as_ref().is_none_or(|village| *village == person.village_name));
                for person in &people {
                    let card = if person.has_card { "有卡" } else { "无卡" };
                    let phone = if person.has_phone { "已登记" } else { "未登记" };
                    let classes = person.classes.join("、");
                    super::say(&format!(
                        "{}\t{}\t{classes}\t{card}\t{phone}\t{}",
                        person.village_name, person.name, person.resident
                    ));
                }
                super::say(&format!("共{}人", people.len()));
            }
        }
        Ok(())
    }
}
