//! The simulated services are held against what nobody here has made up: every request of one [table] is asked of them and
//! of a running local cloud, and botocore reads the answers by the models of the services.
//!
//! Both answers must mean the same: status, error code, every member, and which ids are the same as before. Where they do
//! not, the table says so, and why; a difference that is no longer there fails as well.

mod botocore;
mod row;
mod sides;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use botocore::{Answered, Botocore};
use row::Row;
use sides::{Local, Names, Simulated};

/// Only a hang takes so long: a busy machine may take its time.
const DEADLINE: Duration = Duration::from_mins(2);

/// Members that hold an id, a secret or what else each side makes up for itself.
const MADE_UP: &[&str] = &[
    "ARN",
    "AccessKeyId",
    "AccountId",
    "AssumedRoleId",
    "ETag",
    "EventId",
    "GroupId",
    "PolicyId",
    "Id",
    "MessageId",
    "ReceiptHandle",
    "RoleId",
    "SecretAccessKey",
    "SessionToken",
    "UserId",
    "VersionId",
];
/// Lists in no order.
const UNORDERED: &[&str] = &["Accounts", "CreateAccountStatuses", "Items", "SS", "Tags"];

#[test]
fn simulated_services_answer_as_the_local_cloud_does_and_as_botocore_reads_them() {
    let (mut simulated, mut local) = (Simulated::new(), Local::start());
    let mut botocore = Botocore::start(&local.endpoint);
    let (mut simulated_ids, mut local_ids) = (Ids::default(), Ids::default());
    let (mut wrong, mut everywhere) = (Vec::new(), BTreeSet::new());
    for row in table::table() {
        let name = format!("{} {} ({})", row.service, row.operation, row.says);
        simulated.read_mail();
        let mut names = std::mem::take(&mut simulated.names);
        let ours = settled(&row, &mut names, "simulated", |question| {
            simulated.rest();
            botocore.ask(question, |request| simulated.carry(request))
        });
        simulated.names = names;
        wrong.extend(ours.unlike.iter().map(|unlike| format!("{name}: {unlike}")));
        let code = &ours.answer["code"];
        if code.as_str() != row.refused {
            wrong.push(format!("{name}: {}", ours.answer));
        }
        local.read_mail();
        let mut names = std::mem::take(&mut local.names);
        let theirs = settled(&row, &mut names, "local", |question| {
            local.rest();
            botocore.ask(question, |_| unreachable!("the local cloud is asked over the network"))
        });
        local.names = names;
        let ours = simulated_ids.named(ours.answer, &simulated.names);
        let theirs = local_ids.named(theirs.answer, &local.names);
        let mut differences = BTreeSet::new();
        compare("", &ours, &theirs, &mut differences);
        let operation = format!("{}:{}", row.service, row.operation);
        let is_everywhere =
            |path: &String| table::EVERYWHERE.iter().any(|(of, everywhere, _)| *of == operation && everywhere == path);
        let (ignored, differences): (BTreeSet<_>, _) = differences.into_iter().partition(is_everywhere);
        everywhere.extend(ignored.into_iter().map(|path| (operation.clone(), path)));
        let known: BTreeSet<String> = row.differs.iter().map(|(path, _)| (*path).to_owned()).collect();
        if differences != known {
            wrong.push(format!(
                "{name}: differs at {differences:?}, known is {known:?}\n  simulated: {ours}\n  local:     {theirs}"
            ));
        }
    }
    for (operation, path, _) in table::EVERYWHERE {
        if !everywhere.contains(&((*operation).to_owned(), (*path).to_owned())) {
            wrong.push(format!("{operation}: nothing differs any more at {path}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asks a row of one side, again while what it is about is under way, and keeps what it names.
fn settled(row: &Row, names: &mut Names, side: &str, mut ask: impl FnMut(&Value) -> Answered) -> Answered {
    let question = json!({"side": side, "service": row.service, "operation": row.operation,
        "parameters": filled(&row.parameters, names), "keys": names[row.by]});
    let begun = Instant::now();
    let answered = loop {
        let answered = ask(&question);
        let is_settled =
            row.settles.is_none_or(|(pointer, text)| answered.answer.pointer(pointer) == Some(&text.into()));
        if is_settled {
            break answered;
        }
        assert!(begun.elapsed() < DEADLINE, "{}: {}", row.says, answered.answer);
    };
    for (name, pointer) in &row.keeps {
        names.insert(name, answered.answer.pointer(pointer).cloned().unwrap_or_default());
    }
    answered
}

/// Parameters with what this side calls things.
fn filled(parameters: &Value, names: &Names) -> Value {
    match parameters {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), filled(value, names))).collect(),
        Value::Array(values) => values.iter().map(|value| filled(value, names)).collect(),
        Value::String(text) => text.strip_prefix('$').map_or_else(|| text.as_str().into(), |name| names[name].clone()),
        plain => plain.clone(),
    }
}

/// The ids that a side has made up, by what they are called here.
#[derive(Default)]
struct Ids(BTreeMap<String, String>);

impl Ids {
    /// An answer with what both sides call its ids: that one is the same as before can be seen, and which it is cannot.
    fn named(&mut self, answer: Value, names: &Names) -> Value {
        for (name, value) in names {
            if let Some(id) = value.as_str().filter(|id| id.len() > 3) {
                self.0.entry(id.to_owned()).or_insert_with(|| format!("<{name}>"));
            }
        }
        self.find("", &answer);
        self.renamed("", answer)
    }

    fn find(&mut self, name: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter().collect::<BTreeMap<_, _>>() {
                    self.find(name, value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.find(name, value)),
            Value::String(id) if MADE_UP.contains(&name) && !self.0.contains_key(id) => {
                let number = self.0.values().filter(|known| known.starts_with(&format!("<{name} "))).count() + 1;
                self.0.insert(id.clone(), format!("<{name} {number}>"));
            }
            _ => {}
        }
    }

    fn renamed(&self, name: &str, value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| {
                    let value = self.renamed(&name, value);
                    (name, value)
                });
                Value::Object(fields.collect::<Map<_, _>>())
            }
            Value::Array(values) => {
                let mut values: Vec<Value> = values.into_iter().map(|value| self.renamed(name, value)).collect();
                if UNORDERED.contains(&name) {
                    values.sort_by_key(Value::to_string);
                }
                values.into()
            }
            Value::String(text) if name == "SentTimestamp" => {
                text.parse::<u64>().map_or(text, |_| "a time".to_owned()).into()
            }
            Value::String(text) => {
                // Longer ones first: an ARN may hold an id.
                let mut ids: Vec<_> = self.0.iter().collect();
                ids.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
                ids.into_iter().fold(text, |text, (id, name)| text.replace(id, name)).into()
            }
            plain => plain,
        }
    }
}

/// Where two answers differ.
fn compare(path: &str, ours: &Value, theirs: &Value, differences: &mut BTreeSet<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for name in ours.keys().chain(theirs.keys()) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (ours.get(name), theirs.get(name)) {
                    (Some(ours), Some(theirs)) => compare(&path, ours, theirs, differences),
                    _ => drop(differences.insert(path)),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (ours, theirs) in ours.iter().zip(theirs) {
                compare(&format!("{path}[]"), ours, theirs, differences);
            }
        }
        _ if ours == theirs => {}
        _ => drop(differences.insert(path.to_owned())),
    }
}
