//! Tables in Markdown.

use std::time::Duration;

use crate::contest::{Bar, Cell, Row};

/// Columns that are shown for orientation and are no peers: plain system calls.
const NO_PEERS: &[&str] = &["std::fs"];

/// A table of rows with the same columns; what is measured is the first.
pub(crate) fn table(rows: &[Row], columns: &[&str]) -> String {
    let mut text = format!("| | {} | Bars |\n", columns.join(" | "));
    text += &format!("|---|{}---|\n", "---|".repeat(columns.len()));
    for row in rows {
        let cells = columns.iter().map(|column| {
            row.cell(column)
                .map_or_else(|| "–".to_owned(), |cell| cell.samples.to_string())
        });
        let cells: Vec<_> = cells.collect();
        let verdicts: Vec<_> = row.bars.iter().map(|bar| verdict(row, *bar)).collect();
        text += &format!(
            "| {} | {} | {} |\n",
            row.title,
            cells.join(" | "),
            verdicts.join("; ")
        );
    }
    text
}

/// A table of allocations a call.
pub(crate) fn allocations(rows: &[Row], columns: &[&str]) -> String {
    let mut text = format!("| Allocations a call | {} |\n", columns.join(" | "));
    text += &format!("|---|{}\n", "---|".repeat(columns.len()));
    for row in rows {
        let cells = columns.iter().map(|column| {
            row.cell(column)
                .map_or_else(|| "–".to_owned(), |cell| format!("{:.1}", cell.allocations))
        });
        text += &format!(
            "| {} | {} |\n",
            row.title,
            cells.collect::<Vec<_>>().join(" | ")
        );
    }
    text
}

impl Row {
    fn cell(&self, column: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.column == column)
    }
}

/// How the first column stands to a bar, such as `0.61 of OpenDAL ≤ 1: met`.
fn verdict(row: &Row, bar: Bar) -> String {
    let Some((own, others)) = row.cells.split_first() else {
        return "not measured".to_owned();
    };
    let peer = match bar {
        Bar::Allocations(most) => {
            let met = met(own.allocations <= most);
            return format!("{:.1} allocations ≤ {most}: {met}", own.allocations);
        }
        Bar::Time(most) => {
            let time = own.samples.median().as_secs_f64();
            return format!("{time:.2} s ≤ {most:.2} s: {}", met(time <= most));
        }
        Bar::Column(name, _) => others.iter().find(|cell| cell.column == name),
        Bar::FastestPeer(_) => others
            .iter()
            .filter(|cell| !NO_PEERS.contains(&cell.column))
            .min_by_key(|cell| cell.samples.median()),
    };
    let (Some(peer), Bar::Column(_, most) | Bar::FastestPeer(most)) = (peer, bar) else {
        return "not measured".to_owned();
    };
    let share = ratio(own.samples.median(), peer.samples.median());
    let met = met(share <= most);
    format!("{share:.2} of {} ≤ {most}: {met}", peer.column)
}

pub(crate) fn met(met: bool) -> &'static str {
    match met {
        true => "met",
        false => "**missed**",
    }
}

pub(crate) fn ratio(own: Duration, other: Duration) -> f64 {
    own.as_secs_f64() / other.as_secs_f64().max(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Samples;

    fn row(bars: &[Bar]) -> Row {
        let cell = |column, micros| {
            let mut samples = Samples::default();
            samples.push(Duration::from_micros(micros));
            Cell {
                column,
                samples,
                allocations: 3.0,
            }
        };
        Row {
            title: "read".to_owned(),
            bars: bars.to_vec(),
            cells: vec![
                cell("ours", 40),
                cell("A", 100),
                cell("B", 50),
                cell("std::fs", 1),
            ],
        }
    }

    #[test]
    fn bars_are_met_and_missed() {
        let verdicts = |bars: &[Bar]| {
            let row = row(bars);
            bars.iter()
                .map(|bar| verdict(&row, *bar))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            verdicts(&[
                Bar::FastestPeer(1.0),
                Bar::FastestPeer(0.5),
                Bar::Column("A", 0.5),
                Bar::Column("C", 0.5),
                Bar::Allocations(2.0),
            ]),
            [
                "0.80 of B ≤ 1: met",
                "0.80 of B ≤ 0.5: **missed**",
                "0.40 of A ≤ 0.5: met",
                "not measured",
                "3.0 allocations ≤ 2: **missed**",
            ]
        );
    }

    #[test]
    fn a_contender_that_was_not_measured_has_a_dash() {
        let text = table(&[row(&[])], &["ours", "C"]);
        assert!(
            text.ends_with("| read | 40.0 µs ± 0.0 | – |  |\n"),
            "{text}"
        );
    }
}
