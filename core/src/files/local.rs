use std::{
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;

use super::{FileStore, is_name, name_of, storage_full};
use crate::refusal::Fault;

/// A folder on this machine.
pub struct LocalFiles {
    folder: PathBuf,
}

impl LocalFiles {
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Fault> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder).map_err(Fault::unavailable)?;
        Ok(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        // Folders of a few thousand files each.
        self.folder.join(&name[..2]).join(name)
    }
}

#[async_trait]
impl FileStore for LocalFiles {
    async fn put(&self, bytes: Vec<u8>) -> Result<String, Fault> {
        let name = name_of(&bytes);
        let path = self.path(&name);
        tokio::task::spawn_blocking(move || write(&path, &bytes)).await.map_err(Fault::unavailable)?.map_err(fault)?;
        Ok(name)
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        if !is_name(name) {
            return Ok(None);
        }
        match tokio::fs::read(self.path(name)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }

    async fn remove(&self, name: &str) -> Result<(), Fault> {
        if !is_name(name) {
            return Ok(());
        }
        match tokio::fs::remove_file(self.path(name)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(fault(error)),
            _ => Ok(()),
        }
    }
}

/// Written aside, flushed, then named: a crash or a full disk leaves no half file under a name.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let aside = path.with_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
    let written = std::fs::File::create(&aside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&aside, path))
        .and_then(|()| std::fs::File::open(folder)?.sync_all());
    if written.is_err() {
        let _ = std::fs::remove_file(&aside);
    }
    written
}

fn fault(error: std::io::Error) -> Fault {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => storage_full(),
        _ => Fault::unavailable(format!("file store: {}", error.kind())),
    }
}
