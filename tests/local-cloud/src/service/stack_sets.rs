//! The part of AWS CloudFormation that MiniStack lacks: stack sets and their instances. No stack is made in any account: an
//! instance goes from pending to current, or to what a test has set.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::core::Core;
use crate::front::answer::{ApiError, query_body, query_ok};
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::service::{Answered, Context, Service};
use crate::xml::{escape, members};

const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";
const OPERATIONS: [&str; 5] =
    ["CreateStackInstances", "DeleteStackInstances", "DescribeStackSet", "ListStackInstances", "ListStackSets"];
/// How many instances are on a page, and how long an operation takes.
const PAGE: usize = 100;
const WORK: Duration = Duration::from_mins(1);
/// The detailed status of an instance that is being taken out of its stack set.
const RELEASING: &str = "RUNNING";

/// The stack sets of accounts, by their management account and name.
#[derive(Default)]
pub(crate) struct StackSets {
    sets: Mutex<HashMap<String, BTreeMap<String, Set>>>,
}

/// A stack set.
#[derive(Clone, Debug, Default)]
struct Set {
    /// The units that it is deployed to; none for one with permissions of its own.
    units: Option<Vec<String>>,
    instances: BTreeMap<(String, String), Instance>,
    operations: Vec<Operation>,
}

/// A stack instance.
#[derive(Clone, Debug)]
struct Instance {
    status: &'static str,
    detailed: String,
    reason: String,
    operation: Option<String>,
}

/// An operation: its id, the accounts that it was asked for, and when it ends on the simulated clock.
#[derive(Clone, Debug)]
struct Operation {
    id: String,
    accounts: Vec<String>,
    ends: Duration,
}

impl Service for StackSets {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "cloudformation" && OPERATIONS.contains(&request.operation.as_str())
    }

    fn needs(&self, core: &Core, request: &Incoming) -> Vec<Need> {
        let account = core.identities.known_account(&request.access_key).unwrap_or_default();
        let name = request.text("StackSetName").unwrap_or_default();
        let action = format!("cloudformation:{}", request.operation);
        let of = |what: &str, rest: &str| format!("arn:aws:cloudformation:us-east-1:{account}:{what}/{name}:1{rest}");
        match request.operation.as_str() {
            "ListStackSets" => vec![Need::new(action, "*")],
            // AWS looks at each target as well, `<name>:<id>/<account>` (AWS CloudFormation user guide, "Control access with
            // IAM").
            "DeleteStackInstances" => {
                let accounts = listed(&request.input, "Accounts").into_iter();
                let targets = accounts.map(|id| Need::new(action.clone(), of("stackset-target", &format!("/{id}"))));
                [Need::new(action.clone(), of("stackset", ""))].into_iter().chain(targets).collect()
            }
            _ => vec![Need::new(action, of("stackset", ""))],
        }
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        self.perform(context).map(query_ok)
    }
}

impl StackSets {
    /// Makes a stack set: with permissions of its own or, with units, one that is deployed to them.
    pub(crate) fn make(&self, management: &str, name: &str, units: Option<Vec<String>>) {
        let set = Set { units, ..Set::default() };
        self.lock().entry(management.to_owned()).or_default().insert(name.to_owned(), set);
    }

    /// Gives an account an instance with this status, detailed status and reason; with an empty status, none.
    pub(crate) fn set_instance(&self, management: &str, name: &str, at: (&str, &str), is: (&'static str, &str, &str)) {
        let (status, detailed, reason) = is;
        let mut sets = self.lock();
        let Some(set) = sets.get_mut(management).and_then(|sets| sets.get_mut(name)) else { return };
        let at = (at.0.to_owned(), at.1.to_owned());
        if status.is_empty() {
            set.instances.remove(&at);
        } else {
            let instance = Instance { status, detailed: detailed.into(), reason: reason.into(), operation: None };
            set.instances.insert(at, instance);
        }
    }

    /// The operations on a stack set so far: the id of each, and the accounts that it was asked for.
    pub(crate) fn operations(&self, management: &str, name: &str) -> Vec<(String, Vec<String>)> {
        let sets = self.lock();
        let operations = sets.get(management).and_then(|sets| sets.get(name)).map(|set| set.operations.clone());
        operations.unwrap_or_default().into_iter().map(|operation| (operation.id, operation.accounts)).collect()
    }

    fn perform(&self, context: &Context<'_>) -> Result<String, ApiError> {
        let (request, now) = (context.request, context.core.clock.elapsed());
        let name = request.text("StackSetName").unwrap_or_default();
        let mut sets = self.lock();
        if request.operation == "ListStackSets" {
            let own = sets.entry(context.caller.account.clone()).or_default();
            return Ok(query_body(&context.core.ids, NAMESPACE, "ListStackSets", &all_listed(own, request)?));
        }
        let set = sets.get_mut(&context.caller.account).and_then(|sets| sets.get_mut(name));
        let set =
            set.ok_or_else(|| ApiError::new(404, "StackSetNotFoundException", format!("StackSet {name} not found")))?;
        set.advance(now);
        let result = match request.operation.as_str() {
            "DescribeStackSet" => set.described(name, &context.caller.account),
            "ListStackInstances" => set.listed(name, request)?,
            "DeleteStackInstances" => set.release(request, now)?,
            _ => set.deploy(request, now)?,
        };
        Ok(query_body(&context.core.ids, NAMESPACE, &request.operation, &result))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<String, Set>>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Set {
    /// Ends the operations that are over.
    fn advance(&mut self, now: Duration) {
        let over: BTreeSet<_> =
            self.operations.iter().filter(|it| it.ends <= now).map(|operation| operation.id.clone()).collect();
        for instance in self.instances.values_mut() {
            let is_over = instance.operation.as_ref().is_some_and(|id| over.contains(id));
            if is_over && instance.detailed == "PENDING" {
                (instance.status, instance.detailed) = ("CURRENT", "SUCCEEDED".to_owned());
            }
        }
        let is_gone = |instance: &Instance| {
            instance.detailed == RELEASING && instance.operation.as_ref().is_some_and(|id| over.contains(id))
        };
        self.instances.retain(|_, instance| !is_gone(instance));
    }

    fn model(&self) -> &'static str {
        if self.units.is_some() { "SERVICE_MANAGED" } else { "SELF_MANAGED" }
    }

    fn described(&self, name: &str, account: &str) -> String {
        let model = self.model();
        let units = members(self.units.iter().flatten().cloned());
        format!(
            "<StackSet><StackSetName>{name}</StackSetName><StackSetId>{name}:1</StackSetId><Status>ACTIVE</Status>\
             <StackSetARN>arn:aws:cloudformation:us-east-1:{account}:stackset/{name}:1</StackSetARN>\
             <PermissionModel>{model}</PermissionModel><OrganizationalUnitIds>{units}</OrganizationalUnitIds></StackSet>"
        )
    }

    fn listed(&self, name: &str, request: &Incoming) -> Result<String, ApiError> {
        let (account, region) = (request.text("StackInstanceAccount"), request.text("StackInstanceRegion"));
        let most = request.text("MaxResults").map_or(Ok(PAGE), str::parse).map_err(|_| invalid("MaxResults"))?;
        let start = request.text("NextToken").map_or(Ok(0), str::parse).map_err(|_| invalid("NextToken"))?;
        if !(1..=PAGE).contains(&most) {
            return Err(invalid("MaxResults"));
        }
        let fits = |(of, at): &(&String, &String)| {
            account.is_none_or(|wanted| wanted == *of) && region.is_none_or(|wanted| wanted == *at)
        };
        let rows = self.instances.iter().filter(|((of, at), _)| fits(&(of, at)));
        let mut rest = rows.skip(start);
        let shown: Vec<_> = rest.by_ref().take(most).map(|(at, instance)| instance.shown(name, at)).collect();
        let next = start + shown.len();
        let token = rest.next().map(|_| format!("<NextToken>{next}</NextToken>")).unwrap_or_default();
        Ok(format!("<Summaries>{}</Summaries>{token}", shown.concat()))
    }

    /// Takes accounts out of the stack set. No stack was made, so that none is deleted: who does not ask that stacks be
    /// retained is refused.
    fn release(&mut self, request: &Incoming, now: Duration) -> Result<String, ApiError> {
        let id = request.text("OperationId").unwrap_or("made-up").to_owned();
        let (accounts, regions) = (listed(&request.input, "Accounts"), listed(&request.input, "Regions"));
        if self.units.is_some() || accounts.is_empty() || regions.is_empty() {
            return Err(invalid("Accounts"));
        }
        if request.text("RetainStacks") != Some("true") {
            return Err(invalid("RetainStacks"));
        }
        self.begin(&id, &accounts, now)?;
        for ((account, region), instance) in &mut self.instances {
            if accounts.contains(account) && regions.contains(region) {
                (instance.detailed, instance.operation) = (RELEASING.to_owned(), Some(id.clone()));
            }
        }
        Ok(format!("<OperationId>{id}</OperationId>"))
    }

    /// Begins an operation, unless one is under way.
    fn begin(&mut self, id: &str, accounts: &[String], now: Duration) -> Result<(), ApiError> {
        if self.operations.iter().any(|operation| operation.id == id) {
            let message = format!("Operation {id} already exists");
            return Err(ApiError::new(409, "OperationIdAlreadyExistsException", message));
        }
        if let Some(other) = self.operations.iter().find(|operation| now < operation.ends) {
            let message = format!("Another Operation on StackSet is in progress: {}", other.id);
            return Err(ApiError::new(409, "OperationInProgressException", message));
        }
        self.operations.push(Operation { id: id.to_owned(), accounts: accounts.to_vec(), ends: now + WORK });
        Ok(())
    }

    fn deploy(&mut self, request: &Incoming, now: Duration) -> Result<String, ApiError> {
        let id = request.text("OperationId").unwrap_or("made-up").to_owned();
        let (accounts, regions) = (listed(&request.input, "Accounts"), listed(&request.input, "Regions"));
        if self.units.is_some() {
            let message = "StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target";
            return Err(ApiError::new(400, "ValidationError", message));
        }
        if accounts.is_empty() || regions.is_empty() {
            return Err(invalid("Accounts"));
        }
        self.begin(&id, &accounts, now)?;
        for account in &accounts {
            for region in &regions {
                let at = (account.clone(), region.clone());
                if self.instances.get(&at).is_some_and(|instance| instance.status == "CURRENT") {
                    continue;
                }
                let operation = Some(id.clone());
                let waits =
                    Instance { status: "OUTDATED", detailed: "PENDING".into(), reason: String::new(), operation };
                self.instances.insert(at, waits);
            }
        }
        Ok(format!("<OperationId>{id}</OperationId>"))
    }
}

impl Instance {
    fn shown(&self, name: &str, (account, region): &(String, String)) -> String {
        let Self { status, detailed, reason, operation } = self;
        let operation = operation.as_ref().map(|id| format!("<LastOperationId>{id}</LastOperationId>"));
        format!(
            "<member><StackSetId>{name}:1</StackSetId><Account>{account}</Account><Region>{region}</Region>\
             <Status>{status}</Status><StatusReason>{}</StatusReason><StackInstanceStatus><DetailedStatus>{detailed}\
             </DetailedStatus></StackInstanceStatus>{}</member>",
            escape(reason),
            operation.unwrap_or_default()
        )
    }
}

/// A page of the stack sets of an account.
fn all_listed(sets: &BTreeMap<String, Set>, request: &Incoming) -> Result<String, ApiError> {
    let most = request.text("MaxResults").map_or(Ok(PAGE), str::parse).map_err(|_| invalid("MaxResults"))?;
    let start = request.text("NextToken").map_or(Ok(0), str::parse).map_err(|_| invalid("NextToken"))?;
    if !(1..=PAGE).contains(&most) || request.text("Status").is_some_and(|status| status != "ACTIVE") {
        return Err(invalid("MaxResults"));
    }
    let shown = |(name, set): (&String, &Set)| {
        format!(
            "<member><StackSetName>{name}</StackSetName><StackSetId>{name}:1</StackSetId><Status>ACTIVE</Status>\
             <PermissionModel>{}</PermissionModel></member>",
            set.model()
        )
    };
    let mut rest = sets.iter().skip(start);
    let page: Vec<_> = rest.by_ref().take(most).map(shown).collect();
    let token = rest.next().map(|_| format!("<NextToken>{}</NextToken>", start + page.len())).unwrap_or_default();
    Ok(format!("<Summaries>{}</Summaries>{token}", page.concat()))
}

/// The entries of a list of a form.
fn listed(form: &Value, name: &str) -> Vec<String> {
    let entries = (1..).map_while(|n| form.get(format!("{name}.member.{n}"))?.as_str());
    entries.map(ToOwned::to_owned).collect()
}

fn invalid(parameter: &str) -> ApiError {
    ApiError::new(400, "ValidationError", format!("{parameter} is not valid."))
}
