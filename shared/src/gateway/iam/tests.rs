use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use aws_smithy_types::body::SdkBody;

use super::*;

fn gateway(rules: &[&Rule]) -> IamGateway {
    IamGateway::new(mock_client!(aws_sdk_iam, RuleMode::Sequential, rules))
}

fn answered(status: u16, body: String) -> impl Fn() -> HttpResponse + use<> {
    move || HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body.clone()))
}

fn error(status: u16, code: &str) -> impl Fn() -> HttpResponse + use<> {
    let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>words</Message>");
    answered(status, format!("<ErrorResponse><Error>{error}</Error><RequestId>1</RequestId></ErrorResponse>"))
}

fn result(operation: &str, body: &str) -> impl Fn() -> HttpResponse + use<> {
    answered(200, format!("<{operation}Response><{operation}Result>{body}</{operation}Result></{operation}Response>"))
}

#[tokio::test]
async fn no_role_and_no_permission_are_two_answers() {
    let name = "role-admin".parse().unwrap();
    let absent = mock!(Client::get_role).then_http_response(error(404, "NoSuchEntity"));
    let denied = mock!(Client::get_role).then_http_response(error(403, "AccessDenied"));
    let gateway = gateway(&[&absent, &denied]);
    assert_eq!(gateway.find_role(&name).await.unwrap(), None);
    assert_eq!(gateway.find_role(&name).await.unwrap_err().cause, Cause::AccessDenied);
}

#[tokio::test]
async fn the_trust_policy_of_a_role_is_decoded_and_its_boundary_is_named() {
    let answer = result(
        "GetRole",
        "<Role><Path>/people/</Path><RoleName>role-admin</RoleName><RoleId>AROA</RoleId>\
         <Arn>arn:aws:iam::222222222222:role/people/role-admin</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%7D</AssumeRolePolicyDocument>\
         <MaxSessionDuration>7200</MaxSessionDuration><PermissionsBoundary>\
         <PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
         <PermissionsBoundaryArn>arn:aws:iam::aws:policy/PowerUserAccess</PermissionsBoundaryArn>\
         </PermissionsBoundary></Role>",
    );
    let rule = mock!(Client::get_role).then_http_response(answer);
    let found = gateway(&[&rule]).find_role(&"role-admin".parse().unwrap()).await.unwrap().unwrap();
    let trust_policy = r#"{"Version":"2012-10-17"}"#.to_owned();
    let permissions_boundary = Some("arn:aws:iam::aws:policy/PowerUserAccess".to_owned());
    let path = "/people/".to_owned();
    assert_eq!(found, Role { path, trust_policy, max_session_seconds: 7200, description: None, permissions_boundary });
}

#[tokio::test]
async fn attached_policies_of_every_page_are_listed() {
    let page = |arn: &str, more: &str| {
        let policies =
            format!("<AttachedPolicies><member><PolicyArn>{arn}</PolicyArn></member></AttachedPolicies>{more}");
        mock!(Client::list_attached_role_policies).then_http_response(result("ListAttachedRolePolicies", &policies))
    };
    let first = page("arn:aws:iam::aws:policy/A", "<IsTruncated>true</IsTruncated><Marker>more</Marker>");
    let second = page("arn:aws:iam::aws:policy/B", "<IsTruncated>false</IsTruncated>");
    let policies = gateway(&[&first, &second]).list_attached_policies(&"role-admin".parse().unwrap()).await.unwrap();
    assert_eq!(policies, ["arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B"]);
}

#[tokio::test]
async fn errors_of_writes_are_told_apart() {
    let cause = async |code: &str| {
        let rule = mock!(Client::create_account_alias).then_http_response(error(409, code));
        gateway(&[&rule]).create_account_alias("a-b").await.unwrap_err().cause
    };
    assert_eq!(cause("EntityAlreadyExists").await, Cause::AccountAliasTaken);
    assert_eq!(cause("ConcurrentModification").await, Cause::ConcurrentModification);
    assert_eq!(cause("InvalidClientTokenId").await, Cause::CredentialsNotAccepted);
}

#[tokio::test]
async fn a_quota_is_no_throttling() {
    let rule = mock!(Client::create_account_alias).sequence();
    let rule = rule.http_response(error(409, "LimitExceeded")).repeatedly().build();
    let error = gateway(&[&rule]).create_account_alias("a-b").await.unwrap_err();
    assert_eq!((error.cause, rule.num_calls()), (Cause::QuotaExceeded, 1));
}

#[tokio::test]
async fn a_summary_shows_each_root_credential() {
    let entry = |key: &str, value: u8| format!("<entry><key>{key}</key><value>{value}</value></entry>");
    let summary = [
        entry("Users", 7),
        entry("AccountPasswordPresent", 0),
        entry("AccountAccessKeysPresent", 1),
        entry("AccountSigningCertificatesPresent", 0),
        entry("AccountMFAEnabled", 1),
    ];
    let summary = result("GetAccountSummary", &format!("<SummaryMap>{}</SummaryMap>", summary.concat()));
    let rule = mock!(Client::get_account_summary).then_http_response(summary);
    let found = gateway(&[&rule]).audit_root_credentials().await.unwrap();
    let expected = RootCredentials { password: false, access_keys: true, signing_certificates: false, mfa: true };
    assert_eq!(found, expected);
}
