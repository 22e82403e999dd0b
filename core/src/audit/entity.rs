pub(super) mod heads {
    use sea_orm::entity::prelude::*;

    use crate::ids::CountyId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_heads")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub county_id: CountyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub stripe: i32,
        pub sequence: i64,
        pub digest: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod records {
    use sea_orm::entity::prelude::*;

    use crate::{
        ids::{CountyId, PostId, StaffId},
        subject::SubjectKind,
    };

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_records")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub county_id: CountyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub stripe: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub sequence: i64,
        pub at: DateTimeUtc,
        pub actor_kind: String,
        pub staff_id: Option<StaffId>,
        pub post_id: Option<PostId>,
        pub action: String,
        pub subject_kind: SubjectKind,
        pub subject_id: Uuid,
        pub before_digest: Option<Vec<u8>>,
        pub after_digest: Option<Vec<u8>>,
        pub digest: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
