use std::fmt::Write;

use super::{Description, EndpointDescription, SubscriptionDescription};
use crate::{naming::short_name, topology::TopicKind};

impl Description {
    /// A flowchart for [Mermaid](https://mermaid.js.org/syntax/flowchart.html): topics, the queues that are bound to
    /// them, the consumers with what they take, and where failed messages go. The same program gives the same text.
    ///
    /// ```
    /// # use bus_core::Bus;
    /// # fn show(bus: &Bus) {
    /// println!("```mermaid\n{}```", bus.describe().to_mermaid());
    /// # }
    /// ```
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let topics = self.topics();
        let mut chart = "flowchart LR\n".to_owned();
        for (number, topic) in (1..).zip(&topics) {
            line(&mut chart, format_args!("topic{number}([{}])", quoted(topic)));
        }
        for (number, endpoint) in (1..).zip(&self.endpoints) {
            let queue = format!("queue{number}");
            line(&mut chart, format_args!("{queue}[({})]", quoted(&endpoint.name)));
            for subscription in &endpoint.subscriptions {
                let at = topics.iter().position(|topic| *topic == subscription.topic).unwrap_or_default() + 1;
                line(&mut chart, format_args!("topic{at} {} {queue}", arrow(subscription)));
            }
            endpoint.chart(&mut chart, number);
        }
        chart
    }

    /// Every topic once, in the order of the endpoints.
    fn topics(&self) -> Vec<&str> {
        let mut topics: Vec<&str> = Vec::new();
        for subscription in self.endpoints.iter().flat_map(|endpoint| &endpoint.subscriptions) {
            if !topics.contains(&&*subscription.topic) {
                topics.push(&subscription.topic);
            }
        }
        topics
    }
}

impl EndpointDescription {
    fn chart(&self, chart: &mut String, number: usize) {
        for (nth, consumer) in (1..).zip(&self.consumers) {
            let node = format!("consumer{number}x{nth}");
            let takes: Vec<_> = consumer.handlers.iter().map(|handler| message_name(&handler.message)).collect();
            line(chart, format_args!("{node}[{}]", quoted(&short_name(&consumer.name))));
            line(chart, format_args!("queue{number} -->|{}| {node}", quoted(&takes.join(", "))));
            line(chart, format_args!("{node} -.-> error{number}"));
        }
        line(chart, format_args!("error{number}[({})]", quoted(&self.error_queue)));
    }
}

/// A binding says its key, where it has one.
fn arrow(subscription: &SubscriptionDescription) -> String {
    match subscription.kind {
        TopicKind::Fanout => "-->".to_owned(),
        _ if subscription.routing_key.is_empty() => "-->".to_owned(),
        _ => format!("-->|{}|", quoted(&subscription.routing_key)),
    }
}

/// `SubmitOrder` of `urn:message:Acme.Orders:SubmitOrder`; a generic one stays whole.
fn message_name(urn: &str) -> &str {
    let name = urn.trim_start_matches("urn:message:");
    if name.contains('[') { name } else { name.rsplit(':').next().unwrap_or(name) }
}

/// A label. Within quotes Mermaid takes everything but quotes; `#` begins an entity of its own, a label is HTML, and
/// one that begins with a backtick is Markdown.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' => {
                let _ = write!(quoted, "#{};", u32::from(character));
            }
            control if control.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn line(chart: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(chart, "    {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(quoted("Orders<Repo>::submit"), r#""Orders#60;Repo#62;::submit""#);
        assert_eq!(quoted("a \"b\" #c; `d`\n|e|"), r#""a #34;b#34; #35;c; #96;d#96; |e|""#);
    }

    #[test]
    fn messages_are_named_without_their_namespace_unless_they_are_generic() {
        assert_eq!(message_name("urn:message:Acme.Orders:SubmitOrder"), "SubmitOrder");
        assert_eq!(message_name("urn:message:MassTransit:Fault[[Acme:Order]]"), "MassTransit:Fault[[Acme:Order]]");
    }
}
