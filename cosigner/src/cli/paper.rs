use std::path::PathBuf;

use clap::Subcommand;
use qingfeng_ballots::{
    codes::{BadCode, Code},
    messages::SurveyId,
};

use super::{cards::refuse_existing, survey};
use crate::{
    Settings,
    fault::Fault,
    keys::write_secret,
    paper::{PlatformPaper, slips_sheet},
};

#[derive(Debug, Subcommand)]
pub(super) enum Paper {
    /// Make and print the agreed number of slips, before the survey opens.
    Make {
        #[arg(long, value_parser = survey)]
        survey: SurveyId,
        #[arg(long)]
        count: u32,
        /// File to print from; destroy it afterwards.
        #[arg(long)]
        out: PathBuf,
    },
    /// Tell the platform the public halves once more, when it was not reached.
    Publish {
        #[arg(long, value_parser = survey)]
        survey: SurveyId,
    },
    /// Whether a code was copied without a mistake; says nothing about whether it exists.
    VerifyCode { code: String },
}

impl Paper {
    pub(super) async fn execute(self, settings: Settings) -> anyhow::Result<()> {
        let platform = PlatformPaper::at(&settings.platform.url)?;
        match self {
            Self::Make { survey, count, out } => {
                refuse_existing(&out)?;
                let address = settings.http.public_url.clone();
                let authority = super::open(settings).await?;
                authority
                    .make_paper(&survey, count, &platform, |batch| {
                        let sheet = slips_sheet(batch, &survey, &address)?;
                        write_secret(&out, sheet.as_bytes())
                            .map_err(|error| Fault::unavailable(format!("{}: {error}", out.display())))
                    })
                    .await?;
                super::say(&format!("{count}张纸票写入 {}。打印后请删除这个文件。", out.display()));
            }
            Self::Publish { survey } => {
                super::open(settings).await?.publish_paper(&survey, &platform).await?;
                super::say("纸票的公开部分已送到平台。");
            }
            Self::VerifyCode { code } => match Code::parse(&code) {
                Ok(_) => super::say("抄写无误。"),
                Err(BadCode::Check) => anyhow::bail!("校验不符：有一个字符抄错了"),
                Err(BadCode::Form) => anyhow::bail!("应是21个字符（数字和字母，没有I、L、O、U）"),
            },
        }
        Ok(())
    }
}
