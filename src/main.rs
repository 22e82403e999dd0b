use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    match Box::pin(qingfeng::cli::run()).await {
        Ok(code) => code,
        Err(error) => {
            // The log may not have started yet.
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
