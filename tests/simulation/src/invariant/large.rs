//! What sweeps of organizations of any size keep to.

use super::{Look, at};
use crate::script::Item;

/// Who makes the calls of a sweep, and of nothing else.
const OF_SWEEPS: [&str; 3] = ["AccountLister", "ComplianceChecker", "ComplianceReporter"];

/// Accounts and units that a sweep comes to in a second at least, and what else it takes. AWS lists 160 accounts in a second, and
/// the units below five others; but where the index of tags says that an account lacks some, it is asked for one by one, four in
/// a second, and in a first sweep that is every account.
const ACCOUNTS_A_SECOND: u64 = 3;
const UNITS_A_SECOND: u64 = 3;
const BESIDE: u64 = 600;

/// Whether something goes wrong with calls in this run that sweeps may make: not where it strikes another function alone.
fn is_struck(look: &Look<'_>) -> bool {
    const OF_SWEEPS: [&str; 4] =
        ["account-lister", "compliance-checker", "compliance-reporter", "organization-preparer"];
    look.script.items.iter().any(|item| match item {
        Item::Fault(fault) if fault.kind.is_of_work() => {
            let first = fault.target.split(' ').next().unwrap_or_default();
            !first.contains('-') || OF_SWEEPS.contains(&first)
        }
        _ => false,
    })
}

pub(super) fn sweeps_take_no_longer_than_their_lists(look: &Look<'_>) -> Option<String> {
    if is_struck(look) {
        return None;
    }
    let accounts = look.state.organization.accounts.len() as u64;
    let units = look.state.organization.units.len() as u64;
    let most = BESIDE + accounts / ACCOUNTS_A_SECOND + units / UNITS_A_SECOND;
    let mut long = look.seen.published.iter().filter_map(|published| {
        let sweep = &published.latest["sweep"];
        let took = at(&sweep["finished_at"])?.duration_since(at(&sweep["started_at"])?).as_secs();
        (u64::try_from(took).unwrap_or_default() > most)
            .then(|| format!("{took} s for {accounts} accounts and {units} units"))
    });
    long.next()
}

pub(super) fn sweeps_keep_to_the_published_rates(look: &Look<'_>) -> Option<String> {
    if is_struck(look) {
        return None;
    }
    // One in fifty: what others call at the same time empties the same buckets.
    let mut throttled = look.state.calls.iter().filter(|((function, _), (all, throttled))| {
        OF_SWEEPS.contains(&function.as_str()) && *throttled > 5 && throttled * 50 > *all
    });
    throttled.next().map(|((function, operation), (all, throttled))| {
        format!("{throttled} of {all} calls of {operation} by {function} were throttled")
    })
}
