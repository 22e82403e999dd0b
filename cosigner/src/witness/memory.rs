//! What the witness remembers: one file per log, replaced as a whole and on the disk before anything is signed.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use qingfeng_ballots::{Hex, canonical::sha256};
use serde::{Deserialize, Serialize};

/// State of a log that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remembered {
    pub size: u64,
    pub root: Hex<32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    origin: String,
    #[serde(flatten)]
    remembered: Remembered,
}

pub(super) struct Memory {
    folder: PathBuf,
    /// One at a time: a witness signs a few checkpoints an hour.
    turn: Mutex<()>,
    /// Held while this process lives: two would forget each other's signatures.
    _lock: File,
}

impl Memory {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join("in-use"))?;
        lock.try_lock().map_err(|_| io::Error::other("another witness uses this folder"))?;
        Ok(Self { folder: folder.to_owned(), turn: Mutex::new(()), _lock: lock })
    }

    pub(super) fn lock(&self, origin: &str) -> io::Result<Place<'_>> {
        let name = hex::encode(sha256(&[origin.as_bytes()]).0);
        Ok(Place {
            folder: &self.folder,
            file: self.folder.join(format!("{name}.json")),
            origin: origin.to_owned(),
            _turn: self.turn.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }
}

/// One log's place, for one turn.
pub(super) struct Place<'a> {
    folder: &'a Path,
    file: PathBuf,
    origin: String,
    _turn: MutexGuard<'a, ()>,
}

impl Place<'_> {
    pub(super) fn read(&self) -> io::Result<Option<Remembered>> {
        let bytes = match fs::read(&self.file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // A damaged memory is never taken for no memory.
        let content: Content = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
        if content.origin != self.origin {
            return Err(io::Error::other("the file belongs to another log"));
        }
        Ok(Some(content.remembered))
    }

    pub(super) fn write(&self, remembered: &Remembered) -> io::Result<()> {
        let content = Content { origin: self.origin.clone(), remembered: remembered.clone() };
        let next = self.file.with_extension("next");
        let mut file = File::create(&next)?;
        file.write_all(&serde_json::to_vec(&content).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&next, &self.file)?;
        // The new name, too, is on the disk.
        File::open(self.folder)?.sync_all()
    }
}
