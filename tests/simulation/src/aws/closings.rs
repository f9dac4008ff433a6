//! AWS Organizations: the closing of accounts, and what else only whoever closes accounts asks for.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Answer, Refusal, events,
    organizations::{Account, constraint, no_target, page, seconds, shown},
    unknown,
};
use crate::{
    call::Call,
    cloud::{Effect, State},
    template::{ACCOUNT, SUSPENDED_UNIT, items},
    time,
};

/// The tag by which Steward marks an account that is to be closed.
pub(crate) const TAG: &str = "steward:closing";

/// How many accounts are closed at once, and how long a closing counts (AWS Organizations user guide, "Quotas").
const AT_ONCE: usize = 3;
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long after what it says of the time a row of the journal may stand: an invocation lasts no longer, and its clock may be
/// off.
const RECENT: SignedDuration = SignedDuration::from_secs(245);

/// A call that closes an account.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) at: Timestamp,
    pub(crate) account: String,
    /// The logical id of the function, or people.
    pub(crate) by: String,
    /// Why AWS has refused it; None where it has taken it.
    pub(crate) refused: Option<String>,
    /// How many accounts AWS was closing because of Steward.
    pub(crate) own_under_way: usize,
    /// Whether people had been told that the account will be closed.
    pub(crate) was_announced: bool,
}

/// A change that account-closer has asked for.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) at: Timestamp,
    pub(crate) account: String,
    pub(crate) operation: String,
    /// Whether the journal had a row of it.
    pub(crate) is_journaled: bool,
}

/// What there is of the closing of accounts.
#[derive(Debug, Default)]
pub(crate) struct Closings {
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) changes: Vec<Change>,
    /// When AWS had closed accounts.
    pub(crate) closed_at: BTreeMap<String, Timestamp>,
    /// The accounts that people have moved out of the unit for accounts that are to be closed.
    pub(crate) moved_out: BTreeSet<String>,
    /// The accounts that administer a service for the organization, with its principal.
    pub(crate) delegated: Vec<(&'static str, String)>,
    /// When calls were taken.
    taken: Vec<Timestamp>,
    /// Until when an account that is being closed is still shown as active.
    shown_active: BTreeMap<String, Timestamp>,
}

impl Closings {
    /// The state of an account, as AWS shows it: consistent after a while.
    pub(super) fn shown_state(&self, account: &Account) -> &'static str {
        let is_late = self.shown_active.get(&account.id).is_some_and(|until| time::now() < *until);
        if is_late { "ACTIVE" } else { account.state }
    }

    /// Lets the quota of 30 days be used up but for some, until then.
    pub(crate) fn use_up(&mut self, but_for: u64, until: Timestamp) {
        let left = usize::try_from(but_for).expect("small");
        let most = quota(0).saturating_sub(self.taken.len() + left);
        self.taken.extend(std::iter::repeat_n(until - WINDOW, most));
    }

    /// Whether AWS was asked by this one to close an account, and has taken it.
    pub(crate) fn was_closed_by(&self, account: &str, by: &str) -> bool {
        self.attempts.iter().any(|attempt| attempt.account == account && attempt.by == by && attempt.refused.is_none())
    }
}

/// How many accounts AWS closes in 30 days for an organization of so many members.
fn quota(members: usize) -> usize {
    (members / 5).clamp(250, 1_000)
}

/// What account-closer asks for is held against what it has written before.
pub(super) fn watch(state: &mut State, call: &Call) {
    let is_closer = state.principals.get(&call.key).is_some_and(|who| who.function == "AccountCloser");
    let (account, act) = match call.operation.as_str() {
        "CloseAccount" => (call.text("AccountId"), &["close"][..]),
        "TagResource" => (call.text("ResourceId"), &["suspend"][..]),
        "UntagResource" => (call.text("ResourceId"), &["keep"][..]),
        "MoveAccount" if call.text("DestinationParentId") == SUSPENDED_UNIT => {
            (call.text("AccountId"), &["suspend"][..])
        }
        "MoveAccount" => (call.text("AccountId"), &["keep"][..]),
        _ => return,
    };
    if !is_closer {
        return;
    }
    let now = time::now();
    let is_row = |key: &str| {
        let ends_so = |act| key.ends_with(&format!("#{account}#{act}#begun"));
        key.starts_with("account-closure#") && act.iter().any(ends_so)
    };
    let is_journaled = state.table.items().iter().any(|(key, item)| {
        let at = item.get("at").and_then(|at| at["S"].as_str()?.parse::<Timestamp>().ok());
        is_row(key) && at.is_some_and(|at| now.duration_since(at) < RECENT)
    });
    let (account, operation) = (account.to_owned(), call.operation.clone());
    state.organization.closings.changes.push(Change { at: now, account, operation, is_journaled });
}

pub(super) fn serve(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let now = time::now();
    let who = state.principals[&call.key].clone();
    let org = &mut state.organization;
    let body = match call.operation.as_str() {
        "CloseAccount" => {
            let id = call.text("AccountId");
            // IAM lets the function close none that it has not marked.
            let is_marked = org.account(id).is_some_and(|account| account.tags.contains_key(TAG));
            if who.function == "AccountCloser" && !is_marked {
                state.wrong.insert(format!("account-closer may not close {id}, which has no tag"));
                return Err(Refusal::new(400, "AccessDeniedException", "not authorized to perform: CloseAccount"));
            }
            close(state, id, &who.function)?;
            json!({})
        }
        "UntagResource" => {
            let gone: Vec<&str> = items(&call.input["TagKeys"]).filter_map(Value::as_str).collect();
            let account = org.account_mut(call.text("ResourceId")).map_err(|_| no_target())?;
            account.keep_indexed(now);
            account.tags.retain(|key, _| !gone.contains(&key.as_str()));
            json!({})
        }
        "ListAccountsForParent" => {
            let parent = call.text("ParentId");
            if !org.is_parent(parent) {
                return Err(Refusal::new(400, "ParentNotFoundException", "We can't find a root or OU of that id."));
            }
            let inside = org.accounts.iter().filter(|account| account.shown_from <= now);
            let inside = inside.filter(|account| account.shown_parent(now) == parent);
            let rows: Vec<Value> = inside.map(|account| shown(org, account)).collect();
            page(call, "Accounts", &rows)
        }
        "ListDelegatedAdministrators" => {
            let principal = call.input["ServicePrincipal"].as_str();
            let of_service = org.closings.delegated.iter();
            let of_service = of_service.filter(|(service, _)| principal.is_none_or(|wanted| wanted == *service));
            let rows = of_service.filter_map(|(_, id)| {
                let account = org.account(id)?;
                let mut row = shown(org, account);
                row["DelegationEnabledDate"] = seconds(account.joined).into();
                row.as_object_mut()?.remove("Paths");
                Some(row)
            });
            page(call, "DelegatedAdministrators", &rows.collect::<Vec<_>>())
        }
        _ => return Err(unknown(state, &who, call)),
    };
    Ok(Answer::json(&body))
}

/// Closes an account, as far as AWS lets: it takes the call at once, and is done some time later (AWS Organizations API
/// reference, `CloseAccount`).
pub(crate) fn close(state: &mut State, id: &str, by: &str) -> Result<(), Refusal> {
    let now = time::now();
    let org = &mut state.organization;
    let closings = &org.closings;
    let under_way = org.accounts.iter().filter(|account| account.state == "PENDING_CLOSURE");
    let own_under_way =
        under_way.clone().filter(|account| closings.was_closed_by(&account.id, "AccountCloser")).count();
    let counted = closings.taken.iter().filter(|at| now.duration_since(**at) < WINDOW).count();
    let (members, at_once) = (org.accounts.len() - 1, under_way.count());
    let refusal = match org.account(id).map(|account| account.state) {
        None => Some(Refusal::new(400, "AccountNotFoundException", "You specified an account that doesn't exist.")),
        Some(_) if id == ACCOUNT => Some(constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT")),
        Some("PENDING_CLOSURE") => Some(Refusal::new(400, "ConflictException", "The account is already being closed.")),
        Some("ACTIVE") if counted >= quota(members) => Some(constraint("CLOSE_ACCOUNT_QUOTA_EXCEEDED")),
        Some("ACTIVE") if at_once >= AT_ONCE => Some(constraint("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED")),
        Some("ACTIVE") => None,
        Some(_) => Some(Refusal::new(400, "AccountAlreadyClosedException", "The account is already closed.")),
    };
    let was_announced = state.published.iter().any(|published| {
        let mut accounts = items(&published.detail["accounts"]);
        published.kind == "AccountClosuresAnnounced" && accounts.any(|account| account["account_id"] == id)
    });
    let refused = refusal.as_ref().map(Refusal::reason);
    let (account, by) = (id.to_owned(), by.to_owned());
    org.closings.attempts.push(Attempt { at: now, account, by, refused, own_under_way, was_announced });
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    let is_shown_late = state.draws.happens("closing shown late", 40);
    let shown_late = if is_shown_late { state.draws.millis("closing shown", 0, 20_000) } else { Duration::ZERO };
    let org = &mut state.organization;
    org.account_mut(id)?.state = "PENDING_CLOSURE";
    let shown_from = now + SignedDuration::try_from(shown_late).expect("seconds");
    org.closings.shown_active.insert(id.to_owned(), shown_from);
    org.closings.taken.push(now);
    let takes = state.draws.millis("closing takes", 20_000, 600_000);
    state.later(takes, Effect::ClosingEnds { account: id.to_owned() });
    Ok(())
}

/// AWS has closed an account, and tells.
pub(crate) fn closing_ends(state: &mut State, id: &str) {
    let now = time::now();
    if let Ok(account) = state.organization.account_mut(id) {
        account.state = "CLOSED";
    }
    state.organization.closings.closed_at.insert(id.to_owned(), now);
    state.note("organizations", format_args!("{id} is closed"));
    let detail = json!({"eventName": "CloseAccountResult", "eventSource": "organizations.amazonaws.com",
        "eventID": state.draws.id("result of closing", "0123456789abcdef", 32),
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "recipientAccountId": ACCOUNT,
        "userIdentity": {"accountId": ACCOUNT, "invokedBy": "organizations.amazonaws.com"},
        "serviceEventDetails": {"closeAccountStatus": {"accountId": id, "state": "SUCCEEDED"}}});
    events::happened(state, "aws.organizations", "AWS Service Event via CloudTrail", &detail);
}

/// A person moves an account out of the unit for accounts that are to be closed, to the root.
pub(crate) fn move_out(state: &mut State, id: &str) {
    let root = state.organization.root.clone();
    let Ok(account) = state.organization.account_mut(id) else { return };
    if account.parent == SUSPENDED_UNIT {
        account.parent = root;
        account.moved_from = None;
        state.organization.closings.moved_out.insert(id.to_owned());
    }
}
