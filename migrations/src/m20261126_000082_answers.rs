//! The stop switch, who stands in for whom, and what people answered to a reminder.

use sea_orm_migration::prelude::*;

use crate::columns::{county, date, id, index, instant, optional_date, optional_id, optional_instant, table, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let stops = table(
            "sending_stops",
            [
                id("id"),
                county(),
                text("reason"),
                instant("stopped_at"),
                optional_id("stopped_by"),
                optional_instant("ended_at"),
                optional_id("ended_by"),
            ],
        );
        let absences = table(
            "absences",
            [
                id("id"),
                county(),
                id("staff_id"),
                id("deputy_staff_id"),
                date("from_date"),
                date("to_date"),
                instant("created_at"),
            ],
        );
        for table in [stops, absences] {
            manager.create_table(table).await?;
        }
        for column in [optional_date("acknowledged_on"), optional_id("acknowledged_by")] {
            manager.alter_table(Table::alter().table("deadlines").add_column(column).to_owned()).await?;
        }
        for index in [index("sending_stops", &["ended_at"]), index("absences", &["staff_id", "to_date"])] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
