//! The results as a Markdown table.

use std::time::Duration;

use super::ITEMS;
use crate::measure::{Round, Rounds, median};
use crate::process::Memory;
use crate::table::{milliseconds, ratios, spread};

/// Least share of the limit's rate that the product must reach.
const RATE: f64 = 0.75;
/// Most memory that the server may hold while it takes an upload, in bytes.
const MEMORY: u64 = 150 << 20;

/// The head of the table.
pub const HEAD: &str = "\
| Items | At once | Items/s | p50 ms | CPU per item µs: server + database | syncActions, of the limit's rate | import/actions, of the limit's rate |
|---|---|---|---|---|---|---|";

/// One line: `syncActions`, `import/actions`, and the limit where there is one.
pub fn line(name: &str, callers: usize, all: &[Rounds], targets: bool) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let items = ITEMS as f64;
    let each = |of: &dyn Fn(&Rounds) -> String| all.iter().map(of).collect::<Vec<_>>().join(" / ");
    let rate = each(&|rounds| format!("{:.0}", rounds.rate() * items));
    let p50 = each(&|rounds| milliseconds(rounds.latencies().percentile(0.5)));
    let micros = 1e6 / items;
    let cpu = each(&|rounds| format!("{:.1} + {:.1}", rounds.server() * micros, rounds.database() * micros));
    let of_limit = |product: &Rounds| {
        let Some(limit) = all.get(2) else { return String::new() };
        let ratios = ratios(product, limit, Round::rate);
        let is_met = median(ratios.iter().copied()) >= RATE;
        let verdict = if !targets {
            ""
        } else if is_met {
            ": met"
        } else {
            ": **missed**"
        };
        let target = if targets { format!(", ≥ {RATE}{verdict}") } else { String::new() };
        format!("{}{target}", spread(&ratios))
    };
    let (calls, lines) = (of_limit(&all[0]), of_limit(&all[1]));
    format!("| {name} | {callers} | {rate} | {p50} | {cpu} | {calls} | {lines} |")
}

/// What an upload took.
pub fn upload(lines: usize, time: Duration, before: Memory, after: Memory, targets: bool) -> String {
    let verdict = match targets {
        false => "",
        true if after.peak <= MEMORY => ", target 150 MiB: met",
        true => ", target 150 MiB: **missed**",
    };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 lines")]
    let rate = lines as f64 / time.as_secs_f64();
    format!(
        "- An upload of {lines} new lines: {rate:.0} lines/s; memory of the product {} MiB before, {} MiB at \
         most{verdict}",
        before.now >> 20,
        after.peak >> 20
    )
}
