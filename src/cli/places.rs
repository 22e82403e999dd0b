//! Finding the place that an operator names on the command line.

use anyhow::{Context, bail};
use qingfeng_core::{
    people::{OrganizationKind, entity::organizations},
    refusal::Fault,
    storage::Store,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

pub(super) async fn county(store: &Store, named: Option<&str>) -> anyhow::Result<organizations::Model> {
    one(store, OrganizationKind::County, named).await.context("没有找到县，请用 --county 写明")
}

pub(super) async fn township(store: &Store, named: &str) -> anyhow::Result<organizations::Model> {
    one(store, OrganizationKind::Township, Some(named)).await.context("没有找到乡镇，请用 --township 写明名称或代码")
}

pub(super) async fn village(store: &Store, named: &str) -> anyhow::Result<organizations::Model> {
    one(store, OrganizationKind::Village, Some(named)).await.context("没有找到村，请用 --village 写明名称或代码")
}

/// The one place of this kind, of this name or code.
async fn one(store: &Store, kind: OrganizationKind, named: Option<&str>) -> anyhow::Result<organizations::Model> {
    let mut query = organizations::Entity::find().filter(organizations::Column::Kind.eq(kind));
    if let Some(named) = named {
        let condition =
            Condition::any().add(organizations::Column::Name.eq(named)).add(organizations::Column::Code.eq(named));
        query = query.filter(condition);
    }
    let mut found = query.all(store.reader()).await.map_err(Fault::from)?;
    match (found.pop(), found.len()) {
        (Some(place), 0) => Ok(place),
        (None, _) => bail!("一个也没有"),
        (Some(_), others) => bail!("有{}个，请写代码", others + 1),
    }
}
