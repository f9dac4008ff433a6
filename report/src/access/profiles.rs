//! Names of profiles: what people type, made of the names that others have given accounts.

use std::collections::HashMap;

use super::{Access, Reachable};

/// A role in an account, under the name that people call it by.
pub(super) struct Profile<'a> {
    /// Letters, digits and hyphens alone, and the only one of its kind.
    pub(super) name: String,
    /// The profile of the account that people come from.
    pub(super) source: String,
    pub(super) account: &'a Reachable,
    pub(super) role: &'a str,
}

/// The profile that people put their own keys into, for each account that people come from: `jump`, or where there are
/// several, `jump-<account>`.
pub(super) fn sources(access: &Access) -> Vec<(String, &str)> {
    let mut accounts: Vec<&str> = access.accounts.iter().map(|account| account.jump_account.as_str()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let is_only = accounts.len() == 1;
    accounts.into_iter().map(|account| (source(account, is_only), account)).collect()
}

fn source(account: &str, is_only: bool) -> String {
    if is_only { "jump".to_owned() } else { format!("jump-{account}") }
}

/// Every role of every account: `shop-production-role-admin`. Accounts whose names come to the same, or to nothing, have
/// their id in it.
pub(super) fn all(access: &Access) -> Vec<Profile<'_>> {
    let is_only = sources(access).len() == 1;
    let names: Vec<String> = access.accounts.iter().map(|account| plain(&account.name)).collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for name in &names {
        *seen.entry(name).or_default() += 1;
    }
    let of_account = |(account, name): (&Reachable, &String)| match (name.as_str(), seen.get(name.as_str())) {
        ("", _) => account.id.clone(),
        (name, Some(1)) => name.to_owned(),
        (name, _) => format!("{name}-{}", account.id),
    };
    let by_account = access.accounts.iter().zip(&names).map(|pair| (pair.0, of_account(pair)));
    let profiles = by_account.flat_map(|(account, name)| {
        account.roles.iter().map(move |role| Profile {
            name: format!("{name}-{}", plain(role)),
            source: source(&account.jump_account, is_only),
            account,
            role,
        })
    });
    apart(profiles.collect())
}

/// The profiles, with the ids of their accounts where a name came twice or is that of a source.
fn apart(mut profiles: Vec<Profile<'_>>) -> Vec<Profile<'_>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for profile in &profiles {
        *seen.entry(profile.name.clone()).or_default() += 1;
        seen.insert(profile.source.clone(), 2);
    }
    for (position, profile) in profiles.iter_mut().enumerate() {
        if seen.get(&profile.name).is_some_and(|times| *times > 1) {
            // Roles whose names differ in signs that a profile cannot have would still be the same.
            profile.name = format!("{}-{}-{}", profile.name, profile.account.id, position + 1);
        }
    }
    profiles
}

/// A name in lower case, with a hyphen for whatever is no letter or digit of ASCII.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for sign in name.chars() {
        if sign.is_ascii_alphanumeric() {
            plain.push(sign.to_ascii_lowercase());
        } else if !plain.ends_with('-') && !plain.is_empty() {
            plain.push('-');
        }
    }
    plain.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::access::tests::{named, offered};

    fn names(names_of_accounts: &[&str]) -> Vec<String> {
        let access = named(names_of_accounts, &offered(None));
        all(&access).into_iter().filter(|one| one.role.ends_with("admin")).map(|one| one.name).collect()
    }

    #[test]
    fn a_profile_is_called_by_its_account_and_role() {
        assert_eq!(names(&["Shop (Production)"]), ["shop-production-people-role-admin"]);
    }

    #[test]
    fn names_that_come_to_the_same_or_to_nothing_have_the_id() {
        assert_eq!(
            names(&["A b", "a-B", "שלום"]),
            ["a-b-000000000001", "a-b-000000000002", "000000000003"].map(|name| format!("{name}-people-role-admin"))
        );
    }

    proptest! {
        #[test]
        fn whatever_accounts_are_called_profiles_are_plain_and_no_two_are_the_same(
            accounts in proptest::collection::vec("[aAbB jump\\-0-9\\]\n🦀]{0,6}", 1..8)
        ) {
            let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
            let access = named(&accounts, &offered(None));
            let profiles = all(&access);
            let distinct: HashSet<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
            prop_assert_eq!(distinct.len(), accounts.len() * 2);
            for name in distinct {
                prop_assert!(name != "jump" && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{}", name);
            }
        }
    }
}
