//! The demo's disciplinary officers have keys for sealed reports. Their private halves lie beside the demo's data, because whoever
//! tries the demo is the officer too; in earnest they never leave the officer's own machine.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use qingfeng_ballots::reports::ReportKey;
use qingfeng_core::{clock::shanghai_date, people::Actor, people::load_staff, reports, storage::Command};

use super::people::{COUNTY_DISCIPLINE, DISCIPLINE, DemoTownship};
use crate::{Application, Config};

/// Where the officers' key files of the demo are, by login.
pub(crate) fn key_files(config: &Config) -> [(&'static str, PathBuf); 2] {
    let folder = config.secrets.file.parent().unwrap_or_else(|| Path::new(""));
    [DISCIPLINE, COUNTY_DISCIPLINE].map(|login| (login, folder.join(format!("demo-report-key-{login}.txt"))))
}

pub(super) async fn seed(application: &Application, township: &DemoTownship) -> anyhow::Result<()> {
    let today = shanghai_date(application.store.clock().now());
    for ((login, file), office) in key_files(&application.config).into_iter().zip([township.id, township.above]) {
        let officer = load_staff(&application.store, township.staff(login), today).await?;
        let officer = Actor::Staff(officer.context("the demo's officers hold their posts")?);
        let key = ReportKey::generate();
        // Before it counts: nothing may be sealed to a key that nobody has.
        write(&file, &key).with_context(|| file.display().to_string())?;
        let command = Command::by(&officer);
        reports::publish_key(&application.store, &command, township.county, office, key.recipient()).await?;
    }
    Ok(())
}

fn write(file: &Path, key: &ReportKey) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(file)?;
    writeln!(open, "# public key: {}\n{}", key.recipient(), *key.to_text())
}
