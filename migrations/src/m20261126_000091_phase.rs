use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::columns::index;

/// Lists ask for complaints in a state. An index that holds the state makes PostgreSQL enter a row anew into every index of
/// the table whenever somebody acts on it; the phase changes only when a complaint ends or is taken up again.
#[derive(DeriveMigrationName)]
pub struct Migration;

const PHASE: &str = "CASE WHEN state IN ('closed', 'merged', 'not_accepted', 'withdrawn') THEN state ELSE 'open' END";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        // SQLite adds no column that is stored.
        let kept = if postgres { "STORED" } else { "VIRTUAL" };
        let connection = manager.get_connection();
        let column = format!("ALTER TABLE complaints ADD COLUMN phase varchar GENERATED ALWAYS AS ({PHASE}) {kept}");
        connection.execute_unprepared(&column).await?;
        for name in [
            "complaints_township_id_state_id",
            "complaints_lead_unit_id_state_id",
            "complaints_county_id_state_answered_at",
        ] {
            manager.drop_index(Index::drop().name(name).table("complaints").to_owned()).await?;
        }
        manager.create_index(index("complaints", &["township_id", "phase", "id"])).await?;
        manager.create_index(index("complaints", &["lead_unit_id", "phase", "id"])).await?;
        manager.create_index(index("complaints", &["county_id", "answered_at"])).await?;
        if postgres {
            // Room for the changed row beside the old one, or it has to go into every index again.
            connection.execute_unprepared("ALTER TABLE complaints SET (fillfactor = 85)").await?;
            connection.execute_unprepared("ALTER TABLE audit_heads SET (fillfactor = 25)").await?;
        }
        Ok(())
    }
}
