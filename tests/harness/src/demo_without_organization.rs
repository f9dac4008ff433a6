//! The demonstration for plain accounts, without an organization: the document names them, and one more by being edited.

use std::{error::Error, path::PathBuf, time::Duration};

use local_cloud::{AwsClient, LocalCloud, Options};
use serde_json::{Value, json};

use crate::{Listener, Stack, console::Console, deploy, deploy_account_stack, eventually};

/// How long anything in the demonstration may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// The account that people sign in to, in which Steward is, and the others; the last one comes later.
const ACCOUNTS: [(&str, &str, &str); 4] = [
    ("111111111111", "Jump", "/"),
    ("222222222222", "Shop", "/Workloads"),
    ("333333333333", "Logs", "/Management"),
    ("444444444444", "Search", "/Workloads"),
];

const BASELINE: &str = "defaults:
  billing-alarm: {threshold_usd: 100, emails: [platform@example.com]}
  password-policy: {minimum_length: 16}
  switch-roles:
    jump_account: \"111111111111\"
    roles: [{name: role-developer, managed_policies: [\"arn:aws:iam::aws:policy/PowerUserAccess\"]}]
  access-role: {}
access:
  jump_account: \"111111111111\"
  roles: {developer: role-developer}
  groups: []
  projects: [{name: shop, accounts: {organizational_unit: /Workloads}}]
";

/// Plays it.
pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let console = Console;
    console.heading("Steward, in plain accounts without an AWS Organization, on this machine");
    let log = PathBuf::from(".local-cloud/ministack.log");
    std::fs::create_dir_all(".local-cloud")?;
    let cloud = LocalCloud::start(Options { log: Some(log), ..Options::default() })?;
    let [(own, ..), ..] = ACCOUNTS;
    for (id, name, _) in ACCOUNTS {
        deploy_account_stack(&cloud.client(id), "access-role", &[("StewardAccountId", own)]).await?;
        console.fact("access role", &format!("in {name} {id}, by stacks/access-role.yaml"));
    }
    let parameters = [("BaselineKey", "baseline.yaml"), ("AccountSource", "document"), ("JumpAccountId", own)];
    let stack = deploy(&cloud, own, "steward", &parameters).await?;
    let listener = Listener::new(&stack, "demo").await?;

    console.heading("1. The document names three accounts, and a person applies the baseline to them");
    stack.put_document(&document(3)).await?;
    is_known(&stack, 3).await;
    let ids: Vec<_> = ACCOUNTS.iter().take(3).map(|(id, ..)| id).collect();
    for row in rows(&stack.baseline(&json!({"account_ids": ids, "mode": "apply"})).await?) {
        for applied in row["applied"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            console.line(&format!("{} {}: {applied}", text("account_id"), text("control")));
        }
    }
    reach(&console, &cloud.client(own)).await?;

    console.heading("2. A sweep looks at every account that the document names");
    let execution = stack.start_sweep().await?;
    stack.end_of_sweep(&execution, PATIENCE).await;
    let report: Value = serde_json::from_str(&stack.report_object("latest/report.json").await?)?;
    let totals = &report["totals"];
    console.line(&format!("{} accounts, {} compliant", totals["accounts"], totals["compliant"]));

    console.heading("3. Somebody gets in: a user of the group that reaches the project's accounts");
    let input = json!({"user_name": "alice", "groups": ["group-developer-shop"], "mode": "apply"});
    let made = stack.invoke("JumpUserManagerFunction", &input).await?;
    for line in made["applied"].as_array().or(made["steps"].as_array()).into_iter().flatten().filter_map(Value::as_str)
    {
        console.line(line);
    }
    let groups = iam(&cloud.client(own), "ListGroupsForUser", &[("UserName", "alice")]).await?;
    console.fact("alice", &format!("is in {}", groups.texts("GroupName").join(", ")));

    console.heading("4. A fourth account, by editing the document alone");
    stack.put_document(&document(4)).await?;
    let (fourth, ..) = ACCOUNTS[3];
    let ended = ["BaselineApplied", "BaselineIncomplete"];
    let published = listener.wait_for_any(&ended, "account_id", fourth, PATIENCE).await;
    if published.detail_type != "BaselineApplied" {
        return Err(format!("the baseline is incomplete: {}", published.detail).into());
    }
    console.line(&format!("{} for {fourth}", published.detail_type));
    reach(&console, &cloud.client(own)).await?;

    console.heading("5. What takes an organization says so");
    let refused = stack.request(&json!({"account_name": "Another", "email": "another@example.com"})).await?;
    for field in ["cause", "message", "remedy"] {
        console.fact(field, refused[field].as_str().unwrap_or_default());
    }
    Ok(())
}

/// The document that names the first accounts.
fn document(accounts: usize) -> String {
    let named = ACCOUNTS.iter().take(accounts);
    let named = named.map(|(id, name, unit)| format!("  - {{id: \"{id}\", name: {name}, unit: {unit}}}\n"));
    format!("version: 1\naccounts:\n{}{BASELINE}", named.collect::<String>())
}

/// Waits until so many accounts are known by the document.
async fn is_known(stack: &Stack, accounts: usize) {
    eventually("the accounts to be known", PATIENCE, async || {
        let item = stack.item("named-accounts").await.ok()??;
        (item["accounts"].as_array()?.len() == accounts).then_some(())
    })
    .await;
}

fn rows(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["rows"].as_array().into_iter().flatten()
}

/// Shows which roles the group of the project reaches.
async fn reach(console: &Console, client: &AwsClient) -> Result<(), Box<dyn Error>> {
    let attached = iam(client, "ListAttachedGroupPolicies", &[("GroupName", "group-developer-shop")]).await?;
    for arn in attached.texts("PolicyArn").iter().filter(|arn| !arn.contains("enforce-mfa")) {
        let version =
            iam(client, "GetPolicy", &[("PolicyArn", arn)]).await?.text("DefaultVersionId").unwrap_or_default();
        let shown = iam(client, "GetPolicyVersion", &[("PolicyArn", arn), ("VersionId", &version)]).await?;
        let document = shown.text("Document").unwrap_or_default().replace("%3A", ":").replace("%2F", "/");
        let reached =
            ACCOUNTS.iter().filter(|(id, ..)| document.contains(&format!("arn:aws:iam::{id}:role/role-developer")));
        let names: Vec<_> = reached.map(|(_, name, _)| *name).collect();
        console.fact("group-developer-shop", &format!("reaches role-developer in {}", names.join(", ")));
    }
    Ok(())
}

async fn iam(
    client: &AwsClient,
    action: &str,
    input: &[(&str, &str)],
) -> Result<local_cloud::Xml, local_cloud::AwsError> {
    client.query("iam", action, "2010-05-08", input).await
}
