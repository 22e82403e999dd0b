//! A fictitious township to try the product with: `qingfeng run --demo`. Every name is put together by chance; the
//! passwords are known to everybody. Never for real data.

mod authorities;
mod duties;
mod endings;
mod history;
mod names;
mod people;
mod reports;
mod simulator;
mod surveys;

use qingfeng_core::{
    outbox::{self, MessageState},
    people::entity::organizations,
    refusal::Fault,
    storage::Store,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

pub use authorities::{Authorities, Running as RunningAuthorities};
pub use people::{Account, PASSWORD, accounts};
pub(crate) use reports::key_files;
pub use simulator::{
    official_open_id, start as start_simulator, use_simulated_account, use_simulated_corporation, use_simulated_robot,
};
pub(crate) use surveys::cards;
pub use surveys::seed_surveys;

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
    simulator::link_chats(application).await?;
    history::seed(application, &township).await?;
    reports::seed(application, &township).await?;
    Ok(())
}

/// What was told in a story that happened on other days is long read: the phones of the demo begin empty.
async fn withdraw_messages(store: &Store) -> Result<(), Fault> {
    store
        .housekeeping(|unit| {
            Box::pin(async move {
                outbox::entity::Entity::update_many()
                    .col_expr(outbox::entity::Column::State, Expr::value(MessageState::Withdrawn))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}
