//! The simulator through HTTP, as the product and people meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account_server;
mod chat;
mod faults;
mod login;
mod other_robots;
mod pages;
mod platform;
mod robot;
mod smart_robot;
mod subscribe_message;
mod tokens;
mod wecom_app;
