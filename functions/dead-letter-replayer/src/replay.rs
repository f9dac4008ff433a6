//! Where something that was given up is to be sent again, and whether it may be. Pure.
//!
//! A message is data: whoever may put one into a queue of this stack must not thereby choose what is invoked, nor with
//! what. Sent again is only what a rule or a schedule of the stack makes, to where that rule or schedule sends it.

use serde::Serialize;
use serde_json::{Value, json};

/// A message that was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetter {
    /// What it says.
    pub body: String,
    /// Where EventBridge or its scheduler could not deliver it to: their attribute `TARGET_ARN`.
    pub target_arn: Option<String>,
    /// The schedule that it comes from: the scheduler's attribute `SCHEDULE_ARN`.
    pub schedule_arn: Option<String>,
    /// Who has sent it, as Amazon SQS says.
    pub sender: Option<String>,
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// A queue, by its URL.
    Queue(String),
    /// A function, by its ARN, to be invoked asynchronously.
    Function(String),
    /// Nowhere: the next run of its schedule does the same, in words. It is removed.
    Nowhere(&'static str),
}

/// What is to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resend {
    /// Where to.
    pub to: Destination,
    /// The message or event, as it was.
    pub payload: String,
}

/// A queue and the queue of its dead letters, by their URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What both are called by people.
    pub name: String,
    /// Where messages end that were given up.
    pub dead_letters: String,
    /// Where they came from.
    pub queue: String,
}

impl From<[String; 3]> for Route {
    /// Of its name, the URL of the dead letters and that of the queue.
    fn from([name, dead_letters, queue]: [String; 3]) -> Self {
        Self { name, dead_letters, queue }
    }
}

/// A function that a rule or a schedule invokes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayFunction {
    /// Its name: `create-account-poller`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

impl From<(String, String)> for ReplayFunction {
    /// Of its name and its ARN.
    fn from((name, arn): (String, String)) -> Self {
        Self { name, arn }
    }
}

impl Route {
    /// A dead letter goes where it came from, as it is.
    pub fn resend(&self, dead_letter: DeadLetter) -> Resend {
        Resend { to: Destination::Queue(self.queue.clone()), payload: dead_letter.body }
    }
}

/// What the rules of the stack send to a queue: the queue's name, the `source` of the events, and what they are told by, a
/// `detail-type` or an `eventName` (any, where none is listed). A source that ends with a dot stands for all that begin so.
pub const RULES: &[(&str, &str, &[&str])] = &[
    ("account-creation", "aws.organizations", &["CreateAccountResult"]),
    // Whoever may put events on the bus of requests asks in a name of their own.
    ("account-request", "", &["AccountRequested"]),
    ("activity", "aws.", &[]),
    (
        "baseline",
        "aws.organizations",
        &[
            "AccountDepartedOrganization",
            "AccountJoinedOrganization",
            "CloseAccountResult",
            "MoveAccount",
            "TagResource",
            "UntagResource",
            "UpdateOrganizationalUnit",
        ],
    ),
    ("baseline", "aws.s3", &["Object Created"]),
    ("baseline", "steward", &["AccountCreated"]),
    ("notification", "steward", &[]),
    ("region-audit", "aws.account", &["DisableRegion", "EnableRegion", "Region Opt-In Status Change"]),
];

/// What rules and schedules invoke functions with: the function's name, and the shape of what it is sent.
pub const INVOKED: &[(&str, Shape)] = &[("create-account-poller", Shape::Schedule)];

/// What schedules invoke functions with that people call as well: the function's name, and the input. A message is not to
/// choose such a function, and the next run of the schedule does the same.
pub const LEFT_TO_THE_NEXT_RUN: &[(&str, &str)] = &[
    ("account-closer", r#"{"advance": true, "mode": "apply"}"#),
    ("account-updater", r#"{"task": "follow-email-changes", "mode": "apply"}"#),
    ("jump-user-manager", r#"{"expire_passwords": true, "mode": "apply"}"#),
    ("jump-user-manager", r#"{"review": true, "mode": "apply"}"#),
];

/// The shape of what a function is invoked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The empty input of a schedule.
    Schedule,
}

/// Where an undeliverable event or invocation goes: to the target that it names, if that is one of this stack and rules or
/// schedules send such things there. `own_role_ids` are the unique ids of the functions' roles.
///
/// Shapes: EventBridge user guide, "Using dead-letter queues to process undelivered events"; EventBridge Scheduler user
/// guide, "Configuring a dead-letter queue for EventBridge Scheduler"; AWS Lambda developer guide, "Capturing records of
/// Lambda asynchronous invocations".
///
/// # Errors
///
/// Why it cannot be sent again, as a sentence.
pub fn undeliverable(
    dead_letter: DeadLetter,
    routes: &[Route],
    functions: &[ReplayFunction],
    own_role_ids: &[String],
) -> Result<Resend, String> {
    let is_delivery = dead_letter.target_arn.is_some();
    let (target, payload) = match dead_letter.target_arn {
        Some(target) => (target, dead_letter.body),
        None => failed_invocation(&dead_letter.body).ok_or("It says neither a target nor a function that failed.")?,
    };
    // In the name of a function, Lambda reports failed invocations, and nobody anything else.
    let is_by_function = dead_letter.sender.is_some_and(|sender| {
        let id = sender.split(':').next().unwrap_or_default();
        own_role_ids.iter().any(|own| own == id)
    });
    if is_delivery && is_by_function {
        return Err("It says that it could not be delivered, but a function of this stack has sent it.".to_owned());
    }
    let content: Option<Value> = serde_json::from_str(&payload).ok();
    let content = content.unwrap_or_default();
    if dead_letter.schedule_arn.is_some() && target.contains(":states:") {
        return if content == json!({"trigger": "schedule"}) || content["Input"].is_string() {
            let why = "The next run of the schedule does the same; the state machine can be started by hand before.";
            Ok(Resend { to: Destination::Nowhere(why), payload })
        } else {
            Err("It is not what the schedule of the sweep sends.".to_owned())
        };
    }
    if target.contains(":lambda:") && is_left_to_the_next_run(&content) {
        let why = "The next run of the schedule does the same; a person can invoke the function before.";
        return Ok(Resend { to: Destination::Nowhere(why), payload });
    }
    if target.contains(":lambda:") && is_told_of_closing(&content) {
        let why = "The next run of the schedule looks what has become of every account that is being closed.";
        return Ok(Resend { to: Destination::Nowhere(why), payload });
    }
    let named =
        |route: &&Route| target.contains(":sqs:") && route.queue.rsplit('/').next() == target.rsplit(':').next();
    if let Some(route) = routes.iter().find(named) {
        return if is_of_a_rule(&route.name, &content) {
            Ok(Resend { to: Destination::Queue(route.queue.clone()), payload })
        } else {
            Err(format!("No rule of this stack sends such a message to the queue {}.", route.name))
        };
    }
    // A failed invocation names the version as well.
    let is_of = |function: &&ReplayFunction| {
        target == function.arn || target.strip_prefix(&function.arn).is_some_and(|version| version.starts_with(':'))
    };
    let Some(function) = functions.iter().find(is_of) else {
        return Err(format!(
            "Its target {target} is nothing that a rule or a schedule of this stack invokes. A function that people call \
             is invoked again by a person."
        ));
    };
    let shapes = INVOKED.iter().filter(|(name, _)| *name == function.name);
    if shapes.into_iter().any(|(_, shape)| shape.fits(&content)) {
        Ok(Resend { to: Destination::Function(function.arn.clone()), payload })
    } else {
        Err(format!("No rule or schedule of this stack invokes {} with such an input.", function.name))
    }
}

impl Shape {
    fn fits(self, content: &Value) -> bool {
        match self {
            Self::Schedule => *content == json!({}),
        }
    }
}

/// Whether it is the input of a schedule whose next run does the same. Nothing is invoked for it, whatever it names.
fn is_left_to_the_next_run(content: &Value) -> bool {
    LEFT_TO_THE_NEXT_RUN
        .iter()
        .any(|(_, input)| serde_json::from_str::<Value>(input).is_ok_and(|input| input == *content))
}

/// Whether it is what a rule sends to account-closer, which people call as well: that AWS has closed an account. AWS may lose
/// such an event, so that nothing hangs on it.
fn is_told_of_closing(content: &Value) -> bool {
    content["source"] == "aws.organizations" && content["detail"]["eventName"] == "CloseAccountResult"
}

/// Whether a rule of the stack sends such an event to the queue of this name.
fn is_of_a_rule(queue: &str, event: &Value) -> bool {
    let source = event["source"].as_str().unwrap_or_default();
    let names = [event["detail-type"].as_str(), event["detail"]["eventName"].as_str()];
    let is_event = event["detail-type"].is_string() && event["detail"].is_object();
    is_event
        && RULES.iter().any(|(name, from, detail_types)| {
            let is_from = match *from {
                "" => true,
                from if from.ends_with('.') => source.starts_with(from),
                from => source == from,
            };
            *name == queue
                && is_from
                && (detail_types.is_empty() || names.iter().flatten().any(|one| detail_types.contains(one)))
        })
}

/// The function and the payload of an asynchronous invocation that failed for good.
fn failed_invocation(body: &str) -> Option<(String, String)> {
    let record: Value = serde_json::from_str(body).ok()?;
    let function = record["requestContext"]["functionArn"].as_str()?;
    let payload = record.get("requestPayload")?;
    Some((function.to_owned(), payload.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111111111111/steward-BaselineQueue-1A";
    const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:111111111111:steward-BaselineQueue-1A";
    const POLLER: &str = "arn:aws:lambda:us-east-1:111111111111:function:steward-CreateAccountPoller-2B";
    const RUNNER: &str = "arn:aws:lambda:us-east-1:111111111111:function:steward-RootTaskRunner-4D";
    const SWEEP: &str = "arn:aws:states:us-east-1:111111111111:stateMachine:steward";

    fn again(dead_letter: DeadLetter) -> Result<Resend, String> {
        let route = Route { name: "baseline".to_owned(), dead_letters: "-".to_owned(), queue: QUEUE.to_owned() };
        let function = |name: &str, arn: &str| ReplayFunction { name: name.to_owned(), arn: arn.to_owned() };
        let functions = [function("create-account-poller", POLLER)];
        undeliverable(dead_letter, &[route], &functions, &["AROAFUNCTION".to_owned()])
    }

    fn delivery(body: &Value, target: &str) -> DeadLetter {
        DeadLetter { body: body.to_string(), target_arn: Some(target.to_owned()), ..DeadLetter::default() }
    }

    fn scheduled(body: &Value, target: &str) -> DeadLetter {
        let schedule_arn = Some("arn:aws:scheduler:us-east-1:111111111111:schedule/default/x".to_owned());
        DeadLetter { schedule_arn, sender: Some("AROASCHEDULE:x".to_owned()), ..delivery(body, target) }
    }

    fn failed(function: &str, payload: &Value) -> DeadLetter {
        let record = json!({"version": "1.0", "requestContext": {"functionArn": format!("{function}:$LATEST"),
            "condition": "RetriesExhausted"}, "requestPayload": payload, "responsePayload": {"errorType": "x"}});
        DeadLetter {
            body: record.to_string(),
            sender: Some("AROAFUNCTION:steward-x".to_owned()),
            ..DeadLetter::default()
        }
    }

    fn event(source: &str, detail_type: &str, detail: &Value) -> Value {
        json!({"source": source, "detail-type": detail_type, "detail": detail})
    }

    #[test]
    fn an_event_goes_to_the_queue_or_function_that_it_did_not_reach() {
        let created = event("steward", "AccountCreated", &json!({"account_id": "222222222222"}));
        let joined = event("aws.organizations", "x", &json!({"eventName": "AccountJoinedOrganization"}));
        for event in [created, joined] {
            let to_queue = again(delivery(&event, QUEUE_ARN)).unwrap();
            assert_eq!(to_queue, Resend { to: Destination::Queue(QUEUE.to_owned()), payload: event.to_string() });
        }
    }

    #[test]
    fn a_request_goes_to_its_queue_again_whoever_has_asked_and_nothing_else_does() {
        let asked = |detail_type: &str| event("portal", detail_type, &json!({"email": "a@example.com"}));
        assert!(is_of_a_rule("account-request", &asked("AccountRequested")));
        assert!(!is_of_a_rule("account-request", &asked("AccountCreated")));
        assert!(!is_of_a_rule("baseline", &asked("AccountRequested")));
    }

    #[test]
    fn what_a_schedule_could_not_start_is_started_or_left_to_its_next_run() {
        let poll = again(scheduled(&json!({}), POLLER)).unwrap();
        assert_eq!(poll, Resend { to: Destination::Function(POLLER.to_owned()), payload: "{}".to_owned() });
        let sweep = again(scheduled(&json!({"trigger": "schedule"}), SWEEP)).unwrap();
        assert!(matches!(sweep.to, Destination::Nowhere(_)), "{sweep:?}");
        assert!(again(scheduled(&json!({"trigger": "someone"}), SWEEP)).is_err());
    }

    #[test]
    fn what_a_schedule_asks_of_a_function_that_people_call_is_left_to_its_next_run_and_nothing_else_is() {
        const MANAGER: &str = "arn:aws:lambda:us-east-1:111111111111:function:steward-JumpUserManager-5E";
        let expire = json!({"expire_passwords": true, "mode": "apply"});
        for dead_letter in [scheduled(&expire, MANAGER), failed(MANAGER, &expire)] {
            assert!(matches!(again(dead_letter).unwrap().to, Destination::Nowhere(_)));
        }
        let made = json!({"user_name": "mallory", "groups": ["group-admin"], "mode": "apply"});
        for dead_letter in [scheduled(&made, MANAGER), failed(MANAGER, &made), delivery(&made, MANAGER)] {
            assert!(again(dead_letter).unwrap_err().contains("invoked again by a person"));
        }
    }

    #[test]
    fn that_an_account_is_closed_is_left_to_the_next_look_at_those_that_are_being_closed() {
        const CLOSER: &str = "arn:aws:lambda:us-east-1:111111111111:function:steward-AccountCloser-6F";
        let told = |name: &str| event("aws.organizations", "AWS Service Event", &json!({"eventName": name}));
        let closed = told("CloseAccountResult");
        for dead_letter in [failed(CLOSER, &closed), delivery(&closed, CLOSER)] {
            assert!(matches!(again(dead_letter).unwrap().to, Destination::Nowhere(_)));
        }
        for other in [told("MoveAccount"), event("portal", "x", &json!({"eventName": "CloseAccountResult"}))] {
            assert!(again(failed(CLOSER, &other)).is_err(), "{other}");
        }
        let for_a_queue = again(delivery(&closed, QUEUE_ARN)).map(|resend| resend.to);
        assert!(!matches!(for_a_queue, Ok(Destination::Nowhere(_))), "{for_a_queue:?}");
    }

    #[test]
    fn a_failed_invocation_is_made_again_with_what_it_was_made_with() {
        let polled = again(failed(POLLER, &json!({}))).unwrap();
        assert_eq!((polled.to, polled.payload), (Destination::Function(POLLER.to_owned()), "{}".to_owned()));
    }

    #[test]
    fn a_forged_letter_invokes_no_function_that_people_call() {
        let recovery = json!({"task": "allow-password-recovery", "account_id": "222222222222", "mode": "apply"});
        for dead_letter in [failed(RUNNER, &recovery), delivery(&recovery, RUNNER), scheduled(&recovery, RUNNER)] {
            assert!(again(dead_letter).unwrap_err().contains("invoked again by a person"));
        }
    }

    #[test]
    fn a_forged_letter_gives_a_function_or_a_queue_nothing_that_its_rules_and_schedules_do_not_send() {
        for dead_letter in [
            failed(POLLER, &json!({"email": "a@example.com"})),
            scheduled(&json!({"all": true}), POLLER),
            delivery(&json!({"account_id": "222222222222"}), QUEUE_ARN),
            delivery(&event("portal", "AccountCreated", &json!({})), QUEUE_ARN),
            delivery(&event("steward", "BaselineApplied", &json!({})), QUEUE_ARN),
        ] {
            let refused = again(dead_letter.clone()).unwrap_err();
            assert!(refused.starts_with("No rule"), "{dead_letter:?}: {refused}");
        }
    }

    #[test]
    fn what_a_function_has_sent_in_the_name_of_eventbridge_or_the_scheduler_is_not_believed() {
        let created = event("steward", "AccountCreated", &json!({"account_id": "222222222222"}));
        for dead_letter in [delivery(&created, QUEUE_ARN), scheduled(&json!({}), POLLER)] {
            let forged = DeadLetter { sender: Some("AROAFUNCTION:steward-x".to_owned()), ..dead_letter };
            assert!(again(forged).unwrap_err().contains("a function of this stack has sent it"));
        }
        let real = DeadLetter { sender: Some("AROAEVENTS:x".to_owned()), ..delivery(&created, QUEUE_ARN) };
        assert!(again(real).is_ok());
    }

    #[test]
    fn what_belongs_elsewhere_stays_where_it_is() {
        for target in [format!("{POLLER}-other"), "arn:aws:sqs:us-east-1:1:other".to_owned(), QUEUE.to_owned()] {
            assert!(again(delivery(&json!({}), &target)).unwrap_err().contains("nothing that a rule"), "{target}");
        }
        for body in ["", "{}", "[1]", r#"{"requestContext": {"functionArn": "x"}}"#] {
            let dead_letter = DeadLetter { body: body.to_owned(), ..DeadLetter::default() };
            assert!(again(dead_letter).unwrap_err().starts_with("It says neither"), "{body}");
        }
    }
}
