//! A light load: prepared requests over kept-alive connections, one at a time each. Counts and times the answers; the
//! CPU that the servers spent is read from the operating system, because on shared cores it varies less than time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What a run showed.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub requests_per_second: f64,
    pub p99: Duration,
    /// CPU time of the server process per request.
    pub server_cpu: Duration,
    /// CPU time of the database's processes per request; zero where it works in the server or cannot be seen.
    pub database_cpu: Duration,
}

impl Measured {
    /// Of each figure by itself.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn median(rounds: &[Self]) -> Self {
        fn middle<T: Copy + PartialOrd>(rounds: &[Measured], figure: impl Fn(&Measured) -> T) -> T {
            let mut figures: Vec<T> = rounds.iter().map(figure).collect();
            figures.sort_by(|a, b| a.partial_cmp(b).expect("measured figures are numbers"));
            figures[figures.len() / 2]
        }
        Self {
            requests_per_second: middle(rounds, |round| round.requests_per_second),
            p99: middle(rounds, |round| round.p99),
            server_cpu: middle(rounds, |round| round.server_cpu),
            database_cpu: middle(rounds, |round| round.database_cpu),
        }
    }
}

/// Sends every request once over so many connections; all answers must have the expected status.
///
/// # Errors
/// When an answer has another status or a connection breaks.
pub async fn run(
    address: &str,
    requests: Arc<Vec<Vec<u8>>>,
    connections: usize,
    expected_status: u16,
    server: u32,
) -> anyhow::Result<Measured> {
    let next = Arc::new(AtomicUsize::new(0));
    let cpu_before = cpu_of(server)?;
    let start = Instant::now();
    let workers = (0..connections).map(|_| {
        let (next, requests, address) = (Arc::clone(&next), Arc::clone(&requests), address.to_owned());
        tokio::spawn(async move {
            let mut connection = TcpStream::connect(address).await?;
            connection.set_nodelay(true)?;
            let mut times = Vec::new();
            let mut buffer = Vec::with_capacity(64 * 1024);
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let sent = Instant::now();
                connection.write_all(request).await?;
                let status = read_answer(&mut connection, &mut buffer).await?;
                ensure!(status == expected_status, "answer {status}: {}", String::from_utf8_lossy(&buffer));
                times.push(sent.elapsed());
            }
            anyhow::Ok(times)
        })
    });
    let mut times = Vec::with_capacity(requests.len());
    for worker in futures::future::join_all(workers).await {
        times.extend(worker??);
    }
    let took = start.elapsed();
    let cpu = cpu_of(server)?.saturating_sub(cpu_before);
    times.sort_unstable();
    let count = u32::try_from(times.len())?;
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Ok(Measured {
        requests_per_second: f64::from(count) / took.as_secs_f64(),
        p99: at(0.99),
        server_cpu: cpu / count,
        database_cpu: Duration::ZERO,
    })
}

async fn read_answer(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<u16> {
    buffer.clear();
    loop {
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = std::str::from_utf8(&buffer[..head])?;
            let status: u16 = text.get(9..12).context("status line")?.parse()?;
            let length: usize = text
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned()))
                .map_or(Ok(0), |length| length.parse())?;
            while buffer.len() < head + 4 + length {
                ensure!(connection.read_buf(buffer).await? > 0, "the connection was closed in an answer");
            }
            return Ok(status);
        }
        ensure!(connection.read_buf(buffer).await? > 0, "the connection was closed before an answer");
    }
}

/// CPU time a process has used so far.
///
/// # Errors
/// When the process is gone.
pub fn cpu_of(process: u32) -> anyhow::Result<Duration> {
    // Linux counts in hundredths of a second.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit_once(')').context("stat line")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u32 = fields[11].parse::<u32>()? + fields[12].parse::<u32>()?;
    Ok(TICK * ticks)
}

/// A GET request as bytes.
#[must_use]
pub fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\n{headers}\r\n").into_bytes()
}

/// A POST request as bytes.
#[must_use]
pub fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}
