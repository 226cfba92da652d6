//! Medians and spread.

use std::fmt;
use std::time::Duration;

/// The times of one operation, one value a round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, time: Duration) {
        let at = self.0.partition_point(|other| *other < time);
        self.0.insert(at, time);
    }

    pub(crate) fn extend(&mut self, time: Option<Duration>) {
        if let Some(time) = time {
            self.push(time);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    /// The value below which this share of the samples lies.
    fn quantile(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.0.get(at).copied().unwrap_or_default()
    }
}

/// The median and half of the range of the middle half: `12.3 µs ± 0.4`.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let median = self.median().as_secs_f64();
        let spread = (self.quantile(0.75) - self.quantile(0.25)).as_secs_f64() / 2.0;
        let (scale, unit) = match median {
            m if m < 1e-6 => (1e9, "ns"),
            m if m < 1e-3 => (1e6, "µs"),
            m if m < 1.0 => (1e3, "ms"),
            _ => (1.0, "s"),
        };
        let digits = match median * scale {
            value if value < 10.0 => 2,
            value if value < 100.0 => 1,
            _ => 0,
        };
        let (median, spread) = (median * scale, spread * scale);
        write!(f, "{median:.digits$} {unit} ± {spread:.digits$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_spread_are_those_of_the_sorted_samples() {
        let mut samples = Samples::default();
        for micros in [50, 10, 20, 1000, 30] {
            samples.push(Duration::from_micros(micros));
        }
        assert_eq!(samples.median(), Duration::from_micros(30));
        assert_eq!(samples.to_string(), "30.0 µs ± 15.0");
    }
}
