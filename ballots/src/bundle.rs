//! The bundle: a folder of files with which anybody can check the survey. `docs/survey-bundle.md` describes it.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Hex,
    ballot::Ballot,
    canonical::canonical,
    close::{Close, Publication, Slips},
    count::Junk,
    log::Leaf,
    manifest::Manifest,
    publication::Totals,
};

/// The largest file that is read: a province's ballots would not fill it.
const LARGEST_FILE: u64 = 2 << 30;

/// A row with the bytes that were hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub bytes: Vec<u8>,
    pub ballot: Ballot,
}

impl From<Ballot> for Row {
    fn from(ballot: Ballot) -> Self {
        Self { bytes: ballot.to_bytes(), ballot }
    }
}

/// A survey as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub manifest: Manifest,
    /// The lines of the log, as they were hashed.
    pub log: Vec<Vec<u8>>,
    /// Signed notes, from the oldest.
    pub checkpoints: Vec<String>,
    /// Every row, where they are published.
    pub ballots: Option<Vec<Row>>,
    pub junk: Vec<Junk>,
    pub close: Close,
    pub totals: Totals,
    pub paper: Slips,
}

/// What the owner of a ballot checks for herself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mine {
    /// Hash of her row, unless she did not answer.
    pub row: Option<Hex<32>>,
    /// Her leaf in the roll.
    pub roll_leaf: Hex<32>,
    /// Whether she asked for a credential.
    pub issued: bool,
}

/// A bundle that cannot be read: nothing was checked.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("{file}: {error}")]
    File { file: String, error: io::Error },
    #[error("{file}: larger than is read")]
    TooLarge { file: String },
    #[error("{file}, line {line}: {error}")]
    Form { file: String, line: usize, error: String },
}

impl Bundle {
    /// Reads a bundle's folder.
    ///
    /// # Errors
    /// When a file is missing, too large or not of its form.
    pub fn read(folder: &Path) -> Result<Self, Unreadable> {
        let log: Vec<(Vec<u8>, Leaf)> = lines(folder, "log.jsonl")?;
        let ballots = if folder.join("ballots.jsonl").exists() {
            let rows: Vec<(Vec<u8>, Ballot)> = lines(folder, "ballots.jsonl")?;
            Some(rows.into_iter().map(|(bytes, ballot)| Row { bytes, ballot }).collect())
        } else {
            None
        };
        let paper = if folder.join("paper.json").exists() { whole(folder, "paper.json")? } else { Slips::default() };
        Ok(Self {
            manifest: whole(folder, "manifest.json")?,
            log: log.into_iter().map(|(bytes, _)| bytes).collect(),
            checkpoints: whole(folder, "checkpoints.json")?,
            ballots,
            junk: whole(folder, "junk.json")?,
            close: whole(folder, "close.json")?,
            totals: whole(folder, "totals.json")?,
            paper,
        })
    }

    /// Writes the bundle into a folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let ballots: Option<Vec<_>> =
            self.ballots.as_ref().map(|rows| rows.iter().map(|row| row.bytes.clone()).collect());
        fs::write(folder.join("manifest.json"), canonical(&self.manifest))?;
        fs::write(folder.join("log.jsonl"), joined(&self.log))?;
        fs::write(folder.join("checkpoints.json"), canonical(&self.checkpoints))?;
        if let Some(ballots) = ballots {
            fs::write(folder.join("ballots.jsonl"), joined(&ballots))?;
        }
        fs::write(folder.join("junk.json"), canonical(&self.junk))?;
        fs::write(folder.join("close.json"), canonical(&self.close))?;
        fs::write(folder.join("totals.json"), canonical(&self.totals))?;
        if !self.paper.is_empty() {
            fs::write(folder.join("paper.json"), canonical(&self.paper))?;
        }
        Ok(())
    }

    /// The same bundle for everybody: rows only where the close record allows them.
    #[must_use]
    pub fn for_the_public(mut self) -> Self {
        if self.close.publication < Publication::Rows {
            self.ballots = None;
        }
        self
    }
}

fn joined(lines: &[Vec<u8>]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.iter().chain(b"\n")).copied().collect()
}

fn bytes(folder: &Path, name: &str) -> Result<Vec<u8>, Unreadable> {
    let path = folder.join(name);
    let unreadable = |error| Unreadable::File { file: name.to_owned(), error };
    if fs::metadata(&path).map_err(unreadable)?.len() > LARGEST_FILE {
        return Err(Unreadable::TooLarge { file: name.to_owned() });
    }
    fs::read(path).map_err(unreadable)
}

fn whole<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, Unreadable> {
    serde_json::from_slice(&bytes(folder, name)?).map_err(|error| Unreadable::Form {
        file: name.to_owned(),
        line: error.line(),
        error: error.to_string(),
    })
}

/// Every line ends with a line end, so that a file that was cut off is noticed.
fn lines<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Vec<(Vec<u8>, T)>, Unreadable> {
    let bytes = bytes(folder, name)?;
    let form = |line: usize, error: &str| Unreadable::Form { file: name.to_owned(), line, error: error.to_owned() };
    let mut lines = Vec::new();
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\n").ok_or_else(|| form(index + 1, "the line is cut off"))?;
        let value = serde_json::from_slice(line).map_err(|error| form(index + 1, &error.to_string()))?;
        lines.push((line.to_vec(), value));
    }
    Ok(lines)
}
