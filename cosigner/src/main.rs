use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    match qingfeng_cosigner::cli::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            qingfeng_cosigner::cli::explain(&error);
            ExitCode::FAILURE
        }
    }
}
