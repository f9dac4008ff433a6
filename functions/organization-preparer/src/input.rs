//! What a person asks for.

use std::collections::BTreeMap;

use serde_json::Value;
use steward::{
    control::Mode,
    error::Failure,
    ids::AccountId,
    input::{Fields, Problem, refused},
    organization_setup::{Desired, TrustedService},
};

/// What a person asks for.
#[derive(Debug)]
pub(crate) struct Input {
    /// Whether steps are taken.
    pub(crate) mode: Mode,
    /// What is wanted beside what Steward always needs.
    pub(crate) desired: Desired,
}

impl Input {
    /// Reads `{"mode"?: "plan"|"apply", "delegated_administrators"?: {"<principal>": "<account id>"}}`. Nothing is
    /// changed unless that is said. An account may administer a service if it is among `allowed`.
    pub(crate) fn read(input: Value, allowed: &[AccountId]) -> Result<Self, Failure> {
        let mut fields = Fields::of(input);
        let mode = fields.optional("mode").unwrap_or(Mode::Plan);
        let delegated_administrators: BTreeMap<TrustedService, AccountId> =
            fields.optional_map("delegated_administrators").unwrap_or_default();
        let mut problems = fields.finish();
        let stranger = |(service, account): (&TrustedService, &AccountId)| {
            (!allowed.contains(account)).then(|| Problem {
                path: format!("delegated_administrators.{}", service.principal()),
                problem: format!("{account} is not among the accounts of the stack parameter DelegatedAdministrators"),
            })
        };
        problems.extend(delegated_administrators.iter().filter_map(stranger));
        if problems.is_empty() {
            return Ok(Self { mode, desired: Desired { delegated_administrators } });
        }
        Err(refused(&problems))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn account() -> AccountId {
        "222222222222".parse().unwrap()
    }

    #[test]
    fn nothing_said_is_a_plan() {
        let input = Input::read(json!({}), &[]).unwrap();
        assert_eq!((input.mode, input.desired), (Mode::Plan, Desired::default()));
    }

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        payloads::check(crate::OrganizationPreparer::NAME, Mode::ALL.map(Mode::name), |sample| {
            Input::read(sample.payload, &[account()]).map(|input| [input.mode.name()])
        });
    }

    #[test]
    fn a_wrong_input_gets_one_answer_that_names_every_problem() {
        let input = json!({"mode": "force", "delegated_administrators": {"ssm.amazonaws.com": "1", "iam.amazonaws.com": 7},
            "dry_run": true});
        let failure = Input::read(input, &[]).unwrap_err();
        for path in [
            "mode",
            "delegated_administrators.ssm.amazonaws.com",
            "delegated_administrators.iam.amazonaws.com",
            "dry_run",
        ] {
            assert!(failure.message.contains(path), "{path}: {}", failure.message);
        }
    }
}
