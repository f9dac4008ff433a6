//! The role through which the management account reaches a member account.

use serde_json::json;

use crate::client::AwsError;
use crate::core::Core;

const IAM_VERSION: &str = "2010-05-08";

/// The role that a new account is managed through, unless the request names another.
pub(crate) const DEFAULT_ROLE: &str = "OrganizationAccountAccessRole";

/// Makes the role in a member account; a failure is noted as a mishap.
pub(super) async fn make_role(core: &Core, management: &str, account: &str, role: &str) {
    if let Err(error) = try_make_role(core, management, account, role).await {
        core.mishap(format!("role {role} could not be made in account {account}: {error}"));
    }
}

pub(super) async fn try_make_role(core: &Core, management: &str, account: &str, role: &str) -> Result<(), AwsError> {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{management}:root") },
            "Action": "sts:AssumeRole",
        }],
    })
    .to_string();
    let iam = core.root_of(account);
    let parameters = [("RoleName", role), ("AssumeRolePolicyDocument", &trust)];
    iam.query("iam", "CreateRole", IAM_VERSION, &parameters).await?;
    let parameters = [("RoleName", role), ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")];
    iam.query("iam", "AttachRolePolicy", IAM_VERSION, &parameters).await?;
    Ok(())
}
