//! What goes wrong, and when.

use std::fmt;

/// What happens to a call, or to an event on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The environment is ended before the call is made.
    Killed,
    /// The environment is ended when the call has had its effect.
    KilledAfter,
    /// The connection is reset before the service has read the call.
    Unreached,
    /// The call has its effect, and its answer never comes.
    AnswerLost,
    /// The service answers 500 and has done nothing.
    ServerError,
    /// The service answers 500 and has done what was asked.
    ServerErrorAfter,
    /// The service refuses the call as one too many.
    Throttled,
    /// Nothing comes for half a minute.
    Slow,
    /// The environment is ended at any moment, while it calls, waits or computes. Strikes functions, by their names.
    Ended,
    /// An event is delivered twice, or a message of a queue.
    Doubled,
    /// An event comes hours late.
    Late,
    /// An event of AWS never comes.
    Lost,
}

impl Kind {
    /// Every kind of a call.
    pub(crate) const OF_CALLS: [Self; 8] = [
        Self::Killed,
        Self::KilledAfter,
        Self::Unreached,
        Self::AnswerLost,
        Self::ServerError,
        Self::ServerErrorAfter,
        Self::Throttled,
        Self::Slow,
    ];
    /// Whether it strikes the work of functions, rather than events on their way.
    pub(crate) fn is_of_work(self) -> bool {
        self == Self::Ended || Self::OF_CALLS.contains(&self)
    }

    /// Every kind of an event.
    pub(crate) const OF_EVENTS: [Self; 3] = [Self::Doubled, Self::Late, Self::Lost];
}

/// A time in which something goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: Kind,
    /// When it begins, in seconds from the beginning of the run.
    pub from: u64,
    /// For how many seconds.
    pub lasts: u64,
    /// The service that is called, `*` for any, its operation, or the operation as one function calls it:
    /// `notifier sns:Publish`. Of events, their detail-type or name; of messages, the logical id of their queue.
    pub target: String,
    /// Of a hundred calls, how many are struck.
    pub percent: u64,
    /// Which of the calls alone is struck, counted from 1; None where any may be.
    pub only: Option<u64>,
}

impl Fault {
    /// Whether it strikes what is called `target` at this second.
    pub(crate) fn concerns(&self, target: &str, second: u64) -> bool {
        (self.target == "*" || self.target == target) && self.is_on(second)
    }

    /// Whether it strikes this operation of a service, as this function calls it, at this second.
    pub(crate) fn concerns_call(&self, function: &str, service: &str, operation: &str, second: u64) -> bool {
        let is_of_function = self.target.split_once(' ') == Some((function, operation));
        (is_of_function && self.is_on(second)) || [service, operation].iter().any(|name| self.concerns(name, second))
    }

    /// The second from which on it strikes nothing any more.
    pub(crate) fn until(&self) -> u64 {
        self.from + self.lasts
    }

    fn is_on(&self, second: u64) -> bool {
        (self.from..self.until()).contains(&second)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, from, lasts, target, percent, only } = self;
        write!(f, "fault {kind:?}: {percent}% of {target}, from {from} s for {lasts} s")?;
        only.map_or(Ok(()), |only| write!(f, ", call {only} alone"))
    }
}
