use super::EndpointBuilder;

/// What the program wants of every endpoint that it adds from here on, in the order in which it was said.
#[derive(Default)]
pub(super) struct EndpointDefaults(Vec<Box<Configure>>);

type Configure = dyn Fn(EndpointBuilder) -> EndpointBuilder + Send + Sync;

impl EndpointDefaults {
    pub(super) fn add(&mut self, configure: impl Fn(EndpointBuilder) -> EndpointBuilder + Send + Sync + 'static) {
        self.0.push(Box::new(configure));
    }

    /// A new endpoint, on which everything it says itself outweighs these.
    #[track_caller]
    pub(super) fn endpoint(&self, name: String) -> EndpointBuilder {
        self.0
            .iter()
            .fold(EndpointBuilder::new(name), |endpoint, configure| configure(endpoint))
            .with_settings_outweighed()
    }
}
