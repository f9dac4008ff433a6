//! A function inside the cloud calls back through the front.

use std::path::{Path, PathBuf};

use local_cloud::{LocalCloud, Options};
use serde_json::json;

use crate::{CLOUD, eventually, organization, python};

/// Deploys the sample function, which calls Organizations with a role that may only list roots. Its processes wait, and
/// see that one waits, in this folder.
fn deploy(cloud: &LocalCloud, account: &str, name: &str, folder: &Path) {
    let folder = folder.to_str().expect("a folder with a plain name");
    python("function.py", &[&cloud.endpoint(), account, name, folder]);
}

#[tokio::test]
async fn a_function_is_bound_by_its_role_and_known_by_name() {
    let (_organization, client) = organization().await;
    let account = client.credentials().access_key_id.clone();
    let owner = account.clone();
    tokio::task::spawn_blocking(move || deploy(&CLOUD, &owner, "account-watcher", Path::new(""))).await.unwrap();
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
    tokio::task::spawn_blocking(move || deploy(&CLOUD, &owner, "joined-watcher", Path::new(""))).await.unwrap();
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
async fn an_environment_that_does_not_start_ends_no_other() {
    let (_organization, client) = organization().await;
    let owner = client.credentials().access_key_id.clone();
    let folder = tempfile::tempdir().unwrap();
    let waits_here = folder.path().to_owned();
    tokio::task::spawn_blocking(move || deploy(&CLOUD, &owner, "waiter", &waits_here)).await.unwrap();
    let wait = json!({"wait": true});
    let second = async {
        eventually("an event that waits", async || folder.path().join("waits").exists().then_some(())).await;
        let answer = client.invoke("waiter", &json!({})).await;
        std::fs::write(folder.path().join("go"), "").unwrap();
        answer
    };
    let (first, second) = tokio::join!(client.invoke("waiter", &wait), second);
    assert_eq!(first.unwrap()["ListRoots"], "OK");
    let refusal = second.unwrap_err();
    assert!(refusal.message.contains("one of us waits"), "{refusal:?}");
}

#[tokio::test]
async fn functions_that_start_at_once_have_their_credentials() {
    let local_aws = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/local_aws.py");
    let not_opened = tokio::task::spawn_blocking(move || python("sessions.py", &[local_aws])).await.unwrap();
    assert_eq!(not_opened.trim(), "{}");
}

#[tokio::test]
async fn functions_end_with_the_cloud() {
    let account = "111111111111";
    let cloud = tokio::task::spawn_blocking(|| {
        let cloud = LocalCloud::start(Options::default()).expect("the local cloud starts");
        deploy(&cloud, account, "orphan", Path::new(""));
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
