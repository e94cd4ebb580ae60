//! The double as a process: `assay-testing-kurrentdb [--port N] [--nodes N]`; orders on stdin, ends with it, keeps nothing.
//!
//! Its first line of output is a JSON object with the `url` to connect to; then it answers each order with a line
//! (see [`assay_testing_kurrentdb::control`]).

use anyhow::{Context as _, bail};
use assay_testing_kurrentdb::{Double, control};
use tokio::io::{BufReader, stdin, stdout};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (mut port, mut nodes) = (0_u16, 1_usize);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{argument} needs a number"))?;
        match argument.as_str() {
            "--port" => port = value.parse().context("--port needs a number")?,
            "--nodes" => nodes = value.parse().context("--nodes needs a number")?,
            _ => bail!("unknown: {argument}; there are --port N and --nodes N"),
        }
    }
    if port != 0 && nodes > 1 {
        bail!("--port is for one node");
    }
    let double =
        if nodes > 1 { Double::cluster(nodes).await? } else { Double::start_at(port).await? };
    println!("{}", serde_json::json!({ "url": double.url() }));
    control(&double, BufReader::new(stdin()), stdout()).await?;
    // A read of stdin that still waits for a line would keep the process.
    std::process::exit(0)
}
