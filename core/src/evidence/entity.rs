pub mod files {
    use sea_orm::entity::prelude::*;

    use crate::ids::{CountyId, FileId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "files")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: FileId,
        pub county_id: CountyId,
        /// SHA-256 in hex, the name in the file store.
        pub list_digest: String,
        pub view_digest: String,
        pub print_digest: String,
        pub width: i32,
        pub height: i32,
        /// Resident or staff who uploaded it; cleared once it belongs to something.
        pub uploader_id: Option<Uuid>,
        pub uploaded_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod attachments {
    use sea_orm::entity::prelude::*;

    use crate::{
        evidence::Purpose,
        ids::{CountyId, EntryId, FileId},
        subject::SubjectKind,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "attachments")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: EntryId,
        pub county_id: CountyId,
        pub subject_kind: SubjectKind,
        pub subject_id: Uuid,
        pub file_id: FileId,
        pub purpose: Purpose,
        pub position: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod awaited_media {
    use sea_orm::entity::prelude::*;

    use crate::{
        evidence::MediaKind,
        ids::{ComplaintId, CountyId, EntryId, ResidentId},
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "awaited_media")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: EntryId,
        pub county_id: CountyId,
        pub complaint_id: ComplaintId,
        /// Who sent it, to be told when it cannot be had.
        pub resident_id: ResidentId,
        pub kind: MediaKind,
        /// The platform's name for it.
        pub reference: String,
        /// The account that it was sent to; none = from before there were two.
        pub app_id: Option<String>,
        pub position: i32,
        pub attempts: i32,
        pub not_before: DateTimeUtc,
        /// When the platform took it from the resident.
        pub received_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod recordings {
    use sea_orm::entity::prelude::*;

    use crate::ids::{ComplaintId, CountyId, FileId, ResidentId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "recordings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: FileId,
        pub county_id: CountyId,
        pub complaint_id: ComplaintId,
        /// Whose voice it is.
        pub resident_id: ResidentId,
        /// SHA-256 in hex, the name in the file store.
        pub digest: String,
        pub seconds: i32,
        pub taken_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
