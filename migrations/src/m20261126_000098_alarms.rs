//! What keeps messages from leaving and is for whoever runs the platform to mend: interfaces that refuse us, templates that
//! were switched off.

use sea_orm_migration::prelude::*;

use crate::columns::{
    bare_table, county, flag, id, instant, integer, optional_id, optional_instant, table, unique, word,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alarms = table(
            "platform_alarms",
            [
                id("id"),
                county(),
                optional_id("township_id"),
                word("interface"),
                word("kind"),
                integer("code"),
                instant("since"),
                instant("last_at"),
                integer("times"),
            ],
        );
        manager.create_table(alarms).await?;
        let refusals = bare_table(
            "template_refusals",
            [word("template_id"), word("phone"), county(), optional_instant("refused_at"), flag("failed")],
        )
        .primary_key(Index::create().col("template_id").col("phone"))
        .take();
        manager.create_table(refusals).await?;
        let stops = table(
            "template_stops",
            [id("id"), county(), word("template_id"), integer("code"), integer("people"), instant("stopped_at")],
        );
        manager.create_table(stops).await?;
        manager.create_index(unique("platform_alarms", &["interface"])).await?;
        manager.create_index(unique("template_stops", &["template_id"])).await
    }
}
