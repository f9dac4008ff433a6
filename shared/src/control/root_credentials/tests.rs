use std::collections::HashMap;

use aws_sdk_iam::{
    Client,
    operation::{
        deactivate_mfa_device::DeactivateMfaDeviceOutput,
        delete_access_key::{DeleteAccessKeyError, DeleteAccessKeyOutput},
        delete_login_profile::{DeleteLoginProfileError, DeleteLoginProfileOutput},
        delete_signing_certificate::DeleteSigningCertificateOutput,
        get_account_summary::{GetAccountSummaryError, GetAccountSummaryOutput},
        list_access_keys::ListAccessKeysOutput,
        list_mfa_devices::ListMfaDevicesOutput,
        list_signing_certificates::ListSigningCertificatesOutput,
    },
    types::{
        AccessKeyMetadata, MfaDevice, SigningCertificate, StatusType, SummaryKeyType, error::NoSuchEntityException,
    },
};
use aws_sdk_sts::{
    Client as Sts,
    operation::assume_root::{AssumeRootError, AssumeRootOutput},
    types::Credentials,
};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        engine::converge_in_account,
        testing::{Rules, run, stopped},
    },
    error::Cause,
    gateway::{RootCredentials as Present, testing::denied},
};

const CLEAN: Present = Present { password: false, access_keys: false, signing_certificates: false, mfa: false };
const FULL: Present = Present { password: true, access_keys: true, signing_certificates: true, mfa: true };

fn session(policy: &'static str, seconds: i32) -> Rule {
    let arn = format!("arn:aws:iam::aws:policy/root-task/{policy}");
    mock!(Sts::assume_root)
        .match_requests(move |r| {
            r.task_policy_arn().and_then(|policy| policy.arn()) == Some(&arn)
                && (r.target_principal(), r.duration_seconds()) == (Some("222222222222"), Some(seconds))
        })
        .then_output(|| {
            let credentials = Credentials::builder().access_key_id("ASIA").secret_access_key("s").session_token("t");
            let credentials = credentials.expiration(DateTime::from_secs(4_000_000_000)).build().unwrap();
            AssumeRootOutput::builder().credentials(credentials).build()
        })
}

fn audit() -> Rule {
    session("IAMAuditRootUserCredentials", 60)
}

fn delete() -> Rule {
    session("IAMDeleteRootUserCredentials", 900)
}

fn summaries(answers: &[Present]) -> Rule {
    let summary = |found: &Present| {
        HashMap::from([
            (SummaryKeyType::AccountPasswordPresent, i32::from(found.password)),
            (SummaryKeyType::AccountAccessKeysPresent, i32::from(found.access_keys)),
            (SummaryKeyType::AccountSigningCertificatesPresent, i32::from(found.signing_certificates)),
            (SummaryKeyType::AccountMfaEnabled, i32::from(found.mfa)),
        ])
    };
    let rule = mock!(Client::get_account_summary).sequence();
    let answers = answers.iter().map(summary);
    let output = |map| GetAccountSummaryOutput::builder().set_summary_map(Some(map)).build();
    answers.fold(rule, |rule, map| rule.output(move || output(map.clone()))).build()
}

fn no_password() -> Rule {
    mock!(Client::delete_login_profile).match_requests(|r| r.user_name().is_none()).then_error(|| {
        DeleteLoginProfileError::NoSuchEntityException(NoSuchEntityException::builder().message("none").build())
    })
}

fn keys() -> Rule {
    let key = |id| {
        let key = AccessKeyMetadata::builder().access_key_id(id).status(StatusType::Active);
        key.build()
    };
    mock!(Client::list_access_keys).match_requests(|r| r.user_name().is_none()).then_output(move || {
        ListAccessKeysOutput::builder()
            .access_key_metadata(key("AKIA1"))
            .access_key_metadata(key("AKIA2"))
            .build()
            .unwrap()
    })
}

fn delete_key(id: &'static str) -> Rule {
    mock!(Client::delete_access_key)
        .match_requests(move |r| r.user_name().is_none() && r.access_key_id() == Some(id))
        .then_output(|| DeleteAccessKeyOutput::builder().build())
}

#[test]
fn what_is_there_goes_and_mfa_only_on_request() {
    let all_but_mfa = [Change::DeletePassword, Change::DeleteAccessKeys, Change::DeleteSigningCertificates];
    assert_eq!(plan(RootCredentials::default(), CLEAN), []);
    assert_eq!(plan(RootCredentials::default(), FULL), all_but_mfa);
    let with_mfa = RootCredentials { deactivate_mfa: true };
    assert_eq!(plan(with_mfa, FULL), [all_but_mfa.as_slice(), &[Change::DeactivateMfa]].concat());
    let full = Actual { credentials: FULL, is_own: false };
    let notes = |desired| RootCredentialsControl.notes(&desired, &full);
    assert_eq!(notes(RootCredentials::default()), ["the root user has multi-factor authentication"]);
    assert!(notes(with_mfa).is_empty());
}

#[tokio::test]
async fn a_compliant_account_costs_one_read_and_nobody_acts_as_its_root_user() {
    let mfa_alone = Present { mfa: true, ..CLEAN };
    let scope = Rules { iam: &[&summaries(&[mfa_alone])], ..Rules::default() }.root();
    let outcome = run(&RootCredentialsControl, &scope, &RootCredentials::default(), Mode::Apply).await;
    assert_eq!(outcome, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["GetAccountSummary"]);
}

#[tokio::test]
async fn where_the_access_role_may_not_look_the_root_user_does_and_the_row_says_so() {
    let rule = mock!(Client::get_account_summary).sequence();
    let clean = || {
        let keys = [
            SummaryKeyType::AccountPasswordPresent,
            SummaryKeyType::AccountAccessKeysPresent,
            SummaryKeyType::AccountSigningCertificatesPresent,
            SummaryKeyType::AccountMfaEnabled,
        ];
        GetAccountSummaryOutput::builder().set_summary_map(Some(keys.map(|key| (key, 0)).into())).build()
    };
    let denied_then_clean = rule.error(|| GetAccountSummaryError::generic(denied())).output(clean).build();
    let scope = Rules { sts: &[&audit()], iam: &[&denied_then_clean], ..Rules::default() }.root();
    let desired = RootCredentials::default();
    let (outcome, notes) = converge_in_account(&RootCredentialsControl, &scope.0, &desired, Mode::Plan).await;
    assert_eq!(outcome, Outcome::Compliant);
    assert!(notes[0].contains("iam:GetAccountSummary was refused"), "{notes:?}");
    assert_eq!(scope.1.calls(), ["GetAccountSummary", "AssumeRoot", "GetAccountSummary"]);
}

#[tokio::test]
async fn everything_goes_in_one_deleting_session_and_another_audit_verifies_it() {
    let certificates = mock!(Client::list_signing_certificates).then_output(|| {
        let certificate = SigningCertificate::builder().user_name("root").certificate_id("C1").certificate_body("");
        let certificate = certificate.status(StatusType::Active).build().unwrap();
        ListSigningCertificatesOutput::builder().certificates(certificate).build().unwrap()
    });
    let delete_certificate = mock!(Client::delete_signing_certificate)
        .match_requests(|r| r.user_name().is_none() && r.certificate_id() == Some("C1"))
        .then_output(|| DeleteSigningCertificateOutput::builder().build());
    let devices = mock!(Client::list_mfa_devices).then_output(|| {
        let device = MfaDevice::builder().user_name("root").serial_number("arn:aws:iam::222222222222:mfa/root");
        let device = device.enable_date(DateTime::from_secs(0)).build().unwrap();
        ListMfaDevicesOutput::builder().mfa_devices(device).build().unwrap()
    });
    let deactivate = mock!(Client::deactivate_mfa_device)
        .match_requests(|r| r.user_name().is_none() && r.serial_number().is_some_and(|n| n.ends_with("mfa/root")))
        .then_output(|| DeactivateMfaDeviceOutput::builder().build());
    let iam = [
        &summaries(&[FULL, CLEAN]),
        &no_password(),
        &keys(),
        &delete_key("AKIA1"),
        &delete_key("AKIA2"),
        &certificates,
        &delete_certificate,
        &devices,
        &deactivate,
    ];
    let (audit, delete) = (audit(), delete());
    let scope = Rules { sts: &[&audit, &delete], iam: &iam, ..Rules::default() }.root();
    let desired = RootCredentials { deactivate_mfa: true };
    let outcome = run(&RootCredentialsControl, &scope, &desired, Mode::Apply).await;
    assert!(matches!(&outcome, Outcome::Fixed { applied } if applied.len() == 4), "{outcome:?}");
    assert_eq!((audit.num_calls(), delete.num_calls()), (1, 1));

    let mut calls = scope.1.calls();
    // The three kinds go at the same time; what follows them does not.
    assert_eq!(calls[..2], ["GetAccountSummary", "AssumeRoot"]);
    assert_eq!(calls[8..], ["ListMFADevices", "DeactivateMFADevice", "AssumeRoot", "GetAccountSummary"]);
    calls[2..8].sort();
    let deletions = [
        "DeleteAccessKey",
        "DeleteAccessKey",
        "DeleteLoginProfile",
        "DeleteSigningCertificate",
        "ListAccessKeys",
        "ListSigningCertificates",
    ];
    assert_eq!(calls[2..8], deletions);
}

#[tokio::test]
async fn plan_mode_opens_no_session_that_could_delete() {
    let scope = Rules { iam: &[&summaries(&[FULL])], ..Rules::default() }.root();
    let outcome = run(&RootCredentialsControl, &scope, &RootCredentials::default(), Mode::Plan).await;
    assert!(matches!(&outcome, Outcome::Drifted { planned } if planned.len() == 3), "{outcome:?}");
    assert_eq!(scope.1.calls(), ["GetAccountSummary"]);
}

#[tokio::test]
async fn a_denied_session_and_a_denied_read_are_unknown() {
    let no = mock!(Sts::assume_root).then_error(|| AssumeRootError::generic(denied()));
    let scope = Rules { sts: &[&no], iam: &[&summaries(&[FULL])], ..Rules::default() }.root();
    let outcome = run(&RootCredentialsControl, &scope, &RootCredentials::default(), Mode::Apply).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(stopped(outcome), (Cause::RootSessionDenied, vec![]));

    let no = mock!(Client::get_account_summary).then_error(|| GetAccountSummaryError::generic(denied()));
    let scope = Rules { sts: &[&audit()], iam: &[&no], ..Rules::default() }.root();
    let outcome = run(&RootCredentialsControl, &scope, &RootCredentials::default(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));
}

#[tokio::test]
async fn a_summary_that_lacks_a_member_is_not_clean() {
    let partial = mock!(Client::get_account_summary).then_output(|| {
        GetAccountSummaryOutput::builder().summary_map(SummaryKeyType::AccountPasswordPresent, 0).build()
    });
    let scope = Rules { iam: &[&partial], ..Rules::default() }.root();
    let outcome = run(&RootCredentialsControl, &scope, &RootCredentials::default(), Mode::Plan).await;
    let Outcome::Unknown { failure, .. } = outcome else { panic!("{outcome:?}") };
    assert!(failure.message.contains("AccountAccessKeysPresent"), "{}", failure.message);
}

#[tokio::test]
async fn a_deletion_that_fails_names_those_that_went_through() {
    let password = mock!(Client::delete_login_profile).then_output(|| DeleteLoginProfileOutput::builder().build());
    let no = mock!(Client::delete_access_key).then_error(|| DeleteAccessKeyError::generic(denied()));
    let found = Present { signing_certificates: false, mfa: false, ..FULL };
    let iam = [&summaries(&[found]), &password, &keys(), &no];
    let scope = Rules { sts: &[&audit(), &delete()], iam: &iam, ..Rules::default() }.root();
    let outcome = run(&RootCredentialsControl, &scope, &RootCredentials::default(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec!["delete the root user's password".into()]));
}

#[tokio::test]
async fn of_the_management_account_a_missing_second_factor_and_keys_are_named_and_nothing_is_deleted() {
    // Its password is needed.
    let guarded = Present { password: true, mfa: true, ..CLEAN };
    for (present, planned) in [
        (guarded, vec![]),
        (Present { mfa: false, ..guarded }, vec!["give the root user of the management account a second factor"]),
        (
            Present { access_keys: true, signing_certificates: true, ..guarded },
            vec![
                "delete the access keys of the root user of the management account",
                "delete the signing certificates of the root user of the management account",
            ],
        ),
    ] {
        for mode in [Mode::Plan, Mode::Apply] {
            let summaries = summaries(&[present, present]);
            let scope = Rules { iam: &[&summaries], ..Rules::default() }.own_root();
            // Also where devices of members are to go.
            let desired = RootCredentials { deactivate_mfa: true };
            let outcome = run(&RootCredentialsControl, &scope, &desired, mode).await;
            let open: Vec<_> = planned.iter().map(|what| format!("by hand: {what}")).collect();
            let expected = match mode {
                _ if open.is_empty() => Outcome::Compliant,
                Mode::Plan => Outcome::Drifted { planned: open },
                Mode::Apply => Outcome::NotConverged { applied: Vec::new(), remaining: open },
            };
            assert_eq!(outcome, expected, "{present:?}");
        }
    }
}

#[tokio::test]
async fn of_the_management_account_a_denied_look_is_unknown_and_no_root_session_is_opened() {
    let refused = mock!(Client::get_account_summary).then_error(|| GetAccountSummaryError::generic(denied()));
    let scope = Rules { iam: &[&refused], ..Rules::default() }.own_root();
    let outcome = run(&RootCredentialsControl, &scope, &RootCredentials::default(), Mode::Apply).await;
    assert_eq!(stopped(outcome).0, Cause::AccessDenied);
    assert_eq!(scope.1.calls(), ["GetAccountSummary"]);
}
