//! Setting news as a mail.

use std::fmt::Write;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde_json::Value;

use super::news::News;
use crate::clock;

/// The longest subject that Amazon SNS takes.
const MAX_SUBJECT: usize = 100;
/// The longest value that is shown, in characters: a name may be anything.
const MAX_VALUE: usize = 500;

/// One line of printable ASCII.
pub(super) fn subject(news: &News) -> String {
    let line = format!("Steward, {}: {}", severity(news), news.headline);
    line.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).take(MAX_SUBJECT).collect()
}

/// The whole mail.
pub(super) fn text(news: &News, event: &EventBridgeEvent<Value>) -> String {
    let mut page = format!("{}\n", one_line(&news.what));
    list(&mut page, "Where", &news.places);
    section(&mut page, "Still open", &news.open);
    section(&mut page, "What to do", std::slice::from_ref(&news.to_do));
    let time = clock::of_event(event).unwrap_or_default();
    let mut ids = vec![("event", format!("{} {}", event.detail_type, event.id.as_deref().unwrap_or_default()))];
    ids.extend((!time.is_empty()).then_some(("told at", time)));
    ids.extend(news.ids.iter().cloned());
    list(&mut page, "To look it up", &ids);
    page.push_str("\nSeverities are informational, notice, warning and critical; the stack parameter NotifySeverity\nsays from which one mails are sent.\n");
    page
}

fn severity(news: &News) -> String {
    serde_json::to_value(news.severity).ok().and_then(|name| name.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

fn section(page: &mut String, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    put(page, format_args!("\n{heading}\n"));
    for line in lines {
        put(page, format_args!("  {}\n", one_line(line)));
    }
}

fn list(page: &mut String, heading: &str, rows: &[(&str, String)]) {
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let lines: Vec<_> = rows.iter().map(|(label, value)| format!("{label:width$}  {}", one_line(value))).collect();
    section(page, heading, &lines);
}

/// A value that cannot pass for another line of the mail.
fn one_line(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(MAX_VALUE).collect()
}

/// Writing to a text cannot fail.
fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text);
}
