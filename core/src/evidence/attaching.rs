use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};

use super::{
    Purpose,
    entity::{attachments, files},
};
use crate::{
    ids::{CountyId, EntryId, FileId},
    people::Actor,
    refusal::{Fault, FieldFault, Refusal},
    storage::UnitOfWork,
    subject::SubjectRef,
};

/// Gives uploaded photos to a thing. From then on who may see the thing may see them.
///
/// # Errors
/// When one is not the actor's own upload, or belongs to something already.
pub async fn attach(
    unit: &UnitOfWork,
    actor: &Actor,
    county: CountyId,
    subject: SubjectRef,
    purpose: Purpose,
    photos: &[FileId],
) -> Result<(), Fault> {
    if photos.is_empty() {
        return Ok(());
    }
    let uploader = match actor {
        Actor::Resident(resident) => resident.id.0,
        Actor::Staff(staff) => staff.id.0,
        _ => return Err(Refusal::forbidden().into()),
    };
    let taken = files::Entity::update_many()
        .col_expr(files::Column::UploaderId, Expr::value(Option::<uuid::Uuid>::None))
        .filter(files::Column::Id.is_in(photos.iter().copied()))
        .filter(files::Column::UploaderId.eq(uploader))
        .filter(files::Column::CountyId.eq(county))
        .exec(unit.connection())
        .await?;
    if taken.rows_affected != photos.len() as u64 {
        return Err(Refusal::invalid(vec![FieldFault::new("/photos", "有照片没有传好或已经用过，请重新选择。")]).into());
    }
    let rows = photos.iter().zip(0..).map(|(file, position)| attachments::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(county),
        subject_kind: Set(subject.kind),
        subject_id: Set(subject.id),
        file_id: Set(*file),
        purpose: Set(purpose),
        position: Set(position),
    });
    attachments::Entity::insert_many(rows).exec_without_returning(unit.connection()).await?;
    Ok(())
}

/// The photos of these things, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn attached_to(
    connection: &impl ConnectionTrait,
    subjects: impl IntoIterator<Item = uuid::Uuid>,
) -> Result<Vec<attachments::Model>, Fault> {
    Ok(attachments::Entity::find()
        .filter(attachments::Column::SubjectId.is_in(subjects))
        .order_by_asc(attachments::Column::Id)
        .all(connection)
        .await?)
}
