//! Central access to root users of member accounts.

use local_cloud::{AwsClient, AwsError, Credentials, Method, Organization, RootCredentials, Xml};
use serde_json::json;

use crate::CLOUD;
use crate::access::{allow, role};

const IAM: &str = "2010-05-08";
const STS: &str = "2011-06-15";

/// Everything that a root user can have.
fn everything() -> RootCredentials {
    RootCredentials {
        password: true,
        access_keys: vec!["AKIAROOTEXAMPLE00001".to_owned()],
        signing_certificates: vec!["CERTIFICATEOFTHEROOTUSER".to_owned()],
        mfa_devices: vec!["arn:aws:iam::123456789012:mfa/root".to_owned()],
    }
}

/// An organization with root access, a member account with every root credential, and a role that may assume root.
pub(crate) async fn organization() -> (Organization, String, AwsClient) {
    let (management, member) = (CLOUD.new_account_id(), CLOUD.new_account_id());
    let organization = CLOUD
        .organization(&management)
        .member(&member, "Member", "member@example.com", "/")
        .root_access()
        .root_credentials(&member, everything())
        .create()
        .await
        .unwrap();
    let administrator = role(&CLOUD.client(&management), "admin", &allow(&["*"], "*")).await;
    (organization, member, administrator)
}

async fn assume(client: &AwsClient, target: &str, task: &str) -> Result<AwsClient, AwsError> {
    let arn = format!("arn:aws:iam::aws:policy/root-task/{task}");
    let parameters = [("TargetPrincipal", target), ("TaskPolicyArn.arn", &arn), ("DurationSeconds", "900")];
    let answer = client.query("sts", "AssumeRoot", STS, &parameters).await?;
    let credentials = Credentials {
        access_key_id: answer.text("AccessKeyId").unwrap(),
        secret_access_key: answer.text("SecretAccessKey").unwrap(),
        session_token: answer.text("SessionToken"),
    };
    Ok(AwsClient::with_credentials(CLOUD.endpoint(), credentials))
}

async fn iam(client: &AwsClient, action: &str, parameters: &[(&str, &str)]) -> Result<Xml, AwsError> {
    client.query("iam", action, IAM, parameters).await
}

/// The status and code of a refusal.
fn refused<T>(answer: Result<T, AwsError>) -> (u16, String) {
    let error = answer.err().unwrap();
    (error.status, error.code)
}

fn denied() -> (u16, String) {
    (403, "AccessDenied".to_owned())
}

#[tokio::test]
async fn features_are_enabled_by_the_management_account_that_trusts_iam() {
    let (management, member) = (CLOUD.new_account_id(), CLOUD.new_account_id());
    let builder = CLOUD.organization(&management).member(&member, "Member", "m@example.com", "/");
    let organization = builder.create().await.unwrap();
    let client = CLOUD.client(&management);
    let list = "ListOrganizationsFeatures";
    assert_eq!(refused(iam(&client, list, &[]).await).1, "ServiceAccessNotEnabledException");
    let members_cannot = "AccountNotManagementOrDelegatedAdministratorException";
    assert_eq!(refused(iam(&CLOUD.client(&member), list, &[]).await).1, members_cannot);
    let stranger = CLOUD.client(&CLOUD.new_account_id());
    assert_eq!(refused(iam(&stranger, list, &[]).await).1, "OrganizationNotFoundException");

    let principal = json!({"ServicePrincipal": "iam.amazonaws.com"});
    client.json("organizations", "EnableAWSServiceAccess", principal).await.unwrap();
    let trusted = client.json("organizations", "ListAWSServiceAccessForOrganization", json!({})).await.unwrap();
    assert_eq!(trusted["EnabledServicePrincipals"][1]["ServicePrincipal"], "iam.amazonaws.com");
    assert_eq!(iam(&client, list, &[]).await.unwrap().text("OrganizationId"), Some(organization.id()));
    iam(&client, "EnableOrganizationsRootSessions", &[]).await.unwrap();
    let both = iam(&client, "EnableOrganizationsRootCredentialsManagement", &[]).await.unwrap();
    assert_eq!(both.texts("member"), ["RootCredentialsManagement", "RootSessions"]);
    let one = iam(&client, "DisableOrganizationsRootSessions", &[]).await.unwrap();
    assert_eq!(one.texts("member"), ["RootCredentialsManagement"]);

    let nobody = role(&client, "nobody", &allow(&["iam:GetRole"], "*")).await;
    assert_eq!(refused(iam(&nobody, list, &[]).await), denied());
}

#[tokio::test]
async fn an_audit_sees_credentials_and_cannot_delete_them() {
    let (_organization, member, administrator) = organization().await;
    let audit = assume(&administrator, &member, "IAMAuditRootUserCredentials").await.unwrap();
    let summary = iam(&audit, "GetAccountSummary", &[]).await.unwrap();
    assert_eq!(summary.texts("value"), ["1", "1", "1", "1"]);
    let keys = iam(&audit, "ListAccessKeys", &[]).await.unwrap();
    assert_eq!(keys.texts("AccessKeyId"), everything().access_keys);
    let whoami = audit.query("sts", "GetCallerIdentity", STS, &[]).await.unwrap();
    assert_eq!(whoami.text("Arn"), Some(format!("arn:aws:iam::{member}:root")));
    assert_eq!(refused(iam(&audit, "DeleteLoginProfile", &[]).await), denied());
    assert_eq!(refused(iam(&audit, "ListRoles", &[]).await), denied());
    assert_eq!(refused(iam(&audit, "ListAccessKeys", &[("UserName", "someone")]).await), denied());
    assert_eq!(refused(audit.json("sqs", "ListQueues", json!({})).await).1, "AccessDeniedException");
    assert_eq!(refused(audit.json("organizations", "ListRoots", json!({})).await).1, "AccessDeniedException");
}

#[tokio::test]
async fn every_root_credential_can_be_deleted_and_a_password_allowed_again() {
    let (organization, member, administrator) = organization().await;
    let root_arn = format!("arn:aws:iam::{member}:root");
    let delete = assume(&administrator, &root_arn, "IAMDeleteRootUserCredentials").await.unwrap();
    let everything = everything();
    iam(&delete, "DeleteLoginProfile", &[]).await.unwrap();
    iam(&delete, "DeleteAccessKey", &[("AccessKeyId", &everything.access_keys[0])]).await.unwrap();
    let certificate = [("CertificateId", everything.signing_certificates[0].as_str())];
    iam(&delete, "DeleteSigningCertificate", &certificate).await.unwrap();
    iam(&delete, "DeactivateMFADevice", &[("SerialNumber", &everything.mfa_devices[0])]).await.unwrap();
    assert_eq!(organization.root_credentials_of(&member), RootCredentials::default());
    let none = (404, "NoSuchEntity".to_owned());
    assert_eq!(refused(iam(&delete, "DeleteLoginProfile", &[]).await), none);
    assert_eq!(refused(iam(&delete, "GetLoginProfile", &[]).await), none);
    assert_eq!(refused(iam(&delete, "GetAccountSummary", &[]).await), denied());

    let create = assume(&administrator, &member, "IAMCreateRootUserPassword").await.unwrap();
    assert_eq!(refused(iam(&create, "CreateLoginProfile", &[("Password", "secret")]).await).0, 400);
    iam(&create, "CreateLoginProfile", &[]).await.unwrap();
    assert!(organization.root_credentials_of(&member).password);
    let there = (409, "EntityAlreadyExists".to_owned());
    assert_eq!(refused(iam(&create, "CreateLoginProfile", &[]).await), there);
}

#[tokio::test]
async fn root_sessions_unlock_queues_and_buckets() {
    let (_organization, member, administrator) = organization().await;
    let owner = CLOUD.client(&member);
    let created = owner.json("sqs", "CreateQueue", json!({"QueueName": "locked"})).await.unwrap();
    let url = created["QueueUrl"].clone();
    let unlock = assume(&administrator, &member, "SQSUnlockQueuePolicy").await.unwrap();
    let found = unlock.json("sqs", "GetQueueUrl", json!({"QueueName": "locked"})).await.unwrap();
    assert_eq!(found["QueueUrl"], url);
    let open = json!({"QueueUrl": url, "Attributes": {"Policy": ""}});
    unlock.json("sqs", "SetQueueAttributes", open).await.unwrap();
    let send = json!({"QueueUrl": url, "MessageBody": "hello"});
    assert_eq!(refused(unlock.json("sqs", "SendMessage", send).await).1, "AccessDeniedException");

    let bucket = format!("/locked-{member}");
    owner.rest("s3", Method::PUT, &bucket, "").await.unwrap();
    let deny = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": format!("arn:aws:s3:::locked-{member}")}
    ]});
    let policy = format!("{bucket}?policy");
    owner.rest("s3", Method::PUT, &policy, deny.to_string()).await.unwrap();
    let unlock = assume(&administrator, &member, "S3UnlockBucketPolicy").await.unwrap();
    let listed = unlock.rest("s3", Method::GET, "/", "").await.unwrap();
    assert!(String::from_utf8_lossy(listed.body()).contains(&bucket[1..]));
    unlock.rest("s3", Method::GET, &policy, "").await.unwrap();
    unlock.rest("s3", Method::DELETE, &policy, "").await.unwrap();
    assert_eq!(refused(unlock.rest("s3", Method::DELETE, &bucket, "").await), denied());
}

#[tokio::test]
async fn a_policy_may_name_the_task() {
    let (organization, member, _) = organization().await;
    let management = CLOUD.client(organization.management_account());
    let audit = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials";
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRoot", "Resource": "arn:aws:iam::*:root",
        "Condition": {"StringEquals": {"sts:TaskPolicyArn": audit}},
    }]});
    let auditor = role(&management, "auditor", &policy).await;
    assume(&auditor, &member, "IAMAuditRootUserCredentials").await.unwrap();
    let other = assume(&auditor, &member, "IAMDeleteRootUserCredentials").await;
    assert_eq!(refused(other), denied());
    let nobody = role(&management, "nobody", &allow(&["sts:AssumeRole"], "*")).await;
    assert_eq!(refused(assume(&nobody, &member, "IAMAuditRootUserCredentials").await), denied());
}

#[tokio::test]
async fn root_is_assumed_by_roles_of_the_management_account_in_member_accounts_only() {
    let (organization, member, administrator) = organization().await;
    let management = organization.management_account().to_owned();
    let audit = "IAMAuditRootUserCredentials";
    let in_member = role(&CLOUD.client(&member), "admin", &allow(&["*"], "*")).await;
    assert_eq!(refused(assume(&in_member, &member, audit).await), denied());
    assert_eq!(refused(assume(&CLOUD.client(&management), &member, audit).await), denied());
    assert_eq!(refused(assume(&administrator, &management, audit).await), denied());
    assert_eq!(refused(assume(&administrator, &CLOUD.new_account_id(), audit).await), denied());
    let invalid = (400, "ValidationError".to_owned());
    assert_eq!(refused(assume(&administrator, "root", audit).await), invalid);
    assert_eq!(refused(assume(&administrator, &member, "AdministratorAccess").await), invalid);
    let elsewhere = administrator.clone().in_region("me-south-1");
    assert_eq!(refused(assume(&elsewhere, &member, audit).await), (403, "RegionDisabledException".to_owned()));
    iam(&administrator, "DisableOrganizationsRootSessions", &[]).await.unwrap();
    assert_eq!(refused(assume(&administrator, &member, "SQSUnlockQueuePolicy").await), denied());
    assume(&administrator, &member, audit).await.unwrap();
    organization.set_root_access(false);
    assert_eq!(refused(assume(&administrator, &member, audit).await), denied());
}

#[tokio::test]
async fn a_root_session_is_known_by_its_signature_and_ends() {
    let (_organization, member, administrator) = organization().await;
    let audit = assume(&administrator, &member, "IAMAuditRootUserCredentials").await.unwrap();
    let wrong = Credentials { secret_access_key: "wrong".to_owned(), ..audit.credentials().clone() };
    let wrong = AwsClient::with_credentials(CLOUD.endpoint(), wrong);
    assert_eq!(refused(iam(&wrong, "ListAccessKeys", &[]).await), (403, "SignatureDoesNotMatch".to_owned()));
    let bare = Credentials { session_token: None, ..audit.credentials().clone() };
    let bare = AwsClient::with_credentials(CLOUD.endpoint(), bare);
    assert_eq!(refused(iam(&bare, "ListAccessKeys", &[]).await), (403, "InvalidClientTokenId".to_owned()));

    let arn = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials";
    let brief = [("TargetPrincipal", member.as_str()), ("TaskPolicyArn.arn", arn), ("DurationSeconds", "0")];
    let answer = administrator.query("sts", "AssumeRoot", STS, &brief).await.unwrap();
    let ended = Credentials {
        access_key_id: answer.text("AccessKeyId").unwrap(),
        secret_access_key: answer.text("SecretAccessKey").unwrap(),
        session_token: answer.text("SessionToken"),
    };
    let ended = AwsClient::with_credentials(CLOUD.endpoint(), ended);
    assert_eq!(refused(iam(&ended, "ListAccessKeys", &[]).await), (403, "ExpiredToken".to_owned()));
}

#[tokio::test]
async fn accounts_created_under_central_management_have_no_root_credentials() {
    let (organization, _member, _administrator) = organization().await;
    let client = CLOUD.client(organization.management_account());
    for (email, managed) in [("managed@example.com", true), ("old@example.com", false)] {
        organization.set_root_access(managed);
        let input = json!({"AccountName": "New", "Email": email});
        client.json("organizations", "CreateAccount", input).await.unwrap();
        let account = crate::eventually("the account", async || organization.account_with_email(email)).await;
        let expected = RootCredentials { password: !managed, ..RootCredentials::default() };
        assert_eq!(organization.root_credentials_of(&account), expected, "{email}");
    }
}
