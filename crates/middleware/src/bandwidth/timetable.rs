use std::time::{SystemTime, UNIX_EPOCH};

/// A limit on bytes a second. It may change with the time of the week.
///
/// ```
/// use storage_middleware::bandwidth::{Bandwidth, TimeOfWeek};
///
/// // 512 KiB/s from eight to six, else no limit, in a time zone one hour east of UTC.
/// let eight_to_six = [
///     (TimeOfWeek::daily(8, 0), Some(512 << 10)),
///     (TimeOfWeek::daily(18, 0), None),
/// ];
/// let bandwidth = Bandwidth::timetable(eight_to_six, 3600);
/// assert!(bandwidth.is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bandwidth {
    /// From which minute of the week on, sorted.
    steps: Vec<(u32, Option<u64>)>,
    utc_offset: i32,
}

/// A minute of each day, or of one day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeOfWeek {
    /// Days since Monday; `None` for every day.
    day: Option<u8>,
    minute: u16,
}

const DAY: u32 = 24 * 60;

impl TimeOfWeek {
    /// A time of every day. An hour past 23 or a minute past 59 counts as the last of them.
    #[must_use]
    pub const fn daily(hour: u8, minute: u8) -> Self {
        let hour = if hour > 23 { 23 } else { hour };
        let minute = if minute > 59 { 59 } else { minute };
        Self {
            day: None,
            minute: hour as u16 * 60 + minute as u16,
        }
    }

    /// On one day of the week, 0 for Monday to 6 for Sunday; a larger number starts over.
    #[must_use]
    pub const fn on(mut self, days_since_monday: u8) -> Self {
        self.day = Some(days_since_monday % 7);
        self
    }
}

impl Bandwidth {
    /// The same limit at all times, in bytes a second; 0 counts as 1.
    #[must_use]
    pub fn bytes_per_second(limit: u64) -> Self {
        Self {
            steps: vec![(0, Some(limit.max(1)))],
            utc_offset: 0,
        }
    }

    /// A limit from each of the times on until the next; `None` is no limit. `utc_offset` is how
    /// many seconds the times are ahead of UTC. `None` when there are no times at all.
    #[must_use]
    pub fn timetable(
        entries: impl IntoIterator<Item = (TimeOfWeek, Option<u64>)>,
        utc_offset: i32,
    ) -> Option<Self> {
        let mut steps = Vec::new();
        for (time, limit) in entries {
            let days = match time.day {
                Some(day) => u32::from(day)..u32::from(day) + 1,
                None => 0..7,
            };
            let limit = limit.map(|limit| limit.max(1));
            steps.extend(days.map(|day| (day * DAY + u32::from(time.minute), limit)));
        }
        steps.sort_by_key(|(minute, _)| *minute);
        (!steps.is_empty()).then_some(Self { steps, utc_offset })
    }

    /// The limit at a time.
    pub(super) fn at(&self, time: SystemTime) -> Option<u64> {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(0) + i64::from(self.utc_offset);
        // 1 January 1970 was a Thursday.
        let minute = (seconds.div_euclid(60) + 3 * i64::from(DAY)).rem_euclid(7 * i64::from(DAY));
        let minute = u32::try_from(minute).unwrap_or(0);
        let begun = self.steps.iter().rev().find(|(from, _)| *from <= minute);
        // Before the first step of the week, the last one of the week before goes on.
        begun.or(self.steps.last()).and_then(|(_, limit)| *limit)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_timetable_holds_from_each_time_to_the_next_and_around_the_week() {
        let table = [
            (TimeOfWeek::daily(8, 0), Some(1)),
            (TimeOfWeek::daily(18, 30), Some(2)),
            (TimeOfWeek::daily(12, 0).on(5), None),
        ];
        let bandwidth = Bandwidth::timetable(table, 0).unwrap();
        // Monday, 5 January 1970.
        let at = |day: u64, hour: u64, minute: u64| {
            let minutes = (4 + day) * 1440 + hour * 60 + minute;
            bandwidth.at(UNIX_EPOCH + Duration::from_secs(minutes * 60))
        };
        assert_eq!(at(0, 7, 59), Some(2), "since Sunday evening");
        assert_eq!(at(0, 8, 0), Some(1));
        assert_eq!(at(0, 18, 29), Some(1));
        assert_eq!(at(0, 18, 30), Some(2));
        assert_eq!(at(5, 11, 59), Some(1));
        assert_eq!(at(5, 12, 0), None, "Saturday at noon");
        assert_eq!(at(5, 18, 30), Some(2));
        let ahead = Bandwidth::timetable(table, 3600).unwrap();
        let monday_seven = UNIX_EPOCH + Duration::from_secs((4 * 1440 + 7 * 60) * 60);
        assert_eq!(ahead.at(monday_seven), Some(1), "it is eight an hour east");
        assert_eq!(Bandwidth::timetable([], 0), None);
    }
}
