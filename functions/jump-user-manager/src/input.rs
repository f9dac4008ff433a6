//! What a person, or a schedule, asks for.

use serde_json::Value;
use steward::{
    control::Mode,
    error::Failure,
    ids::{GroupName, UserName},
    input::{Fields, refused},
};

/// How many groups IAM lets a user be in (IAM user guide, "IAM and AWS STS quotas").
pub(crate) const MAX_GROUPS: usize = 10;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// Whether anything is changed.
    pub(crate) mode: Mode,
    /// What is to be done.
    pub(crate) work: Work,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Something with one user.
    User(UserName, Task),
    /// Every user is shown.
    List,
    /// One-time passwords that were used, or that nobody has used in time, are ended.
    ExpirePasswords,
    /// Users are named who need a look.
    Review,
}

/// What is to be done with one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// The user is there and in exactly these of Steward's groups.
    Change(Vec<GroupName>),
    /// The user gets another one-time password.
    Reset {
        /// Whether the devices for multi-factor authentication go as well.
        second_factor: bool,
    },
    /// The user goes, with everything that belongs to it.
    Remove,
}

impl Task {
    /// What it is called in events and in the journal.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Change(_) => "change",
            Self::Reset { .. } => "reset",
            Self::Remove => "remove",
        }
    }
}

/// The ways of asking, by the field that says which.
const WAYS: [&str; 6] = ["groups", "reset", "remove", "list", "expire_passwords", "review"];
/// Those of them that are about one user.
const OF_A_USER: [&str; 3] = ["groups", "reset", "remove"];

impl Input {
    /// Reads `{"user_name", "groups": [..] | "reset": true, "second_factor"?: bool | "remove": true}`, or `{"list": true}`,
    /// `{"expire_passwords": true}`, `{"review": true}`; each with `"mode"?: "plan"|"apply"`. Nothing is changed unless that
    /// is said.
    pub(crate) fn read(input: Value) -> Result<Self, Failure> {
        let mut fields = Fields::of(input);
        let mode = fields.optional("mode").unwrap_or(Mode::Plan);
        let given: Vec<_> = WAYS.into_iter().filter(|way| fields.is_given(way)).collect();
        let is_of_a_user = given.iter().any(|way| OF_A_USER.contains(way));
        let user: Option<UserName> =
            if is_of_a_user { fields.required("user_name") } else { fields.optional("user_name") };
        if user.is_some() && !is_of_a_user {
            fields.note("user_name", format!("must come with one of {}", OF_A_USER.join(", ")));
        }
        let groups: Option<Vec<GroupName>> = fields.optional_list("groups");
        let second_factor = fields.optional_bool("second_factor");
        if second_factor.is_some() && !given.contains(&"reset") {
            fields.note("second_factor", "must come with reset");
        }
        let mut said = |name: &'static str| {
            let value = fields.optional_bool(name);
            if value == Some(false) {
                fields.note(name, "must be true, or left out");
            }
            value == Some(true)
        };
        let (reset, remove, list) = (said("reset"), said("remove"), said("list"));
        let (expire, review) = (said("expire_passwords"), said("review"));
        if given.len() != 1 {
            fields.note("$", format!("must have exactly one of {}", WAYS.join(", ")));
        }
        if let Some(groups) = &groups {
            check_groups(groups, &mut fields);
        }
        let task = match (groups, reset, remove) {
            (Some(groups), false, false) => Some(Task::Change(groups)),
            (None, true, false) => Some(Task::Reset { second_factor: second_factor == Some(true) }),
            (None, false, true) => Some(Task::Remove),
            _ => None,
        };
        let work = match (user, task) {
            (Some(user), Some(task)) => Some(Work::User(user, task)),
            _ if list => Some(Work::List),
            _ if expire => Some(Work::ExpirePasswords),
            _ if review => Some(Work::Review),
            _ => None,
        };
        let problems = fields.finish();
        match work {
            Some(work) if problems.is_empty() => Ok(Self { mode, work }),
            _ => Err(refused(&problems)),
        }
    }
}

fn check_groups(groups: &[GroupName], fields: &mut Fields) {
    if groups.is_empty() {
        fields.note("groups", "is empty; a user must be in at least one group, whose policy asks for a second factor");
    }
    if groups.len() > MAX_GROUPS {
        fields.note("groups", format!("has {}; IAM lets a user be in {MAX_GROUPS} groups", groups.len()));
    }
    for (position, group) in groups.iter().enumerate() {
        // To IAM, names that differ only in case are the same.
        let is_same = |other: &GroupName| other.as_str().eq_ignore_ascii_case(group.as_str());
        if groups.iter().take(position).any(is_same) {
            fields.note(&format!("groups[{position}]"), format!("names {group} again"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use steward::closed_set::ClosedSet;

    use super::*;

    fn problems(input: Value) -> String {
        Input::read(input).unwrap_err().message
    }

    #[test]
    fn nothing_said_is_a_plan_and_each_way_of_asking_is_read() {
        let read = |input: Value| Input::read(input).unwrap();
        let made = read(json!({"user_name": "alice", "groups": ["group-developer"]}));
        assert_eq!(made.mode, Mode::Plan);
        assert!(matches!(made.work, Work::User(_, Task::Change(groups)) if groups.len() == 1));
        let reset = read(json!({"user_name": "alice", "reset": true, "second_factor": true, "mode": "apply"}));
        assert!(matches!(reset.work, Work::User(_, Task::Reset { second_factor: true })), "{reset:?}");
        assert_eq!(read(json!({"list": true})).work, Work::List);
        assert_eq!(read(json!({"review": true})).work, Work::Review);
        assert_eq!(read(json!({"expire_passwords": true, "mode": "apply"})).mode, Mode::Apply);
    }

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        let ways = Mode::ALL.iter().map(|mode| mode.name()).chain(WAYS).chain(["second_factor"]);
        payloads::check(crate::JumpUserManager::NAME, ways, |sample| {
            let given = WAYS.into_iter().chain(["second_factor"]);
            let given: Vec<_> = given.filter(|field| sample.payload.get(field).is_some()).collect();
            let input = Input::read(sample.payload)?;
            Ok::<_, Failure>(given.into_iter().chain([input.mode.name()]).collect::<Vec<_>>())
        });
    }

    #[test]
    fn a_wrong_input_gets_one_answer_that_names_every_problem() {
        let said = problems(json!({"user_name": "a b", "groups": ["g", "G", "no group"], "mode": "now", "all": true}));
        for path in ["user_name", "groups[1]", "groups[2]", "mode", "all"] {
            // A name that is no name is not compared.
            assert!(path == "groups[1]" || said.contains(path), "{path}: {said}");
        }
        let both = problems(json!({"user_name": "alice", "groups": ["g"], "remove": true}));
        assert!(both.contains("exactly one of"), "{both}");
        assert!(problems(json!({})).contains("exactly one of"));
        assert!(problems(json!({"reset": true})).contains("user_name: is missing"));
        assert!(problems(json!({"list": true, "user_name": "alice"})).contains("user_name: must come with"));
        assert!(problems(json!({"user_name": "alice", "remove": false})).contains("must be true"));
    }

    #[test]
    fn an_eleventh_group_is_refused_with_the_reason_and_so_is_none() {
        let groups: Vec<_> = (0..11).map(|n| format!("group-{n}")).collect();
        let said = problems(json!({"user_name": "alice", "groups": groups}));
        assert!(said.contains("has 11; IAM lets a user be in 10 groups"), "{said}");
        assert!(problems(json!({"user_name": "alice", "groups": []})).contains("at least one group"));
        let said = problems(json!({"user_name": "alice", "groups": ["g", "G"]}));
        assert!(said.contains("groups[1]: names G again"), "{said}");
    }
}
