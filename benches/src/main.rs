//! `make bench`: what the product costs beside the least that could be done, as ratios of one run.

mod ballots;
mod databases;
mod limit;
mod load;
mod run;
mod stage;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure and print the table.
    Run {
        /// Rows of the long lists.
        #[arg(long, default_value_t = 1_000_000)]
        rows: usize,
        /// Only this.
        #[arg(long)]
        only: Option<run::Work>,
        /// Ballots of the box that is verified.
        #[arg(long, default_value_t = 100_000)]
        ballots: usize,
    },
    /// Serve the bare measure.
    Limit { address: String, database_url: String },
    /// Serve the product as the environment configures it.
    Product,
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Run { rows, only, ballots } => Box::pin(run::all(rows, only, ballots)).await,
        Command::Limit { address, database_url } => {
            limit::serve(std::net::TcpListener::bind(address)?, &database_url, 16).await
        }
        Command::Product => {
            let config = qingfeng::Config::load(None)?;
            let listener = std::net::TcpListener::bind(&config.http.bind)?;
            let application = actix_web::web::Data::new(qingfeng::Application::start_real(config).await?);
            Ok(qingfeng::http::serve(application, listener)?.await?)
        }
    }
}
