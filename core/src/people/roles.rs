use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The office that a post gives. What each may do stands in [`super::authorization`].
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
    schemars::JsonSchema,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 村党组织书记: answers for the village.
    VillageSecretary,
    /// 村干部: works on the village's items.
    VillageStaff,
    /// 镇专项行动办: registers, dispatches, supervises, closes.
    TownshipOffice,
    /// 镇领导: approves extensions and exceptions, is told when things are late.
    TownshipLeader,
    /// 部门承办人: works on items of a department.
    DepartmentHandler,
    /// 镇纪委: sealed reports only.
    DisciplinaryOfficer,
    /// 县级抽评: reads everything public and the evidence, records verdicts.
    CountyInspector,
    /// 市级验评.
    CityInspector,
    /// 群管理员: keeps village groups and their messages.
    GroupAdministrator,
    /// 系统管理员: technical only, sees no content.
    SystemAdministrator,
}

impl Role {
    /// The name shown on screens.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::VillageSecretary => "村党组织书记",
            Self::VillageStaff => "村干部",
            Self::TownshipOffice => "镇专项行动办",
            Self::TownshipLeader => "镇领导",
            Self::DepartmentHandler => "部门承办人",
            Self::DisciplinaryOfficer => "镇纪委",
            Self::CountyInspector => "县级抽评",
            Self::CityInspector => "市级验评",
            Self::GroupAdministrator => "群管理员",
            Self::SystemAdministrator => "系统管理员",
        }
    }
}

/// The place of an organization in the tree county → township → village or department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum OrganizationKind {
    County,
    Township,
    Village,
    Department,
}

/// The group of electors a resident belongs to; surveys may weigh them differently.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
    schemars::JsonSchema,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum RosterGroup {
    Resident,
    PartyMember,
    /// 村民代表.
    Representative,
    /// 人大代表.
    Deputy,
}

impl RosterGroup {
    /// The name shown on screens and sheets.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Resident => "村民",
            Self::PartyMember => "党员",
            Self::Representative => "村民代表",
            Self::Deputy => "人大代表",
        }
    }
}

/// Who can hold a login session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    Resident,
    Staff,
}
