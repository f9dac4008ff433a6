//! What people are told by mail about an event of the stack's bus: one severity, one line, one page. Pure.

mod news;
mod page;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde_json::Value;

use crate::activity::Severity;
use news::News;

/// A mail that a person can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// How much it matters.
    pub severity: Severity,
    /// One line of at most 100 printable ASCII characters, as Amazon SNS asks of a subject.
    pub subject: String,
    /// What happened, where, what to do, and the ids to look it up by.
    pub text: String,
    /// What it is about: of two notifications with the same, one is sent.
    pub about: String,
}

impl Notification {
    /// The mail about an event. Every event has one: of a kind that is not known here, it shows what a failure carries.
    pub fn of(event: &EventBridgeEvent<Value>) -> Self {
        let news = News::of(&event.detail_type, &event.detail);
        let id = event.id.clone().unwrap_or_default();
        Self {
            severity: news.severity,
            subject: page::subject(&news),
            text: page::text(&news, event),
            about: news.about.unwrap_or(id),
        }
    }
}

#[cfg(test)]
mod tests;
