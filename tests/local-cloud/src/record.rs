//! What was called, by whom, and with what result.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
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

/// Finished calls in order of arrival; filters narrow them down.
#[derive(Clone, Debug, Default)]
pub struct Calls(Vec<Call>);

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
        self.0.retain(predicate);
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
    type Target = [Call];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Keeps finished calls.
#[derive(Default)]
pub(crate) struct Recorder {
    next: AtomicU64,
    calls: Mutex<Vec<Call>>,
}

impl Recorder {
    /// A number for a request that just arrived.
    pub(crate) fn arrive(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The number the next request will have.
    pub(crate) fn sequence(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    pub(crate) fn finish(&self, call: Call) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    pub(crate) fn calls(&self) -> Calls {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        calls.sort_by_key(|call| call.sequence);
        Calls(calls)
    }
}
