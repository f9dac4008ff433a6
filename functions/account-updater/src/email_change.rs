//! One change of a primary e-mail address, as it is remembered, and what becomes of it. Pure.

mod store;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use steward::{
    gateway::{EmailUpdate, EmailUpdateStatus},
    ids::{AccountId, Email},
};

pub(crate) use store::EmailChanges;

use crate::input::Asked;

/// How long a code is good for after AWS was asked for it (Account Management reference guide, "Update the root user email").
const CODE_LASTS: SignedDuration = SignedDuration::from_hours(24);
/// After how long a change that waits for its code is told.
const TOLD_AFTER: SignedDuration = SignedDuration::from_hours(20);
/// How long a call may be under way: 27 s with all that belongs to it, and a clock is not another's.
const CALL_LASTS: SignedDuration = SignedDuration::from_secs(60);
/// How much earlier AWS may say that something was: it counts in whole seconds, by its own clock.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(2);
/// How long a change of a run waits in the queue before its message is taken for lost.
const MESSAGE_LASTS: SignedDuration = SignedDuration::from_mins(30);

/// The change of one account's address. There is one record for an account; the next change takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EmailChange {
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
    /// The address that the account had when the change was asked for.
    pub(crate) old_email: String,
    pub(crate) new_email: Email,
    pub(crate) state: State,
    /// Since when it is in this state.
    pub(crate) since: Timestamp,
    /// When AWS was last asked to mail a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Timestamp>,
    /// How often AWS was asked.
    pub(crate) starts: u32,
    /// Why, in the words of whoever asked.
    pub(crate) reason: String,
    /// Who asked, as they say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) requested_by: Option<String>,
    /// The change of domain that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<String>,
    /// When people were told that nobody ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told_at: Option<Timestamp>,
    /// What each write counts on.
    pub(crate) revision: u64,
}

/// How far a change is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    /// It waits for its turn.
    Queued,
    /// AWS is about to be asked, or was asked and nobody has seen the answer.
    Starting,
    /// AWS has mailed a code to the new address.
    Pending,
    /// AWS has the code.
    Accepted,
    /// The account has the new address.
    Completed,
    /// The account keeps the old address.
    Failed {
        /// What ended it, as a sentence.
        why: String,
    },
    /// Somebody has closed the record. A code that is on its way is good until it ends.
    Forgotten,
}

impl State {
    /// Its name, as the record has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Starting => "STARTING",
            Self::Pending => "PENDING",
            Self::Accepted => "ACCEPTED",
            Self::Completed => "COMPLETED",
            Self::Failed { .. } => "FAILED",
            Self::Forgotten => "FORGOTTEN",
        }
    }
}

/// What is known of a call whose answer nobody has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It has arrived.
    Started,
    /// It has not, and will not any more.
    NotStarted,
    /// It may be under way.
    NotYet,
}

impl EmailChange {
    /// A change that nobody has asked AWS for. `revision` is that of the record whose place it takes.
    pub(crate) fn new(
        (account_id, account_name, old_email): (AccountId, String, String),
        new_email: Email,
        asked: &Asked,
        run: Option<String>,
        revision: Option<u64>,
        now: Timestamp,
    ) -> Self {
        Self {
            account_id,
            account_name,
            old_email,
            new_email,
            state: State::Queued,
            since: now,
            started_at: None,
            starts: 0,
            reason: asked.reason.clone(),
            requested_by: asked.requested_by.clone(),
            run,
            told_at: None,
            revision: revision.map_or(1, |revision| revision + 1),
        }
    }

    /// Whether somebody or AWS still has something to do.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Queued | State::Starting | State::Pending | State::Accepted)
    }

    /// Whether AWS was not asked, or nobody knows.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Queued | State::Starting)
    }

    /// The same in another state.
    pub(crate) fn in_state(&self, state: State, now: Timestamp) -> Self {
        Self { state, since: now, revision: self.revision + 1, ..self.clone() }
    }

    /// The same, about to be asked for. It is written down before the call, so that nobody asks again within its window.
    pub(crate) fn starting(&self, now: Timestamp) -> Self {
        let started_at = Some(now);
        Self { started_at, starts: self.starts + 1, told_at: None, ..self.in_state(State::Starting, now) }
    }

    /// The same where AWS was not asked. A change of a run is asked for again. Whoever began another one has seen that it went
    /// wrong, and nobody else goes on with it: it ends, and does not stand in the way of others.
    pub(crate) fn not_asked(&self, now: Timestamp) -> Self {
        if self.run.is_some() {
            return self.in_state(State::Queued, now);
        }
        let why = "AWS was not asked to mail a code, since the function was ended before: start it again.";
        self.in_state(State::Failed { why: why.to_owned() }, now)
    }

    /// Whether it was written down, and whoever was to ask AWS for it was ended before.
    pub(crate) fn is_dropped(&self, now: Timestamp) -> bool {
        self.state == State::Queued && self.run.is_none() && now.duration_since(self.since) >= CALL_LASTS
    }

    /// Whether the call of a change that is `STARTING` has arrived, by what AWS says of the account.
    pub(crate) fn seen(&self, update: Option<EmailUpdate>, now: Timestamp) -> Seen {
        let since = self.since - CLOCKS_DIFFER;
        if update.and_then(|update| update.updated_at).is_some_and(|at| at >= since) {
            Seen::Started
        } else if now.duration_since(self.since) >= CALL_LASTS {
            Seen::NotStarted
        } else {
            Seen::NotYet
        }
    }

    /// The change as AWS says that it is now; None where nothing has changed. Of an update that was there before this change,
    /// nothing is believed. `present` is the address that the account has.
    pub(crate) fn after(&self, update: Option<EmailUpdate>, present: Option<&str>, now: Timestamp) -> Option<Self> {
        let is_of_this = |at: Timestamp| self.started_at.is_some_and(|started| at >= started - CLOCKS_DIFFER);
        let update = update.filter(|update| update.updated_at.is_some_and(is_of_this))?;
        let state = match (&self.state, update.status) {
            (State::Starting, EmailUpdateStatus::Pending) => State::Pending,
            (State::Starting | State::Pending, EmailUpdateStatus::Accepted) => State::Accepted,
            (_, EmailUpdateStatus::Completed) if present.is_none_or(|email| self.is_to(email)) => State::Completed,
            (_, EmailUpdateStatus::Completed) => {
                let why = "Another change of the account's address has ended: somebody has asked AWS for it elsewhere.";
                State::Failed { why: why.to_owned() }
            }
            (_, EmailUpdateStatus::Failed) => {
                State::Failed { why: "AWS says that the change has failed, and no more.".to_owned() }
            }
            (_, EmailUpdateStatus::Pending | EmailUpdateStatus::Accepted) => return None,
        };
        Some(self.in_state(state, now))
    }

    /// Whether this is the address that it leads to.
    pub(crate) fn is_to(&self, email: &str) -> bool {
        self.new_email.as_str().eq_ignore_ascii_case(email)
    }

    /// Until when the code is good; None where there is none.
    pub(crate) fn code_ends_at(&self) -> Option<Timestamp> {
        let started_at = self.started_at.filter(|_| self.state == State::Pending)?;
        Some(started_at + CODE_LASTS)
    }

    /// Whether it has waited so long for its code that people are to be told.
    pub(crate) fn is_abandoned(&self, now: Timestamp) -> bool {
        self.code_ends_at().is_some_and(|end| now >= end - (CODE_LASTS - TOLD_AFTER))
    }

    /// The same, once people were told.
    pub(crate) fn told(&self, now: Timestamp) -> Self {
        Self { told_at: Some(now), revision: self.revision + 1, ..self.clone() }
    }

    /// Whether its message in the queue must be lost: nobody has worked on it for so long.
    pub(crate) fn is_stranded(&self, now: Timestamp) -> bool {
        self.is_waiting() && self.run.is_some() && now.duration_since(self.since) >= MESSAGE_LASTS
    }
}

#[cfg(test)]
pub(crate) mod tests;
