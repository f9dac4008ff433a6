//! Every user of the jump account: second factors, how long each was idle, keys that are old.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use steward::{
    error::Failure,
    gateway::User,
    runtime::{
        budget::Budget,
        concurrency::{as_they_come, in_order},
    },
};

use crate::{account::JumpAccount, change::PATH};

/// How many users are looked at at once.
const AT_ONCE: usize = 8;
/// The time that is kept for those at hand when no more are begun.
const MARGIN: Duration = Duration::from_mins(1);
/// After how many days a user should have a second factor.
const SECOND_FACTOR_AFTER: i64 = 7;
/// After how many days without a sign of life a user is idle.
const IDLE_AFTER: i64 = 90;
/// After how many days a key is old.
const OLD_AFTER: i64 = 90;
/// How many users one list of an event names; EventBridge takes 256 KB.
const MOST: usize = 100;

/// A user, as a person wants to see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    pub(crate) user_name: String,
    pub(crate) path: String,
    /// Whether Steward may change it.
    pub(crate) is_managed: bool,
    pub(crate) groups: Vec<String>,
    /// `authenticator`, `passkey` or `hardware token`, one for each device.
    pub(crate) second_factors: Vec<&'static str>,
    /// Days since it was made.
    pub(crate) age_days: i64,
    /// Days since the last sign-in or the last use of a key; where there was none, since it was made.
    pub(crate) idle_days: i64,
    pub(crate) access_keys: Vec<Key>,
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age_days: Option<i64>,
    /// Whether it should have been replaced.
    pub(crate) is_old: bool,
}

/// Every user, and those that there was no time for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct People {
    /// The users, in the order of their names.
    pub users: Vec<Person>,
    /// The names of those that there was no time for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// Who needs a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Findings {
    /// How many users there are.
    pub users: usize,
    /// Who has no second factor, a week after the user was made.
    pub without_second_factor: Named,
    /// Who has not been seen for 90 days.
    pub idle: Named,
    /// Who has an active key that is older than 90 days.
    pub old_keys: Named,
    /// How many users there was no time for.
    pub not_reached: usize,
}

/// Users, by their names: the first hundred of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Named {
    /// How many there are.
    pub count: usize,
    /// Their names.
    pub names: Vec<String>,
}

impl Named {
    fn of(people: &[Person], is_it: impl Fn(&Person) -> bool) -> Self {
        let names: Vec<_> =
            people.iter().filter(|person| is_it(person)).map(|person| person.user_name.clone()).collect();
        Self { count: names.len(), names: names.into_iter().take(MOST).collect() }
    }
}

impl Findings {
    /// Who of these needs a look. Pure.
    pub(crate) fn of(people: &People) -> Self {
        let users = &people.users;
        let is_due = |person: &Person| person.second_factors.is_empty() && person.age_days >= SECOND_FACTOR_AFTER;
        Self {
            users: users.len() + people.left.len(),
            without_second_factor: Named::of(users, is_due),
            idle: Named::of(users, |person| person.idle_days >= IDLE_AFTER),
            old_keys: Named::of(users, |person| person.access_keys.iter().any(|key| key.is_active && key.is_old)),
            not_reached: people.left.len(),
        }
    }
}

impl JumpAccount {
    /// Looks at every user, as far as there is time.
    pub(crate) async fn people(&self, now: Timestamp) -> Result<People, Failure> {
        let budget = Budget::keeping(MARGIN);
        let mut users = self.iam.list_users().await?;
        users.sort_by(|one, other| one.name.cmp(&other.name));
        let look = async |user: User| -> Result<Result<Person, String>, Failure> {
            if !budget.has_room() {
                return Ok(Err(user.name));
            }
            let person = self.person(&user, now).await?;
            budget.spend(serde_json::to_vec(&person).map_or(0, |bytes| bytes.len()));
            Ok(Ok(person))
        };
        let came = as_they_come(users.into_iter().map(look), AT_ONCE);
        let came: Vec<_> = came.map(|(position, looked)| looked.map(|looked| (position, looked))).try_collect().await?;
        let mut people = People::default();
        for looked in in_order(came) {
            match looked {
                Ok(person) => people.users.push(person),
                Err(name) => people.left.push(name),
            }
        }
        Ok(people)
    }

    async fn person(&self, user: &User, now: Timestamp) -> Result<Person, Failure> {
        let groups = self.iam.list_groups_of_user(&user.name).await?;
        let devices = self.iam.list_mfa_devices(&user.name).await?;
        let mut last_seen = user.password_last_used;
        let mut access_keys = Vec::new();
        for key in self.iam.list_access_keys(&user.name).await? {
            last_seen = last_seen.max(self.iam.find_last_use_of_key(&key.id).await?);
            let age_days = key.created_at.map(|made| days(made, now));
            let is_old = age_days.is_some_and(|days| days >= OLD_AFTER);
            access_keys.push(Key { id: key.id, is_active: key.is_active, age_days, is_old });
        }
        Ok(Person {
            user_name: user.name.clone(),
            path: user.path.clone(),
            is_managed: user.path == PATH,
            groups: groups.into_iter().map(|group| group.name).collect(),
            second_factors: devices.iter().map(|serial| kind(serial)).collect(),
            age_days: days(user.created_at, now),
            idle_days: days(last_seen.unwrap_or(user.created_at), now),
            access_keys,
        })
    }
}

/// What a device is, by its serial number.
pub(crate) fn kind(serial: &str) -> &'static str {
    match serial {
        serial if serial.contains(":mfa/") => "authenticator",
        serial if serial.contains(":u2f/") => "passkey",
        _ => "hardware token",
    }
}

fn days(since: Timestamp, now: Timestamp) -> i64 {
    const DAY: SignedDuration = SignedDuration::from_hours(24);
    now.duration_since(since).as_secs() / DAY.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Person {
        Person {
            user_name: name.to_owned(),
            path: PATH.to_owned(),
            is_managed: true,
            groups: Vec::new(),
            second_factors: vec!["passkey"],
            age_days: 400,
            idle_days: 0,
            access_keys: Vec::new(),
        }
    }

    fn key(is_active: bool, age_days: i64) -> Key {
        Key { id: "AKIA".to_owned(), is_active, age_days: Some(age_days), is_old: age_days >= OLD_AFTER }
    }

    #[test]
    fn those_are_named_who_have_no_second_factor_after_a_week_are_idle_or_have_old_keys() {
        let bare = |name: &str, age_days| Person { second_factors: Vec::new(), age_days, ..person(name) };
        let users = vec![
            person("fine"),
            bare("new", 6),
            bare("bare", 7),
            Person { idle_days: 90, ..person("idle") },
            Person { access_keys: vec![key(true, 90), key(true, 1)], ..person("old") },
            Person { access_keys: vec![key(false, 900), key(true, 89)], ..person("off") },
        ];
        let found = Findings::of(&People { users, left: vec!["late".to_owned()] });
        assert_eq!((found.users, found.not_reached), (7, 1));
        assert_eq!(found.without_second_factor.names, ["bare"]);
        assert_eq!(found.idle.names, ["idle"]);
        assert_eq!(found.old_keys.names, ["old"]);
    }

    #[test]
    fn a_list_that_is_too_long_for_an_event_says_how_long_it_is() {
        let users = (0..5000).map(|n| Person { idle_days: 100, ..person(&format!("user-{n}")) }).collect();
        let found = Findings::of(&People { users, left: Vec::new() });
        assert_eq!((found.idle.count, found.idle.names.len()), (5000, 100));
        assert!(serde_json::to_string(&found).unwrap().len() < 200_000);
    }

    #[test]
    fn devices_are_told_apart_by_their_serial_numbers() {
        assert_eq!(kind("arn:aws:iam::111111111111:mfa/alice"), "authenticator");
        assert_eq!(kind("arn:aws:iam::111111111111:u2f/user/alice/key-X"), "passkey");
        assert_eq!(kind("GAHT12345678"), "hardware token");
    }
}
