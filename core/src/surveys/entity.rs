pub mod surveys {
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{CountyId, OrganizationId, StaffId, SurveyId},
        surveys::SurveyState,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "surveys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: SurveyId,
        pub county_id: CountyId,
        pub township_id: OrganizationId,
        pub village_id: OrganizationId,
        /// The thing it asks about.
        pub title: String,
        /// `Vec<Question>`.
        pub questions: Json,
        pub state: SurveyState,
        /// The last day for answers.
        pub closes_on: Date,
        pub created_at: DateTimeUtc,
        /// Who opened it, and wrote its words: somebody else lets its posts go.
        pub author_staff_id: Option<StaffId>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod participation {
    use sea_orm::entity::prelude::*;

    use crate::ids::{CountyId, ResidentId, SurveyId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "survey_participation")]
    pub struct Model {
        pub county_id: CountyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub survey_id: SurveyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub resident_id: ResidentId,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod tallies {
    use sea_orm::entity::prelude::*;

    use crate::ids::{CountyId, SurveyId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "survey_tallies")]
    pub struct Model {
        pub county_id: CountyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub survey_id: SurveyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub question: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub choice: i32,
        pub answers: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
