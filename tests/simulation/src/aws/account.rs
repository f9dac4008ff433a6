//! AWS Account Management, as the management account asks it: names and primary e-mail addresses of members.
//!
//! A change of an address mails a code to the new address. The mails lie here, apart from all that the functions say: people
//! read them, and nobody else.

pub(crate) mod outside;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Answer, Refusal, organizations::Organization, settings, unknown};
use crate::{
    call::Call,
    cloud::{Effect, State},
    script::Control,
    template::ACCOUNT,
    time,
};

/// Changes of one account that may be started within [`WINDOW`] (Account Management reference guide, "Quotas").
const STARTS: usize = 3;
const WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// How long a code is good for.
const CODE_LASTS: SignedDuration = SignedDuration::from_hours(24);
/// How long AWS Organizations shows at most what was before.
pub(crate) const SHOWN_LATE: SignedDuration = SignedDuration::from_mins(5);
/// How every code begins, so that none of them is by chance a part of something else.
const CODE: &str = "Zq";

/// What an account was called, or where its mail went, before.
#[derive(Clone, Debug)]
struct Before {
    text: String,
    until: Timestamp,
    /// Until when AWS Organizations shows it.
    shown_until: Timestamp,
}

/// What a name or an address was before it was what it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(Vec<Before>);

impl History {
    fn shown<'a>(&'a self, present: &'a str, now: Timestamp) -> &'a str {
        self.0.iter().find(|before| now < before.shown_until).map_or(present, |before| &before.text)
    }

    /// Everything that it was at some moment of this time.
    pub(crate) fn during<'a>(&'a self, present: &'a str, from: Timestamp, to: Timestamp) -> Vec<&'a str> {
        let begins = std::iter::once(Timestamp::MIN).chain(self.0.iter().map(|before| before.until));
        let spans = self.0.iter().map(|before| (before.text.as_str(), before.until)).chain([(present, Timestamp::MAX)]);
        let spans = begins.zip(spans).filter(|(begin, (_, end))| *begin <= to && *end >= from);
        spans.map(|(_, (text, _))| text).collect()
    }

    /// When it was last given up that it was this, if it is that no more.
    pub(crate) fn given_up(&self, text: &str, present: &str) -> Option<Timestamp> {
        let was = |before: &&Before| before.text.eq_ignore_ascii_case(text);
        (!present.eq_ignore_ascii_case(text)).then(|| self.0.iter().rfind(was).map(|before| before.until))?
    }

    /// Whether it was this before.
    pub(crate) fn had(&self, text: &str) -> bool {
        self.0.iter().any(|before| before.text == text)
    }

    /// What it became, each time.
    fn became<'a>(&'a self, present: &'a str) -> impl Iterator<Item = (Timestamp, &'a str)> {
        let texts = self.0.iter().skip(1).map(|before| before.text.as_str()).chain([present]);
        self.0.iter().map(|before| before.until).zip(texts)
    }

    fn push(&mut self, text: String, shown_late: Duration) {
        let now = time::now();
        let shown_until = now + SignedDuration::try_from(shown_late).expect("minutes");
        self.0.push(Before { text, until: now, shown_until });
    }
}

/// A change of an address.
#[derive(Clone, Debug)]
pub(crate) struct EmailUpdate {
    pub(crate) email: String,
    /// What the mail to the new address says.
    pub(crate) code: String,
    /// When the mail is there.
    pub(crate) mailed_at: Timestamp,
    pub(crate) status: &'static str,
    pub(crate) updated_at: Timestamp,
    pub(crate) started_at: Timestamp,
    pub(crate) accepted_at: Option<Timestamp>,
    /// Whether it fails when its code ends; otherwise it waits for ever.
    fails_with_code: bool,
}

impl EmailUpdate {
    fn is_late(&self, now: Timestamp) -> bool {
        now.duration_since(self.started_at) >= CODE_LASTS
    }
}

/// What has become of an account's name and address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    pub(crate) names: History,
    pub(crate) addresses: History,
    /// Every change of the address, the present one last.
    pub(crate) updates: Vec<EmailUpdate>,
    /// The names and addresses that it was given without Steward.
    pub(crate) from_outside: Vec<String>,
}

impl Profile {
    /// The names that it got by Steward after its first one, with the time of each.
    pub(crate) fn names_given<'a>(&'a self, present: &'a str) -> impl Iterator<Item = (Timestamp, &'a str)> {
        self.names.became(present).filter(|(_, name)| self.is_by_steward(name))
    }

    /// The same of its addresses.
    pub(crate) fn addresses_given<'a>(&'a self, present: &'a str) -> impl Iterator<Item = (Timestamp, &'a str)> {
        self.addresses.became(present).filter(|(_, address)| self.is_by_steward(address))
    }

    /// Whether nobody has given it this name or address without Steward.
    pub(crate) fn is_by_steward(&self, text: &str) -> bool {
        !self.from_outside.iter().any(|given| given == text)
    }
}

/// The name and the address of an account, as AWS Organizations shows them.
pub(super) fn shown<'a>(org: &'a Organization, account: &'a super::organizations::Account) -> (&'a str, &'a str) {
    let (name, email) = (account.name.as_str(), account.email.as_str());
    let profile = org.profiles.get(&account.id);
    profile.map_or((name, email), |profile| {
        (profile.names.shown(name, time::now()), profile.addresses.shown(email, time::now()))
    })
}

/// The domain of the address that a call names; empty where it names none.
pub(super) fn domain(call: &Call) -> &str {
    call.text("PrimaryEmail").rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// The account that a call is about, as policies name it.
pub(super) fn resource(call: &Call) -> String {
    match call.input["AccountId"].as_str() {
        Some(member) => format!("arn:aws:account::{ACCOUNT}:account/o-exampleorgid/{member}"),
        None => format!("arn:aws:account::{ACCOUNT}:account"),
    }
}

pub(super) fn serve(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let operation = call.operation.as_str();
    let id = match call.input["AccountId"].as_str() {
        None if operation.contains("PrimaryEmail") => return Err(invalid("AccountId")),
        None => ACCOUNT.to_owned(),
        // The management account is asked about without its id.
        Some(ACCOUNT) => return Err(denied()),
        Some(id) => id.to_owned(),
    };
    let Some(account) = state.organization.account(&id) else { return Err(denied()) };
    let now = time::now();
    let body = match operation {
        "GetPrimaryEmail" => json!({"PrimaryEmail": account.email}),
        "GetAccountInformation" => json!({"AccountId": id, "AccountName": account.name, "AccountState": account.state}),
        "GetPrimaryEmailUpdateStatus" => {
            let update = state.organization.profiles.get_mut(&id).and_then(|profile| profile.updates.last_mut());
            let update = update.ok_or_else(none_requested)?;
            if update.status == "PENDING" && update.is_late(now) && update.fails_with_code {
                (update.status, update.updated_at) = ("FAILED", update.started_at + CODE_LASTS);
            }
            json!({"Status": update.status, "UpdatedAt": update.updated_at.as_second()})
        }
        "StartPrimaryEmailUpdate" => start(state, &id, address(call)?)?,
        "AcceptPrimaryEmailUpdate" => accept(state, &id, call)?,
        "PutAccountName" => {
            settings::begin(state, &id);
            let body = put_name(state, &id, call)?;
            let function = settings::function_of(state, call);
            settings::written(state, &id, Control::AccountName, function.as_deref());
            body
        }
        _ => {
            let who = state.principals[&call.key].clone();
            return Err(unknown(state, &who, call));
        }
    };
    Ok(Answer::json(&body))
}

/// Begins a change. Another one that waits for its code is replaced: its code is good for nothing then.
fn start(state: &mut State, id: &str, email: String) -> Result<Value, Refusal> {
    let now = time::now();
    let update = EmailUpdate {
        code: format!("{CODE}{}", state.draws.id("code of a mail", "0123456789BCDFGHJKLMNPQRSTVWXYZ", 4)),
        mailed_at: now
            + SignedDuration::try_from(state.draws.millis("mail on its way", 2_000, 300_000)).expect("minutes"),
        fails_with_code: state.draws.happens("update fails with its code", 50),
        status: "PENDING",
        updated_at: now,
        started_at: now,
        accepted_at: None,
        email,
    };
    let is_taken = state.organization.has_address(&update.email);
    let profile = state.organization.profiles.entry(id.to_owned()).or_default();
    if profile.updates.iter().filter(|update| now.duration_since(update.started_at) < WINDOW).count() >= STARTS {
        return Err(Refusal::throttled("account"));
    }
    if profile.updates.last().is_some_and(|update| update.status == "ACCEPTED") {
        return Err(conflict("Another update of the primary email is in progress."));
    }
    if is_taken {
        return Err(conflict("The email address is already in use."));
    }
    let (email, mailed_at) = (update.email.clone(), update.mailed_at);
    profile.updates.push(update);
    state.note("account", format_args!("a code for {id} is on its way to {email}, there at {mailed_at}"));
    Ok(json!({"Status": "PENDING"}))
}

/// Takes the code. The account has the new address some time later.
fn accept(state: &mut State, id: &str, call: &Call) -> Result<Value, Refusal> {
    let now = time::now();
    let (email, code) = (address(call)?, call.text("Otp"));
    if code.len() != 6 || !code.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
        return Err(invalid("Otp"));
    }
    let wait = if state.draws.happens("address changes soon", 70) {
        state.draws.millis("address changes after", 5_000, 300_000)
    } else {
        state.draws.millis("address changes late", 300_000, 4 * 3_600_000)
    };
    // AWS does not say which of the two it does.
    let looks = state.draws.happens("address looked at when the code is given", 50);
    let is_taken = state.organization.has_address(&email);
    let update = state.organization.profiles.get_mut(id).and_then(|profile| profile.updates.last_mut());
    let update = update.ok_or_else(none_requested)?;
    if update.status != "PENDING" {
        return Err(conflict("The update of the primary email does not wait for a code."));
    }
    if update.email != email {
        return Err(invalid("PrimaryEmail"));
    }
    if update.is_late(now) || update.code != code {
        // It repeats what it was called with, as services do.
        return Err(refused("Otp", &format!("The value {code} at Otp is not valid.")));
    }
    if is_taken && looks {
        return Err(conflict("The email address is already in use."));
    }
    (update.status, update.updated_at, update.accepted_at) = ("ACCEPTED", now, Some(now));
    state.later(wait, Effect::AddressChanges { account: id.to_owned() });
    Ok(json!({"Status": "ACCEPTED"}))
}

/// Gives the account its address, unless another account has got it meanwhile.
pub(crate) fn address_changes(state: &mut State, id: &str) {
    let most = u64::try_from(SHOWN_LATE.as_millis()).expect("minutes");
    let shown_late = state.draws.millis("address shown late", 0, most);
    settings::begin(state, id);
    let org = &mut state.organization;
    let Some(update) = org.profiles.get(id).and_then(|profile| profile.updates.last()) else { return };
    let email = update.email.clone();
    let is_taken = org.has_address(&email);
    let account = org.accounts.iter_mut().find(|account| account.id == id).filter(|_| !is_taken);
    let profile = org.profiles.entry(id.to_owned()).or_default();
    let status = if let Some(account) = account {
        let before = std::mem::replace(&mut account.email, email);
        profile.addresses.push(before, shown_late);
        "COMPLETED"
    } else {
        "FAILED"
    };
    if let Some(update) = profile.updates.last_mut() {
        (update.status, update.updated_at) = (status, time::now());
    }
    settings::settled(state, id);
    state.note("account", format_args!("the change of the address of {id} is {status}"));
}

/// Gives an account another name. Two accounts may have one name.
fn put_name(state: &mut State, id: &str, call: &Call) -> Result<Value, Refusal> {
    let name = call.text("AccountName").to_owned();
    // `[ -;=?-~]+`: printable ASCII without < and >.
    let is_name = name.bytes().all(|letter| (b' '..=b'~').contains(&letter) && letter != b'<' && letter != b'>');
    if !(1..=50).contains(&name.len()) || !is_name {
        return Err(invalid("AccountName"));
    }
    let most = u64::try_from(SHOWN_LATE.as_millis()).expect("minutes");
    let shown_late = state.draws.millis("name shown late", 0, most);
    let org = &mut state.organization;
    let account = org.accounts.iter_mut().find(|account| account.id == id).ok_or_else(denied)?;
    let before = std::mem::replace(&mut account.name, name);
    org.profiles.entry(id.to_owned()).or_default().names.push(before, shown_late);
    Ok(json!({}))
}

/// The address that a call names, as AWS compares addresses: in small letters.
fn address(call: &Call) -> Result<String, Refusal> {
    let email = call.text("PrimaryEmail");
    let is_address = (5..=64).contains(&email.len())
        && !email.contains(char::is_whitespace)
        && email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    if is_address { Ok(email.to_ascii_lowercase()) } else { Err(invalid("PrimaryEmail")) }
}

fn refused(field: &str, message: &str) -> Refusal {
    let refusal = Refusal::new(400, "ValidationException", message).with("reason", "fieldValidationFailed");
    refusal.with("fieldList", json!([{"name": field, "message": format!("The value of {field} is not valid.")}]))
}

pub(super) fn invalid(field: &str) -> Refusal {
    refused(field, &format!("The value of {field} is not valid."))
}

fn conflict(why: &str) -> Refusal {
    Refusal::new(409, "ConflictException", why)
}

fn none_requested() -> Refusal {
    Refusal::new(404, "ResourceNotFoundException", "No primary email update request found.")
}

pub(super) fn denied() -> Refusal {
    Refusal::new(403, "AccessDeniedException", "The account cannot be managed so.")
}
