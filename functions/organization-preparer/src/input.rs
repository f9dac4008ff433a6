//! What a person asks for, and what a sweep does.

use std::collections::BTreeMap;

use serde_json::Value;
use steward::{
    closed_set::ClosedSet,
    control::Mode,
    error::Failure,
    ids::{AccountId, NotValid},
    input::{Fields, Problem, refused},
    organization_check::{
        self, AnyCheck, OrganizationSection, TrustedService, delegated_administrators::DelegatedAdministrator,
    },
};

/// What is asked for.
pub(crate) enum Input {
    /// A sweep, by the ARN of its execution: to look, and to write down what was found.
    Sweep(String),
    /// A person.
    Person(Asked),
}

/// What a person asks for.
pub(crate) struct Asked {
    /// Whether steps are taken.
    pub(crate) mode: Mode,
    /// The checks that are run.
    pub(crate) checks: Vec<&'static dyn AnyCheck>,
    /// Administrators that are wanted beside those of the document.
    administrators: Vec<DelegatedAdministrator>,
}

/// A check by its name.
struct Named(&'static dyn AnyCheck);

impl std::str::FromStr for Named {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        organization_check::find(text)
            .map(Self)
            .ok_or(NotValid::expected("an organization check, as docs/CONTROLS.md lists them"))
    }
}

impl Input {
    /// Reads `{"execution"}` of the state machine, or what a person sends:
    /// `{"mode"?: "plan"|"apply", "controls"?: ["<check>"], "delegated_administrators"?: {"<principal>": "<account id>"}}`.
    /// Nothing is changed unless that is said. An account may administer a service if it is among `allowed`.
    pub(crate) fn read(input: Value, allowed: &[AccountId]) -> Result<Self, Failure> {
        let mut fields = Fields::of(input);
        if fields.is_given("execution") {
            let execution = fields.optional::<Text>("execution");
            let problems = fields.finish();
            return match execution {
                Some(Text(execution)) if problems.is_empty() => Ok(Self::Sweep(execution)),
                _ => Err(refused(&problems)),
            };
        }
        let mode = fields.optional("mode").unwrap_or(Mode::Plan);
        let controls: Option<Vec<Named>> = fields.optional_list("controls");
        let administrators: BTreeMap<TrustedService, AccountId> =
            fields.optional_map("delegated_administrators").unwrap_or_default();
        let mut problems = fields.finish();
        let stranger = |(service, account): (&TrustedService, &AccountId)| {
            (!allowed.contains(account)).then(|| Problem {
                path: format!("delegated_administrators.{}", service.name()),
                problem: format!("{account} is not among the accounts of the stack parameter DelegatedAdministrators"),
            })
        };
        problems.extend(administrators.iter().filter_map(stranger));
        if !problems.is_empty() {
            return Err(refused(&problems));
        }
        let is_asked = |check: &&&'static dyn AnyCheck| {
            controls.as_ref().is_none_or(|named| named.iter().any(|Named(one)| one.id() == check.id()))
        };
        Ok(Self::Person(Asked {
            mode,
            // In the order in which they find what they need.
            checks: organization_check::ALL.iter().filter(is_asked).copied().collect(),
            administrators: administrators
                .into_iter()
                .map(|(service, account)| DelegatedAdministrator { service, account })
                .collect(),
        }))
    }
}

impl Asked {
    /// What the document says, and the administrators that were asked for beside it.
    pub(crate) fn section(&self, document: &OrganizationSection) -> OrganizationSection {
        let mut section = document.clone();
        let administrators = &mut section.delegated_administrators;
        administrators.extend(self.administrators.iter().cloned());
        administrators.dedup();
        section
    }
}

/// Any text.
struct Text(String);

impl std::str::FromStr for Text {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn account() -> AccountId {
        "222222222222".parse().unwrap()
    }

    fn person(input: Value) -> Asked {
        match Input::read(input, &[account()]).unwrap() {
            Input::Person(asked) => asked,
            Input::Sweep(_) => panic!("a sweep"),
        }
    }

    #[test]
    fn nothing_said_is_a_plan_of_every_check_by_the_document_alone() {
        let asked = person(json!({}));
        assert_eq!((asked.mode, asked.checks.len()), (Mode::Plan, organization_check::ALL.len()));
        assert_eq!(asked.section(&OrganizationSection::default()), OrganizationSection::default());
    }

    #[test]
    fn checks_are_run_in_the_order_of_the_registry() {
        let asked = person(json!({"controls": ["root-features", "trusted-access"]}));
        let ids: Vec<_> = asked.checks.iter().map(|check| check.id()).collect();
        assert_eq!(ids, ["trusted-access", "root-features"]);
    }

    #[test]
    fn an_administrator_that_the_document_names_as_well_is_wanted_once() {
        let asked = person(json!({"delegated_administrators": {"iam.amazonaws.com": "222222222222"}}));
        let once = asked.section(&OrganizationSection::default());
        assert_eq!(once.delegated_administrators.len(), 1);
        assert_eq!(asked.section(&once), once);
    }

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        let ways = [Mode::Plan.name(), Mode::Apply.name(), "one check", "by the state machine"];
        payloads::check(crate::OrganizationPreparer::NAME, ways, |sample| {
            Input::read(sample.payload, &[account()]).map(|input| match input {
                Input::Sweep(_) => vec!["by the state machine"],
                Input::Person(asked) if asked.checks.len() == 1 => vec!["one check", asked.mode.name()],
                Input::Person(asked) => vec![asked.mode.name()],
            })
        });
    }

    #[test]
    fn a_wrong_input_gets_one_answer_that_names_every_problem() {
        let input = json!({"mode": "force", "controls": ["regions"], "delegated_administrators": {"ssm.amazonaws.com": "1",
            "iam.amazonaws.com": 7}, "dry_run": true});
        let failure = Input::read(input, &[]).err().unwrap();
        for path in [
            "mode",
            "controls[0]",
            "delegated_administrators.ssm.amazonaws.com",
            "delegated_administrators.iam.amazonaws.com",
            "dry_run",
        ] {
            assert!(failure.message.contains(path), "{path}: {}", failure.message);
        }
        assert!(Input::read(json!({"execution": "arn", "mode": "apply"}), &[]).is_err(), "a sweep only looks");
    }
}
