//! Who may do what.

use local_cloud::{AwsClient, Credentials};
use serde_json::{Value, json};

use crate::{CLOUD, organization};

const IAM: &str = "2010-05-08";

/// A client for a role with one inline policy, in the account of `root`.
pub(crate) async fn role(root: &AwsClient, name: &str, policy: &Value) -> AwsClient {
    let account = root.credentials().access_key_id.clone();
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}, "Action": "sts:AssumeRole"}
    ]});
    let parameters = [("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
    root.query("iam", "CreateRole", IAM, &parameters).await.unwrap();
    let parameters = [("RoleName", name), ("PolicyName", "own"), ("PolicyDocument", &policy.to_string())];
    root.query("iam", "PutRolePolicy", IAM, &parameters).await.unwrap();
    root.assume_role(&format!("arn:aws:iam::{account}:role/{name}"), "test", None).await.unwrap()
}

/// A policy that allows actions on one resource.
pub(crate) fn allow(actions: &[&str], resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]})
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let (organization, root) = organization().await;
    let wrong = |mut credentials: Credentials| {
        credentials.secret_access_key = "wrong".to_owned();
        AwsClient::with_credentials(CLOUD.endpoint(), credentials)
    };
    let session = role(&root, "reader", &allow(&["organizations:*", "sqs:*"], "*")).await;
    for client in [wrong(root.credentials().clone()), wrong(session.credentials().clone())] {
        for (service, operation) in [("organizations", "ListRoots"), ("sqs", "ListQueues")] {
            let refused = client.json(service, operation, json!({})).await.unwrap_err();
            assert!(refused.code.contains("Signature"), "{service}: {refused}");
        }
    }
    let unknown = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: "wrong".to_owned(),
        session_token: None,
    };
    let unknown = AwsClient::with_credentials(CLOUD.endpoint(), unknown);
    let refused = unknown.json("organizations", "ListRoots", json!({})).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (400, "UnrecognizedClientException"));
    assert_eq!(organization.account_ids().len(), 1);
}

#[tokio::test]
async fn a_role_may_do_what_its_policies_allow_and_nothing_else() {
    let (_organization, root) = organization().await;
    let session = role(&root, "reader", &allow(&["organizations:ListAccounts"], "*")).await;
    session.json("organizations", "ListAccounts", json!({})).await.unwrap();
    let denied = session.json("organizations", "ListRoots", json!({})).await.unwrap_err();
    assert_eq!((denied.status, denied.code.as_str()), (400, "AccessDeniedException"));
    assert!(denied.message.contains("organizations:ListRoots"), "{denied}");
}

#[tokio::test]
async fn a_session_policy_narrows_a_role_down() {
    let (_organization, root) = organization().await;
    let account = root.credentials().access_key_id.clone();
    role(&root, "admin", &allow(&["*"], "*")).await;
    let arn = format!("arn:aws:iam::{account}:role/admin");
    let policy = allow(&["organizations:ListRoots", "organizations:CreateAccount"], "*").to_string();
    let session = root.assume_role(&arn, "narrow", Some(&policy)).await.unwrap();
    session.json("organizations", "ListRoots", json!({})).await.unwrap();
    let denied = session.json("organizations", "ListAccounts", json!({})).await.unwrap_err();
    assert_eq!(denied.code, "AccessDeniedException");
    // The role may tag, its session may not.
    let tagged = json!({"AccountName": "A", "Email": "a@example.com", "Tags": [{"Key": "k", "Value": "v"}]});
    let denied = session.json("organizations", "CreateAccount", tagged).await.unwrap_err();
    assert!(denied.message.contains("organizations:TagResource"), "{denied}");
}

#[tokio::test]
async fn creating_with_tags_needs_a_second_action() {
    let (organization, root) = organization().await;
    let tagged = json!({"AccountName": "A", "Email": "a@example.com", "Tags": [{"Key": "k", "Value": "v"}]});
    let creator = role(&root, "creator", &allow(&["organizations:CreateAccount"], "*")).await;
    let denied = creator.json("organizations", "CreateAccount", tagged.clone()).await.unwrap_err();
    assert_eq!(denied.code, "AccessDeniedException");
    assert!(denied.message.contains("organizations:TagResource"), "{denied}");
    assert!(organization.requests().is_empty(), "a refused request leaves nothing behind");

    let both = allow(&["organizations:CreateAccount", "organizations:TagResource"], "*");
    let both_allowed = role(&root, "tagger", &both).await;
    both_allowed.json("organizations", "CreateAccount", tagged).await.unwrap();
    assert_eq!(organization.requests().len(), 1);
}

#[tokio::test]
async fn policies_may_name_the_resources() {
    let (organization, root) = organization().await;
    let (id, account) = (organization.id(), organization.management_account().to_owned());
    let (root_id, unit) = (organization.root_id(), organization.unit_id("/Workloads").unwrap());
    let policy =
        allow(&["organizations:ListAccountsForParent"], &format!("arn:aws:organizations::{account}:ou/{id}/{unit}"));
    let session = role(&root, "narrow", &policy).await;
    session.json("organizations", "ListAccountsForParent", json!({"ParentId": unit})).await.unwrap();
    let denied = session.json("organizations", "ListAccountsForParent", json!({"ParentId": root_id})).await;
    assert_eq!(denied.unwrap_err().code, "AccessDeniedException");
}

#[tokio::test]
async fn only_the_management_account_is_answered() {
    let management = CLOUD.new_account_id();
    let member = CLOUD.new_account_id();
    let _organization =
        CLOUD.organization(&management).member(&member, "Member", "member@example.com", "/").create().await.unwrap();
    let refused = CLOUD.client(&member).json("organizations", "ListAccounts", json!({})).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (400, "AccessDeniedException"));
    let seen = CLOUD.client(&member).json("organizations", "DescribeOrganization", json!({})).await.unwrap();
    assert_eq!(seen["Organization"]["MasterAccountId"], management);

    let stranger = CLOUD.client(&CLOUD.new_account_id());
    let refused = stranger.json("organizations", "ListAccounts", json!({})).await.unwrap_err();
    assert_eq!(refused.code, "AWSOrganizationsNotInUseException");
}

#[tokio::test]
async fn a_permissions_boundary_holds_for_named_resources_too() {
    let (organization, root) = organization().await;
    let (id, account) = (organization.id(), organization.management_account().to_owned());
    let unit = organization.unit_id("/Workloads").unwrap();
    let arn = format!("arn:aws:organizations::{account}:ou/{id}/{unit}");
    let session = role(&root, "builder", &allow(&["organizations:CreateOrganizationalUnit"], &arn)).await;
    let input = |name: &str| json!({"ParentId": unit, "Name": name});
    session.json("organizations", "CreateOrganizationalUnit", input("Before")).await.unwrap();

    let boundary = [("RoleName", "builder"), ("PermissionsBoundary", "arn:aws:iam::aws:policy/ReadOnlyAccess")];
    root.query("iam", "PutRolePermissionsBoundary", IAM, &boundary).await.unwrap();
    let denied = session.json("organizations", "CreateOrganizationalUnit", input("After")).await.unwrap_err();
    assert_eq!(denied.code, "AccessDeniedException");
    assert_eq!(organization.unit_id("/Workloads/After"), None);
}

#[tokio::test]
async fn policies_may_name_the_keys_of_items() {
    let (_organization, root) = organization().await;
    let key = json!([{"AttributeName": "pk", "KeyType": "HASH"}]);
    let attributes = json!([{"AttributeName": "pk", "AttributeType": "S"}]);
    let table = json!({"TableName": "things", "KeySchema": key, "AttributeDefinitions": attributes, "BillingMode": "PAY_PER_REQUEST"});
    root.json("dynamodb", "CreateTable", table).await.unwrap();
    let mut policy = allow(&["dynamodb:*"], "*");
    policy["Statement"][0]["Condition"] = json!({
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["own#*"]}, "Null": {"dynamodb:LeadingKeys": "false"},
    });
    let session = role(&root, "keeper", &policy).await;

    let pk = |key: &str| json!({"pk": {"S": key}});
    let item = |key: &str| json!({"TableName": "things", "Item": pk(key)});
    let asked = |key: &str| json!({"TableName": "things", "KeyConditionExpression": "#k = :k", "ExpressionAttributeNames": {"#k": "pk"}, "ExpressionAttributeValues": {":k": {"S": key}}});
    let put = |key: &str| json!({"PutRequest": {"Item": pk(key)}});
    let update = |key: &str| json!({"Update": {"TableName": "things", "Key": pk(key), "UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "x"}}}});
    let calls = |one: &str, two: &str| {
        [
            ("PutItem", item(one)),
            ("GetItem", json!({"TableName": "things", "Key": pk(one)})),
            ("UpdateItem", json!({"TableName": "things", "Key": pk(one)})),
            ("Query", asked(one)),
            ("TransactWriteItems", json!({"TransactItems": [{"Put": item(two)}, update(one)]})),
            ("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": "things", "Key": pk(one)}}]})),
            ("BatchWriteItem", json!({"RequestItems": {"things": [put(two), put(one)]}})),
            ("BatchGetItem", json!({"RequestItems": {"things": {"Keys": [pk(two), pk(one)]}}})),
            ("DeleteItem", json!({"TableName": "things", "Key": pk(one)})),
        ]
    };
    for (operation, input) in calls("own#1", "own#2") {
        session.json("dynamodb", operation, input).await.unwrap_or_else(|error| panic!("{operation}: {error}"));
    }
    for (operation, input) in calls("other#1", "own#2") {
        let denied = session.json("dynamodb", operation, input).await.map(drop).expect_err(operation);
        assert_eq!(denied.code, "AccessDeniedException", "{operation}: {denied}");
    }
    let denied = session.json("dynamodb", "Scan", json!({"TableName": "things"})).await.unwrap_err();
    assert_eq!(denied.code, "AccessDeniedException", "it names no key: {denied}");
}

#[tokio::test]
async fn a_policy_may_ask_for_a_role_of_an_account_of_the_callers_organization() {
    let (management, member, stranger) = (CLOUD.new_account_id(), CLOUD.new_account_id(), CLOUD.new_account_id());
    let builder = CLOUD.organization(&management).member(&member, "Member", "member@example.com", "/");
    let organization = builder.simulated_members(1, "/", None).create().await.unwrap();
    let _other = CLOUD.organization(&stranger).create().await.unwrap();
    let root = CLOUD.client(&management);
    let mut policy = allow(&["sts:AssumeRole"], "arn:aws:iam::*:role/*");
    policy["Statement"][0]["Condition"] = json!({"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}});
    let session = role(&root, "visitor", &policy).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": management}, "Action": "sts:AssumeRole"}
    ]});
    for (account, expected) in [(&member, true), (&stranger, false), (&CLOUD.new_account_id(), false)] {
        let parameters = [("RoleName", "inside"), ("AssumeRolePolicyDocument", &trust.to_string())];
        CLOUD.client(account).query("iam", "CreateRole", IAM, &parameters).await.unwrap();
        let entered = session.assume_role(&format!("arn:aws:iam::{account}:role/inside"), "test", None).await;
        assert_eq!(entered.is_ok(), expected, "{account}");
    }
    let ids = organization.account_ids();
    let simulated = ids.iter().find(|id| **id != management && **id != member).unwrap();
    let role = format!("arn:aws:iam::{simulated}:role/OrganizationAccountAccessRole");
    session.assume_role(&role, "test", None).await.unwrap();
}
