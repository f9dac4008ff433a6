//! What no API does, or none that a program should be trusted with.

use serde::Serialize;

use super::Actual;

/// Something that a person has to do or to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManualStep {
    /// What.
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

/// What Steward has no way to see: AWS offers no API for the first, and the others are choices with a price.
const ALWAYS: [ManualStep; 4] = [
    ManualStep {
        what: "Switch on Receive CloudWatch billing alerts in the management account; it cannot be switched off again.",
        at: "https://console.aws.amazon.com/billing/home#/preferences (Alert preferences)",
        why: "Without it AWS publishes no charges, and no billing alarm ever goes off.",
    },
    ManualStep {
        what: "Have an active trail that records management events in us-east-1, best of the whole organization.",
        at: "https://us-east-1.console.aws.amazon.com/cloudtrailv2/home?region=us-east-1#/trails",
        why: "Without a trail no call reaches EventBridge, and nobody hears of what people do.",
    },
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

/// What is left for a person in an organization like this.
pub fn manual_steps(actual: &Actual) -> Vec<ManualStep> {
    let first = (!actual.all_features).then_some(ALL_FEATURES);
    first.into_iter().chain(ALWAYS).collect()
}
