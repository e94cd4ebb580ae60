//! Orders to a double from another process: one a line, each answered by one line.

use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::double::Double;

/// Obeys one order a line until `quit` or the end of the input.
///
/// The orders: `lose N`, `refuse N`, `timeout N`, `break N AFTER`, `end`, `silence on|off`, `delay MILLISECONDS`,
/// `deny on|off`, `login USER PASSWORD`, `stop NODE`, `start NODE`, `lead NODE`, `rewind EVENTS`, `events`, `quit`.
/// The answer is `ok`; of `events` it is `ok COUNT`; of what was not understood or did not work, `error: …`.
///
/// # Errors
/// If the input or the output breaks.
pub async fn control(
    double: &Double,
    input: impl AsyncBufRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
) -> anyhow::Result<()> {
    let mut lines = input.lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<_> = line.split_whitespace().collect();
        let answer = match obey(double, &words).await {
            Ok(answer) => format!("{answer}\n"),
            Err(error) => format!("error: {error:#}\n"),
        };
        output.write_all(answer.as_bytes()).await?;
        output.flush().await?;
        if words == ["quit"] {
            break;
        }
    }
    Ok(())
}

async fn obey(double: &Double, words: &[&str]) -> anyhow::Result<String> {
    let faults = double.faults();
    match *words {
        ["lose", n] => faults.lose_answers(n.parse()?),
        ["refuse", n] => faults.refuse_appends(n.parse()?),
        ["timeout", n] => faults.time_out_appends(n.parse()?),
        ["break", n, after] => faults.break_reads(n.parse()?, after.parse()?),
        ["end"] => faults.end_subscriptions(),
        ["silence", on] => faults.silence_subscriptions(switch(on)?),
        ["delay", by] => {
            faults.delay(Duration::from_millis(by.parse().context("not milliseconds")?));
        }
        ["deny", on] => faults.deny(switch(on)?),
        ["login", user, password] => double.require_login(user, password),
        ["stop", n] => double.stop_node(n.parse()?).await,
        ["start", n] => double.start_node(n.parse()?).await?,
        ["lead", n] => double.lead(n.parse()?).await,
        ["rewind", to] => double.rewind(to.parse()?),
        ["events"] => return Ok(format!("ok {}", double.events())),
        ["quit"] => (),
        _ => bail!("not understood"),
    }
    Ok("ok".to_owned())
}

fn switch(word: &str) -> anyhow::Result<bool> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => bail!("neither on nor off"),
    }
}
