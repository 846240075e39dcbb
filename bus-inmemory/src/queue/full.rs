use std::sync::Arc;

use bus_core::clock::Clock;

use super::{After, Message, Queue};

/// Brings a message to all of these queues, or to none if one of them is full, and says which.
#[inline]
pub(crate) fn push_unless_full(queues: &[Arc<Queue>], message: Arc<Message>, clock: &Clock) -> Result<(), String> {
    if queues.iter().any(|queue| queue.options.max_length.is_some()) {
        return push_where_some_are_limited(queues, &message, clock);
    }
    if let Some((last, others)) = queues.split_last() {
        others.iter().for_each(|queue| queue.push(message.clone(), clock));
        last.push(message, clock);
    }
    Ok(())
}

#[cold]
fn push_where_some_are_limited(queues: &[Arc<Queue>], message: &Arc<Message>, clock: &Clock) -> Result<(), String> {
    let (mut limited, open): (Vec<_>, Vec<_>) = queues.iter().partition(|queue| queue.options.max_length.is_some());
    // The locks of all of them at once, so that nobody takes the last place between look and push: here alone, and
    // in one order for everybody.
    limited.sort_by_key(|queue| Arc::as_ptr(queue));
    let mut afters: Vec<(After, &Queue)> = Vec::new();
    let mut states: Vec<_> = limited.iter().map(|queue| queue.lock()).collect();
    let mut result = Ok(());
    for (queue, state) in limited.iter().zip(&mut states) {
        let mut after = After::default();
        let waiting = state.waiting.count(clock, &mut after);
        afters.push((after, queue));
        if let Some(max_length) = queue.options.max_length.filter(|most| waiting >= *most) {
            let queue = &queue.name;
            result = Err(format!(
                "the queue `{queue}` is full: as many messages wait there as its `max_length` says, {max_length}"
            ));
            break;
        }
    }
    if result.is_ok() {
        for (state, (after, _)) in states.iter_mut().zip(&mut afters) {
            state.push(message.clone(), clock, after);
        }
    }
    drop(states);
    for (mut after, queue) in afters {
        queue.address(&mut after);
        after.run();
    }
    if result.is_ok() {
        open.iter().for_each(|queue| queue.push(message.clone(), clock));
    }
    result
}
