//! Reading a file line by line: bounded memory, valid UTF-8, blank lines left out, every line with its number.

use std::io::{BufRead, Read as _};

use crate::error::LineError;

/// The most bytes one line, or one row over several lines, may have.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1; blank lines count too.
    pub number: u64,
    /// How many bytes of the file were read when it was complete.
    pub bytes: u64,
    /// Its text, without the line break.
    pub text: String,
}

/// The lines of a file that are not blank.
///
/// A line that is too long or no UTF-8 is an error of that line alone; a file that cannot be read
/// on is an error and the end.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    number: u64,
    bytes: u64,
    ended: bool,
}

/// The lines of a file.
pub const fn lines<R: BufRead>(input: R) -> Lines<R> {
    Lines { input, number: 0, bytes: 0, ended: false }
}

impl<R: BufRead> Lines<R> {
    /// The number of the line read last.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// How many bytes were read so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads one line into memory with its line break, at most one byte more than is allowed;
    /// nothing at the end.
    pub(crate) fn raw(&mut self) -> std::io::Result<Vec<u8>> {
        self.number = self.number.saturating_add(1);
        let mut line = Vec::new();
        let most = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(2);
        let read = self.input.by_ref().take(most).read_until(b'\n', &mut line)?;
        self.count(read);
        Ok(line)
    }

    /// Skips what is left of a line that is too long, holding none of it.
    pub(crate) fn skip_line(&mut self) -> std::io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |at| at.saturating_add(1));
            let over = end.is_some() || buffer.is_empty();
            self.input.consume(used);
            self.count(used);
            if over {
                return Ok(());
            }
        }
    }

    fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// The next line as text, nothing for a blank one.
    fn text_of(&mut self, mut line: Vec<u8>) -> Result<Option<String>, LineError> {
        let whole = line.last() == Some(&b'\n');
        if whole {
            line.pop();
        }
        if line.len() > LINE_BYTES_MAX {
            if !whole {
                self.skip_line().map_err(|error| self.broken(&error))?;
            }
            return Err(too_long(self.number));
        }
        let text = String::from_utf8(line).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            LineError::new(self.number, "line_not_utf8", format!("no UTF-8 after byte {at}"))
        })?;
        let text = match text.strip_prefix('\u{FEFF}') {
            Some(rest) if self.number == 1 => rest.to_owned(),
            _ => text,
        };
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }

    /// The file cannot be read on: an error, and the end.
    pub(crate) fn broken(&mut self, error: &std::io::Error) -> LineError {
        self.ended = true;
        LineError::new(self.number, "file_unreadable", error.kind().to_string())
    }
}

/// The error of a line, or of a row over several, that is over its limit.
pub(crate) fn too_long(line: u64) -> LineError {
    let detail = format!("a line, or a row over several lines, has at most {LINE_BYTES_MAX} bytes");
    LineError::new(line, "line_too_long", detail)
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Line, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let line = match self.raw() {
                Ok(line) => line,
                Err(error) => return Some(Err(self.broken(&error))),
            };
            if line.is_empty() {
                self.ended = true;
                break;
            }
            match self.text_of(line) {
                Err(error) => return Some(Err(error)),
                Ok(None) => (), // Blank.
                Ok(Some(text)) => {
                    return Some(Ok(Line { number: self.number, bytes: self.bytes, text }));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Read> {
        let short = |line: Result<Line, LineError>| match line {
            Ok(line) => Ok((line.number, line.text)),
            Err(error) => Err((error.line, error.code.into_owned())),
        };
        lines(std::io::BufReader::with_capacity(64, bytes)).map(short).collect()
    }

    type Read = Result<(u64, String), (u64, String)>;

    const OK: fn(u64, &str) -> Read = |number, text| Ok((number, text.to_owned()));

    #[test]
    fn blank_lines_are_left_out_and_counted() {
        assert_eq!(read(b"a\n\n  \r\nb"), [OK(1, "a"), OK(4, "b")]);
        assert_eq!(read("\u{FEFF}a\r\n".as_bytes()), [OK(1, "a\r")]);
        assert_eq!(read(b""), []);
    }

    #[test]
    fn a_bad_line_spoils_only_itself() {
        let bad = Err((2, "line_not_utf8".to_owned()));
        assert_eq!(read(b"a\n\xff\nb\n"), [OK(1, "a"), bad, OK(3, "b")]);
    }

    #[test]
    fn the_longest_line_passes_and_one_byte_more_does_not() {
        let longest = "x".repeat(LINE_BYTES_MAX);
        let file = format!("{longest}\n{longest}y\n{longest}yyy\nend\n{longest}y");
        let read = read(file.as_bytes());
        let long = |line| Err((line, "line_too_long".to_owned()));
        assert_eq!(read, [OK(1, &longest), long(2), long(3), OK(4, "end"), long(5)]);
    }
}
