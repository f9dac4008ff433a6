//! Accounts without an organization: the baseline document names them, and everything is done inside.

use std::collections::BTreeSet;

use harness::{Listener, Mailbox, Stack, deploy_account_stack, eventually};
use local_cloud::{AwsClient, LocalCloud, Method};
use serde_json::{Value, json};

use crate::scenario::{PATIENCE, plain_accounts};

/// What accounts are to have; the accounts stand before it.
const BASELINE: &str = "
defaults:
  alternate-contacts:
    security: {name: Security, title: On call, email: security@example.com, phone: \"+49 30 1\"}
  regions: {enabled: [eu-central-2]}
  password-policy: {minimum_length: 16}
  switch-roles:
    jump_account: \"JUMP\"
    roles:
      - {name: role-admin, managed_policies: [\"arn:aws:iam::aws:policy/AdministratorAccess\"]}
      - {name: role-developer, managed_policies: [\"arn:aws:iam::aws:policy/PowerUserAccess\"]}
  access-role: {}
overrides:
  - match: {organizational_unit: /Workloads}
    password-policy: {minimum_length: 20}
  - match: {tag: {team: blue}}
    account-alias: {alias: \"blue-{account_id}\"}
access:
  jump_account: \"JUMP\"
  roles: {admin: role-admin, developer: role-developer}
  groups: [admin]
  projects:
    - {name: blue, accounts: {tag: {team: blue}}, roles: [developer]}
";

/// Plain accounts, and a stack in the first of them.
struct Plain {
    cloud: &'static LocalCloud,
    stack: Stack,
    /// The account that people sign in to, then the others.
    accounts: Vec<String>,
    listener: Listener,
}

impl Plain {
    /// So many accounts that Steward may enter, of which none is named yet.
    async fn accounts(count: usize) -> Self {
        Self::with(count, |_| Vec::new()).await
    }

    /// The same with parameters of the stack, which may name the accounts.
    async fn with(count: usize, parameters: impl FnOnce(&[String]) -> Vec<(&'static str, String)>) -> Self {
        let (cloud, stack, accounts) = plain_accounts(count, parameters).await;
        let listener = Listener::new(&stack, "plain").await.expect("a listener");
        let plain = Self { cloud, stack, accounts, listener };
        for account in &plain.accounts {
            plain.let_in(account).await;
        }
        plain
    }

    fn own(&self) -> &str {
        &self.accounts[0]
    }

    async fn let_in(&self, account: &str) {
        let parameters = [("StewardAccountId", self.own())];
        let deployed = deploy_account_stack(&self.cloud.client(account), "access-role", &parameters).await;
        deployed.expect("the access role is made");
    }

    /// Names these accounts: every second one is of the blue team, and all but the first are in a unit.
    async fn name(&self, accounts: &[String]) {
        let mut document = "version: 1\naccounts:\n".to_owned();
        for (n, id) in accounts.iter().enumerate() {
            let (unit, team) = (if n == 0 { "/" } else { "/Workloads" }, if n % 2 == 1 { "blue" } else { "red" });
            let account = format!("  - {{id: \"{id}\", name: Account {n}, unit: {unit}, tags: {{team: {team}}}}}\n");
            document += &account;
        }
        document += &BASELINE.replace("JUMP", self.own());
        self.stack.put_document(&document).await.expect("the document can be written");
    }

    /// Waits until the record of the accounts that were named has these.
    async fn are_known(&self, accounts: &[String]) {
        let named: BTreeSet<&str> = accounts.iter().map(String::as_str).collect();
        eventually("the accounts to be known", PATIENCE, async || {
            let item = self.stack.item("named-accounts").await.ok()??;
            let known: BTreeSet<_> = item["accounts"].as_array()?.iter().filter_map(Value::as_str).collect();
            (known == named).then_some(())
        })
        .await;
    }

    async fn apply(&self, accounts: &[String]) -> Value {
        let input = json!({"account_ids": accounts, "mode": "apply"});
        self.stack.baseline(&input).await.expect("the applier answers")
    }

    /// Applies until nothing is under way any more: a region takes its time.
    async fn applied(&self, accounts: &[String]) {
        eventually("every control to be settled", PATIENCE, async || {
            let answer = self.apply(accounts).await;
            let open: Vec<_> = open_rows(&answer);
            open.is_empty().then_some(())
        })
        .await;
    }

    async fn sweep(&self) -> Value {
        let execution = self.stack.start_sweep().await.expect("the sweep starts");
        self.stack.end_of_sweep(&execution, PATIENCE).await;
        serde_json::from_str(&self.report("report.json").await).expect("JSON")
    }

    async fn report(&self, name: &str) -> String {
        self.stack.report_object(&format!("latest/{name}")).await.expect("a report")
    }

    /// The ARNs that a group lets its people assume.
    async fn reach(&self, group: &str) -> BTreeSet<String> {
        let client = self.cloud.client(self.own());
        let attached = iam(&client, "ListAttachedGroupPolicies", &[("GroupName", group)]).await;
        let mut found = BTreeSet::new();
        for arn in attached.texts("PolicyArn").into_iter().filter(|arn| !arn.contains("enforce-mfa")) {
            let version =
                iam(&client, "GetPolicy", &[("PolicyArn", &arn)]).await.text("DefaultVersionId").expect("one");
            let input = [("PolicyArn", arn.as_str()), ("VersionId", version.as_str())];
            let document = iam(&client, "GetPolicyVersion", &input).await.text("Document").expect("a document");
            found.extend(roles_in(&document));
        }
        found
    }
}

async fn iam(client: &AwsClient, action: &str, input: &[(&str, &str)]) -> local_cloud::Xml {
    client.query("iam", action, "2010-05-08", input).await.unwrap_or_else(|error| panic!("{action}: {error}"))
}

/// The ARNs of roles in a policy as IAM shows it, which encodes it.
fn roles_in(document: &str) -> Vec<String> {
    let text = document.replace("%3A", ":").replace("%2F", "/").replace("%22", "\"").replace("%2A", "*");
    text.split('"').filter(|part| part.starts_with("arn:aws:iam::")).map(ToOwned::to_owned).collect()
}

/// The rows that are neither compliant nor left out, in words.
fn open_rows(answer: &Value) -> Vec<String> {
    let rows = answer["rows"].as_array().expect("rows").iter();
    let is_open =
        |row: &&Value| !["compliant", "fixed", "skipped"].contains(&row["outcome"].as_str().unwrap_or_default());
    rows.filter(is_open).map(Value::to_string).collect()
}

#[tokio::test]
async fn accounts_that_a_document_names_are_looked_after_and_one_more_is_by_naming_it() {
    let plain = Plain::accounts(4).await;
    let since = plain.cloud.sequence();
    let three = &plain.accounts[..3];
    plain.name(three).await;
    plain.are_known(three).await;

    // Who is named first is left as it is, and gets its baseline by hand: the account of the stack as well.
    plain.applied(three).await;
    for account in three {
        let contacts = plain
            .cloud
            .client(account)
            .rest(
                "account",
                Method::POST,
                "/getAlternateContact",
                json!({"AlternateContactType": "SECURITY"}).to_string(),
            )
            .await;
        let contact: Value = serde_json::from_slice(contacts.expect("a contact").body()).expect("JSON");
        assert_eq!(contact["AlternateContact"]["EmailAddress"], "security@example.com", "{account}");
    }
    let report = plain.sweep().await;
    let totals = &report["totals"];
    assert_eq!((&totals["accounts"], &totals["compliant"]), (&json!(3), &json!(3)), "{totals}");
    assert_eq!(report["sweep"]["organization_id"], "none");
    assert!(report["sweep"]["organization"].is_null(), "{}", report["sweep"]["organization"]);
    let units: Vec<_> =
        report["sweep"]["accounts"].as_array().expect("accounts").iter().map(|a| a["unit"].clone()).collect();
    assert_eq!(units.iter().filter(|unit| **unit == "/Workloads").count(), 2, "{units:?}");
    // By unit and by tag, as the document has them.
    let policy = iam(&plain.cloud.client(&three[1]), "GetAccountPasswordPolicy", &[]).await;
    assert_eq!(policy.text("MinimumPasswordLength").as_deref(), Some("20"));
    let aliases = iam(&plain.cloud.client(&three[1]), "ListAccountAliases", &[]).await;
    assert!(aliases.texts("member").iter().any(|alias| *alias == format!("blue-{}", three[1])));
    let page = plain.report("access.html").await;
    assert!(three.iter().all(|id| page.contains(id.as_str())), "the access page has every account");
    let blue = |id: &String| format!("arn:aws:iam::{id}:role/role-developer");
    assert_eq!(plain.reach("group-developer-blue").await, BTreeSet::from([blue(&three[1])]));

    // One more, by the document alone.
    plain.name(&plain.accounts).await;
    let fourth = &plain.accounts[3];
    let done =
        plain.listener.wait_for_any(&["BaselineApplied", "BaselineIncomplete"], "account_id", fourth, PATIENCE).await;
    assert_eq!(done.detail_type, "BaselineApplied", "{}", done.detail);
    assert_eq!(plain.reach("group-developer-blue").await, BTreeSet::from([blue(&three[1]), blue(fourth)]));
    plain.are_known(&plain.accounts).await;

    // Nobody has asked AWS Organizations for anything.
    let asked = plain.cloud.calls().since(since).by_account(plain.own()).actions();
    let asked: Vec<_> = asked.iter().filter(|action| action.starts_with("organizations:")).collect();
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test]
async fn what_takes_an_organization_says_so_with_one_cause_and_a_schedule_does_not_fail_for_it() {
    let plain = Plain::accounts(1).await;
    plain.name(&plain.accounts).await;
    plain.are_known(&plain.accounts).await;
    let own = plain.own();
    let answer = plain.stack.request(&json!({"account_name": "A", "email": "a@example.com"})).await.expect("an answer");
    assert_eq!(answer["cause"], "NeedsOrganization", "{answer}");
    for (function, input) in [
        ("AccountCloserFunction", json!({"account_id": own, "account_name": "Account 0", "reason": "It is over"})),
        ("AccountUpdaterFunction", json!({"task": "regions", "account_ids": [own]})),
        ("OrganizationPreparerFunction", json!({"mode": "plan"})),
        ("RootTaskRunnerFunction", json!({"task": "audit-credentials", "account_ids": [own], "reason": "A look"})),
    ] {
        let refused = plain.stack.invoke(function, &input).await.expect_err("it takes an organization");
        assert!(refused.to_string().contains("NeedsOrganization"), "{function}: {refused}");
    }
    for (function, input) in [
        ("CreateAccountPollerFunction", json!({})),
        ("AccountCloserFunction", json!({"advance": true, "mode": "apply"})),
        ("AccountUpdaterFunction", json!({"task": "follow-email-changes", "mode": "apply"})),
    ] {
        plain.stack.invoke(function, &input).await.unwrap_or_else(|error| panic!("{function}: {error}"));
    }
}

#[tokio::test]
async fn a_document_that_is_told_of_twice_or_never_gives_a_new_account_its_baseline_once() {
    let plain = Plain::accounts(3).await;
    plain.name(&plain.accounts[..1]).await;
    plain.are_known(&plain.accounts[..1]).await;
    let put =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../events/baseline-applier/document-put.json"));
    let put: Value = serde_json::from_str(&put.expect("a sample")).expect("JSON");
    plain.name(&plain.accounts[..2]).await;
    plain.are_known(&plain.accounts[..2]).await;
    let again = plain.stack.baseline(&put).await.expect("the applier answers");
    assert_eq!(again, json!({"new_accounts": []}), "it was told of before");

    // Nobody hears of the next one: the sweep does.
    let rules = plain.cloud.client(plain.own());
    let listed = rules.json("events", "AWSEvents.ListRules", json!({})).await.expect("the rules");
    let rule = listed["Rules"]
        .as_array()
        .expect("rules")
        .iter()
        .find_map(|rule| rule["Name"].as_str().filter(|name| name.contains("DocumentPutRule")));
    let rule = json!({"Name": rule.expect("the rule")});
    rules.json("events", "AWSEvents.DisableRule", rule).await.expect("it is turned off");
    plain.name(&plain.accounts).await;
    plain.sweep().await;
    let third = &plain.accounts[2];
    let done =
        plain.listener.wait_for_any(&["BaselineApplied", "BaselineIncomplete"], "account_id", third, PATIENCE).await;
    assert_eq!(done.detail_type, "BaselineApplied", "{}", done.detail);
    plain.are_known(&plain.accounts).await;
}

#[tokio::test]
async fn what_an_account_tells_of_itself_is_heard_where_the_stack_names_it_and_of_no_other() {
    let plain = Plain::with(3, |accounts| vec![("ForwardingAccounts", accounts[1].clone())]).await;
    let mailbox = Mailbox::new(&plain.stack, "plain").await.expect("a mailbox");
    plain.name(&plain.accounts).await;
    plain.are_known(&plain.accounts).await;
    let (named, stranger) = (&plain.accounts[1], &plain.accounts[2]);
    let bus = plain.stack.output("MemberBusName");
    let contact = json!({"AlternateContactType": "SECURITY", "Name": "M", "Title": "T",
        "EmailAddress": "m@example.com", "PhoneNumber": "+49 30 1"});
    for account in [stranger, named] {
        let root = plain.cloud.client(account);
        let parameters = [("ManagementAccountId", plain.own()), ("BusName", bus)];
        deploy_account_stack(&root, "member-events", &parameters).await.expect("it forwards its events");
        let path = "/putAlternateContact";
        root.rest("account", Method::POST, path, contact.to_string()).await.expect("the contact is set");
    }
    // What the bus does not take is kept where it was to be sent from.
    let root = plain.cloud.client(stranger);
    let queues = root.json("sqs", "AmazonSQS.ListQueues", json!({})).await.expect("the queues");
    let kept = json!({"QueueUrl": queues["QueueUrls"][0], "WaitTimeSeconds": 1});
    eventually("the stranger's event to be refused", PATIENCE, async || {
        let received = root.json("sqs", "AmazonSQS.ReceiveMessage", kept.clone()).await.ok()?;
        received["Messages"][0]["Body"].as_str().filter(|body| body.contains("PutAlternateContact")).map(drop)
    })
    .await;
    let heard = plain.listener.wait_for("ActivityAudited", "account_id", named, PATIENCE).await.detail;
    assert_eq!((&heard["action"], &heard["severity"]), (&json!("PutAlternateContact"), &json!("warning")), "{heard}");
    assert_eq!(heard["actor"]["kind"], "root", "{heard}");
    mailbox.wait_for(named, PATIENCE).await;
    assert!(plain.listener.received("ActivityAudited", "account_id", stranger).await.is_empty());
}
