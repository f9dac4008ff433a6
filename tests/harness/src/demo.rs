//! The demonstration: an account is requested, created, placed and given its baseline; then all accounts are looked at.

mod addresses;
mod closing;
mod people;
mod sweep;

use std::{error::Error, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    DemoOrganization, Listener, Progress, console::Console, demo_organization::TAKEN_EMAIL, deploy::root, eventually,
};

/// How long anything in the demonstration may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// How many accounts the organization has beside those that the demonstration is about.
const MORE_ACCOUNTS: usize = 45;

/// Plays the whole demonstration.
pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let console = Console;
    console.heading("Steward, in an AWS Organization on this machine");
    let demo = DemoOrganization::open(&console, 0, MORE_ACCOUNTS).await?;
    let listener = Listener::new(&demo.stack, "demo").await?;

    let spec = json!({
        "account_name": "Sandbox of Team Blue",
        "email": "aws+team-blue@example.com",
        "organizational_unit": "/Sandboxes",
        "tags": {"team": "blue"},
    });
    console.heading("1. Somebody asks for an account: an AccountRequested event on Steward's bus");
    console.line(&spec.to_string());
    console.line("");
    let account = new_account(&console, &demo, &listener, &spec).await?;
    console.line("");
    console.line(&format!("Read back from the member account {account}, through the AWS API:"));
    read_back(&console, &demo, &account).await?;

    console.heading("2. A larger baseline: baseline.example.yaml is put in force, and planned before it is applied");
    whole_baseline(&console, &demo, &account).await?;

    console.heading("3. The same request again: nothing is made twice");
    same_again(&console, &demo, &spec).await?;

    console.heading("4. A request that AWS refuses: the failure says what to do");
    refused(&console, &demo, &listener).await?;

    console.heading("5. Addresses: a mistyped one, and those of a team, are changed with the codes that AWS mails");
    addresses::run(&console, &demo, &account).await?;

    console.heading("6. A sweep: every account is looked at, and the report says what is wrong and what to do");
    sweep::run(&console, &demo).await?;

    console.heading("7. Two accounts are to go: planned, suspended, one called off, the other one closed");
    closing::run(&console, &demo, &listener).await?;

    console.heading(
        "8. People: a project, a user, and a new account that the user's group reaches with a second factor alone",
    );
    people::run(&console, &demo, &listener).await?;

    console.heading("`make cloud` keeps such a cloud running, to play with it by the AWS CLI.");
    Ok(())
}

/// Sends the event and follows the request to the end of its baseline.
async fn new_account(
    console: &Console,
    demo: &DemoOrganization,
    listener: &Listener,
    spec: &Value,
) -> Result<String, Box<dyn Error>> {
    let start = Timestamp::now();
    demo.stack.put_event("AccountRequested", spec).await?;
    let progress = follow(console, demo, spec["email"].as_str().unwrap_or_default(), start).await?;
    let account = progress.account_id().ok_or_else(|| format!("no account: {}", progress.record))?.to_owned();
    let published =
        listener.wait_for_any(&["BaselineApplied", "BaselineIncomplete"], "account_id", &account, PATIENCE).await;
    console.moment(since(start), &published.detail_type);
    if published.detail_type != "BaselineApplied" {
        return Err(format!("the baseline is incomplete: {}", published.detail).into());
    }
    for change in published.detail["controls"].as_array().into_iter().flatten() {
        for applied in change["applied"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            console.line(&format!("           {}: {applied}", change["control"].as_str().unwrap_or_default()));
        }
    }
    Ok(account)
}

/// Shows each state of a request as it is entered, until everybody was told of its end.
async fn follow(
    console: &Console,
    demo: &DemoOrganization,
    email: &str,
    start: Timestamp,
) -> Result<Progress, Box<dyn Error>> {
    let request_id =
        eventually("the request's record", PATIENCE, async || demo.stack.find_request(email).await.ok().flatten())
            .await;
    let mut shown = 0;
    let progress = eventually("the end of the request", PATIENCE, async || {
        let progress = Progress::of(&demo.stack, &request_id).await.ok().flatten()?;
        for passed in progress.history.iter().skip(shown) {
            let after = Duration::try_from(passed.at.duration_since(start)).unwrap_or_default();
            console.moment(after, &in_words(&passed.state, &progress));
            shown += 1;
        }
        progress.is_over().then_some(progress)
    })
    .await;
    Ok(progress)
}

fn in_words(state: &str, progress: &Progress) -> String {
    let about = match state {
        "REQUESTED" => "recorded and queued",
        "CREATING" => "about to call CreateAccount",
        "IN_PROGRESS" => "AWS is creating the account",
        "PLACING" => "the account exists and is moved to its unit",
        "READY" => progress.account_id().unwrap_or_default(),
        "FAILED" => progress.record["state"]["failure"]["cause"].as_str().unwrap_or_default(),
        _ => "",
    };
    format!("{state:<12} {about}")
}

async fn read_back(console: &Console, demo: &DemoOrganization, account: &str) -> Result<(), Box<dyn Error>> {
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let member = demo.stack.client.assume_role(&role, "demo", None).await?;
    for topic in member.query("sns", "ListTopics", "2010-03-31", &[]).await?.texts("TopicArn") {
        console.fact("topic", &topic);
        let subscriptions =
            member.query("sns", "ListSubscriptionsByTopic", "2010-03-31", &[("TopicArn", &topic)]).await?;
        for subscription in subscriptions.children("Subscriptions").iter().flat_map(|list| list.children("member")) {
            let value = |name| subscription.text(name).unwrap_or_default();
            console.fact(
                "subscription",
                &format!("{} {} ({})", value("Protocol"), value("Endpoint"), value("SubscriptionArn")),
            );
        }
    }
    let alarms = member.json("monitoring", "GraniteServiceVersion20100801.DescribeAlarms", json!({})).await?;
    for alarm in alarms["MetricAlarms"].as_array().into_iter().flatten() {
        let value = |name: &str| alarm[name].as_str().map_or_else(|| alarm[name].to_string(), ToOwned::to_owned);
        let text = format!(
            "{}: {} of {} {} over {} s {} {} -> {}",
            value("AlarmName"),
            value("Statistic"),
            value("Namespace"),
            value("MetricName"),
            value("Period"),
            value("ComparisonOperator"),
            value("Threshold"),
            alarm["AlarmActions"][0].as_str().unwrap_or_default(),
        );
        console.fact("alarm", &text);
    }
    Ok(())
}

/// Puts the example document in force; plans, applies, and looks until every control is compliant.
async fn whole_baseline(console: &Console, demo: &DemoOrganization, account: &str) -> Result<(), Box<dyn Error>> {
    let document = std::fs::read_to_string(root().join("baseline.example.yaml"))?;
    demo.stack.put_document(&document).await?;
    let start = Timestamp::now();
    let plan = demo.stack.baseline(&json!({"account_ids": [account], "mode": "plan"})).await?;
    console.line("What would change:");
    changes(console, &plan, "planned");
    demo.stack.baseline(&json!({"account_ids": [account], "mode": "apply"})).await?;
    console.line("");
    console.moment(since(start), "applied; a region takes its time");
    let answer = eventually("every control to be compliant", PATIENCE, async || {
        let answer = demo.stack.baseline(&json!({"account_ids": [account], "mode": "plan"})).await.ok()?;
        answer["rows"]
            .as_array()?
            .iter()
            .all(|row| row["outcome"] == "compliant" || row["outcome"] == "skipped")
            .then_some(answer)
    })
    .await;
    let compliant = answer["rows"].as_array().into_iter().flatten().filter(|row| row["outcome"] == "compliant");
    let names: Vec<_> = compliant.filter_map(|row| row["control"].as_str()).collect();
    console.moment(since(start), &format!("compliant: {}", names.join(", ")));
    Ok(())
}

/// Shows the changes of each control, in the words of the control.
fn changes(console: &Console, answer: &Value, list: &str) {
    for row in answer["rows"].as_array().into_iter().flatten() {
        for change in row[list].as_array().into_iter().flatten().filter_map(Value::as_str) {
            console.line(&format!("  {}: {change}", row["control"].as_str().unwrap_or_default()));
        }
    }
}

async fn same_again(console: &Console, demo: &DemoOrganization, spec: &Value) -> Result<(), Box<dyn Error>> {
    let before = demo.organization.accounts_created();
    let answer = demo.stack.request(spec).await?;
    console.fact("answer", &answer.to_string());
    console.fact("accounts made", &format!("{before} before, {} after", demo.organization.accounts_created()));
    Ok(())
}

async fn refused(console: &Console, demo: &DemoOrganization, listener: &Listener) -> Result<(), Box<dyn Error>> {
    let start = Timestamp::now();
    let spec = json!({"account_name": "Sandbox of Team Red", "email": TAKEN_EMAIL});
    console.line(&spec.to_string());
    console.line("");
    let answer = demo.stack.request(&spec).await?;
    follow(console, demo, TAKEN_EMAIL, start).await?;
    let request_id = answer["request_id"].as_str().unwrap_or_default();
    let published = listener.wait_for("AccountCreationFailed", "request_id", request_id, PATIENCE).await;
    console.line("");
    for name in ["cause", "message", "remedy"] {
        console.fact(name, published.detail[name].as_str().unwrap_or_default());
    }
    Ok(())
}

fn since(start: Timestamp) -> Duration {
    Timestamp::now().duration_since(start).try_into().unwrap_or_default()
}
