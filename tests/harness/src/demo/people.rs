//! A part of the demonstration: people get into the accounts of their project, and into no other.

use std::error::Error;

use jiff::Timestamp;
use local_cloud::{AwsClient, AwsError, Credentials, Xml};
use serde_json::{Value, json};

use super::{PATIENCE, new_account, since};
use crate::{DemoOrganization, Listener, console::Console, demo_organization::JUMP_ACCOUNT, eventually};

const MANAGER: &str = "JumpUserManagerFunction";
const IAM: &str = "2010-05-08";
/// The group of the project's developers.
const GROUP: &str = "group-developer-orchid";
/// One project, by its unit.
const DOCUMENT: &str = "
version: 1
defaults:
  switch-roles: {jump_account: '111122223333'}
access:
  jump_account: '111122223333'
  roles: {admin: role-admin, developer: role-developer}
  projects:
  - {name: orchid, accounts: {organizational_unit: /Workloads/Orchid/**}}
";

/// A project, a user and a new account that the user's group reaches: with a second factor alone.
pub(super) async fn run(console: &Console, demo: &DemoOrganization, listener: &Listener) -> Result<(), Box<dyn Error>> {
    let start = Timestamp::now();
    let workloads = demo.organization.unit_id("/Workloads").unwrap_or_default();
    let unit = json!({"ParentId": workloads, "Name": "Orchid"});
    demo.stack.client.json("organizations", "CreateOrganizationalUnit", unit).await?;
    demo.stack.put_document(DOCUMENT).await?;
    let groups = json!({"account_ids": [JUMP_ACCOUNT], "mode": "apply", "controls": ["jump-groups"]});
    let made = demo.stack.baseline(&groups).await?;
    console.moment(since(start), &format!("the groups of the project orchid: {}", said(&made["rows"][0], "outcome")));
    let wanted = json!({"user_name": "alice", "groups": [GROUP], "mode": "apply"});
    let made = demo.stack.invoke(MANAGER, &wanted).await?;
    console.moment(since(start), &format!("the user alice in {GROUP}: {}", said(&made, "outcome")));
    console.line(&format!("           Her one-time password waits in {}.", said(&made, "password_in")));
    let (alice, device) = signed_in(demo).await?;
    console.line("");

    let spec = json!({"account_name": "Sandbox of Orchid", "email": "aws+orchid@example.com",
        "organizational_unit": "/Workloads/Orchid"});
    console.line(&spec.to_string());
    let account = new_account(console, demo, listener, &spec).await?;
    console.line("");
    let enter = async |account: &str, role: &str, device: Option<&str>| {
        let arn = format!("arn:aws:iam::{account}:role/{role}");
        let mut input = vec![("RoleArn", arn.as_str()), ("RoleSessionName", "alice")];
        input.extend(device.into_iter().flat_map(|device| [("SerialNumber", device), ("TokenCode", "123456")]));
        alice.query("sts", "AssumeRole", "2011-06-15", &input).await
    };
    let entered = eventually("the group to reach the account", PATIENCE, async || {
        enter(&account, "role-developer", Some(&device)).await.ok()
    })
    .await;
    console.fact("with a second factor", &entered.text("Arn").unwrap_or_default());
    for (what, account, role, device) in [
        ("without one", account.as_str(), "role-developer", None),
        ("another role", account.as_str(), "role-admin", Some(device.as_str())),
        ("another account", "333333333333", "role-developer", Some(device.as_str())),
    ] {
        match enter(account, role, device).await {
            Err(refused) => console.fact(what, &refused.code),
            Ok(_) => return Err(format!("{what}: alice got in").into()),
        }
    }

    let gone = json!({"user_name": "alice", "remove": true, "mode": "apply"});
    let gone = demo.stack.invoke(MANAGER, &gone).await?;
    console.line("");
    console.moment(since(start), &format!("alice is removed: {}", said(&gone, "outcome")));
    match enter(&account, "role-developer", Some(&device)).await {
        Err(refused) => console.fact("alice", &refused.code),
        Ok(_) => return Err("alice got in after she was removed".into()),
    }
    Ok(())
}

/// Who signs alice's calls, and her second factor, as the console would set it up at her first sign-in.
async fn signed_in(demo: &DemoOrganization) -> Result<(AwsClient, String), Box<dyn Error>> {
    let key = iam(&demo.cloud.client(JUMP_ACCOUNT), "CreateAccessKey", &[("UserName", "alice")]).await?;
    let text = |field: &str| key.text(field).ok_or_else(|| format!("a key without {field}"));
    let (access_key_id, secret_access_key) = (text("AccessKeyId")?, text("SecretAccessKey")?);
    let credentials = Credentials { access_key_id, secret_access_key, session_token: None };
    let alice = AwsClient::with_credentials(demo.cloud.endpoint(), credentials);
    let device = iam(&alice, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice")]).await?;
    let device = device.text("SerialNumber").ok_or("a device without a serial number")?;
    let codes = [("AuthenticationCode1", "123456"), ("AuthenticationCode2", "654321")];
    let enable = [("UserName", "alice"), ("SerialNumber", device.as_str()), codes[0], codes[1]];
    iam(&alice, "EnableMFADevice", &enable).await?;
    Ok((alice, device))
}

async fn iam(client: &AwsClient, action: &str, input: &[(&str, &str)]) -> Result<Xml, AwsError> {
    client.query("iam", action, IAM, input).await
}

fn said(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
