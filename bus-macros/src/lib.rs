//! derive(Message) and consumer, the macros of the bus.
