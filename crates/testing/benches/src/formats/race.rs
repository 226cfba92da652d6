use std::time::Instant;

use crate::samples::Samples;
use crate::{Result, report};

/// One piece of work, done by several contenders in turn. What is measured comes first.
pub(super) struct Race {
    title: String,
    /// Bytes that the work is about, decompressed.
    bytes: usize,
    /// What the first contender is held to: at most this share of the time of the contender named.
    bars: &'static [(&'static str, f64)],
    prepare: Option<Box<dyn Fn() -> Result>>,
    entries: Vec<Entry>,
}

struct Entry {
    name: &'static str,
    run: Box<dyn Fn() -> Result<u64>>,
    samples: Samples,
}

impl Race {
    pub(super) fn new(
        title: impl Into<String>,
        bytes: usize,
        bars: &'static [(&'static str, f64)],
    ) -> Self {
        Self {
            title: title.into(),
            bytes,
            bars,
            prepare: None,
            entries: Vec::new(),
        }
    }

    /// Has `prepare` called before anybody begins.
    pub(super) fn after(mut self, prepare: impl Fn() -> Result + 'static) -> Self {
        self.prepare = Some(Box::new(prepare));
        self
    }

    /// Adds a contender. All must come to the same result, so that all have done the same work.
    pub(super) fn enter(
        mut self,
        name: &'static str,
        run: impl Fn() -> Result<u64> + 'static,
    ) -> Self {
        self.entries.push(Entry {
            name,
            run: Box::new(run),
            samples: Samples::default(),
        });
        self
    }

    pub(super) fn is_named(&self, text: &str) -> bool {
        self.title.contains(text)
    }

    /// Everyone once without a clock, then `rounds` times, each round beginning with another one.
    pub(super) fn run(mut self, rounds: usize) -> Result<String> {
        eprintln!("  {}", self.title);
        self.prepare.as_ref().map_or(Ok(()), |prepare| prepare())?;
        let mut expected = None;
        for entry in &self.entries {
            let found = (entry.run)().map_err(|error| format!("{}: {error}", entry.name))?;
            if *expected.get_or_insert(found) != found {
                return Err(format!("{}: {found} instead of {expected:?}", entry.name).into());
            }
        }
        let count = self.entries.len();
        for turn in 0..rounds * count {
            let entry = &mut self.entries[(turn + turn / count) % count];
            let start = Instant::now();
            std::hint::black_box((entry.run)()?);
            entry.samples.push(start.elapsed());
        }
        Ok(self.table())
    }

    fn table(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        text += "| | Time | GB/s | Bars |\n|---|---|---|---|\n";
        for (place, entry) in self.entries.iter().enumerate() {
            let speed = self.bytes as f64 / entry.samples.median().as_secs_f64() / 1e9;
            let bars = match place {
                0 => self.verdicts(),
                _ => String::new(),
            };
            let (name, samples) = (entry.name, &entry.samples);
            text += &format!("| {name} | {samples} | {speed:.2} | {bars} |\n");
        }
        text
    }

    fn verdicts(&self) -> String {
        let time = |name: Option<&str>| {
            let mut entries = self.entries.iter();
            let entry = entries.find(|entry| name.is_none_or(|name| entry.name == name));
            entry.map(|entry| entry.samples.median())
        };
        let verdict = |(name, most): &(&str, f64)| match (time(None), time(Some(name))) {
            (Some(own), Some(other)) => {
                let share = report::ratio(own, other);
                format!(
                    "{share:.2} of {name} ≤ {most}: {}",
                    report::met(share <= *most)
                )
            }
            _ => format!("{name}: not measured"),
        };
        let verdicts: Vec<_> = self.bars.iter().map(verdict).collect();
        verdicts.join("; ")
    }
}
