//! What a case found, as a row to be pasted.

use std::fmt::Write;

/// One kind of queue under one fault.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) fault: String,
    pub(crate) queue: &'static str,
    pub(crate) sent: usize,
    pub(crate) received: usize,
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    /// Seconds from the broker's first answer after the fault.
    pub(crate) back: Option<f64>,
    pub(crate) peak_mb: u64,
    /// Bounds that were broken, in words.
    pub(crate) problems: Vec<String>,
}

impl Row {
    pub(crate) fn broken(&self) -> impl Iterator<Item = String> {
        self.problems.iter().map(|problem| format!("{}, {}: {problem}", self.fault, self.queue))
    }

    /// Notes that a bound is broken, unless it holds.
    pub(crate) fn expect(&mut self, holds: bool, problem: impl Into<String>) {
        if !holds {
            self.problems.push(problem.into());
        }
    }
}

pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut table = "| fault | queue | sent | received | lost | duplicated | back after s | peak MB |\n\
                     |---|---|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for row in rows {
        let Row { fault, queue, sent, received, lost, duplicated, back, peak_mb, problems } = row;
        let back = back.map_or("–".to_owned(), |seconds| format!("{seconds:.2}"));
        let mark = if problems.is_empty() { "" } else { " **✗**" };
        writeln!(
            table,
            "| {fault}{mark} | {queue} | {sent} | {received} | {lost} | {duplicated} | {back} | {peak_mb} |"
        )
        .expect("a string takes everything");
    }
    table
}
