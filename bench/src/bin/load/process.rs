//! What processes have used, from Linux's /proc.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// Parts of a second in which the kernel tells CPU time (`USER_HZ`, the same on every architecture Rust runs on).
const TICKS_PER_SECOND: u32 = 100;

/// A running process.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// CPU time of all its threads, of those that ended too.
    pub fn cpu(self) -> anyhow::Result<Duration> {
        let stat = self.stat()?;
        Ok(ticks(stat.own))
    }

    /// CPU time of the process and its children, of those that ended too. The children must have one thread
    /// each, as PostgreSQL's have: then the kernel tells their time to the nanosecond.
    pub fn cpu_with_children(self) -> anyhow::Result<Duration> {
        let mut total = ticks(self.stat()?.ended_children) + self.exact_cpu()?;
        for child in children(self.0)? {
            // a child may end between the listing and here; its time is then with the ended ones next time
            total += Self(child).exact_cpu().unwrap_or_default();
        }
        Ok(total)
    }

    /// Memory in use now and at most so far, in bytes.
    pub fn memory(self) -> anyhow::Result<Memory> {
        let status = self.read("status")?;
        let of = |name: &str| -> anyhow::Result<u64> {
            let value =
                status.lines().find_map(|line| line.strip_prefix(name)).context("no memory in /proc")?;
            let kib = value.trim_matches([':', ' ', '\t']).split(' ').next().unwrap_or_default();
            Ok(kib.parse::<u64>()? * 1024)
        };
        Ok(Memory { now: of("VmRSS")?, peak: of("VmHWM")? })
    }

    fn exact_cpu(self) -> anyhow::Result<Duration> {
        let text = self.read("schedstat")?;
        let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn stat(self) -> anyhow::Result<Stat> {
        let text = self.read("stat")?;
        // the name in parentheses may hold anything
        let (_, after_name) = text.rsplit_once(')').context("an unknown form of /proc")?;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let number = |index: usize| -> anyhow::Result<u64> {
            Ok(fields.get(index).context("an unknown form of /proc")?.parse()?)
        };
        Ok(Stat {
            parent: u32::try_from(number(1)?)?,
            own: number(11)? + number(12)?,
            ended_children: number(13)? + number(14)?,
        })
    }

    fn read(self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.0);
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Now.
    pub now: u64,
    /// At most, so far.
    pub peak: u64,
}

struct Stat {
    parent: u32,
    own: u64,
    ended_children: u64,
}

fn ticks(ticks: u64) -> Duration {
    Duration::from_secs(ticks) / TICKS_PER_SECOND
}

fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    let ids = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(ids.filter(|id| Process(*id).stat().is_ok_and(|stat| stat.parent == parent)).collect())
}

/// The machine's load averages over 1, 5 and 15 minutes.
pub fn load_average() -> anyhow::Result<String> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').take(3).collect::<Vec<_>>().join(" "))
}
