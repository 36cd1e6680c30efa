//! Expected texts of responses. A load that gets another text has measured nothing.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Result;

/// Of a part, in bytes; see `editor/model.ts`.
const SIZE: usize = 24;

/// The expected text of `parts N`, however its parts are joined.
pub struct Parts {
    wanted: String,
    received: usize,
}

impl Parts {
    pub fn new(count: usize) -> Parts {
        Parts { wanted: Parts::text(count), received: 0 }
    }

    pub fn text(count: usize) -> String {
        (0..count).fold(String::with_capacity(count * SIZE), |mut text, number| {
            let _ = write!(text, "{number:.<SIZE$}");
            text
        })
    }

    pub fn check(&mut self, text: &[u8]) -> Result<()> {
        let end = self.received + text.len();
        if self.wanted.as_bytes().get(self.received..end) != Some(text) {
            let text = String::from_utf8_lossy(text);
            return Err(format!("wrong text after {} bytes: {text:?}", self.received).into());
        }
        self.received = end;
        Ok(())
    }

    pub fn begun(&self) -> bool {
        self.received > 0
    }

    pub fn end(&self) -> Result<()> {
        if self.received == self.wanted.len() {
            Ok(())
        } else {
            Err(format!("{} of {} bytes came", self.received, self.wanted.len()).into())
        }
    }
}

/// The text of `paced N MS`: due times at equal distances, and the delay of each part.
pub struct Paced {
    count: usize,
    every: u64,
    first: u64,
    late: Vec<f64>,
}

impl Paced {
    /// `every` in microseconds.
    pub fn new(count: usize, every: u64) -> Paced {
        Paced { count, every, first: 0, late: Vec::with_capacity(count) }
    }

    pub fn check(&mut self, text: &[u8]) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as f64;
        for part in text.chunks(SIZE) {
            let due: u64 = std::str::from_utf8(part)?.trim_end_matches('.').parse()?;
            if self.late.is_empty() {
                self.first = due;
            }
            // Both sides round.
            if due.abs_diff(self.first + self.late.len() as u64 * self.every) > 2 || part.len() != SIZE {
                return Err(format!(
                    "part {} was due at {due}, the first at {}",
                    self.late.len(),
                    self.first
                )
                .into());
            }
            self.late.push(now - due as f64);
        }
        Ok(())
    }

    /// Delays of all parts, in microseconds, if all have arrived.
    pub fn end(self) -> Result<Vec<f64>> {
        if self.late.len() == self.count {
            Ok(self.late)
        } else {
            Err(format!("{} of {} parts came", self.late.len(), self.count).into())
        }
    }
}
