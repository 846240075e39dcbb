//! C# `byte[]`: base64 text, for `Vec<u8>` and whatever else is made of bytes (`bytes::Bytes`, `Box<[u8]>`).
//!
//! ```
//! use bus_core::message::value;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Attachment {
//!     #[serde(with = "value::bytes")]
//!     content: Vec<u8>,
//!     #[serde(default, with = "value::bytes::option")]
//!     signature: Option<Vec<u8>>,
//! }
//!
//! let attachment: Attachment = serde_json::from_str(r#"{"content":"AAEC+v8="}"#)?;
//! assert_eq!(attachment.content, [0, 1, 2, 250, 255]);
//! assert_eq!(serde_json::to_string(&attachment)?, r#"{"content":"AAEC+v8=","signature":null}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

use base64::{
    Engine as _, alphabet,
    display::Base64Display,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserializer, Serializer};

use super::text;

/// Reading does not care about bits beyond the last byte: not every writer leaves them zero.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// Writes base64 of the standard alphabet, with padding.
///
/// # Errors
/// The serializer's own.
pub fn serialize<T: AsRef<[u8]>, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Base64Display::new(value.as_ref(), &BASE64))
}

/// Reads base64.
///
/// # Errors
/// The URL alphabet, missing padding, anything that is not base64; JSON that is no text, such as a list of numbers.
pub fn deserialize<'de, T: From<Vec<u8>>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    text::deserialize(deserializer, "byte array", |text| {
        BASE64.decode(text).map(T::from).map_err(|_| "it is not base64 with padding")
    })
}

option_twin!(T, write: [AsRef<[u8]>], read: [From<Vec<u8>>]);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<u8>, String> {
        deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|error| error.to_string())
    }

    #[test]
    fn bytes_are_base64() {
        for (text, bytes) in
            [("", &[][..]), ("AA==", &[0]), ("+/8=", &[0xFB, 0xFF]), ("AAEC+v8=", &[0, 1, 2, 250, 255])]
        {
            assert_eq!(read(&format!("\"{text}\"")).as_deref(), Ok(bytes));
            assert_eq!(serialize(&bytes, serde_json::value::Serializer).unwrap(), text);
        }
        assert_eq!(read(r#""AB==""#).as_deref(), Ok(&[0][..]), "bits beyond the last byte");
        assert_eq!(read(r#""AAEC\u002Bv8=""#).as_deref(), Ok(&[0, 1, 2, 250, 255][..]), "escaped");
    }

    #[test]
    fn what_is_not_base64_says_so() {
        for text in ["AAEC-v8", "AAEC+v8", "AAEC-v8=", "A", "AAEC+v8= "] {
            let error = read(&format!("\"{text}\"")).unwrap_err();
            assert!(
                error.starts_with(&format!("invalid byte array `{text}`: it is not base64 with padding")),
                "{error}"
            );
        }
        assert!(read("[0,1,2]").unwrap_err().starts_with("invalid type: sequence, expected a byte array as text"));
    }
}
