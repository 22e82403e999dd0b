use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    match qingfeng::cli::run().await {
        Ok(code) => code,
        Err(error) => {
            // The log may not have started yet.
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
