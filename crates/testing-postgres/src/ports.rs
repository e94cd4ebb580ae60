//! A port to listen on that will still be free when its killed server comes back.

use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;

use anyhow::{Context as _, Result};

/// Ports to listen on: below those the kernel gives to outgoing connections, so that the port of a
/// killed server is still free when it comes back.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// A port nobody listens on now. Starts at a random place, for many tests look at once.
pub(crate) fn free_port() -> Result<u16> {
    let count = u64::from(PORTS.end - PORTS.start);
    let start = usize::try_from(RandomState::new().hash_one(0_u8) % count)?;
    PORTS
        .cycle()
        .skip(start)
        .take(usize::try_from(count)?)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .context("no free port on 127.0.0.1")
}
