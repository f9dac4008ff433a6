//! AWS CloudFormation: stack sets of the management account. Accounts are taken out of two of them; the third is to be in every
//! account.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{Answer, Refusal, settings, unknown};
use crate::{
    call::Call,
    cloud::{Effect, Principal, State},
    document::controls::{ASKED_FOR, STACK_REGION},
    script::Control,
    template::{ACCOUNT, LEFT_STACK_SET},
    time,
};

/// The stack set that people take accounts out of.
pub(crate) const OF_PEOPLE: &str = "of-people";

/// How long an operation takes.
const WORK: Duration = Duration::from_mins(1);

/// What an account has of a stack set.
#[derive(Clone, Debug)]
struct Instance {
    stage: Stage,
    /// The last operation on it.
    operation: Option<String>,
}

/// How far the last operation on an instance has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is as the stack set has it.
    Current,
    /// AWS is making it.
    Deploying,
    /// AWS could not make it.
    Failed,
    /// AWS makes nothing in an account that is suspended.
    Suspended,
    /// AWS takes the account out.
    Leaving,
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
        self.put(name, account, Stage::Current);
    }

    fn put(&mut self, name: &str, account: &str, stage: Stage) {
        let instance = Instance { stage, operation: None };
        self.0.entry(name.to_owned()).or_default().instances.insert(account.to_owned(), instance);
    }

    /// Whether what an account has of the stack set that all are to have is as it should be.
    pub(crate) fn is_current(&self, account: &str) -> bool {
        let instance = self.0.get(ASKED_FOR).and_then(|set| set.instances.get(account));
        instance.is_some_and(|instance| instance.stage == Stage::Current)
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
            instances.retain(|_, instance| {
                instance.stage != Stage::Leaving || !instance.operation.as_ref().is_some_and(is_over)
            });
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

/// Puts accounts that are there into the stack set that all are to have: most of them, and not all with success.
pub(crate) fn furnish_asked_for(state: &mut State, accounts: &[String]) {
    state.stack_sets.0.entry(ASKED_FOR.to_owned()).or_default();
    for account in accounts.iter().filter(|account| *account != ACCOUNT) {
        if !state.draws.happens("a stack set has not come", 30) {
            let has_failed = state.draws.happens("a stack set has failed", 10);
            state.stack_sets.put(ASKED_FOR, account, if has_failed { Stage::Failed } else { Stage::Current });
        }
    }
}

/// AWS has done with an operation that makes instances: they are there, or are not, as it comes.
pub(crate) fn deployed(state: &mut State, operation: &str) {
    let State { stack_sets, organization, draws, .. } = state;
    let Some(set) = stack_sets.0.get_mut(ASKED_FOR) else { return };
    let mut made = Vec::new();
    for (account, instance) in &mut set.instances {
        if instance.stage != Stage::Deploying || instance.operation.as_deref() != Some(operation) {
            continue;
        }
        let is_active = organization.account(account).is_some_and(|account| account.state == "ACTIVE");
        let has_failed = draws.happens("a stack instance fails", 10);
        instance.stage = match (is_active, has_failed) {
            (false, _) => Stage::Suspended,
            (true, true) => Stage::Failed,
            (true, false) => Stage::Current,
        };
        made.push(account.clone());
    }
    for account in &made {
        settings::settled(state, account);
    }
}

/// Somebody takes an account out of the stack set that all are to have, or spoils what it has of it, or changes the stack set at
/// that moment, so that AWS takes nothing else for a while.
pub(crate) fn undo(state: &mut State, account: &str, way: u64) {
    let Some(set) = state.stack_sets.0.get_mut(ASKED_FOR) else { return };
    match (way, set.instances.get_mut(account)) {
        (0, Some(instance)) => instance.stage = Stage::Failed,
        _ => drop(set.instances.remove(account)),
    }
    if way == 2 {
        set.operations.insert(format!("people-{}", set.operations.len()), time::now() + WORK);
    }
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    state.stack_sets.advance();
    if call.operation == "CreateStackInstances" {
        for account in accounts(call) {
            settings::begin(state, &account);
        }
    }
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
        "DescribeStackSet" => {
            sets.get(&name).ok_or_else(missing)?;
            format!(
                "<StackSet><StackSetName>{name}</StackSetName><StackSetId>{name}:1</StackSetId><Status>ACTIVE</Status>\
                 <PermissionModel>SELF_MANAGED</PermissionModel><OrganizationalUnitIds></OrganizationalUnitIds></StackSet>"
            )
        }
        "DeleteStackInstances" => {
            let set = sets.get_mut(&name).ok_or_else(missing)?;
            if call.text("RetainStacks") != "true" {
                return Err(Refusal::new(400, "ValidationError", "RetainStacks is not valid."));
            }
            let (id, accounts) = (set.begin(call)?, accounts(call));
            for (account, instance) in &mut set.instances {
                if accounts.contains(account) {
                    *instance = Instance { stage: Stage::Leaving, operation: Some(id.clone()) };
                }
            }
            format!("<OperationId>{id}</OperationId>")
        }
        "CreateStackInstances" => {
            let set = sets.get_mut(&name).ok_or_else(missing)?;
            if call.input["Regions.member.1"] != STACK_REGION || !call.input["Regions.member.2"].is_null() {
                return Err(unknown(state, who, call));
            }
            let (id, accounts) = (set.begin(call)?, accounts(call));
            for account in &accounts {
                let instance = Instance { stage: Stage::Deploying, operation: Some(id.clone()) };
                set.instances.insert(account.clone(), instance);
            }
            for account in &accounts {
                settings::changed(state, account, Control::StackInstances, Some(&who.function));
            }
            state.later(WORK, Effect::StackSetDeployed { operation: id.clone() });
            format!("<OperationId>{id}</OperationId>")
        }
        _ => return Err(unknown(state, who, call)),
    };
    Ok(Answer::query(&call.operation, &result))
}

impl Set {
    /// Begins an operation: one at a time, and one that was asked for before is asked for once.
    fn begin(&mut self, call: &Call) -> Result<String, Refusal> {
        let now = time::now();
        let id = call.text("OperationId").to_owned();
        if self.operations.contains_key(&id) {
            let message = format!("Operation {id} already exists");
            return Err(Refusal::new(409, "OperationIdAlreadyExistsException", message));
        }
        if let Some((other, _)) = self.operations.iter().find(|(_, ends)| now < **ends) {
            let message = format!("Another Operation on StackSet is in progress: {other}");
            return Err(Refusal::new(409, "OperationInProgressException", message));
        }
        self.operations.insert(id.clone(), now + WORK);
        Ok(id)
    }
}

/// The accounts that an operation is for.
fn accounts(call: &Call) -> Vec<String> {
    let named = |place: u32| call.input[format!("Accounts.member.{place}").as_str()].as_str();
    (1..).map_while(named).map(ToOwned::to_owned).collect()
}

fn shown(name: &str, account: &str, instance: &Instance) -> String {
    let (status, detailed, reason) = match instance.stage {
        Stage::Current => ("CURRENT", "SUCCEEDED", ""),
        Stage::Leaving => ("CURRENT", "RUNNING", ""),
        Stage::Deploying => ("OUTDATED", "RUNNING", ""),
        Stage::Failed => ("OUTDATED", "FAILED", "Account should have a role that trusts the administration role."),
        Stage::Suspended => ("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT", ""),
    };
    let operation = instance.operation.as_ref().map(|id| format!("<LastOperationId>{id}</LastOperationId>"));
    let operation = operation.unwrap_or_default();
    format!(
        "<member><StackSetId>{name}:1</StackSetId><Account>{account}</Account><Region>{STACK_REGION}</Region>\
         <Status>{status}</Status><StatusReason>{reason}</StatusReason><StackInstanceStatus><DetailedStatus>{detailed}\
         </DetailedStatus></StackInstanceStatus>{operation}</member>"
    )
}
