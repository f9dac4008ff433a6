//! The two that are asked the same, each with the same things in it: an organization with two members, a table, a queue
//! with one for its dead letters, a bus, a bucket that keeps versions, and two executions of a state machine.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    http::HttpConnector,
    orchestrator::{HttpRequest, HttpResponse},
};
use jiff::Timestamp;
use local_cloud::{AwsClient, LocalCloud, Method, Options, Organization};
use serde_json::{Value, json};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Notify, mpsc::UnboundedReceiver},
    time::Instant,
};

use crate::{
    aws::{
        account, closings, creations, deployed,
        iam::{self, Group},
        locks, organizations, regions, stack_sets,
    },
    cloud::{Cloud, Effect, Principal},
    template::{ACCOUNT, JUMP, STACK, last, stack},
    time,
    wire::Line,
};

/// The version of IAM's query protocol.
const IAM: &str = "2010-05-08";

/// What each side calls what questions are about.
pub(super) type Names = BTreeMap<&'static str, Value>;

/// The queue of the stack that both have.
const QUEUE: &str = "AccountRequestQueue";
const BUCKET: &str = "documents";
/// The group that people are put into.
pub(super) const GROUP: &str = "group-operators";
/// The members.
const MEMBERS: (&str, &str) = ("200000000001", "200000000002");
/// The execution that has not ended, and the one that has; what they were started with.
const EXECUTIONS: [(&str, &str); 2] = [("running", r#"{"seconds":100000}"#), ("ended", r#"{"seconds":0}"#)];

/// The simulated services.
pub(super) struct Simulated {
    pub(super) names: Names,
    runtime: Runtime,
    cloud: Arc<Cloud>,
    effects: UnboundedReceiver<(Instant, Effect)>,
    line: Line,
}

impl Simulated {
    pub(super) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let entered = runtime.enter();
        time::begin(Timestamp::from_second(1_795_000_000).expect("a time"));
        let (cloud, effects) = Cloud::new(1, Vec::new());
        drop(entered);
        let cloud = Arc::new(cloud);
        let key = "ASIAWHOMAYDOEVERYTHING";
        let mut names = Names::from([
            ("account", ACCOUNT.into()),
            ("management", json!({"AccessKeyId": key, "SecretAccessKey": "secret", "SessionToken": "token"})),
            ("table", "table".into()),
            ("bus", STACK.into()),
            ("bucket", BUCKET.into()),
            ("member bus", deployed::member_bus().into()),
        ]);
        let who =
            Principal { account: ACCOUNT.to_owned(), function: "agreement".to_owned(), actions: None, bounds: None };
        cloud.with(|state| {
            let may_do_all = Principal { actions: Some(vec!["*".to_owned()]), ..who };
            let mut session = |account: &str, function: &str| {
                let key = format!("ASIAWHOIS{}", function.to_uppercase());
                let keys = json!({"AccessKeyId": key, "SecretAccessKey": "secret", "SessionToken": "token"});
                let (account, function) = (account.to_owned(), function.to_owned());
                state.principals.insert(key, Principal { account, function, ..may_do_all.clone() });
                keys
            };
            names.insert("people", session(JUMP, "JumpUserManager"));
            names.insert("root session", session(&organizations::id_of(1), "RootTaskRunner"));
            names.insert("orders", locks::queue_url(&organizations::id_of(1)).into());
            let group = Group { path: iam::PATH.to_owned(), ..Group::default() };
            state.iam.now.groups.insert(GROUP.to_owned(), group);
            state.principals.insert(key.to_owned(), may_do_all);
            let root = state.organization.root.clone();
            names.insert("unit", state.organization.add_unit(&mut state.draws, "Workloads", &root).into());
            names.insert("member", organizations::add_account(state, 1, &root, 30, true).into());
            names.insert("other member", organizations::add_account(state, 2, &root, 30, true).into());
            state.stack_sets.add("shared", &organizations::id_of(2));
            deployed::put(state, &organizations::id_of(1), time::now());
            names.insert("root", root.into());
            let arn = format!("arn:aws:organizations::{ACCOUNT}:account/o-exampleorgid/{}", organizations::id_of(1));
            names.insert("member's ARN", arn.into());
            // The members of the local cloud were all made by it.
            state.organization.accounts.iter_mut().skip(1).for_each(|account| account.created = true);
            for (name, input) in EXECUTIONS {
                let arn = state.executions.begin(name, input.to_owned(), time::now());
                if name == "ended" {
                    state.executions.end(&arn);
                }
                names.insert(name, arn.into());
            }
        });
        for (name, queue) in ["queue", "dead letters"].into_iter().zip(queues()) {
            names.insert(name, format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{queue}").into());
        }
        let line = Line { cloud: Arc::clone(&cloud), who: "agreement".into(), kill: Arc::new(Notify::new()) };
        Self { names, runtime, cloud, effects, line }
    }

    /// Answers a request, by the door that functions have.
    pub(super) fn carry(&self, request: HttpRequest) -> HttpResponse {
        self.runtime.block_on(self.line.call(request)).expect("nothing goes wrong on the way")
    }

    /// Keeps the code of the last mail to a new address of the member.
    pub(super) fn read_mail(&mut self) {
        let member = organizations::id_of(1);
        let code = self.cloud.with(|state| {
            let profile = state.organization.profiles.get(&member)?;
            profile.updates.last().map(|update| update.code.clone())
        });
        self.names.extend(code.map(|code| ("code", code.into())));
    }

    /// Lets time pass, so that rates allow the next call and what is under way goes on.
    pub(super) fn rest(&mut self) {
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_secs(10)).await });
        let _entered = self.runtime.enter();
        let mut later = Vec::new();
        while let Ok((at, effect)) = self.effects.try_recv() {
            match effect {
                // Nobody hears of events here, and people have no stack sets.
                Effect::Event { .. } | Effect::Invoke { .. } | Effect::StackSetsCome { .. } => {}
                Effect::StackSetDeployed { operation } => {
                    self.cloud.with(|state| stack_sets::deployed(state, &operation));
                }
                // AWS takes hours at times, for which nobody waits here.
                Effect::AddressChanges { account } => {
                    self.cloud.with(|state| account::address_changes(state, &account));
                }
                effect if at > Instant::now() => later.push((at, effect)),
                Effect::CreationEnds { call } => {
                    self.cloud.with(|state| creations::end(state, &call));
                }
                Effect::RegionSettles { account, region, bus } => {
                    self.cloud.with(|state| regions::settle(state, &account, &region, bus));
                }
                Effect::ClosingEnds { account } => {
                    self.cloud.with(|state| closings::closing_ends(state, &account));
                }
            }
        }
        for (at, effect) in later {
            let rest = at - Instant::now();
            self.cloud.with(|state| state.later(rest, effect));
        }
    }
}

/// The queue, and the one for its dead letters.
fn queues() -> [String; 2] {
    let (dead_letters, _) = stack().queues[QUEUE].redrive.clone().expect("a queue for dead letters");
    [QUEUE.to_owned(), dead_letters]
}

/// The local cloud, as the tests of flows have it: MiniStack, behind a front that answers Organizations itself.
pub(super) struct Local {
    pub(super) names: Names,
    pub(super) endpoint: String,
    runtime: Runtime,
    organization: Organization,
    _cloud: LocalCloud,
}

impl Local {
    pub(super) fn start() -> Self {
        // Nothing is asked here of how fast anything goes.
        let options = Options { time_scale: 100.0, published_rates: false, ..Options::default() };
        let cloud = LocalCloud::start(options).expect("the local cloud starts; are the tools installed?");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (names, organization) = runtime.block_on(furnish(&cloud));
        organization.set_email_change_time(Duration::from_secs(20));
        Self { names, endpoint: cloud.endpoint(), runtime, organization, _cloud: cloud }
    }

    /// The same as [`Simulated::read_mail`].
    pub(super) fn read_mail(&mut self) {
        let code = self.organization.email_changes_of(MEMBERS.0).code();
        self.names.extend(code.map(|code| ("code", code.into())));
    }

    /// Gives what is under way the time to go on.
    pub(super) fn rest(&self) {
        self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
    }
}

async fn furnish(cloud: &LocalCloud) -> (Names, Organization) {
    let (first, second) = MEMBERS;
    let organization = cloud.organization(ACCOUNT).unit("/Workloads");
    let organization = organization.member(first, "Account 1", "aws+1@example.com", "/");
    let organization = organization.member(second, "Account 2", "aws+2@example.com", "/");
    let made = organization.create().await.expect("an organization");
    // Long enough for another call before it ends.
    made.set_closing_time(Duration::from_mins(10));
    made.make_stack_set("shared", None);
    made.set_stack_instance("shared", (second, "us-east-1"), ("CURRENT", "SUCCEEDED", ""));
    let client = cloud.client(ACCOUNT);
    let ask = async |service, operation, input| client.json(service, operation, input).await.expect("an answer");
    let organization = ask("organizations", "DescribeOrganization", json!({})).await["Organization"]["Id"].clone();
    let organization = organization.as_str().expect("an id");
    let roots = ask("organizations", "ListRoots", json!({})).await;
    let root = &roots["Roots"][0]["Id"];
    let units = ask("organizations", "ListOrganizationalUnitsForParent", json!({"ParentId": root})).await;
    let mut names = Names::from([
        ("account", ACCOUNT.into()),
        ("management", role(&client, ACCOUNT).await),
        ("root", root.clone()),
        ("member's ARN", format!("arn:aws:organizations::{ACCOUNT}:account/{organization}/{first}").into()),
        ("unit", units["OrganizationalUnits"][0]["Id"].clone()),
        ("member", first.into()),
        ("other member", second.into()),
        ("table", "table".into()),
        ("bus", STACK.into()),
        ("bucket", BUCKET.into()),
        ("member bus", deployed::member_bus().into()),
    ]);
    let key = |name| json!([{"AttributeName": name, "KeyType": "HASH"}]);
    let table = json!({"TableName": "table", "BillingMode": "PAY_PER_REQUEST", "KeySchema": key("pk"),
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "open", "AttributeType": "S"}],
        "GlobalSecondaryIndexes": [{"IndexName": "open-requests", "KeySchema": key("open"),
            "Projection": {"ProjectionType": "ALL"}}]});
    ask("dynamodb", "CreateTable", table).await;
    ask("events", "CreateEventBus", json!({"Name": STACK})).await;
    let [queue, dead_letters] = queues();
    let queue_made = ask("sqs", "CreateQueue", json!({"QueueName": dead_letters})).await;
    names.insert("dead letters", queue_made["QueueUrl"].clone());
    let declared = &stack().queues[QUEUE];
    let most = declared.redrive.as_ref().map(|(_, most)| most.to_string());
    let redrive = json!({"deadLetterTargetArn": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{}", last(&dead_letters)),
        "maxReceiveCount": most});
    let attributes =
        json!({"VisibilityTimeout": declared.visibility.to_string(), "RedrivePolicy": redrive.to_string()});
    let queue_made = ask("sqs", "CreateQueue", json!({"QueueName": queue, "Attributes": attributes})).await;
    names.insert("queue", queue_made["QueueUrl"].clone());
    bucket(&client).await;
    of_members(cloud, &mut names).await;
    let machine = json!({"StartAt": "Wait", "States":
        {"Wait": {"Type": "Wait", "SecondsPath": "$.seconds", "End": true}}});
    let role = format!("arn:aws:iam::{ACCOUNT}:role/{STACK}");
    let machine = json!({"name": STACK, "definition": machine.to_string(), "roleArn": role});
    let machine = ask("states", "CreateStateMachine", machine).await["stateMachineArn"].clone();
    for (name, input) in EXECUTIONS {
        let start = json!({"stateMachineArn": machine, "name": name, "input": input});
        names.insert(name, ask("states", "StartExecution", start).await["executionArn"].clone());
    }
    (names, made)
}

/// What there is in members, and who may do everything there.
async fn of_members(cloud: &LocalCloud, names: &mut Names) {
    let people = cloud.client(JUMP);
    let group = [("GroupName", GROUP), ("Path", iam::PATH)];
    people.query("iam", "CreateGroup", IAM, &group).await.expect("a group");
    names.insert("people", role(&people, JUMP).await);
    let member = cloud.client(MEMBERS.0);
    member.rest("s3", Method::PUT, &format!("/{}", locks::BUCKET), "").await.expect("a bucket");
    let queue = member.json("sqs", "CreateQueue", json!({"QueueName": locks::QUEUE})).await.expect("a queue");
    names.insert("orders", queue["QueueUrl"].clone());
    names.insert("root session", role(&member, MEMBERS.0).await);
    stack_sets_come(&member).await;
}

/// What [`deployed::put`] puts into a simulated member.
async fn stack_sets_come(member: &AwsClient) {
    let ask = async |service: &str, operation: &str, input| {
        member.json(service, operation, input).await.expect("it is done");
    };
    for (name, pattern, state) in deployed::rules() {
        let rule = json!({"Name": name, "EventPattern": pattern.to_string(), "State": state});
        ask("events", "PutRule", rule).await;
        ask("events", "PutTargets", json!({"Rule": name, "Targets": [deployed::target(MEMBERS.0)]})).await;
    }
    let role = format!("arn:aws:iam::{}:role/recorder", MEMBERS.0);
    let recorder = json!({"name": "default", "roleARN": role, "recordingGroup": {"allSupported": true}});
    let channel = json!({"name": "default", "s3BucketName": "log-archive"});
    for (operation, input) in [
        ("PutConfigurationRecorder", json!({"ConfigurationRecorder": recorder})),
        ("PutDeliveryChannel", json!({"DeliveryChannel": channel})),
        ("StartConfigurationRecorder", json!({"ConfigurationRecorderName": "default"})),
    ] {
        ask("config", &format!("StarlingDoveService.{operation}"), input).await;
    }
}

async fn bucket(client: &AwsClient) {
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    client.rest("s3", Method::PUT, &format!("/{BUCKET}"), "").await.expect("a bucket");
    client.rest("s3", Method::PUT, &format!("/{BUCKET}?versioning"), versioning).await.expect("versions");
}

/// The keys of a session of a role that may do everything: a root user enters no role.
async fn role(client: &AwsClient, account: &str) -> Value {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{account}:root"), "Service": "states.amazonaws.com"}}]});
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let (trust, policy) = (trust.to_string(), policy.to_string());
    let made = [("RoleName", STACK), ("AssumeRolePolicyDocument", &trust)];
    client.query("iam", "CreateRole", IAM, &made).await.expect("a role");
    let allowed = [("RoleName", STACK), ("PolicyName", "own"), ("PolicyDocument", &policy)];
    client.query("iam", "PutRolePolicy", IAM, &allowed).await.expect("a policy");
    let arn = format!("arn:aws:iam::{account}:role/{STACK}");
    let session = client.assume_role(&arn, "agreement", None).await.expect("a session");
    let keys = session.credentials();
    json!({"AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.session_token})
}
