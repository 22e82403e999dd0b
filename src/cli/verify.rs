use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use qingfeng_ballots::{
    bundle::{Bundle, Mine},
    log::{Fingerprint, Pinned},
    verification::{self, Check, Reader, Report},
};

/// Everything was read, and something is wrong.
const FAILED: u8 = 1;
/// Something could not be read; nothing was checked.
const UNREADABLE: u8 = 2;

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Folder of the published survey (docs/survey-bundle.md).
    bundle: PathBuf,
    /// Keys that you trust, from the poster or the app: lines of `platform|cosigner|witness KEY`.
    #[arg(long)]
    vkeys: PathBuf,
    /// A checkpoint that you kept from the group (a signed note); may be given several times.
    #[arg(long)]
    checkpoint: Vec<PathBuf>,
    /// A fingerprint (票箱指纹) that you copied from the group; may be given several times.
    #[arg(long)]
    fingerprint: Vec<String>,
    /// What your phone knows of your own ballot.
    #[arg(long)]
    mine: Option<PathBuf>,
    /// How many names you counted on the posted list.
    #[arg(long)]
    roll_size: Option<u64>,
}

impl Verify {
    /// Checks a published survey, offline. Ends with 0 when all is well, 1 when a check failed, 2 when something could
    /// not be read.
    #[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
    pub(super) fn execute(self) -> ExitCode {
        if let Some(sentence) = ended_without_a_count(&self.bundle).ok().flatten() {
            println!("{sentence}");
            return ExitCode::from(UNREADABLE);
        }
        match self.read() {
            Ok((bundle, reader)) => {
                let report = verification::verify(&bundle, &reader);
                println!("{}", words(&bundle, &report));
                if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
            }
            Err(error) => {
                println!("读不了，什么也没有核对：{error:#}");
                ExitCode::from(UNREADABLE)
            }
        }
    }

    fn read(self) -> anyhow::Result<(Bundle, Reader)> {
        let text = |path: &PathBuf| fs::read_to_string(path).with_context(|| path.display().to_string());
        let pinned = Pinned::parse(&text(&self.vkeys)?).with_context(|| self.vkeys.display().to_string())?;
        let checkpoints = self.checkpoint.iter().map(|path| text(path).map(String::into_bytes));
        let fingerprint = |text: &String| Fingerprint::parse(text).with_context(|| format!("不是票箱指纹：{text}"));
        let mine = self.mine.as_ref().map(|path| -> anyhow::Result<Mine> {
            serde_json::from_str(&text(path)?).with_context(|| path.display().to_string())
        });
        let reader = Reader {
            pinned,
            checkpoints: checkpoints.collect::<Result<_, _>>()?,
            fingerprints: self.fingerprint.iter().map(fingerprint).collect::<Result<_, _>>()?,
            mine: mine.transpose()?,
            roll_size: self.roll_size,
        };
        Ok((Bundle::read(&self.bundle).with_context(|| self.bundle.display().to_string())?, reader))
    }
}

/// What is to be said of a box that was never opened: there is nothing to count, so nothing that could be checked.
pub(super) fn ended_without_a_count(folder: &Path) -> anyhow::Result<Option<&'static str>> {
    let Ok(close) = fs::read(folder.join("close.json")) else { return Ok(None) };
    let close: serde_json::Value = serde_json::from_slice(&close).context("close.json")?;
    Ok(match close["ended"].as_str() {
        Some("too_few") => Some("答的人太少，票箱没有打开，没有票可数：只有名册、日志和指纹可以自己对照。"),
        Some("cancelled") => Some("测评已取消，票箱没有打开，没有票可数：只有名册、日志和指纹可以自己对照。"),
        _ => None,
    })
}

/// The report as a person reads it: every check with its outcome, then what belongs beside the result.
fn words(bundle: &Bundle, report: &Report) -> String {
    let mut lines = vec![
        format!("{}（说明书编码 {}）", bundle.manifest.title, bundle.manifest.poster_code()),
        "请与村里张贴的编码对一对。".to_owned(),
    ];
    for check in Check::ALL {
        let (code, sentence) = (check.code(), check.sentence());
        if let Some(found) = report.failed.get(&check) {
            lines.push(format!("✗ {code:<3} 不成立：{sentence}"));
            lines.extend(found.iter().map(|found| format!("      {found}")));
        } else if let Some(reason) = report.not_checked.get(&check) {
            lines.push(format!("－ {code:<3} 没有核对（{reason}）"));
        } else {
            lines.push(format!("✓ {code:<3} {sentence}"));
        }
    }
    lines.extend(report.notices.iter().map(|notice| format!("注意：{notice}")));
    let failed: Vec<_> = report.failed.keys().map(|check| check.code()).collect();
    lines.push(if failed.is_empty() {
        format!("核对通过，共{}张选票。", bundle.close.ballots)
    } else {
        format!("核对不通过：{}", failed.join("、"))
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_unreadable() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let missing = Verify {
            bundle: folder.path().to_owned(),
            vkeys: folder.path().join("keys"),
            checkpoint: vec![],
            fingerprint: vec![],
            mine: None,
            roll_size: None,
        };
        assert_eq!(missing.execute(), ExitCode::from(UNREADABLE));
    }

    #[test]
    fn a_box_that_was_never_opened_is_said_to_be_one() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        assert_eq!(ended_without_a_count(folder.path()).expect("nothing is there"), None);
        for (ended, word) in [("too_few", "太少"), ("cancelled", "取消")] {
            let close = serde_json::json!({"v": 1, "sid": "00", "ended": ended});
            fs::write(folder.path().join("close.json"), close.to_string()).expect("the folder takes it");
            let sentence = ended_without_a_count(folder.path()).expect("it can be read");
            assert!(sentence.is_some_and(|sentence| sentence.contains(word)), "{sentence:?}");
        }
        let counted = serde_json::json!({"v": 1, "ballots": 12});
        fs::write(folder.path().join("close.json"), counted.to_string()).expect("the folder takes it");
        assert_eq!(ended_without_a_count(folder.path()).expect("it can be read"), None);
    }
}
