use aws_sdk_organizations::{
    operation::{
        create_account::CreateAccountOutput, describe_organizational_unit::DescribeOrganizationalUnitOutput,
        list_accounts::ListAccountsOutput,
    },
    types::{CreateAccountFailureReason, CreateAccountStatus as Status, error::OrganizationalUnitNotFoundException},
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;

use super::*;

fn gateway(rules: &[&Rule]) -> OrganizationsGateway {
    OrganizationsGateway::mocked(mock_client!(aws_sdk_organizations, RuleMode::Sequential, rules, |c| c))
}

async fn create(gateway: &OrganizationsGateway) -> Result<CreateAccountStatus, CallError> {
    let account = AccountToCreate {
        email: &"a@example.com".parse().unwrap(),
        name: &"A".parse().unwrap(),
        role_name: &RoleName::organization_account_access(),
        iam_user_access_to_billing: false,
        tags: &BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
    };
    gateway.create_account(&account).await
}

fn answered(status: u16, body: &'static str) -> impl Fn() -> HttpResponse {
    move || HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
}

#[tokio::test]
async fn an_account_is_asked_for_with_every_detail() {
    let rule = mock!(Client::create_account)
        .match_requests(|r| {
            r.email() == Some("a@example.com")
                && r.account_name() == Some("A")
                && r.role_name() == Some("OrganizationAccountAccessRole")
                && r.iam_user_access_to_billing() == Some(&IamUserAccessToBilling::Deny)
                && r.tags().iter().any(|tag| tag.key() == "team" && tag.value() == "blue")
        })
        .then_output(|| {
            let status = Status::builder().id("car-0123456789abcdef").state(CreateAccountState::InProgress).build();
            CreateAccountOutput::builder().create_account_status(status).build()
        });
    let status = create(&gateway(&[&rule])).await.unwrap();
    assert_eq!(status.id.as_str(), "car-0123456789abcdef");
    assert_eq!(status.outcome, CreateAccountOutcome::InProgress);
}

#[tokio::test]
async fn create_account_is_never_called_twice_by_the_sdk_and_a_fault_may_hide_a_success() {
    let rule = mock!(Client::create_account)
        .sequence()
        .http_response(answered(500, r#"{"__type":"ServiceException","Message":"boom"}"#))
        .repeatedly()
        .build();
    let error = create(&gateway(&[&rule])).await.unwrap_err();
    assert_eq!(rule.num_calls(), 1);
    assert_eq!((error.cause, error.refused), (Cause::ServiceFault, false));
}

#[tokio::test]
async fn throttling_of_create_account_is_a_refusal_and_left_to_the_poller() {
    let rule = mock!(Client::create_account)
        .sequence()
        .http_response(answered(400, r#"{"__type":"TooManyRequestsException","Message":"slow down"}"#))
        .repeatedly()
        .build();
    let error = create(&gateway(&[&rule])).await.unwrap_err();
    assert_eq!(rule.num_calls(), 1);
    assert_eq!((error.cause, error.refused), (Cause::Throttled, true));
}

#[tokio::test]
async fn the_reason_of_a_constraint_decides_about_the_cause_and_is_shown() {
    let rule = mock!(Client::create_account).then_http_response(answered(
        400,
        r#"{"__type":"ConstraintViolationException","Message":"full","Reason":"ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"}"#,
    ));
    let error = create(&gateway(&[&rule])).await.unwrap_err();
    assert_eq!((error.cause, error.refused), (Cause::TooManyCreationsInProgress, true));
    assert!(error.detail.contains("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"), "{}", error.detail);
}

#[tokio::test]
async fn a_failure_reason_is_passed_on_by_its_name() {
    let rule = mock!(Client::create_account).then_output(|| {
        let status = Status::builder()
            .id("car-0123456789abcdef")
            .state(CreateAccountState::Failed)
            .failure_reason(CreateAccountFailureReason::EmailAlreadyExists);
        CreateAccountOutput::builder().create_account_status(status.build()).build()
    });
    let status = create(&gateway(&[&rule])).await.unwrap();
    assert_eq!(status.outcome, CreateAccountOutcome::Failed("EMAIL_ALREADY_EXISTS".to_owned()));
}

#[tokio::test]
async fn an_answer_without_what_the_model_promises_is_an_error_and_no_panic() {
    let rule = mock!(Client::create_account).then_output(|| CreateAccountOutput::builder().build());
    assert_eq!(create(&gateway(&[&rule])).await.unwrap_err().cause, Cause::CallFailed);
}

#[tokio::test]
async fn accounts_of_every_page_are_listed_with_their_unit() {
    let page = |id: &'static str, next: Option<&'static str>| {
        mock!(Client::list_accounts).then_output(move || {
            let account = aws_sdk_organizations::types::Account::builder()
                .id(id)
                .name("A")
                .email("a@example.com")
                .state(aws_sdk_organizations::types::AccountState::Active)
                .paths(format!("o-abcdefghij/r-ab12/ou-ab12-cdef3456/{id}/"))
                .build();
            ListAccountsOutput::builder().accounts(account).set_next_token(next.map(ToOwned::to_owned)).build()
        })
    };
    let accounts =
        gateway(&[&page("111111111111", Some("more")), &page("222222222222", None)]).list_accounts().await.unwrap();
    assert_eq!(accounts.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(), ["111111111111", "222222222222"]);
    assert_eq!(accounts[0].parent.as_ref().unwrap().as_str(), "ou-ab12-cdef3456");
    assert_eq!(accounts[0].state, AccountState::Active);
}

#[tokio::test]
async fn a_missing_unit_is_an_answer_and_a_denied_look_is_not() {
    let id: OrganizationalUnitId = "ou-ab12-cdef3456".parse().unwrap();
    let missing = mock!(Client::describe_organizational_unit).then_error(|| {
        DescribeOrganizationalUnitError::OrganizationalUnitNotFoundException(
            OrganizationalUnitNotFoundException::builder().build(),
        )
    });
    assert_eq!(gateway(&[&missing]).find_organizational_unit(&id).await.unwrap(), None);

    let denied = mock!(Client::describe_organizational_unit)
        .then_http_response(answered(400, r#"{"__type":"AccessDeniedException","Message":"no"}"#));
    assert_eq!(gateway(&[&denied]).find_organizational_unit(&id).await.unwrap_err().cause, Cause::AccessDenied);

    let unit = mock!(Client::describe_organizational_unit).then_output(|| {
        let unit = aws_sdk_organizations::types::OrganizationalUnit::builder().id("ou-ab12-cdef3456").name("Sandbox");
        DescribeOrganizationalUnitOutput::builder().organizational_unit(unit.build()).build()
    });
    assert_eq!(gateway(&[&unit]).find_organizational_unit(&id).await.unwrap().unwrap().name, "Sandbox");
}

async fn close(rule: &Rule) -> Result<(), CallError> {
    gateway(&[rule]).close_account(&"222222222222".parse().unwrap()).await
}

#[tokio::test]
async fn an_account_is_closed_by_its_id() {
    let rule = mock!(Client::close_account)
        .match_requests(|r| r.account_id() == Some("222222222222"))
        .then_output(|| aws_sdk_organizations::operation::close_account::CloseAccountOutput::builder().build());
    close(&rule).await.unwrap();
}

#[tokio::test]
async fn why_an_account_is_not_closed_is_told_apart_and_the_sdk_asks_once() {
    for (body, cause) in [
        (
            r#"{"__type":"ConstraintViolationException","Message":"m","Reason":"CLOSE_ACCOUNT_QUOTA_EXCEEDED"}"#,
            Cause::ClosureQuotaExceeded,
        ),
        (
            r#"{"__type":"ConstraintViolationException","Message":"m","Reason":"CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"}"#,
            Cause::TooManyClosuresInProgress,
        ),
        (
            r#"{"__type":"ConstraintViolationException","Message":"m","Reason":"CANNOT_CLOSE_MANAGEMENT_ACCOUNT"}"#,
            Cause::ConstraintViolation,
        ),
        (r#"{"__type":"ConflictException","Message":"m"}"#, Cause::Conflict),
        (r#"{"__type":"AccountAlreadyClosedException","Message":"m"}"#, Cause::AccountNotActive),
        (r#"{"__type":"TooManyRequestsException","Message":"m"}"#, Cause::Throttled),
    ] {
        let rule = mock!(Client::close_account).sequence().http_response(answered(400, body)).repeatedly().build();
        let error = close(&rule).await.unwrap_err();
        assert_eq!((error.cause, error.refused, rule.num_calls()), (cause, true, 1), "{body}");
    }
    let fault = mock!(Client::close_account).then_http_response(answered(500, r#"{"__type":"ServiceException"}"#));
    assert!(!close(&fault).await.unwrap_err().refused, "AWS may have taken it");
}

#[tokio::test]
async fn one_tag_is_taken_away_and_administrators_of_any_service_are_listed() {
    use aws_sdk_organizations::{
        operation::{
            list_delegated_administrators::ListDelegatedAdministratorsOutput, untag_resource::UntagResourceOutput,
        },
        types::DelegatedAdministrator,
    };
    let untag = mock!(Client::untag_resource)
        .match_requests(|r| r.resource_id() == Some("222222222222") && r.tag_keys() == ["steward:closing"])
        .then_output(|| UntagResourceOutput::builder().build());
    gateway(&[&untag]).remove_tag(&"222222222222".parse().unwrap(), "steward:closing").await.unwrap();
    let list = mock!(Client::list_delegated_administrators)
        .match_requests(|r| r.service_principal().is_none())
        .then_output(|| {
            let one = DelegatedAdministrator::builder().id("333333333333").build();
            ListDelegatedAdministratorsOutput::builder().delegated_administrators(one).build()
        });
    let found = gateway(&[&list]).list_all_delegated_administrators().await.unwrap();
    assert_eq!(found.iter().map(AccountId::as_str).collect::<Vec<_>>(), ["333333333333"]);
}
