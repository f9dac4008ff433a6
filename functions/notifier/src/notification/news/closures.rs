//! What the closing of accounts means for people.

use serde_json::Value;
use steward::severity::Severity;

use super::{Detail, MAX_LINES, News};

/// The closing of one account has come further. That it begins is told for many at once, by [`announced`].
pub(super) fn advanced(detail: &Detail<'_>) -> News {
    // Somebody was quicker than its cooling-off time.
    let past_steward = detail.0["past_steward"] == true;
    let (act, outcome) = (detail.or("/act", "?"), detail.or("/outcome", "unknown"));
    let (account, id) = (detail.account(), detail.account_in_short());
    let severity = match outcome.as_str() {
        "suspended" | "released" | "asked" | "put_off" => Severity::Informational,
        // Whoever was told that it will be closed is to hear that it will not.
        "closed" | "failed" | "kept" | "refused" => Severity::Warning,
        _ => Severity::Notice,
    };
    let headline = match outcome.as_str() {
        "closed" if past_steward => format!("account {id} is closed, past Steward"),
        "closed" => format!("account {id} is closed"),
        "kept" => format!("account {id} is kept: its closing was called off"),
        "failed" => format!("the closing of account {id} has stopped: {}", detail.or("/cause", "no cause given")),
        "refused" => format!("account {id} is not closed: it was refused"),
        other => format!("account {id}: {act}, {other}"),
    };
    let what = match (outcome.as_str(), detail.text("/gone_on")) {
        ("closed", Some(gone_on)) => format!(
            "The account {account} is closed. Until {gone_on}, AWS Support can open it again; then it is gone for good, with \
             whatever is in it."
        ),
        ("kept", _) => format!(
            "The account {account} is in {} and stays open; its tag is taken away.",
            detail.or("/unit", "the unit that it was in")
        ),
        ("refused", _) => format!("Somebody asked to close the account {account}. {}", detail.or("/why", "")),
        _ => detail.or("/message", &format!("The {headline}.")),
    };
    let mut news = News::new(severity, headline, what, detail);
    news.places.extend(detail.rows(&[
        ("unit", "/unit"),
        ("reason", "/reason"),
        ("asked by", "/requested_by"),
        ("called off by", "/called_off_by"),
        ("called off because", "/call_off_reason"),
        ("closed from", "/closes_at"),
        ("gone on", "/gone_on"),
    ]));
    news.ids.extend(detail.rows(&[("invocation", "/invocation")]));
    news
}

/// Accounts will be closed, unless somebody calls it off.
pub(super) fn announced(detail: &Detail<'_>) -> News {
    let count = detail.0["count"].as_u64().unwrap_or_default();
    let accounts = if count == 1 { "1 account".to_owned() } else { format!("{count} accounts") };
    let from = detail.or("/closes_at", "an unknown time");
    let headline = match detail.text("/notice").as_deref() {
        Some("held") => format!("{accounts} cannot be closed before somebody has done something"),
        Some("due") => format!("{accounts} will be closed within a day"),
        _ => format!("{accounts} will be closed from {} on", from.get(..10).unwrap_or(&from)),
    };
    let what = format!(
        "{headline}: the first at {from}. Everything is denied to them already, in the unit for accounts that are to be closed. \
         What is in them is lost 90 days after that."
    );
    let mut news = News::new(Severity::Warning, headline, what, detail);
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or("?").to_owned();
    let listed = detail.0["accounts"].as_array().map(Vec::as_slice).unwrap_or_default();
    news.open = listed
        .iter()
        .take(MAX_LINES)
        .map(|one| {
            let by = one["requested_by"].as_str().map(|by| format!(", asked by {by}")).unwrap_or_default();
            let why = one["why"].as_str().map(|why| format!(". {why}")).unwrap_or_default();
            format!("{} ({}): {}{by}{why}", text(one, "account_name"), text(one, "account_id"), text(one, "reason"))
        })
        .collect();
    if listed.len() > MAX_LINES {
        news.open.push(format!("and {} more", listed.len() - MAX_LINES));
    }
    news.to_do = "Whoever still needs one of them calls its closing off: account-closer with keep.".into();
    news
}
