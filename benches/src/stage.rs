//! A township in a database of its own: set up in this process, measured in another.

use qingfeng::{Application, Config};
use qingfeng_core::{
    ids::{CountyId, OrganizationId, StaffId},
    people::{
        OrganizationKind, PersonKind, Role,
        roster::{self, NewOrganization, NewPost, NewStaff},
        sessions::{self, Person},
    },
};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend};
use tempfile::TempDir;

use crate::databases::fresh_database;

/// A database with a township, set up in this process and measured in another.
pub struct Stage {
    _folder: TempDir,
    pub config: Config,
    pub database: String,
    application: Application,
    county: CountyId,
    township: OrganizationId,
    pub village: OrganizationId,
    pub secretary: StaffId,
}

impl Stage {
    pub async fn set(engine: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = fresh_database(engine, &folder).await?;
        let mut config = Config::default();
        config.database.url.clone_from(&database);
        config.secrets.file = folder.path().join("secrets.toml");
        config.files.url = format!("file://{}", folder.path().join("files").display());
        let application = Application::start_real(config.clone()).await?;
        let sealer = application.sealer.clone();
        let (county, township, village, secretary) = application
            .store
            .housekeeping(move |unit| {
                Box::pin(async move {
                    let county = CountyId::new(unit.randomness(), unit.now());
                    let place = |parent, kind, code: &str| {
                        let new = NewOrganization { parent, kind, name: code.to_owned(), code: code.to_owned() };
                        roster::add_organization(unit, county, new)
                    };
                    let above = place(None, OrganizationKind::County, "county").await?;
                    let township = place(Some(above), OrganizationKind::Township, "township").await?;
                    let village = place(Some(township), OrganizationKind::Village, "village").await?;
                    let staff = NewStaff {
                        name: "村书记".into(),
                        login: "secretary".into(),
                        password_hash: String::new(),
                        totp_secret: vec![7; 20],
                        open_id: None,
                    };
                    let staff = roster::add_staff(unit, county, &sealer, staff).await?;
                    let from = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap_or_default();
                    let (role, title) = (Role::VillageSecretary, "村书记".to_owned());
                    let post = NewPost { staff, organization: village, role, title, from, to: None };
                    roster::add_post(unit, county, post).await?;
                    Ok((county, township, village, staff))
                })
            })
            .await?;
        Ok(Self { _folder: folder, config, database, application, county, township, village, secretary })
    }

    pub async fn token(&self, kind: PersonKind, id: uuid::Uuid) -> anyhow::Result<String> {
        let person = Person { county: self.county, kind, id };
        let session = sessions::start(&self.application.store, person).await?;
        self.application.access_tokens.issue(person, session.id)
    }

    /// So many residents, and so many complaints of theirs, in turn, all in one state: rows as the product writes them,
    /// made by the database.
    pub async fn people_and_complaints(&self, people: usize, complaints: usize, state: &str) -> anyhow::Result<()> {
        let connection = Database::connect(&self.database).await?;
        let engine = connection.get_database_backend();
        if engine == DbBackend::Sqlite {
            // The pages of a hundred indexes at once; nothing of it needs to survive a power cut.
            connection.execute_unprepared("PRAGMA cache_size = -300000; PRAGMA synchronous = OFF").await?;
        }
        let id = |id: uuid::Uuid| match engine {
            DbBackend::Sqlite => format!("X'{}'", id.simple()),
            _ => format!("'{id}'::uuid"),
        };
        let (county, township, village) = (id(self.county.0), id(self.township.0), id(self.village.0));
        let (secretary, at) = (id(self.secretary.0), "'2026-03-01 00:00:00+00:00'");
        for (first, end) in batches(people) {
            let (rows, row) = (numbers(engine, first, end), made_id_of(engine, "i"));
            let columns = "id,county_id,township_id,village_id,name,neighbourhood,roster_group,active,created_at";
            let values = format!("{row},{county},{township},{village},'村民','','resident',true,{at}");
            insert(&connection, "residents", columns, &values, &rows).await?;
        }
        for (first, end) in batches(complaints) {
            let (rows, row) = (numbers(engine, first, end), made_id_of(engine, "i"));
            let columns = "id,county_id,township_id,village_id,number,channel,kind,category,title,body,place,state,round,\
                 returns,lead_unit_id,handler_id,first_unit_id,closed_in_silence,registered_at,changed_at";
            let values = format!(
                "{row},{county},{township},{village},'SQ-' || i,'mini_program','grievance','road','路灯坏了','村口的路灯坏了','',\
                 '{state}',1,0,{village},{secretary},{village},false,{at},{at}"
            );
            insert(&connection, "complaints", columns, &values, &rows).await?;
            let reporter = made_id_of(engine, &format!("i % {people}"));
            let values = format!("{row},{county},{row},{row},{reporter}");
            let columns = "id,county_id,complaint_id,origin_id,resident_id";
            insert(&connection, "complaint_reporters", columns, &values, &rows).await?;
        }
        // Only what was filled: PostgreSQL would keep plans made for empty tables, and SQLite is never analyzed by the product.
        let tidy: &[&str] = match engine {
            DbBackend::Sqlite => &["PRAGMA wal_checkpoint(TRUNCATE)"],
            _ => &["VACUUM ANALYZE residents, complaints, complaint_reporters", "CHECKPOINT"],
        };
        for sql in tidy {
            connection.execute_unprepared(sql).await?;
        }
        Ok(connection.close().await?)
    }
}

const ROWS_PER_STATEMENT: usize = 100_000;

fn batches(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).step_by(ROWS_PER_STATEMENT).map(move |first| (first, count.min(first + ROWS_PER_STATEMENT)))
}

async fn insert(
    connection: &DatabaseConnection,
    table: &str,
    columns: &str,
    values: &str,
    rows: &str,
) -> anyhow::Result<()> {
    connection.execute_unprepared(&format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {rows}")).await?;
    Ok(())
}

/// The numbers from `first` to before `end`, as a table with the column `i`.
fn numbers(engine: DbBackend, first: usize, end: usize) -> String {
    if engine == DbBackend::Sqlite {
        return format!(
            "(WITH RECURSIVE numbers (i) AS (VALUES ({first}) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < {end}) \
             SELECT i FROM numbers)"
        );
    }
    format!("generate_series({first}, {}) AS numbers (i)", end - 1)
}

/// Made ids grow like those of the product.
const FIRST_MILLISECOND: u64 = 1_730_000_000_000;

/// The id of the row with this number.
pub fn made_id(number: u64) -> uuid::Uuid {
    uuid::Uuid::from_u128(u128::from(FIRST_MILLISECOND + number) << 80 | 0x7000_8000 << 48 | u128::from(number))
}

/// The same in the database's words.
fn made_id_of(engine: DbBackend, number: &str) -> String {
    if engine == DbBackend::Sqlite {
        return format!("unhex(printf('%012x70008000%012x', {FIRST_MILLISECOND} + {number}, {number}))");
    }
    let hex = |value: &str| format!("lpad(to_hex({value}), 12, '0')");
    format!("({} || '70008000' || {})::uuid", hex(&format!("{FIRST_MILLISECOND} + {number}")), hex(number))
}
