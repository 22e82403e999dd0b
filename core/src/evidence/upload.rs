use std::sync::Arc;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{
    Limits, Purpose,
    entity::{attachments, files},
    photo::process,
};
use crate::{
    files::FileStore,
    ids::{CountyId, FileId},
    people::{
        Actor,
        authorization::{Action, Subject, may},
    },
    refusal::{Fault, Refusal},
    storage::{Store, UnitOfWork},
};

/// Pictures decoded at once: each may take 150 MB.
const WORKERS: usize = 2;

/// Makes the three sizes, a few photos at a time and off the async threads.
pub struct Darkroom {
    files: Arc<dyn FileStore>,
    places: Semaphore,
}

impl Darkroom {
    #[must_use]
    pub fn new(files: Arc<dyn FileStore>) -> Self {
        Self { files, places: Semaphore::new(WORKERS) }
    }

    #[must_use]
    pub fn files(&self) -> &dyn FileStore {
        &*self.files
    }

    /// Makes the three sizes and keeps them.
    pub(super) async fn develop(&self, bytes: Vec<u8>) -> Result<Developed, Fault> {
        let made = {
            let _place = self.places.acquire().await.map_err(Fault::unavailable)?;
            tokio::task::spawn_blocking(move || process(&bytes, Limits::default()))
                .await
                .map_err(Fault::unavailable)?
                .map_err(Fault::refused)?
        };
        let size = |edge: u32| i32::try_from(edge).unwrap_or(i32::MAX);
        Ok(Developed {
            width: size(made.print.width),
            height: size(made.print.height),
            list_digest: self.files.put(made.list.jpeg).await?,
            view_digest: self.files.put(made.view.jpeg).await?,
            print_digest: self.files.put(made.print.jpeg).await?,
        })
    }
}

/// A photo whose sizes are kept, and that has no row yet.
pub(super) struct Developed {
    list_digest: String,
    view_digest: String,
    print_digest: String,
    width: i32,
    height: i32,
}

impl Developed {
    /// Its row; without an uploader where it belongs to something at once.
    pub(super) async fn file(
        self,
        unit: &UnitOfWork,
        county: CountyId,
        uploader: Option<uuid::Uuid>,
    ) -> Result<FileId, Fault> {
        let id = FileId::new(unit.randomness(), unit.now());
        files::Entity::insert(files::ActiveModel {
            id: Set(id),
            county_id: Set(county),
            list_digest: Set(self.list_digest),
            view_digest: Set(self.view_digest),
            print_digest: Set(self.print_digest),
            width: Set(self.width),
            height: Set(self.height),
            uploader_id: Set(uploader),
            uploaded_at: Set(unit.now()),
        })
        .exec_without_returning(unit.connection())
        .await?;
        Ok(id)
    }
}

/// A photo that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    pub id: FileId,
    pub width: i32,
    pub height: i32,
}

/// Takes a photo in. It is its uploader's until it is attached to something.
///
/// # Errors
/// [`super::PhotoRefusal`]; `storage_full`.
pub async fn upload(store: &Store, darkroom: &Darkroom, actor: &Actor, bytes: Vec<u8>) -> Result<Uploaded, Fault> {
    may(actor, Action::UploadFile, &Subject::default())?;
    let (county, uploader) = match actor {
        Actor::Resident(resident) => (resident.county, resident.id.0),
        Actor::Staff(staff) => (staff.county, staff.id.0),
        _ => return Err(Refusal::forbidden().into()),
    };
    let photo = darkroom.develop(bytes).await?;
    let (width, height) = (photo.width, photo.height);
    let id =
        store.housekeeping(move |unit| Box::pin(async move { photo.file(unit, county, Some(uploader)).await })).await?;
    Ok(Uploaded { id, width, height })
}

/// The file's row and what it belongs to, for deciding who may see it: public evidence is for all, a complaint's photos
/// for those who may see the complaint, an upload that belongs to nothing yet for its uploader.
///
/// # Errors
/// When there is none.
pub async fn read(store: &Store, id: FileId) -> Result<(files::Model, Option<attachments::Model>), Fault> {
    let file = files::Entity::find_by_id(id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    let attached = attachments::Entity::find().filter(attachments::Column::FileId.eq(id)).one(store.reader()).await?;
    Ok((file, attached))
}

impl Purpose {
    /// Whether photos of this purpose are published with what they belong to.
    #[must_use]
    pub fn is_public(self) -> bool {
        match self {
            Self::Before | Self::After => true,
            Self::Complaint | Self::Answer | Self::Evidence => false,
        }
    }
}
