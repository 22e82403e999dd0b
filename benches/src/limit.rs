//! The least a service can do for an accepted rating: insert one row with three indexes and answer when it is on the
//! disk. Hand-written, without product: the measure that the real thing is held against.

use actix_web::{App, HttpResponse, HttpServer, web};
use sea_orm::sqlx::{
    self, PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

#[derive(Deserialize)]
struct Rating {
    level: String,
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS bare_ratings (id BLOB_OR_UUID PRIMARY KEY, subject BLOB_OR_UUID NOT NULL, \
     round INTEGER NOT NULL, level TEXT NOT NULL)";
const INDEXES: [&str; 2] = [
    "CREATE INDEX IF NOT EXISTS bare_ratings_subject ON bare_ratings (subject, round)",
    "CREATE INDEX IF NOT EXISTS bare_ratings_level ON bare_ratings (level, id)",
];

enum Storage {
    Postgres(PgPool),
    Sqlite(mpsc::Sender<(String, oneshot::Sender<()>)>),
}

/// Serves until killed.
pub async fn serve(listener: std::net::TcpListener, database_url: &str, connections: u32) -> anyhow::Result<()> {
    let storage = web::Data::new(open(database_url, connections).await?);
    HttpServer::new(move || {
        App::new()
            .app_data(storage.clone())
            .route("/hello", web::get().to(async || HttpResponse::Ok().body("hello")))
            .route("/ratings", web::post().to(insert))
    })
    .listen(listener)?
    .run()
    .await?;
    Ok(())
}

async fn open(database_url: &str, connections: u32) -> anyhow::Result<Storage> {
    if database_url.starts_with("postgres") {
        let pool = PgPoolOptions::new().max_connections(connections).connect(database_url).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(TABLE.replace("BLOB_OR_UUID", "uuid"))).execute(&pool).await?;
        for index in INDEXES {
            sqlx::raw_sql(index).execute(&pool).await?;
        }
        return Ok(Storage::Postgres(pool));
    }
    let options = database_url
        .parse::<SqliteConnectOptions>()?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(TABLE.replace("BLOB_OR_UUID", "blob"))).execute(&pool).await?;
    for index in INDEXES {
        sqlx::raw_sql(index).execute(&pool).await?;
    }
    let (queue, jobs) = mpsc::channel(1024);
    tokio::spawn(commit_in_groups(pool, jobs));
    Ok(Storage::Sqlite(queue))
}

const INSERT: &str = "INSERT INTO bare_ratings (id, subject, round, level) VALUES ($1, $2, $3, $4)";

async fn commit_in_groups(pool: SqlitePool, mut jobs: mpsc::Receiver<(String, oneshot::Sender<()>)>) {
    let mut batch = Vec::new();
    while jobs.recv_many(&mut batch, 64).await > 0 {
        let mut transaction = pool.begin().await.expect("the measure's database works");
        let mut waiting = Vec::with_capacity(batch.len());
        for (level, answer) in batch.drain(..) {
            sqlx::query(INSERT)
                .bind(Uuid::now_v7())
                .bind(Uuid::now_v7())
                .bind(1)
                .bind(level)
                .execute(&mut *transaction)
                .await
                .expect("the measure's database works");
            waiting.push(answer);
        }
        transaction.commit().await.expect("the measure's database works");
        for answer in waiting {
            let _ = answer.send(());
        }
    }
}

async fn insert(storage: web::Data<Storage>, rating: web::Json<Rating>) -> actix_web::Result<HttpResponse> {
    let level = rating.into_inner().level;
    match &**storage {
        Storage::Postgres(pool) => {
            sqlx::query(INSERT)
                .bind(Uuid::now_v7())
                .bind(Uuid::now_v7())
                .bind(1)
                .bind(level)
                .execute(pool)
                .await
                .map_err(actix_web::error::ErrorInternalServerError)?;
        }
        Storage::Sqlite(queue) => {
            let (answer, done) = oneshot::channel();
            queue.send((level, answer)).await.map_err(actix_web::error::ErrorInternalServerError)?;
            done.await.map_err(actix_web::error::ErrorInternalServerError)?;
        }
    }
    Ok(HttpResponse::Created().finish())
}
