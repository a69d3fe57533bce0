//! Thousands of subscribers on one instance: what each takes of its memory, and how soon those who are told of changes
//! hear of them all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::listener::Writer;
use crate::socket::Socket;
use crate::{Args, median, milliseconds, verdict};

/// How many connect at once.
const TOGETHER: usize = 50;

/// Most memory of a quiet subscriber.
const MOST: u64 = 32 << 10;

/// Memory and CPU time of a process: bytes, and ticks of a hundredth of a second.
fn used(process: u32) -> anyhow::Result<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no memory in /proc")?;
    let memory: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("an unknown form of /proc")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks =
        |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    Ok((memory << 10, ticks(11) + ticks(12)))
}

/// Connects the crowd, then follows changes with it.
pub async fn measure(args: &Args) -> anyhow::Result<()> {
    let (before, _) = used(args.product_pid)?;
    let mut quiet = open(args, args.idle).await?;
    let (connected, _) = used(args.product_pid)?;
    for socket in &mut quiet {
        socket.follow("SITE").await?;
    }
    let (following, _) = used(args.product_pid)?;
    let each = |memory: u64| memory.saturating_sub(before) / args.idle.max(1) as u64;
    println!(
        "- {} quiet subscribers: {} KiB each, socket and all; {} KiB for a socket that follows nothing, so {} KiB beyond it{}",
        args.idle,
        each(following) >> 10,
        each(connected) >> 10,
        (each(following) - each(connected).min(each(following))) >> 10,
        verdict(
            args,
            "≤ 32 KiB beyond the socket's",
            each(following).saturating_sub(each(connected)) <= MOST
        )
    );
    let mut waiting: JoinSet<anyhow::Result<i64>> = JoinSet::new();
    for mut socket in quiet {
        waiting.spawn(async move { socket.version().await });
    }
    told(args).await?;
    ensure!(waiting.try_join_next().is_none(), "a quiet subscriber was told something");
    let (after, _) = used(args.product_pid)?;
    println!(
        "- Memory of the product at the end: {} MiB, {} MiB before anybody came",
        after >> 20,
        before >> 20
    );
    Ok(())
}

async fn open(args: &Args, count: usize) -> anyhow::Result<Vec<Socket>> {
    let mut sockets = Vec::with_capacity(count);
    while sockets.len() < count {
        let batch = args.crowd.iter().cycle().take(TOGETHER.min(count - sockets.len()));
        let batch = batch.map(|token| Socket::begin(args.product, token));
        sockets.extend(futures_util::future::try_join_all(batch).await?);
    }
    Ok(sockets)
}

/// Each of the active is told of each change, once and in order.
async fn told(args: &Args) -> anyhow::Result<()> {
    let changes = args.changes;
    let writer = Writer::connect(&args.database_url).await?;
    let committed: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let mut following: JoinSet<anyhow::Result<Vec<Instant>>> = JoinSet::new();
    let mut active = open(args, args.active).await?;
    for socket in &mut active {
        socket.follow("ACTION").await?;
    }
    for mut socket in active {
        following.spawn(async move {
            let (mut times, mut last) = (Vec::new(), None);
            while times.len() < changes {
                let version = socket.version().await?;
                ensure!(last.is_none_or(|last| version == last + 1), "version {version} after {last:?}");
                last = Some(version);
                times.push(Instant::now());
            }
            Ok(times)
        });
    }
    let (_, cpu) = used(args.product_pid)?;
    let begun = Instant::now();
    for _ in 0..changes {
        let (_, _, at) = writer.commit().await?;
        committed.lock().await.push(at);
        writer.tell().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let committed = committed.lock().await.clone();
    let (mut delays, mut subscribers) = (Vec::new(), 0);
    while let Some(times) = following.join_next().await {
        subscribers += 1;
        delays.extend(times??.iter().zip(&committed).map(|(came, at)| came.saturating_duration_since(*at)));
    }
    let (_, cpu_after) = used(args.product_pid)?;
    let events = delays.len();
    let middle = median(&mut delays);
    let late = delays.get(events * 99 / 100).copied().unwrap_or_default();
    println!(
        "- {subscribers} active ones beside them: {changes} changes in {:.1} s, each told to each once and in order ({events} \
        events); {} ms from the commit in the median, {} ms for 99 %; {} ms of CPU for an event",
        begun.elapsed().as_secs_f64(),
        milliseconds(middle),
        milliseconds(late),
        milliseconds(Duration::from_millis((cpu_after - cpu) * 10) / u32::try_from(events.max(1))?)
    );
    Ok(())
}
