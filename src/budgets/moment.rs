//! A time with the periods that budgets are for: the day in local time, and the month in UTC, as the provider bills.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A time with its day and its month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub time: u64,
    /// The day in local time.
    pub day: Date,
    /// First day of the month in UTC.
    pub month: Date,
}

impl Moment {
    /// The periods of a time in milliseconds since 1970, in the system's time zone.
    pub fn at(time: u64) -> Moment {
        Moment::within(time, TimeZone::system())
    }

    /// The periods of a time in a time zone.
    pub fn within(time: u64, zone: TimeZone) -> Moment {
        let timestamp = i64::try_from(time).ok().and_then(|time| Timestamp::from_millisecond(time).ok());
        let timestamp = timestamp.unwrap_or(Timestamp::UNIX_EPOCH);
        let month = timestamp.to_zoned(TimeZone::UTC).date().first_of_month();
        Moment { time, day: timestamp.to_zoned(zone).date(), month }
    }

    /// First day of the next month.
    pub fn next_month(self) -> Date {
        self.month.checked_add(1.month()).unwrap_or(self.month)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::Offset;

    use super::*;

    #[test]
    fn day_is_local_and_month_is_utc() {
        // 2026-11-30T23:30:00Z
        let time = 1_796_081_400_000;
        let east = Moment::within(time, Offset::constant(1).to_time_zone());
        assert_eq!((east.day, east.month), (date(2026, 12, 1), date(2026, 11, 1)));
        assert_eq!(east.next_month(), date(2026, 12, 1));
        assert_eq!(Moment::within(time, TimeZone::UTC).day, date(2026, 11, 30));
    }
}
