use aws_sdk_account::{
    Client,
    operation::{
        get_contact_information::{GetContactInformationError, GetContactInformationOutput},
        put_contact_information::{PutContactInformationError, PutContactInformationOutput},
    },
    types::{
        ContactInformation as Model,
        error::{ResourceNotFoundException, ValidationException},
    },
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    error::Cause,
    gateway::testing::{denied, said},
};

fn section() -> PrimaryContact {
    PrimaryContact {
        full_name: "Cloud Platform".into(),
        company_name: Some("Example".into()),
        address_line_1: "1 Main Street".into(),
        address_line_2: None,
        address_line_3: None,
        city: "Springfield".into(),
        district_or_county: None,
        state_or_region: Some("IL".into()),
        postal_code: "62701".into(),
        country_code: "US".into(),
        phone_number: "+1 555 0100".into(),
        website_url: None,
    }
}

fn record(city: &str) -> GetContactInformationOutput {
    let model = Model::builder()
        .full_name("Cloud Platform")
        .company_name("Example")
        .address_line1("1 Main Street")
        .address_line2("")
        .city(city)
        .state_or_region("IL")
        .postal_code("62701")
        .country_code("US")
        .phone_number("+1 555 0100");
    GetContactInformationOutput::builder().contact_information(model.build().unwrap()).build()
}

fn read(cities: &'static [&'static str]) -> Rule {
    let rule = mock!(Client::get_contact_information).match_requests(|r| r.account_id().is_none());
    cities.iter().fold(rule.sequence(), |rule, city| rule.output(|| record(city))).build()
}

#[test]
fn every_field_is_compared_and_named() {
    let mut present = ContactInformation::from(&section());
    assert_eq!(plan(&section(), Some(&present)), None);
    present.full_name.clear();
    present.website_url = Some("https://example.com".into());
    let change = plan(&section(), Some(&present)).unwrap();
    assert_eq!(change.to_string(), "correct the primary contact: full_name, website_url (emptied)");

    let nothing_alike = ContactInformation {
        company_name: None,
        address_line_2: Some("x".into()),
        address_line_3: Some("x".into()),
        district_or_county: Some("x".into()),
        website_url: Some("x".into()),
        ..ContactInformation::default()
    };
    assert_eq!(plan(&section(), Some(&nothing_alike)).unwrap().differs.unwrap().len(), 12);
    assert_eq!(plan(&section(), None).unwrap().to_string(), "set the primary contact");
}

#[tokio::test]
async fn a_compliant_account_costs_one_read() {
    let scope = Rules { account: &[&read(&["Springfield"])], ..Rules::default() }.contacts();
    assert_eq!(run(&PrimaryContactControl, &scope, &section(), Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["GetContactInformation"]);
}

#[tokio::test]
async fn the_whole_record_is_written_and_read_back() {
    let put = mock!(Client::put_contact_information)
        .match_requests(|r| {
            let record = r.contact_information().unwrap();
            r.account_id() == Some("222222222222")
                && (record.full_name(), record.city()) == ("Cloud Platform", "Springfield")
                && (record.company_name(), record.website_url()) == (Some("Example"), None)
        })
        .then_output(|| PutContactInformationOutput::builder().build());
    let scope = Rules { account: &[&read(&["Shelbyville", "Springfield"]), &put], ..Rules::default() }.contacts();
    let outcome = run(&PrimaryContactControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec!["correct the primary contact: city".into()] });
    assert_eq!(scope.1.calls(), ["GetContactInformation", "PutContactInformation", "GetContactInformation"]);
}

#[tokio::test]
async fn a_missing_record_is_drift_and_a_denied_one_is_unknown() {
    let missing = mock!(Client::get_contact_information).then_error(|| {
        GetContactInformationError::ResourceNotFoundException(
            ResourceNotFoundException::builder().message("none").build().unwrap(),
        )
    });
    let scope = Rules { account: &[&missing], ..Rules::default() }.contacts();
    let outcome = run(&PrimaryContactControl, &scope, &section(), Mode::Plan).await;
    assert_eq!(outcome, Outcome::Drifted { planned: vec!["set the primary contact".into()] });

    let no = mock!(Client::get_contact_information).then_error(|| GetContactInformationError::generic(denied()));
    let scope = Rules { account: &[&no], ..Rules::default() }.contacts();
    let outcome = run(&PrimaryContactControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccountManagementDenied, vec![]));
    assert_eq!(scope.1.calls(), ["GetContactInformation"; 2], "in the account, and from the management account");
}

#[tokio::test]
async fn a_refused_record_is_unknown_with_nothing_applied() {
    let refused = mock!(Client::put_contact_information).then_error(|| {
        PutContactInformationError::ValidationException(
            ValidationException::builder().message("x").meta(said("ValidationException", "x")).build().unwrap(),
        )
    });
    let scope = Rules { account: &[&read(&["Shelbyville"]), &refused], ..Rules::default() }.contacts();
    let outcome = run(&PrimaryContactControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::InputRefused, vec![]));
    assert_eq!(scope.1.calls(), ["GetContactInformation", "PutContactInformation"]);
}
