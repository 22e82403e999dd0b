//! A fictitious township to try the product with: `qingfeng run --demo`. Every name is put together by chance; the
//! passwords are known to everybody. Never for real data.

mod duties;
mod endings;
mod history;
mod names;
mod people;
mod simulator;

use qingfeng_core::{people::entity::organizations, refusal::Fault};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

pub use people::{Account, PASSWORD, accounts};
pub use simulator::start as start_simulator;

use crate::Application;

/// Code of the demo's county; also tells whether it is seeded already.
const COUNTY_CODE: &str = "demo-qinghe";

/// Seeds the demo township, once.
///
/// # Errors
/// When the database does not answer, or holds real data.
pub async fn seed(application: &Application) -> anyhow::Result<()> {
    let connection = application.store.reader();
    let known = organizations::Entity::find()
        .filter(organizations::Column::Code.eq(COUNTY_CODE))
        .one(connection)
        .await
        .map_err(Fault::from)?;
    if known.is_some() {
        return Ok(());
    }
    let anything = organizations::Entity::find().one(connection).await.map_err(Fault::from)?;
    anyhow::ensure!(anything.is_none(), "this database holds another installation's data; the demo needs an empty one");
    tracing::info!("seeding the demo township");
    let township = people::seed(application).await?;
    simulator::count_accepts(application, township.county).await?;
    history::seed(application, &township).await?;
    Ok(())
}
