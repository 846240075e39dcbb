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
    /// Seconds, the longest time in which nothing was handled.
    pub(crate) gap: Option<f64>,
    /// How many were sent or being sent, and not handled, when the fault came.
    pub(crate) in_flight: Option<u32>,
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
    let mut table =
        "| fault | queue | sent | in flight | received | lost | duplicated | back after s | gap s | peak MB |\n\
                     |---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
    for row in rows {
        let Row { fault, queue, sent, received, lost, duplicated, peak_mb, problems, .. } = row;
        let seconds = |seconds: Option<f64>| seconds.map_or("–".to_owned(), |seconds| format!("{seconds:.2}"));
        let (back, gap) = (seconds(row.back), seconds(row.gap));
        let in_flight = row.in_flight.map_or("–".to_owned(), |messages| messages.to_string());
        let mark = if problems.is_empty() { "" } else { " **✗**" };
        writeln!(
            table,
            "| {fault}{mark} | {queue} | {sent} | {in_flight} | {received} | {lost} | {duplicated} | {back} | {gap} | \
             {peak_mb} |"
        )
        .expect("a string takes everything");
    }
    table
}
