//! The first four rows of the promise: a rating on each database beside the bare insert, the board beside hello, lists
//! with many rows beside lists with few.

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};
use qingfeng::{Application, Config};
use qingfeng_core::{
    ids::{CountyId, OrganizationId, ResidentId, StaffId},
    people::{
        OrganizationKind, PersonKind, Role, RosterGroup,
        roster::{self, NewOrganization, NewPost, NewResident, NewStaff},
        sessions::{self, Person},
    },
};
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;

use crate::load::{self, Measured};

const ENGINES: [&str; 2] = ["PostgreSQL", "SQLite"];
const CONNECTIONS: usize = 64;
const RATINGS: usize = 6_000;
const PAGES: usize = 20_000;

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Work {
    Ratings,
    Board,
    Lists,
}

/// Runs the rows, or only those of one kind of work, and prints the table.
#[expect(clippy::print_stdout, reason = "the table is the result")]
pub async fn all(rows: usize, only: Option<Work>) -> anyhow::Result<()> {
    let wanted = |work| only.is_none_or(|only| only == work);
    println!("| work | ratio of requests/s | CPU per request | p99 |");
    println!("|---|---|---|---|");
    for engine in ENGINES.into_iter().filter(|_| wanted(Work::Ratings)) {
        let limit = bare_insert(engine).await?;
        let product = ratings(engine).await?;
        line(&format!("POST a rating on {engine} / bare insert"), product, limit);
    }
    if wanted(Work::Board) {
        let (board, not_modified, hello) = Box::pin(board()).await?;
        line("GET the public board, warm / hello", board, hello);
        line("GET the public board, 304 / hello", not_modified, hello);
    }
    for engine in ENGINES.into_iter().filter(|_| wanted(Work::Lists)) {
        let few = lists(engine, 10_000).await?;
        let many = lists(engine, rows).await?;
        for ((name, many), (_, few)) in many.into_iter().zip(few) {
            line(&format!("{name}, {rows} rows / 10000 rows, {engine}"), many, few);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
fn line(name: &str, ours: Measured, theirs: Measured) {
    println!(
        "| {name} | {:.2} ({:.0} / {:.0}) | {:.1} × ({} / {} µs) | {:.1} × ({:.1} / {:.1} ms) |",
        ours.requests_per_second / theirs.requests_per_second,
        ours.requests_per_second,
        theirs.requests_per_second,
        ours.server_cpu.as_secs_f64() / theirs.server_cpu.as_secs_f64(),
        ours.server_cpu.as_micros(),
        theirs.server_cpu.as_micros(),
        ours.p99.as_secs_f64() / theirs.p99.as_secs_f64(),
        ours.p99.as_secs_f64() * 1e3,
        theirs.p99.as_secs_f64() * 1e3,
    );
}

/// A server process that ends with its measure.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> anyhow::Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

async fn wait_for(address: &str) -> anyhow::Result<()> {
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the measured server does not start")
}

/// Names of tables must not tell of one engine.
async fn fresh_database(engine: &str, folder: &TempDir) -> anyhow::Result<String> {
    if engine == "SQLite" {
        return Ok(format!("sqlite://{}", folder.path().join(format!("{}.sqlite", uuid::Uuid::new_v4())).display()));
    }
    let server = std::env::var("QINGFENG_TEST_POSTGRES").unwrap_or("postgres://postgres@127.0.0.1:5432".into());
    let name = format!("qingfeng_bench_{}", uuid::Uuid::new_v4().simple());
    let administration = Database::connect(format!("{server}/postgres")).await?;
    administration.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    Ok(format!("{server}/{name}"))
}

async fn limit_server(database: &str) -> anyhow::Result<Server> {
    let address = free_address()?;
    let child = Command::new(std::env::current_exe()?)
        .args(["limit", &address, database])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    wait_for(&address).await?;
    Ok(Server { child, address })
}

async fn product_server(stage: &Stage) -> anyhow::Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("product").env("QINGFENG_HTTP__BIND", &address).env("QINGFENG_DATABASE__URL", &stage.database);
    command
        .env("QINGFENG_SECRETS__FILE", &stage.config.secrets.file)
        .env("QINGFENG_FILES__URL", &stage.config.files.url);
    command.env("QINGFENG_BOT__EMBEDDED", "false").env("QINGFENG_LOG__LEVEL", "error");
    let child = command.stdout(Stdio::null()).spawn()?;
    wait_for(&address).await?;
    Ok(Server { child, address })
}

async fn bare_insert(engine: &str) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let database = fresh_database(engine, &folder).await?;
    let server = limit_server(&database).await?;
    let requests = Arc::new((0..RATINGS).map(|_| load::post("/ratings", "", r#"{"level":"satisfied"}"#)).collect());
    load::run(&server.address, requests, CONNECTIONS, 201, server.child.id()).await
}

/// A database with a township, set up in this process and measured in another.
struct Stage {
    _folder: TempDir,
    config: Config,
    database: String,
    application: Application,
    county: CountyId,
    township: OrganizationId,
    village: OrganizationId,
    secretary: StaffId,
}

impl Stage {
    async fn set(engine: &str) -> anyhow::Result<Self> {
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

    async fn residents(&self, count: usize) -> anyhow::Result<Vec<ResidentId>> {
        let (county, township, village) = (self.county, self.township, self.village);
        Ok(self
            .application
            .store
            .housekeeping(move |unit| {
                Box::pin(async move {
                    let mut people = Vec::new();
                    for _ in 0..count {
                        let new = NewResident {
                            township,
                            village,
                            name: "村民".into(),
                            neighbourhood: String::new(),
                            group: RosterGroup::Resident,
                            also_staff: None,
                            open_id: None,
                        };
                        people.push(roster::add_resident(unit, county, new).await?);
                    }
                    Ok(people)
                })
            })
            .await?)
    }

    async fn token(&self, kind: PersonKind, id: uuid::Uuid) -> anyhow::Result<String> {
        let person = Person { county: self.county, kind, id };
        let session = sessions::start(&self.application.store, person).await?;
        self.application.access_tokens.issue(person, session.id)
    }

    /// Rows as the product writes them, in bulk: `complaints` of these reporters, in turn, all in one state.
    async fn complaints(&self, count: usize, state: &str, reporters: &[ResidentId]) -> anyhow::Result<Vec<uuid::Uuid>> {
        let ids: Vec<_> = (0..count).map(|_| uuid::Uuid::now_v7()).collect();
        let connection = self.application.store.reader();
        let sqlite = self.database.starts_with("sqlite");
        let id = |id: uuid::Uuid| {
            if sqlite { format!("X'{}'", id.simple()) } else { format!("'{id}'") }
        };
        let (county, township, village) = (id(self.county.0), id(self.township.0), id(self.village.0));
        let secretary = id(self.secretary.0);
        for (chunk, batch) in ids.chunks(1000).enumerate() {
            let mut rows = Vec::new();
            let mut brought_up = Vec::new();
            for (place, complaint) in batch.iter().enumerate() {
                let number = chunk * 1000 + place;
                rows.push(format!(
                    "({0},{county},{township},{village},'SQ-{number}','mini_program','grievance','road','路灯坏了','村口的路灯坏了','','{state}',1,0,{village},{secretary},{village},NULL,false,'2026-03-01 00:00:00+00:00','2026-03-01 00:00:00+00:00','2026-03-01 00:00:00+00:00')",
                    id(*complaint)
                ));
                let reporter = reporters[number % reporters.len()];
                let link = uuid::Uuid::now_v7();
                brought_up.push(format!("({},{county},{1},{1},{2},NULL)", id(link), id(*complaint), id(reporter.0)));
            }
            let columns = "id,county_id,township_id,village_id,number,channel,kind,category,title,body,place,state,round,returns,lead_unit_id,handler_id,first_unit_id,merged_into_id,closed_in_silence,answered_at,registered_at,changed_at";
            connection
                .execute_unprepared(&format!("INSERT INTO complaints ({columns}) VALUES {}", rows.join(",")))
                .await?;
            let columns = "id,county_id,complaint_id,origin_id,resident_id,receipt_digest";
            let values = brought_up.join(",");
            connection
                .execute_unprepared(&format!("INSERT INTO complaint_reporters ({columns}) VALUES {values}"))
                .await?;
        }
        connection.execute_unprepared("ANALYZE").await?;
        Ok(ids)
    }
}

async fn ratings(engine: &str) -> anyhow::Result<Measured> {
    let stage = Stage::set(engine).await?;
    let people = stage.residents(200).await?;
    let complaints = stage.complaints(RATINGS, "answered", &people).await?;
    let mut tokens = Vec::new();
    for person in &people {
        tokens.push(stage.token(PersonKind::Resident, person.0).await?);
    }
    let server = product_server(&stage).await?;
    let requests = complaints
        .iter()
        .enumerate()
        .map(|(number, complaint)| {
            let token = &tokens[number % tokens.len()];
            let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: rating-{number:08}\r\n");
            load::post(&format!("/api/complaints/{complaint}/ratings"), &headers, r#"{"level":"satisfied"}"#)
        })
        .collect();
    load::run(&server.address, Arc::new(requests), CONNECTIONS, 204, server.child.id()).await
}

async fn board() -> anyhow::Result<(Measured, Measured, Measured)> {
    let stage = Stage::set("SQLite").await?;
    let people = stage.residents(20).await?;
    stage.complaints(500, "answered", &people).await?;
    let server = product_server(&stage).await?;
    let path = format!("/api/board/villages/{}", stage.village);
    let etag = etag_of(&server.address, &path).await?;
    let page = Arc::new(vec![load::get(&path, ""); PAGES]);
    let warm = load::run(&server.address, page, CONNECTIONS, 200, server.child.id()).await?;
    let known = Arc::new(vec![load::get(&path, &format!("If-None-Match: {etag}\r\n")); PAGES]);
    let not_modified = load::run(&server.address, known, CONNECTIONS, 304, server.child.id()).await?;
    let folder = tempfile::tempdir()?;
    let limit = limit_server(&fresh_database("SQLite", &folder).await?).await?;
    let hello = Arc::new(vec![load::get("/hello", ""); PAGES]);
    let hello = load::run(&limit.address, hello, CONNECTIONS, 200, limit.child.id()).await?;
    Ok((warm, not_modified, hello))
}

async fn etag_of(address: &str, path: &str) -> anyhow::Result<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut connection = tokio::net::TcpStream::connect(address).await?;
    connection.write_all(&load::get(path, "Connection: close\r\n")).await?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    let etag = text.lines().find_map(|line| line.strip_prefix("etag: ").or(line.strip_prefix("ETag: ")));
    Ok(etag.context("the board has an ETag")?.trim().to_owned())
}

/// A resident's own list, a unit's list and a township's list, each a first page.
async fn lists(engine: &str, rows: usize) -> anyhow::Result<Vec<(&'static str, Measured)>> {
    ensure!(rows >= 1000, "lists are measured from a thousand rows on");
    let stage = Stage::set(engine).await?;
    // Everybody has ten, however many there are in all.
    let people = stage.residents(rows / 10).await?;
    stage.complaints(rows, "working", &people).await?;
    let resident = stage.token(PersonKind::Resident, people[rows / 20].0).await?;
    let secretary = stage.token(PersonKind::Staff, stage.secretary.0).await?;
    let server = product_server(&stage).await?;
    let mut measured = Vec::new();
    for (name, token, path) in [
        ("GET my complaints", &resident, "/api/complaints"),
        ("GET the unit's complaints", &secretary, "/api/complaints"),
        ("GET the unit's complaints in one state", &secretary, "/api/complaints?state=working"),
    ] {
        let request = load::get(path, &format!("Authorization: Bearer {token}\r\n"));
        let requests = Arc::new(vec![request; 2000]);
        measured.push((name, load::run(&server.address, requests, 8, 200, server.child.id()).await?));
    }
    Ok(measured)
}
