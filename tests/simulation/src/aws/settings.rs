//! What accounts are set to beside their alias and their tags: what documents ask for with further controls, and what becomes
//! of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    deployed,
    inside::{Budgets, Recorder, Rule},
    regions, root,
};
use crate::{call::Call, cloud::State, document::controls, draw::Draws, script::Control, template::ACCOUNT, time};

/// How long services of a new account may refuse it.
const OPTING_IN: u64 = 600_000;
/// Who changes accounts by what the document says.
const BY_DOCUMENT: [&str; 2] = ["BaselineApplier", "ComplianceChecker"];
/// How long an old state may be seen after a change.
const LAG: u64 = 5_000;

/// Something that some reads still see as it was, for a while (IAM user guide, "Troubleshoot IAM": "Changes that I make are not
/// always immediately visible").
#[derive(Clone, Debug, Default)]
pub(crate) struct Lagging<T> {
    now: T,
    before: Option<(T, Timestamp)>,
}

impl<T: Clone> Lagging<T> {
    pub(super) fn new(now: T) -> Self {
        Self { now, before: None }
    }

    /// As it is.
    pub(crate) fn now(&self) -> &T {
        &self.now
    }

    /// As a read sees it.
    pub(super) fn seen(&self, draws: &mut Draws) -> &T {
        self.seen_where(|| draws.happens("an old setting is seen", 50))
    }

    /// As a read sees it that may come to a place where it is as it was.
    pub(super) fn seen_where(&self, is_old: impl FnOnce() -> bool) -> &T {
        match &self.before {
            Some((before, until)) if time::now() < *until && is_old() => before,
            _ => &self.now,
        }
    }

    pub(crate) fn set(&mut self, now: T, draws: &mut Draws) {
        if draws.happens("a setting lags", 10) {
            let late = SignedDuration::from_millis(millis(draws.below("for how long it lags", LAG)));
            self.set_late(now, Some(late));
        } else {
            self.now = now;
        }
    }

    /// It is another one, which some reads see so long after; None: every read sees it at once.
    pub(super) fn set_late(&mut self, now: T, late: Option<SignedDuration>) {
        let before = std::mem::replace(&mut self.now, now);
        self.before = late.map(|late| (before, time::now() + late));
    }
}

fn millis(millis: u64) -> i64 {
    i64::try_from(millis).expect("minutes")
}

/// A role of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(super) path: String,
    pub(crate) trust: String,
    pub(crate) session_seconds: String,
    pub(super) description: String,
    pub(crate) attached: BTreeSet<String>,
    /// The documents of the policies that are written into it.
    pub(crate) inline: BTreeMap<String, String>,
}

impl Role {
    /// One that trusts whom this policy says, and may do nothing.
    pub(super) fn trusting(trust: &Value) -> Self {
        Self {
            path: "/".to_owned(),
            trust: trust.to_string(),
            session_seconds: "3600".to_owned(),
            description: String::new(),
            attached: BTreeSet::new(),
            inline: BTreeMap::new(),
        }
    }

    /// The access role of an account, as AWS makes it.
    fn of_access() -> Self {
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}}]});
        Self { attached: [controls::ADMINISTRATOR_ACCESS.to_owned()].into(), ..Self::trusting(&trust) }
    }
}

/// A topic of Amazon SNS.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(super) made_at: Timestamp,
    pub(super) policy: String,
    /// The addresses; none of them has confirmed.
    pub(crate) subscriptions: Vec<String>,
}

/// A change that somebody has made.
#[derive(Clone, Debug)]
pub(crate) struct Changed {
    pub(crate) at: Timestamp,
    pub(crate) account: String,
    pub(crate) control: Control,
    /// The function; None for whoever administers the account.
    pub(crate) by: Option<String>,
}

/// What an account is set to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// By their types.
    pub(crate) contacts: BTreeMap<String, Value>,
    pub(crate) contact: Value,
    pub(crate) password_policy: Lagging<Option<BTreeMap<String, String>>>,
    pub(crate) public_access: Lagging<Option<[bool; 4]>>,
    pub(crate) roles: BTreeMap<String, Lagging<Option<Role>>>,
    pub(crate) topics: BTreeMap<String, Topic>,
    pub(crate) alarms: BTreeMap<String, Value>,
    pub(crate) color: Lagging<Option<String>>,
    pub(crate) budgets: Lagging<Budgets>,
    /// By region.
    pub(crate) recorders: BTreeMap<String, Recorder>,
    pub(crate) rules: BTreeMap<String, Rule>,
    /// Until when services refuse it because it is new.
    pub(super) opts_in_until: Option<Timestamp>,
}

/// Since when an account has what the section of a control asks for, or has it no more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past(BTreeMap<Control, Vec<(Timestamp, bool)>>);

impl Settings {
    /// A new account's: the primary contact is that of the management account.
    pub(crate) fn of_a_new_account() -> Self {
        let contact = json!({"FullName": "Management", "AddressLine1": "Somewhere 1", "City": "Berlin",
            "StateOrRegion": "Berlin", "PostalCode": "10115", "CountryCode": "DE", "PhoneNumber": "+49301"});
        let roles = [(controls::ACCESS_ROLE.to_owned(), Lagging::new(Some(Role::of_access())))].into();
        Self { contact, roles, ..Self::default() }
    }
}

impl Past {
    fn look(&mut self, state: &State, account: &str, at: Timestamp) {
        for control in Control::all() {
            let has = controls::has(state, account, control);
            let since = self.0.entry(control).or_default();
            if since.last().is_none_or(|(_, had)| *had != has) {
                since.push((at, has));
            }
        }
    }
}

/// Whether an account had what the section of a control asks for, or had it not, at some moment of this time.
pub(crate) fn had(
    state: &State,
    account: &str,
    control: Control,
    wanted: bool,
    (from, to): (Timestamp, Timestamp),
) -> bool {
    let Some(past) = state.past.get(account) else { return controls::has(state, account, control) == wanted };
    let since = past.0.get(&control).map(Vec::as_slice).unwrap_or_default();
    let ends = since.iter().skip(1).map(|(at, _)| *at).chain([Timestamp::MAX]);
    since.iter().zip(ends).any(|((begins, had), ends)| *had == wanted && *begins <= to && ends >= from)
}

fn look(state: &mut State, account: &str, at: Timestamp) {
    let mut past = state.past.remove(account).unwrap_or_default();
    past.look(state, account, at);
    state.past.insert(account.to_owned(), past);
}

/// Something of an account is about to change: what it was before is known from here on.
pub(crate) fn begin(state: &mut State, account: &str) {
    if !state.past.contains_key(account) {
        look(state, account, Timestamp::MIN);
    }
}

/// The settings of an account.
pub(crate) fn of<'a>(state: &'a mut State, account: &str) -> &'a mut Settings {
    if !state.settings.contains_key(account) {
        let mut settings = Settings::of_a_new_account();
        let created = state.organization.account(account).filter(|account| account.created);
        if let Some(created) = created
            && state.draws.happens("services refuse a new account", 50)
        {
            let refuses = millis(state.draws.below("services refuse it for", OPTING_IN));
            settings.opts_in_until = Some(created.joined + SignedDuration::from_millis(refuses));
        }
        state.settings.insert(account.to_owned(), settings);
        begin(state, account);
    }
    state.settings.get_mut(account).expect("it was inserted")
}

/// The settings of an account, if a call asks for something that may be refused for a while.
pub(super) fn of_if<'a>(state: &'a mut State, account: &str, call: &Call) -> Option<&'a mut Settings> {
    matches!(call.service.as_str(), "monitoring" | "sns" | "s3control").then(|| of(state, account))
}

/// Something has come to its end in an account, or was changed that is no matter of a document.
pub(crate) fn settled(state: &mut State, account: &str) {
    look(state, account, time::now());
}

/// Something of an account was changed, by a function or by whoever administers it.
pub(crate) fn changed(state: &mut State, account: &str, control: Control, by: Option<&str>) {
    let at = time::now();
    look(state, account, at);
    state.changed.push(Changed { at, account: account.to_owned(), control, by: by.map(ToOwned::to_owned) });
}

/// A function, if it is one, has changed something: who works by the document has done so for the sake of it.
pub(super) fn written(state: &mut State, account: &str, control: Control, function: Option<&str>) {
    match function.filter(|function| BY_DOCUMENT.contains(function)) {
        Some(function) => changed(state, account, control, Some(function)),
        None => settled(state, account),
    }
}

/// Who has made a call with the keys of a role.
pub(super) fn function_of(state: &State, call: &Call) -> Option<String> {
    state.principals.get(&call.key).map(|who| who.function.clone())
}

/// Gives an account that is there when the run begins something, or what another document has asked for.
pub(crate) fn furnish(state: &mut State, account: &str) {
    let mut settings = Settings::of_a_new_account();
    let draws = &mut state.draws;
    let contact =
        |name: &str| json!({"Name": name, "Title": "Somebody", "EmailAddress": "old@example.com", "PhoneNumber": "+1"});
    for kind in ["BILLING", "OPERATIONS", "SECURITY"] {
        if draws.happens("an old contact", 40) {
            settings.contacts.insert(kind.to_owned(), contact("Nobody any more"));
        }
    }
    if draws.happens("an old password policy", 40) {
        let policy = [("MinimumPasswordLength", "8"), ("RequireSymbols", "true")];
        let policy = policy.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        settings.password_policy = Lagging::new(Some(policy));
    }
    if draws.happens("an old block of public access", 40) {
        settings.public_access = Lagging::new(Some([true, draws.happens("an old setting of it", 50), true, true]));
    }
    if draws.happens("an old role", 40) {
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": "arn:aws:iam::666666666666:root"}}]});
        let role = Role {
            description: "Old".to_owned(),
            attached: ["arn:aws:iam::aws:policy/PowerUserAccess".to_owned()].into(),
            ..Role::trusting(&trust)
        };
        settings.roles.insert("role-operator".to_owned(), Lagging::new(Some(role)));
    }
    if state.draws.happens("a root user has a certificate", 20) {
        root::change(state, account, |root| root.certificates.push("TA7SMP42TDN5Z26OBPJE7EXAMPLE".to_owned()));
        state.past.remove(account);
    }
    if state.draws.happens("an old region", 30) {
        regions::set(state, account, controls::DISABLED, "ENABLED");
    }
    if state.draws.happens("another old region", 30) {
        regions::set(state, account, controls::ENABLED, "ENABLED");
    }
    if state.draws.happens("an old color", 40) {
        settings.color = Lagging::new(Some("pink".to_owned()));
    }
    state.settings.insert(account.to_owned(), settings);
    if state.has_stack_sets && !state.draws.happens("stack sets have not come", 25) {
        deployed::put(state, account, Timestamp::MIN);
    }
    begin(state, account);
}
