use std::{
    fmt,
    future::IntoFuture,
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use serde::ser::Error as _;
use uuid::Uuid;

use super::{
    Header, IntoAddress, Outlet, Transmit, inherited_headers, outlet::Route, transmit::Parcel, transport_headers,
};
use crate::{
    Error, Message, MessageType,
    address::{Address, AddressError, Destination},
    codec::{Around, RAW, write_raw_headers},
    consumer::Attempt,
    envelope::{CONTENT_TYPE, DEPTH, Envelop, Host, is_deep},
    error::Posted,
    transport::{Lane, Outgoing},
};

/// A message on its way out; nothing happens until it is awaited.
///
/// From the bus, awaiting it waits for the broker's confirm. From a handler's context, awaiting it hands
/// the message over, and the confirm is awaited before the consumed message is acknowledged; `confirmed()`
/// waits at once.
///
/// ```
/// # use bus_core::{Bus, Error, Message};
/// # use serde::{Deserialize, Serialize};
/// # use std::time::Duration;
/// # #[derive(Serialize, Deserialize, Message)]
/// # #[message(namespace = "Acme.Shop", crate = bus_core)]
/// # struct PriceChanged { cents: i64 }
/// # async fn publish(bus: &Bus) -> Result<(), Error> {
/// bus.publish(PriceChanged { cents: 990 })
///     .header("tenant", "acme")
///     .time_to_live(Duration::from_secs(3600))
///     .timeout(Duration::from_secs(5))
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Awaiting it gives an [`Error`]:
///
/// - [`NotSent`](Error::NotSent): the deadline passed, and the broker does not have the message.
/// - [`Unknown`](Error::Unknown): the deadline passed, and it may have it. Sent again with the same
///   [`message_id`](Self::message_id), receivers can tell.
/// - [`Rejected`](Error::Rejected): the broker refused it, and would again; of an event, one of its queues did.
/// - [`Unroutable`](Error::Unroutable): it was sent to a queue that is not there.
/// - [`Address`](Error::Address), [`Encode`](Error::Encode), [`NoContract`](Error::NoContract): it cannot be sent as it
///   is written.
/// - [`NotStarted`](Error::NotStarted), from the bus; [`ContextClosed`](Error::ContextClosed), from a handler's
///   context.
#[must_use = "a message leaves only when this is awaited"]
pub struct Outbound<'a, M> {
    outlet: &'a Arc<Outlet>,
    attempt: Option<&'a Attempt>,
    target: Target,
    message: M,
    options: Options,
    /// Known here, so that what is no message is refused where it is published, and not also where that is awaited.
    prepare: fn(&Self) -> Result<Prepared, Error>,
}

enum Target {
    Publish,
    Send(Result<Address, AddressError>),
}

/// Written, and not handed over.
struct Prepared {
    message: Outgoing,
    posted: Posted,
    message_type: &'static MessageType,
    correlation_id: Option<Uuid>,
    conversation_id: Uuid,
}

#[derive(Default)]
struct Options {
    headers: Vec<(String, Header)>,
    response_address: Option<Result<Address, AddressError>>,
    fault_address: Option<Result<Address, AddressError>>,
    request_id: Option<Uuid>,
    routing_key: Option<Arc<str>>,
    priority: Option<u8>,
    lane: Option<Lane>,
    transient: bool,
    raw_json: bool,
    contract: Option<&'static MessageType>,
    message_id: Option<Uuid>,
    correlation_id: Option<Uuid>,
    conversation_id: Option<Uuid>,
    time_to_live: Option<Duration>,
    timeout: Option<Duration>,
    confirmed: bool,
}

impl<'a, M: Message> Outbound<'a, M> {
    pub(crate) fn publish(outlet: &'a Arc<Outlet>, attempt: Option<&'a Attempt>, message: M) -> Self {
        Self::new(outlet, attempt, Target::Publish, message)
    }

    pub(crate) fn send(
        outlet: &'a Arc<Outlet>,
        attempt: Option<&'a Attempt>,
        to: Result<Address, AddressError>,
        message: M,
    ) -> Self {
        Self::new(outlet, attempt, Target::Send(to), message)
    }

    fn new(outlet: &'a Arc<Outlet>, attempt: Option<&'a Attempt>, target: Target, message: M) -> Self {
        Self { outlet, attempt, target, message, options: Options::default(), prepare: Self::prepare }
    }
}

impl<M> Outbound<'_, M> {
    /// Adds a header, to the envelope and, where it has a simple type, to the transport: see [`Header`]. It
    /// travels on to what is sent while the message is handled. Names beginning with `MT-` belong to
    /// MassTransit.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Header>) -> Self {
        self.options.headers.push((name.into(), value.into()));
        self
    }

    /// Where replies go. A short address such as `queue:replies` travels as it is written, and the receiver
    /// resolves it on its own broker. The default is nowhere.
    pub fn response_address(mut self, to: impl IntoAddress) -> Self {
        self.options.response_address = Some(to.into_address());
        self
    }

    /// Where the fault goes if the message fails, in place of being published.
    pub fn fault_address(mut self, to: impl IntoAddress) -> Self {
        self.options.fault_address = Some(to.into_address());
        self
    }

    /// Marks the message as part of a request. The default is none.
    pub fn request_id(mut self, id: Uuid) -> Self {
        self.options.request_id = Some(id);
        self
    }

    /// The key that direct and topic exchanges look at. The default is empty.
    pub fn routing_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.options.routing_key = Some(key.into());
        self
    }

    /// From 0 to 255, the higher the sooner, where the queue sorts by it (`max_priority` on RabbitMQ). The default is
    /// that of the message being handled, else none.
    pub fn priority(mut self, priority: u8) -> Self {
        self.options.priority = Some(priority);
        self
    }

    /// The ordered part of a queue that the message belongs to, such as a customer's id: messages of one lane
    /// are handled one after the other, in order, where the queue has lanes (a session of Azure Service Bus,
    /// a partition). Others ignore it. The default is none.
    pub fn lane(mut self, key: impl Into<Arc<str>>) -> Self {
        self.options.lane = Some(Lane(key.into()));
        self
    }

    /// Lets the broker forget the message when it restarts, and saves it a write. The default is a durable
    /// message.
    pub fn transient(mut self) -> Self {
        self.options.transient = true;
        self
    }

    /// Sends the payload alone as `application/json`, and what an envelope would say in headers of the
    /// transport, for receivers that know no envelope. MassTransit's raw JSON.
    pub fn raw_json(mut self) -> Self {
        self.options.raw_json = true;
        self
    }

    /// Sends the message as one of the contracts that it fulfils: consumers of its own type do not get it,
    /// those of the contract do, with all its members. MassTransit's `Publish<IContract>(message)`.
    ///
    /// Awaiting it is [`Error::NoContract`] if the type does not name `C` in `implements(..)`.
    pub fn as_contract<C: Message>(mut self) -> Self {
        self.options.contract = Some(C::message_type());
        self
    }

    /// Sets the message's id. The default is a new one (UUID version 7).
    pub fn message_id(mut self, id: Uuid) -> Self {
        self.options.message_id = Some(id);
        self
    }

    /// Sets the business id. The default is what [`Message::correlation_id`] says.
    pub fn correlation_id(mut self, id: Uuid) -> Self {
        self.options.correlation_id = Some(id);
        self
    }

    /// Sets the conversation. The default is that of the message being handled, else a new one.
    pub fn conversation_id(mut self, id: Uuid) -> Self {
        self.options.conversation_id = Some(id);
        self
    }

    /// After this time in a queue nobody needs the message, and the broker may drop it. The default is
    /// never. RabbitMQ counts whole milliseconds.
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.options.time_to_live = Some(time);
        self
    }

    /// How long to try, through outages and a full window. The default is the bus's
    /// [`send_timeout`](crate::Builder::send_timeout), 30 s.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.options.timeout = Some(time);
        self
    }

    /// In a handler: waits for the broker's confirm here, not at the end of the attempt. The handler then
    /// decides what a failure means. On an endpoint with an outbox it changes nothing: the message leaves after
    /// the attempt.
    pub fn confirmed(mut self) -> Self {
        self.options.confirmed = true;
        self
    }
}

impl<M: Message> Outbound<'_, M> {
    fn prepare(&self) -> Result<Prepared, Error> {
        if !self.outlet.is_open() && self.attempt.is_none() {
            return Err(Error::NotStarted);
        }
        let message_type = match self.options.contract {
            None => M::message_type(),
            Some(contract) if M::message_type().fulfils(contract) => contract,
            Some(contract) => {
                let message_type = M::message_type().urn().to_owned();
                return Err(Error::NoContract { message_type, contract: contract.urn().to_owned() });
            }
        };
        let route = match &self.target {
            Target::Publish => self.outlet.topic(message_type),
            Target::Send(address) => self.outlet.resolve(address.as_ref().map_err(Clone::clone)?)?,
        };
        self.envelop(message_type, &route)
    }

    fn envelop(&self, message_type: &'static MessageType, route: &Route) -> Result<Prepared, Error> {
        let options = &self.options;
        let clock = &self.outlet.clock;
        let sent_time = clock.wall();
        let message_id = options.message_id.unwrap_or_else(Uuid::now_v7);
        let correlation_id = options.correlation_id.or_else(|| self.message.correlation_id()).filter(|id| !id.is_nil());
        let consumed = self.attempt.map(Attempt::incoming);
        let envelope = consumed.map(|incoming| &incoming.envelope);
        let conversation_id =
            options.conversation_id.or_else(|| envelope?.conversation_id).unwrap_or_else(Uuid::now_v7);
        let initiator_id = envelope.and_then(|envelope| envelope.correlation_id.or(envelope.request_id));
        let source_address: &str = self.attempt.map_or(&self.outlet.source, Attempt::address);
        let response_address = written(options.response_address.as_ref())?;
        let fault_address = written(options.fault_address.as_ref())?;
        let mut headers = consumed.map(inherited_headers).unwrap_or_default();
        let mut native = transport_headers(&headers);
        for (name, header) in &options.headers {
            // A null header is written nowhere (seen).
            if header.json.is_null() {
                headers.remove(name);
            } else {
                headers.insert(name.clone(), header.json.clone());
            }
            match &header.native {
                Some(value) => native.set(name.clone(), value.clone()),
                None => native.remove_if(|known| known.eq_ignore_ascii_case(name)),
            }
        }
        let posted = Posted { message_type: message_type.urn().to_owned(), message_id, address: route.address.clone() };
        let unwritable = |source| Error::Encode { message: Box::new(posted.clone()), source };
        let (body, media_type) = if options.raw_json {
            write_raw_headers(
                &Around {
                    message_id,
                    correlation_id,
                    conversation_id,
                    request_id: options.request_id,
                    initiator_id,
                    message_type: message_type.urns(),
                    source_address,
                    response_address: response_address.as_deref(),
                    fault_address: fault_address.as_deref(),
                },
                &mut native,
            );
            (Bytes::from(serde_json::to_vec(&self.message).map_err(unwritable)?), RAW)
        } else {
            let written = Envelop {
                message_id,
                request_id: options.request_id,
                correlation_id,
                conversation_id,
                initiator_id,
                source_address,
                destination_address: &route.address,
                response_address: response_address.as_deref(),
                fault_address: fault_address.as_deref(),
                message_type: message_type.urns(),
                message: &self.message,
                expiration_time: options.time_to_live.and_then(|time| sent_time.checked_add(time)),
                sent_time,
                headers: &headers,
                host: Host::current_json(),
            };
            (written.to_bytes().map_err(unwritable)?, CONTENT_TYPE)
        };
        if is_deep(&body) {
            // .NET would refuse to read it, and so would we.
            let reason = format_args!("the message is nested deeper than {DEPTH} levels");
            return Err(unwritable(serde_json::Error::custom(reason)));
        }
        let deadline = clock.after(options.timeout.unwrap_or(self.outlet.timeout));
        let mut outgoing = Outgoing::new(route.destination.clone(), body, deadline);
        outgoing.content_type = Some(media_type_of(media_type));
        outgoing.message_id = Some(text(message_id));
        outgoing.correlation_id = correlation_id.map(text);
        outgoing.headers = native;
        outgoing.time_to_live = options.time_to_live;
        outgoing.routing_key = options.routing_key.clone();
        outgoing.priority = options.priority.or_else(|| consumed?.priority);
        outgoing.lane = options.lane.clone();
        outgoing.durable = !options.transient;
        // A queue that is not there is an error of the sender; an event without subscribers is none.
        outgoing.mandatory = matches!(route.destination, Destination::Queue(_));
        Ok(Prepared { message: outgoing, posted, message_type, correlation_id, conversation_id })
    }
}

/// An address of the caller's, as it travels.
fn written(address: Option<&Result<Address, AddressError>>) -> Result<Option<String>, Error> {
    match address {
        None => Ok(None),
        Some(Ok(address)) => Ok(Some(address.to_string())),
        Some(Err(error)) => Err(error.clone().into()),
    }
}

impl<'a, M> IntoFuture for Outbound<'a, M> {
    type Output = Result<(), Error>;
    type IntoFuture = Transmit<'a>;

    fn into_future(self) -> Transmit<'a> {
        Transmit::new((self.prepare)(&self).map(|prepared| Parcel {
            outlet: self.outlet,
            attempt: self.attempt,
            message: prepared.message,
            posted: prepared.posted,
            message_type: prepared.message_type,
            correlation_id: prepared.correlation_id,
            conversation_id: prepared.conversation_id,
            published: matches!(self.target, Target::Publish),
            confirmed: self.options.confirmed || self.attempt.is_none(),
        }))
    }
}

impl<M> fmt::Debug for Outbound<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbound<{}>", std::any::type_name::<M>())
    }
}

/// One of the two media types, shared.
fn media_type_of(name: &'static str) -> Arc<str> {
    static TYPES: LazyLock<[Arc<str>; 2]> = LazyLock::new(|| [CONTENT_TYPE.into(), RAW.into()]);
    TYPES[usize::from(name == RAW)].clone()
}

fn text(id: Uuid) -> Arc<str> {
    (&*id.hyphenated().encode_lower(&mut Uuid::encode_buffer())).into()
}
