//! The platform simulator: WeChat and WeCom on one port, for trials and tests.
//!
//! It answers like the real platforms for the interfaces that the product uses, error codes included, and shows on
//! pages what arrived in each chat group and on each phone. Nothing here knows the product.

mod administration;
mod answer;
mod black_hole;
mod crypt;
mod dingtalk;
mod faults;
mod feishu;
mod feishu_message;
mod groups;
mod handle;
mod journal;
mod limits;
mod pages;
mod phone_acts;
mod phones;
mod push_faults;
mod robot_use;
mod sandbox;
mod settings;
mod state;
mod switches;
mod wechat;
mod wecom;

pub use black_hole::{BlackHole, Silence};
pub use faults::{ActiveFault, Fault, FaultKind};
pub use groups::{Group, GroupKind};
pub use handle::PhoneHandle;
pub use journal::{Article, Button, Call, Content, Delivery, Line, Picture, Platform, Push, PushResult, Recipient};
pub use limits::Limits;
pub use phones::Phone;
pub use push_faults::{PushFault, PushFaultKind, Tampering};
pub use sandbox::{RunningSandbox, Sandbox};
pub use settings::{Account, Clock, EventFormat, SandboxSettings, WeComAccount};
pub use wechat::{AccountMessage, EncryptedData, PushOutcome, Template, TemplateField, official_openid};
pub use wecom::RobotMessage;
