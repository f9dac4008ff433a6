//! What an event means for people.

mod closures;

use serde_json::Value;
use steward::{
    gateway::EventType,
    severity::Severity,
    table::mail_budget::{Held, MAILS, Slot},
};

/// The most lines of one list. A mail is to be read.
const MAX_LINES: usize = 20;

/// What an event means for people.
pub(super) struct News {
    pub(super) severity: Severity,
    /// What happened, in a few words.
    pub(super) headline: String,
    /// What happened, in sentences.
    pub(super) what: String,
    pub(super) places: Vec<(&'static str, String)>,
    /// What is not done, line by line.
    pub(super) open: Vec<String>,
    pub(super) to_do: String,
    pub(super) ids: Vec<(&'static str, String)>,
    /// What it is about, where that is more than this one event.
    pub(super) about: Option<String>,
    /// The account that has caused it.
    pub(super) caused_by: Option<String>,
}

/// What an event says, leniently: what is missing is left out.
struct Detail<'a>(&'a Value);

impl Detail<'_> {
    fn text(&self, pointer: &str) -> Option<String> {
        match self.0.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    fn or(&self, pointer: &str, otherwise: &str) -> String {
        self.text(pointer).unwrap_or_else(|| otherwise.to_owned())
    }

    fn rows(&self, rows: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        rows.iter().filter_map(|(label, pointer)| Some((*label, self.text(pointer)?))).collect()
    }

    /// `Shop (222222222222)`, or as much as is known.
    fn account(&self) -> String {
        match (self.text("/account_name"), self.text("/account_id")) {
            (Some(name), Some(id)) => format!("{name} ({id})"),
            (None, Some(id)) => id,
            (Some(name), None) => name,
            (None, None) => "an unknown account".to_owned(),
        }
    }

    /// The account in one word, for a headline, which is the subject of a mail: its id. Its name is what whoever administers it
    /// wants it to be, and stands in the text.
    fn account_in_short(&self) -> String {
        self.text("/account_id").unwrap_or_else(|| self.account())
    }

    fn is_failure(&self) -> bool {
        self.0["cause"].is_string()
    }
}

const NOTHING_TO_DO: &str = "Nothing.";

impl News {
    /// What an event of this type means.
    pub(super) fn of(detail_type: &str, detail: &Value) -> Self {
        let detail = Detail(detail);
        let mut news = Self::of_type(detail_type, &detail);
        news.places.extend(detail.rows(&[("newer baseline", "/baseline_refused/message")]));
        news
    }

    fn of_type(detail_type: &str, detail: &Detail<'_>) -> Self {
        let Ok(event_type) = detail_type.parse() else { return anything(detail_type, detail) };
        match event_type {
            EventType::AccountClosureAdvanced => closures::advanced(detail),
            EventType::AccountClosuresAnnounced => closures::announced(detail),
            EventType::AccountCreated => account_created(detail),
            EventType::AccountCreationFailed => account_creation_failed(detail),
            EventType::AccountUpdated => account_updated(detail),
            EventType::ActivityAudited => activity_audited(detail),
            EventType::BaselineApplied => baseline_applied(detail),
            EventType::BaselineDocumentRefused => baseline_document_refused(detail),
            EventType::BaselineSelectorUnmatched => baseline_selector_unmatched(detail),
            EventType::BaselineIncomplete => baseline_incomplete(detail),
            EventType::ComplianceReported => compliance_reported(detail),
            EventType::EmailChangesAbandoned => email_changes_abandoned(detail),
            EventType::JumpGroupsChanged => jump_groups_changed(detail),
            EventType::JumpUserChanged => jump_user_changed(detail),
            EventType::JumpUsersReviewed => jump_users_reviewed(detail),
            EventType::OrganizationPrepared => organization_prepared(detail),
            EventType::RegionOptAudited => region_opt_audited(detail),
            EventType::RegionPolicyViolated => region_policy_violated(detail),
            EventType::SweepBraked => sweep_braked(detail),
            EventType::RootTaskPerformed => root_task_performed(detail),
            EventType::RecordsUnreadable => records_unreadable(detail),
        }
    }

    /// News with what every event may carry: where, what to do, ids.
    fn new(severity: Severity, headline: String, what: String, detail: &Detail<'_>) -> Self {
        Self {
            severity,
            headline,
            what,
            places: detail.rows(&[("account", "/account_id"), ("name", "/account_name"), ("region", "/region")]),
            open: Vec::new(),
            to_do: detail.or("/remedy", NOTHING_TO_DO),
            ids: detail.rows(&[("cause", "/cause"), ("request", "/request_id"), ("sweep", "/sweep_id")]),
            about: None,
            // Where it was recorded rather than what it is about: a call may name any account.
            caused_by: detail.text("/recorded_in").or_else(|| detail.text("/account_id")),
        }
    }

    /// What was not mailed of an account in an hour.
    pub(super) fn summary(slot: &Slot, held: &Held) -> Self {
        let (account, count) = (&slot.account, held.held);
        let mut open = held.subjects.clone();
        let more = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(open.len());
        if more > 0 {
            open.push(format!("and {more} more"));
        }
        Self {
            severity: Severity::Warning,
            headline: format!("{count} more events of account {account} in one hour"),
            what: format!(
                "The account {account} has caused more than {MAILS} mails in an hour. {count} more events, none of them \
                 critical, were not mailed one by one."
            ),
            places: vec![("account", account.clone())],
            open,
            to_do:
                "Look at what the account does, and at its events in the log of activity-auditor and the archive of \
                    the stack's bus. Somebody may want to hide something among them."
                    .into(),
            ids: Vec::new(),
            about: None,
            caused_by: None,
        }
    }
}

fn account_created(detail: &Detail<'_>) -> News {
    let headline = format!("account {} was created", detail.account_in_short());
    let what = format!("The account {} exists, sits in its unit and waits for its baseline.", detail.account());
    let mut news = News::new(Severity::Informational, headline, what, detail);
    news.places.extend(detail.rows(&[("e-mail", "/email"), ("unit", "/organizational_unit")]));
    news
}

fn account_creation_failed(detail: &Detail<'_>) -> News {
    let which = detail.text("/account_name").or_else(|| detail.text("/email"));
    let which = which.map_or_else(|| "an account".to_owned(), |name| format!("the account {name}"));
    let headline = format!("{which} was not created: {}", detail.or("/cause", "no cause given"));
    let mut news = News::new(Severity::Warning, headline, detail.or("/message", "No message."), detail);
    news.places.extend(detail.rows(&[("e-mail", "/email")]));
    // The event that asked for it, where the request came as one.
    news.ids.extend(detail.rows(&[("requested by event", "/event_id")]));
    news.open = problems(detail);
    news
}

fn activity_audited(detail: &Detail<'_>) -> News {
    let severity = serde_json::from_value(detail.0["severity"].clone()).unwrap_or(Severity::Warning);
    let (action, actor) = (detail.or("/action", "something"), detail.or("/actor/name", "somebody unknown"));
    let headline = format!("{action} by {actor}, account {}", detail.account_in_short());
    let refused = detail.text("/error_code").map(|code| format!(" AWS refused it ({code}).")).unwrap_or_default();
    let why = detail.or("/why", "nobody knows why it matters");
    let what = format!("{actor} called {action}.{refused} It matters because {why}.");
    let mut news = News::new(severity, headline, what, detail);
    news.places.extend(detail.rows(&[("from", "/source_address"), ("at", "/at"), ("second factor", "/actor/mfa")]));
    let target = detail.0["target"].as_object().into_iter().flatten();
    let about = target.take(MAX_LINES).map(|(name, value)| format!("{name} {}", value.as_str().unwrap_or("?")));
    news.places.extend(about.map(|line| ("about", line)));
    let advice = match severity {
        Severity::Critical => {
            "Ask the actor now. If nobody knows of it, treat the identity as taken over: revoke its sessions and keys, \
             and look in CloudTrail at what else it did."
        }
        Severity::Warning => "Ask the actor today whether it was meant, and undo it if not.",
        Severity::Notice | Severity::Informational => NOTHING_TO_DO,
    };
    news.to_do = advice.into();
    news.ids = detail.rows(&[("CloudTrail event", "/event_id"), ("actor", "/actor/arn")]);
    news
}

fn baseline_applied(detail: &Detail<'_>) -> News {
    let headline = format!("account {} has its baseline", detail.account_in_short());
    let what = format!("Every control of the baseline is in place in the account {}.", detail.account());
    News::new(Severity::Informational, headline, what, detail)
}

fn baseline_document_refused(detail: &Detail<'_>) -> News {
    let headline = format!("the baseline document was refused: {} problems", detail.or("/problem_count", "some"));
    let mut news = News::new(Severity::Warning, headline, detail.or("/message", "No message."), detail);
    news.open = problems(detail);
    news.ids.extend(detail.rows(&[
        ("document", "/document"),
        ("ETag", "/etag"),
        ("version", "/version"),
        ("in force", "/in_force"),
    ]));
    // Every function that reads it says so.
    news.about = detail.text("/etag").map(|etag| format!("document {etag}"));
    news
}

fn baseline_selector_unmatched(detail: &Detail<'_>) -> News {
    let headline = "the baseline document names what is not in the organization".to_owned();
    let mut news = News::new(Severity::Warning, headline, detail.or("/message", "No message."), detail);
    let unmatched = detail.0["unmatched"].as_array().into_iter().flatten().take(MAX_LINES);
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or("?").to_owned();
    news.open = unmatched.map(|one| format!("{}: {}", text(one, "path"), text(one, "names"))).collect();
    news.ids.extend(detail.rows(&[("ETag", "/etag")]));
    // Every sweep says so.
    news.about = detail.text("/etag").map(|etag| format!("unmatched {etag}"));
    news
}

fn sweep_braked(detail: &Detail<'_>) -> News {
    let headline = "a sweep has stopped changing accounts and waits for a word".to_owned();
    News::new(Severity::Warning, headline, detail.or("/message", "No message."), detail)
}

fn baseline_incomplete(detail: &Detail<'_>) -> News {
    let headline = format!("account {} lacks a part of its baseline", detail.account_in_short());
    let mut news = News::new(Severity::Warning, headline, detail.or("/message", "No message."), detail);
    let rows = detail.0["controls"].as_array().into_iter().flatten();
    let open = rows.filter(|row| {
        let outcome = row["outcome"].as_str().unwrap_or_default();
        !matches!(outcome, "compliant" | "fixed" | "exempt" | "skipped")
    });
    let line = |row: &Value| {
        let message = row["failure"]["message"].as_str().map(|message| format!(": {message}")).unwrap_or_default();
        format!("{} is {}{message}", row["control"].as_str().unwrap_or("?"), row["outcome"].as_str().unwrap_or("?"))
    };
    news.open = open.take(MAX_LINES).map(line).collect();
    news
}

fn jump_groups_changed(detail: &Detail<'_>) -> News {
    let headline = "groups of the jump account reach other accounts than before".to_owned();
    let what = format!("It was changed because {}.", detail.or("/why", "something has happened to an account"));
    let mut news = News::new(Severity::Notice, headline, what, detail);
    let changes = detail.0["applied"].as_array().into_iter().flatten().filter_map(Value::as_str);
    news.places.extend(changes.take(MAX_LINES).map(|change| ("done", change.to_owned())));
    news
}

/// What is new, and not everything: what people have read once, the report keeps.
fn compliance_reported(detail: &Detail<'_>) -> News {
    let number = |pointer: &str| detail.0.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let (new, wrong, unknown) = (number("/new_count"), number("/totals/not_compliant"), number("/totals/unknown"));
    let of_checks = |name: &str| number(&format!("/totals/organization/{name}"));
    let (wrong_checks, unknown_checks) = (of_checks("not_compliant"), of_checks("unknown"));
    let is_first = detail.text("/compared_with").is_none();
    let severity = if new > 0 || (is_first && wrong + unknown + wrong_checks + unknown_checks > 0) {
        Severity::Warning
    } else {
        Severity::Informational
    };
    let news = if is_first { "the first one".to_owned() } else { format!("{new} new findings") };
    let headline = format!("sweep of {} accounts: {news}", number("/totals/accounts"));
    let since = if is_first {
        "It is the first sweep: the next ones tell what has changed.".to_owned()
    } else {
        format!("Since the last sweep {new} findings are new and {} are gone.", number("/resolved_count"))
    };
    let organization = match of_checks("checks") {
        0 => String::new(),
        checks => format!(
            " Of {checks} checks of the organization, {wrong_checks} found something wrong and {unknown_checks} could not \
             find out."
        ),
    };
    let what = format!(
        "{} accounts are as they should be, {wrong} are not, of {unknown} something is not known, and {} are not looked \
         at.{organization} {since}",
        number("/totals/compliant"),
        number("/totals/not_checked"),
    );
    let mut news = News::new(severity, headline, what, detail);
    let listed = detail.0["new"].as_array().into_iter().flatten().take(MAX_LINES);
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    news.open = listed
        .map(|finding| {
            let (name, id) = (text(finding, "account_name"), text(finding, "account_id"));
            format!("{name} ({id}) {}: {}", text(finding, "control"), text(finding, "headline"))
        })
        .collect();
    if severity > Severity::Informational {
        "Open the report: every finding says what to do.".clone_into(&mut news.to_do);
    }
    news.places.extend(detail.rows(&[("report", "/report")]));
    // It lies beside the report.
    let access =
        detail.text("/report").and_then(|report| Some(format!("{}access.html", report.strip_suffix("report.html")?)));
    news.places.extend(access.map(|access| ("roles to switch to", access)));
    news
}

fn region_opt_audited(detail: &Detail<'_>) -> News {
    let (region, status) = (detail.or("/region", "?"), detail.or("/status", "?"));
    let headline = format!("region {region} is {status} in account {}", detail.account_in_short());
    let what = format!("{headline}. The baseline document: {}.", detail.or("/document_says", "?"));
    let mut news = News::new(Severity::Informational, headline, what, detail);
    news.places.extend(detail.rows(&[("at", "/at"), ("requested by", "/requested_by/name")]));
    news
}

fn region_policy_violated(detail: &Detail<'_>) -> News {
    let (region, status) = (detail.or("/region", "?"), detail.or("/status", "?"));
    let headline = format!("region {region} is {status} in account {}", detail.account_in_short());
    let mut news = News::new(Severity::Warning, headline, detail.or("/message", "No message."), detail);
    news.places.extend(detail.rows(&[("status", "/status"), ("at", "/at"), ("requested by", "/requested_by/name")]));
    if detail.0["remediated"] == true {
        news.to_do = "Nothing, unless another mail says otherwise: Steward undoes it by itself.".into();
    }
    news
}

fn root_task_performed(detail: &Detail<'_>) -> News {
    let outcome = detail.or("/outcome", "unknown");
    let task = detail.or("/task", "?");
    let severity = match (outcome.as_str(), task.as_str()) {
        ("audited" | "planned" | "nothing_to_do", _) => Severity::Informational,
        // Somebody has power now who had none before, or a guard is gone.
        ("done", "allow-password-recovery" | "disable" | "enable") => Severity::Critical,
        _ => Severity::Warning,
    };
    let place = detail.text("/account_id").map(|id| format!(" in account {id}")).unwrap_or_default();
    let headline = format!("root task {task}{place}: {outcome}");
    let what = detail.or("/message", &format!("Somebody asked for the {headline}."));
    let mut news = News::new(severity, headline, what, detail);
    news.places.extend(detail.rows(&[
        ("target", "/target"),
        ("reason", "/reason"),
        ("asked by", "/requested_by"),
        ("refused", "/why"),
    ]));
    news.ids.extend(detail.rows(&[("invocation", "/invocation"), ("backup", "/backup"), ("SHA-256", "/sha256")]));
    news
}

fn account_updated(detail: &Detail<'_>) -> News {
    let (task, outcome) = (detail.or("/task", "?"), detail.or("/outcome", "unknown"));
    let severity = match (outcome.as_str(), task.as_str()) {
        ("planned" | "nothing_to_do" | "waits", _) => Severity::Informational,
        // Of many addresses, the change of all of them was mailed; and what was asked for has come about.
        ("done", "change-email-domain") if detail.text("/account_id").is_some() => Severity::Notice,
        ("done", "accept-email-change") if detail.text("/run").is_some() => Severity::Notice,
        ("done", "follow-email-changes" | "forget-email-change" | "rename") => Severity::Notice,
        // Whoever reads the mails of an address, or is asked by AWS, has power over the account.
        _ => Severity::Warning,
    };
    let of = |account: String| detail.text("/account_id").map(|_| format!(" for {account}")).unwrap_or_default();
    let headline = format!("{task}{}: {outcome}", of(detail.account_in_short()));
    let what = detail.or("/message", &format!("Somebody asked for {task}{}: {outcome}.", of(detail.account())));
    let mut news = News::new(severity, headline, what, detail);
    news.places.extend(detail.rows(&[
        ("old address", "/old_email"),
        ("new address", "/new_email"),
        ("from domain", "/from"),
        ("to domain", "/to"),
        ("new name", "/new_name"),
        ("contact", "/contact_type"),
        ("reason", "/reason"),
        ("asked by", "/requested_by"),
        ("refused", "/why"),
    ]));
    let steps = detail.0["steps"].as_array().into_iter().flatten().filter_map(Value::as_str);
    news.places.extend(steps.take(MAX_LINES).map(|step| ("done", step.to_owned())));
    news.ids.extend(detail.rows(&[("invocation", "/invocation"), ("run", "/run")]));
    news
}

fn email_changes_abandoned(detail: &Detail<'_>) -> News {
    let count = detail.or("/count", "?");
    let headline = format!("changes of primary e-mail addresses that nobody ends: {count}");
    let what = format!("{count} changes have waited for their codes for twenty hours. A code is good for 24.");
    let mut news = News::new(Severity::Warning, headline, what, detail);
    let text = |change: &Value, field: &str| change[field].as_str().unwrap_or("?").to_owned();
    let changes: Vec<_> = detail.0["changes"].as_array().into_iter().flatten().collect();
    let line = |change: &&Value| {
        let (name, id, email) = (text(change, "account_name"), text(change, "account_id"), text(change, "new_email"));
        format!("{name} ({id}) to {email}: its code ends at {}", text(change, "code_ends_at"))
    };
    news.open = changes.iter().take(MAX_LINES).map(line).collect();
    "Read the mails of these addresses and give the codes (accept-email-change); where a code has ended, ask for another one \
     (resend-email-change); what is not wanted any more, forget (forget-email-change)."
        .clone_into(&mut news.to_do);
    news
}

fn jump_user_changed(detail: &Detail<'_>) -> News {
    let (task, user) = (detail.or("/task", "?"), detail.or("/user_name", "?"));
    let outcome = detail.or("/outcome", "unknown");
    let severity = match (outcome.as_str(), task.as_str()) {
        ("nothing_to_do" | "planned", _) => Severity::Informational,
        // Somebody has less power than before.
        ("done", "remove") => Severity::Notice,
        _ => Severity::Warning,
    };
    let headline = format!("user {user} of the jump account: {task}, {outcome}");
    let what = detail.or("/message", &format!("Somebody asked for the {headline}."));
    let mut news = News::new(severity, headline, what, detail);
    let list = |pointer: &str| -> Vec<String> {
        let texts = detail.0[pointer].as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(ToOwned::to_owned).take(MAX_LINES).collect()
    };
    news.places.push(("user", user));
    news.places.extend(detail.rows(&[("refused", "/why")]));
    news.places.extend(list("groups").into_iter().map(|group| ("group", group)));
    news.places.extend(list("steps").into_iter().map(|step| ("done", step)));
    news.ids.extend(detail.rows(&[("invocation", "/invocation")]));
    news
}

fn jump_users_reviewed(detail: &Detail<'_>) -> News {
    let count = |field: &str| detail.0[field]["count"].as_u64().unwrap_or_default();
    let lists = [
        ("without_second_factor", "no second factor, a week after it was made"),
        ("idle", "not seen for 90 days"),
        ("old_keys", "an access key that is older than 90 days"),
    ];
    let found: u64 = lists.iter().map(|(field, _)| count(field)).sum();
    let missed = detail.0["not_reached"].as_u64().unwrap_or_default();
    let severity = if found + missed > 0 { Severity::Warning } else { Severity::Informational };
    let headline = format!("users of the jump account: {found} to look at");
    let what = format!(
        "Of {} users, {} have no second factor, {} are idle, and {} have old access keys. {missed} were not looked at.",
        detail.or("/users", "?"),
        count("without_second_factor"),
        count("idle"),
        count("old_keys")
    );
    let mut news = News::new(severity, headline, what, detail);
    for (field, why) in lists {
        let names = detail.0[field]["names"].as_array().into_iter().flatten().filter_map(Value::as_str);
        news.open.extend(names.take(MAX_LINES).map(|name| format!("{name}: {why}")));
    }
    if severity > Severity::Informational {
        "Ask each of them, or remove who has left: jump-user-manager does it in one call.".clone_into(&mut news.to_do);
    }
    news
}

fn organization_prepared(detail: &Detail<'_>) -> News {
    let steps = |pointer: &str| -> Vec<String> {
        let steps = detail.0[pointer].as_array().into_iter().flatten();
        steps.filter_map(|step| step.as_str().map(ToOwned::to_owned)).take(MAX_LINES).collect()
    };
    let (applied, failed) = (steps("applied"), steps("failed"));
    let headline = format!("the organization was changed: {} of {} steps", applied.len(), applied.len() + failed.len());
    let what = format!("Somebody let Steward change the organization. Done: {}.", or_nothing(&applied));
    // Who is trusted decides who may do what, everywhere.
    let mut news = News::new(Severity::Critical, headline, what, detail);
    news.open = failed;
    news.ids.extend(detail.rows(&[("invocation", "/invocation"), ("organization", "/organization_id")]));
    news
}

fn or_nothing(steps: &[String]) -> String {
    if steps.is_empty() { "nothing".to_owned() } else { steps.join("; ") }
}

fn records_unreadable(detail: &Detail<'_>) -> News {
    let keys = detail.0["keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let open: Vec<_> = keys.take(MAX_LINES).map(ToOwned::to_owned).collect();
    let headline = match open.as_slice() {
        [one] => format!("an item of the table cannot be read: {one}"),
        _ => "items of the table cannot be read".to_owned(),
    };
    let what = detail.or("/message", "Items of Steward's table are not what they should be.");
    News { open, ..News::new(Severity::Warning, headline, what, detail) }
}

/// An event of a type that this version does not know: replayed from the archive of a newer one.
fn anything(detail_type: &str, detail: &Detail<'_>) -> News {
    let severity = if detail.is_failure() { Severity::Warning } else { Severity::Informational };
    let what = detail.or("/message", &format!("Steward tells {detail_type}."));
    News::new(severity, format!("{detail_type}, account {}", detail.account_in_short()), what, detail)
}

fn problems(detail: &Detail<'_>) -> Vec<String> {
    let all = detail.0["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |problem: &Value, field: &str| problem[field].as_str().unwrap_or("?").to_owned();
    let mut lines: Vec<_> =
        all.iter().take(MAX_LINES).map(|p| format!("{}: {}", text(p, "path"), text(p, "problem"))).collect();
    if all.len() > MAX_LINES {
        lines.push(format!("and {} more", all.len() - MAX_LINES));
    }
    lines
}
