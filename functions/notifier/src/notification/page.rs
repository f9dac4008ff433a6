//! Setting news as a mail.

use std::fmt::Write;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde_json::Value;
use steward::clock;

use super::news::News;

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
    page.push_str(SEVERITIES);
    page
}

/// The whole mail that sums up others.
pub(super) fn summary(news: &News) -> String {
    let mut page = format!("{}\n", one_line(&news.what));
    list(&mut page, "Where", &news.places);
    section(&mut page, "Not mailed", &news.open);
    section(&mut page, "What to do", std::slice::from_ref(&news.to_do));
    page.push_str(SEVERITIES);
    page
}

const SEVERITIES: &str = "\nSeverities are informational, notice, warning and critical; the stack parameter NotifySeverity\nsays from which one mails are sent.\n";

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
    let shown = text.chars().filter(|c| !is_invisible(*c)).map(|c| if is_break(c) { ' ' } else { c });
    shown.take(MAX_VALUE).collect()
}

/// What ends a line, or is no character at all.
fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// What nobody sees, or what makes the rest be read in another order: a name with such a character looks like another name
/// (Unicode Technical Report 36, "Unicode Security Considerations").
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Writing to a text cannot fail.
fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text);
}
