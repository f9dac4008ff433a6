//! What was called, by whom, and with what result.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

/// One finished call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Grows by one with each request, in order of arrival.
    pub sequence: u64,
    /// When the request arrived.
    pub at: Timestamp,
    /// How long the answer took.
    pub took: Duration,
    /// The access key that signed it.
    pub access_key: String,
    /// The account of the caller, when the key is known.
    pub account: Option<String>,
    /// The caller's ARN, when the key is known.
    pub caller: Option<String>,
    /// The session policy the caller's session was made with.
    pub session_policy: Option<String>,
    /// The app name in the user agent: the function that called.
    pub function: Option<String>,
    /// The service's name in IAM policies, such as `cloudwatch`.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The IAM actions the request needs.
    pub actions: Vec<String>,
    /// The parameters, for protocols that carry them as JSON or as a form.
    pub input: Value,
    /// The HTTP status; 0 when the connection was reset instead of an answer.
    pub status: u16,
    /// The error code, without namespace.
    pub error: Option<String>,
}

/// What calls are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKind {
    /// The app name in the user agent: the function that called.
    pub function: Option<String>,
    /// The service's name in IAM policies, such as `cloudwatch`.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The HTTP status; 0 when the connection was reset instead of an answer.
    pub status: u16,
    /// The error code, without namespace.
    pub error: Option<String>,
}

impl From<&Call> for CallKind {
    fn from(call: &Call) -> Self {
        Self {
            function: call.function.clone(),
            service: call.service.clone(),
            operation: call.operation.clone(),
            status: call.status,
            error: call.error.clone(),
        }
    }
}

/// Finished calls in order of arrival; filters narrow them down. Tests ask for them over and over while they wait, and so
/// share them with the record.
#[derive(Clone, Debug, Default)]
pub struct Calls(Vec<Arc<Call>>);

impl Calls {
    /// Those of one function.
    #[must_use]
    pub fn by_function(self, function: &str) -> Self {
        self.only(|call| call.function.as_deref() == Some(function))
    }

    /// Those made with credentials of one account.
    #[must_use]
    pub fn by_account(self, account: &str) -> Self {
        self.only(|call| call.account.as_deref() == Some(account))
    }

    /// Those of one operation of a service, such as `("organizations", "CreateAccount")`.
    #[must_use]
    pub fn to(self, service: &str, operation: &str) -> Self {
        self.only(|call| call.service == service && call.operation == operation)
    }

    /// Those that arrived at or after a number from [`LocalCloud::sequence`](crate::LocalCloud::sequence).
    #[must_use]
    pub fn since(self, sequence: u64) -> Self {
        self.only(|call| call.sequence >= sequence)
    }

    /// Those a predicate holds for.
    #[must_use]
    pub fn only(mut self, predicate: impl Fn(&Call) -> bool) -> Self {
        self.0.retain(|call| predicate(call));
        self
    }

    /// The IAM actions they needed, each once, sorted.
    pub fn actions(&self) -> Vec<String> {
        let mut actions: Vec<String> = self.0.iter().flat_map(|call| call.actions.iter().cloned()).collect();
        actions.sort();
        actions.dedup();
        actions
    }
}

impl Deref for Calls {
    type Target = [Arc<Call>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Counts finished calls, and keeps them unless there will be too many: one takes one or two kilobytes.
pub(crate) struct Recorder {
    next: AtomicU64,
    keeps: bool,
    finished: Mutex<Finished>,
}

#[derive(Default)]
struct Finished {
    calls: Vec<Arc<Call>>,
    counts: BTreeMap<CallKind, u64>,
}

impl Recorder {
    pub(crate) fn new(keeps: bool) -> Self {
        Self { next: AtomicU64::new(0), keeps, finished: Mutex::default() }
    }

    /// A number for a request that just arrived.
    pub(crate) fn arrive(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The number the next request will have.
    pub(crate) fn sequence(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    pub(crate) fn finish(&self, call: Call) {
        let mut finished = self.lock();
        *finished.counts.entry(CallKind::from(&call)).or_default() += 1;
        if self.keeps {
            finished.calls.push(Arc::new(call));
        }
    }

    pub(crate) fn calls(&self) -> Calls {
        let mut calls = self.lock().calls.clone();
        calls.sort_by_key(|call| call.sequence);
        Calls(calls)
    }

    pub(crate) fn counts(&self) -> BTreeMap<CallKind, u64> {
        self.lock().counts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Finished> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(sequence: u64, operation: &str, error: Option<&str>) -> Call {
        Call {
            sequence,
            at: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            access_key: String::new(),
            account: None,
            caller: None,
            session_policy: None,
            function: Some("compliance-checker".to_owned()),
            service: "iam".to_owned(),
            operation: operation.to_owned(),
            actions: Vec::new(),
            input: Value::Null,
            status: if error.is_some() { 404 } else { 200 },
            error: error.map(str::to_owned),
        }
    }

    #[test]
    fn calls_are_counted_also_where_they_are_not_kept() {
        for keeps in [true, false] {
            let recorder = Recorder::new(keeps);
            recorder.finish(call(1, "GetRole", Some("NoSuchEntity")));
            recorder.finish(call(0, "GetRole", Some("NoSuchEntity")));
            recorder.finish(call(2, "GetRole", None));
            let counts: Vec<_> = recorder.counts().into_iter().map(|(kind, count)| (kind.status, count)).collect();
            assert_eq!(counts, [(200, 1), (404, 2)]);
            let kept: Vec<_> = recorder.calls().iter().map(|call| call.sequence).collect();
            assert_eq!(kept, if keeps { vec![0, 1, 2] } else { Vec::new() });
        }
    }
}
