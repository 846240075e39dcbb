//! Where our topology differs from MassTransit's on purpose. The same table, for people, is in
//! `docs/rabbitmq-differences.md`.

use serde_json::{Value, json};

use crate::entities::Entities;

/// The page that has to have every reason.
const PAGE: &str = include_str!("../../../docs/rabbitmq-differences.md");

const KEPT: &str = "A faulted message is kept until a person looked at it.";
const TRUE: &str = "A send tells the truth about the queue, and guesses no arguments of its owner.";

/// One of the page's rows, at one captured entity.
struct Difference {
    entity: &'static str,
    masstransit: Value,
    /// None: it is not there.
    ours: Option<Value>,
    why: &'static str,
}

fn exchange(durable: bool) -> Value {
    json!({ "type": "fanout", "durable": durable, "auto_delete": !durable, "internal": false, "arguments": {} })
}

fn queue(arguments: &Value) -> Value {
    json!({ "durable": true, "auto_delete": false, "exclusive": false, "arguments": arguments })
}

fn table() -> [Difference; 6] {
    let none = json!({});
    [
        // Arguments and lifetime of an endpoint's queue are not copied to its `_error` queue.
        Difference {
            entity: "queue `m-expires_error`",
            masstransit: queue(&json!({ "x-expires": { "t": "long", "v": 300_000 } })),
            ours: Some(queue(&none)),
            why: KEPT,
        },
        Difference {
            entity: "queue `m-temporary_error`",
            masstransit: json!({ "durable": false, "auto_delete": true, "exclusive": true, "arguments": {} }),
            ours: Some(queue(&none)),
            why: KEPT,
        },
        Difference {
            entity: "exchange `m-temporary_error`",
            masstransit: exchange(false),
            ours: Some(exchange(true)),
            why: KEPT,
        },
        // A sender of `queue:my-faults` declares nothing.
        Difference { entity: "exchange `my-faults`", masstransit: exchange(true), ours: None, why: TRUE },
        Difference { entity: "queue `my-faults`", masstransit: queue(&none), ours: None, why: TRUE },
        Difference {
            entity: "binding `my-faults` to queue `my-faults` with ``",
            masstransit: json!({ "arguments": {} }),
            ours: None,
            why: TRUE,
        },
    ]
}

/// Turns what was captured into what is expected of us; how many rows applied.
pub(crate) fn apply(captured: &mut Entities) -> usize {
    let mut applied = 0;
    for Difference { entity, masstransit, ours, why } in table() {
        assert!(PAGE.contains(why), "the page lacks: {why}");
        let Some(known) = captured.remove(entity) else { continue };
        assert_eq!(known, masstransit, "{entity}: the capture shows something else");
        captured.extend(ours.map(|ours| (entity.to_owned(), ours)));
        applied += 1;
    }
    applied
}
