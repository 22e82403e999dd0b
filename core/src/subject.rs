//! What a deadline, an audit record or a message is about.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ids::{
    CampaignId, ComplaintId, DutyId, GroupId, MessageId, MessageTemplateId, OrganizationId, ProblemId, RectificationId,
    ResidentId, SealedReportId, SealedSurveyId, StaffId, SurveyId,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    Complaint,
    Problem,
    Rectification,
    Duty,
    Campaign,
    Survey,
    SealedSurvey,
    /// Only ever the subject of audit records: no message, deadline or list of others names one.
    SealedReport,
    Organization,
    Staff,
    Resident,
    Group,
    Message,
    /// A township's own words for a kind of message.
    MessageTemplate,
    /// The working-day calendar.
    Calendar,
    File,
    /// All sending, of the whole installation.
    Sending,
}

/// One thing of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct SubjectRef {
    pub kind: SubjectKind,
    pub id: Uuid,
}

macro_rules! subjects {
    ($($id:ident => $kind:ident),+ $(,)?) => {$(
        impl From<$id> for SubjectRef {
            fn from(id: $id) -> Self {
                Self { kind: SubjectKind::$kind, id: id.0 }
            }
        }
    )+};
}

subjects!(
    ComplaintId => Complaint,
    ProblemId => Problem,
    RectificationId => Rectification,
    DutyId => Duty,
    CampaignId => Campaign,
    SurveyId => Survey,
    SealedSurveyId => SealedSurvey,
    SealedReportId => SealedReport,
    OrganizationId => Organization,
    StaffId => Staff,
    ResidentId => Resident,
    GroupId => Group,
    MessageId => Message,
    MessageTemplateId => MessageTemplate,
);
