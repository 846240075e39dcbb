//! Everything of the bus that knows no broker.
