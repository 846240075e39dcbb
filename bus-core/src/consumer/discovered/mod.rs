//! What `#[consumer(auto)]` writes, and `.discover()` reads.

#[cfg(feature = "discover")]
mod found;

#[cfg(feature = "discover")]
pub use found::{Discovered, Known, Made, Refused, inventory};

pub use crate::__discovered as discovered;

/// Registers a consumer, or says what is missing for it.
#[cfg(feature = "discover")]
#[doc(hidden)]
#[macro_export]
macro_rules! __discovered {
    ($consumer:expr, {$($named:tt)*}, $without_feature:literal) => {
        $crate::consumer::inventory::submit! {
            $crate::consumer::Discovered::new(|| {
                use $crate::consumer::{Known as _, Refused as _};
                $crate::consumer::Made($consumer).found() $($named)*
            })
        }
    };
}

/// Registers a consumer, or says what is missing for it.
#[cfg(not(feature = "discover"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __discovered {
    ($consumer:expr, {$($named:tt)*}, $without_feature:literal) => {
        ::core::compile_error!($without_feature);
    };
}
