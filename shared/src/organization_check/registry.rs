//! The list of all organization checks.

use super::{
    AnyCheck, TrustedAccessCheck, billing_alerts::BillingAlertsCheck,
    delegated_administrators::DelegatedAdministratorsCheck, lambda_concurrency::LambdaConcurrencyCheck,
    organization_policies::OrganizationPoliciesCheck, organization_trail::OrganizationTrailCheck,
    root_features::RootFeaturesCheck, service_quota_template::ServiceQuotaTemplateCheck,
};

/// Every check, in an order in which each finds what it needs: root features, administrators and trails need trusted
/// access.
pub static ALL: &[&dyn AnyCheck] = &[
    &TrustedAccessCheck,
    &RootFeaturesCheck,
    &DelegatedAdministratorsCheck,
    &BillingAlertsCheck,
    &OrganizationTrailCheck,
    &OrganizationPoliciesCheck,
    &ServiceQuotaTemplateCheck,
    &LambdaConcurrencyCheck,
];

/// The check of this id.
pub fn find(id: &str) -> Option<&'static dyn AnyCheck> {
    ALL.iter().copied().find(|check| check.id() == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::control;

    #[test]
    fn every_check_has_a_name_that_no_control_has_and_that_finds_it() {
        let ids: BTreeSet<_> = ALL.iter().map(|check| check.id()).collect();
        assert_eq!(ids.len(), ALL.len());
        for id in ids {
            assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{id}");
            assert!(control::find(id).is_none(), "{id}");
            assert_eq!(find(id).unwrap().id(), id);
        }
        assert!(find("no-such-check").is_none());
    }

    #[test]
    fn no_action_is_both_a_read_and_a_write_and_reads_only_read() {
        for check in ALL {
            let all = [check.reads(), check.writes()].concat();
            let distinct: BTreeSet<_> = all.iter().collect();
            assert_eq!(distinct.len(), all.len(), "{}", check.id());
            for action in check.reads() {
                let (_, name) = action.split_once(':').unwrap();
                // `ValidatePolicy` looks at a text that it is sent.
                assert!(
                    ["Describe", "Get", "List", "ValidatePolicy"].iter().any(|verb| name.starts_with(verb)),
                    "{action}"
                );
            }
        }
    }

    #[test]
    fn the_session_policy_of_all_checks_is_one_that_sts_takes() {
        let policy = crate::session::session_policy(&super::super::actions_to_apply(ALL));
        assert!(policy.len() <= 2048, "{} characters", policy.len());
    }
}
