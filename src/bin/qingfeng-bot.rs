//! The bot as a program of its own: any number of them beside any number of API processes, on PostgreSQL and Redis.
//! It reads the same configuration; the API then runs with `bot.embedded = false`.

use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    match Box::pin(qingfeng::cli::run_bot()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not have started yet.
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
