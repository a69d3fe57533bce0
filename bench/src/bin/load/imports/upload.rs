//! One upload of many lines, sent while its answer is read.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::items::{Ground, Item};

/// Lines that are written at once.
const LINES: usize = 500;

/// Uploads new items; how long it took until the last was answered.
pub async fn send(
    address: SocketAddr,
    token: &str,
    ground: &Ground,
    lines: usize,
) -> anyhow::Result<Duration> {
    let (reader, mut writer) = TcpStream::connect(address).await?.into_split();
    let start = Instant::now();
    // the writer is kept until the end: half a connection is taken for a client that went away
    let (created, ()) = tokio::try_join!(read(reader), write(&mut writer, address, token, ground, lines))?;
    ensure!(created == lines, "{created} of {lines} lines were created");
    Ok(start.elapsed())
}

async fn write(
    writer: &mut OwnedWriteHalf,
    address: SocketAddr,
    token: &str,
    ground: &Ground,
    lines: usize,
) -> anyhow::Result<()> {
    let head = format!(
        "POST /import/actions HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/x-ndjson\r\nIdempotency-Key: bench-{lines}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    writer.write_all(head.as_bytes()).await?;
    for first in (0..lines).step_by(LINES) {
        let mut text = String::new();
        for number in first..lines.min(first + LINES) {
            ground.write(&mut text, &Item { series: "upload", number, pass: 0 }, '\n');
        }
        text.push('\n');
        writer.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await?;
    }
    writer.write_all(b"0\r\n\r\n").await?;
    Ok(())
}

/// Reads the answer to its end; how many lines were created.
async fn read(mut reader: OwnedReadHalf) -> anyhow::Result<usize> {
    const CREATED: &[u8] = b"\"outcome\":\"CREATED\"";
    let (mut created, mut seen, mut buffer) = (0, Vec::new(), vec![0; 256 * 1024]);
    loop {
        let read = reader.read(&mut buffer).await?;
        if read == 0 {
            return Ok(created);
        }
        seen.extend_from_slice(&buffer[..read]);
        let whole = seen.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = seen[..whole].split(|byte| *byte == b'\n');
        created += lines.filter(|line| line.windows(CREATED.len()).any(|part| part == CREATED)).count();
        seen.drain(..whole);
    }
}
