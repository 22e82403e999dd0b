use std::{fs, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::Args;
use qingfeng_core::sealed_surveys::queries::FILES;
use reqwest::StatusCode;

use super::verify::ended_without_a_count;

/// Far more than a box of a whole township has.
const LARGEST_FILE: usize = 256 << 20;

#[derive(Debug, Args)]
pub(super) struct FetchBundle {
    /// Where the box shows its public files, e.g. `http://127.0.0.1:8085/v1/SID`.
    address: url::Url,
    /// A new folder for them.
    folder: PathBuf,
}

impl FetchBundle {
    /// Downloads whatever is public of a box: files that may not be published there are left out.
    #[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
    pub(super) async fn execute(self) -> anyhow::Result<()> {
        fs::create_dir(&self.folder).with_context(|| self.folder.display().to_string())?;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
        let address = self.address.as_str().trim_end_matches('/');
        let mut found = Vec::new();
        for name in FILES {
            let answer = client.get(format!("{address}/{name}")).send().await.context("the box does not answer")?;
            if answer.status() == StatusCode::NOT_FOUND {
                continue;
            }
            let content = answer.error_for_status()?.bytes().await?;
            anyhow::ensure!(content.len() <= LARGEST_FILE, "{name} is larger than any bundle");
            fs::write(self.folder.join(name), content).with_context(|| name.to_owned())?;
            found.push(name);
        }
        anyhow::ensure!(!found.is_empty(), "nothing is public there: is the address right, and is it the box's?");
        println!("{}：{}", self.folder.display(), found.join("、"));
        if let Some(sentence) = ended_without_a_count(&self.folder)? {
            println!("{sentence}");
        }
        Ok(())
    }
}
