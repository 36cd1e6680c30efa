//! Timestamps in Ollama's form.

use jiff::Timestamp;

/// Seconds since 1970 as `2023-11-14T22:13:20Z`.
pub fn moment(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamp_is_date_and_time_in_utc() {
        assert_eq!(moment(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert!(moment(u64::MAX).starts_with("9999-12-"));
    }
}
