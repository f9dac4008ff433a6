//! The new addresses of a change of domain, and what speaks against each. Pure.

use std::{collections::BTreeMap, str::FromStr};

use serde::Serialize;
use steward::{
    gateway::Account,
    ids::{AccountId, Email, EmailDomain, NotValid},
    session::ineligibility,
};

use crate::{email_change::EmailChange, input::DomainChange};

/// An account's id, as long as all of them.
const ANY_ACCOUNT: &str = "123456789012";

/// What new addresses look like: `{account_id}` stands for the account's id, `{local}` for what stands before the `@` now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    fn filled(&self, account: &str, local: &str) -> String {
        self.0.replace("{account_id}", account).replace("{local}", local)
    }

    /// Whether its addresses are of this domain.
    pub(crate) fn is_of(&self, domain: &EmailDomain) -> bool {
        self.filled(ANY_ACCOUNT, "a").parse::<Email>().is_ok_and(|email| email.is_of(domain))
    }
}

impl FromStr for Pattern {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        const EXPECTED: NotValid =
            NotValid::expected("an address with {account_id} or {local}, such as aws+{account_id}@example.com");
        let pattern = Self(text.to_owned());
        let tells_apart =
            text.split('@').next().is_some_and(|local| local.contains("{account_id}") || local.contains("{local}"));
        let is_address = pattern.filled(ANY_ACCOUNT, "a").parse::<Email>().is_ok();
        if tells_apart && is_address { Ok(pattern) } else { Err(EXPECTED) }
    }
}

/// What is to become of the address of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Plan {
    /// It gets this one.
    Planned {
        /// The new address.
        new_email: Email,
    },
    /// A change to this very address is under way.
    UnderWay {
        /// The new address.
        new_email: Email,
    },
    /// It stays as it is.
    Skipped {
        /// The reason, as a sentence.
        why: String,
    },
    /// It cannot be changed so.
    Refused {
        /// The reason, as a sentence for whoever has asked.
        why: String,
    },
}

/// One account in a change of domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PlanRow {
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
    /// The address that it has.
    pub(crate) old_email: String,
    #[serde(flatten)]
    pub(crate) plan: Plan,
}

/// What is known of the organization when a change of domain is planned.
pub(crate) struct Known<'a> {
    /// Every account, those that are not meant as well: they have addresses.
    pub(crate) accounts: &'a [Account],
    /// The account that the functions run in.
    pub(crate) own: &'a AccountId,
    /// The changes that are under way.
    pub(crate) under_way: &'a [EmailChange],
}

/// The new address of every account that is meant, checked against all the others.
pub(crate) fn plan(change: &DomainChange, is_meant: impl Fn(&Account) -> bool, known: &Known<'_>) -> Vec<PlanRow> {
    let mut taken: BTreeMap<String, Vec<&AccountId>> = BTreeMap::new();
    let mut take = |email: String, account| taken.entry(email).or_default().push(account);
    for account in known.accounts {
        take(account.email.to_ascii_lowercase(), &account.id);
    }
    for other in known.under_way {
        take(other.new_email.normalised(), &other.account_id);
    }
    let meant: Vec<_> = known.accounts.iter().filter(|account| is_meant(account)).collect();
    let wanted: Vec<_> = meant.iter().map(|account| new_address(change, account, known.own)).collect();
    for (account, email) in meant.iter().zip(&wanted) {
        if let Ok(email) = email {
            take(email.normalised(), &account.id);
        }
    }
    let row = |(account, wanted): (&&Account, Result<Email, Plan>)| PlanRow {
        account_id: account.id.clone(),
        account_name: account.name.clone(),
        old_email: account.email.clone(),
        plan: wanted.map_or_else(
            |plan| plan,
            |new_email| {
                let under_way = known.under_way.iter().find(|other| other.account_id == account.id);
                let others = taken.get(&new_email.normalised()).into_iter().flatten();
                match (under_way, others.into_iter().find(|other| ***other != account.id)) {
                    (_, Some(other)) => {
                        Plan::Refused { why: format!("{new_email} is, or is to be, the address of {other}.") }
                    }
                    (Some(other), None) if other.new_email.normalised() == new_email.normalised() => {
                        Plan::UnderWay { new_email }
                    }
                    (Some(other), None) => {
                        let why = format!("A change to {} is under way: end or forget it first.", other.new_email);
                        Plan::Refused { why }
                    }
                    (None, None) => Plan::Planned { new_email },
                }
            },
        ),
    };
    meant.iter().zip(wanted).map(row).collect()
}

/// The new address of one account, looked at alone.
fn new_address(change: &DomainChange, account: &Account, own: &AccountId) -> Result<Email, Plan> {
    let skipped = |why: String| Err(Plan::Skipped { why });
    if account.id == *own {
        return skipped("It is the management account, whose address only its root user changes.".to_owned());
    }
    if let Some(why) = ineligibility(account) {
        return skipped(format!("{why}."));
    }
    let domain = account.email.rsplit_once('@').map(|(_, domain)| domain);
    if !domain.is_some_and(|domain| domain.eq_ignore_ascii_case(change.from.as_str())) {
        return skipped(format!("Its address is not one of {}.", change.from));
    }
    let local = account.email.rsplit_once('@').map_or("", |(local, _)| local);
    let email = match &change.pattern {
        Some(pattern) => pattern.filled(account.id.as_str(), local),
        None => format!("{local}@{}", change.to),
    };
    if email.eq_ignore_ascii_case(&account.email) {
        return skipped("It has the new address.".to_owned());
    }
    let why = |_| Plan::Refused { why: format!("{email} must be {}.", Email::EXPECTED) };
    let parsed: Email = email.parse().map_err(why)?;
    // What stands before the @ now may hold a second one.
    if parsed.is_of(&change.to) {
        Ok(parsed)
    } else {
        Err(Plan::Refused { why: format!("{email} is not of {}.", change.to) })
    }
}

#[cfg(test)]
mod tests {
    use steward::gateway::AccountState;

    use super::*;
    use crate::email_change::tests::{change_of, id};

    fn account(number: usize, email: &str) -> Account {
        Account {
            id: id(number),
            name: format!("Account {number}"),
            email: email.to_owned(),
            state: AccountState::Active,
            joined_at: None,
            parent: None,
            units: Vec::new(),
        }
    }

    fn domain(pattern: Option<&str>) -> DomainChange {
        let parsed = |text: &str| text.parse().unwrap();
        DomainChange {
            from: parsed("old.example"),
            to: parsed("new.example"),
            pattern: pattern.map(|text| text.parse().unwrap()),
        }
    }

    fn planned(change: &DomainChange, accounts: &[Account], under_way: &[EmailChange]) -> Vec<Plan> {
        let rows = plan(change, |_| true, &Known { accounts, own: &id(0), under_way });
        rows.into_iter().map(|row| row.plan).collect()
    }

    fn to(email: &str) -> Plan {
        Plan::Planned { new_email: email.parse().unwrap() }
    }

    #[test]
    fn four_hundred_addresses_keep_what_stands_before_the_at_or_follow_the_pattern() {
        let accounts: Vec<_> = (1..=400).map(|n| account(n, &format!("aws+{n}@Old.example"))).collect();
        let kept = planned(&domain(None), &accounts, &[]);
        assert!(
            kept.len() == 400 && kept.iter().zip(1..).all(|(plan, n)| *plan == to(&format!("aws+{n}@new.example")))
        );
        let by_pattern = planned(&domain(Some("root+{account_id}@new.example")), &accounts, &[]);
        assert_eq!(by_pattern[6], to(&format!("root+{}@new.example", id(7))));
    }

    #[test]
    fn what_is_not_of_the_domain_or_cannot_be_changed_stays_with_the_reason() {
        let mut closed = account(2, "b@old.example");
        closed.state = AccountState::Other("CLOSED".to_owned());
        let accounts =
            [account(0, "m@old.example"), account(1, "a@sub.old.example"), closed, account(3, "c@new.example")];
        let whys: Vec<_> = planned(&domain(None), &accounts, &[])
            .into_iter()
            .map(|plan| if let Plan::Skipped { why } = plan { why } else { panic!("{plan:?}") })
            .collect();
        for (why, part) in whys.iter().zip(["management account", "not one of old.example", "CLOSED", "not one of"]) {
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn an_address_that_is_too_long_taken_or_wanted_twice_is_refused() {
        let long = format!("{}@old.example", "a".repeat(53));
        let change = DomainChange { to: "much-longer-than-before.example".parse().unwrap(), ..domain(None) };
        assert!(
            matches!(&planned(&change, &[account(1, &long)], &[])[..], [Plan::Refused { why }] if why.contains("6 to 64"))
        );
        let refused = |plans: &[Plan], part: &str| {
            plans.iter().filter(|plan| matches!(plan, Plan::Refused { why } if why.contains(part))).count()
        };
        let taken = [account(1, "a@old.example"), account(2, "A@New.example")];
        assert_eq!(refused(&planned(&domain(None), &taken, &[]), id(2).as_str()), 1);
        let twice = [account(1, "a@old.example"), account(2, "A@old.example")];
        assert_eq!(refused(&planned(&domain(None), &twice, &[]), "is to be"), 2);
        // Somebody is on the way to it.
        let plans = planned(&domain(None), &[account(1, "a@old.example")], &[change_of(9, "a@new.example")]);
        assert_eq!(refused(&plans, id(9).as_str()), 1);
    }

    #[test]
    fn asked_again_what_is_under_way_stays_under_way_and_another_change_is_in_the_way() {
        let accounts = [account(1, "a@old.example"), account(2, "b@old.example")];
        let under_way = [change_of(1, "A@new.example"), change_of(2, "c@new.example")];
        let plans = planned(&domain(None), &accounts, &under_way);
        assert_eq!(plans[0], Plan::UnderWay { new_email: "a@new.example".parse().unwrap() });
        assert!(matches!(&plans[1], Plan::Refused { why } if why.contains("forget it first")));
    }

    #[test]
    fn a_pattern_tells_accounts_apart_and_is_of_one_domain() {
        for good in ["aws+{account_id}@new.example", "{local}+aws@new.example"] {
            assert!(good.parse::<Pattern>().unwrap().is_of(&"new.example".parse().unwrap()), "{good}");
        }
        for bad in ["", "aws@new.example", "aws@{account_id}.example", "{account_id}", "a b{local}@new.example"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
