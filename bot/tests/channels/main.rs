//! The platforms' clients against the simulator: limits to the byte, refusals, signatures, what two replicas share.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod account;
#[path = "../support/platform_settings.rs"]
mod platform_settings;
mod replicas;
mod resting;
mod robots;
mod template_messages;
mod templates;
mod wecom_app;
