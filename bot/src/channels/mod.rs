//! The platforms: each in a file of its own, all refusals of theirs in one table.

mod codes;
mod subscribe_message;
mod wecom_robot;

use std::time::Duration;

use qingfeng_core::{outbox::consents::Validity, refusal::Fault};

pub(crate) use subscribe_message::LONGEST_THING;
pub use subscribe_message::{Card, SubscribeMessages, TemplateUse};
#[cfg(test)]
pub(crate) use wecom_robot::LONGEST_MARKDOWN;
pub use wecom_robot::WeComRobots;

/// Addresses and credentials of the platforms.
#[derive(Clone, Debug)]
pub struct PlatformSettings {
    pub wechat_api_base: String,
    pub wecom_api_base: String,
    pub app_id: String,
    pub app_secret: String,
    pub reminder_template: String,
    pub progress_template: String,
    /// How long the accepts of subscribe messages last.
    pub consents: Validity,
}

/// A platform that has not answered by then may have taken the message.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn client() -> Result<reqwest::Client, Fault> {
    reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().map_err(Fault::unavailable)
}

/// Secrets travel in addresses: never in the clear, except to this machine.
fn check_base(name: &str, address: &str) -> Result<(), Fault> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let fits = address.starts_with("https://") || local.iter().any(|prefix| address.starts_with(prefix));
    if fits { Ok(()) } else { Err(Fault::unavailable(format!("{name} must begin with https://"))) }
}

/// Whether a failed request can have reached the platform.
fn may_have_arrived(error: &reqwest::Error) -> bool {
    !(error.is_connect() || error.is_builder())
}
