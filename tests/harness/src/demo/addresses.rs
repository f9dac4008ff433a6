//! The part of the demonstration about primary e-mail addresses: a mistyped one, and those of a team that has left a domain.

use std::{error::Error, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{PATIENCE, since};
use crate::{DemoOrganization, console::Console, eventually};

const UPDATER: &str = "AccountUpdaterFunction";
const REASON: &str = "The company has another name.";

/// The accounts whose domain changes.
const TEAM: [&str; 3] = ["Search", "Catalog", "Fraud"];

/// An address is changed with the code from the mail; then those of a team are planned, checked and begun by a queue.
pub(super) async fn run(console: &Console, demo: &DemoOrganization, account: &str) -> Result<(), Box<dyn Error>> {
    let start = Timestamp::now();
    demo.organization.set_email_change_time(Duration::from_secs(5));
    let ask = async |input: Value| demo.stack.invoke(UPDATER, &input).await;
    let change = json!({"task": "start-email-change", "account_id": account, "new_email": "aws+blue@company.example",
        "reason": "It was mistyped.", "requested_by": "alice", "mode": "apply"});
    show(console, start, &ask(change).await?);
    let code = demo.organization.email_changes_of(account).code().ok_or("AWS has mailed no code")?;
    console.line("           Whoever reads the mails of the new address gives the code; Steward shows it nowhere.");
    let accept = json!({"task": "accept-email-change", "account_id": account, "otp": code, "mode": "apply"});
    show(console, start, &ask(accept).await?);
    eventually("the new address", PATIENCE, async || {
        ask(json!({"task": "follow-email-changes", "mode": "apply"})).await.ok()?;
        demo.organization.account_with_email("aws+blue@company.example").filter(|found| found == account)
    })
    .await;
    console.moment(since(start), "the account has the address aws+blue@company.example");
    console.line("");
    console.line("The addresses of three accounts go to another domain: planned first, then begun at AWS's rate:");
    let id = |name: &str| {
        let email = format!("aws+{name}-test@example.com").to_ascii_lowercase();
        demo.organization.account_with_email(&email).ok_or_else(|| format!("there is no {name} Test"))
    };
    let accounts = TEAM.into_iter().map(id).collect::<Result<Vec<_>, _>>()?;
    let mut whole = json!({"task": "change-email-domain", "from": "example.com", "to": "company.example",
        "account_ids": accounts, "reason": REASON});
    let planned = ask(whole.clone()).await?;
    for row in planned["rows"].as_array().into_iter().flatten() {
        let text = |field: &str| row[field].as_str().unwrap_or_default();
        console.line(&format!("           {} -> {}", text("old_email"), text("new_email")));
    }
    whole["mode"] = "apply".into();
    let begun = ask(whole).await?;
    console.moment(since(start), begun["steps"][0].as_str().unwrap_or("nothing was begun"));
    let number = planned["rows"].as_array().map_or(0, Vec::len);
    eventually("every change to wait for its code", PATIENCE, async || {
        let answer = ask(json!({"task": "email-changes"})).await.ok()?;
        let waiting = answer["rows"].as_array()?.iter().filter(|row| row["aws_status"] == "PENDING").count();
        (waiting == number).then_some(())
    })
    .await;
    console.moment(since(start), &format!("{number} changes wait for their codes, each asked for once"));
    Ok(())
}

fn show(console: &Console, start: Timestamp, answer: &Value) {
    for row in answer["rows"].as_array().into_iter().flatten() {
        let said = row["steps"][0].as_str().or(row["why"].as_str()).or(row["message"].as_str());
        console
            .moment(since(start), &format!("{}: {}", row["outcome"].as_str().unwrap_or("?"), said.unwrap_or_default()));
    }
}
