//! The shortest round trip between server and extension host: 64 bytes over a local socket, echoed by node. Every first
//! chunk includes it once.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::Result;
use crate::statistics::median;
use crate::target::Running;

/// Round trip in microseconds.
pub async fn round_trip(running: &mut Running, times: usize) -> Result<f64> {
    let socket = running.socket();
    let node = running.node.as_mut().ok_or("no node to echo")?;
    node.ask(&format!("echo {}", socket.display()))?;
    let mut socket = UnixStream::connect(socket).await?;
    let mut taken = Vec::new();
    for _ in 0..times * 2 {
        let mut bytes = [7; 64];
        let sent = Instant::now();
        socket.write_all(&bytes).await?;
        socket.read_exact(&mut bytes).await?;
        taken.push(sent.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(&mut taken[times..]))
}
