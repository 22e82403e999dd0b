//! The simulator through HTTP, as the product and people meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account_server;
mod chat;
mod customer_groups;
mod faults;
mod login;
mod mini_program;
mod official_account;
mod other_robots;
mod pages;
mod platform;
mod push_side;
mod robot;
mod smart_robot;
mod subscribe_message;
mod tokens;
mod two_accounts;
mod wecom_app;
mod wecom_limits;
