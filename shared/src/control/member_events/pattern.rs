//! Whether one event pattern hears everything that another one hears. Pure.
//!
//! A pattern is taken apart into alternatives, of which each says which values some fields of an event may have. One that
//! asks for less is one that hears more. What cannot be judged counts as no: a pattern that hears as much in a way that
//! this does not see is drift, and never the other way round.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The most alternatives that a pattern is taken apart into; EventBridge takes no more (Amazon EventBridge user guide,
/// "Complex example with multiple matching filters").
const MOST: usize = 1000;

/// Values by the path of their field.
type Alternative = BTreeMap<Vec<String>, Vec<Value>>;

/// Whether every event that `wanted` hears is heard by `found` as well.
pub(super) fn covers(found: &Value, wanted: &Value) -> bool {
    let (Some(found), Some(wanted)) = (alternatives(found), alternatives(wanted)) else { return false };
    wanted.iter().all(|wanted| found.iter().any(|found| asks_for_no_more(found, wanted)))
}

fn asks_for_no_more(found: &Alternative, wanted: &Alternative) -> bool {
    found.iter().all(|(path, values)| {
        let wanted = wanted.get(path).map(Vec::as_slice).unwrap_or_default();
        !wanted.is_empty() && wanted.iter().all(|wanted| values.iter().any(|value| takes(value, wanted)))
    })
}

/// Whether a matcher takes every value that another one takes.
fn takes(matcher: &Value, wanted: &Value) -> bool {
    let is_prefix = |prefix: &str| {
        let wanted = wanted.as_str().or_else(|| only_prefix(wanted));
        wanted.is_some_and(|wanted| wanted.starts_with(prefix))
    };
    matcher == wanted || only_prefix(matcher).is_some_and(is_prefix)
}

fn only_prefix(matcher: &Value) -> Option<&str> {
    matcher.as_object().filter(|members| members.len() == 1)?.get("prefix")?.as_str()
}

/// None where the pattern is no object, asks twice for the same field, or has too many alternatives.
fn alternatives(pattern: &Value) -> Option<Vec<Alternative>> {
    below(pattern.as_object()?, &[])
}

fn below(fields: &Map<String, Value>, path: &[String]) -> Option<Vec<Alternative>> {
    let mut all = vec![Alternative::new()];
    for (name, value) in fields {
        let ways = match (name.as_str(), value) {
            ("$or", Value::Array(ways)) if is_choice(ways) => {
                let mut found = Vec::new();
                for way in ways {
                    found.extend(below(way.as_object()?, path)?);
                }
                found
            }
            (_, Value::Object(inner)) => below(inner, &[path, std::slice::from_ref(name)].concat())?,
            (_, Value::Array(values)) => {
                let path = [path, std::slice::from_ref(name)].concat();
                vec![Alternative::from([(path, values.clone())])]
            }
            _ => return None,
        };
        if all.len().saturating_mul(ways.len()) > MOST {
            return None;
        }
        all = all.iter().flat_map(|one| ways.iter().map(move |way| both(one, way))).collect::<Option<_>>()?;
    }
    Some(all)
}

/// EventBridge takes `$or` for the name of a field unless it has two objects or more.
fn is_choice(ways: &[Value]) -> bool {
    ways.len() >= 2 && ways.iter().all(Value::is_object)
}

fn both(one: &Alternative, other: &Alternative) -> Option<Alternative> {
    let asks_twice = other.keys().any(|path| one.contains_key(path));
    (!asks_twice).then(|| one.iter().chain(other).map(|(path, values)| (path.clone(), values.clone())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pattern_that_asks_for_less_matches_more() {
        let wanted = json!({"source": ["aws.sts"], "detail": {"eventName": ["AssumeRoot"]}});
        for (found, covered) in [
            (wanted.clone(), true),
            (json!({"source": ["aws.sts"]}), true),
            (json!({"source": ["aws.iam", "aws.sts"]}), true),
            (json!({"source": [{"prefix": "aws."}]}), true),
            (json!({"detail": {"eventName": ["AssumeRole", "AssumeRoot"]}}), true),
            (json!({"$or": [{"source": ["aws.s3"]}, {"detail": {"eventName": ["AssumeRoot"]}}]}), true),
            (json!({"source": ["aws.iam"]}), false),
            (json!({"source": [{"prefix": "aws.i"}]}), false),
            (json!({"source": [{"prefix": "aws.", "suffix": "x"}]}), false),
            (json!({"source": [{"anything-but": ["aws.sts"]}]}), false),
            (json!({"source": ["aws.sts"], "region": ["eu-central-1"]}), false),
            (
                json!({"source": ["aws.sts"], "detail": {"eventName": ["AssumeRoot"], "errorCode": [{"exists": true}]}}),
                false,
            ),
            (json!({"source": []}), false),
            (json!({"$or": [{"source": ["aws.s3"]}, {"source": ["aws.iam"]}]}), false),
            // A field of this name, and no choice.
            (json!({"$or": [{"source": ["aws.sts"]}]}), false),
            (json!("aws.sts"), false),
            (json!({"source": "aws.sts"}), false),
        ] {
            assert_eq!(covers(&found, &wanted), covered, "{found}");
        }
    }

    #[test]
    fn every_alternative_has_to_be_matched() {
        let wanted = json!({"source": [{"prefix": "aws."}], "$or": [
            {"detail": {"eventSource": ["iam.amazonaws.com"]}},
            {"detail": {"userIdentity": {"type": ["Root"]}, "readOnly": [false]}},
        ]});
        assert!(covers(&wanted, &wanted));
        let mut turned = wanted.clone();
        turned["$or"].as_array_mut().unwrap().reverse();
        assert!(covers(&turned, &wanted));
        let mut more = wanted.clone();
        more["$or"].as_array_mut().unwrap().push(json!({"detail-type": ["x"]}));
        assert!(covers(&more, &wanted) && !covers(&wanted, &more));
        let one = json!({"source": [{"prefix": "aws."}], "detail": {"userIdentity": {"type": ["Root"]}}});
        assert!(!covers(&one, &wanted));
        let asks_for_more = json!({"source": [{"prefix": "aws."}], "$or": [
            {"detail": {"eventSource": ["iam.amazonaws.com"]}},
            {"detail": {"userIdentity": {"type": ["Root"]}, "readOnly": [true]}},
        ]});
        assert!(!covers(&asks_for_more, &wanted));
    }

    #[test]
    fn a_pattern_with_too_many_alternatives_or_one_field_named_twice_is_not_judged() {
        let wanted = json!({"source": ["aws.sts"]});
        let mut field = json!({"source": ["aws.sts"]});
        for depth in 0..11 {
            field = json!({"$or": [{format!("a{depth}"): ["1"]}, {format!("b{depth}"): ["1"]}], "x": field});
        }
        assert!(!covers(&field, &wanted));
        assert!(!covers(&json!({"source": ["aws.sts"], "$or": [{"source": ["aws.sts"]}, {"source": ["b"]}]}), &wanted));
    }
}
