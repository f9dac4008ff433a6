//! Where something that was given up is to be sent again. Pure.

use serde::Serialize;
use serde_json::Value;

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What it says.
    pub body: String,
    /// Where EventBridge or the scheduler could not deliver it to: their attribute `TARGET_ARN`.
    pub target_arn: Option<String>,
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// A queue, by its URL.
    Queue(String),
    /// A function, by its ARN, to be invoked asynchronously.
    Function(String),
}

/// What is to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resend {
    /// Where to.
    pub to: Destination,
    /// What.
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

impl Route {
    /// A dead letter goes where it came from, as it is.
    pub fn resend(&self, letter: Letter) -> Resend {
        Resend { to: Destination::Queue(self.queue.clone()), payload: letter.body }
    }
}

/// Where an undeliverable event or invocation goes: to the target that it names, if that is one of this stack. `queues`
/// are URLs, `functions` ARNs.
///
/// Shapes: EventBridge user guide, "Using dead-letter queues to process undelivered events"; AWS Lambda developer guide,
/// "Capturing records of Lambda asynchronous invocations".
///
/// # Errors
///
/// Why it cannot be sent again, as a sentence.
pub fn undeliverable(letter: Letter, queues: &[&str], functions: &[String]) -> Result<Resend, String> {
    let (target, payload) = match letter.target_arn {
        Some(target) => (target, letter.body),
        None => failed_invocation(&letter.body).ok_or("It says neither a target nor a function that failed.")?,
    };
    let named = |url: &&&str| target.contains(":sqs:") && url.rsplit('/').next() == target.rsplit(':').next();
    // A failed invocation names the version as well.
    let is_of =
        |arn: &&String| target == **arn || target.strip_prefix(arn.as_str()).is_some_and(|v| v.starts_with(':'));
    let to = match (queues.iter().find(named), functions.iter().find(is_of)) {
        (Some(url), _) => Destination::Queue((*url).to_owned()),
        (None, Some(arn)) => Destination::Function(arn.clone()),
        (None, None) => return Err(format!("Its target {target} is not of this stack.")),
    };
    Ok(Resend { to, payload })
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
    use serde_json::json;

    use super::*;

    const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111111111111/steward-BaselineQueue-1A";
    const FUNCTION: &str = "arn:aws:lambda:us-east-1:111111111111:function:steward-AccountRequester-2B";

    fn resend(body: &str, target: Option<&str>) -> Result<Resend, String> {
        let letter = Letter { body: body.to_owned(), target_arn: target.map(ToOwned::to_owned) };
        undeliverable(letter, &[QUEUE], &[FUNCTION.to_owned()])
    }

    #[test]
    fn an_event_goes_to_the_queue_or_function_that_it_did_not_reach() {
        let to_queue = resend("{}", Some("arn:aws:sqs:us-east-1:111111111111:steward-BaselineQueue-1A")).unwrap();
        assert_eq!(to_queue, Resend { to: Destination::Queue(QUEUE.to_owned()), payload: "{}".to_owned() });
        let to_function = resend("{}", Some(FUNCTION)).unwrap();
        assert_eq!(to_function.to, Destination::Function(FUNCTION.to_owned()));
    }

    #[test]
    fn a_failed_invocation_is_made_again_with_what_it_was_made_with() {
        let record = json!({"version": "1.0", "requestContext": {"functionArn": format!("{FUNCTION}:$LATEST"),
            "condition": "RetriesExhausted"}, "requestPayload": {"a": 1}, "responsePayload": {"errorType": "x"}});
        let again = resend(&record.to_string(), None).unwrap();
        assert_eq!(again, Resend { to: Destination::Function(FUNCTION.to_owned()), payload: r#"{"a":1}"#.to_owned() });
    }

    #[test]
    fn what_belongs_elsewhere_stays_where_it_is() {
        for target in [format!("{FUNCTION}-other"), "arn:aws:sqs:us-east-1:1:other".to_owned(), QUEUE.to_owned()] {
            assert!(resend("{}", Some(&target)).unwrap_err().contains("not of this stack"), "{target}");
        }
        for body in ["", "{}", "[1]", r#"{"requestContext": {"functionArn": "x"}}"#] {
            assert!(resend(body, None).unwrap_err().starts_with("It says neither"), "{body}");
        }
    }
}
