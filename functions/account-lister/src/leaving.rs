//! Why an account that is on its way out is not looked at. Pure.

use steward::{
    gateway::{Account, AccountState},
    ids::OrganizationalUnitId,
    table::closures::{Closure, ClosureState, day},
};

/// Why an account is not looked at that is being closed, or was: with the day on which it is gone for good, where Steward knows
/// when it was closed. None where that is no reason.
pub(crate) fn why(account: &Account, closure: Option<&Closure>, unit: Option<&OrganizationalUnitId>) -> Option<String> {
    let is_active = account.state == AccountState::Active;
    if let Some(closure) = closure {
        match (&closure.state, closure.gone_on()) {
            (ClosureState::Closed { closed_at }, Some(gone_on)) if !is_active => {
                return Some(format!(
                    "The account was closed on {}, and is gone for good on {gone_on}.",
                    day(*closed_at)
                ));
            }
            (ClosureState::Suspending | ClosureState::Cooling, _) if is_active => {
                return Some(format!("The account is closed from {} on.", day(closure.closes_at)));
            }
            (ClosureState::Closing | ClosureState::Pending, _) => {
                return Some("The account is being closed.".to_owned());
            }
            _ => {}
        }
    }
    let is_in_unit = unit.is_some_and(|unit| account.units.contains(unit));
    (is_active && is_in_unit).then(|| {
        "The account sits in the unit for accounts that are to be closed, where everything is denied.".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use steward::table::closures::{CalledOff, Told};

    use super::*;

    fn account(state: &str, unit: &str) -> Account {
        let units: Vec<OrganizationalUnitId> = vec!["r-ab12".parse().unwrap(), unit.parse().unwrap()];
        Account {
            id: "222222222222".parse().unwrap(),
            name: "Shop".to_owned(),
            email: "shop@example.com".to_owned(),
            state: if state == "ACTIVE" { AccountState::Active } else { AccountState::Other(state.to_owned()) },
            joined_at: None,
            parent: units.last().cloned(),
            units,
        }
    }

    fn closure(state: ClosureState) -> Closure {
        Closure {
            account_id: "222222222222".parse().unwrap(),
            account_name: "Shop".to_owned(),
            reason: "It is over".to_owned(),
            requested_by: None,
            requested_in: "i-1".to_owned(),
            requested_at: "2026-11-01T00:00:00Z".parse().unwrap(),
            place: 0,
            from_unit: HOME.parse().unwrap(),
            closes_at: "2026-11-08T00:00:00Z".parse().unwrap(),
            state,
            since: "2026-11-01T00:00:00Z".parse().unwrap(),
            told: Told::End,
            past_steward: false,
            retry_at: None,
            revision: 1,
        }
    }

    const UNIT: &str = "ou-ab12-suspende";
    const HOME: &str = "ou-ab12-cdef3456";

    fn said(account: &Account, state: Option<ClosureState>) -> Option<String> {
        why(account, state.map(closure).as_ref(), Some(&UNIT.parse().unwrap()))
    }

    #[test]
    fn a_closed_account_is_there_until_the_day_on_which_it_is_gone_for_good() {
        let closed = ClosureState::Closed { closed_at: "2026-11-09T08:00:00Z".parse().unwrap() };
        let why = said(&account("CLOSED", UNIT), Some(closed.clone())).unwrap();
        assert_eq!(why, "The account was closed on 2026-11-09, and is gone for good on 2027-02-07.");
        assert_eq!(said(&account("CLOSED", UNIT), None), None, "what is known of it is its state");
        // AWS Support has opened it again.
        assert_eq!(said(&account("ACTIVE", HOME), Some(closed)), None);
    }

    #[test]
    fn an_account_that_is_to_be_closed_is_not_looked_at() {
        let waiting = said(&account("ACTIVE", UNIT), Some(ClosureState::Cooling)).unwrap();
        assert_eq!(waiting, "The account is closed from 2026-11-08 on.");
        assert!(said(&account("ACTIVE", HOME), Some(ClosureState::Suspending)).is_some(), "it is about to be moved");
        assert!(said(&account("PENDING_CLOSURE", UNIT), Some(ClosureState::Pending)).unwrap().contains("being closed"));
        assert!(said(&account("ACTIVE", UNIT), None).unwrap().contains("everything is denied"));
        let kept = ClosureState::Kept(CalledOff::default());
        assert_eq!(said(&account("ACTIVE", HOME), Some(kept)), None, "it is as any other");
    }
}
