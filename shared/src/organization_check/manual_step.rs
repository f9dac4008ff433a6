//! What no API does, or none that a program should be trusted with.

use serde::Serialize;

/// Something that a person has to do or to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManualStep {
    /// What to do, as a sentence.
    pub what: &'static str,
    /// The exact place.
    pub at: &'static str,
    /// Why Steward needs it.
    pub why: &'static str,
}

const ALL_FEATURES: ManualStep = ManualStep {
    what: "Enable all features of the organization; invited accounts have to agree.",
    at: "https://console.aws.amazon.com/organizations/v2/home/settings (Enable all features)",
    why: "Without them there is no trusted access and no centralized root access.",
};

/// What Steward has no way to see.
const ALWAYS: [ManualStep; 2] = [
    ManualStep {
        what: "Activate trusted access in the console of StackSets as well, once.",
        at: "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacksets (Activate trusted \
             access), or aws cloudformation activate-organizations-access",
        why: "CloudFormation makes the roles of service-managed StackSets itself, when it is asked there.",
    },
    ManualStep {
        what: "Have a support plan that answers as fast as you need it.",
        at: "https://us-east-1.console.aws.amazon.com/support/plans/home",
        why: "Quotas of AWS Organizations, locked accounts and failed validations end at AWS Support.",
    },
];

/// What is left for a person, in an organization with all features or without.
pub fn manual_steps(all_features: bool) -> Vec<ManualStep> {
    let first = (!all_features).then_some(ALL_FEATURES);
    first.into_iter().chain(ALWAYS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_features_are_for_a_person_to_enable() {
        let asks = |all_features| manual_steps(all_features).iter().any(|item| item.what.contains("all features"));
        assert!(asks(false) && !asks(true));
        for item in manual_steps(false) {
            assert!(item.at.starts_with("https://") && item.why.ends_with('.'), "{item:?}");
        }
    }
}
