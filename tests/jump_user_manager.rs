//! `jump-user-manager`: people in the jump account, from the first sign-in to the last trace.

use harness::eventually;
use local_cloud::{AwsClient, AwsError, Credentials, Fault, Xml};
use serde_json::{Value, json};

use crate::{
    aws_cli::aws,
    scenario::{PATIENCE, Scenario},
    secrets,
};

const MANAGER: &str = "JumpUserManagerFunction";
const IAM: &str = "2010-05-08";
const STS: &str = "2011-06-15";
const ROLES: [&str; 2] = ["role-developer", "role-admin"];

/// A stack whose jump account is the organization's member, with a group for each role of one more account.
struct Stage {
    scenario: Scenario,
    jump: String,
    target: String,
}

async fn iam(client: &AwsClient, action: &str, input: &[(&str, &str)]) -> Result<Xml, AwsError> {
    client.query("iam", action, IAM, input).await
}

fn policy(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

impl Stage {
    async fn set() -> Self {
        Self::in_scenario(Scenario::with_member_as("JumpAccountId", "version: 1").await).await
    }

    async fn in_scenario(scenario: Scenario) -> Self {
        let (jump, target) = (scenario.member(), scenario.cloud.new_account_id());
        let stage = Self { scenario, jump, target };
        let with_mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        let root = stage.scenario.cloud.client(&stage.target);
        let trust = policy(&json!([{"Effect": "Allow", "Principal": {"AWS": stage.jump}, "Action": "sts:AssumeRole",
            "Condition": with_mfa}]));
        for role in ROLES {
            let input = [("RoleName", role), ("AssumeRolePolicyDocument", trust.as_str())];
            iam(&root, "CreateRole", &input).await.expect("a role");
        }
        let own = "arn:aws:iam::*:user/steward/${aws:username}";
        let enforce = policy(&json!([
            {"Effect": "Allow", "Resource": own,
                "Action": ["iam:ChangePassword", "iam:EnableMFADevice", "iam:ListMFADevices"]},
            {"Effect": "Allow", "Action": ["iam:CreateVirtualMFADevice", "sts:GetSessionToken"], "Resource": "*"},
            {"Effect": "Deny", "Resource": "*",
                "NotAction": ["iam:ChangePassword", "iam:CreateVirtualMFADevice", "iam:EnableMFADevice",
                    "iam:ListMFADevices", "sts:GetSessionToken"],
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]));
        let enforce = stage.policy("policy-enforce-mfa", &enforce).await;
        for role in ROLES {
            let document = policy(&json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": with_mfa,
                "Resource": [stage.role_arn(role)]}]));
            let (group, own) = (role.replace("role", "group"), stage.policy(role, &document).await);
            stage.group(&group, "/steward/", &[&enforce, &own]).await;
        }
        stage
    }

    fn root(&self) -> AwsClient {
        self.scenario.cloud.client(&self.jump)
    }

    fn role_arn(&self, role: &str) -> String {
        format!("arn:aws:iam::{}:role/{role}", self.target)
    }

    fn secret(&self, user: &str) -> String {
        format!("/steward/{}/users/{user}", self.scenario.stack.name())
    }

    async fn policy(&self, name: &str, document: &str) -> String {
        let input = [("PolicyName", name), ("Path", "/steward/"), ("PolicyDocument", document)];
        iam(&self.root(), "CreatePolicy", &input).await.expect("a policy");
        format!("arn:aws:iam::{}:policy/steward/{name}", self.jump)
    }

    async fn group(&self, name: &str, path: &str, policies: &[&String]) {
        iam(&self.root(), "CreateGroup", &[("GroupName", name), ("Path", path)]).await.expect("a group");
        for arn in policies {
            let input = [("GroupName", name), ("PolicyArn", arn)];
            iam(&self.root(), "AttachGroupPolicy", &input).await.expect("an attached policy");
        }
    }

    async fn ask(&self, input: &Value) -> Value {
        self.scenario.stack.invoke(MANAGER, input).await.unwrap_or_else(|error| panic!("{input}: {error}"))
    }

    /// What waits in a secret, as whoever hands it over reads it.
    async fn password(&self, user: &str) -> Result<String, AwsError> {
        let input = json!({"SecretId": self.secret(user)});
        let answer = self.scenario.stack.client.json("secretsmanager", "GetSecretValue", input).await?;
        Ok(answer["SecretString"].as_str().expect("a text").to_owned())
    }

    /// The user with an access key of its own, which signs what a browser would.
    async fn sign_in(&self, user: &str) -> AwsClient {
        let answer = iam(&self.root(), "CreateAccessKey", &[("UserName", user)]).await.expect("an access key");
        AwsClient::with_credentials(self.scenario.cloud.endpoint(), credentials(&answer))
    }
}

/// Takes every way through the function that needs a permission of its own.
pub(crate) async fn every_way(scenario: &Scenario) {
    let (cloud, organization, stack) = (scenario.cloud, scenario.organization.clone(), scenario.stack.clone());
    let stage = Stage::in_scenario(Scenario { cloud, organization, stack }).await;
    let user = |more: &Value| {
        let mut input = json!({"user_name": "every-way", "mode": "apply"});
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        input
    };
    for input in [json!({"groups": ["group-admin"]}), json!({"reset": true}), json!({"remove": true})] {
        assert_eq!(stage.ask(&user(&input)).await["outcome"], "done", "{input}");
    }
    stage.ask(&json!({"expire_passwords": true, "mode": "apply"})).await;
    for published in [true, false] {
        assert_eq!(stage.ask(&json!({"review": true, "mode": "apply"})).await["published"], published);
    }
}

fn credentials(answer: &Xml) -> Credentials {
    Credentials {
        access_key_id: answer.text("AccessKeyId").expect("a key"),
        secret_access_key: answer.text("SecretAccessKey").expect("a secret"),
        session_token: answer.text("SessionToken"),
    }
}

async fn assume(client: &AwsClient, role: &str, device: Option<&str>) -> Result<(), String> {
    let mut input = vec![("RoleArn", role), ("RoleSessionName", "alice")];
    input.extend(device.into_iter().flat_map(|serial| [("SerialNumber", serial), ("TokenCode", "123456")]));
    client.query("sts", "AssumeRole", STS, &input).await.map(drop).map_err(|error| error.code)
}

fn steps(answer: &Value) -> Vec<&str> {
    answer["steps"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_planned_made_gets_in_with_a_second_factor_alone_and_is_gone_in_one_call() {
    let stage = Stage::set().await;
    let listener = stage.scenario.listen("people").await;
    let mailbox = stage.scenario.mailbox("people").await;
    let wanted = json!({"user_name": "alice", "groups": ["group-developer"]});

    // A plan shows it, and makes nothing.
    let planned = stage.ask(&wanted).await;
    assert_eq!((&planned["mode"], &planned["outcome"]), (&json!("plan"), &json!("planned")), "{planned}");
    assert_eq!(steps(&planned).len(), 4, "{planned}");
    assert_eq!(planned["password_in"], stage.secret("alice"));
    assert!(iam(&stage.root(), "GetUser", &[("UserName", "alice")]).await.is_err());
    assert!(stage.password("alice").await.is_err());

    let mut apply = wanted.clone();
    apply["mode"] = "apply".into();
    let made = stage.ask(&apply).await;
    assert_eq!((&made["outcome"], steps(&made)), (&json!("done"), steps(&planned)), "{made}");
    let user = iam(&stage.root(), "GetUser", &[("UserName", "alice")]).await.expect("the user");
    assert_eq!(user.text("Path").as_deref(), Some("/steward/"));
    let published = listener.wait_for("JumpUserChanged", "user_name", "alice", PATIENCE).await;
    let invocation = published.detail["invocation"].as_str().expect("an id");
    for (moment, outcome) in [("begun", "begun"), ("ended", "done")] {
        let row = stage.scenario.stack.item_of("JournalTable", &format!("jump-user#{invocation}#alice#{moment}")).await;
        assert_eq!(row.unwrap().expect("a row")["outcome"], outcome);
    }
    mailbox.wait_for("user alice of the jump account: change, done", PATIENCE).await;
    assert_eq!(stage.ask(&apply).await["outcome"], "nothing_to_do", "there is nothing to do twice");

    // The sheet leads to the one role, and to no other.
    let sheet = &made["sheet"];
    assert_eq!(sheet["roles"].as_array().map(Vec::len), Some(1), "{sheet}");
    let link = sheet["roles"][0]["link"].as_str().unwrap();
    assert!(link.contains(&format!("roleName=role-developer&account={}", stage.target)), "{link}");
    assert!(sheet["aws_config"].as_str().unwrap().contains(&stage.role_arn("role-developer")), "{sheet}");

    // The password is the user's, must be changed, and is nowhere but in its secret.
    let password = stage.password("alice").await.expect("the secret");
    assert!(password.len() >= 24);
    let login = iam(&stage.root(), "GetLoginProfile", &[("UserName", "alice")]).await.expect("a password");
    assert_eq!(login.text("PasswordResetRequired").as_deref(), Some("true"));
    assert!(!made.to_string().contains(&password) && !published.detail.to_string().contains(&password));
    secrets::went_to(&stage.scenario, &password, "jump-user-manager", &["CreateSecret", "CreateLoginProfile"]).await;

    // Before the second factor: nothing but to change the password and to add a device.
    let alice = stage.sign_in("alice").await;
    let change = [("OldPassword", password.as_str()), ("NewPassword", "Correct-horse-battery-1")];
    iam(&alice, "ChangePassword", &change).await.expect("the forced change");
    let (own, other) = (stage.role_arn("role-developer"), stage.role_arn("role-admin"));
    assert_eq!(assume(&alice, &own, None).await, Err("AccessDenied".to_owned()));
    assert!(iam(&alice, "ListUsers", &[]).await.is_err());
    let device = iam(&alice, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice")]).await.expect("a device");
    let serial = device.text("SerialNumber").expect("a serial number");
    let enable = [
        ("UserName", "alice"),
        ("SerialNumber", serial.as_str()),
        ("AuthenticationCode1", "123456"),
        ("AuthenticationCode2", "654321"),
    ];
    iam(&alice, "EnableMFADevice", &enable).await.expect("the device is the user's");
    assert!(sheet["aws_config"].as_str().unwrap().contains(&format!("mfa_serial = {serial}\n")), "{sheet}");

    // With it: the role of the group, and no other; by each call, and by a session.
    assert_eq!(assume(&alice, &own, None).await, Err("AccessDenied".to_owned()));
    assert_eq!(assume(&alice, &own, Some(&serial)).await, Ok(()));
    assert_eq!(assume(&alice, &other, Some(&serial)).await, Err("AccessDenied".to_owned()));
    let token = [("SerialNumber", serial.as_str()), ("TokenCode", "123456")];
    let session = alice.query("sts", "GetSessionToken", STS, &token).await.expect("a session");
    let session = AwsClient::with_credentials(stage.scenario.cloud.endpoint(), credentials(&session));
    assert_eq!(assume(&session, &own, None).await, Ok(()));
    assert_eq!(assume(&session, &other, None).await, Err("AccessDenied".to_owned()));

    gets_in_by_the_sheet(&stage, sheet).await;

    // The one-time password was used: its secret goes.
    let over = stage.ask(&json!({"expire_passwords": true})).await;
    assert_eq!(over["over"], json!([{"user_name": "alice", "why": "used"}]), "{over}");
    assert!(stage.password("alice").await.is_ok(), "a plan leaves it there");
    stage.ask(&json!({"expire_passwords": true, "mode": "apply"})).await;
    assert!(stage.password("alice").await.is_err());

    // Another group: another role.
    let moved = stage.ask(&json!({"user_name": "alice", "groups": ["group-admin"], "mode": "apply"})).await;
    assert_eq!(steps(&moved), ["add the user to group-admin", "take the user out of group-developer"], "{moved}");
    assert_eq!(moved["password_in"], Value::Null);
    assert_eq!(assume(&alice, &own, Some(&serial)).await, Err("AccessDenied".to_owned()));
    assert_eq!(assume(&alice, &other, Some(&serial)).await, Ok(()));

    gone_in_one_call(&stage, &alice, &serial).await;
    secrets::went_to(&stage.scenario, &password, "jump-user-manager", &["CreateSecret", "CreateLoginProfile"]).await;
}

/// The AWS CLI takes the profiles of the sheet as they are, with a key of the user's own.
async fn gets_in_by_the_sheet(stage: &Stage, sheet: &Value) {
    let key = iam(&stage.root(), "CreateAccessKey", &[("UserName", "alice")]).await.expect("a key");
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("config"), sheet["aws_config"].as_str().expect("profiles")).expect("a file");
    let Credentials { access_key_id: id, secret_access_key: secret, .. } = credentials(&key);
    let keys = format!("[jump]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    std::fs::write(home.path().join("credentials"), keys).expect("a file");
    let profile = format!("role-developer-{}", stage.target);
    let who = ["sts", "get-caller-identity", "--profile", &profile];
    let entered = aws(&stage.scenario, home.path(), &who, "123456\n");
    let said = String::from_utf8_lossy(&entered.stdout);
    let role = format!("arn:aws:sts::{}:assumed-role/role-developer/", stage.target);
    assert!(said.contains(&role), "{entered:?}");
    let key = [("UserName", "alice"), ("AccessKeyId", &id)];
    iam(&stage.root(), "DeleteAccessKey", &key).await.expect("the key is deleted");
}

/// Gives a user everything that one can have, and removes it.
async fn gone_in_one_call(stage: &Stage, alice: &AwsClient, serial: &str) {
    let other = stage.role_arn("role-admin");
    let root = stage.root();
    let user = ("UserName", "alice");
    stage.group("admins", "/", &[]).await;
    let own = policy(&json!([{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]));
    for (action, input) in [
        ("UploadSSHPublicKey", vec![user, ("SSHPublicKeyBody", "ssh-rsa AAAA")]),
        ("CreateServiceSpecificCredential", vec![user, ("ServiceName", "codecommit.amazonaws.com")]),
        ("UploadSigningCertificate", vec![user, ("CertificateBody", "-")]),
        ("PutUserPolicy", vec![user, ("PolicyName", "mine"), ("PolicyDocument", own.as_str())]),
        ("AttachUserPolicy", vec![user, ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")]),
        ("AddUserToGroup", vec![user, ("GroupName", "admins")]),
    ] {
        iam(&root, action, &input).await.unwrap_or_else(|error| panic!("{action}: {error}"));
    }
    let listed = stage.ask(&json!({"list": true})).await;
    let person = &listed["users"][0];
    assert_eq!(
        (&person["user_name"], &person["second_factors"]),
        (&json!("alice"), &json!(["authenticator"])),
        "{listed}"
    );
    assert_eq!(
        (person["access_keys"].as_array().map(Vec::len), &person["idle_days"]),
        (Some(1), &json!(0)),
        "{listed}"
    );
    let remove = json!({"user_name": "alice", "remove": true, "mode": "apply"});
    let removed = stage.ask(&remove).await;
    assert_eq!(removed["outcome"], "done", "{removed}");
    assert_eq!(steps(&removed).len(), 11, "{removed}");
    assert!(iam(&root, "GetUser", &[user]).await.is_err());
    assert!(assume(alice, &other, Some(serial)).await.is_err());
    let devices = iam(&root, "ListVirtualMFADevices", &[("AssignmentStatus", "Any")]).await.expect("devices");
    assert!(!devices.0.contains(serial), "{}", devices.0);
    assert_eq!(stage.ask(&remove).await["outcome"], "nothing_to_do");
}

#[tokio::test]
async fn whom_steward_may_not_change_or_let_in_is_refused_with_the_reason_and_nothing_is_done() {
    let stage = Stage::set().await;
    let root = stage.root();
    iam(&root, "CreateUser", &[("UserName", "bob")]).await.expect("somebody else's user");
    stage.group("group-bare", "/steward/", &[]).await;
    stage.group("admins", "/", &[]).await;
    let since = stage.scenario.cloud.sequence();
    for (input, why) in [
        (json!({"user_name": "bob", "groups": ["group-admin"]}), "not Steward's to change"),
        (json!({"user_name": "bob", "reset": true, "second_factor": true}), "not Steward's to change"),
        (json!({"user_name": "bob", "remove": true}), "not Steward's to change"),
        (json!({"user_name": "alice", "groups": ["admins"]}), "no group admins"),
        (json!({"user_name": "alice", "groups": ["group-bare"]}), "policy-enforce-mfa"),
        (json!({"user_name": "alice", "reset": true}), "no such user"),
    ] {
        let mut input = input;
        input["mode"] = "apply".into();
        let answer = stage.ask(&input).await;
        assert_eq!(answer["outcome"], "refused", "{answer}");
        assert!(answer["why"].as_str().unwrap().contains(why), "{answer}");
    }
    let called = stage.scenario.cloud.calls().since(since).by_function("jump-user-manager").by_account(&stage.jump);
    let reads = |action: &String| action.contains(":Get") || action.contains(":List");
    assert!(!called.is_empty() && called.actions().iter().all(reads), "{:?}", called.actions());

    // IAM holds the same: a session for a change reaches no user beside the path, and fills no group beside it.
    let session = called.iter().find_map(|call| call.session_policy.clone()).expect("a session policy");
    let role = format!("arn:aws:iam::{}:role/OrganizationAccountAccessRole", stage.jump);
    let session = stage.scenario.stack.client.assume_role(&role, "manager", Some(&session)).await.expect("a session");
    for (action, input) in [
        ("CreateUser", vec![("UserName", "carol")]),
        ("CreateLoginProfile", vec![("UserName", "bob"), ("Password", "Correct-horse-battery-1")]),
        ("AddUserToGroup", vec![("UserName", "bob"), ("GroupName", "admins")]),
        ("CreateAccessKey", vec![("UserName", "bob")]),
    ] {
        let denied = iam(&session, action, &input).await.expect_err(action);
        assert!(denied.code.contains("AccessDenied"), "{action}: {denied}");
    }

    // A full number of groups, some of them somebody else's.
    let groups: Vec<_> = (0..11).map(|n| format!("group-{n}")).collect();
    let eleven = json!({"user_name": "alice", "groups": groups});
    let refused = stage.scenario.stack.invoke(MANAGER, &eleven).await.expect_err("eleven groups");
    assert!(refused.message.contains("IAM lets a user be in 10 groups"), "{refused}");

    // The alias plans, and so does everybody while the switch is on.
    let apply = json!({"user_name": "alice", "groups": ["group-admin"], "mode": "apply"});
    let alias = format!("{}:plan", stage.scenario.stack.output(MANAGER));
    assert_eq!(stage.scenario.stack.client.invoke(&alias, &apply).await.expect_err("a plan").code, "PlanOnly");
    let plan = json!({"user_name": "alice", "groups": ["group-admin"]});
    assert_eq!(stage.scenario.stack.client.invoke(&alias, &plan).await.expect("a plan")["outcome"], "planned");
    stage.scenario.stack.put_item(&json!({"pk": {"S": "switch"}})).await.expect("the switch");
    // What a warm function has read of the switch holds for seconds; until then, this changes nothing either.
    let nothing = json!({"user_name": "nobody-of-that-name", "remove": true, "mode": "apply"});
    eventually("the switch to be seen", PATIENCE, async || {
        let answer = stage.scenario.stack.invoke(MANAGER, &nothing).await;
        answer.is_err_and(|refused| refused.code == "SwitchedOff").then_some(())
    })
    .await;
    let refused = stage.scenario.stack.invoke(MANAGER, &apply).await.expect_err("the switch is on");
    assert_eq!(refused.code, "SwitchedOff");
    assert!(iam(&root, "GetUser", &[("UserName", "alice")]).await.is_err());
}

#[tokio::test]
async fn a_creation_that_fails_half_way_says_how_far_it_came_and_goes_on_when_it_is_asked_again() {
    let stage = Stage::set().await;
    let apply = json!({"user_name": "carol", "groups": ["group-developer"], "mode": "apply"});
    let denied = Fault::error("AccessDenied", "not today").operation("iam", "CreateLoginProfile").account(&stage.jump);
    let fault = stage.scenario.fault(denied);
    let failed = stage.ask(&apply).await;
    assert_eq!((&failed["outcome"], &failed["cause"]), (&json!("failed"), &json!("AccessDenied")), "{failed}");
    assert_eq!((steps(&failed).len(), &failed["password_in"]), (3, &Value::Null), "all but the password: {failed}");
    drop(fault);
    let first = stage.password("carol").await.expect("it was kept before");

    let done = stage.ask(&apply).await;
    assert_eq!((&done["outcome"], steps(&done).len()), (&json!("done"), 2), "{done}");
    let second = stage.password("carol").await.expect("the password in force");
    assert_ne!(first, second);
    let carol = stage.sign_in("carol").await;
    let change = |old| [("OldPassword", old), ("NewPassword", "Correct-horse-battery-1")];
    assert!(iam(&carol, "ChangePassword", &change(&first)).await.is_err());
    iam(&carol, "ChangePassword", &change(&second)).await.expect("the one that was kept last");

    // A reset gives another one, and takes the device.
    let device = iam(&carol, "CreateVirtualMFADevice", &[("VirtualMFADeviceName", "phone")]).await.expect("a device");
    let serial = device.text("SerialNumber").expect("a serial number");
    let enable = [("UserName", "carol"), ("SerialNumber", serial.as_str())];
    iam(&carol, "EnableMFADevice", &enable).await.expect("the device is the user's");
    let reset = json!({"user_name": "carol", "reset": true, "second_factor": true, "mode": "apply"});
    let answer = stage.ask(&reset).await;
    assert_eq!((&answer["outcome"], steps(&answer).len()), (&json!("done"), 3), "{answer}");
    let devices = iam(&stage.root(), "ListMFADevices", &[("UserName", "carol")]).await.expect("devices");
    assert!(!devices.0.contains(&serial), "{}", devices.0);
    let third = stage.password("carol").await.expect("another one");
    assert!(iam(&carol, "ChangePassword", &change("Correct-horse-battery-1")).await.is_err());
    let again = [("OldPassword", third.as_str()), ("NewPassword", "Another-horse-battery-2")];
    iam(&carol, "ChangePassword", &again).await.expect("the new one");
}

#[tokio::test]
async fn the_weekly_look_is_published_once_a_day_and_names_who_was_found() {
    let stage = Stage::set().await;
    let listener = stage.scenario.listen("review").await;
    iam(&stage.root(), "CreateUser", &[("UserName", "dave")]).await.expect("a user");
    let shown = stage.ask(&json!({"review": true})).await;
    assert_eq!((&shown["published"], &shown["users"]), (&json!(false), &json!(1)), "{shown}");
    let review = json!({"review": true, "mode": "apply"});
    assert_eq!(stage.ask(&review).await["published"], true);
    assert_eq!(stage.ask(&review).await["published"], false, "delivered twice");
    let published = listener.wait_for("JumpUsersReviewed", "account_id", &stage.jump, PATIENCE).await;
    assert_eq!(
        published.detail["without_second_factor"],
        json!({"count": 0, "names": []}),
        "made today: {}",
        published.detail
    );
    assert_eq!(listener.all("JumpUsersReviewed").await.len(), 1);
}

#[tokio::test]
async fn without_a_jump_account_it_says_so_and_the_management_account_needs_a_role_of_its_own() {
    let scenario = Scenario::own(&[]).await;
    let refused = scenario.stack.invoke(MANAGER, &json!({"list": true})).await.expect_err("no jump account");
    assert_eq!(refused.code, "NoJumpAccount");
    assert!(refused.message.contains("JumpAccountId"), "{refused}");

    let scenario = Scenario::with_management_account_as("JumpAccountId").await;
    let account = scenario.organization.management_account().to_owned();
    let refused = scenario.stack.invoke(MANAGER, &json!({"list": true})).await.expect_err("no access role");
    assert_eq!(refused.code, "AccessRoleUnusable");
    assert!(refused.message.contains("It is the management account"), "{refused}");
    let trust = policy(&json!([{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]));
    let (root, role) = (&scenario.stack.client, ("RoleName", "OrganizationAccountAccessRole"));
    iam(root, "CreateRole", &[role, ("AssumeRolePolicyDocument", &trust)]).await.expect("its own access role");
    let all = policy(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
    let input = [role, ("PolicyName", "all"), ("PolicyDocument", all.as_str())];
    iam(root, "PutRolePolicy", &input).await.expect("its permissions");
    let listed = scenario.stack.invoke(MANAGER, &json!({"list": true})).await.expect("it is entered");
    assert_eq!((&listed["account_id"], &listed["users"]), (&json!(account), &json!([])), "{listed}");
}
