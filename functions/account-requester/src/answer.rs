//! What the function answers.

use serde::Serialize;
use steward::{
    account_creation::Request,
    error::Failure,
    ids::{AccountId, RequestId},
    input::Problem,
};

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// It is recorded, now or by an earlier invocation.
    Recorded {
        /// The request.
        request_id: RequestId,
        /// How far it has come.
        state: &'static str,
        /// Which attempt this is.
        attempt: u32,
        /// The account, as soon as it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        account_id: Option<AccountId>,
        /// Why it failed, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// It is refused; nothing was recorded.
    Refused {
        /// `REFUSED`.
        state: &'static str,
        /// What happened and what to do.
        #[serde(flatten)]
        failure: Failure,
        /// Everything that is wrong.
        problems: Vec<Problem>,
    },
}

impl Answer {
    /// The answer about a recorded request.
    pub fn of(request: &Request) -> Self {
        Self::Recorded {
            request_id: request.request_id.clone(),
            state: request.state.name(),
            attempt: request.attempt,
            account_id: request.state.account_id().cloned(),
            failure: request.state.failure().cloned(),
        }
    }

    /// The answer about a request that is not admitted.
    pub fn refused(failure: Failure, problems: Vec<Problem>) -> Self {
        Self::Refused { state: "REFUSED", failure, problems }
    }
}
