use bus::{
    configuration::{BoxedFilter, Configuration, FilterConfig, typetag},
    filter::{self, Next},
    prelude::*,
};

use super::Ordered;

async fn ship(_: Ordered) -> Result<(), Failure> {
    Ok(())
}

/// The filter that the page writes.
#[derive(Deserialize)]
struct Tenant {
    #[expect(dead_code, reason = "it is only to be read")]
    only: String,
}

#[typetag::deserialize(name = "tenant")]
impl FilterConfig for Tenant {
    fn build(&self) -> BoxedFilter {
        BoxedFilter::new(filter::from_fn(|_: Context, next: Next| next.run()))
    }
}

#[test]
fn every_snippet_of_the_page_is_a_configuration() {
    let page = include_str!("../../docs/configuration.md");
    let mut snippets = page.split("\n```");
    let mut checked = 0;
    while let (Some(_text), Some(snippet)) = (snippets.next(), snippets.next()) {
        let (language, text) = snippet.split_once('\n').unwrap();
        let configuration = match language {
            "toml" => Configuration::from_toml(text),
            "sh" => Configuration::from_variables(text.lines().filter_map(|line| line.split_once('='))),
            _ => continue,
        };
        let bus = bus::builder("memory://page").endpoint("orders", |e| e.consumer(ship)).configuration(configuration);
        bus.build().unwrap_or_else(|error| panic!("{text}\n{error}"));
        checked += 1;
    }
    assert_eq!(checked, 5, "all of the page's snippets that are not Rust");
}
