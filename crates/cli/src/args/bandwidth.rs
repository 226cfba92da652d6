//! Rates: one, or one for each direction, by the time of the week.

use omnistorage::filter::parse_size;
use omnistorage::sync::{Bandwidth, TimeOfWeek};

use crate::time::utc_offset;

/// A limit on what goes to remotes and on what comes from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directions {
    steps: Vec<Step>,
    /// Whether any step has a rate for each direction.
    is_split: bool,
}

/// From when on which rates hold; at all times without a time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    from: Option<TimeOfWeek>,
    up: Option<u64>,
    down: Option<u64>,
}

impl Directions {
    /// Reads `512K`, `10M:1M` or `08:00,512K Sat-00:00,10M:off`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut is_split = false;
        let mut rates = |text: &str| match text.split_once(':') {
            Some((up, down)) => {
                is_split = true;
                Ok((rate(up)?, rate(down)?))
            }
            None => rate(text).map(|rate| (rate, rate)),
        };
        let steps = if text.contains(',') {
            let step = |text| {
                let (from, limit) = time_of(text)?;
                let (up, down) = rates(limit)?;
                let from = Some(from);
                Ok(Step { from, up, down })
            };
            text.split_whitespace()
                .map(step)
                .collect::<Result<_, String>>()?
        } else {
            let (up, down) = rates(text)?;
            let from = None;
            vec![Step { from, up, down }]
        };
        Ok(Self { steps, is_split })
    }

    /// The limit between two stores; `None` when the limit is on remotes and there is none.
    pub(super) fn between(&self, from_remote: bool, to_remote: bool) -> Option<Option<Bandwidth>> {
        let rate = |step: &Step| match (from_remote, to_remote) {
            (true, false) => step.down,
            (false, true) => step.up,
            _ => step.up.into_iter().chain(step.down).min(),
        };
        if self.is_split && !from_remote && !to_remote {
            return None;
        }
        let timed = |step: &Step| Some((step.from?, rate(step)));
        let table = Bandwidth::timetable(self.steps.iter().filter_map(timed), utc_offset());
        let flat = self.steps.first().and_then(rate);
        Some(table.or_else(|| flat.map(Bandwidth::bytes_per_second)))
    }
}

pub(super) fn rate(text: &str) -> Result<Option<u64>, String> {
    // As in rclone, 0 is no limit.
    let rate = parse_size(text).map_err(|error| error.to_string())?;
    Ok(rate.filter(|rate| *rate > 0))
}

/// The time of `08:00,512K` or `Mon-08:00,512K`, and the rest.
fn time_of(text: &str) -> Result<(TimeOfWeek, &str), String> {
    let wrong = || format!("{text:?} is no time and rate such as 08:00,512K or Mon-08:00,512K");
    let (time, limit) = text.split_once(',').ok_or_else(wrong)?;
    let (day, time) = match time.split_once('-') {
        Some((day, time)) => (Some(weekday(day).ok_or_else(wrong)?), time),
        None => (None, time),
    };
    let (hour, minute) = time.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str, most: u8| text.parse().ok().filter(|number| *number <= most);
    let hour = number(hour, 23).ok_or_else(wrong)?;
    let minute = number(minute, 59).ok_or_else(wrong)?;
    let daily = TimeOfWeek::daily(hour, minute);
    Ok((day.map_or(daily, |day| daily.on(day)), limit))
}

fn weekday(text: &str) -> Option<u8> {
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let text = text.to_ascii_lowercase();
    let day = DAYS
        .iter()
        .position(|day| text.len() >= 3 && day.starts_with(&text))?;
    u8::try_from(day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_rclone_reads_them() {
        let local = |text| Directions::parse(text).unwrap().between(false, false);
        let limit = |bytes| Some(Some(Bandwidth::bytes_per_second(bytes)));
        assert_eq!(local("512"), limit(512 << 10));
        assert_eq!(local("1.5M"), limit(3 << 19));
        assert_eq!(local("1B"), limit(1));
        assert_eq!(local("off"), Some(None));
        assert_eq!(local("0"), Some(None));
        let table = local("Mon-08:00,1M 18:00,off sunday-23:59,100K");
        let expected = [
            (TimeOfWeek::daily(8, 0).on(0), Some(1 << 20)),
            (TimeOfWeek::daily(18, 0), None),
            (TimeOfWeek::daily(23, 59).on(6), Some(100 << 10)),
        ];
        assert_eq!(table, Some(Bandwidth::timetable(expected, utc_offset())));
        for text in [
            "",
            "x",
            "10M:",
            "1:2:3",
            "24:00,1M",
            "8,1M",
            "Mo-08:00,1M",
            "08:00,x",
        ] {
            assert!(Directions::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_direction_has_its_rate() {
        let limit = |bytes| Some(Some(Bandwidth::bytes_per_second(bytes)));
        let both = Directions::parse("2B:1B").unwrap();
        assert_eq!(both.between(false, true), limit(2));
        assert_eq!(both.between(true, false), limit(1));
        assert_eq!(both.between(true, true), limit(1));
        assert_eq!(both.between(false, false), None);
        let up = Directions::parse("2B:off").unwrap();
        assert_eq!(up.between(true, false), Some(None));
        assert_eq!(up.between(true, true), limit(2));
        let table = Directions::parse("08:00,off:1B 18:00,3B").unwrap();
        let expected = [
            (TimeOfWeek::daily(8, 0), Some(1)),
            (TimeOfWeek::daily(18, 0), Some(3)),
        ];
        let expected = Some(Bandwidth::timetable(expected, utc_offset()));
        assert_eq!(table.between(true, false), expected);
    }
}
