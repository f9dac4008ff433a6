//! The Concise Binary Object Representation (RFC 8949), as far as the SDK speaks it with Amazon CloudWatch: numbers, texts,
//! lists and maps.

use serde_json::{Map, Value};

use super::Answer;

/// What ends a list or a map of no stated length.
const BREAK: u8 = 0xff;

/// An answer in this form.
pub(super) fn answer(body: &Value) -> Answer {
    Answer {
        status: 200,
        content_type: "application/cbor",
        headers: vec![("smithy-protocol", "rpc-v2-cbor".to_owned())],
        body: written(body),
    }
}

/// A value as bytes.
pub(super) fn written(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}

fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(is) => bytes.push(if *is { 0xf5 } else { 0xf4 }),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => head(0, number, bytes),
            (None, Some(number)) => head(1, number.unsigned_abs() - 1, bytes),
            (None, None) => {
                bytes.push(0xfb);
                bytes.extend(number.as_f64().unwrap_or_default().to_be_bytes());
            }
        },
        Value::String(text) => write_text(text, bytes),
        Value::Array(values) => {
            head(4, values.len() as u64, bytes);
            for value in values {
                write(value, bytes);
            }
        }
        Value::Object(fields) => {
            head(5, fields.len() as u64, bytes);
            for (name, value) in fields {
                write_text(name, bytes);
                write(value, bytes);
            }
        }
    }
}

fn write_text(text: &str, bytes: &mut Vec<u8>) {
    head(3, text.len() as u64, bytes);
    bytes.extend(text.bytes());
}

fn head(kind: u8, argument: u64, bytes: &mut Vec<u8>) {
    let kind = kind << 5;
    match u8::try_from(argument) {
        Ok(small) if small < 24 => bytes.push(kind | small),
        _ => {
            bytes.push(kind | 0x1b);
            bytes.extend(argument.to_be_bytes());
        }
    }
}

/// The value that bytes stand for; None where they are no value.
pub(crate) fn read(bytes: &[u8]) -> Option<Value> {
    let mut rest = bytes;
    let value = next(&mut rest)?;
    rest.is_empty().then_some(value)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn next(rest: &mut &[u8]) -> Option<Value> {
    let first = take(rest, 1)?[0];
    let (kind, low) = (first >> 5, first & 0x1f);
    if kind == 7 {
        return Some(match low {
            20 => false.into(),
            21 => true.into(),
            22 | 23 => Value::Null,
            26 => f64::from(f32::from_be_bytes(take(rest, 4)?.try_into().ok()?)).into(),
            27 => f64::from_be_bytes(take(rest, 8)?.try_into().ok()?).into(),
            _ => return None,
        });
    }
    let argument = match low {
        0..24 => Some(u64::from(low)),
        24..28 => {
            let bytes = take(rest, 1 << (low - 24))?;
            Some(bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
        }
        31 => None,
        _ => return None,
    };
    match (kind, argument) {
        (0, Some(number)) => Some(number.into()),
        (1, Some(number)) => Some((-1 - i64::try_from(number).ok()?).into()),
        (3, Some(length)) => {
            let text = take(rest, usize::try_from(length).ok()?)?;
            Some(std::str::from_utf8(text).ok()?.into())
        }
        (3, None) => {
            let mut text = String::new();
            while !ends(rest) {
                text.push_str(next(rest)?.as_str()?);
            }
            Some(text.into())
        }
        (4, length) => {
            let mut values = Vec::new();
            while goes_on(length, values.len(), rest) {
                values.push(next(rest)?);
            }
            Some(values.into())
        }
        (5, length) => {
            let mut fields = Map::new();
            while goes_on(length, fields.len(), rest) {
                let name = next(rest)?.as_str()?.to_owned();
                fields.insert(name, next(rest)?);
            }
            Some(fields.into())
        }
        // A tag says what the value is; here it is a number all the same.
        (6, Some(_)) => next(rest),
        _ => None,
    }
}

fn goes_on(length: Option<u64>, so_far: usize, rest: &mut &[u8]) -> bool {
    match length {
        Some(length) => (so_far as u64) < length,
        None => !ends(rest),
    }
}

fn ends(rest: &mut &[u8]) -> bool {
    let is_end = rest.first() == Some(&BREAK);
    if is_end {
        *rest = &rest[1..];
    }
    is_end
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let value =
            json!({"a": [1, -70_000, 300, 0.5, true, null], "b": {"c": "a text that is longer than 24 letters"}});
        assert_eq!(read(&written(&value)), Some(value));
    }

    #[test]
    fn lists_texts_and_maps_of_no_stated_length_are_read() {
        // RFC 8949, appendix A.
        assert_eq!(read(&[0xbf, 0x61, 0x61, 0x9f, 0x01, 0x18, 0x64, 0xff, 0xff]), Some(json!({"a": [1, 100]})));
        assert_eq!(read(&[0x7f, 0x63, 0x61, 0x62, 0x63, 0x61, 0x64, 0xff]), Some(json!("abcd")));
        assert_eq!(read(&[0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0]), Some(json!(1_363_896_240)));
        assert_eq!((read(&[0x82, 0x01]), read(&[0x01, 0x01]), read(&[])), (None, None, None));
    }
}
