//! The behaviours that every transport of the bus must show.
