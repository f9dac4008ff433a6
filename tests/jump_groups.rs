//! `jump-groups`: whom the groups of the jump account let in where, as accounts come, move, are tagged and go.

use std::{collections::BTreeSet, time::Duration};

use harness::{Listener, eventually, within};
use local_cloud::{AwsClient, Credentials, Xml};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{
    compliance_sweep::{cells, report, sweep},
    scenario::{PATIENCE, Scenario, spec},
};

const IAM: &str = "2010-05-08";
const STS: &str = "2011-06-15";

/// A project by unit and one by tag.
fn document(jump: &str, blue: &str) -> String {
    format!(
        "version: 1\ndefaults:\n  switch-roles: {{jump_account: '{jump}'}}\naccess:\n  jump_account: '{jump}'\n  roles: {{admin: \
         role-admin, developer: role-developer}}\n  projects:\n  - {{name: blue, accounts: {{organizational_unit: '{blue}'}}}}\n  - \
         {{name: red, accounts: {{tag: {{team: red}}}}}}\n"
    )
}

/// A stack whose jump account is the organization's member, with the groups of two projects that have no accounts yet.
struct Stage {
    scenario: Scenario,
    jump: String,
    listener: Listener,
}

impl Stage {
    async fn set() -> Self {
        let scenario = Scenario::with_member_as("JumpAccountId", "version: 1").await;
        let jump = scenario.member();
        let stage = Self { listener: scenario.listen("groups").await, jump, scenario };
        let workloads = stage.scenario.organization.unit_id("/Workloads").expect("a unit");
        stage.organizations("CreateOrganizationalUnit", json!({"ParentId": workloads, "Name": "Blue"})).await;
        stage.scenario.put_document(&document(&stage.jump, "/Workloads/Blue/**")).await;
        let made = stage.groups("apply").await;
        assert_eq!(made["outcome"], "fixed", "{made}");
        stage
    }

    /// Calls AWS Organizations as an administrator of the management account.
    async fn organizations(&self, operation: &str, input: Value) -> Value {
        self.scenario.stack.client.json("organizations", operation, input).await.expect(operation)
    }

    async fn iam(&self, action: &str, input: &[(&str, &str)]) -> Xml {
        self.scenario.cloud.client(&self.jump).query("iam", action, IAM, input).await.expect(action)
    }

    /// The row of `jump-groups` in the jump account.
    async fn groups(&self, mode: &str) -> Value {
        let input = json!({"account_ids": [self.jump], "mode": mode, "controls": ["jump-groups"]});
        self.scenario.stack.baseline(&input).await.expect("the applier answers")["rows"][0].clone()
    }

    /// A new account, once it has its baseline.
    async fn account(&self, name: &str, unit: &str) -> String {
        let mut spec = spec(&format!("{name} {}", self.jump));
        spec["organizational_unit"] = unit.into();
        let id = self.scenario.request(&spec).await;
        let end = self.scenario.end_of(&id).await;
        assert_eq!(end.state(), "READY", "{}", end.record);
        self.listener.wait_for("BaselineApplied", "request_id", &id, PATIENCE).await;
        end.account_id().expect("an account").to_owned()
    }

    async fn place(&self, account: &str, unit: &str) {
        let parent = self.scenario.organization.parent_of(account).expect("a parent");
        let unit = self.scenario.organization.unit_id(unit).expect("a unit");
        let input = json!({"AccountId": account, "SourceParentId": parent, "DestinationParentId": unit});
        self.organizations("MoveAccount", input).await;
    }

    /// The accounts in which a group reaches a role; None where a policy has gone while it was looked at.
    async fn reached(&self, group: &str) -> Option<BTreeSet<String>> {
        let client = self.scenario.cloud.client(&self.jump);
        let find = async |action: &str, input: &[(&str, &str)]| match client.query("iam", action, IAM, input).await {
            Err(error) if error.code == "NoSuchEntity" => None,
            found => Some(found.expect(action)),
        };
        let mut accounts = BTreeSet::new();
        for arn in self.iam("ListAttachedGroupPolicies", &[("GroupName", group)]).await.texts("PolicyArn") {
            let version = find("GetPolicy", &[("PolicyArn", &arn)]).await?.text("DefaultVersionId").expect("one");
            let policy = find("GetPolicyVersion", &[("PolicyArn", &arn), ("VersionId", &version)]).await?;
            let policy = policy.text("Document").expect("a document");
            let policy = percent_decode_str(&policy).decode_utf8_lossy().into_owned();
            let named = policy.split("arn:aws:iam::").skip(1).filter(|arn| arn.contains(":role/"));
            accounts.extend(named.filter_map(|arn| arn.split(':').next().map(ToOwned::to_owned)));
        }
        Some(accounts)
    }

    async fn reaches(&self, group: &str, accounts: &[&String]) {
        let wanted: BTreeSet<String> = accounts.iter().map(|account| (*account).clone()).collect();
        let mut last = BTreeSet::new();
        let seen = within(PATIENCE, async || {
            last = self.reached(group).await?;
            (last == wanted).then_some(())
        })
        .await;
        assert!(seen.is_some(), "{group} reaches {last:?} and not {wanted:?}");
    }

    /// A user of the jump account in these groups, with a second factor: what signs its calls, and the device.
    async fn user(&self, name: &str, groups: &[&str]) -> (AwsClient, String) {
        let input = json!({"user_name": name, "groups": groups, "mode": "apply"});
        let made = self.scenario.stack.invoke("JumpUserManagerFunction", &input).await.expect("the manager answers");
        assert_eq!(made["outcome"], "done", "{made}");
        let key = self.iam("CreateAccessKey", &[("UserName", name)]).await;
        let text = |field: &str| key.text(field).expect("a key");
        let credentials = Credentials {
            access_key_id: text("AccessKeyId"),
            secret_access_key: text("SecretAccessKey"),
            session_token: None,
        };
        let client = AwsClient::with_credentials(self.scenario.cloud.endpoint(), credentials);
        // Before the second factor everything else is denied, by the very policy that Steward writes.
        for (service, action, version) in [("iam", "ListUsers", IAM), ("iam", "ListGroups", IAM)] {
            client.query(service, action, version, &[]).await.expect_err(action);
        }
        let own = [("VirtualMFADeviceName", name)];
        let device = client.query("iam", "CreateVirtualMFADevice", IAM, &own).await.expect("a device");
        let serial = device.text("SerialNumber").expect("a serial number");
        let codes = [("AuthenticationCode1", "123456"), ("AuthenticationCode2", "654321")];
        let enable = [("UserName", name), ("SerialNumber", &serial), codes[0], codes[1]];
        client.query("iam", "EnableMFADevice", IAM, &enable).await.expect("the device is the user's");
        (client, serial)
    }
}

async fn assume(client: &AwsClient, account: &str, role: &str, device: Option<&str>) -> Result<(), String> {
    let arn = format!("arn:aws:iam::{account}:role/{role}");
    let mut input = vec![("RoleArn", arn.as_str()), ("RoleSessionName", "alice")];
    input.extend(device.into_iter().flat_map(|serial| [("SerialNumber", serial), ("TokenCode", "123456")]));
    client.query("sts", "AssumeRole", STS, &input).await.map(drop).map_err(|error| error.code)
}

#[tokio::test]
async fn a_new_a_moved_a_tagged_and_a_closed_account_change_who_gets_in_with_the_event_and_with_no_sweep() {
    let stage = Stage::set().await;
    let denied = || Err("AccessDenied".to_owned());
    let (blue, other) = (stage.account("Blue", "/Workloads/Blue").await, stage.account("Other", "/Workloads").await);
    stage.reaches("group-developer-blue", &[&blue]).await;
    stage.reaches("group-admin-red", &[]).await;

    // As that user: by the role of the group, with a second factor; by no other role, and into no account of another project.
    let (alice, device) = stage.user("alice", &["group-developer-blue"]).await;
    assert_eq!(assume(&alice, &blue, "role-developer", None).await, denied());
    assert_eq!(assume(&alice, &blue, "role-developer", Some(&device)).await, Ok(()));
    assert_eq!(assume(&alice, &blue, "role-admin", Some(&device)).await, denied());
    assert_eq!(assume(&alice, &other, "role-developer", Some(&device)).await, denied());

    // Moved under the project, and out again.
    stage.place(&other, "/Workloads/Blue").await;
    stage.reaches("group-developer-blue", &[&blue, &other]).await;
    assert_eq!(assume(&alice, &other, "role-developer", Some(&device)).await, Ok(()));
    let told =
        stage.listener.wait_for("JumpGroupsChanged", "why", &format!("the account {other} was moved"), PATIENCE).await;
    assert_eq!(told.detail["account_id"], stage.jump, "{}", told.detail);
    assert!(told.detail["applied"].to_string().contains("group-developer-blue"), "{}", told.detail);
    stage.place(&other, "/Workloads").await;
    stage.reaches("group-developer-blue", &[&blue]).await;
    assert_eq!(assume(&alice, &other, "role-developer", Some(&device)).await, denied());

    // Tagged, with something else as well, and untagged.
    let red = json!([{"Key": "cost", "Value": "1"}, {"Key": "team", "Value": "red"}]);
    stage.organizations("TagResource", json!({"ResourceId": other, "Tags": red})).await;
    stage.reaches("group-admin-red", &[&other]).await;
    stage.organizations("UntagResource", json!({"ResourceId": other, "TagKeys": ["team"]})).await;
    stage.reaches("group-admin-red", &[]).await;

    // Closed.
    stage.organizations("CloseAccount", json!({"AccountId": blue})).await;
    stage.reaches("group-developer-blue", &[]).await;
    // A look at all accounts finds nothing to change.
    // A policy is detached first and deleted then.
    let mut row = Value::Null;
    let compliant = within(PATIENCE, async || {
        row = stage.groups("plan").await;
        (row["outcome"] == "compliant").then_some(())
    })
    .await;
    assert!(compliant.is_some(), "{row}");
}

#[tokio::test]
async fn a_sweep_does_not_undo_what_an_event_has_told_before_the_index_of_tags_knows_it() {
    let stage = Stage::set().await;
    let account = stage.account("Red", "/Workloads").await;
    let remediated = document(&stage.jump, "/Workloads/Blue/**") + "remediate: [jump-groups]\n";
    stage.scenario.put_document(&remediated).await;
    for id in stage.scenario.organization.account_ids() {
        stage.scenario.organization.set_joined(&id, Duration::from_hours(24 * 30));
    }
    stage.scenario.organization.set_tag_index_lag(Duration::from_hours(1));
    let tags = json!([{"Key": "team", "Value": "red"}]);
    stage.organizations("TagResource", json!({"ResourceId": account, "Tags": tags})).await;
    stage.reaches("group-admin-red", &[&account]).await;
    let since = stage.scenario.cloud.sequence();
    sweep(&stage.scenario).await;
    let seen = cells(&report(&stage.scenario).await);
    assert_eq!(seen[&(stage.jump.clone(), "jump-groups".to_owned())], "compliant");
    assert_eq!(stage.reached("group-admin-red").await, Some(BTreeSet::from([account.clone()])));
    // The tags of the one account that differs, and nobody else's.
    let calls = stage.scenario.calls_since(since).by_function("compliance-checker");
    let asked = calls.iter().filter(|call| call.operation == "ListTagsForResource").count();
    assert_eq!(asked, 1, "accounts are not asked for their tags one by one");
}

#[tokio::test]
async fn what_no_project_is_selected_by_enters_no_account_and_changes_nothing() {
    let stage = Stage::set().await;
    let account = stage.account("Tagged", "/Workloads").await;
    let since = stage.scenario.cloud.sequence();
    let tags = json!([{"Key": "cost", "Value": "1"}]);
    stage.organizations("TagResource", json!({"ResourceId": account, "Tags": tags})).await;
    let unit = stage.scenario.organization.unit_id("/Workloads/Blue").expect("a unit");
    let tags = json!([{"Key": "team", "Value": "red"}]);
    stage.organizations("TagResource", json!({"ResourceId": unit, "Tags": tags})).await;
    // What comes after it has come through the same queue.
    stage.place(&account, "/Workloads/Blue").await;
    stage.reaches("group-admin-blue", &[&account]).await;
    let calls = stage.scenario.cloud.calls().since(since).by_function("baseline-applier").by_account(&stage.jump);
    let looks = calls.iter().filter(|call| call.operation == "GetAccountAuthorizationDetails").count();
    assert!((1..=4).contains(&looks), "one message has looked, before and after its change: {looks}");
}

#[tokio::test]
async fn a_renamed_unit_moves_its_accounts_from_project_to_project_or_is_refused_until_the_document_follows() {
    let stage = Stage::set().await;
    let account = stage.account("Blue", "/Workloads/Blue").await;
    stage.reaches("group-admin-blue", &[&account]).await;
    let unit = stage.scenario.organization.unit_id("/Workloads/Blue").expect("a unit");
    let rename = async |name: &str| {
        let input = json!({"OrganizationalUnitId": unit, "Name": name});
        stage.organizations("UpdateOrganizationalUnit", input).await;
    };
    // The document names a unit that is not there any more: nobody loses anything by that, and by hand it is refused as well.
    let since = stage.scenario.cloud.sequence();
    rename("Green").await;
    let looked = || {
        let calls = stage.scenario.calls_since(since).by_function("baseline-applier");
        calls.actions().contains(&"organizations:ListOrganizationalUnitsForParent".to_owned())
    };
    eventually("the name to be looked up", PATIENCE, async || looked().then_some(())).await;
    let by_hand = json!({"account_ids": [stage.jump], "mode": "apply", "controls": ["jump-groups"]});
    let refused = stage.scenario.stack.baseline(&by_hand).await.expect_err("the unit is not there");
    assert_eq!(refused.code, "BaselineSelectorUnmatched");
    assert_eq!(stage.reached("group-admin-blue").await, Some(BTreeSet::from([account.clone()])));
    stage.scenario.put_document(&document(&stage.jump, "/Workloads/Green/**")).await;
    assert_eq!(stage.groups("apply").await["outcome"], "compliant");

    // Where a project waits under the new name, its people get in and those of the other do not any more.
    let two = document(&stage.jump, "/Workloads/Green/**").replace(
        "  - {name: red",
        "  - {name: teal, accounts: {organizational_unit: '/Workloads/Teal/**'}}\n  - {name: red",
    );
    stage.scenario.put_document(&format!("{two}allow_unmatched: true\n")).await;
    assert_eq!(stage.groups("apply").await["outcome"], "fixed");
    rename("Teal").await;
    stage.reaches("group-admin-teal", &[&account]).await;
    stage.reaches("group-admin-blue", &[]).await;
}

#[tokio::test]
async fn a_group_that_somebody_changed_and_a_policy_with_an_extra_statement_are_named_and_put_right() {
    let stage = Stage::set().await;
    let account = stage.account("Blue", "/Workloads/Blue").await;
    stage.reaches("group-admin-blue", &[&account]).await;
    let (group, all) = (("GroupName", "group-admin-blue"), "arn:aws:iam::aws:policy/AdministratorAccess");
    stage.iam("AttachGroupPolicy", &[group, ("PolicyArn", all)]).await;
    let enforce = format!("arn:aws:iam::{}:policy/steward/policy-enforce-mfa", stage.jump);
    stage.iam("DetachGroupPolicy", &[group, ("PolicyArn", &enforce)]).await;
    let anything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let own = json!({"Version": "2012-10-17", "Statement": [anything]}).to_string();
    stage.iam("PutGroupPolicy", &[group, ("PolicyName", "mine"), ("PolicyDocument", &own)]).await;
    let policy = format!("arn:aws:iam::{}:policy/steward/group-developer-blue", stage.jump);
    let version = stage.iam("GetPolicy", &[("PolicyArn", &policy)]).await.text("DefaultVersionId").expect("a version");
    let document = stage.iam("GetPolicyVersion", &[("PolicyArn", &policy), ("VersionId", &version)]).await;
    let document = document.text("Document").expect("a document");
    let mut document: Value =
        serde_json::from_str(&percent_decode_str(&document).decode_utf8_lossy()).expect("a policy");
    document["Statement"].as_array_mut().expect("statements").push(anything);
    let input = [("PolicyArn", policy.as_str()), ("PolicyDocument", &document.to_string()), ("SetAsDefault", "true")];
    stage.iam("CreatePolicyVersion", &input).await;

    let planned = stage.groups("plan").await;
    let words = planned["planned"].to_string();
    for what in [
        format!("detach {all} from the group group-admin-blue"),
        format!("attach {enforce} to the group group-admin-blue"),
        r#"delete the inline policy \"mine\" of the group group-admin-blue"#.to_owned(),
        "correct what the policy group-developer-blue says".to_owned(),
    ] {
        let escaped = what.replace(r#"\""#, r#"\\\""#);
        assert!(words.contains(&what) || words.contains(&escaped), "{what}: {words}");
    }
    assert_eq!(stage.groups("apply").await["outcome"], "fixed");
    assert_eq!(stage.groups("plan").await["outcome"], "compliant");
    assert!(stage.iam("ListGroupPolicies", &[group]).await.texts("member").is_empty());
}

#[tokio::test]
async fn an_event_that_comes_twice_late_or_while_another_one_is_at_work_ends_in_the_same_groups() {
    let stage = Stage::set().await;
    stage.scenario.organization.set_records(2, Duration::from_secs(3));
    let accounts = [stage.account("One", "/Workloads").await, stage.account("Two", "/Workloads").await];
    for account in &accounts {
        stage.place(account, "/Workloads/Blue").await;
    }
    stage.reaches("group-admin-blue", &[&accounts[0], &accounts[1]]).await;
    // There and back again, before anybody was told.
    stage.place(&accounts[0], "/Workloads").await;
    stage.place(&accounts[0], "/Workloads/Blue").await;
    stage.place(&accounts[1], "/Workloads").await;
    stage.reaches("group-admin-blue", &[&accounts[0]]).await;
}
