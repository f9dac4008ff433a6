//! Failures on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::front::answer::ApiError;

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The service's own throttling error.
    Throttle,
    /// An arbitrary error of the service.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// The message.
        message: String,
        /// Further members, such as `Reason`.
        members: Map<String, Value>,
    },
    /// A server error with this status, before anything is done.
    Unavailable(u16),
    /// The request is done, but a server error with this status is answered.
    AnswerReplaced(u16),
    /// The request is done, but the connection is reset instead of an answer.
    AnswerLost,
    /// The connection is reset before anything is done.
    Reset,
    /// The answer takes this much longer, in real time.
    Latency(Duration),
}

/// One failure and the calls it applies to; without a restriction, to all.
#[derive(Clone, Debug)]
pub struct Fault {
    kind: Kind,
    service: Option<String>,
    operation: Option<String>,
    account: Option<String>,
    organization: Option<String>,
    function: Option<String>,
    spared: u32,
    times: Option<u32>,
}

impl Fault {
    /// A failure of every call, until it is narrowed down.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            service: None,
            operation: None,
            account: None,
            organization: None,
            function: None,
            spared: 0,
            times: None,
        }
    }

    /// An error of the service, with the status that clients take as their own fault.
    pub fn error(code: &str, message: &str) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        Self::new(Kind::Error { status: 400, code, message, members: Map::new() })
    }

    /// Adds a member such as `Reason` to an error.
    #[must_use]
    pub fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Kind::Error { members, .. } = &mut self.kind {
            members.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Only for this service, by its name in IAM policies (`cloudwatch`, not `monitoring`).
    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        self.service = Some(service.to_owned());
        self
    }

    /// Only for this operation.
    #[must_use]
    pub fn operation(mut self, service: &str, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self.service(service)
    }

    /// Only for callers of this account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Only for callers of the organization with this management account.
    #[must_use]
    pub(crate) fn organization(mut self, management_account: &str) -> Self {
        self.organization = Some(management_account.to_owned());
        self
    }

    /// Only for this function.
    #[must_use]
    pub fn function(mut self, function: &str) -> Self {
        self.function = Some(function.to_owned());
        self
    }

    /// Only once so many calls have come through.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.spared = calls;
        self
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn applies_to(&self, target: &Target<'_>) -> bool {
        let is = |wanted: &Option<String>, actual: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| actual == Some(wanted))
        };
        is(&self.service, Some(target.service))
            && is(&self.operation, Some(target.operation))
            && is(&self.account, target.account)
            && is(&self.function, target.function)
            && self.times != Some(0)
            // Last, as all accounts of the organization may have to be looked through.
            && self.organization.as_deref().is_none_or(target.is_in)
    }
}

/// The call a fault is looked up for.
pub(crate) struct Target<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) account: Option<&'a str>,
    pub(crate) function: Option<&'a str>,
    /// Whether the caller is in the organization of a management account.
    pub(crate) is_in: &'a dyn Fn(&str) -> bool,
}

/// The faults in force.
#[derive(Clone, Default)]
pub struct Faults {
    active: Arc<Mutex<Active>>,
}

#[derive(Default)]
struct Active {
    next: u64,
    faults: BTreeMap<u64, (Fault, u32)>,
}

impl Faults {
    /// Puts a fault in force until the guard is dropped.
    #[must_use = "the fault ends with the guard"]
    pub fn add(&self, fault: Fault) -> FaultGuard {
        let mut active = self.lock();
        let id = active.next;
        active.next += 1;
        active.faults.insert(id, (fault, 0));
        FaultGuard { id, faults: self.clone() }
    }

    /// What goes wrong with a call: the sum of all delays, and the first other fault. Each counts as used.
    pub(crate) fn strike(&self, target: &Target<'_>) -> (Duration, Option<Kind>) {
        let mut delay = Duration::ZERO;
        let mut struck = None;
        for (fault, hits) in self.lock().faults.values_mut() {
            if !fault.applies_to(target) {
                continue;
            }
            if fault.spared > 0 {
                fault.spared -= 1;
                continue;
            }
            match &fault.kind {
                Kind::Latency(latency) => delay += *latency,
                _ if struck.is_some() => continue,
                kind => struck = Some(kind.clone()),
            }
            *hits += 1;
            fault.times = fault.times.map(|times| times - 1);
        }
        (delay, struck)
    }

    fn lock(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a fault in force.
pub struct FaultGuard {
    id: u64,
    faults: Faults,
}

impl FaultGuard {
    /// How many calls it has struck.
    pub fn hits(&self) -> u32 {
        self.faults.lock().faults.get(&self.id).map_or(0, |(_, hits)| *hits)
    }

    /// Leaves the fault in force for good.
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        self.faults.lock().faults.remove(&self.id);
    }
}

/// How a service says that it is called too often.
pub(crate) fn throttling(service: &str) -> ApiError {
    let rate_exceeded = |status, code: &str| ApiError::new(status, code, "Rate exceeded");
    match service {
        "organizations" => ApiError::new(
            400,
            "TooManyRequestsException",
            "AWS Organizations can't complete your request because another request is already in progress. Try again \
             later.",
        ),
        "account" | "lambda" => rate_exceeded(429, "TooManyRequestsException"),
        "cloudformation" | "cloudwatch" | "iam" | "sts" => rate_exceeded(400, "Throttling"),
        "sns" => rate_exceeded(429, "Throttled"),
        "sqs" => rate_exceeded(400, "RequestThrottled"),
        "s3" => ApiError::new(503, "SlowDown", "Please reduce your request rate."),
        _ => rate_exceeded(400, "ThrottlingException"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Target<'static> = Target {
        service: "organizations",
        operation: "CreateAccount",
        account: Some("1"),
        function: Some("f"),
        is_in: &|management| management == "0",
    };

    #[test]
    fn a_fault_strikes_so_many_times_and_no_more() {
        let faults = Faults::default();
        let guard = faults.add(Fault::new(Kind::Reset).operation("organizations", "CreateAccount").times(2));
        for _ in 0..2 {
            assert!(matches!(faults.strike(&CALL).1, Some(Kind::Reset)));
        }
        assert!(faults.strike(&CALL).1.is_none());
        assert_eq!(guard.hits(), 2);
    }

    #[test]
    fn a_fault_spares_the_first_calls() {
        let faults = Faults::default();
        let guard = faults.add(Fault::new(Kind::Reset).after(2).times(1));
        let struck: Vec<_> = (0..4).map(|_| faults.strike(&CALL).1.is_some()).collect();
        assert_eq!((struck, guard.hits()), (vec![false, false, true, false], 1));
    }

    #[test]
    fn a_fault_of_one_organization_spares_the_others() {
        let faults = Faults::default();
        let _elsewhere = faults.add(Fault::new(Kind::Throttle).organization("1"));
        assert!(faults.strike(&CALL).1.is_none());
        let _here = faults.add(Fault::new(Kind::Throttle).organization("0"));
        assert!(faults.strike(&CALL).1.is_some());
        assert!(faults.strike(&Target { is_in: &|_| false, ..CALL }).1.is_none());
    }

    #[test]
    fn a_fault_ends_with_its_guard_and_spares_other_calls() {
        let faults = Faults::default();
        let guard = faults.add(Fault::new(Kind::Throttle).function("g"));
        assert!(faults.strike(&CALL).1.is_none());
        drop(guard);
        assert!(faults.lock().faults.is_empty());
    }

    #[test]
    fn delays_add_up_beside_one_other_fault() {
        let faults = Faults::default();
        let _first = faults.add(Fault::new(Kind::Latency(Duration::from_millis(30))));
        let _second = faults.add(Fault::new(Kind::Latency(Duration::from_millis(10))).account("1"));
        let _third = faults.add(Fault::new(Kind::Throttle));
        let (delay, kind) = faults.strike(&CALL);
        assert_eq!(delay, Duration::from_millis(40));
        assert!(matches!(kind, Some(Kind::Throttle)));
    }
}
