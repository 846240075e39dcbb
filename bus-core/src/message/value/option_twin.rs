/// Adds the module `option` to a helper module: the same form for an `Option`. `option_twin!(Duration)`, or with
/// the bounds of a generic helper `option_twin!(T, write: [Display], read: [FromStr])`.
macro_rules! option_twin {
    ($value:ty) => {
        option_twin!(@ $value, [], []);
    };
    ($value:ident, write: [$($write:tt)+], read: [$($read:tt)+]) => {
        option_twin!(@ $value, [$value: $($write)+,], [$value: $($read)+,]);
    };
    (@ $value:ty, [$($write:tt)*], [$($read:tt)*]) => {
        /// The same for an `Option`: `#[serde(default, with = "…::option")]`. `None` is written as null, as
        /// MassTransit writes it; null and, by `default`, an absent member are read as `None`.
        pub mod option {
            #[allow(unused_imports, reason = "not every module's bounds need imports")]
            use super::*;

            /// Writes the value, or null.
            ///
            /// # Errors
            /// Those of the module around this one.
            pub fn serialize<$($write)* S: serde::Serializer>(
                value: &Option<$value>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                match value {
                    Some(value) => super::serialize(value, serializer),
                    None => serializer.serialize_none(),
                }
            }

            /// Reads the value; null is `None`.
            ///
            /// # Errors
            /// Those of the module around this one.
            pub fn deserialize<'de, $($read)* D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<$value>, D::Error> {
                struct Given<T>(T);
                impl<'de, $($read)*> serde::Deserialize<'de> for Given<$value> {
                    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                        super::deserialize(deserializer).map(Given)
                    }
                }
                let given: Option<Given<$value>> = serde::Deserialize::deserialize(deserializer)?;
                Ok(given.map(|Given(value)| value))
            }
        }
    };
}
