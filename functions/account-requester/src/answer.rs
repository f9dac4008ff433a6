//! What the function answers.

use aws_lambda_events::sqs::SqsBatchResponse;
use serde::Serialize;
use steward::{
    account_creation::Request,
    error::Failure,
    ids::{AccountId, RequestId},
    input::Problem,
};

/// The answer to a request, or to a batch of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a queue: the messages that are to come again.
    Batch(SqsBatchResponse),
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
        /// What whoever asks may want to know.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
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
    /// It could not be checked within seconds: it waits in the queue, and is checked there.
    Waiting {
        /// `WAITING`.
        state: &'static str,
        /// The id that the request will have.
        request_id: RequestId,
        /// What happens next.
        message: &'static str,
    },
}

impl Answer {
    /// The answer about a recorded request.
    pub fn of(request: &Request, notes: Vec<String>) -> Self {
        Self::Recorded {
            request_id: request.request_id.clone(),
            state: request.state.name(),
            attempt: request.attempt,
            account_id: request.state.account_id().cloned(),
            failure: request.state.failure().cloned(),
            notes,
        }
    }

    /// The answer about a request that is not admitted.
    pub fn refused(failure: Failure, problems: Vec<Problem>) -> Self {
        Self::Refused { state: "REFUSED", failure, problems }
    }

    /// The answer about a request that is checked later.
    pub fn waiting(request_id: RequestId) -> Self {
        let message = "The request is checked within minutes. Send it again to see how far it has come; a refusal is \
                       told by an AccountCreationFailed event.";
        Self::Waiting { state: "WAITING", request_id, message }
    }
}
