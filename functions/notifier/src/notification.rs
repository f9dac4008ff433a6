//! What a mail says to people about an event of the stack's bus: one severity, one line, one page. Pure.

mod news;
mod page;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use steward::{
    severity::Severity,
    table::mail_budget::{Held, Slot},
};

use news::News;

/// A mail that a person can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    /// How much it matters.
    pub severity: Severity,
    /// One line of at most 100 printable ASCII characters, as Amazon SNS asks of a subject.
    pub subject: String,
    /// What happened, where, what to do, and the ids to look it up by.
    pub text: String,
    /// What it is about: of two notifications with the same, one is sent.
    pub about: String,
    /// The account that has caused it, as far as it is known.
    pub caused_by: Option<String>,
}

/// How old something may be and still be news.
const NEWS: SignedDuration = SignedDuration::from_hours(24);

impl Notification {
    /// The mail about an event. Every event has one: of a kind that is not known here, it shows what a failure carries. What
    /// happened long ago, as in a replay, is described as that.
    pub(crate) fn of(event: &EventBridgeEvent<Value>, now: Timestamp) -> Self {
        let mut news = News::of(&event.detail_type, &event.detail);
        if let Some(at) = happened_at(event).filter(|at| now.duration_since(*at) > NEWS) {
            let day = at.strftime("%Y-%m-%d");
            news.headline = format!("of {day}: {}", news.headline);
            news.what = format!("This is of {day}, and comes late or again. {}", news.what);
        }
        let id = event.id.clone().unwrap_or_default();
        Self {
            severity: news.severity,
            subject: page::subject(&news),
            text: page::text(&news, event),
            about: news.about.unwrap_or(id),
            caused_by: news.caused_by,
        }
    }

    /// The mail that sums up what was not mailed of an account in an hour.
    pub(crate) fn summary(slot: &Slot, held: &Held) -> (String, String) {
        let news = News::summary(slot, held);
        (page::subject(&news), page::summary(&news))
    }
}

/// When it happened: an audited activity says so itself, long after that perhaps.
fn happened_at(event: &EventBridgeEvent<Value>) -> Option<Timestamp> {
    let said = event.detail["at"].as_str().and_then(|at| at.parse().ok());
    said.or_else(|| Timestamp::from_second(event.time?.timestamp()).ok())
}

#[cfg(test)]
mod tests;
