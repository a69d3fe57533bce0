//! The results as a Markdown table.

use std::time::Duration;

use crate::measure::{Round, Rounds, median};
use crate::process::Memory;
use crate::scenario::Target;

/// Most memory that the product may hold after the run, in bytes.
const MEMORY: u64 = 64 << 20;

/// The head of the table.
pub const HEAD: &str = "\
| Document | At once | Requests/s | p50 ms | p99 ms | CPU per request ms: server + database | Of the limit's CPU | Target |
|---|---|---|---|---|---|---|---|";

/// One line: product / limit.
pub fn line(
    name: &str,
    connections: usize,
    (product, limit): (&Rounds, &Rounds),
    first_page: Option<&Rounds>,
    target: Target,
) -> String {
    let pair = |of: &dyn Fn(&Rounds) -> String| {
        if limit.0.is_empty() { of(product) } else { format!("{} / {}", of(product), of(limit)) }
    };
    let rate = pair(&|rounds| format!("{:.0}", rounds.rate()));
    let p50 = pair(&|rounds| milliseconds(rounds.latencies().percentile(0.5)));
    let p99 = pair(&|rounds| milliseconds(rounds.latencies().percentile(0.99)));
    let cpu = pair(&|rounds| format!("{:.3} + {:.3}", rounds.server() * 1e3, rounds.database() * 1e3));
    let of_limit = ratios(product, limit, Round::cost);
    let of_first = first_page.map(|first| ratios(product, first, Round::cost)).unwrap_or_default();
    let target = match target {
        Target::OfLimit(most) if !of_limit.is_empty() => verdict(&of_limit, most, "the limit's"),
        Target::Of(other, most) if !of_first.is_empty() => {
            verdict(&of_first, most, &format!("the {other}'s"))
        }
        _ => String::new(),
    };
    format!("| {name} | {connections} | {rate} | {p50} | {p99} | {cpu} | {} | {target} |", spread(&of_limit))
}

/// The last lines: memory.
pub fn memory(name: &str, memory: Memory, bounded: bool) -> String {
    let bound = match bounded {
        false => "",
        true if memory.now <= MEMORY => ", target 64 MiB: met",
        true => ", target 64 MiB: **missed**",
    };
    format!(
        "- Memory of the {name}: {} MiB after the run, {} MiB at most{bound}",
        memory.now >> 20,
        memory.peak >> 20
    )
}

/// Milliseconds, to the hundredth.
pub fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// The ratio of a measure in each round.
pub fn ratios(one: &Rounds, other: &Rounds, measure: fn(&Round) -> f64) -> Vec<f64> {
    one.0.iter().zip(&other.0).map(|(one, other)| measure(one) / measure(other)).collect()
}

/// The median, the least and the most.
pub fn spread(ratios: &[f64]) -> String {
    let (Some(least), Some(most)) =
        (ratios.iter().copied().reduce(f64::min), ratios.iter().copied().reduce(f64::max))
    else {
        return String::new();
    };
    format!("**{:.2}** ({least:.2}–{most:.2})", median(ratios.iter().copied()))
}

fn verdict(ratios: &[f64], most: f64, whose: &str) -> String {
    let ratio = median(ratios.iter().copied());
    let met = if ratio <= most { "met" } else { "**missed**" };
    format!("≤ {most} × {whose}: {ratio:.2}, {met}")
}
