//! Broken, strange and hostile payloads, given to every function as AWS would hand them over.
//!
//! A payload begins as one of the samples in `events`, and is changed a few times at random. The function behind it is
//! the real one; AWS is replaced by one that refuses everything, or by one that is empty. Two things must hold: nothing
//! makes a function panic, and no message of a queue is taken without a failure and without a single call, since nobody
//! would ever hear of it again.

mod cloud;
mod functions;
mod mutate;
mod samples;

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
};

use futures_util::FutureExt;
use serde_json::{Value, json};
use steward::audit::cloudtrail::REARRANGING;

pub use cloud::Cloud;
use functions::FUNCTIONS;

/// What was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// How many payloads.
    pub payloads: u64,
    /// How many of them came in a message of a queue.
    pub messages: u64,
    /// How many were answered without a failure.
    pub answered: u64,
}

/// A payload that a function did wrong by.
#[derive(Debug)]
pub struct Fault {
    /// The function.
    pub function: &'static str,
    /// What it did.
    pub did: &'static str,
    /// With what.
    pub payload: Value,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.function, self.did, self.payload)
    }
}

/// Gives so many payloads to functions, the same for the same seed, and says what they did wrong.
///
/// # Panics
///
/// If the samples cannot be read.
pub async fn try_out(seed: u64, payloads: u64) -> (Tried, Vec<Fault>) {
    let samples = samples::read();
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut tried, mut faults) = (Tried::default(), Vec::new());
    let before = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    for n in 0..payloads {
        // A cold start now and then: what a warm function remembers must not hide what a new one does.
        let cloud = if n % 2 == 0 { Cloud::refusing() } else { Cloud::empty() };
        let of = &samples[random.usize(..samples.len())];
        // Now and then what is meant for another function, which a wrong rule would bring.
        let from = if random.u8(..) < 192 { of } else { &samples[random.usize(..samples.len())] };
        let (payload, is_message) = payload(&from.own, of.has_queue, &mut random);
        tried.payloads += 1;
        tried.messages += u64::from(is_message);
        match answer(of.function, payload.clone(), &cloud).await {
            Err(did) => faults.push(Fault { function: of.function, did, payload }),
            Ok(answer) => {
                let failed = answer.as_ref().is_some_and(has_failures);
                tried.answered += u64::from(answer.is_some() && !failed);
                if is_message && answer.is_some() && !failed && cloud.calls() == 0 && !may_be_for_nothing(&payload) {
                    faults.push(Fault { function: of.function, did: "dropped a message silently", payload });
                }
            }
        }
    }
    panic::set_hook(before);
    (tried, faults)
}

/// A changed sample, as it is or in a message of a queue; and whether it is in one.
fn payload(samples: &[Value], has_queue: bool, random: &mut fastrand::Rng) -> (Value, bool) {
    let mut payload = samples[random.usize(..samples.len())].clone();
    for _ in 0..random.usize(0..6) {
        mutate::value(&mut payload, random);
    }
    if !has_queue || random.u8(..) < 64 {
        return (payload, false);
    }
    let mut body = payload.to_string();
    if random.u8(..) < 32 {
        mutate::text(&mut body, random);
    }
    (json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": body}]}), true)
}

/// Whether a function may have nothing to do about a message: it is the record of a call that AWS refused, which has changed
/// nothing, or tells of accounts that were moved, tagged or renamed, by which no document here says who reaches them.
fn may_be_for_nothing(payload: &Value) -> bool {
    let body = payload["Records"][0]["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    body.is_some_and(|body| {
        let name = body["detail"]["eventName"].as_str().unwrap_or_default();
        !body["detail"]["errorCode"].is_null() || REARRANGING.contains(&name)
    })
}

/// What the function answers; None when it fails, and an error when it panics.
async fn answer(function: &str, payload: Value, cloud: &Cloud) -> Result<Option<Value>, &'static str> {
    let (_, run) = FUNCTIONS.iter().find(|(name, _)| *name == function).ok_or("is not in the list of functions")?;
    AssertUnwindSafe(run(&cloud.configuration(), payload)).catch_unwind().await.map_err(|_| "panicked")
}

fn has_failures(answer: &Value) -> bool {
    answer["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty())
}
