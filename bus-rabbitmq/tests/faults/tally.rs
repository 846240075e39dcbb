//! How often each number was seen.

use std::{collections::HashMap, sync::Mutex};

use tokio::sync::Notify;

use crate::table::Row;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    seen: Mutex<HashMap<u32, u32>>,
    news: Notify,
}

impl Tally {
    /// Counts it; how often it was seen with this time.
    pub(crate) fn note(&self, number: u32) -> u32 {
        let times = {
            let mut seen = self.seen.lock().unwrap();
            let times = seen.entry(number).or_default();
            *times += 1;
            *times
        };
        self.news.notify_waiters();
        times
    }

    /// How many numbers were seen.
    pub(crate) fn distinct(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// How many sights were not the first of their number.
    pub(crate) fn again(&self) -> usize {
        self.seen.lock().unwrap().values().map(|times| *times as usize - 1).sum()
    }

    pub(crate) fn has(&self, number: u32) -> bool {
        self.seen.lock().unwrap().contains_key(&number)
    }

    /// Waits until so many numbers were seen.
    pub(crate) async fn until(&self, count: usize) {
        self.until_all(count, 1).await;
    }

    /// Waits until so many numbers were seen so often each.
    pub(crate) async fn until_all(&self, count: usize, times: u32) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if self.seen.lock().unwrap().values().filter(|seen| **seen >= times).count() >= count {
                return;
            }
            news.await;
        }
    }

    /// As a row: of so many that were sent.
    pub(crate) fn row(&self, fault: &str, queue: &'static str, sent: usize) -> Row {
        let received = self.distinct();
        let mut row = Row {
            fault: fault.to_owned(),
            queue,
            sent,
            received,
            lost: sent.saturating_sub(received),
            duplicated: self.again(),
            peak_mb: crate::memory::peak_mb(),
            ..Row::default()
        };
        row.expect(received == sent, format!("{received} of {sent} arrived"));
        row
    }
}
