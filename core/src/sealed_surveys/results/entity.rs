pub mod rules {
    use sea_orm::entity::prelude::*;

    use crate::ids::{CampaignId, CountyId, SealedSurveyId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sealed_survey_rules")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub survey_id: SealedSurveyId,
        pub county_id: CountyId,
        /// `Questionnaire`, as it was when the survey was planned.
        pub questionnaire: Json,
        pub campaign_id: Option<CampaignId>,
        /// Key of the evaluation in the campaign's plan.
        pub evaluation_key: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod sheets {
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{CountyId, OrganizationId, SealedSurveyId},
        sealed_surveys::questionnaires::Purpose,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sealed_survey_sheets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub survey_id: SealedSurveyId,
        pub county_id: CountyId,
        pub township_id: OrganizationId,
        pub purpose: Purpose,
        /// `sheet::Head`.
        pub head: Json,
        pub published_at: DateTimeUtc,
        /// When those evaluated were let see their own result.
        pub released_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod results {
    use sea_orm::entity::prelude::*;

    use crate::ids::{CountyId, OrganizationId, SealedSurveyId, SealedSurveyResultId, StaffId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sealed_survey_results")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: SealedSurveyResultId,
        pub county_id: CountyId,
        pub survey_id: SealedSurveyId,
        pub township_id: OrganizationId,
        /// In the order of the sheet.
        pub position: i32,
        /// Who or what, in which unit: the same in every round.
        pub subject: String,
        pub questionnaire: String,
        pub evaluatee_staff_id: Option<StaffId>,
        pub evaluatee_organization_id: Option<OrganizationId>,
        /// `sheet::Row`, as published; never written again.
        pub figures: Json,
        pub published_on: Date,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
