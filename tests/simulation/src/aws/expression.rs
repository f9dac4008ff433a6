//! Conditions and updates of DynamoDB (developer guide, "Condition and filter expressions", "Update expressions"): what
//! this stack uses of them. Anything else is a panic.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

type Item = Map<String, Value>;

struct Parser<'a> {
    words: Vec<&'a str>,
    at: usize,
    item: Option<&'a Item>,
    names: &'a Value,
    values: &'a Value,
}

/// Whether a condition holds of an item.
pub(crate) fn holds(condition: &str, item: Option<&Item>, names: &Value, values: &Value) -> bool {
    let mut parser = Parser { words: words(condition), at: 0, item, names, values };
    let holds = parser.either();
    assert_eq!(parser.at, parser.words.len(), "the condition {condition:?} is not simulated");
    holds
}

/// Changes an item as an update expression says.
pub(crate) fn update(expression: &str, item: &mut Item, values: &Value) {
    let words = words(expression);
    let mut mode = "";
    let mut at = 0;
    while at < words.len() {
        match words[at] {
            word @ ("SET" | "ADD" | "DELETE" | "REMOVE") => {
                mode = word;
                at += 1;
            }
            "," => at += 1,
            name if mode == "SET" => {
                assert_eq!(words.get(at + 1), Some(&"="), "the update {expression:?} is not simulated");
                item.insert(name.to_owned(), values[words[at + 2]].clone());
                at += 3;
            }
            name if mode == "REMOVE" => {
                item.remove(name);
                at += 1;
            }
            name => {
                let value = &values[words[at + 1]];
                let old = item.remove(name);
                if let Some(new) =
                    if mode == "ADD" { Some(added(old.as_ref(), value)) } else { without(old.as_ref(), value) }
                {
                    item.insert(name.to_owned(), new);
                }
                at += 2;
            }
        }
    }
}

fn added(old: Option<&Value>, value: &Value) -> Value {
    if value["N"].is_string() {
        let sum = old.map_or(0, number) + number(value);
        return json!({"N": sum.to_string()});
    }
    let mut members: Vec<Value> = old.and_then(|old| old["SS"].as_array().cloned()).unwrap_or_default();
    for member in value["SS"].as_array().expect("a set of strings") {
        if !members.contains(member) {
            members.push(member.clone());
        }
    }
    json!({"SS": members})
}

fn without(old: Option<&Value>, value: &Value) -> Option<Value> {
    let gone = value["SS"].as_array().expect("a set of strings");
    let left: Vec<Value> = old?["SS"].as_array()?.iter().filter(|member| !gone.contains(member)).cloned().collect();
    (!left.is_empty()).then(|| json!({"SS": left}))
}

fn number(value: &Value) -> i128 {
    value["N"].as_str().and_then(|text| text.parse().ok()).expect("a whole number")
}

fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '#' | '.');
        let length = match rest.find(|c| !is_part(c)) {
            Some(0) if ["<=", ">=", "<>"].iter().any(|two| rest.starts_with(two)) => 2,
            Some(0) => 1,
            Some(length) => length,
            None => rest.len(),
        };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words
}

impl Parser<'_> {
    fn peek(&self) -> &str {
        self.words.get(self.at).copied().unwrap_or_default()
    }

    fn next(&mut self) -> String {
        let word = self.peek().to_owned();
        self.at += 1;
        word
    }

    fn expect(&mut self, word: &str) {
        let found = self.next();
        assert_eq!(found, word, "a condition that is not simulated");
    }

    fn either(&mut self) -> bool {
        let mut holds = self.both();
        while self.peek() == "OR" {
            self.at += 1;
            holds |= self.both();
        }
        holds
    }

    fn both(&mut self) -> bool {
        let mut holds = self.one();
        while self.peek() == "AND" {
            self.at += 1;
            holds &= self.one();
        }
        holds
    }

    fn one(&mut self) -> bool {
        match self.peek() {
            "NOT" => {
                self.at += 1;
                !self.one()
            }
            "(" => {
                self.at += 1;
                let holds = self.either();
                self.expect(")");
                holds
            }
            "attribute_exists" | "attribute_not_exists" => {
                let wants = self.next() == "attribute_exists";
                self.expect("(");
                let is_there = self.operand().is_some();
                self.expect(")");
                is_there == wants
            }
            "contains" | "begins_with" => {
                let function = self.next();
                self.expect("(");
                let whole = self.operand();
                self.expect(",");
                let part = self.operand();
                self.expect(")");
                let (Some(whole), Some(part)) = (whole, part) else { return false };
                let text = part["S"].as_str().unwrap_or_default();
                match (function.as_str(), whole["SS"].as_array(), whole["S"].as_str()) {
                    ("contains", Some(members), _) => members.iter().any(|member| member == text),
                    ("contains", _, Some(whole)) => whole.contains(text),
                    (_, _, Some(whole)) => whole.starts_with(text),
                    _ => false,
                }
            }
            _ => {
                let left = self.operand();
                let operator = self.next();
                let right = self.operand();
                let (Some(left), Some(right)) = (left, right) else { return false };
                let Some(order) = compared(&left, &right) else { return operator == "<>" };
                match operator.as_str() {
                    "=" => order == Ordering::Equal,
                    "<>" => order != Ordering::Equal,
                    "<" => order == Ordering::Less,
                    "<=" => order != Ordering::Greater,
                    ">" => order == Ordering::Greater,
                    ">=" => order != Ordering::Less,
                    other => panic!("the operator {other:?} of conditions is not simulated"),
                }
            }
        }
    }

    fn operand(&mut self) -> Option<Value> {
        let word = self.next();
        if word == "size" {
            self.expect("(");
            let of = self.operand();
            self.expect(")");
            let of = of?;
            let size = of["SS"].as_array().map(Vec::len).or(of["S"].as_str().map(str::len));
            return Some(json!({"N": size.expect("a size that is simulated").to_string()}));
        }
        if word.starts_with(':') {
            let value = &self.values[word.as_str()];
            assert!(!value.is_null(), "the condition names {word}, which has no value");
            return Some(value.clone());
        }
        let name = if word.starts_with('#') { self.names[word.as_str()].as_str().expect("a name") } else { &word };
        let mut parts = name.split('.');
        let mut found = self.item?.get(parts.next()?)?;
        for part in parts {
            found = found["M"].get(part)?;
        }
        Some(found.clone())
    }
}

fn compared(left: &Value, right: &Value) -> Option<Ordering> {
    if left["N"].is_string() && right["N"].is_string() {
        return Some(number(left).cmp(&number(right)));
    }
    if let (Some(left), Some(right)) = (left["S"].as_str(), right["S"].as_str()) {
        return Some(left.cmp(right));
    }
    (left == right).then_some(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        let item = json!({"completed": {"BOOL": false}, "claimed_at": {"N": "10"}, "holders": {"SS": ["a", "b"]}});
        item.as_object().expect("an object").clone()
    }

    #[test]
    fn conditions_are_judged_as_dynamodb_judges_them() {
        let values = json!({":no": {"BOOL": false}, ":t": {"N": "11"}, ":id": {"S": "b"}, ":two": {"N": "2"}});
        let holds = |condition| holds(condition, Some(&item()), &Value::Null, &values);
        assert!(holds("attribute_not_exists(pk) OR (completed = :no AND claimed_at < :t)"));
        assert!(holds("attribute_not_exists(holders) OR size(holders) < :two OR contains(holders, :id)"));
        assert!(!holds("size(holders) < :two"));
        assert!(!holds("missing < :t"));
    }

    #[test]
    fn sets_and_counts_are_updated() {
        let mut changed = item();
        let values = json!({":one": {"N": "1"}, ":e": {"N": "7"}, ":a": {"SS": ["a"]}, ":b": {"SS": ["b"]}});
        update("ADD admitted :one SET expires_at = :e", &mut changed, &values);
        update("DELETE holders :a", &mut changed, &values);
        assert_eq!(changed["admitted"], json!({"N": "1"}));
        assert_eq!(changed["holders"], json!({"SS": ["b"]}));
        update("DELETE holders :b", &mut changed, &values);
        assert!(!changed.contains_key("holders"));
    }
}
