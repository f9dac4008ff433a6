use serde_json::json;

use super::*;

fn domains() -> Vec<EmailDomain> {
    ["example.com", "new.example"].map(|domain| domain.parse().unwrap()).to_vec()
}

fn read(input: Value) -> Result<Input, Failure> {
    Input::read(input, &domains())
}

fn problems(input: Value) -> String {
    read(input).err().expect("problems").message
}

#[test]
fn every_task_has_a_sample_and_each_is_taken() {
    let modes = Mode::ALL.iter().map(|mode| mode.name());
    let ways = modes.chain(TaskName::ALL.iter().map(|task| task.name())).chain(["names", "pattern", "csv"]);
    payloads::check(crate::AccountUpdater::NAME, ways, |sample| {
        let given = ["names", "pattern", "csv"].into_iter().filter(|field| sample.payload.get(field).is_some());
        let given: Vec<_> = given.collect();
        let input = read(sample.payload)?;
        Ok::<_, Failure>(given.into_iter().chain([input.mode.name(), input.task.name()]).collect::<Vec<_>>())
    });
}

#[test]
fn nothing_said_is_a_plan_and_what_only_looks_needs_no_reason() {
    let start = read(json!({"task": "start-email-change", "account_id": "222222222222", "new_email": "a@Example.com",
        "reason": "typo"}))
    .expect("a task");
    assert_eq!((start.mode, start.asked.reason.as_str(), start.only_looks()), (Mode::Plan, "typo", true));
    let shown = read(json!({"task": "contacts", "all": true, "mode": "apply"})).expect("a task");
    assert!(shown.only_looks());
    let told = problems(json!({"task": "rename", "account_id": "222222222222", "new_name": "Shop"}));
    assert!(told.contains("reason: is missing"), "{told}");
}

#[test]
fn an_address_outside_the_domains_of_the_stack_is_refused() {
    let start = |email: &str| json!({"task": "start-email-change", "account_id": "222222222222", "new_email": email, "reason": "typo"});
    for email in ["a@example.org", "a@sub.example.com", "a@example.com.evil.example"] {
        let told = problems(start(email));
        assert!(told.contains("new_email: must be of a domain of the stack: example.com, new.example"), "{told}");
    }
    let told = Input::read(start("a@example.com"), &[]).err().expect("problems").message;
    assert!(told.contains("EmailDomains names none"), "{told}");
    let change = json!({"task": "change-email-domain", "from": "old.example", "to": "example.org", "all": true,
        "reason": "r", "pattern": "aws+{account_id}@new.example"});
    let told = problems(change);
    assert!(told.contains("to: must be a domain") && told.contains("pattern: must end in @example.org"), "{told}");
}

#[test]
fn a_wrong_input_gets_one_answer_that_names_every_problem() {
    let told = problems(json!({"task": "change-email-domain", "from": "Old", "to": "new.example", "pattern": "x",
        "account_ids": ["1"], "all": true, "mode": "now", "reason": "", "csv": 1, "otp": "a1b2c3"}));
    for path in ["from:", "pattern:", "account_ids[0]:", "$:", "mode:", "reason:", "csv:", "otp:"] {
        assert!(told.contains(path), "{path} {told}");
    }
    let told = problems(json!({"task": "set-contact", "account_ids": ["222222222222", "222222222222"],
        "contact_type": "sales", "contact": {"name": "", "title": "T", "email": "x", "phone": "y"}, "reason": "r"}));
    for path in ["account_ids[1]:", "contact_type:", "contact.name:", "contact.email:", "contact.phone:"] {
        assert!(told.contains(path), "{path} {told}");
    }
    let names = json!({"222222222222": "Shop", "333333333333": "Shop", "444444444444": "<b>"});
    let told = problems(json!({"task": "rename", "names": names, "reason": "r"}));
    assert!(told.contains("names.333333333333: must be another name") && told.contains("names.444444444444"), "{told}");
    assert!(problems(json!({"task": "rename", "reason": "r"})).contains("either account_id with new_name, or names"));
    assert!(problems(json!({"task": "close"})).contains("task: must be start-email-change, email-changes, "));
}

#[test]
fn a_code_is_in_no_refusal() {
    for input in [
        json!({"task": "accept-email-change", "account_id": "2", "otp": "S3CR3T"}),
        json!({"task": "accept-email-change", "account_id": "222222222222", "otp": "S3CR3TS"}),
        json!({"task": "accept-email-change", "account_id": "222222222222", "otp": "S3CR3T", "mode": "S3CR3T"}),
        json!({"task": "email-changes", "otp": "S3CR3T"}),
    ] {
        let told = problems(input);
        assert!(!told.contains("S3CR3T"), "{told}");
    }
}
