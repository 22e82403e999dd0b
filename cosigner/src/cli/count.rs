use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use qingfeng_ballots::messages::SurveyId;

use super::survey;
use crate::{Settings, fault::Fault, keys::write_secret, surveys::Share};

/// 开箱计票
#[derive(Debug, Args)]
pub(super) struct CountBox {
    #[arg(value_parser = survey)]
    sid: SurveyId,
    /// Who is present: at least two.
    #[arg(long = "observer", required = true)]
    observers: Vec<String>,
    /// Files with shares of the box key, two of the three.
    #[arg(long = "share")]
    shares: Vec<PathBuf>,
}

impl CountBox {
    pub(super) async fn execute(self, settings: Settings) -> anyhow::Result<()> {
        let shares = self.shares.iter().map(read_share).collect::<anyhow::Result<Vec<_>>>()?;
        let authority = super::open(settings).await?;
        let counted = authority.count(&self.sid, &self.observers, &shares).await?;
        super::say(&format!(
            "计票完成：有效{}张，无效{}封（连同开封密钥公布），打不开{}封，同一张票重复{}封\n监票：{}",
            counted.ballots.len(),
            counted.junk.len(),
            counted.unopenable.len(),
            counted.withheld.len(),
            counted.observers.join("、")
        ));
        Ok(())
    }
}

fn read_share(file: &PathBuf) -> anyhow::Result<Share> {
    let text = std::fs::read_to_string(file).map(zeroize::Zeroizing::new);
    let text = text.with_context(|| file.display().to_string())?;
    Ok(Share::parse(&text).map_err(Fault::from)?)
}

/// 分发票箱密钥分片
#[derive(Debug, Args)]
pub(super) struct Shares {
    #[arg(value_parser = survey)]
    sid: SurveyId,
    /// Folder (a stick) for each holder: three, in order.
    #[arg(long = "out", required = true, num_args = 1)]
    folders: Vec<PathBuf>,
    /// Names of the three holders, in order.
    #[arg(long = "holder", required = true, num_args = 1)]
    holders: Vec<String>,
}

impl Shares {
    pub(super) async fn execute(self, settings: Settings) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.folders.len() == 3 && self.holders.len() == 3,
            "three --out and three --holder are needed"
        );
        let authority = super::open(settings).await?;
        let sid = self.sid;
        authority
            .hand_out_shares(&sid, &self.holders, |shares| {
                for (share, folder) in shares.iter().zip(&self.folders) {
                    let file = folder.join(format!("share-{}-{sid}.txt", share.number));
                    write_secret(&file, share.to_text().as_bytes())
                        .map_err(|error| Fault::unavailable(format!("{}: {error}", file.display())))?;
                }
                Ok(())
            })
            .await?;
        super::say("三片已写出，本机不再保留。请各自保管，任何两片可以开箱。");
        Ok(())
    }
}

/// 销毁密钥和信封
#[derive(Debug, Args)]
pub(super) struct Wipe {
    #[arg(value_parser = survey)]
    sid: SurveyId,
    /// Who is present.
    #[arg(long = "observer")]
    observers: Vec<String>,
}

impl Wipe {
    pub(super) async fn execute(self, settings: Settings) -> anyhow::Result<()> {
        super::open(settings).await?.wipe(&self.sid, &self.observers).await?;
        super::say("已销毁，已记录。");
        Ok(())
    }
}

pub(super) async fn print_minutes(settings: Settings) -> anyhow::Result<()> {
    for minute in super::open(settings).await?.minutes().await? {
        let sid = minute.sid.map(|sid| format!("\t{sid}")).unwrap_or_default();
        let observers = minute.observers.join("、");
        super::say(&format!("{}\t{}{sid}\t{}\t{observers}", minute.number, minute.day, minute.content));
    }
    Ok(())
}
