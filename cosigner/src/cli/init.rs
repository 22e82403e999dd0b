use std::path::Path;

use anyhow::Context;
use clap::Args;

use crate::{Settings, keys::witness_signer, witness::KEY_FILE};

/// File with the public key, beside the key file.
const PUBLIC_FILE: &str = "vkey";

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Make the witness's key, too: a demonstration has both on one machine.
    #[arg(long)]
    demo: bool,
    /// Make the witness's key only.
    #[arg(long, conflicts_with = "demo")]
    witness: bool,
}

impl Init {
    pub(super) async fn execute(self, settings: Settings) -> anyhow::Result<()> {
        if self.demo || self.witness {
            let folder = &settings.witness.folder;
            let signer = witness_signer(&folder.join(KEY_FILE), &settings.witness.name, &*super::randomness())?;
            publish(&folder.join(PUBLIC_FILE), &signer.public)?;
            super::say(&format!("witness {}", signer.public));
        }
        if !self.witness {
            let file = settings.keys.file.with_file_name(PUBLIC_FILE);
            let authority = super::open(settings).await?;
            publish(&file, &authority.log_signer().public)?;
            super::say(&format!("cosigner {}", authority.log_signer().public));
        }
        Ok(())
    }
}

fn publish(file: &Path, key: &str) -> anyhow::Result<()> {
    std::fs::write(file, format!("{key}\n")).with_context(|| file.display().to_string())
}

pub(super) async fn print_keys(settings: Settings) -> anyhow::Result<()> {
    let witness = settings.witness.folder.join(PUBLIC_FILE);
    let mut lines = super::open(settings).await?.verifier_key_lines();
    if let Ok(key) = std::fs::read_to_string(witness) {
        let line = format!("witness {}", key.trim());
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    super::say(&lines.join("\n"));
    Ok(())
}
