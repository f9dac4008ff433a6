//! Simulated member accounts.

use local_cloud::{AwsClient, AwsError, Method, Organization, Xml};
use serde_json::{Value, json};

use crate::CLOUD;
use crate::access::{allow, role};

const IAM: &str = "2010-05-08";
const SNS: &str = "2010-03-31";
const STS: &str = "2011-06-15";
const CBOR: &str = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
const TOPIC: [(&str, &str); 1] = [("TopicArn", "arn:aws:sns:us-east-1:222222222222:billing")];
const ROLE: [(&str, &str); 1] = [("RoleName", "auditor")];

/// An organization with simulated members, and the first of them.
pub(crate) async fn organization() -> (Organization, String) {
    let builder = CLOUD.organization(&CLOUD.new_account_id()).unit("/Workloads/Prod").root_access();
    let builder = builder.simulated_members(3, "/Workloads", Some("steward-{account_id}"));
    let organization = builder.create().await.unwrap();
    let member = organization.account_ids()[1].clone();
    (organization, member)
}

pub(crate) fn access_role(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole")
}

fn refused<T>(answer: Result<T, AwsError>) -> (u16, String) {
    let error = answer.err().unwrap();
    (error.status, error.code)
}

fn denied() -> (u16, String) {
    (403, "AccessDenied".to_owned())
}

async fn iam(client: &AwsClient, action: &str, parameters: &[(&str, &str)]) -> Result<Xml, AwsError> {
    client.query("iam", action, IAM, parameters).await
}

#[tokio::test]
async fn a_simulated_account_has_nothing_but_an_alias() {
    let (organization, member) = organization().await;
    let management = CLOUD.client(organization.management_account());
    let session = management.assume_role(&access_role(&member), "test", None).await.unwrap();
    let aliases = iam(&session, "ListAccountAliases", &[]).await.unwrap();
    assert_eq!(aliases.texts("member"), [format!("steward-{member}")]);
    let none = (404, "NoSuchEntity".to_owned());
    assert_eq!(refused(iam(&session, "GetAccountPasswordPolicy", &[]).await), none);
    assert_eq!(refused(iam(&session, "GetRole", &ROLE).await), none);
    assert_eq!(refused(iam(&session, "ListAttachedRolePolicies", &ROLE).await), none);
    for operation in ["GetTopicAttributes", "ListSubscriptionsByTopic"] {
        let answer = session.query("sns", operation, SNS, &TOPIC).await;
        assert_eq!(refused(answer), (404, "NotFound".to_owned()), "{operation}");
    }
    let alarms = session.json("monitoring", "DescribeAlarms", json!({})).await.unwrap();
    assert_eq!(alarms, json!({"MetricAlarms": [], "CompositeAlarms": []}));
    let alarms = session.rest("monitoring", Method::POST, CBOR, "").await.unwrap();
    assert_eq!(alarms.headers()["smithy-protocol"], "rpc-v2-cbor");
    assert_eq!(alarms.body().as_ref(), b"\xa2lMetricAlarms\x80oCompositeAlarms\x80");
    let block = "/v20180820/configuration/publicAccessBlock";
    let headers = [("x-amz-account-id", member.as_str())];
    let answer = session.send("s3", Method::GET, block, &headers, "".into()).await;
    assert_eq!(refused(answer), (404, "NoSuchPublicAccessBlockConfiguration".to_owned()));

    let unknown = iam(&session, "ListUsers", &[]).await.unwrap_err();
    assert_eq!((unknown.code.as_str(), unknown.status), ("InvalidAction", 400));
    assert_eq!(unknown.message, "Simulated accounts know no iam:ListUsers.");
    assert_eq!(iam(&CLOUD.client(&member), "ListUsers", &[]).await, Err(unknown));
}

#[tokio::test]
async fn a_simulated_account_is_entered_and_bounded_by_its_session_policy() {
    let (organization, member) = organization().await;
    let entering = allow(&["sts:AssumeRole"], "arn:aws:iam::*:role/OrganizationAccountAccessRole");
    let steward = role(&CLOUD.client(organization.management_account()), "steward", &entering).await;
    let policy = allow(&["iam:GetRole", "cloudwatch:DescribeAlarms"], "*").to_string();
    let session = steward.assume_role(&access_role(&member), "narrow", Some(&policy)).await.unwrap();
    session.json("monitoring", "DescribeAlarms", json!({})).await.unwrap();
    assert_eq!(refused(iam(&session, "GetRole", &ROLE).await).1, "NoSuchEntity");
    let refusal = iam(&session, "ListAccountAliases", &[]).await.unwrap_err();
    assert_eq!((refusal.status, refusal.code.as_str()), (403, "AccessDenied"));
    assert!(refusal.message.contains("iam:ListAccountAliases"), "{refusal}");
    assert_eq!(refused(session.query("sns", "GetTopicAttributes", SNS, &TOPIC).await), denied());
    let regions = session.rest("account", Method::POST, "/listRegions", "{}").await;
    assert_eq!(refused(regions).1, "AccessDeniedException");

    let calls = CLOUD.calls().by_account(&member);
    assert_eq!(calls.len(), 5);
    assert_eq!(calls[0].session_policy.as_deref(), Some(policy.as_str()));
    let caller = format!("arn:aws:sts::{member}:assumed-role/OrganizationAccountAccessRole/narrow");
    assert_eq!(calls[0].caller, Some(caller));
    let parameters = [("RoleArn", access_role(&member)), ("RoleSessionName", "x1".to_owned())];
    let parameters = parameters.each_ref().map(|(name, value)| (*name, value.as_str()));
    let malformed = [&parameters[..], &[("Policy", "{")]].concat();
    assert_eq!(refused(steward.query("sts", "AssumeRole", STS, &malformed).await).1, "MalformedPolicyDocument");
    let long = [&parameters[..], &[("DurationSeconds", "7200")]].concat();
    assert_eq!(refused(steward.query("sts", "AssumeRole", STS, &long).await).1, "ValidationError");
}

#[tokio::test]
async fn a_simulated_account_is_entered_only_by_whom_policies_allow() {
    let (organization, member) = organization().await;
    let management = CLOUD.client(organization.management_account());
    let enter = async |client: &AwsClient| client.assume_role(&access_role(&member), "test", None).await.map(drop);
    let steward = role(&management, "steward", &allow(&["sts:AssumeRole"], &access_role("000000000000"))).await;
    assert_eq!(refused(enter(&steward).await), denied());
    let put = async |policy: Value| {
        let policy = policy.to_string();
        let parameters = [("RoleName", "steward"), ("PolicyName", "own"), ("PolicyDocument", policy.as_str())];
        iam(&management, "PutRolePolicy", &parameters).await.unwrap();
    };
    put(allow(&["sts:AssumeRole"], &access_role(&member))).await;
    enter(&steward).await.unwrap();
    assert_eq!(
        refused(steward.assume_role(&format!("arn:aws:iam::{member}:role/other"), "test", None).await),
        denied()
    );
    put(allow(&["iam:GetRole"], "*")).await;
    assert_eq!(refused(enter(&steward).await), denied());

    let mut wrong = steward.credentials().clone();
    wrong.secret_access_key = "wrong".to_owned();
    put(allow(&["sts:*"], "*")).await;
    let wrong = AwsClient::with_credentials(CLOUD.endpoint(), wrong);
    assert!(refused(enter(&wrong).await).1.contains("Signature"));
    enter(&steward).await.unwrap();
    let boundary = [("RoleName", "steward"), ("PermissionsBoundary", "arn:aws:iam::aws:policy/ReadOnlyAccess")];
    iam(&management, "PutRolePermissionsBoundary", &boundary).await.unwrap();
    assert_eq!(refused(enter(&steward).await), denied());

    let stranger = role(&CLOUD.client(&CLOUD.new_account_id()), "steward", &allow(&["*"], "*")).await;
    assert_eq!(refused(enter(&stranger).await), denied());
}

#[tokio::test]
async fn the_root_user_of_a_simulated_account_is_reached_and_bound_to_its_task() {
    let (organization, member) = organization().await;
    let assume = async |client: &AwsClient, task: &str| {
        let task = format!("arn:aws:iam::aws:policy/root-task/{task}");
        let parameters = [("TargetPrincipal", member.as_str()), ("TaskPolicyArn.arn", &task)];
        let answer = client.query("sts", "AssumeRoot", STS, &parameters).await?;
        let text = |name: &str| answer.text(name).unwrap();
        let credentials = local_cloud::Credentials {
            access_key_id: text("AccessKeyId"),
            secret_access_key: text("SecretAccessKey"),
            session_token: Some(text("SessionToken")),
        };
        Ok::<_, AwsError>(AwsClient::with_credentials(CLOUD.endpoint(), credentials))
    };
    let audit = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials";
    let mut policy = allow(&["sts:AssumeRoot"], "*");
    policy["Statement"][0]["Condition"] = json!({"StringEquals": {"sts:TaskPolicyArn": audit}});
    let auditor = role(&CLOUD.client(organization.management_account()), "auditor", &policy).await;
    let session = assume(&auditor, "IAMAuditRootUserCredentials").await.unwrap();
    assert_eq!(iam(&session, "GetAccountSummary", &[]).await.unwrap().texts("value"), ["0", "0", "1", "0"]);
    assert_eq!(refused(iam(&session, "DeleteLoginProfile", &[]).await), denied());
    assert_eq!(refused(assume(&auditor, "SQSUnlockQueuePolicy").await), denied());
    let administrator = role(&CLOUD.client(organization.management_account()), "admin", &allow(&["*"], "*")).await;
    let session = assume(&administrator, "SQSUnlockQueuePolicy").await.unwrap();
    assert_eq!(refused(session.json("sqs", "ListQueues", json!({})).await).1, "InvalidAction");
}

#[tokio::test]
async fn simulated_members_are_spread_over_the_units_below_a_path() {
    let (organization, _) = organization().await;
    let ids = organization.account_ids();
    let workloads = organization.unit_id("/Workloads");
    let prod = organization.unit_id("/Workloads/Prod");
    let parents: Vec<_> = ids[1..].iter().map(|id| organization.parent_of(id)).collect();
    assert_eq!(parents, [workloads.clone(), prod, workloads]);
    let lost = CLOUD.organization(&CLOUD.new_account_id()).simulated_members(1, "/Nowhere", None).create().await;
    assert_eq!(refused(lost).1, "OrganizationalUnitNotFoundException");
}
