//! Output for terminals: text of others made safe and cut to a column, and readers that close the pipe.

use std::io::{self, Write};

/// Runs a command's output on stdout. A reader that closes the pipe early, such as `head`, is no error.
pub(super) fn print<E: From<io::Error>>(
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    as_io: impl FnOnce(&E) -> Option<&io::Error>,
) -> Result<(), E> {
    let mut out = io::stdout().lock();
    let written = write(&mut out).and_then(|()| out.flush().map_err(E::from));
    match written {
        Err(error) if as_io(&error).is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) => Ok(()),
        written => written,
    }
}

/// Text of others without control characters, cut to this number of characters.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let visible = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    if text.chars().count() <= limit {
        text.chars().map(visible).collect()
    } else {
        text.chars().map(visible).take(limit.saturating_sub(1)).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_and_has_no_control_characters() {
        assert_eq!(cut("a\u{1b}[2J", 10), "a\u{fffd}[2J");
        assert_eq!(cut(&"x".repeat(50), 36), format!("{}…", "x".repeat(35)));
        assert_eq!(cut("x", 0), "…");
    }

    #[test]
    fn closed_pipe_is_no_error_and_others_are() {
        let print = |kind: io::ErrorKind| print(|_| Err(io::Error::from(kind)), |error| Some(error));
        assert!(print(io::ErrorKind::BrokenPipe).is_ok());
        assert_eq!(print(io::ErrorKind::StorageFull).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
