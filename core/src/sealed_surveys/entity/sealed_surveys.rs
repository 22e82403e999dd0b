use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, OrganizationId, SealedSurveyId},
    sealed_surveys::Purpose,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sealed_surveys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SealedSurveyId,
    pub county_id: CountyId,
    pub township_id: OrganizationId,
    pub title: String,
    /// Which questionnaire it is.
    pub kind: String,
    pub purpose: Purpose,
    /// `Vec<qingfeng_ballots::answers::Question>`.
    pub questions: Json,
    /// Lowest level of assurance by which an answer may be given, 1 to 4.
    pub min_level: i32,
    /// First and last day on which credentials are given out.
    pub issue_from: Date,
    pub issue_until: Date,
    /// The last day on which the box takes envelopes.
    pub cast_until: Date,
    /// Paper slips made for each box.
    pub paper: i32,
    /// `Vec<NotHeld>`: groups too small to be asked without being recognized.
    pub not_held: Json,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
