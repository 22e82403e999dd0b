//! An address behind which nothing answers: what a server that speaks HTTP cannot play by itself.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};

/// A connection to a listener with room opens at once; one that takes longer hangs.
const OPENS_WITHIN: Duration = Duration::from_millis(300);
/// Connections that fill a queue for one, with room to spare.
const ENOUGH: usize = 16;

/// How an address keeps silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// As behind a firewall that drops packets: the connection never opens.
    NeverOpens,
    /// The connection opens; nothing is read, nothing is answered.
    NeverAnswers,
}

/// A silent address. Stop a simulator and open one at the same address to play a platform out of reach; drop it and
/// start the simulator again to end that.
pub struct BlackHole {
    pub address: SocketAddr,
    keeper: JoinHandle<()>,
}

impl BlackHole {
    /// # Errors
    /// When the address is taken, or the system opens connections however many wait.
    pub async fn open(bind: SocketAddr, silence: Silence) -> std::io::Result<Self> {
        let socket = if bind.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(bind)?;
        let listener = socket.listen(1)?;
        let address = listener.local_addr()?;
        let keeper = match silence {
            Silence::NeverAnswers => tokio::spawn(async move {
                let mut opened = Vec::new();
                while let Ok((stream, _)) = listener.accept().await {
                    opened.push(stream);
                }
            }),
            Silence::NeverOpens => {
                // Nobody takes connections out of the queue: once it is full, the system drops what asks for more.
                let mut waiting = Vec::new();
                while let Ok(stream) = tokio::time::timeout(OPENS_WITHIN, TcpStream::connect(address)).await {
                    waiting.push(stream?);
                    if waiting.len() > ENOUGH {
                        return Err(std::io::Error::other("the system takes connections that nobody accepts"));
                    }
                }
                tokio::spawn(async move {
                    std::future::pending::<()>().await;
                    drop((listener, waiting));
                })
            }
        };
        Ok(Self { address, keeper })
    }
}

impl Drop for BlackHole {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}
