use anyhow::Context;
use clap::{Args, Subcommand};
use qingfeng_core::{
    ids::{OrganizationId, ResidentId},
    people::{
        OrganizationKind, RosterGroup,
        entity::{organizations, residents},
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;

use crate::{Application, Config};

#[derive(Debug, Args)]
pub(super) struct Roll {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Write the eligible residents of a township as JSON lines, to be looked through and imported at the co-signer.
    Export {
        /// The township's code.
        #[arg(long)]
        township: String,
    },
}

/// One line of the file.
#[derive(Serialize)]
struct Line<'a> {
    resident: ResidentId,
    village: OrganizationId,
    village_name: &'a str,
    class: RosterGroup,
    name: &'a str,
}

impl Roll {
    #[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
    pub(super) async fn execute(self, config: Config) -> anyhow::Result<()> {
        let Act::Export { township } = self.act;
        let application = Application::start_real(config).await?;
        for line in export(&application, &township).await? {
            println!("{line}");
        }
        Ok(())
    }
}

/// The lines of the roll, by village and name of the row.
pub(crate) async fn export(application: &Application, township: &str) -> anyhow::Result<Vec<String>> {
    let connection = application.store.reader();
    let found = organizations::Entity::find()
        .filter(organizations::Column::Code.eq(township))
        .filter(organizations::Column::Kind.eq(OrganizationKind::Township))
        .one(connection)
        .await?
        .with_context(|| format!("there is no township {township}"))?;
    let villages = organizations::Entity::find()
        .filter(organizations::Column::ParentId.eq(found.id))
        .filter(organizations::Column::Kind.eq(OrganizationKind::Village))
        .order_by_asc(organizations::Column::Id)
        .all(connection)
        .await?;
    let mut lines = Vec::new();
    for village in villages {
        let people = residents::Entity::find()
            .filter(residents::Column::VillageId.eq(village.id))
            .filter(residents::Column::Active.eq(true))
            .order_by_asc(residents::Column::Id)
            .all(connection)
            .await?;
        for person in &people {
            lines.push(serde_json::to_string(&Line {
                resident: person.id,
                village: village.id,
                village_name: &village.name,
                class: person.roster_group,
                name: &person.name,
            })?);
        }
    }
    Ok(lines)
}
