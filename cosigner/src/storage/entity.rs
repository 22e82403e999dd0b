//! One module per table.

/// Somebody on the roll. The code of her card is not kept, only its hash and the commitment that follows from it.
pub mod people {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "people")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub resident: Uuid,
        pub village: Uuid,
        pub village_name: String,
        pub name: String,
        pub card_hash: Option<Vec<u8>>,
        pub commitment: Option<Vec<u8>>,
        pub device: Option<Vec<u8>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Ballot classes (票种) that somebody belongs to.
pub mod memberships {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "memberships")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub resident: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub class: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One ballot box. `proposal` is the hash of what was agreed.
pub mod surveys {
    use sea_orm::entity::prelude::*;

    use crate::surveys::State;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "surveys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sid: Vec<u8>,
        pub origin: String,
        pub proposal: Vec<u8>,
        pub manifest: String,
        pub state: State,
        pub signer_sealed: Option<Vec<u8>>,
        pub box_key_sealed: Option<Vec<u8>>,
        pub closed_size: Option<i64>,
        pub issued_a: Option<String>,
        pub issued_b: Option<String>,
        pub voided: Option<String>,
        pub published_on: Option<Date>,
        pub wiped_on: Option<Date>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who may answer in one survey.
pub mod survey_roll {
    use sea_orm::entity::prelude::*;

    use crate::surveys::Channel;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "survey_roll")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sid: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub resident: Uuid,
        pub leaf: Vec<u8>,
        pub channel: Channel,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// For whom the co-signer has signed: once, for one request.
pub mod cosignings {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cosignings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sid: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub resident: Uuid,
        pub req_hash: Vec<u8>,
        pub day: Date,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The copy of the public log.
pub mod log_leaves {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "log_leaves")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sid: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        pub leaf: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Checkpoints of the log with the signatures that they had here.
pub mod log_checkpoints {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "log_checkpoints")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sid: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub size: i64,
        pub note: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Shares of a box key that have not been handed out yet.
pub mod box_shares {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "box_shares")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sid: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub share_sealed: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Public halves of a survey's paper slips, as they are published.
pub mod slips {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "slips")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sid: Vec<u8>,
        pub slips: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Sealed envelopes of a closed box, until they are destroyed.
pub mod envelopes {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "envelopes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sid: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: Vec<u8>,
        pub envelope: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What came out of a box: one text, so that no row has a place or a time.
pub mod results {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "results")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sid: Vec<u8>,
        pub result: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What people did with keys, counts and cards.
pub mod minutes {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "minutes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub day: Date,
        pub kind: String,
        pub sid: Option<Vec<u8>>,
        pub content: String,
        pub observers: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
