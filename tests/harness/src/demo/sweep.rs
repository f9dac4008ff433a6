//! The last part of the demonstration: every account of the organization is looked at, twice.

use std::{error::Error, fs, path::Path};

use jiff::Timestamp;
use local_cloud::{Fault, FaultGuard};
use serde_json::{Value, json};

use super::{PATIENCE, since};
use crate::{DemoOrganization, console::Console, deploy::root};

/// Where the reports are put, below the checkout.
const FOLDER: &str = ".local-cloud/report";

/// What the accounts are to have; `EXEMPT` stands for an account.
const DOCUMENT: &str = "
version: 1
defaults:
  billing-alarm: {threshold_usd: 100, emails: [platform@example.com]}
  root-credentials: {}
  account-tags: {tags: {managed-by: steward}}
  account-alias: {alias: \"example-{account_id}\"}
  password-policy: {minimum_length: 16}
  s3-public-access-block: {}
overrides:
  - match: {organizational_unit: /Workloads/Production}
    billing-alarm: {threshold_usd: 2000, emails: [platform@example.com]}
exemptions:
  - {account: \"EXEMPT\", control: s3-public-access-block, reason: Its bucket is a public download site., until: 2027-06-30}
";

/// Accounts in various states are swept; one unit is remediated; they are swept again.
pub(super) async fn run(console: &Console, demo: &DemoOrganization) -> Result<(), Box<dyn Error>> {
    let _denied = various_drift(demo).await?;
    let start = Timestamp::now();
    let first = sweep(demo).await?;
    console.moment(since(start), &format!("swept {} accounts", first["totals"]["accounts"]));
    totals(console, &first);
    for control in first["totals"]["controls"].as_array().into_iter().flatten() {
        let (drifted, unknown) = (control["drifted"].as_u64().unwrap_or(0), control["unknown"].as_u64().unwrap_or(0));
        if drifted + unknown > 0 {
            let name = control["control"].as_str().unwrap_or_default();
            console.line(&format!("           {name}: {drifted} drifted, {unknown} unknown"));
        }
    }
    console.line("");
    console.line("Somebody applies the baseline to /Workloads/Test, and the next sweep tells what has changed:");
    demo.stack.baseline(&json!({"organizational_unit": "/Workloads/Test", "mode": "apply"})).await?;
    let start = Timestamp::now();
    let second = sweep(demo).await?;
    console.moment(since(start), &format!("swept {} accounts again", second["totals"]["accounts"]));
    totals(console, &second);
    let count = |list: &str| second[list].as_array().map_or(0, Vec::len);
    console.line(&format!("           {} findings are new, {} are resolved", count("new"), count("resolved")));
    console.line("");
    let folder = root().join(FOLDER);
    fs::create_dir_all(&folder)?;
    for name in ["report.html", "report.csv", "report.json"] {
        fs::write(folder.join(name), demo.stack.report_object(&format!("latest/{name}")).await?)?;
    }
    console.fact("report", &Path::new(FOLDER).join("report.html").display().to_string());
    Ok(())
}

/// Most accounts get their whole baseline, some a part of it, some nothing; one has closed, and into one nobody may
/// look.
async fn various_drift(demo: &DemoOrganization) -> Result<FaultGuard, Box<dyn Error>> {
    let organization = &demo.organization;
    let management = organization.management_account();
    let mut members: Vec<_> = organization.account_ids().into_iter().filter(|id| id != management).collect();
    let mut take = |number: usize| members.split_off(members.len().saturating_sub(number));
    let (closed, denied, exempt) = (take(1), take(1), take(1));
    let (_bare, partly) = (take(6), take(8));
    demo.stack.put_document(&DOCUMENT.replace("EXEMPT", &exempt.concat())).await?;
    let apply = async |input: Value| demo.stack.baseline(&input).await.map(drop);
    members.extend(exempt);
    apply(json!({"account_ids": members, "mode": "apply"})).await?;
    let some = ["billing-alarm", "account-tags", "root-credentials"];
    apply(json!({"account_ids": partly, "mode": "apply", "controls": some})).await?;
    demo.stack.client.json("organizations", "CloseAccount", json!({"AccountId": closed.concat()})).await?;
    let refusal = Fault::error("AccessDenied", "A service control policy denies everything.");
    Ok(demo.cloud.faults().add(refusal.account(&denied.concat())))
}

async fn sweep(demo: &DemoOrganization) -> Result<Value, Box<dyn Error>> {
    let execution = demo.stack.start_sweep().await?;
    demo.stack.end_of_sweep(&execution, PATIENCE).await;
    Ok(serde_json::from_str(&demo.stack.report_object("latest/report.json").await?)?)
}

fn totals(console: &Console, report: &Value) {
    let number = |name: &str| report["totals"][name].to_string();
    console.line(&format!(
        "           {} compliant, {} not compliant, {} unknown, {} not looked at",
        number("compliant"),
        number("not_compliant"),
        number("unknown"),
        number("not_checked")
    ));
}
