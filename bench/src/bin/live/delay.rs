//! From the commit to the client, one change at a time: the same commit and the same word for both sides.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use crate::listener::{Listener, Writer};
use crate::socket::Socket;
use crate::{Args, median, milliseconds, verdict};

/// Between two changes, so that each is alone.
const PAUSE: Duration = Duration::from_millis(15);

/// Changes that are not counted: statements are prepared at their first use.
const WARM: usize = 20;

/// Measures commits of another instance, and prints a table.
pub async fn measure(args: &Args) -> anyhow::Result<()> {
    let writer = Writer::connect(&args.database_url).await?;
    let mut listener = Listener::connect(&args.database_url).await?;
    let mut socket = Socket::begin(args.product, &args.token).await?;
    socket.follow("ACTION").await?;
    listener.begin().await?;
    let (mut product, mut hearing, mut reading) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..args.changes + WARM {
        tokio::time::sleep(PAUSE).await;
        let (version, _, committed) = writer.commit().await?;
        let word = async {
            writer.tell().await?;
            anyhow::Ok(())
        };
        let followed = async {
            let told = socket.version().await?;
            ensure!(told == version, "version {told} was told, not {version}");
            anyhow::Ok(Instant::now())
        };
        let ((), (heard, read), told) = tokio::try_join!(word, listener.change(version), followed)?;
        if round >= WARM {
            product.push(told - committed);
            hearing.push(heard - committed);
            reading.push(read - committed);
        }
    }
    let (product, hearing, reading) = (median(&mut product), median(&mut hearing), median(&mut reading));
    let ratio = product.as_secs_f64() / reading.as_secs_f64();
    println!(
        "| From the commit of another instance to the client, median of {} | ms |\n|---|---|",
        args.changes
    );
    println!("| A bare client that listens hears of it | {} |", milliseconds(hearing));
    println!("| and has read what changed | {} |", milliseconds(reading));
    println!("| A subscriber of the product has the change | {} |", milliseconds(product));
    println!("| Of the bare client's time | {ratio:.2}{} |", verdict(args, "≤ 2", ratio <= 2.0));
    own(args, &writer, &mut listener, &mut socket).await
}

/// From the sending of a write: to the product, whose subscriber waits; and to the database, where the bare client does.
async fn own(
    args: &Args,
    writer: &Writer,
    listener: &mut Listener,
    socket: &mut Socket,
) -> anyhow::Result<()> {
    let (mut product, mut bare) = (Vec::new(), Vec::new());
    let (client, url) = (reqwest::Client::new(), format!("http://{}/graphql", args.product));
    let id = id_of(writer.id);
    for round in 0..args.changes + WARM {
        tokio::time::sleep(PAUSE).await;
        listener.begin().await?;
        let begun = Instant::now();
        let (version, innovative, _) = writer.commit().await?;
        writer.tell().await?;
        let (_, read) = listener.change(version).await?;
        socket.version().await?;
        tokio::time::sleep(PAUSE).await;
        let body = json!({ "query": "mutation ($input: UpdateActionInput!) { updateAction(input: $input) { \
            action { version } userErrors { code } } }", "variables": { "input": { "id": id, "innovative": !innovative } } });
        let sent = client.post(&url).bearer_auth(&args.token).json(&body).send();
        let asked = Instant::now();
        let (sent, told) = tokio::join!(sent, async { (socket.version().await, Instant::now()) });
        let answer: serde_json::Value = sent?.error_for_status()?.json().await?;
        ensure!(answer["data"]["updateAction"]["userErrors"] == json!([]), "{answer}");
        ensure!(told.0? == version + 1, "another change was told");
        if round >= WARM {
            bare.push(read - begun);
            product.push(told.1 - asked);
        }
    }
    println!(
        "| From the sending of a write: bare, until the bare client has read it | {} |",
        milliseconds(median(&mut bare))
    );
    println!(
        "| From the sending of a mutation, until the subscriber has it | {} |",
        milliseconds(median(&mut product))
    );
    Ok(())
}

/// The typed id of an action: its UUID in Crockford's base32.
fn id_of(id: uuid::Uuid) -> String {
    let digits = b"0123456789abcdefghjkmnpqrstvwxyz";
    let digit = |place: u32| char::from(digits[(id.as_u128() >> (5 * place) & 31) as usize]);
    format!("action_{}", (0..26).rev().map(digit).collect::<String>())
}
