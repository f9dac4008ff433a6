//! What template.yaml says, with its references resolved as a deployment would.

use std::{collections::BTreeMap, fs, path::Path, sync::OnceLock, time::Duration};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::{document::SEALED, permissions::Permissions};

/// The account that the stack is in.
pub(crate) const ACCOUNT: &str = "111111111111";
const REGION: &str = "us-east-1";
/// The domains that addresses may be changed to: first that of the accounts that are there.
pub(crate) const EMAIL_DOMAINS: [&str; 2] = ["example.com", "new.example"];
/// The stack's name.
pub(crate) const STACK: &str = "steward";

/// The account that people sign in to; it is there in runs with people who do.
pub(crate) const JUMP: &str = "450000000000";

/// The unit for accounts that are to be closed, where a run has one.
pub(crate) const SUSPENDED_UNIT: &str = "ou-ab12-suspende";
/// The stack set that Steward takes accounts out of before it closes them.
pub(crate) const LEFT_STACK_SET: &str = "of-steward";

/// A function of the stack.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// Its name in the code, such as `account-requester`.
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) timeout: u64,
    pub(crate) environment: BTreeMap<String, String>,
    /// What its role may do.
    pub(crate) permissions: Permissions,
    pub(crate) unwaited: Unwaited,
}

/// What becomes of invocations that nobody waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unwaited {
    /// How often one that failed is tried again.
    pub(crate) retries: u64,
    /// How long one waits at most.
    pub(crate) oldest: Duration,
    /// Whether one that failed is kept, with its input.
    pub(crate) is_kept: bool,
}

impl Unwaited {
    /// What a function says of it, or the whole template.
    fn read(own: &Value, globals: &Value) -> Self {
        let config = if own.is_null() { globals } else { own };
        let number = |name: &str| config[name].as_u64().expect("a number");
        Self {
            retries: number("MaximumRetryAttempts"),
            oldest: Duration::from_secs(number("MaximumEventAgeInSeconds")),
            is_kept: config["DestinationConfig"]["OnFailure"].is_object(),
        }
    }
}

/// A queue that feeds a function.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    /// The function's logical id.
    pub(crate) function: String,
    pub(crate) queue: String,
    pub(crate) batch: usize,
    pub(crate) at_once: usize,
}

/// A bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bus {
    Default,
    /// The stack's.
    Own,
    /// That to which members forward what they hear.
    Members,
}

impl Bus {
    fn named(name: &Value) -> Self {
        match name.as_str() {
            None => Self::Default,
            Some(STACK) => Self::Own,
            Some(_) => Self::Members,
        }
    }
}

/// A rule, and where its events go.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) bus: Bus,
    pub(crate) pattern: Value,
    /// ARNs.
    pub(crate) targets: Vec<String>,
}

/// A schedule.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// The logical id of what it starts.
    pub(crate) target: String,
    /// How often; none where it names times of the day, such as those of sweeps, which people start in a run.
    pub(crate) period: Option<Duration>,
    pub(crate) input: Value,
}

/// A queue as it is declared.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) visibility: u64,
    /// The logical id of the queue of its dead letters, and after how many receipts.
    pub(crate) redrive: Option<(String, u64)>,
}

/// The stack.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    /// By logical id.
    pub(crate) functions: BTreeMap<String, Function>,
    /// The functions behind aliases and the names of these, by the logical ids of the aliases.
    pub(crate) aliases: BTreeMap<String, (String, String)>,
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) schedules: Vec<Schedule>,
}

impl Stack {
    /// Whether a queue takes what another one gives up.
    pub(crate) fn is_for_dead_letters(&self, name: &str) -> bool {
        self.queues.values().any(|queue| queue.redrive.as_ref().is_some_and(|(to, _)| last(to) == name))
    }
}

/// The stack of this checkout.
pub(crate) fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(read)
}

/// A file of the checkout.
pub(crate) fn file(path: &str) -> String {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read() -> Stack {
    let text = file("template.yaml");
    let documents = Yaml::load_from_str(&text).expect("template.yaml is YAML");
    let template = to_json(&documents[0]);
    let resolver = Resolver { template: &template };
    let mut stack = Stack::default();
    let resources = template["Resources"].as_object().expect("resources");
    for (id, resource) in resources {
        let properties = resolver.resolve(&resource["Properties"]);
        match resource["Type"].as_str().unwrap_or_default() {
            "AWS::SQS::Queue" => {
                let redrive = properties["RedrivePolicy"]["deadLetterTargetArn"].as_str().map(|arn| {
                    let most = properties["RedrivePolicy"]["maxReceiveCount"].as_u64().expect("maxReceiveCount");
                    (last(arn).to_owned(), most)
                });
                let visibility = properties["VisibilityTimeout"].as_u64().unwrap_or(30);
                stack.queues.insert(id.clone(), Queue { visibility, redrive });
            }
            "AWS::Events::Rule" => stack.rules.push(Rule {
                name: id.clone(),
                bus: Bus::named(&properties["EventBusName"]),
                pattern: properties["EventPattern"].clone(),
                targets: items(&properties["Targets"]).map(|target| text_of(&target["Arn"])).collect(),
            }),
            "AWS::Serverless::Function" => read_function(&mut stack, resources, &resolver, id, resource, &properties),
            "AWS::Lambda::Alias" => {
                let function = text_of(&resource["Properties"]["FunctionName"]["Ref"]);
                stack.aliases.insert(id.clone(), (function, text_of(&properties["Name"])));
            }
            "AWS::Serverless::StateMachine" => {
                for event in properties["Events"].as_object().expect("events").values() {
                    stack.schedules.push(schedule(id, &event["Properties"]));
                }
            }
            _ => {}
        }
    }
    stack
}

fn read_function(
    stack: &mut Stack,
    resources: &Map<String, Value>,
    resolver: &Resolver<'_>,
    id: &str,
    resource: &Value,
    properties: &Value,
) {
    let globals = resolver.resolve(&resolver.template["Globals"]["Function"]["Environment"]["Variables"]);
    let own = &properties["Environment"]["Variables"];
    let variables = [&globals, own].into_iter().filter_map(Value::as_object).flatten();
    let environment = variables.map(|(name, value)| (name.clone(), text_of(value))).collect();
    let role = last(properties["Role"].as_str().expect("a role")).to_owned();
    let role_id = role.trim_start_matches("role/");
    let role = resolver.resolve(&resources[role_id]["Properties"]);
    let apart = resources.iter().filter(|(_, other)| other["Type"] == "AWS::IAM::Policy");
    let apart = apart.map(|(_, other)| resolver.resolve(&other["Properties"]));
    let of_role = apart.filter(|policy| items(&policy["Roles"]).any(|it| it.as_str() == Some(role_id)));
    let policies = items(&role["Policies"]).cloned().chain(of_role);
    let policies: Vec<Value> = policies.collect();
    let statements = policies.iter().flat_map(|policy| items(&policy["PolicyDocument"]["Statement"]));
    let function = Function {
        name: text_of(&resource["Metadata"]["BuildProperties"]["Binary"]),
        arn: resolver.arn(id),
        timeout: properties["Timeout"].as_u64().expect("a timeout"),
        environment,
        permissions: Permissions::of(statements),
        unwaited: Unwaited::read(
            &properties["EventInvokeConfig"],
            &resolver.resolve(&resolver.template["Globals"]["Function"]["EventInvokeConfig"]),
        ),
    };
    for (name, event) in properties["Events"].as_object().into_iter().flatten() {
        let details = &event["Properties"];
        match event["Type"].as_str().expect("a type") {
            "SQS" => stack.mappings.push(Mapping {
                function: id.to_owned(),
                queue: last(details["Queue"].as_str().expect("a queue")).to_owned(),
                batch: usize::try_from(details["BatchSize"].as_u64().expect("a size")).expect("small"),
                at_once: usize::try_from(details["ScalingConfig"]["MaximumConcurrency"].as_u64().expect("a bound"))
                    .expect("small"),
            }),
            "EventBridgeRule" => stack.rules.push(Rule {
                name: format!("{id}{name}"),
                bus: Bus::named(&details["EventBusName"]),
                pattern: details["Pattern"].clone(),
                targets: vec![resolver.arn(id)],
            }),
            "ScheduleV2" => stack.schedules.push(schedule(id, details)),
            other => panic!("events of type {other} are not simulated"),
        }
    }
    stack.functions.insert(id.to_owned(), function);
}

fn schedule(target: &str, properties: &Value) -> Schedule {
    Schedule {
        target: target.to_owned(),
        period: period(&text_of(&properties["ScheduleExpression"])),
        input: serde_json::from_str(properties["Input"].as_str().unwrap_or("{}")).expect("input is JSON"),
    }
}

/// The period of `rate(5 minutes)`.
fn period(expression: &str) -> Option<Duration> {
    let rate = expression.strip_prefix("rate(")?.strip_suffix(')')?;
    let (number, unit) = rate.split_once(' ').expect("a number and a unit");
    let number = number.parse().expect("a number");
    Some(match unit.trim_end_matches('s') {
        "minute" => Duration::from_mins(number),
        "hour" => Duration::from_hours(number),
        "day" => Duration::from_hours(24 * number),
        other => panic!("rates in {other} are not simulated"),
    })
}

/// The name at the end of an ARN or URL.
pub(crate) fn last(name: &str) -> &str {
    name.rsplit([':', '/']).next().unwrap_or(name)
}

pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The texts of a member of a policy, which holds one or a list of them.
pub(crate) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_str().into_iter().chain(items(value).filter_map(Value::as_str))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

struct Resolver<'a> {
    template: &'a Value,
}

impl Resolver<'_> {
    fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Array(values) => values.iter().map(|value| self.resolve(value)).collect(),
            Value::Object(fields) => {
                if let (1, Some((name, argument))) = (fields.len(), fields.iter().next())
                    && (name == "Ref" || name.starts_with("Fn::"))
                {
                    return self.call(name, argument);
                }
                fields.iter().map(|(name, value)| (name.clone(), self.resolve(value))).collect()
            }
            plain => plain.clone(),
        }
    }

    fn call(&self, function: &str, argument: &Value) -> Value {
        match function {
            "Ref" => self.reference(argument.as_str().expect("a name")),
            "Fn::GetAtt" => self.attribute(argument.as_str().expect("a name")).into(),
            "Fn::Sub" => match argument {
                Value::Array(parts) => {
                    let mut text = parts[0].as_str().expect("a text").to_owned();
                    for (name, value) in parts[1].as_object().expect("names") {
                        text = text.replace(&format!("${{{name}}}"), &text_of(&self.resolve(value)));
                    }
                    self.substituted(&text).into()
                }
                text => self.substituted(text.as_str().expect("a text")).into(),
            },
            "Fn::Split" => {
                let text = text_of(&self.resolve(&argument[1]));
                text.split(argument[0].as_str().expect("a separator")).map(Value::from).collect()
            }
            "Fn::Join" => {
                let parts: Vec<String> = items(&self.resolve(&argument[1])).map(text_of).collect();
                parts.join(argument[0].as_str().expect("a separator")).into()
            }
            "Fn::If" => {
                let is_met = match argument[0].as_str().expect("a condition") {
                    "HasBaselineDocument"
                    | "HasEmailDomains"
                    | "HasOrganization"
                    | "AsksCostExplorer"
                    | "ClosesAccounts"
                    | "HasJumpAccount"
                    | "LeavesStackSets" => true,
                    // The account is named, but IAM does not keep Steward out of it: the functions must, by themselves.
                    "HasProtectedAccounts"
                    | "ChecksSignatures"
                    | "HasDelegatedAdministrators"
                    | "HearsMembers"
                    | "IsJumpAccount"
                    | "NamesAccounts" => false,
                    other => panic!("the condition {other} is not simulated"),
                };
                self.resolve(&argument[if is_met { 1 } else { 2 }])
            }
            other => panic!("{other} is not simulated"),
        }
    }

    fn reference(&self, name: &str) -> Value {
        match name {
            "AWS::Region" => REGION.into(),
            "AWS::AccountId" => ACCOUNT.into(),
            "AWS::Partition" => "aws".into(),
            "AWS::StackName" => STACK.into(),
            "AWS::NoValue" => Value::Null,
            "AlertEmail" => "alerts@example.com".into(),
            "ProtectedAccounts" => SEALED.into(),
            "BaselineKey" => "baseline.yaml".into(),
            "JumpAccountId" => JUMP.into(),
            "SuspendedUnitId" => SUSPENDED_UNIT.into(),
            "StackSetsToLeave" => LEFT_STACK_SET.into(),
            "AskCostExplorer" => "yes".into(),
            "EmailDomains" => EMAIL_DOMAINS.join(",").into(),
            _ if self.template["Parameters"].get(name).is_some() => {
                let default = &self.template["Parameters"][name]["Default"];
                if default.is_null() { "".into() } else { default.clone() }
            }
            _ => match self.template["Resources"][name]["Type"].as_str() {
                Some("AWS::SQS::Queue") => format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}").into(),
                Some("AWS::SNS::Topic" | "AWS::Serverless::StateMachine" | "AWS::CloudWatch::Alarm") => {
                    self.arn(name).into()
                }
                Some("AWS::S3::Bucket") => name.to_lowercase().into(),
                Some("AWS::Events::EventBus") if name != "MemberBus" => STACK.into(),
                Some(_) => name.into(),
                None => panic!("the template has no {name}"),
            },
        }
    }

    fn attribute(&self, name: &str) -> String {
        let (id, attribute) = name.split_once('.').expect("an attribute");
        match attribute {
            "Arn" => self.arn(id),
            _ => id.to_owned(),
        }
    }

    /// The ARN of a resource; those of SAM's own rules are not in the template.
    fn arn(&self, id: &str) -> String {
        let of = |service: &str, rest: String| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}");
        match self.template["Resources"][id]["Type"].as_str().unwrap_or("AWS::Events::Rule") {
            "AWS::SQS::Queue" => of("sqs", id.to_owned()),
            "AWS::SNS::Topic" => of("sns", id.to_owned()),
            "AWS::DynamoDB::Table" => of("dynamodb", format!("table/{id}")),
            "AWS::Events::EventBus" => of("events", format!("event-bus/{STACK}")),
            "AWS::Events::Rule" => of("events", format!("rule/{id}")),
            "AWS::Serverless::Function" => of("lambda", format!("function:{id}")),
            "AWS::Serverless::StateMachine" => of("states", format!("stateMachine:{id}")),
            "AWS::CloudWatch::Alarm" => of("cloudwatch", format!("alarm:{id}")),
            "AWS::S3::Bucket" => format!("arn:aws:s3:::{}", id.to_lowercase()),
            "AWS::IAM::Role" => format!("arn:aws:iam::{ACCOUNT}:role/{id}"),
            _ => of("other", id.to_owned()),
        }
    }

    fn substituted(&self, text: &str) -> String {
        let mut rest = text;
        let mut done = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').expect("a closing brace");
            done.push_str(before);
            let is_attribute = name.contains('.') && !name.starts_with("AWS::");
            done += &if is_attribute { self.attribute(name) } else { text_of(&self.reference(name)) };
            rest = after;
        }
        done + rest
    }
}

fn to_json(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.0),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Sequence(values) => values.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.as_str().expect("a key").to_owned(), to_json(value)));
            Value::Object(entries.collect())
        }
        Yaml::Tagged(tag, value) => match tag.suffix.as_str() {
            "Ref" => json!({"Ref": to_json(value)}),
            function => json!({format!("Fn::{function}"): to_json(value)}),
        },
        other => panic!("nothing that a template holds: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::About;

    #[test]
    fn whoever_looks_at_every_account_may_look_at_the_one_of_the_stack() {
        let own = format!("arn:aws:account::{ACCOUNT}:account");
        for action in ["account:GetAlternateContact", "account:GetContactInformation", "account:ListRegions"] {
            let about = About { resource: &own, key: None, domain: "" };
            for function in ["BaselineApplier", "ComplianceChecker"] {
                assert!(stack().functions[function].permissions.allow(action, &about), "{function} may not {action}");
            }
        }
    }

    #[test]
    fn an_hour_is_no_minute() {
        assert_eq!(period("rate(5 minutes)"), Some(Duration::from_mins(5)));
        assert_eq!(period("rate(1 hour)"), Some(Duration::from_hours(1)));
        assert_eq!(period("rate(2 days)"), Some(Duration::from_hours(48)));
        assert_eq!(period("cron(0 6 * * ? *)"), None);
    }
}
