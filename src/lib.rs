//! Qingfeng 清风: the HTTP API, the command line, and the one-machine installation that runs everything.

pub mod application;
pub mod cli;
pub mod config;
pub mod cosigner;
pub mod demo;
pub mod http;
mod landing;
mod platforms;
pub mod sealed_surveys;
pub mod secrets;
mod wechat_login;
mod wecom_binding;
mod wecom_login;

pub use application::Application;
pub use config::Config;
