//! Which records a read of `$all` is about.

use regex::Regex;
use tonic::Status;

use crate::records::Record;
use crate::wire::event_store::client::streams::read_req::options::FilterOptions;
use crate::wire::event_store::client::streams::read_req::options::filter_options::{
    Filter as On, Window,
};

/// How many records the server looks at between checkpoints where the client does not say.
const WINDOW_DEFAULT: u32 = 32;

/// A filter, by stream names or by event types.
pub(crate) struct Filter {
    by_stream: bool,
    says: Says,
    /// After so many records looked at, a subscription says how far it is.
    pub(crate) checkpoint_every: u32,
}

enum Says {
    Pattern(Regex),
    /// None at all matches nothing.
    Prefixes(Vec<String>),
}

impl Filter {
    /// A pattern makes the server ignore the prefixes.
    ///
    /// # Errors
    /// «Invalid argument» for a filter without an expression, or with a pattern that cannot be read.
    pub(crate) fn of(options: FilterOptions) -> Result<Self, Status> {
        let (by_stream, expression) = match options.filter {
            Some(On::StreamIdentifier(expression)) => (true, expression),
            Some(On::EventType(expression)) => (false, expression),
            None => return Err(Status::invalid_argument("a filter without an expression")),
        };
        let says = if expression.regex.is_empty() {
            Says::Prefixes(expression.prefix)
        } else {
            Says::Pattern(
                Regex::new(&expression.regex)
                    .map_err(|error| Status::invalid_argument(error.to_string()))?,
            )
        };
        let window = match options.window {
            Some(Window::Max(records)) => records,
            Some(Window::Count(())) | None => WINDOW_DEFAULT,
        };
        let every = window.saturating_mul(options.checkpoint_interval_multiplier);
        Ok(Self { by_stream, says, checkpoint_every: every.max(1) })
    }

    /// Whether the record is wanted.
    pub(crate) fn wants(&self, record: &Record) -> bool {
        let name = if self.by_stream { &record.stream } else { &record.event.kind };
        match &self.says {
            Says::Pattern(pattern) => pattern.is_match(name),
            Says::Prefixes(prefixes) => prefixes.iter().any(|prefix| name.starts_with(prefix)),
        }
    }
}
