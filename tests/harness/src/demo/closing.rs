//! A part of the demonstration: accounts are closed, and one of them is kept.

use std::error::Error;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{PATIENCE, since};
use crate::{DemoOrganization, Listener, console::Console, eventually};

const FUNCTION: &str = "AccountCloserFunction";
/// The accounts that are to go, and the one of them that is kept.
const NAMES: [&str; 2] = ["Payments Test", "Checkout Test"];

/// Two accounts are planned, suspended, one called off, and the other one closed.
pub(super) async fn run(console: &Console, demo: &DemoOrganization, listener: &Listener) -> Result<(), Box<dyn Error>> {
    let id = |name: &str| {
        let email = format!("aws+{}@example.com", name.replace(' ', "-")).to_ascii_lowercase();
        demo.organization.account_with_email(&email).ok_or_else(|| format!("there is no {name}"))
    };
    let [kept, closed] = [id(NAMES[0])?, id(NAMES[1])?];
    let accounts: Vec<_> =
        [&kept, &closed].iter().zip(NAMES).map(|(id, name)| json!({"account_id": id, "account_name": name})).collect();
    let mut input = json!({"accounts": accounts, "reason": "The project has ended", "requested_by": "alice"});
    let plan = demo.stack.invoke(FUNCTION, &input).await?;
    console.line("What would be done, and what goes with each:");
    for row in rows(&plan) {
        console.line(&format!("  {} in {}", text(row, "account_name"), text(row, "organizational_unit")));
        for step in row["steps"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            console.line(&format!("    {step}"));
        }
    }
    let left = plan["quota"]["left_at_least"].to_string();
    console.line(&format!("  AWS closes {left} more in 30 days at least, three at once"));
    console.line("");

    let start = Timestamp::now();
    input["mode"] = "apply".into();
    let begun = demo.stack.invoke(FUNCTION, &input).await?;
    for row in rows(&begun) {
        console.moment(since(start), &format!("{:<12} {}", text(row, "state"), text(row, "account_name")));
    }
    let keep =
        json!({"account_id": kept, "keep": true, "reason": "Still needed", "requested_by": "bob", "mode": "apply"});
    for row in rows(&demo.stack.invoke(FUNCTION, &keep).await?) {
        let place = demo.organization.parent_of(&kept);
        let is_back = place.is_some() && place == demo.organization.unit_id("/Workloads/Test");
        let back = if is_back { ", back in /Workloads/Test" } else { "" };
        console.moment(since(start), &format!("{:<12} {}{back}", text(row, "state"), text(row, "account_name")));
    }
    // As the schedule does every five minutes.
    let mut last = String::new();
    let ended = eventually("the account to be closed", PATIENCE, async || {
        let advanced = demo.stack.invoke(FUNCTION, &json!({"advance": true, "mode": "apply"})).await.ok()?;
        for row in rows(&advanced).filter(|row| row["account_id"] == closed.as_str()) {
            let state = text(row, "state");
            if state != last {
                console.moment(since(start), &format!("{state:<12} {}", text(row, "account_name")));
                last = state;
            }
        }
        let told = listener.received("AccountClosureAdvanced", "account_id", &closed).await;
        told.into_iter().find(|event| event.detail["outcome"] == "closed")
    })
    .await;
    console.line("");
    console.fact("gone for good", &text(&ended.detail, "gone_on"));
    console.fact(
        "reason",
        &format!("{}, asked by {}", text(&ended.detail, "reason"), text(&ended.detail, "requested_by")),
    );
    Ok(())
}

fn rows(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["rows"].as_array().into_iter().flatten()
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
