use super::*;

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn ready() -> Actual {
    Actual {
        all_features: true,
        trusted: TrustedService::ALL.iter().copied().collect(),
        delegated_administrators: BTreeMap::new(),
        root_features: RootFeature::ALL.iter().copied().collect(),
    }
}

#[test]
fn a_bare_organization_needs_everything_in_an_order_that_works() {
    let desired =
        Desired { delegated_administrators: BTreeMap::from([(TrustedService::Iam, account("222222222222"))]) };
    let steps: Vec<_> = plan(&desired, &Actual::default()).iter().map(ToString::to_string).collect();
    assert_eq!(
        steps,
        [
            "enable trusted access for account.amazonaws.com",
            "enable trusted access for iam.amazonaws.com",
            "enable trusted access for cloudtrail.amazonaws.com",
            "enable trusted access for member.org.stacksets.cloudformation.amazonaws.com",
            "enable the root feature RootCredentialsManagement",
            "enable the root feature RootSessions",
            "let account 222222222222 administer iam.amazonaws.com",
        ]
    );
}

#[test]
fn an_organization_that_has_everything_needs_nothing() {
    assert_eq!(plan(&Desired::default(), &ready()), []);
}

#[test]
fn another_delegated_administrator_is_not_the_one_asked_for_and_stays() {
    let desired =
        Desired { delegated_administrators: BTreeMap::from([(TrustedService::CloudTrail, account("222222222222"))]) };
    let mut actual = ready();
    let present = actual.delegated_administrators.entry(TrustedService::CloudTrail).or_default();
    present.insert(account("333333333333"));
    let step = Change::RegisterDelegatedAdministrator(TrustedService::CloudTrail, account("222222222222"));
    assert_eq!(plan(&desired, &actual), [step]);
    actual.delegated_administrators.entry(TrustedService::CloudTrail).or_default().insert(account("222222222222"));
    assert_eq!(plan(&desired, &actual), []);
}

#[test]
fn all_features_are_for_a_person_to_enable() {
    let asks = |actual: &Actual| manual_steps(actual).iter().any(|item| item.what.contains("all features"));
    assert!(asks(&Actual::default()) && !asks(&ready()));
    for item in manual_steps(&Actual::default()) {
        assert!(item.at.starts_with("https://") && item.why.ends_with('.'), "{item:?}");
    }
}

#[test]
fn a_service_is_named_by_its_principal_and_no_other_is_taken() {
    for service in TrustedService::ALL {
        assert_eq!(service.principal().parse(), Ok(*service));
    }
    assert!("ssm.amazonaws.com".parse::<TrustedService>().is_err());
}
