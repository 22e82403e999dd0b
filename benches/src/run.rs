//! The first four rows of the promise: a rating on each database beside the bare insert, the board beside hello, lists
//! with many rows beside lists with few.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};
use futures::FutureExt as _;
use qingfeng_core::people::PersonKind;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

use crate::{
    databases::{self, fresh_database},
    load::{self, Measured},
    stage::{Stage, made_id},
};

const ENGINES: [&str; 2] = ["PostgreSQL", "SQLite"];
const CONNECTIONS: usize = 64;
/// Of each round.
const RATINGS: usize = 4_000;
const PAGES: usize = 10_000;
const LISTS: usize = 1_000;
/// The first one warms up; the medians of the others count.
const ROUNDS: usize = 6;
/// Who rates.
const PEOPLE: usize = 200;

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Work {
    Ratings,
    Board,
    Lists,
    /// Blind signatures of anonymous surveys.
    Signing,
    /// A whole published survey.
    Verifying,
}

/// Runs the rows, or only those of one kind of work, and prints the table. Leaves no database behind, however it ends.
pub async fn all(rows: usize, only: Option<Work>, ballots: usize) -> anyhow::Result<()> {
    let measured = async {
        tokio::select! {
            measured = AssertUnwindSafe(Box::pin(measure(rows, only, ballots))).catch_unwind() => measured,
            stopped = tokio::signal::ctrl_c() => Ok(stopped.map_err(Into::into).and(Err(anyhow::anyhow!("stopped")))),
        }
    };
    let measured = measured.await;
    let removed = databases::remove_all().await;
    measured.unwrap_or_else(|panic| resume_unwind(panic)).and(removed)
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
async fn measure(rows: usize, only: Option<Work>, ballots: usize) -> anyhow::Result<()> {
    let wanted = |work| only.is_none_or(|only| only == work);
    println!("| work | ratio of requests/s | CPU per request | database's CPU | p99 |");
    println!("|---|---|---|---|---|");
    for engine in ENGINES.into_iter().filter(|_| wanted(Work::Ratings)) {
        line(&format!("POST a rating on {engine} / bare insert"), Box::pin(ratings(engine)).await?);
    }
    if wanted(Work::Board) {
        let [warm, not_modified] = Box::pin(board()).await?;
        line("GET the public board, warm / hello", warm);
        line("GET the public board, 304 / hello", not_modified);
    }
    for engine in ENGINES.into_iter().filter(|_| wanted(Work::Lists)) {
        for (name, pair) in Box::pin(lists(engine, rows)).await? {
            line(&format!("{name}, {rows} rows / 10000 rows, {engine}"), pair);
        }
    }
    surveys(only, ballots)
}

/// Anonymous surveys, by CPU time alone: nothing of them waits.
#[expect(clippy::print_stdout, reason = "the table is the result")]
fn surveys(only: Option<Work>, ballots: usize) -> anyhow::Result<()> {
    if only.is_none_or(|only| only == Work::Signing) {
        for crate::ballots::Signing { engine, ours, openssl } in crate::ballots::signing()? {
            println!(
                "| blind signature, {engine} / openssl speed rsa2048 | {:.2} ({ours:.0} / {openssl:.0}) | {:.1} × | |",
                ours / openssl,
                openssl / ours
            );
        }
    }
    if only.is_none_or(|only| only == Work::Verifying) {
        let crate::ballots::Verifying { ballots, verifier, bare, reading } = crate::ballots::verifying(ballots)?;
        println!(
            "| verifier over {ballots} ballots / bare loop over their signatures | | {:.2} × ({:.1} / {:.1} s; reading the files {:.1} s) | |",
            verifier.as_secs_f64() / bare.as_secs_f64(),
            verifier.as_secs_f64(),
            bare.as_secs_f64(),
            reading.as_secs_f64()
        );
    }
    Ok(())
}

/// The same requests in every round.
fn same_each_round<Request>(requests: Vec<Request>) -> Vec<Arc<Vec<Request>>> {
    let requests = Arc::new(requests);
    std::iter::repeat_n(requests, ROUNDS).collect()
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
fn line(name: &str, (ours, theirs): (Measured, Measured)) {
    let cpu = |ours: Duration, theirs: Duration| {
        if theirs.is_zero() {
            return "–".to_owned();
        }
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        format!("{ratio:.1} × ({} / {} µs)", ours.as_micros(), theirs.as_micros())
    };
    println!(
        "| {name} | {:.2} ({:.0} / {:.0}) | {} | {} | {:.1} × ({:.1} / {:.1} ms) |",
        ours.requests_per_second / theirs.requests_per_second,
        ours.requests_per_second,
        theirs.requests_per_second,
        cpu(ours.server_cpu, theirs.server_cpu),
        cpu(ours.database_cpu, theirs.database_cpu),
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

/// Each against the other in turn, so that both meet the same load of the machine; the first round only warms up.
async fn in_turn(
    ours: (&Target<'_>, &[Arc<Vec<Vec<u8>>>]),
    theirs: (&Target<'_>, &[Arc<Vec<Vec<u8>>>]),
) -> anyhow::Result<(Measured, Measured)> {
    let (mut our_rounds, mut their_rounds) = (Vec::new(), Vec::new());
    for (ours_now, theirs_now) in ours.1.iter().zip(theirs.1) {
        their_rounds.push(theirs.0.run(theirs_now).await?);
        our_rounds.push(ours.0.run(ours_now).await?);
    }
    Ok((Measured::median(&our_rounds[1..]), Measured::median(&their_rounds[1..])))
}

/// What is measured: a server, its database, how many connections talk to it, and what it should answer.
struct Target<'a> {
    server: &'a Server,
    database: &'a str,
    connections: usize,
    status: u16,
}

impl Target<'_> {
    async fn run(&self, requests: &Arc<Vec<Vec<u8>>>) -> anyhow::Result<Measured> {
        let before = database_cpu(self.database).await?;
        let server = self.server.child.id();
        let mut measured =
            load::run(&self.server.address, Arc::clone(requests), self.connections, self.status, server).await?;
        let count = u32::try_from(requests.len())?;
        measured.database_cpu = (database_cpu(self.database).await?.saturating_sub(before)) / count;
        Ok(measured)
    }
}

/// CPU time that PostgreSQL has spent for the connections to this database; nothing for SQLite, which works in the server.
async fn database_cpu(database: &str) -> anyhow::Result<Duration> {
    if database.starts_with("sqlite") {
        return Ok(Duration::ZERO);
    }
    let connection = Database::connect(database).await?;
    let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let backends = connection.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    connection.close().await?;
    let mut spent = Duration::ZERO;
    for backend in backends {
        let process: i32 = backend.try_get("", "pid")?;
        // A server on another machine shows no processes here.
        spent += load::cpu_of(process.unsigned_abs()).unwrap_or_default();
    }
    Ok(spent)
}

async fn ratings(engine: &str) -> anyhow::Result<(Measured, Measured)> {
    let folder = tempfile::tempdir()?;
    let bare_database = fresh_database(engine, &folder).await?;
    let bare = limit_server(&bare_database).await?;
    let insert = load::post("/ratings", "", r#"{"level":"satisfied"}"#);
    let inserts = same_each_round(vec![insert; RATINGS]);
    let stage = Stage::set(engine).await?;
    stage.people_and_complaints(PEOPLE, RATINGS * ROUNDS, "answered").await?;
    let product = product_server(&stage).await?;
    let mut tokens = Vec::new();
    for number in 0..PEOPLE {
        tokens.push(stage.token(PersonKind::Resident, made_id(number as u64)).await?);
    }
    let ratings: Vec<_> = (0..RATINGS * ROUNDS)
        .map(|number| {
            let token = &tokens[number % PEOPLE];
            let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: rating-{number:08}\r\n");
            let path = format!("/api/complaints/{}/ratings", made_id(number as u64));
            load::post(&path, &headers, r#"{"level":"satisfied"}"#)
        })
        .collect();
    let ratings: Vec<_> = ratings.chunks(RATINGS).map(|chunk| Arc::new(chunk.to_vec())).collect();
    let bare = Target { server: &bare, database: &bare_database, connections: CONNECTIONS, status: 201 };
    let product = Target { server: &product, database: &stage.database, connections: CONNECTIONS, status: 204 };
    in_turn((&product, &ratings), (&bare, &inserts)).await
}

async fn board() -> anyhow::Result<[(Measured, Measured); 2]> {
    let stage = Stage::set("SQLite").await?;
    stage.people_and_complaints(20, 500, "answered").await?;
    let server = product_server(&stage).await?;
    let path = format!("/api/board/villages/{}", stage.village);
    let etag = etag_of(&server.address, &path).await?;
    let folder = tempfile::tempdir()?;
    let bare = limit_server(&fresh_database("SQLite", &folder).await?).await?;
    let rounds = |request| same_each_round(vec![request; PAGES]);
    let hello = rounds(load::get("/hello", ""));
    let bare = Target { server: &bare, database: "sqlite", connections: CONNECTIONS, status: 200 };
    let warm = Target { server: &server, database: "sqlite", connections: CONNECTIONS, status: 200 };
    let not_modified = Target { status: 304, ..warm };
    let known = load::get(&path, &format!("If-None-Match: {etag}\r\n"));
    Ok([
        in_turn((&warm, &rounds(load::get(&path, ""))), (&bare, &hello)).await?,
        in_turn((&not_modified, &rounds(known)), (&bare, &hello)).await?,
    ])
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

/// A long list and what is asked of it: first pages of a resident and of a unit.
struct LongList {
    stage: Stage,
    server: Server,
    resident: String,
    secretary: String,
}

impl LongList {
    async fn of(engine: &str, rows: usize) -> anyhow::Result<Self> {
        ensure!(rows >= 1000, "lists are measured from a thousand rows on");
        let stage = Stage::set(engine).await?;
        // Everybody has ten, however many there are in all.
        stage.people_and_complaints(rows / 10, rows, "working").await?;
        let resident = stage.token(PersonKind::Resident, made_id(rows as u64 / 20)).await?;
        let secretary = stage.token(PersonKind::Staff, stage.secretary.0).await?;
        let server = product_server(&stage).await?;
        Ok(Self { stage, server, resident, secretary })
    }

    fn target(&self) -> Target<'_> {
        Target { server: &self.server, database: &self.stage.database, connections: 8, status: 200 }
    }

    fn rounds(&self, of_staff: bool, path: &str) -> Vec<Arc<Vec<Vec<u8>>>> {
        let token = if of_staff { &self.secretary } else { &self.resident };
        let request = load::get(path, &format!("Authorization: Bearer {token}\r\n"));
        same_each_round(vec![request; LISTS])
    }
}

/// Each list with many rows beside the same with few.
async fn lists(engine: &str, rows: usize) -> anyhow::Result<Vec<(&'static str, (Measured, Measured))>> {
    let few = Box::pin(LongList::of(engine, 10_000)).await?;
    let many = Box::pin(LongList::of(engine, rows)).await?;
    let mut measured = Vec::new();
    for (name, of_staff, path) in [
        ("GET my complaints", false, "/api/complaints"),
        ("GET the unit's complaints", true, "/api/complaints"),
        ("GET the unit's complaints in one state", true, "/api/complaints?state=working"),
    ] {
        let (many_rounds, few_rounds) = (many.rounds(of_staff, path), few.rounds(of_staff, path));
        let pair = in_turn((&many.target(), &many_rounds), (&few.target(), &few_rounds)).await?;
        measured.push((name, pair));
    }
    Ok(measured)
}
