//! The way out: from a message and an address to an envelope in the transport's hands.

mod header;
mod headers;
mod outbound;
mod outlet;
mod transmit;

pub use header::Header;
pub(crate) use headers::{inherited_headers, transport_headers};
pub use outbound::Outbound;
pub(crate) use outlet::Outlet;
pub use transmit::Transmit;

use crate::address::{Address, AddressError};

/// What names a receiver: an [`Address`], or its text such as `queue:orders`. A text that is none is an error of the
/// call that it is given to, or of `build()`.
pub trait IntoAddress {
    /// The address.
    ///
    /// # Errors
    /// [`AddressError`] if the text is none.
    fn into_address(self) -> Result<Address, AddressError>;
}

impl IntoAddress for Address {
    fn into_address(self) -> Result<Address, AddressError> {
        Ok(self)
    }
}

impl IntoAddress for &Address {
    fn into_address(self) -> Result<Address, AddressError> {
        Ok(self.clone())
    }
}

impl IntoAddress for &str {
    fn into_address(self) -> Result<Address, AddressError> {
        self.parse()
    }
}

impl IntoAddress for &String {
    fn into_address(self) -> Result<Address, AddressError> {
        self.parse()
    }
}

impl IntoAddress for String {
    fn into_address(self) -> Result<Address, AddressError> {
        self.parse()
    }
}
