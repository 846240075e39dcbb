//! The programs under `examples/`, which check themselves and end with an error if they are not content.

/// One way to run an example.
#[derive(Debug)]
pub(super) struct ExampleRun {
    pub(super) name: &'static str,
    /// Features on top of the default ones.
    pub(super) features: &'static [&'static str],
    /// `BUS_URL` is the test broker; else it is not set, and the example takes memory.
    pub(super) on_broker: bool,
    /// How often, one after the other, against the same broker: the second finds the first's queues.
    pub(super) times: usize,
}

pub(super) const EXAMPLES: &[ExampleRun] = &[
    in_memory("quickstart", &[]),
    in_memory("consumer_struct", &[]),
    in_memory("functions", &[]),
    in_memory("retry", &[]),
    in_memory("raw_json", &[]),
    in_memory("axum", &[]),
    in_memory("tower_layer", &["tower"]),
    in_memory("configuration", &["config"]),
    on_broker("quickstart"),
    on_broker("retry"),
    on_broker("raw_json"),
    on_broker("axum"),
];

const fn in_memory(name: &'static str, features: &'static [&'static str]) -> ExampleRun {
    ExampleRun { name, features, on_broker: false, times: 1 }
}

const fn on_broker(name: &'static str) -> ExampleRun {
    ExampleRun { name, features: &["rabbitmq"], on_broker: true, times: 2 }
}
