//! The functions, each made anew and given one payload.

use std::{future::Future, pin::Pin, time::Duration};

use aws_config::SdkConfig;
use lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use steward::{error::Failure, invocation, runtime::settings};

/// What a function answers; None when it fails.
type Answered<'a> = Pin<Box<dyn Future<Output = Option<Value>> + 'a>>;
type Run = for<'a> fn(&'a SdkConfig, Value) -> Answered<'a>;

macro_rules! functions {
    ($($function:path),* $(,)?) => {
        /// Every function, by its name.
        pub(crate) const FUNCTIONS: &[(&str, Run)] = &[$((<$function>::NAME, |config, payload| Box::pin(async move {
            settings::set_environment(environment);
            let function = <$function>::new(config).expect("a function with all its settings");
            json(invocation::lasting(Duration::from_secs(30), function.handle(event(payload))).await)
        }))),*];
    };
}

functions! {
    account_closer::AccountCloser,
    account_lister::AccountLister,
    account_requester::AccountRequester,
    account_updater::AccountUpdater,
    activity_auditor::ActivityAuditor,
    baseline_applier::BaselineApplier,
    compliance_checker::ComplianceChecker,
    compliance_reporter::ComplianceReporter,
    create_account_poller::CreateAccountPoller,
    dead_letter_replayer::DeadLetterReplayer,
    jump_user_manager::JumpUserManager,
    notifier::Notifier,
    organization_preparer::OrganizationPreparer,
    region_opt_auditor::RegionOptAuditor,
    root_task_runner::RootTaskRunner,
}

fn json<T: Serialize>(answer: Result<T, Failure>) -> Option<Value> {
    answer.ok().map(|answer| serde_json::to_value(answer).expect("an answer is JSON"))
}

/// Settings by what their names say; those with a default are left out.
fn environment(name: &str) -> Option<String> {
    const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111111111111/queue";
    let value = match name {
        // Everything is told, so that what is not told was dropped.
        "NOTIFY_SEVERITY" => "informational".to_owned(),
        "ALERT_EMAIL" => "platform@example.com".to_owned(),
        "BASELINE_BUCKET" | "BASELINE_KEY" => return None,
        "JUMP_ACCOUNT_ID" => "222222222222".to_owned(),
        "SUSPENDED_UNIT_ID" => "ou-ab12-cdef3456".to_owned(),
        "EMAIL_DOMAINS" => "example.com".to_owned(),
        "USER_SECRETS_PATH" => "/steward/steward/users/".to_owned(),
        "OWN_NAMES" | "OWN_ROLE_IDS" => "name".to_owned(),
        "OWN_ROLES" | "REPLAY_FUNCTIONS" => "name arn:aws:iam::111111111111:role/name".to_owned(),
        "REPLAY_QUEUES" => format!("queue {QUEUE} {QUEUE}"),
        _ if name.ends_with("_URL") => QUEUE.to_owned(),
        _ if name.ends_with("_ARN") || name.ends_with("_ARNS") => "arn:aws:iam::111111111111:role/name".to_owned(),
        _ if name.ends_with("_BUCKET") || name.ends_with("_BUCKETS") => "bucket".to_owned(),
        _ if name.ends_with("_NAME") => "name".to_owned(),
        _ => return None,
    };
    Some(value)
}

fn event(payload: Value) -> LambdaEvent<Value> {
    let mut context = Context::default();
    "8476a536-e9f4-11e8-9739-2dfe598c3fcd".clone_into(&mut context.request_id);
    LambdaEvent::new(payload, context)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_function_is_given_payloads() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
        let folders = fs::read_dir(folder).expect("the functions").map(|entry| entry.expect("an entry").file_name());
        let mut folders: Vec<_> = folders.filter_map(|name| name.into_string().ok()).collect();
        folders.sort();
        assert_eq!(FUNCTIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), folders);
    }
}
