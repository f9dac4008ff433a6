//! What the baseline document says about a region that was enabled or disabled. Pure.

use steward::{
    audit::region_calls::Status,
    baseline::Effective,
    control::{Control, regions::RegionsControl},
    error::{Cause, Failure},
    ids::Region,
};

/// What the document says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is as the document wants it, or the document does not mind; why, in words.
    InOrder(String),
    /// It is not as the document wants it.
    Violated(Failure),
}

/// Judges a region of an account by what holds for that account.
pub(crate) fn judge(effective: &Effective, region: &Region, status: Status) -> Verdict {
    let id = RegionsControl::ID;
    if let Some(exemption) = effective.exemptions.get(id) {
        let said = format!("the account is exempt from {id} until {}: {}", exemption.until, exemption.reason);
        return Verdict::InOrder(said);
    }
    let Some(section) = &effective.baseline.regions else {
        return Verdict::InOrder(format!("the document has no section {id} for this account"));
    };
    match section.wants_enabled(region) {
        None => Verdict::InOrder(format!("the document leaves {region} to the account")),
        Some(enabled) if enabled == status.leads_to_enabled() => {
            Verdict::InOrder(format!("the document wants {region} {}", in_words(enabled)))
        }
        Some(enabled) => {
            let detail = format!("{region} is {status}; the document wants it {}.", in_words(enabled));
            Verdict::Violated(Failure::with_detail(Cause::RegionPolicyViolated, detail))
        }
    }
}

fn in_words(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;
    use steward::{
        baseline::{Baseline, Exemption},
        control::regions::{Others, Regions},
    };

    fn verdict(section: Option<Regions>, region: &str, status: Status) -> Verdict {
        let baseline = Baseline { regions: section, ..Baseline::default() };
        judge(&baseline.into(), &region.parse().unwrap(), status)
    }

    fn section(others: Others) -> Regions {
        let region = |name: &str| vec![name.parse().unwrap()];
        Regions { enabled: region("eu-central-2"), disabled: region("eu-south-1"), others }
    }

    fn is_violated(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Violated(failure) if failure.cause == Cause::RegionPolicyViolated)
    }

    #[test]
    fn every_status_is_judged_by_where_it_leads() {
        for (status, enabled_is_wrong) in
            [(Status::Enabling, false), (Status::Enabled, false), (Status::Disabling, true), (Status::Disabled, true)]
        {
            let wanted = verdict(Some(section(Others::Leave)), "eu-central-2", status);
            assert_eq!(is_violated(&wanted), enabled_is_wrong, "{status}: {wanted:?}");
            let unwanted = verdict(Some(section(Others::Leave)), "eu-south-1", status);
            assert_eq!(is_violated(&unwanted), !enabled_is_wrong, "{status}: {unwanted:?}");
        }
    }

    #[test]
    fn a_region_that_is_not_named_is_left_alone_unless_the_others_must_be_disabled() {
        assert!(!is_violated(&verdict(Some(section(Others::Leave)), "af-south-1", Status::Enabled)));
        assert!(is_violated(&verdict(Some(section(Others::Disable)), "af-south-1", Status::Enabled)));
        assert!(!is_violated(&verdict(Some(section(Others::Disable)), "af-south-1", Status::Disabled)));
    }

    #[test]
    fn without_a_section_or_with_an_exemption_nothing_is_wrong() {
        assert!(!is_violated(&verdict(None, "eu-south-1", Status::Enabled)));
        let exemption = Exemption {
            account: "123456789012".parse().unwrap(),
            control: serde_json::from_str("\"regions\"").unwrap(),
            reason: "moves to Milan".to_owned(),
            until: date(2027, 1, 1),
        };
        let exempt = Effective {
            baseline: Baseline { regions: Some(section(Others::Disable)), ..Baseline::default() },
            exemptions: BTreeMap::from([("regions", exemption)]),
        };
        let said = judge(&exempt, &"eu-south-1".parse().unwrap(), Status::Enabled);
        assert_eq!(
            said,
            Verdict::InOrder("the account is exempt from regions until 2027-01-01: moves to Milan".into())
        );
    }
}
