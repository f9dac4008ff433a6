use aws_sdk_account::{
    Client,
    operation::{
        delete_alternate_contact::DeleteAlternateContactOutput,
        get_alternate_contact::{GetAlternateContactError, GetAlternateContactOutput},
        put_alternate_contact::{PutAlternateContactError, PutAlternateContactOutput},
    },
    types::{
        AlternateContact as Model, AlternateContactType,
        error::{ResourceNotFoundException, ValidationException},
    },
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        engine::converge_in_account,
        testing::{Rules, run, stopped},
    },
    error::Cause,
    gateway::testing::{denied, said},
    invocation::lasting,
};

fn contact(name: &str) -> Contact {
    Contact { name: name.into(), title: "Team".into(), email: "team@example.com".into(), phone: "+1 555 0100".into() }
}

fn section() -> AlternateContacts {
    AlternateContacts { billing: Some(contact("Bills")), security: Some(contact("Guards")), ..Default::default() }
}

fn model_of(contact: &Contact) -> GetAlternateContactOutput {
    let model = Model::builder().name(&contact.name).title(&contact.title).email_address(&contact.email);
    GetAlternateContactOutput::builder().alternate_contact(model.phone_number(&contact.phone).build()).build()
}

fn not_found() -> GetAlternateContactError {
    GetAlternateContactError::ResourceNotFoundException(
        ResourceNotFoundException::builder().message("none").build().unwrap(),
    )
}

fn present(kind: AlternateContactType, contact: Contact) -> Rule {
    mock!(Client::get_alternate_contact)
        .match_requests(move |r| r.alternate_contact_type() == Some(&kind) && r.account_id().is_none())
        .then_output(move || model_of(&contact))
}

fn absent_then(kind: AlternateContactType, contact: Contact) -> Rule {
    mock!(Client::get_alternate_contact)
        .match_requests(move |r| r.alternate_contact_type() == Some(&kind))
        .sequence()
        .error(not_found)
        .output(move || model_of(&contact))
        .build()
}

#[test]
fn a_contact_that_differs_is_corrected_and_only_the_names_of_its_fields_are_said() {
    let present = AlternateContact { phone: "1".into(), email: "old@example.com".into(), ..(&contact("Bills")).into() };
    let actual = vec![(ContactKind::Billing, Some(present)), (ContactKind::Security, None)];
    let words: Vec<_> = plan(&section(), &actual).iter().map(ToString::to_string).collect();
    assert_eq!(words, ["correct the BILLING contact: email, phone", "set the SECURITY contact"]);
}

#[test]
fn a_contact_that_is_left_out_is_removed_only_when_the_section_prunes() {
    let operations = (ContactKind::Operations, Some(AlternateContact::from(&contact("Ops"))));
    let others = [ContactKind::Billing, ContactKind::Security].map(|kind| (kind, None));
    let actual = [vec![operations], others.to_vec()].concat();
    assert_eq!(plan(&AlternateContacts::default(), &actual), []);
    let pruning = AlternateContacts { prune: true, ..Default::default() };
    assert_eq!(plan(&pruning, &actual), [Change::Delete { kind: ContactKind::Operations }]);
}

#[tokio::test]
async fn a_compliant_account_costs_one_read_per_contact_of_the_section() {
    let rules = [
        &present(AlternateContactType::Billing, contact("Bills")),
        &present(AlternateContactType::Security, contact("Guards")),
    ];
    let scope = Rules { account: &rules, ..Rules::default() }.contacts();
    assert_eq!(run(&AlternateContactsControl, &scope, &section(), Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["GetAlternateContact", "GetAlternateContact"]);
}

#[tokio::test]
async fn where_a_policy_denies_the_read_contacts_are_read_and_written_from_outside_and_the_row_says_so() {
    let no = mock!(Client::get_alternate_contact)
        .match_requests(|r| r.account_id().is_none())
        .then_error(|| GetAlternateContactError::generic(denied()));
    let outside = mock!(Client::get_alternate_contact)
        .match_requests(|r| r.account_id() == Some("222222222222"))
        .sequence()
        .error(not_found)
        .output(|| model_of(&contact("Bills")))
        .build();
    let put = mock!(Client::put_alternate_contact)
        .match_requests(|r| r.account_id() == Some("222222222222"))
        .then_output(|| PutAlternateContactOutput::builder().build());
    let scope = Rules { account: &[&no, &outside, &put], ..Rules::default() }.contacts();
    let desired = AlternateContacts { billing: Some(contact("Bills")), ..Default::default() };
    let work = converge_in_account(&AlternateContactsControl, &scope.0, &desired, Mode::Apply);
    let (outcome, notes) = lasting(std::time::Duration::from_mins(1), work).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec!["set the BILLING contact".into()] });
    assert!(notes[0].contains("account:GetAlternateContact was refused"), "{notes:?}");
    let get = "GetAlternateContact";
    assert_eq!(scope.1.calls(), [get, get, "PutAlternateContact", get], "the refused way is not taken twice");
}

#[tokio::test]
async fn drift_is_fixed_and_read_back() {
    let put = mock!(Client::put_alternate_contact)
        .match_requests(|r| {
            r.alternate_contact_type() == Some(&AlternateContactType::Security)
                && (r.account_id(), r.name(), r.title()) == (Some("222222222222"), Some("Guards"), Some("Team"))
                && (r.email_address(), r.phone_number()) == (Some("team@example.com"), Some("+1 555 0100"))
        })
        .then_output(|| PutAlternateContactOutput::builder().build());
    let rules = [
        &present(AlternateContactType::Billing, contact("Bills")),
        &absent_then(AlternateContactType::Security, contact("Guards")),
        &put,
    ];
    let scope = Rules { account: &rules, ..Rules::default() }.contacts();
    let outcome = run(&AlternateContactsControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec!["set the SECURITY contact".into()] });
    let reads = ["GetAlternateContact"; 2];
    assert_eq!(scope.1.calls(), [reads.as_slice(), &["PutAlternateContact"], &reads].concat());
}

#[tokio::test]
async fn what_must_not_exist_is_removed() {
    let get = mock!(Client::get_alternate_contact)
        .match_requests(|r| r.alternate_contact_type() == Some(&AlternateContactType::Operations))
        .sequence()
        .output(|| model_of(&contact("Ops")))
        .error(not_found)
        .build();
    let others = mock!(Client::get_alternate_contact).then_error(not_found);
    let delete = mock!(Client::delete_alternate_contact)
        .match_requests(|r| r.alternate_contact_type() == Some(&AlternateContactType::Operations))
        .then_output(|| DeleteAlternateContactOutput::builder().build());
    let scope = Rules { account: &[&get, &others, &delete], ..Rules::default() }.contacts();
    let pruning = AlternateContacts { prune: true, ..Default::default() };
    let outcome = run(&AlternateContactsControl, &scope, &pruning, Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec!["remove the OPERATIONS contact".into()] });
    let reads = ["GetAlternateContact"; 3];
    assert_eq!(scope.1.calls(), [reads.as_slice(), &["DeleteAlternateContact"], &reads].concat());
}

#[tokio::test]
async fn plan_mode_writes_nothing() {
    let get = mock!(Client::get_alternate_contact).then_error(not_found);
    let scope = Rules { account: &[&get], ..Rules::default() }.contacts();
    let outcome = run(&AlternateContactsControl, &scope, &section(), Mode::Plan).await;
    let planned = vec!["set the BILLING contact".into(), "set the SECURITY contact".into()];
    assert_eq!(outcome, Outcome::Drifted { planned });
    assert_eq!(scope.1.calls(), ["GetAlternateContact", "GetAlternateContact"]);
}

#[tokio::test]
async fn a_denied_read_is_unknown() {
    let get = mock!(Client::get_alternate_contact).then_error(|| GetAlternateContactError::generic(denied()));
    let scope = Rules { account: &[&get], ..Rules::default() }.contacts();
    let outcome = run(&AlternateContactsControl, &scope, &section(), Mode::Apply).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(stopped(outcome), (Cause::AccountManagementDenied, vec![]));
}

#[tokio::test]
async fn a_write_that_fails_names_those_that_went_through() {
    let get = mock!(Client::get_alternate_contact).then_error(not_found);
    let put = mock!(Client::put_alternate_contact)
        .match_requests(|r| r.name() == Some("Bills"))
        .then_output(|| PutAlternateContactOutput::builder().build());
    let refused = mock!(Client::put_alternate_contact).then_error(|| {
        PutAlternateContactError::ValidationException(
            ValidationException::builder().message("phone").meta(said("ValidationException", "phone")).build().unwrap(),
        )
    });
    let scope = Rules { account: &[&get, &put, &refused], ..Rules::default() }.contacts();
    let outcome = run(&AlternateContactsControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::InputRefused, vec!["set the BILLING contact".into()]));
    assert_eq!(scope.1.calls()[2..], ["PutAlternateContact", "PutAlternateContact"]);
}
