//! What must be true of every run, whatever goes wrong in it. Each is a function with a sentence.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;

use crate::{
    aws::dynamodb::plain,
    cloud::{State, Told},
    fault::Kind,
    run::{Asked, Seen, address, dead_letters},
    script::{Act, Item, Script},
    template::items,
};

/// An invariant that broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub name: &'static str,
    /// What must be true.
    pub sentence: &'static str,
    /// What was found.
    pub found: String,
}

/// Everything that a run has shown.
struct Look<'a> {
    script: &'a Script,
    state: &'a State,
    seen: &'a Seen,
    /// The records of requests, by address.
    requests: BTreeMap<String, Value>,
}

type Check = for<'a> fn(&Look<'a>) -> Option<String>;

/// Every invariant: its name, its sentence, and how it is looked at.
const ALL: &[(&str, &str, Check)] = &[
    ("one_account_per_address", "Never are there two accounts for one address.", one_account_per_address),
    (
        "no_second_call",
        "AWS is never asked again for an address while it is at it, or after it has made the account.",
        no_second_call,
    ),
    (
        "every_request_is_answered",
        "Every request is recorded or told to be refused, and none is refused for Steward's own speed.",
        every_request_is_answered,
    ),
    ("every_request_ends", "Every admitted request ends, once faults have ended.", every_request_ends),
    (
        "no_failure_without_a_reason",
        "A request fails only for a reason that lies outside of Steward.",
        no_failure_without_a_reason,
    ),
    ("every_end_is_told", "Every end of a request is told on the bus.", every_end_is_told),
    (
        "every_new_account_has_its_baseline",
        "Every account that Steward has made gets its baseline.",
        every_new_account_has_its_baseline,
    ),
    (
        "every_joined_account_has_its_baseline",
        "Every account that joins gets its baseline.",
        every_joined_account_has_its_baseline,
    ),
    ("ready_is_true", "An answer READY names an account that is active.", ready_is_true),
    ("a_copy_is_no_request", "An old copy of a request starts no new attempt.", a_copy_is_no_request),
    (
        "places_are_given_back",
        "When all is done, nobody holds a place among the accounts in flight.",
        places_are_given_back,
    ),
    ("queues_run_empty", "No message stays in a queue for ever.", queues_run_empty),
    (
        "nothing_is_given_up",
        "Without a failure from outside, nothing ends among the dead letters.",
        nothing_is_given_up,
    ),
    (
        "dead_letters_can_be_sent_again",
        "Once faults have ended and the document is corrected, every dead letter can be sent again and comes to its end.",
        dead_letters_can_be_sent_again,
    ),
    (
        "everything_is_allowed",
        "No function makes a call that its role does not allow, or that is not simulated.",
        everything_is_allowed,
    ),
    ("plans_write_nothing", "In plan mode nothing is written.", plans_write_nothing),
    ("rows_are_not_throttled", "No row is unknown because of Steward's own speed.", rows_are_not_throttled),
    (
        "failures_are_mailed",
        "Of every failed request people hear by mail, soon after what keeps mails from them is over.",
        failures_are_mailed,
    ),
    (
        "old_accounts_are_left_alone",
        "What was there before Steward is changed only by a person or as the document says.",
        old_accounts_are_left_alone,
    ),
    ("one_writer_at_a_time", "No sweep mends an account whose baseline is being applied.", one_writer_at_a_time),
    ("ours_are_known", "No account that Steward has made is taken for one that joined.", ours_are_known),
    ("sweeps_end_in_a_report", "Every sweep ends in a report.", sweeps_end_in_a_report),
    ("history_is_kept", "A report that is published again compares with the same report as before.", history_is_kept),
    ("every_account_is_reported_once", "Every account stands in every report, once.", every_account_is_reported_once),
];

/// The invariants that do not hold.
pub(crate) fn broken(script: &Script, state: &State, seen: &Seen) -> Vec<Broken> {
    let records = state.table.0.iter().filter(|(key, _)| key.starts_with("request#"));
    let requests = records.map(|(_, item)| {
        let record: Value = item.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        (record["wish"]["email"].as_str().unwrap_or_default().to_owned(), record)
    });
    let look = Look { script, state, seen, requests: requests.collect() };
    let found = ALL.iter().filter_map(|(name, sentence, check)| Some(Broken { name, sentence, found: check(&look)? }));
    found.collect()
}

impl Look<'_> {
    /// Whether calls fail in this run for reasons from outside.
    fn has_call_faults(&self) -> bool {
        self.script.items.iter().any(|item| matches!(item, Item::Fault(fault) if Kind::OF_CALLS.contains(&fault.kind)))
    }

    fn has_event_faults(&self) -> bool {
        self.script.items.iter().any(|item| matches!(item, Item::Fault(fault) if Kind::OF_EVENTS.contains(&fault.kind)))
    }

    fn does(&self, wanted: impl Fn(&Act) -> bool) -> bool {
        self.script.items.iter().any(|item| matches!(item, Item::Act(_, act) if wanted(act)))
    }

    fn told(&self, kind: &'static str) -> impl Iterator<Item = &Told> {
        self.state.told.iter().filter(move |told| told.kind == kind)
    }

    fn was_given_up(&self, text: &str) -> bool {
        dead_letters(self.state).iter().any(|(_, message)| message.body.contains(text))
    }
}

fn one_account_per_address(look: &Look<'_>) -> Option<String> {
    let mut made: BTreeMap<&str, u64> = BTreeMap::new();
    for account in look.state.organization.accounts.iter().filter(|account| account.state == "ACTIVE") {
        *made.entry(&account.email).or_default() += 1;
    }
    made.into_iter().find(|(_, count)| *count > 1).map(|(email, count)| format!("{count} accounts of {email}"))
}

fn no_second_call(look: &Look<'_>) -> Option<String> {
    let is_known = |email: &str| {
        look.does(|act| matches!(act, Act::Taken { person } | Act::Closed { person } if address(*person) == email))
    };
    let mut seen = std::collections::BTreeSet::new();
    let again = look.state.organization.creations.iter().find(|creation| !seen.insert(creation.email.clone()));
    again.filter(|creation| !is_known(&creation.email)).map(|creation| format!("two calls for {}", creation.email))
}

fn every_request_is_answered(look: &Look<'_>) -> Option<String> {
    let unanswered = |asked: &&Asked| {
        let email = address(asked.person);
        if look.requests.contains_key(&email) {
            return false;
        }
        match &asked.answer {
            // A person sees that it went wrong, and asks again.
            Some(Err(error)) => {
                error["errorType"] == "Throttled"
                    || (!look.has_call_faults() && error["errorType"] != "TooManyRequestsException")
            }
            Some(Ok(answer)) => answer["state"] != "REFUSED",
            None if asked.by_hand => true,
            None => {
                let is_told = look.told("AccountCreationFailed").any(|told| told.at >= asked.at);
                let is_given_up = look.has_call_faults() && look.was_given_up(&email);
                !is_told && !is_given_up
            }
        }
    };
    look.seen.asked.iter().find(unanswered).map(|asked| format!("{}: {:?}", address(asked.person), asked.answer))
}

fn every_request_ends(look: &Look<'_>) -> Option<String> {
    let open = look.requests.iter().find(|(_, record)| {
        let state = &record["state"]["name"];
        (state != "READY" && state != "FAILED") || record["announced"] != true
    });
    open.map(|(email, record)| format!("{email} is {}, announced {}", record["state"], record["announced"]))
}

fn no_failure_without_a_reason(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() || look.does(|act| matches!(act, Act::Taken { .. } | Act::Closed { .. })) {
        return None;
    }
    let failed = look.requests.iter().find(|(_, record)| record["state"]["name"] == "FAILED");
    failed.map(|(email, record)| format!("{email}: {}", record["state"]))
}

fn every_end_is_told(look: &Look<'_>) -> Option<String> {
    let untold = look.requests.iter().find(|(_, record)| {
        let kind = match record["state"]["name"].as_str() {
            Some("READY") => "AccountCreated",
            Some("FAILED") => "AccountCreationFailed",
            _ => return false,
        };
        !look.told(kind).any(|told| told.detail["request_id"] == record["request_id"])
    });
    untold.map(|(email, _)| email.clone())
}

fn has_baseline(look: &Look<'_>, account: &str) -> bool {
    look.told("BaselineApplied").any(|told| told.detail["account_id"] == account)
}

fn every_new_account_has_its_baseline(look: &Look<'_>) -> Option<String> {
    let lacks = |record: &Value| {
        let account = record["state"]["account_id"].as_str()?;
        let is_closed = look.state.organization.account(account).is_none_or(|found| found.state != "ACTIVE");
        if record["state"]["name"] != "READY" || is_closed || has_baseline(look, account) {
            return None;
        }
        // It may have failed for good, and people have been told.
        let is_told = look.told("BaselineIncomplete").any(|told| told.detail["account_id"] == account);
        if look.has_call_faults() && is_told {
            return None;
        }
        let said = look.told("BaselineIncomplete").find(|told| told.detail["account_id"] == account);
        Some(format!("{account}: {:?}", said.map(|told| told.detail.clone())))
    };
    look.requests.values().find_map(lacks)
}

fn every_joined_account_has_its_baseline(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() || look.has_event_faults() {
        return None;
    }
    let joined = look.state.organization.accounts.iter().filter(|account| account.email.starts_with("joined+"));
    let mut lacking = joined.filter(|account| account.state == "ACTIVE" && !has_baseline(look, &account.id));
    lacking.next().map(|account| account.id.clone())
}

fn ready_is_true(look: &Look<'_>) -> Option<String> {
    let untrue = look.seen.asked.iter().find(|asked| {
        let Some(Ok(answer)) = &asked.answer else { return false };
        let account = answer["account_id"].as_str().and_then(|id| look.state.organization.account(id));
        answer["state"] == "READY" && asked.closed_before && account.is_none_or(|account| account.state != "ACTIVE")
    });
    let forgotten = look.seen.asked.iter().find(|asked| {
        let record = look.requests.get(&address(asked.person));
        let attempts = record.and_then(|record| record["attempt"].as_u64()).unwrap_or_default();
        asked.closed_before && attempts == 1 && !look.has_call_faults()
    });
    untrue.or(forgotten).map(|asked| format!("{}: {:?}", address(asked.person), asked.answer))
}

fn a_copy_is_no_request(look: &Look<'_>) -> Option<String> {
    let too_many = look.requests.iter().find(|(email, record)| {
        let asked = look.seen.asked.iter().filter(|asked| address(asked.person) == **email).count() as u64;
        record["attempt"].as_u64().unwrap_or_default() > asked
    });
    too_many.map(|(email, record)| format!("{email}: attempt {}", record["attempt"]))
}

fn places_are_given_back(look: &Look<'_>) -> Option<String> {
    let holders = look.state.table.find("in-flight")?.get("holders")?;
    Some(holders.to_string())
}

fn queues_run_empty(look: &Look<'_>) -> Option<String> {
    if look.seen.quiet {
        return None;
    }
    let full = look.state.queues.iter().filter(|(_, queue)| !queue.messages.is_empty());
    let counts: Vec<String> = full.map(|(name, queue)| format!("{} in {name}", queue.messages.len())).collect();
    Some(counts.join(", "))
}

fn nothing_is_given_up(look: &Look<'_>) -> Option<String> {
    // Where no document was ever read that could be, there is no baseline to give; people are told with the mistake.
    let is_without_document = look.told("BaselineDocumentRefused").next().is_some();
    look.seen.given_up.clone().filter(|_| !look.has_call_faults() && !is_without_document)
}

fn dead_letters_can_be_sent_again(look: &Look<'_>) -> Option<String> {
    let letters = dead_letters(look.state);
    letters.first().map(|(queue, message)| format!("{} in all; in {queue}: {:.600}", letters.len(), message.body))
}

fn everything_is_allowed(look: &Look<'_>) -> Option<String> {
    look.state.wrong.first().cloned()
}

fn plans_write_nothing(look: &Look<'_>) -> Option<String> {
    (look.seen.writes_in_plan > 0).then(|| format!("{} writes", look.seen.writes_in_plan))
}

fn rows_are_not_throttled(look: &Look<'_>) -> Option<String> {
    if look.has_call_faults() {
        return None;
    }
    let by_hand = look.seen.by_hand.iter().flat_map(|answer| items(&answer["rows"]).chain(items(&answer["failed"])));
    let throttled: Vec<&Value> = by_hand.filter(|row| row.to_string().contains("\"Throttled\"")).collect();
    throttled.first().map(|row| format!("{} rows, such as {row}", throttled.len()))
}

fn failures_are_mailed(look: &Look<'_>) -> Option<String> {
    let faults = look.script.items.iter().filter_map(|item| match item {
        Item::Fault(fault) if Kind::OF_CALLS.contains(&fault.kind) => Some(fault),
        _ => None,
    });
    let last = faults.map(|fault| fault.from + fault.lasts).max().unwrap_or_default();
    let calm = look.state.begun + SignedDuration::from_secs(i64::try_from(last).unwrap_or(i64::MAX));
    // A message comes again after six minutes. Who was ended while telling is taken for alive for a quarter of an hour.
    let ends = [Kind::Killed, Kind::KilledAfter, Kind::AnswerLost, Kind::Slow, Kind::ServerErrorAfter];
    let is_ended =
        look.script.items.iter().any(|item| matches!(item, Item::Fault(fault) if ends.contains(&fault.kind)));
    let patience = SignedDuration::from_mins(if is_ended { 35 } else { 9 });
    let unheard = look.told("AccountCreationFailed").find(|told| {
        let failure = told.detail["message"].as_str().unwrap_or_default();
        !look.state.mails.iter().any(|(at, mail)| {
            let text = mail["Message"].as_str().unwrap_or_default();
            *at >= told.at && *at <= told.at.max(calm) + patience && text.contains(first_words(failure))
        })
    });
    let unheard = unheard.filter(|_| !look.has_event_faults());
    unheard.map(|told| format!("told at {}: {}; {} mails", told.at, told.detail, look.state.mails.len()))
}

fn first_words(text: &str) -> &str {
    text.split_inclusive(' ').take(3).last().map_or(text, |_| {
        let end = text.match_indices(' ').nth(2).map_or(text.len(), |(end, _)| end);
        &text[..end]
    })
}

fn old_accounts_are_left_alone(look: &Look<'_>) -> Option<String> {
    if look.does(|act| matches!(act, Act::ApplyToAll | Act::Mending)) {
        return None;
    }
    // The documents of these runs have sweeps mend nothing: what was there before the run is nobody's new account.
    let old = look.state.organization.accounts.iter().filter(|account| account.joined < look.state.begun);
    let mut touched = old.filter(|account| {
        account.tags.contains_key("managed-by")
            || look.state.members.get(&account.id).is_some_and(|member| member.writes > 0)
    });
    touched.next().map(|account| format!("{} of {} days", account.id, days(look, account.joined)))
}

fn one_writer_at_a_time(look: &Look<'_>) -> Option<String> {
    let entered = &look.state.entered;
    let mut between = entered.iter().filter(|(_, _, function)| function == "ComplianceChecker").filter_map(|sweep| {
        // Who gives a new account its baseline was not done with it.
        let later = entered.iter().find(|(at, account, function)| {
            function == "BaselineApplier"
                && *account == sweep.1
                && *at > sweep.0
                && at.duration_since(sweep.0) < SignedDuration::from_mins(10)
        })?;
        Some(format!("{}: {} at {}, {} at {}", sweep.1, sweep.2, sweep.0, later.2, later.0))
    });
    between.next().filter(|_| !look.does(|act| matches!(act, Act::ApplyToAll)))
}

fn ours_are_known(look: &Look<'_>) -> Option<String> {
    let made: Vec<&Value> = look.requests.values().map(|record| &record["state"]["account_id"]).collect();
    let mut foreign = look
        .told("BaselineApplied")
        .filter(|told| told.detail["request_id"].is_null() && made.contains(&&told.detail["account_id"]));
    let only_slow = look.script.items.iter().all(|item| match item {
        Item::Fault(fault) => matches!(fault.kind, Kind::Slow | Kind::Doubled),
        Item::Act(_, act) => !matches!(act, Act::Sweep | Act::ApplyToAll),
    });
    foreign.next().filter(|_| only_slow).map(|told| told.detail["account_id"].to_string())
}

fn days(look: &Look<'_>, joined: jiff::Timestamp) -> i64 {
    look.state.begun.duration_since(joined).as_hours() / 24
}

fn sweeps_end_in_a_report(look: &Look<'_>) -> Option<String> {
    look.seen
        .failed_sweeps
        .first()
        .map(|error| format!("{} failed, the first with {error}", look.seen.failed_sweeps.len()))
}

fn history_is_kept(look: &Look<'_>) -> Option<String> {
    let published = &look.seen.published;
    let pairs = published.iter().enumerate().filter(|(_, report)| report.again);
    let mut lost = pairs.filter_map(|(place, again)| {
        let first = published[..place].iter().find(|report| report.sweep == again.sweep)?;
        // The latest report is that of the latest sweep, unless one has ended since.
        if first.latest["sweep"]["sweep_id"] != again.latest["sweep"]["sweep_id"] {
            return None;
        }
        let of = |report: &Value| (report["compared_with"].clone(), report["trend"].as_array().map(Vec::len));
        let (before, after) = (of(&first.latest), of(&again.latest));
        (before != after).then(|| format!("{}: {before:?} and then {after:?}", again.sweep))
    });
    lost.next()
}

fn every_account_is_reported_once(look: &Look<'_>) -> Option<String> {
    let mut wrong = look.seen.published.iter().filter_map(|published| {
        let rows: Vec<&Value> = items(&published.latest["sweep"]["accounts"]).collect();
        let mut ids: Vec<&str> =
            rows.iter().filter_map(|row| row["account_id"].as_str().or(row["id"].as_str())).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        let wanted =
            look.state.organization.accounts.iter().filter(|account| account.joined < look.state.begun).count();
        (count != ids.len() || count < wanted)
            .then(|| format!("{count} rows of {} accounts, {wanted} there", ids.len()))
    });
    wrong.next()
}
