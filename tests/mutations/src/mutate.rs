//! Changes to a payload, at random.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Texts that have broken readers: empty and huge ones, times at the ends of time, ids that are nearly right, formulas,
/// markup, and characters that nobody sees.
const TEXTS: [&str; 30] = [
    "",
    " ",
    "\0",
    "null",
    "-1",
    "9999-12-31T23:59:59Z",
    "-009999-01-02T01:59:59Z",
    "2026-02-30T25:61:61Z",
    "1970-01-01T00:00:00+00:00",
    "000000000000",
    "1234567890123",
    "111111111111",
    "arn:aws:iam::222222222222:root",
    "arn:aws:sqs:us-east-1:111111111111:queue",
    "arn:",
    "us-gov-west-1",
    "ou-ab12-cdef3456",
    "/Workloads/../..",
    "req-0123456789abcdef01234567",
    "car-3fbd74c0f2fa11ed8b6e0a41b5dcf48f",
    "aws.partner/example.com",
    "steward",
    "=HYPERLINK(\"http://example.com\")",
    "<script>alert(1)</script>",
    "a\u{202e}b\u{200b}c\u{feff}",
    "\u{1f4a9}\u{0301}",
    "Root",
    "ENABLED",
    "{\"a\": 1}",
    "[1, 2",
];

/// Names of fields that decide which way a payload goes.
const NAMES: [&str; 18] = [
    "Records",
    "account_id",
    "apply",
    "body",
    "detail",
    "detail-type",
    "eventName",
    "eventSource",
    "mode",
    "reason",
    "request_id",
    "role_name",
    "serviceEventDetails",
    "since",
    "source",
    "task",
    "time",
    "userIdentity",
];

/// Changes one place in a value.
pub(crate) fn value(value: &mut Value, random: &mut Rng) {
    match value {
        Value::Object(fields) if !fields.is_empty() && random.u8(..) < 200 => field(fields, random),
        Value::Array(items) if !items.is_empty() && random.u8(..) < 200 => {
            let at = random.usize(..items.len());
            match random.u8(..8) {
                0 => drop(items.remove(at)),
                1 => items.extend(items.clone()),
                _ => self::value(&mut items[at], random),
            }
        }
        Value::String(old) if random.bool() => text(old, random),
        _ => *value = any(random),
    }
}

fn field(fields: &mut Map<String, Value>, random: &mut Rng) {
    let names: Vec<String> = fields.keys().cloned().collect();
    let name = &names[random.usize(..names.len())];
    match random.u8(..16) {
        0 => drop(fields.remove(name)),
        1 => {
            let moved = fields.remove(name).unwrap_or_default();
            fields.insert(NAMES[random.usize(..NAMES.len())].to_owned(), moved);
        }
        2 => {
            fields.insert(NAMES[random.usize(..NAMES.len())].to_owned(), any(random));
        }
        3 => {
            let copied = fields.get(&names[random.usize(..names.len())]).cloned().unwrap_or_default();
            fields.insert(name.clone(), copied);
        }
        4 => {
            let nested = fields.remove(name).unwrap_or_default();
            fields.insert(name.clone(), json!({ name: nested }));
        }
        _ => fields.get_mut(name).map_or((), |inner| value(inner, random)),
    }
}

/// Changes a text: cut, doubled, or with something else in it.
pub(crate) fn text(text: &mut String, random: &mut Rng) {
    let at = text.char_indices().map(|(at, _)| at).nth(random.usize(..text.len().max(1))).unwrap_or(text.len());
    match random.u8(..6) {
        0 => text.truncate(at),
        1 => drop(text.drain(..at)),
        2 => text.insert_str(at, TEXTS[random.usize(..TEXTS.len())]),
        3 => *text = text.repeat(random.usize(2..200)),
        4 => *text = text.to_uppercase(),
        _ => TEXTS[random.usize(..TEXTS.len())].clone_into(text),
    }
}

fn any(random: &mut Rng) -> Value {
    match random.u8(..9) {
        0 => Value::Null,
        1 => Value::Bool(random.bool()),
        2 => json!(random.i64(..)),
        3 => json!(f64::from_bits(random.u64(..))),
        4 => json!([]),
        5 => json!({}),
        6 => (0..random.usize(1..200)).fold(Value::Null, |inner, _| json!([inner])),
        _ => json!(TEXTS[random.usize(..TEXTS.len())]),
    }
}
