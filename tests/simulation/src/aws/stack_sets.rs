//! AWS CloudFormation: two stack sets of the management account, as far as accounts are taken out of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Answer, Refusal, unknown};
use crate::{
    call::Call,
    cloud::{Principal, State},
    template::LEFT_STACK_SET,
    time,
};

/// The stack set that people take accounts out of.
pub(crate) const OF_PEOPLE: &str = "of-people";

/// How long an operation takes.
const WORK: SignedDuration = SignedDuration::from_mins(1);

/// What an account has of a stack set.
#[derive(Clone, Debug, Default)]
struct Instance {
    /// The last operation on it, which takes the account out.
    operation: Option<String>,
}

/// A stack set.
#[derive(Clone, Debug, Default)]
struct Set {
    /// By account, each in one region.
    instances: BTreeMap<String, Instance>,
    /// The ids of operations, and when each ends.
    operations: BTreeMap<String, Timestamp>,
}

/// The stack sets, by name.
#[derive(Debug, Default)]
pub(crate) struct StackSets(BTreeMap<String, Set>);

impl StackSets {
    /// Puts an account into a stack set.
    pub(crate) fn add(&mut self, name: &str, account: &str) {
        self.0.entry(name.to_owned()).or_default().instances.insert(account.to_owned(), Instance::default());
    }

    /// Whether an account is in a stack set.
    pub(crate) fn holds(&self, name: &str, account: &str) -> bool {
        self.0.get(name).is_some_and(|set| set.instances.contains_key(account))
    }

    /// People take every account out of their stack set.
    pub(crate) fn leave_to_people(&mut self) {
        if let Some(set) = self.0.get_mut(OF_PEOPLE) {
            set.instances.clear();
        }
    }

    /// Ends what is over by now.
    fn advance(&mut self) {
        let now = time::now();
        for set in self.0.values_mut() {
            let Set { instances, operations } = set;
            let is_over = |id: &String| operations.get(id).is_some_and(|ends| *ends <= now);
            instances.retain(|_, instance| !instance.operation.as_ref().is_some_and(is_over));
        }
    }
}

/// Puts accounts into stack sets: some into that which Steward takes them out of, few into that of people.
pub(crate) fn furnish(state: &mut State, account: &str) {
    if state.draws.happens("in a stack set", 20) {
        state.stack_sets.add(LEFT_STACK_SET, account);
    }
    if state.draws.happens("in a stack set of people", 6) {
        state.stack_sets.add(OF_PEOPLE, account);
    }
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    state.stack_sets.advance();
    let name = call.text("StackSetName").to_owned();
    let missing = || Refusal::new(404, "StackSetNotFoundException", format!("StackSet {name} not found"));
    let sets = &mut state.stack_sets.0;
    let result = match call.operation.as_str() {
        "ListStackSets" => {
            let rows = sets.keys().map(|name| {
                format!(
                    "<member><StackSetName>{name}</StackSetName><StackSetId>{name}:1</StackSetId>\
                     <Status>ACTIVE</Status><PermissionModel>SELF_MANAGED</PermissionModel></member>"
                )
            });
            format!("<Summaries>{}</Summaries>", rows.collect::<String>())
        }
        "ListStackInstances" => {
            let wanted = call.input["StackInstanceAccount"].as_str();
            let instances = sets.get(&name).ok_or_else(missing)?.instances.iter();
            let rows = instances.filter(|(account, _)| wanted.is_none_or(|wanted| wanted == *account));
            let rows = rows.map(|(account, instance)| shown(&name, account, instance));
            format!("<Summaries>{}</Summaries>", rows.collect::<String>())
        }
        "DeleteStackInstances" => {
            let set = sets.get_mut(&name).ok_or_else(missing)?;
            format!("<OperationId>{}</OperationId>", set.release(call)?)
        }
        _ => return Err(unknown(state, who, call)),
    };
    Ok(Answer::query(&call.operation, &result))
}

impl Set {
    /// Takes accounts out of it: one operation at a time, and one that was asked for before is asked for once.
    fn release(&mut self, call: &Call) -> Result<String, Refusal> {
        let now = time::now();
        let id = call.text("OperationId").to_owned();
        let accounts: Vec<&str> =
            (1..).map_while(|place| call.input[format!("Accounts.member.{place}").as_str()].as_str()).collect();
        if call.text("RetainStacks") != "true" {
            return Err(Refusal::new(400, "ValidationError", "RetainStacks is not valid."));
        }
        if self.operations.contains_key(&id) {
            let message = format!("Operation {id} already exists");
            return Err(Refusal::new(409, "OperationIdAlreadyExistsException", message));
        }
        if let Some((other, _)) = self.operations.iter().find(|(_, ends)| now < **ends) {
            let message = format!("Another Operation on StackSet is in progress: {other}");
            return Err(Refusal::new(409, "OperationInProgressException", message));
        }
        self.operations.insert(id.clone(), now + WORK);
        for (account, instance) in &mut self.instances {
            if accounts.contains(&account.as_str()) {
                instance.operation = Some(id.clone());
            }
        }
        Ok(id)
    }
}

fn shown(name: &str, account: &str, instance: &Instance) -> String {
    let (detailed, operation) = match &instance.operation {
        Some(id) => ("RUNNING", format!("<LastOperationId>{id}</LastOperationId>")),
        None => ("SUCCEEDED", String::new()),
    };
    format!(
        "<member><StackSetId>{name}:1</StackSetId><Account>{account}</Account><Region>us-east-1</Region>\
         <Status>CURRENT</Status><StatusReason></StatusReason><StackInstanceStatus><DetailedStatus>{detailed}\
         </DetailedStatus></StackInstanceStatus>{operation}</member>"
    )
}
