use bus::{
    configuration::{BoxedFilter, Configuration, FilterConfig, Time, typetag},
    extract::Extract,
    filter::{self, Filter, Next},
    prelude::*,
};
use tokio::sync::mpsc;

use super::Ordered;

/// Who saw the message, in order; the consumer is the last.
#[derive(Debug, Clone)]
struct Seen(mpsc::UnboundedSender<String>);

async fn ordered(_: Ordered, State(seen): State<Seen>) -> Result<(), Failure> {
    seen.0.send("ordered".to_owned()).unwrap();
    Ok(())
}

/// Notes its mark, and whether the consumer succeeded.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Audit {
    #[serde(default)]
    level: u8,
    #[serde(default)]
    strict: bool,
    pause: Option<Time>,
}

impl Filter for Audit {
    async fn call(&self, ctx: Context, next: Next) -> Result<(), Failure> {
        let State(seen) = State::<Seen>::extract(&ctx).await?;
        let pause = self.pause.map(|time| time.0);
        seen.0.send(format!("audit {} {} {pause:?}", self.level, self.strict)).unwrap();
        next.run().await
    }
}

#[typetag::deserialize(name = "audit")]
impl FilterConfig for Audit {
    fn build(&self) -> BoxedFilter {
        BoxedFilter::new(self.clone())
    }
}

fn mark(name: &'static str) -> impl Filter {
    filter::from_fn(move |ctx: Context, next: Next| async move {
        let State(seen) = State::<Seen>::extract(&ctx).await?;
        seen.0.send(name.to_owned()).unwrap();
        next.run().await
    })
}

#[tokio::test]
async fn filters_that_a_configuration_names_run_inside_of_the_programs_in_the_order_of_their_layers() {
    let (seen, mut told) = mpsc::unbounded_channel();
    let bus = bus::builder("memory://filters")
        .state(Seen(seen))
        .endpoint_defaults(|e| e.filter(mark("endpoint_defaults")))
        .configuration(Configuration::from_variables([(
            "BUS__ENDPOINTS__ORDERS__FILTERS",
            r#"[{"name": "audit", "level": 5, "strict": true}]"#,
        )]))
        .configuration(Configuration::from_toml(
            "
            [endpoint_defaults]
            filters = [{ name = 'audit', level = 1 }]
            [endpoints.orders]
            filters = [{ name = 'audit', level = 2 }, { level = 3, name = 'audit', pause = '1m' }]
            [endpoints.orders.consumers.ordered]
            filters = [{ name = 'audit', level = 6 }]
            ",
        ))
        .configuration(Configuration::from_json(
            r#"{ "endpoints": { "orders": { "filters": [{ "name": "audit", "level": 4 }] } } }"#,
        ))
        .endpoint("orders", |e| e.filter(mark("endpoint")).consumer_with(ordered, |c| c.filter(mark("consumer"))))
        .build()
        .unwrap();
    bus.start().await.unwrap();
    bus.send("queue:orders", Ordered { number: 1 }).await.unwrap();
    for expected in [
        "endpoint_defaults",
        "endpoint",
        "audit 1 false None",
        "audit 2 false None",
        "audit 3 false Some(60s)",
        "audit 4 false None",
        "audit 5 true None",
        "consumer",
        "audit 6 false None",
        "ordered",
    ] {
        assert_eq!(told.recv().await.as_deref(), Some(expected));
    }
    bus.stop().await;
}
