//! A function inside the cloud calls back through the front.

use std::path::{Path, PathBuf};

use local_cloud::{LocalCloud, Options, Tools};
use serde_json::json;

use crate::{CLOUD, eventually, organization};

/// Deploys the sample function, which calls Organizations with a role that may only list roots.
fn deploy(cloud: &LocalCloud, account: &str, name: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/function.py");
    let output = std::process::Command::new(Tools::locate().python())
        .arg(script)
        .args([&cloud.endpoint(), account, name])
        .output()
        .expect("the interpreter beside MiniStack runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_function_is_bound_by_its_role_and_known_by_name() {
    let (_organization, client) = organization().await;
    let account = client.credentials().access_key_id.clone();
    let owner = account.clone();
    tokio::task::spawn_blocking(move || deploy(&CLOUD, &owner, "account-watcher")).await.unwrap();
    let answer = client.invoke("account-watcher", &json!({})).await.unwrap();
    assert_eq!((&answer["ListRoots"], &answer["ListAccounts"]), (&json!("OK"), &json!("AccessDeniedException")));

    let calls = CLOUD.calls().by_account(&account).by_function("account-watcher");
    assert_eq!(calls.actions(), ["organizations:ListAccounts", "organizations:ListRoots"]);
    let caller = format!("arn:aws:sts::{account}:assumed-role/account-watcher/account-watcher");
    assert!(calls.iter().all(|call| call.caller.as_ref() == Some(&caller)), "{calls:?}");
}

#[tokio::test]
async fn an_event_invokes_a_function() {
    let (_organization, client) = organization().await;
    let account = client.credentials().access_key_id.clone();
    let owner = account.clone();
    tokio::task::spawn_blocking(move || deploy(&CLOUD, &owner, "joined-watcher")).await.unwrap();
    let pattern = json!({"source": ["aws.organizations"], "detail": {"eventName": ["AccountJoinedOrganization"]}});
    let rule = json!({"Name": "joined", "EventPattern": pattern.to_string()});
    client.json("events", "PutRule", rule).await.unwrap();
    let target = json!({"Id": "f", "Arn": format!("arn:aws:lambda:us-east-1:{account}:function:joined-watcher")});
    client.json("events", "PutTargets", json!({"Rule": "joined", "Targets": [target]})).await.unwrap();
    let input = json!({"AccountName": "Payments", "Email": "payments@example.com"});
    client.json("organizations", "CreateAccount", input).await.unwrap();
    eventually("the call of the function", async || {
        let calls = CLOUD.calls().by_account(&account).by_function("joined-watcher");
        (calls.len() == 2).then_some(())
    })
    .await;
    assert_eq!(CLOUD.mishaps(), Vec::<String>::new());
}

#[tokio::test]
async fn functions_end_with_the_cloud() {
    let account = "111111111111";
    let cloud = tokio::task::spawn_blocking(|| {
        let cloud = LocalCloud::start(Options::default()).expect("the local cloud starts");
        deploy(&cloud, account, "orphan");
        cloud
    })
    .await
    .unwrap();
    let answer = cloud.client(account).invoke("orphan", &json!({})).await.unwrap();
    assert_eq!(answer["ListRoots"], "AWSOrganizationsNotInUseException");
    let process = PathBuf::from(format!("/proc/{}/stat", answer["pid"]));
    // Where there is no /proc, the rest proves nothing, and does no harm.
    assert!(is_alive(&process) || !Path::new("/proc/self").exists());
    drop(cloud);
    eventually("the end of the function", async || (!is_alive(&process)).then_some(())).await;
}

/// Whether a process still runs; one that only waits to be reaped does not.
fn is_alive(stat: &Path) -> bool {
    std::fs::read_to_string(stat).is_ok_and(|stat| !stat.contains(") Z "))
}
