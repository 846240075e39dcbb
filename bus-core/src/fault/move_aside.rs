use std::sync::Arc;

use super::{Reason, exception::cut};
use crate::{
    MessageType,
    address::Destination,
    consumer::EndpointContext,
    endpoint::{OVERDUE, STARTS, Stopped, Stopping, relocate},
    envelope::{Headers, Host, date},
    observer::Receiving,
    transport::{Delivery, EnsureQueue, Outgoing, SettleOutcome},
};

/// The header that says after how many rounds of redelivery a message failed.
pub(super) const REDELIVERED: &str = "MT-Fault-RedeliveryCount";

/// The queues that messages are moved to, beside the one they came from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aside {
    /// `_error`: it failed.
    Error,
    /// `_skipped`: nobody here consumes its type.
    Skipped,
}

/// Moves a delivery as it is, with the reason added to its headers. The original is completed only after
/// the broker has the copy; a move that fails is tried again until the endpoint stops.
///
/// # Errors
/// [`Stopped`], and the delivery goes back to its queue.
pub(crate) async fn move_aside(
    delivery: Delivery,
    aside: Aside,
    reason: Headers,
    endpoint: &EndpointContext,
    stopping: &Stopping,
    receiving: &mut Receiving,
) -> Result<SettleOutcome, Stopped> {
    let outlet = &endpoint.outlet;
    let why_moved = reason.text("MT-Fault-Message").unwrap_or("no consumer takes its type").to_owned();
    let suffix = match aside {
        Aside::Error => "_error",
        Aside::Skipped => "_skipped",
    };
    let queue: Arc<str> = format!("{}{suffix}", endpoint.name).into();
    let mut copy = Outgoing::new(Destination::Queue(queue.clone()), delivery.body, outlet.clock.now());
    copy.content_type = delivery.content_type;
    copy.message_id = delivery.message_id;
    copy.correlation_id = delivery.correlation_id;
    copy.headers = delivery.headers;
    copy.priority = delivery.priority;
    // Those of an earlier failure say nothing about this one.
    copy.headers.remove_if(|name| {
        name.eq_ignore_ascii_case("MT-Reason")
            || name.eq_ignore_ascii_case(STARTS)
            || name.eq_ignore_ascii_case(OVERDUE)
            || name.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("MT-Fault-"))
    });
    for (name, value) in reason.iter() {
        copy.headers.set(name.to_owned(), value.clone());
    }
    copy.extensions = delivery.extensions;
    copy.extensions.insert(EnsureQueue { like: endpoint.name.clone() });
    copy.mandatory = true;
    let outcome = relocate(copy, delivery.unsettled, endpoint, stopping).await?;
    // Where the broker moves messages itself, one that is not settled is not moved. A copy is there for good.
    if outcome == SettleOutcome::Settled || !outlet.transport().capabilities().atomic_move {
        receiving.moved(&queue, &why_moved);
    }
    Ok(outcome)
}

/// The headers of MassTransit on a message in `_error`, and how many rounds of redelivery it made.
pub(crate) fn fault_headers(
    reason: &Reason,
    (retries, redeliveries): (u32, u32),
    consumer: Option<(&str, &MessageType)>,
    endpoint: &EndpointContext,
) -> Headers {
    let mut headers = host_headers();
    headers.set("MT-Reason", "fault");
    headers.set("MT-Fault-ExceptionType", reason.error_type);
    headers.set("MT-Fault-InputAddress", endpoint.address.to_string());
    headers.set("MT-Fault-Message", cut(reason.text.clone()));
    headers.set("MT-Fault-Timestamp", date::format(endpoint.outlet.clock.wall()));
    headers.set("MT-Fault-StackTrace", "");
    if let Some((name, message_type)) = consumer {
        headers.set("MT-Fault-ConsumerType", name.to_owned());
        headers.set("MT-Fault-MessageType", message_type.dotted_name());
    }
    for (name, count) in [("MT-Fault-RetryCount", retries), (REDELIVERED, redeliveries)] {
        if count > 0 {
            headers.set(name, i32::try_from(count).unwrap_or(i32::MAX));
        }
    }
    headers
}

/// The headers of MassTransit on a message in `_skipped`.
pub(crate) fn skipped_headers() -> Headers {
    let mut headers = host_headers();
    headers.set("MT-Reason", "dead-letter");
    headers
}

fn host_headers() -> Headers {
    let host = Host::current();
    let mut headers = Headers::new();
    for (name, value) in [
        ("MT-Host-MachineName", &host.machine_name),
        ("MT-Host-ProcessName", &host.process_name),
        ("MT-Host-Assembly", &host.assembly),
        ("MT-Host-AssemblyVersion", &host.assembly_version),
        ("MT-Host-MassTransitVersion", &host.mass_transit_version),
        ("MT-Host-FrameworkVersion", &host.framework_version),
        ("MT-Host-OperatingSystemVersion", &host.operating_system_version),
    ] {
        headers.set(name, value.as_deref().unwrap_or_default().to_owned());
    }
    headers.set("MT-Host-ProcessId", host.process_id.to_string());
    headers
}
