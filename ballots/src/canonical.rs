//! Canonical JSON: what is hashed and signed has one spelling. Keys sorted, no spaces, integers only, UTF-8.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Hex;

/// Bytes that are not the canonical spelling of what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not canonical JSON of the expected form")]
pub struct NotCanonical;

/// The canonical spelling.
///
/// # Panics
/// When a type of this crate held something that JSON cannot: none does.
pub fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    let value = serde_json::to_value(value).expect("the formats of this crate are plain data");
    let mut bytes = Vec::new();
    write(&value, &mut bytes);
    bytes
}

/// SHA-256 of the canonical spelling.
pub fn canonical_hash<T: Serialize>(value: &T) -> Hex<32> {
    sha256(&[&canonical(value)])
}

/// Reads a value whose bytes are exactly its canonical spelling: unknown fields, repeated keys, other orders, spaces and
/// fractions are all refused.
///
/// # Errors
/// When the bytes are anything else.
pub fn parse_canonical<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, NotCanonical> {
    let value: T = serde_json::from_slice(bytes).map_err(|_| NotCanonical)?;
    if canonical(&value) == bytes { Ok(value) } else { Err(NotCanonical) }
}

/// SHA-256 over the parts, one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Hex<32> {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hex(hasher.finalize().into())
}

fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            bytes.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                write(item, bytes);
            }
            bytes.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| key.as_str());
            bytes.push(b'{');
            for (index, (key, field)) in fields.into_iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                write(&Value::String(key.clone()), bytes);
                bytes.push(b':');
                write(field, bytes);
            }
            bytes.push(b'}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            bytes.extend_from_slice(value.to_string().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::*;

    #[test]
    fn keys_are_sorted_and_nothing_is_spaced() {
        let value: Value = serde_json::from_str(r#"{ "b": [1, {"d": 2, "c": "好\n"}], "a": null }"#).unwrap();
        assert_eq!(String::from_utf8(canonical(&value)).unwrap(), r#"{"a":null,"b":[1,{"c":"好\n","d":2}]}"#);
    }

    #[rstest]
    #[case::spaced(r#"{"q1": 1}"#)]
    #[case::unsorted(r#"{"q2":1,"q1":1}"#)]
    #[case::repeated(r#"{"q1":1,"q1":1}"#)]
    #[case::fraction(r#"{"q1":1.0}"#)]
    #[case::negative(r#"{"q1":-0}"#)]
    #[case::trailing("{\"q1\":1}\n")]
    #[case::escaped(r#"{"\u00711":1}"#)]
    #[case::empty("")]
    fn another_spelling_is_refused(#[case] text: &str) {
        assert_eq!(parse_canonical::<BTreeMap<String, u8>>(text.as_bytes()), Err(NotCanonical));
        assert!(parse_canonical::<BTreeMap<String, u8>>(br#"{"q1":1,"q2":1}"#).is_ok());
    }
}
