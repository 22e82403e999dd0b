//! Both ends of a sealed report, for checking other programs against: reads one command per line from standard input and answers
//! with one line of JSON. `app/tests/interop` drives the app's code with it; opening is age's own.

use std::io::{BufRead, Read, Write};

use age::secrecy::SecretString;
use qingfeng_ballots::{
    codes::Code,
    randomness::{NoRandomness, Randomness},
    reports::{self, ReportKey},
};
use rand::TryRngCore;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    /// Makes an officer's key.
    Key,
    /// What follows from a code.
    Code { code: String },
    /// Seals a text.
    Seal { to: Vec<String>, text: String },
    /// Opens an envelope with a key.
    Open { key: String, envelope: String },
    /// Opens an envelope with a reporter's code.
    OpenWithCode { code: String, envelope: String },
    /// Opens a key file that is locked with a passphrase.
    Unlock { passphrase: String, file: String },
}

struct System;

impl Randomness for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        rand::rngs::OsRng.try_fill_bytes(bytes).map_err(|_| NoRandomness)
    }
}

fn opened(key: &ReportKey, envelope: &str) -> Result<Value, String> {
    let envelope = hex::decode(envelope).map_err(|error| error.to_string())?;
    let content = key.open(&envelope).map_err(|error| format!("{error:?}"))?;
    let text = String::from_utf8(content).map_err(|error| error.to_string())?;
    Ok(json!({"text": text, "recipients": reports::recipients(&envelope)}))
}

fn answer(command: Command) -> Result<Value, String> {
    let reason = |error: &dyn std::fmt::Debug| format!("{error:?}");
    match command {
        Command::Key => {
            let key = ReportKey::generate();
            Ok(json!({"recipient": key.recipient(), "key": *key.to_text()}))
        }
        Command::Code { code } => {
            let code = Code::parse(&code).map_err(|error| reason(&error))?;
            Ok(json!({"lookup": code.report_lookup(), "recipient": ReportKey::of_code(&code).recipient()}))
        }
        Command::Seal { to, text } => {
            let to = to.iter().map(|word| word.parse()).collect::<Result<Vec<_>, _>>();
            let to = to.map_err(|error| reason(&error))?;
            let envelope = reports::seal(&to, text.as_bytes(), &System).map_err(|error| reason(&error))?;
            Ok(json!({"envelope": hex::encode(envelope)}))
        }
        Command::Open { key, envelope } => opened(&key.parse().map_err(|error| reason(&error))?, &envelope),
        Command::OpenWithCode { code, envelope } => {
            opened(&ReportKey::of_code(&Code::parse(&code).map_err(|error| reason(&error))?), &envelope)
        }
        Command::Unlock { passphrase, file } => {
            let file = hex::decode(file).map_err(|error| error.to_string())?;
            let decryptor = age::Decryptor::new_buffered(file.as_slice()).map_err(|error| error.to_string())?;
            let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase));
            // A slow machine would refuse by itself.
            identity.set_max_work_factor(18);
            let identity: &dyn age::Identity = &identity;
            let mut reader = decryptor.decrypt(std::iter::once(identity)).map_err(|error| error.to_string())?;
            let mut text = String::new();
            reader.read_to_string(&mut text).map_err(|error| error.to_string())?;
            Ok(json!({"text": text}))
        }
    }
}

fn main() -> std::io::Result<()> {
    for line in std::io::stdin().lock().lines() {
        let answered = serde_json::from_str(&line?).map_err(|error| error.to_string()).and_then(answer);
        let answered = answered.unwrap_or_else(|refused| json!({ "refused": refused }));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answered}")?;
        out.flush()?;
    }
    Ok(())
}
