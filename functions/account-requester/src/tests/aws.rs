//! As much of AWS as the function calls, in memory, at the published rates.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::infallible_client_fn;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

/// The time of day when a test begins.
const MORNING: &str = "2026-11-27T08:00:00Z";
const REQUESTS: &str = "https://sqs.us-east-1.amazonaws.com/111111111111/requests";
const ROOT: &str = "r-ab12";

thread_local! {
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The time of day, which moves with the runtime's clock.
fn now() -> Timestamp {
    let passed = BEGUN.get().map(|begun| begun.elapsed()).unwrap_or_default();
    let morning: Timestamp = MORNING.parse().expect("a time");
    morning + jiff::SignedDuration::try_from(passed).expect("not long")
}

fn setting(name: &str) -> Option<String> {
    let value = match name {
        "TABLE_NAME" => "table",
        "BUS_NAME" => "bus",
        "ACCOUNT_REQUEST_QUEUE_URL" => REQUESTS,
        "ACCOUNT_CREATION_QUEUE_URL" => "https://sqs.us-east-1.amazonaws.com/111111111111/creation",
        "MAX_ACCOUNTS_PER_DAY" => "100",
        "RATE_SHARE" | "RATE_SHARES" => return Some(of_template(name)),
        _ => return None,
    };
    Some(value.to_owned())
}

/// What the template sets for this function.
fn of_template(variable: &str) -> String {
    let template = include_str!("../../../../template.yaml");
    let (_, function) = template.split_once("\n  AccountRequester:\n").expect("the function");
    let (_, value) = function.split_once(&format!("{variable}: \"")).expect("the variable");
    value.split('"').next().expect("its value").to_owned()
}

/// AWS, as one test sees it.
pub(super) struct Aws(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    accounts: Vec<Value>,
    items: HashMap<String, Map<String, Value>>,
    buckets: HashMap<String, (f64, Option<Instant>)>,
    throttled_for_good: Vec<String>,
    calls: Vec<String>,
    throttled: usize,
    queue: Vec<(Instant, String)>,
    in_hand: usize,
    published: Vec<Value>,
}

impl Aws {
    /// An organization of so many accounts, with the units `/Workloads/Production`, and an empty table.
    pub(super) fn new(accounts: usize) -> Self {
        BEGUN.set(Some(Instant::now()));
        steward::clock::set_source(Some(now));
        steward::runtime::settings::set_environment(setting);
        let accounts = (0..accounts).map(|n| {
            json!({"Id": id(n), "Name": format!("Account {n}"), "Email": format!("account-{n}@example.com"),
                "State": "ACTIVE", "JoinedTimestamp": 1_700_000_000, "Paths": [format!("o-abcdefghij/{ROOT}/{}/", id(n))]})
        });
        Self(Arc::new(Mutex::new(World { accounts: accounts.collect(), ..World::default() })))
    }

    /// The configuration of a process.
    pub(super) fn config(&self) -> SdkConfig {
        let world = Arc::clone(&self.0);
        let http = infallible_client_fn(move |request| {
            let target =
                request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).expect("a target");
            let (_, operation) = target.rsplit_once('.').expect("service.Operation");
            let body = request.body().bytes().expect("a body");
            let input = serde_json::from_slice(body).expect("JSON");
            let (status, output) = lock(&world).answer(operation, &input);
            http::Response::builder().status(status).body(output.to_string()).expect("a response")
        });
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .http_client(http)
            .build()
    }

    /// Sends an event to the queue of requests, as its rule does.
    pub(super) fn enqueue(&self, event: &Value) {
        self.world().queue.push((Instant::now(), event.to_string()));
    }

    /// Up to ten messages that are visible.
    pub(super) fn receive(&self) -> Vec<String> {
        let mut world = self.world();
        let now = Instant::now();
        let (mut visible, hidden): (Vec<_>, Vec<_>) =
            std::mem::take(&mut world.queue).into_iter().partition(|(at, _)| *at <= now);
        let rest = visible.split_off(visible.len().min(10));
        world.queue = rest.into_iter().chain(hidden).collect();
        world.in_hand += usize::from(!visible.is_empty());
        visible.into_iter().map(|(_, body)| body).collect()
    }

    pub(super) fn batch_is_done(&self) {
        self.world().in_hand -= 1;
    }

    /// Whether no message waits or is worked on.
    pub(super) fn is_queue_empty(&self) -> bool {
        let world = self.world();
        world.queue.is_empty() && world.in_hand == 0
    }

    /// Fills the index as a sweep does.
    pub(super) fn index_is_whole(&self) {
        let mut world = self.world();
        let seen = now().as_millisecond().to_string();
        for account in world.accounts.clone() {
            let entry = json!({"account_id": {"S": account["Id"]}, "state": {"S": account["State"]},
                "seen_at": {"N": seen}, "expires_at": {"N": "1900000000"}});
            for (kind, field) in [("email", "Email"), ("name", "Name")] {
                let key = format!("{kind}#{}", account[field].as_str().expect("a text"));
                world.items.insert(key, entry.as_object().expect("an object").clone());
            }
        }
        let whole = json!({"whole_since": {"N": seen}});
        world.items.insert("account-index".to_owned(), whole.as_object().expect("an object").clone());
    }

    /// An open request that is none.
    pub(super) fn spoil(&self, pk: &str) {
        let item = json!({"pk": {"S": pk}, "open": {"S": "yes"}, "attempt": {"S": "many"}});
        self.world().items.insert(pk.to_owned(), item.as_object().expect("an object").clone());
    }

    /// Throttles every call of an operation from now on.
    pub(super) fn throttle(&self, operation: &str) {
        self.world().throttled_for_good.push(operation.to_owned());
    }

    pub(super) fn close(&self, n: usize) {
        self.world().accounts[n]["State"] = "SUSPENDED".into();
    }

    pub(super) fn rename_email(&self, n: usize, email: &str) {
        self.world().accounts[n]["Email"] = email.into();
    }

    pub(super) fn email_of(&self, n: usize) -> String {
        self.world().accounts[n]["Email"].as_str().expect("a text").to_owned()
    }

    pub(super) fn name_of(&self, n: usize) -> String {
        self.world().accounts[n]["Name"].as_str().expect("a text").to_owned()
    }

    /// How many requests are recorded.
    pub(super) fn requests(&self) -> usize {
        self.world().items.keys().filter(|key| key.starts_with("request#")).count()
    }

    /// The events that were put on the bus.
    pub(super) fn published(&self) -> Vec<Value> {
        self.world().published.clone()
    }

    pub(super) fn calls(&self, operation: &str) -> usize {
        self.world().calls.iter().filter(|call| *call == operation).count()
    }

    /// How many calls AWS has throttled.
    pub(super) fn throttled(&self) -> usize {
        self.world().throttled
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.0)
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id(n: usize) -> String {
    format!("{:012}", 222_000_000_000_usize + n)
}

/// The published rate and burst (AWS Organizations user guide, "Quotas").
fn rate(operation: &str) -> Option<(f64, f64)> {
    Some(match operation {
        "ListAccounts" => (8.0, 12.0),
        "DescribeAccount" => (20.0, 30.0),
        "ListOrganizationalUnitsForParent" => (5.0, 8.0),
        "DescribeOrganizationalUnit" => (2.0, 2.0),
        "ListRoots" => (1.0, 2.0),
        _ => return None,
    })
}

impl World {
    fn answer(&mut self, operation: &str, input: &Value) -> (u16, Value) {
        if !self.grants(operation) {
            self.throttled += 1;
            return (400, json!({"__type": "TooManyRequestsException", "Message": "slow down"}));
        }
        self.calls.push(operation.to_owned());
        match operation {
            "ListAccounts" => {
                let from: usize = input["NextToken"].as_str().map_or(0, |token| token.parse().expect("a number"));
                let until = (from + 20).min(self.accounts.len());
                let next = (until < self.accounts.len()).then(|| until.to_string());
                (200, json!({"Accounts": self.accounts[from..until], "NextToken": next}))
            }
            "DescribeAccount" => match self.accounts.iter().find(|account| account["Id"] == input["AccountId"]) {
                Some(account) => (200, json!({"Account": account})),
                None => (400, json!({"__type": "AccountNotFoundException", "Message": "no"})),
            },
            "ListRoots" => (200, json!({"Roots": [{"Id": ROOT}]})),
            "ListOrganizationalUnitsForParent" => {
                let (id, name) = match input["ParentId"].as_str() {
                    Some(ROOT) => ("ou-ab12-aaaaaaaa", "Workloads"),
                    _ => ("ou-ab12-bbbbbbbb", "Production"),
                };
                (200, json!({"OrganizationalUnits": [{"Id": id, "Name": name}]}))
            }
            "GetItem" => {
                let key = input["Key"]["pk"]["S"].as_str().expect("a key");
                (200, self.items.get(key).map_or_else(|| json!({}), |item| json!({"Item": item})))
            }
            "Query" => {
                let open: Vec<_> = self.items.values().filter(|item| item.contains_key("open")).collect();
                (200, json!({"Count": open.len(), "Items": open}))
            }
            "BatchWriteItem" => {
                for put in input["RequestItems"]["table"].as_array().into_iter().flatten() {
                    self.put(&put["PutRequest"]["Item"]);
                }
                (200, json!({"UnprocessedItems": {}}))
            }
            "TransactWriteItems" => self.transact(input["TransactItems"].as_array().expect("items")),
            "SendMessage" => {
                if input["QueueUrl"] == REQUESTS {
                    let delay = Duration::from_secs(input["DelaySeconds"].as_u64().unwrap_or(0));
                    let body = input["MessageBody"].as_str().expect("a body").to_owned();
                    self.queue.push((Instant::now() + delay, body));
                }
                (200, json!({"MessageId": "m", "MD5OfMessageBody": "m"}))
            }
            "PutEvents" => {
                let detail = input["Entries"][0]["Detail"].as_str().expect("a detail");
                self.published.push(serde_json::from_str(detail).expect("JSON"));
                (200, json!({"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}))
            }
            other => panic!("{other} is not expected"),
        }
    }

    fn grants(&mut self, operation: &str) -> bool {
        if self.throttled_for_good.iter().any(|throttled| throttled == operation) {
            return false;
        }
        let Some((per_second, burst)) = rate(operation) else { return true };
        let now = Instant::now();
        let (tokens, filled) = self.buckets.entry(operation.to_owned()).or_insert((burst, None));
        let passed = filled.map(|filled| now.duration_since(filled).as_secs_f64()).unwrap_or_default();
        // Rounding is nobody's fault.
        *tokens = (*tokens + passed * per_second + 1e-6).min(burst);
        *filled = Some(now);
        let granted = *tokens >= 1.0;
        *tokens -= if granted { 1.0 } else { 0.0 };
        granted
    }

    fn put(&mut self, item: &Value) {
        let key = item["pk"]["S"].as_str().expect("a key").to_owned();
        self.items.insert(key, item.as_object().expect("an item").clone());
    }

    /// All or nothing, by the conditions that Steward writes.
    fn transact(&mut self, writes: &[Value]) -> (u16, Value) {
        let holds: Vec<bool> = writes.iter().map(|write| self.holds(write)).collect();
        if holds.contains(&false) {
            let reason = |held: &bool| json!({"Code": if *held { "None" } else { "ConditionalCheckFailed" }});
            let reasons: Vec<_> = holds.iter().map(reason).collect();
            return (400, json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons}));
        }
        for write in writes {
            if write["Put"].is_object() {
                self.put(&write["Put"]["Item"]);
            } else {
                self.update(&write["Update"]);
            }
        }
        (200, json!({}))
    }

    fn holds(&self, write: &Value) -> bool {
        let (body, key) = match &write["Put"] {
            Value::Null => (&write["Update"], &write["Update"]["Key"]["pk"]["S"]),
            put => (put, &put["Item"]["pk"]["S"]),
        };
        let item = self.items.get(key.as_str().expect("a key"));
        let number = |value: &Value| value["N"].as_str().and_then(|number| number.parse::<i64>().ok());
        let attribute = |name: &str| item.and_then(|item| number(item.get(name)?));
        let value = |name: &str| number(&body["ExpressionAttributeValues"][name]);
        match body["ConditionExpression"].as_str() {
            None => true,
            Some("attribute_not_exists(pk)") => item.is_none(),
            Some(text) if text.contains("claimed_at < :abandoned") => item
                .is_none_or(|item| item["completed"]["BOOL"] == false && attribute("claimed_at") < value(":abandoned")),
            Some("completed = :no AND claim = :mine") => item.is_some_and(|item| {
                item["completed"]["BOOL"] == false && item["claim"] == body["ExpressionAttributeValues"][":mine"]
            }),
            Some("revision = :expected") => attribute("revision") == value(":expected"),
            Some(text) if text.contains("admitted < :cap") => {
                attribute("admitted").unwrap_or(0) < value(":cap").unwrap_or(0)
            }
            Some(text) if text.contains("held_until < :now") => {
                attribute("held_until").is_none_or(|at| Some(at) < value(":now"))
            }
            Some(text) if text.contains("whole_since < :since") => {
                attribute("whole_since").is_none_or(|at| Some(at) < value(":since"))
            }
            Some(other) => panic!("{other} is not expected"),
        }
    }

    fn update(&mut self, update: &Value) {
        let key = update["Key"]["pk"]["S"].as_str().expect("a key").to_owned();
        let item = self.items.entry(key).or_default();
        let values = &update["ExpressionAttributeValues"];
        let sets: BTreeMap<&str, &str> =
            [("held_until", ":until"), ("whole_since", ":since"), ("expires_at", ":expiry")].into();
        let expression = update["UpdateExpression"].as_str().expect("an expression");
        if expression.contains("ADD admitted :one") {
            let admitted = item.get("admitted").and_then(|value| value["N"].as_str()?.parse().ok()).unwrap_or(0_u32);
            item.insert("admitted".to_owned(), json!({"N": (admitted + 1).to_string()}));
        }
        for (attribute, value) in sets {
            if expression.contains(&format!("{attribute} = {value}")) {
                item.insert(attribute.to_owned(), values[value].clone());
            }
        }
    }
}
