//! `make bench`: what the product costs beside the least that could be done, as ratios of one run.

mod limit;
#[expect(dead_code, reason = "the runs that use it follow")]
mod load;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the bare measure.
    Limit { address: String, database_url: String },
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Limit { address, database_url } => {
            limit::serve(std::net::TcpListener::bind(address)?, &database_url, 16).await
        }
    }
}
