//! The problem list 问题清单 (3.1): what was found, in which way, about whom, in the residents' own words.

pub mod entity;
mod service;

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use service::{NewProblem, list, record};

/// How a problem was found (plan A: 自己找、上级点、群众提、互相帮).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// 自己找.
    Own,
    Residents,
    Superiors,
    Peers,
    Inspection,
    Audit,
    Survey,
    Complaint,
}
