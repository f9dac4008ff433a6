//! Conditions and updates of DynamoDB (developer guide, "Condition and filter expressions", "Update expressions"): what
//! this stack uses of them. Anything else is a panic.

use std::{borrow::Cow, cmp::Ordering};

use serde_json::{Map, Value, json};

type Item = Map<String, Value>;

/// A condition, read once for however many items it is asked of.
#[derive(Debug)]
pub(crate) enum Condition<'a> {
    Either(Vec<Self>),
    Both(Vec<Self>),
    Not(Box<Self>),
    IsThere(Operand<'a>, bool),
    Contains(Operand<'a>, Operand<'a>),
    BeginsWith(Operand<'a>, Operand<'a>),
    Compared(Operand<'a>, &'a str, Operand<'a>),
}

/// What a condition speaks of.
#[derive(Debug)]
pub(crate) enum Operand<'a> {
    Size(Box<Self>),
    Value(&'a Value),
    /// An attribute, and the way into the maps in it.
    Attribute(Vec<&'a str>),
}

struct Parser<'a> {
    words: Vec<&'a str>,
    at: usize,
    names: &'a Value,
    values: &'a Value,
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

impl<'a> Condition<'a> {
    /// Reads a condition with the names and values that it refers to.
    pub(crate) fn read(text: &'a str, names: &'a Value, values: &'a Value) -> Self {
        let mut parser = Parser { words: words(text), at: 0, names, values };
        let condition = parser.either();
        assert_eq!(parser.at, parser.words.len(), "the condition {text:?} is not simulated");
        condition
    }

    /// Whether it holds of an item.
    pub(crate) fn holds(&self, item: Option<&Item>) -> bool {
        match self {
            Self::Either(parts) => parts.iter().any(|part| part.holds(item)),
            Self::Both(parts) => parts.iter().all(|part| part.holds(item)),
            Self::Not(part) => !part.holds(item),
            Self::IsThere(operand, wanted) => operand.of(item).is_some() == *wanted,
            Self::Contains(whole, part) => {
                let (Some(whole), Some(part)) = (whole.of(item), part.of(item)) else { return false };
                let part = part["S"].as_str().unwrap_or_default();
                match (whole["SS"].as_array(), whole["S"].as_str()) {
                    (Some(members), _) => members.iter().any(|member| member == part),
                    (None, whole) => whole.is_some_and(|whole| whole.contains(part)),
                }
            }
            Self::BeginsWith(whole, part) => {
                let (Some(whole), Some(part)) = (whole.of(item), part.of(item)) else { return false };
                let part = part["S"].as_str().unwrap_or_default();
                whole["S"].as_str().is_some_and(|whole| whole.starts_with(part))
            }
            Self::Compared(left, operator, right) => {
                let (Some(left), Some(right)) = (left.of(item), right.of(item)) else { return false };
                let Some(order) = compared(&left, &right) else { return *operator == "<>" };
                match *operator {
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
}

impl Operand<'_> {
    fn of<'b>(&'b self, item: Option<&'b Item>) -> Option<Cow<'b, Value>> {
        match self {
            Self::Size(of) => {
                let of = of.of(item)?;
                let size = of["SS"].as_array().map(Vec::len).or(of["S"].as_str().map(str::len));
                Some(Cow::Owned(json!({"N": size.expect("a size that is simulated").to_string()})))
            }
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Attribute(way) => {
                let (first, rest) = way.split_first()?;
                let found = item?.get(*first)?;
                rest.iter().try_fold(found, |found, part| found["M"].get(*part)).map(Cow::Borrowed)
            }
        }
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a str {
        self.words.get(self.at).copied().unwrap_or_default()
    }

    fn next(&mut self) -> &'a str {
        let word = self.peek();
        self.at += 1;
        word
    }

    fn expect(&mut self, word: &str) {
        let found = self.next();
        assert_eq!(found, word, "a condition that is not simulated");
    }

    /// Parts with a word between them.
    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Condition<'a>,
        join: fn(Vec<Condition<'a>>) -> Condition<'a>,
    ) -> Condition<'a> {
        let first = part(self);
        if self.peek() != word {
            return first;
        }
        let mut parts = vec![first];
        while self.peek() == word {
            self.at += 1;
            parts.push(part(self));
        }
        join(parts)
    }

    fn either(&mut self) -> Condition<'a> {
        self.joined("OR", Self::both, Condition::Either)
    }

    fn both(&mut self) -> Condition<'a> {
        self.joined("AND", Self::one, Condition::Both)
    }

    fn one(&mut self) -> Condition<'a> {
        match self.peek() {
            "NOT" => {
                self.at += 1;
                Condition::Not(Box::new(self.one()))
            }
            "(" => {
                self.at += 1;
                let inner = self.either();
                self.expect(")");
                inner
            }
            "attribute_exists" | "attribute_not_exists" => {
                let wants = self.next() == "attribute_exists";
                self.expect("(");
                let operand = self.operand();
                self.expect(")");
                Condition::IsThere(operand, wants)
            }
            "contains" | "begins_with" => {
                let function = self.next();
                self.expect("(");
                let whole = self.operand();
                self.expect(",");
                let part = self.operand();
                self.expect(")");
                let of = if function == "contains" { Condition::Contains } else { Condition::BeginsWith };
                of(whole, part)
            }
            _ => {
                let left = self.operand();
                let operator = self.next();
                Condition::Compared(left, operator, self.operand())
            }
        }
    }

    fn operand(&mut self) -> Operand<'a> {
        let word = self.next();
        if word == "size" {
            self.expect("(");
            let of = self.operand();
            self.expect(")");
            return Operand::Size(Box::new(of));
        }
        if word.starts_with(':') {
            let value = &self.values[word];
            assert!(!value.is_null(), "the condition names {word}, which has no value");
            return Operand::Value(value);
        }
        let name = if word.starts_with('#') { self.names[word].as_str().expect("a name") } else { word };
        Operand::Attribute(name.split('.').collect())
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
        let holds = |condition| Condition::read(condition, &Value::Null, &values).holds(Some(&item()));
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
