//! What a sweep says of the roles that people can switch to: read by a person, by the AWS CLI, and by whoever may see it.

use local_cloud::Method;
use serde_json::json;

use crate::{
    aws_cli::{aws, of_the_cli},
    compliance_sweep::sweep,
    scenario::Scenario,
};

const IAM: &str = "2010-05-08";

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_brings_the_roles_of_every_account_and_a_person_gets_in_by_the_profile_of_the_cli() {
    let scenario = Scenario::with_members(2, "version: 1").await;
    let management = scenario.organization.management_account().to_owned();
    let members: Vec<_> = scenario.organization.account_ids().into_iter().filter(|id| *id != management).collect();
    let [jump, target, untold] = members.as_slice() else { panic!("{members:?}") };
    scenario
        .put_document(&format!(
            "version: 1\ndefaults:\n  switch-roles: {{jump_account: '{jump}', path: /people/}}\noverrides:\n- match: {{account: \
             '{target}'}}\n  console-color: {{color: red}}\n- match: {{account: '{untold}'}}\n  switch-roles: {{jump_account: \
             '{jump}', external_id: only-for-friends}}\n",
        ))
        .await;
    let apply = json!({"account_ids": [target], "mode": "apply"});
    scenario.stack.baseline(&apply).await.expect("the roles are made");
    sweep(&scenario).await;
    let object = async |name: &str| scenario.stack.report_object(&format!("latest/{name}")).await.expect("an object");

    let page = object("access.html").await;
    assert!(page.starts_with("<!") && page.contains(target) && page.contains("people/role-admin"), "{page}");
    assert!(!page.contains(&management), "no role leads into the management account");
    let (config, extension) = (object("aws-config").await, object("extend-switch-roles.ini").await);
    for text in [&page, &config, &extension] {
        assert!(!text.contains("only-for-friends"), "an external id is told to nobody");
    }
    let arn = format!("role_arn = arn:aws:iam::{target}:role/people/role-developer\n");
    assert!(extension.contains(&format!("{arn}source_profile = jump\ncolor = c92a2a\n")), "{extension}");
    assert!(!extension.contains(untold) && config.contains(&format!("arn:aws:iam::{untold}:role/role-admin")));

    // The AWS CLI reads it as it is.
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("config"), &config).expect("a file");
    // What `list-profiles` of version 2 prints; version 1 has no such command, and reads them alike.
    let list = "import awscli.botocore.session as s; print(*s.Session().available_profiles, sep=chr(10))";
    let listed = of_the_cli("python", &scenario, home.path(), &["-c", list], "");
    let listed = String::from_utf8(listed.stdout).expect("text");
    assert_eq!(listed.lines().count(), 1 + 3 * members.len(), "{listed}");
    let profile = config
        .split("\n[profile ")
        .find(|part| part.contains(&arn))
        .and_then(|part| part.split_once(']'))
        .expect("a profile")
        .0;
    assert!(listed.lines().any(|line| line == profile) && listed.lines().any(|line| line == "jump"), "{listed}");

    // A person of the jump account puts their name into it, and gets in with their second factor.
    let people = scenario.cloud.client(jump);
    let iam = async |action: &str, input: &[(&str, &str)]| people.query("iam", action, IAM, input).await.expect(action);
    iam("CreateUser", &[("UserName", "alice")]).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": format!("arn:aws:iam::{target}:role/people/*")}]});
    let (user, policy) = (("UserName", "alice"), policy.to_string());
    iam("PutUserPolicy", &[user, ("PolicyName", "assume"), ("PolicyDocument", &policy)]).await;
    let device = iam("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice")]).await;
    let serial = device.text("SerialNumber").expect("a serial number");
    let codes = [("AuthenticationCode1", "123456"), ("AuthenticationCode2", "654321")];
    iam("EnableMFADevice", &[user, ("SerialNumber", &serial), codes[0], codes[1]]).await;
    let key = iam("CreateAccessKey", &[user]).await;
    let part = |name: &str| key.text(name).expect("a key");
    let (id, secret) = (part("AccessKeyId"), part("SecretAccessKey"));
    let credentials = format!("[jump]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    std::fs::write(home.path().join("credentials"), credentials).expect("a file");
    let own = config.replace("YOUR-USER-NAME", "alice");
    std::fs::write(home.path().join("config"), &own).expect("a file");
    let who = ["sts", "get-caller-identity", "--profile", profile];
    let entered = aws(&scenario, home.path(), &who, "123456\n");
    let said = String::from_utf8_lossy(&entered.stdout);
    assert!(said.contains(&format!("arn:aws:sts::{target}:assumed-role/role-developer/")), "{entered:?}");
    // Without it nobody gets in.
    let without: Vec<_> = own.lines().filter(|line| !line.starts_with("mfa_serial")).collect();
    std::fs::write(home.path().join("config"), without.join("\n")).expect("a file");
    let refused = aws(&scenario, home.path(), &who, "");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("AccessDenied"), "{refused:?}");
}

#[tokio::test]
async fn who_may_read_which_roles_there_are_does_not_read_reports() {
    let scenario = Scenario::own(&[]).await;
    let (account, reports) = (scenario.organization.management_account(), scenario.stack.output("ReportsBucket"));
    let policy = crate::template::read("docs/policies/read-access.json");
    let own = policy.replace("steward-reports-1a2b3c4d5e6f", reports);
    let reader = scenario.person(account, "read-access", "somebody", &own).await;
    let told = ["access.html", "aws-config", "extend-switch-roles.ini"].map(|name| format!("/{reports}/latest/{name}"));
    let kept =
        ["latest/report.html", "latest/report.json", "reports/2026-11-23/a/access.html", "sweeps/a/accounts.json"]
            .map(|key| format!("/{reports}/{key}"));
    for path in told.iter().chain(&kept) {
        scenario.stack.client.rest("s3", Method::PUT, path, "x").await.expect("it is written");
    }
    for path in &told {
        reader.rest("s3", Method::GET, path, "").await.expect(path);
        assert_eq!(reader.rest("s3", Method::PUT, path, "").await.expect_err(path).code, "AccessDenied");
    }
    for path in &kept {
        assert_eq!(reader.rest("s3", Method::GET, path, "").await.expect_err(path).code, "AccessDenied");
    }
}
