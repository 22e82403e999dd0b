use std::process::ExitCode;

use qingfeng_core::{
    audit,
    people::{OrganizationKind, entity::organizations},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Application, Config};

/// Recomputes the audit chains of every county and names the first record that does not fit.
#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
pub(super) async fn verify(config: Config) -> anyhow::Result<ExitCode> {
    let application = Application::start_real(config).await?;
    let counties = organizations::Entity::find()
        .filter(organizations::Column::Kind.eq(OrganizationKind::County))
        .all(application.store.reader())
        .await?;
    let mut whole = true;
    for county in counties {
        let broken = audit::verify(&application.store, county.county_id).await?;
        for link in &broken {
            println!("{}：第{}条链从第{}条记录起对不上", county.name, link.stripe, link.sequence);
        }
        if broken.is_empty() {
            println!("{}：审计链完整", county.name);
        }
        whole &= broken.is_empty();
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
