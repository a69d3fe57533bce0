//! The results as a Markdown table.

use crate::measure::{Round, Rounds, median};
use crate::table::{milliseconds, ratios, spread};

/// Least share of the limit's rate that the product must reach.
const RATE: f64 = 0.7;
/// Most that journal and chain may take of the limit's rate.
const JOURNAL: f64 = 0.2;

/// The head of the table.
pub const HEAD: &str = "\
| Write | At once | Writes/s | p50 ms | p99 ms | CPU per write ms: server + database | Chain's CPU per write ms | Of the limit's rate | Journal and chain take |
|---|---|---|---|---|---|---|---|---|";

/// One line of three: product, limit, limit without journal.
pub fn line(name: &str, callers: usize, all: &[Rounds], targets: bool) -> String {
    let [product, limit, unjournaled] = all else { return String::new() };
    let each = |of: &dyn Fn(&Rounds) -> String| all.iter().map(of).collect::<Vec<_>>().join(" / ");
    let rate = each(&|rounds| format!("{:.0}", rounds.rate()));
    let p50 = each(&|rounds| milliseconds(rounds.latencies().percentile(0.5)));
    let p99 = each(&|rounds| milliseconds(rounds.latencies().percentile(0.99)));
    let cpu = each(&|rounds| format!("{:.3} + {:.3}", rounds.server() * 1e3, rounds.database() * 1e3));
    let chain = format!("{:.3}", limit.helper() * 1e3);
    let of_limit = ratios(product, limit, Round::rate);
    let taken: Vec<f64> = ratios(limit, unjournaled, Round::rate).iter().map(|ratio| 1.0 - ratio).collect();
    let (mut rate_verdict, mut journal_verdict) = (String::new(), String::new());
    if targets {
        rate_verdict = verdict(median(of_limit.iter().copied()) >= RATE, &format!("≥ {RATE}"));
        journal_verdict = verdict(median(taken.iter().copied()) <= JOURNAL, &format!("≤ {JOURNAL}"));
    }
    let (of_limit, taken) = (spread(&of_limit), spread(&taken));
    format!(
        "| {name} | {callers} | {rate} | {p50} | {p99} | {cpu} | {chain} | {of_limit}{rate_verdict} | \
         {taken}{journal_verdict} |"
    )
}

fn verdict(is_met: bool, target: &str) -> String {
    format!(", {target}: {}", if is_met { "met" } else { "**missed**" })
}
