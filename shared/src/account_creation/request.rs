//! The durable record of one account request.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::AccountSpec;
use crate::{
    account_creation::{AccountCreated, AccountCreationFailed},
    error::Failure,
    ids::{AccountId, CreateAccountRequestId, EventId, RequestId},
};

/// The longest that an attempt waits in line for its turn, whatever else happens.
const LONGEST_LINE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often an attempt is looked at before it is given up, whatever its times say: a look a minute for a fortnight.
const MOST_LOOKS: u64 = 20_000;
/// No deadline and no look is further away: the stack parameter `DeadlineMinutes` allows a day, the queue 15 minutes.
const FURTHEST: SignedDuration = SignedDuration::from_hours(24);
/// How many states of an attempt are kept.
const KEPT_STATES: usize = 40;

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
#[serde(tag = "name", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Recorded; AWS has not been asked.
    Requested,
    /// Written before AWS is asked. Whoever finds a request in this state does not know whether AWS took the call.
    Creating,
    /// AWS is creating the account.
    InProgress {
        /// The call of `CreateAccount`.
        create_account_request_id: CreateAccountRequestId,
    },
    /// The account exists and is to be moved to its unit.
    Placing {
        /// The account.
        account_id: AccountId,
    },
    /// Done.
    Ready {
        /// The account.
        account_id: AccountId,
    },
    /// Ended without what was asked for. What is known already lets the next attempt go on where this one stopped.
    Failed {
        /// What happened and what to do.
        failure: Failure,
        /// The account, when it exists all the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account_id: Option<AccountId>,
        /// The call of `CreateAccount` that had not ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        create_account_request_id: Option<CreateAccountRequestId>,
    },
}

impl State {
    /// The state's name in answers, events and the table.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// The account, as soon as it is known.
    pub fn account_id(&self) -> Option<&AccountId> {
        match self {
            Self::Placing { account_id } | Self::Ready { account_id } => Some(account_id),
            Self::Failed { account_id, .. } => account_id.as_ref(),
            Self::Requested | Self::Creating | Self::InProgress { .. } => None,
        }
    }

    /// The call of `CreateAccount` that has not ended.
    pub fn create_account_request_id(&self) -> Option<&CreateAccountRequestId> {
        match self {
            Self::InProgress { create_account_request_id } => Some(create_account_request_id),
            Self::Failed { create_account_request_id, .. } => create_account_request_id.as_ref(),
            Self::Requested | Self::Creating | Self::Placing { .. } | Self::Ready { .. } => None,
        }
    }

    /// Why the request failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed { failure, .. } => Some(failure),
            Self::Requested | Self::Creating | Self::InProgress { .. } | Self::Placing { .. } | Self::Ready { .. } => {
                None
            }
        }
    }

    /// Whether nothing follows by itself.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ready { .. } | Self::Failed { .. })
    }

    /// Whether AWS counts the request among the five accounts that it creates at once.
    pub fn is_in_flight(&self) -> bool {
        matches!(self, Self::Creating | Self::InProgress { .. })
    }
}

/// A state that was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// The state's name.
    pub state: String,
    /// When it was entered.
    pub at: Timestamp,
}

/// One account request, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id, derived from the e-mail address.
    pub request_id: RequestId,
    /// 1, and one more each time a failed request is sent again.
    pub attempt: u32,
    /// What was asked for.
    pub spec: AccountSpec,
    /// How far it has come.
    pub state: State,
    /// When the first attempt was recorded.
    pub first_requested_at: Timestamp,
    /// The event that asked for this attempt, if an event did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// When this attempt gives up. None in Steward's own line: the time counts from the account's turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// How often the poller has put it off. A message that carries a smaller number is out of date.
    pub looks: u64,
    /// The number at which this attempt began.
    #[serde(default)]
    pub first_look: u64,
    /// From where the search for a lost answer goes on in the list of calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_from: Option<String>,
    /// When the poller means to look next.
    pub next_look_at: Timestamp,
    /// Whether the event that tells the end was sent.
    pub announced: bool,
    /// The states of this attempt, oldest first; of very many, the first and the last ones.
    pub history: Vec<Passed>,
    /// One more with every write: who writes must have read the latest.
    pub revision: u64,
}

/// What the clocks of AWS and of Steward may differ by.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

impl Request {
    /// Whether an account can have joined because of this request. An account joins before Steward knows it; one that
    /// joined after the request had come to its last state was invited.
    pub fn can_explain(&self, joined_at: Option<Timestamp>) -> bool {
        let last = self.history.last().map(|passed| passed.at);
        last.zip(joined_at).is_none_or(|(last, joined)| joined.duration_since(last) <= SKEW)
    }

    /// A new request in the state `start`, which is [`State::Requested`] unless an earlier attempt had come further.
    /// `deadline` is that of an attempt whose turn begins now.
    pub fn new(spec: AccountSpec, start: State, now: Timestamp, deadline: Timestamp) -> Self {
        let is_in_line = start == State::Requested;
        Self {
            request_id: RequestId::of(&spec.email),
            attempt: 1,
            history: vec![Passed { state: start.name().to_owned(), at: now }],
            spec,
            state: start,
            first_requested_at: now,
            event_id: None,
            deadline: (!is_in_line).then_some(deadline),
            looks: 0,
            first_look: 0,
            search_from: None,
            next_look_at: now,
            announced: false,
            revision: 1,
        }
    }

    /// The next attempt of a failed request.
    pub fn again(&self, spec: AccountSpec, start: State, now: Timestamp, deadline: Timestamp) -> Self {
        Self {
            attempt: self.attempt + 1,
            first_requested_at: self.first_requested_at,
            looks: self.looks + 1,
            first_look: self.looks + 1,
            revision: self.revision + 1,
            ..Self::new(spec, start, now, deadline)
        }
    }

    /// The request with the event that has asked for it.
    #[must_use]
    pub fn asked_by(self, event_id: Option<EventId>) -> Self {
        Self { event_id, ..self }
    }

    /// The request as one may rely on it, whoever has written it: no time in the future but for what is waited for, and
    /// nothing waited for longer than anything is.
    #[must_use]
    pub fn clamped(mut self, now: Timestamp) -> Self {
        let furthest = now.checked_add(FURTHEST).unwrap_or(now);
        for passed in &mut self.history {
            passed.at = passed.at.min(now);
        }
        self.first_requested_at = self.first_requested_at.min(now);
        self.deadline = self.deadline.map(|deadline| deadline.min(furthest));
        self.next_look_at = self.next_look_at.min(furthest);
        self
    }

    /// The request after it entered a state.
    pub fn entered(&self, state: State, now: Timestamp) -> Self {
        let mut next = self.touched();
        next.history.push(Passed { state: state.name().to_owned(), at: now });
        if next.history.len() > KEPT_STATES {
            next.history.remove(1);
        }
        next.state = state;
        next.search_from = None;
        next.next_look_at = now;
        next
    }

    /// The request after its turn has come: from now on its time counts, unless it does already.
    pub fn claimed(&self, now: Timestamp, deadline: Timestamp) -> Self {
        Self { deadline: Some(self.deadline.unwrap_or(deadline)), ..self.entered(State::Creating, now) }
    }

    /// The request after AWS had no room for it: it waits for another turn.
    pub fn back_in_line(&self, now: Timestamp) -> Self {
        Self { deadline: None, ..self.entered(State::Requested, now) }
    }

    /// The request after a part of the search for a lost answer: where it goes on, if it does.
    pub fn searched(&self, next: Option<String>) -> Self {
        Self { search_from: next, ..self.clone() }
    }

    /// The request after it was put off.
    pub fn put_off(&self, until: Timestamp) -> Self {
        Self { looks: self.looks + 1, next_look_at: until, ..self.touched() }
    }

    /// The request after its end was announced.
    pub fn announced(&self) -> Self {
        Self { announced: true, ..self.touched() }
    }

    /// The message that brings the poller back to the request as it is now.
    pub fn reminder(&self) -> Reminder<'_> {
        Reminder { request_id: &self.request_id, looks: self.looks }
    }

    /// When the present state was entered.
    pub fn since(&self) -> Timestamp {
        self.history.last().map_or(self.first_requested_at, |passed| passed.at)
    }

    /// When this attempt was recorded.
    pub fn attempted_at(&self) -> Timestamp {
        self.history.first().map_or(self.first_requested_at, |passed| passed.at)
    }

    /// Whether the attempt has had all the time it gets: its own, or in line, or too many looks.
    pub fn is_spent(&self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
            || now.duration_since(self.attempted_at()) >= LONGEST_LINE
            || self.looks.saturating_sub(self.first_look) >= MOST_LOOKS
    }

    /// Whether the request has come as far as this reading of it: it may have been put off, and no more. By whose clock it came
    /// there does not matter.
    pub fn is_where(&self, earlier: &Self) -> bool {
        let way = self.history.iter().map(|passed| &passed.state);
        (self.attempt, self.announced, &self.state) == (earlier.attempt, earlier.announced, &earlier.state)
            && way.eq(earlier.history.iter().map(|passed| &passed.state))
    }

    /// Whether there is anything left to do.
    pub fn is_open(&self) -> bool {
        !(self.state.is_final() && self.announced)
    }

    /// The event that tells the end of the request; None before it.
    pub fn announcement(&self) -> Option<Announcement> {
        match &self.state {
            State::Ready { account_id } => Some(Announcement::Created(AccountCreated {
                request_id: self.request_id.clone(),
                account_id: account_id.clone(),
                account_name: self.spec.account_name.clone(),
                email: self.spec.email.clone(),
                organizational_unit: self.spec.organizational_unit.clone(),
                role_name: self.spec.role_name.clone(),
            })),
            State::Failed { failure, account_id, .. } => Some(Announcement::Failed(AccountCreationFailed {
                request_id: Some(self.request_id.clone()),
                account_name: Some(self.spec.account_name.clone()),
                email: Some(self.spec.email.clone()),
                event_id: self.event_id.clone(),
                account_id: account_id.clone(),
                failure: failure.clone(),
                problems: Vec::new(),
            })),
            State::Requested | State::Creating | State::InProgress { .. } | State::Placing { .. } => None,
        }
    }

    fn touched(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }
}

/// A message of the poller's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reminder<'a> {
    /// The request to look at.
    pub request_id: &'a RequestId,
    /// How often it had been put off when the message was sent.
    pub looks: u64,
}

/// How the end of a request is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// With an account.
    Created(AccountCreated),
    /// Without one, or with one that is not finished.
    Failed(AccountCreationFailed),
}
