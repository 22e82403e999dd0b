pub mod deadlines {
    use sea_orm::entity::prelude::*;

    use crate::{
        deadlines::DeadlineStatus,
        ids::{CountyId, DeadlineId, OrganizationId, StaffId},
        subject::SubjectKind,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deadlines")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: DeadlineId,
        pub county_id: CountyId,
        pub township_id: Option<OrganizationId>,
        pub subject_kind: SubjectKind,
        pub subject_id: Uuid,
        /// Shown in reminders and on the desk; nothing that tells who reported.
        pub subject_title: String,
        /// What has to be done by then, e.g. `answer`.
        pub kind: String,
        pub round: i32,
        pub start_on: Date,
        /// The rule, so that a new calendar can work the date out again.
        pub limit: Json,
        /// None while the calendar of that year is unknown.
        pub due_on: Option<Date>,
        pub original_due_on: Option<Date>,
        /// How the date was worked out, in Chinese.
        pub explanation: String,
        pub status: DeadlineStatus,
        pub ended_on: Option<Date>,
        pub responsible_staff_id: Option<StaffId>,
        pub responsible_unit_id: Option<OrganizationId>,
        /// How often it was extended.
        pub extensions: i32,
        /// When somebody said of this date that he knows; nothing more reminds ahead of it.
        pub acknowledged_on: Option<Date>,
        pub acknowledged_by: Option<StaffId>,
        /// When somebody said that it is not his, and why; none once it was decided.
        pub disputed_on: Option<Date>,
        pub disputed_by: Option<StaffId>,
        pub dispute_reason: Option<String>,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod extensions {
    use sea_orm::entity::prelude::*;

    use crate::{
        deadlines::ExtensionStatus,
        ids::{CountyId, DeadlineId, ExtensionId, PostId, StaffId},
        subject::SubjectKind,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "extensions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: ExtensionId,
        pub county_id: CountyId,
        pub deadline_id: DeadlineId,
        pub subject_kind: SubjectKind,
        pub subject_id: Uuid,
        pub requested_by: StaffId,
        pub requested_in_post: Option<PostId>,
        pub reason: String,
        pub old_due_on: Option<Date>,
        pub new_due_on: Date,
        pub status: ExtensionStatus,
        pub decided_by: Option<StaffId>,
        pub decision_reason: Option<String>,
        pub requested_at: DateTimeUtc,
        pub decided_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod changes {
    use sea_orm::entity::prelude::*;

    use crate::ids::{CountyId, DeadlineId, EntryId};

    /// Every move of a deadline, whoever or whatever caused it.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deadline_changes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: EntryId,
        pub county_id: CountyId,
        pub deadline_id: DeadlineId,
        pub old_due_on: Option<Date>,
        pub new_due_on: Option<Date>,
        /// `extension` or `calendar`.
        pub cause: String,
        pub explanation: String,
        pub at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
