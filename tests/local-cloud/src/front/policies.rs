//! The policies of a role or user, and what they allow.

use super::authorize::Need;
use super::conditions::decided;
use super::judgement::Document;
use crate::client::{AwsClient, AwsError};
use crate::identity::Caller;

const IAM_VERSION: &str = "2010-05-08";

/// Whether the policies of a role or user, and those its session was narrowed down with, allow something.
pub(super) async fn allow(iam: &AwsClient, caller: &Caller, need: &Need) -> Result<bool, AwsError> {
    let own = if need.context.is_empty() {
        let source = caller.policy_source();
        simulate(iam, "SimulatePrincipalPolicy", &[("PolicySourceArn".to_owned(), source)], need).await?
    } else {
        custom(iam, &documents(iam, &caller.policy_source()).await?, need).await?
    };
    match &caller.session_policy {
        Some(session_policy) if own => custom(iam, std::slice::from_ref(session_policy), need).await,
        _ => Ok(own),
    }
}

/// Every policy document of a role or user; `None` when a permissions boundary limits them, or one cannot be read.
pub(super) async fn documents_alone(iam: &AwsClient, caller: &Caller) -> Option<Vec<Document>> {
    if are_bounded(iam, caller).await {
        return None;
    }
    let documents = documents(iam, &caller.policy_source()).await.ok()?;
    documents.iter().map(|document| Document::parse(document)).collect()
}

/// Whether policy documents together allow something.
async fn custom(iam: &AwsClient, documents: &[String], need: &Need) -> Result<bool, AwsError> {
    let numbered = documents
        .iter()
        .enumerate()
        .map(|(index, document)| (format!("PolicyInputList.member.{}", index + 1), decided(document, &need.context)));
    let policies: Vec<_> = numbered.collect();
    simulate(iam, "SimulateCustomPolicy", &policies, need).await
}

async fn simulate(
    iam: &AwsClient,
    operation: &str,
    policies: &[(String, String)],
    need: &Need,
) -> Result<bool, AwsError> {
    let mut parameters = vec![("ActionNames.member.1", need.action.as_str())];
    parameters.push(("ResourceArns.member.1", need.resource.as_str()));
    parameters.extend(policies.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let answer = iam.query("iam", operation, IAM_VERSION, &parameters).await?;
    Ok(answer.text("EvalDecision").as_deref() == Some("allowed"))
}

/// Every policy document of a role, or of a user and its groups.
async fn documents(iam: &AwsClient, source: &str) -> Result<Vec<String>, AwsError> {
    let name = source.rsplit('/').next().unwrap_or_default();
    if source.contains(":role/") {
        return documents_of(iam, "Role", name).await;
    }
    let mut documents = documents_of(iam, "User", name).await?;
    let groups = iam.query("iam", "ListGroupsForUser", IAM_VERSION, &[("UserName", name)]).await?;
    for group in groups.texts("GroupName") {
        documents.extend(documents_of(iam, "Group", &group).await?);
    }
    Ok(documents)
}

/// The inline and attached policy documents of one `Role`, `User` or `Group`.
async fn documents_of(iam: &AwsClient, kind: &str, name: &str) -> Result<Vec<String>, AwsError> {
    let owner_key = format!("{kind}Name");
    let owner = (owner_key.as_str(), name);
    let mut documents = Vec::new();
    let inline = iam.query("iam", &format!("List{kind}Policies"), IAM_VERSION, &[owner]).await?;
    for policy in inline.texts("member") {
        let named = [owner, ("PolicyName", policy.as_str())];
        let policy = iam.query("iam", &format!("Get{kind}Policy"), IAM_VERSION, &named).await?;
        documents.extend(policy.text("PolicyDocument").map(|document| decoded(&document)));
    }
    let attached = iam.query("iam", &format!("ListAttached{kind}Policies"), IAM_VERSION, &[owner]).await?;
    for arn in attached.texts("PolicyArn") {
        let policy = iam.query("iam", "GetPolicy", IAM_VERSION, &[("PolicyArn", &arn)]).await?;
        let version = policy.text("DefaultVersionId").unwrap_or_default();
        let named = [("PolicyArn", arn.as_str()), ("VersionId", &version)];
        let version = iam.query("iam", "GetPolicyVersion", IAM_VERSION, &named).await?;
        documents.extend(version.text("Document").map(|document| decoded(&document)));
    }
    Ok(documents)
}

/// IAM encodes the documents it returns as parts of a URL.
fn decoded(document: &str) -> String {
    let pair = format!("document={document}");
    form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

/// Whether a permissions boundary limits a role or user.
pub(super) async fn are_bounded(iam: &AwsClient, caller: &Caller) -> bool {
    let source = caller.policy_source();
    let name = source.rsplit('/').next().unwrap_or_default();
    let found = if source.contains(":role/") {
        iam.query("iam", "GetRole", IAM_VERSION, &[("RoleName", name)]).await
    } else {
        iam.query("iam", "GetUser", IAM_VERSION, &[("UserName", name)]).await
    };
    // A principal that cannot be read is not trusted.
    found.map_or(true, |found| found.text("PermissionsBoundaryArn").is_some())
}
