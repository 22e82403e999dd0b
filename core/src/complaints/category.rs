use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a complaint came in (plans A, B, E).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    MiniProgram,
    /// The chat of the official account.
    OfficialAccount,
    Phone,
    ChatGroup,
    /// 来访.
    Visit,
    /// 意见箱.
    OpinionBox,
    /// 坝坝会.
    OpenMeeting,
    /// 四个必访.
    HomeVisit,
    /// 监督一点通 and the like.
    Portal,
    /// 上级转办.
    UpperOffice,
}

/// The type fixes the route (信访工作条例 arts. 29–31). Accusations (检举控告) are none of them: they leave this track
/// before anything is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ComplaintKind {
    /// 建议意见.
    Suggestion,
    /// 申诉求决.
    Grievance,
    /// 限时快办: services with a promise of working days.
    FastService,
}

/// What it is about: public services only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Road,
    Water,
    Electricity,
    Housing,
    Environment,
    /// 低保、救助、补贴.
    Benefits,
    /// 三资、村务公开.
    VillageAffairs,
    /// 服务态度、办事效率.
    Service,
    Land,
    Other,
}

impl Category {
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Road => "道路",
            Self::Water => "饮水",
            Self::Electricity => "用电照明",
            Self::Housing => "住房",
            Self::Environment => "环境卫生",
            Self::Benefits => "补贴救助",
            Self::VillageAffairs => "村务财务",
            Self::Service => "办事服务",
            Self::Land => "土地",
            Self::Other => "其他",
        }
    }
}

/// The opinion of a written answer (信访工作条例 art. 32).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// 支持.
    Supported,
    /// 解释说明: reasonable, but without a legal basis.
    Explained,
    /// 不予支持.
    NotSupported,
}
