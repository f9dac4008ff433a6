//! Who may do what: roles, and the policies of queues, topics and buses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use steward::table::keys;

use super::{
    functions, items, kind_of, logical_id, one_or_many, read, referred, resources, statements, statements_of, template,
};

#[test]
fn a_role_reads_of_the_documents_what_it_works_with() {
    for (role, statement) in statements(&template()) {
        let reads = one_or_many(&statement["Action"])
            .into_iter()
            .any(|action| action.as_str().is_some_and(|action| action.starts_with("s3:GetObject")));
        for resource in one_or_many(&statement["Resource"]) {
            let resource = resource["Fn::Sub"].as_str().unwrap_or_default();
            assert!(!reads || resource != "${Documents.Arn}/*", "{role} reads every document and backup");
            let is_backups = resource.contains("Backups.Arn");
            assert!(!is_backups || role == "RootTaskRunnerRole", "{role} reads backups");
        }
    }
}

#[test]
fn the_roles_that_may_put_events_on_the_bus_are_those_of_the_functions_that_the_page_of_events_names() {
    let may_put = |(role, statement): (String, Value)| {
        let puts = one_or_many(&statement["Action"]).contains(&&json!("events:PutEvents"));
        (puts && statement["Effect"] == "Allow" && statement["Resource"] == json!({"Fn::GetAtt": "Bus.Arn"}))
            .then_some(role)
    };
    let roles: BTreeSet<_> = statements(&template()).into_iter().filter_map(may_put).collect();
    let publishers = event_pages::publishers().into_iter().map(|name| format!("{}Role", logical_id(name))).collect();
    assert_eq!(roles, publishers);
}

#[test]
fn every_queue_admits_the_rules_of_this_stack_and_the_roles_that_send_to_it_and_nobody_else() {
    let template = template();
    let all = statements(&template);
    let schedules = [
        "AccountCloserAdvanceRole",
        "AccountUpdaterFollowRole",
        "ComplianceSweepDailyRole",
        "CreateAccountPollerSweepRole",
        "JumpUserManagerExpiryRole",
        "JumpUserManagerReviewRole",
    ]
    .map(ToOwned::to_owned);
    for (id, policy) in resources(&template, "AWS::SQS::QueuePolicy") {
        let statements: Vec<_> = items(&policy["PolicyDocument"]["Statement"]).collect();
        // Where no rule sends to it, nobody needs to be admitted: the functions' roles are by their own policies.
        let (deny, allow) = match statements[..] {
            [deny] => (deny, None),
            [deny, allow] => (deny, Some(allow)),
            _ => panic!("{id} has other statements"),
        };
        assert_eq!(
            (&deny["Effect"], &deny["Principal"], &deny["Action"]),
            (&json!("Deny"), &json!("*"), &json!("sqs:SendMessage"))
        );
        // Both must hold: whoever is neither a service nor one of these roles is denied.
        assert_eq!(deny["Condition"]["Bool"], json!({"aws:PrincipalIsAWSService": "false"}), "{id}");
        let queue = &deny["Resource"];
        let admitted: BTreeSet<_> = items(&deny["Condition"]["ArnNotEquals"]["aws:PrincipalArn"])
            .map(|role| referred(role).to_owned())
            .collect();
        let sends = |statement: &Value| {
            one_or_many(&statement["Action"]).contains(&&json!("sqs:SendMessage"))
                && one_or_many(&statement["Resource"]).contains(&queue)
        };
        let mut senders: BTreeSet<_> =
            all.iter().filter(|(_, statement)| sends(statement)).map(|(role, _)| role.clone()).collect();
        // The roles that SAM makes for schedules are not in the template.
        senders
            .extend(admitted.iter().filter(|role| id == "UndeliverablePolicy" && schedules.contains(*role)).cloned());
        assert_eq!(admitted, senders, "{id}: left is admitted, right sends by its policy");
        let Some(allow) = allow else { continue };
        assert_eq!(allow["Principal"], json!({"Service": "events.amazonaws.com"}), "{id}");
        assert_eq!(allow["Action"], "sqs:SendMessage", "{id}");
        let sources = &allow["Condition"]["ArnEquals"]["aws:SourceArn"];
        assert!(one_or_many(sources).into_iter().all(|rule| !referred(rule).is_empty()), "{id}");
    }
}

#[test]
fn the_topic_is_encrypted_and_admits_every_alarm_of_this_stack_and_nobody_else() {
    let template = template();
    for (id, topic) in resources(&template, "AWS::SNS::Topic") {
        assert_eq!(topic["KmsMasterKeyId"], json!({"Fn::GetAtt": "AlertsKey.Arn"}), "{id}");
    }
    let mut admitted = BTreeSet::new();
    for (id, policy) in resources(&template, "AWS::SNS::TopicPolicy") {
        for statement in items(&policy["PolicyDocument"]["Statement"]) {
            assert_eq!(statement["Principal"], json!({"Service": "cloudwatch.amazonaws.com"}), "{id}");
            let sources = one_or_many(&statement["Condition"]["ArnEquals"]["aws:SourceArn"]);
            admitted.extend(sources.into_iter().map(|alarm| referred(alarm).to_owned()));
        }
    }
    let alarms = resources(&template, "AWS::CloudWatch::Alarm").into_keys().collect();
    assert_eq!(admitted, alarms, "left may publish, right has something to say");
}

#[test]
fn the_accounts_own_bus_admits_nobody_and_that_of_the_members_events_of_aws_alone() {
    let template = template();
    let policies = resources(&template, "AWS::Events::EventBusPolicy");
    for (id, policy) in &policies {
        assert_ne!(policy["EventBusName"], "default", "{id}");
    }
    let members = &policies["MemberBusPolicy"]["Statement"];
    assert!(members["Condition"]["StringEquals"]["aws:PrincipalOrgID"].is_object());
    assert_eq!(members["Condition"]["StringLikeIfExists"], json!({"events:source": "aws.*"}));
    for (id, rule) in resources(&template, "AWS::Events::Rule") {
        let sources: Vec<_> = items(&rule["EventPattern"]["source"]).collect();
        let by_aws = sources.iter().all(|source| {
            source.as_str().or_else(|| source["prefix"].as_str()).is_some_and(|text| text.starts_with("aws."))
        });
        let bus = &rule["EventBusName"];
        if bus.is_null() || *bus == json!({"Ref": "MemberBus"}) {
            assert!(!sources.is_empty() && by_aws, "{id} hears events that others can send");
        }
        // What members may forward is not believed by the rules on the organization.
        if sources.contains(&&json!("aws.organizations")) {
            assert_eq!(rule["EventPattern"]["account"], json!([{"Ref": "AWS::AccountId"}]), "{id}");
        }
    }
}

#[test]
fn what_steward_is_excused_for_is_what_its_roles_may_do() {
    let template = template();
    let mut may: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, properties) in resources(&template, "AWS::IAM::Role") {
        for policy in items(&properties["Policies"]) {
            let name = policy["PolicyName"].as_str().expect("a name").to_owned();
            let actions = may.entry(name).or_default();
            for statement in statements_of(&policy["PolicyDocument"]) {
                for action in one_or_many(&statement["Action"]) {
                    let action = action.as_str().expect("an action");
                    let (service, call) = action.split_once(':').expect("service:Action");
                    let is_matched = matches!(service, "account" | "iam" | "organizations" | "cloudtrail")
                        || action == "sts:AssumeRoot";
                    let is_read = ["Get", "List", "Describe"].iter().any(|verb| call.starts_with(verb));
                    if is_matched && !is_read {
                        actions.insert(action.to_owned());
                    }
                }
            }
        }
    }
    // The state machine calls functions alone, and has no part in the list of roles.
    may.remove("compliance-sweep");
    let excused = steward::audit::own_roles::MAY
        .iter()
        .map(|(name, actions)| ((*name).to_owned(), actions.iter().map(|action| (*action).to_owned()).collect()));
    assert_eq!(excused.collect::<BTreeMap<String, BTreeSet<String>>>(), may, "left is excused, right is allowed");
    for function in ["ActivityAuditor", "RegionOptAuditor"] {
        let variables = &template["Resources"][function]["Properties"]["Environment"]["Variables"];
        let named_in_setting =
            items(&variables["OWN_ROLES"]["Fn::Join"][1]).map(|entry| entry["Fn::Sub"].as_str().expect("a text"));
        let named_in_setting: BTreeSet<_> = named_in_setting.filter_map(|entry| entry.split(' ').next()).collect();
        assert_eq!(
            named_in_setting,
            steward::audit::own_roles::MAY.iter().map(|(name, _)| *name).collect(),
            "{function}"
        );
    }
}

#[test]
fn of_the_tables_a_role_may_touch_the_kinds_of_items_that_it_names_and_none_may_write_the_switch() {
    let mut unnamed = keys::TABLE.iter().chain(keys::JOURNAL).map(|kind| kind.pattern()).collect::<BTreeSet<_>>();
    for (role, statement) in statements(&template()) {
        let actions: Vec<_> = one_or_many(&statement["Action"]).into_iter().filter_map(Value::as_str).collect();
        if !actions.iter().any(|action| action.starts_with("dynamodb:")) {
            continue;
        }
        if actions == ["dynamodb:Query"] {
            assert_eq!(statement["Resource"]["Fn::Sub"], "${State.Arn}/index/open-requests", "{role}");
            continue;
        }
        let kinds = match referred(&statement["Resource"]) {
            "State" => keys::TABLE,
            "Journal" => keys::JOURNAL,
            other => panic!("{role}: {other}"),
        };
        let condition = &statement["Condition"];
        let patterns = items(&condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
        let patterns: Vec<_> = patterns.map(|pattern| pattern.as_str().expect("a pattern")).collect();
        assert!(!patterns.is_empty() && patterns.is_sorted(), "{role}: {statement}");
        // Without it, a request that names no key would be allowed.
        assert_eq!(condition["Null"], json!({"dynamodb:LeadingKeys": "false"}), "{role}: {statement}");
        for pattern in patterns {
            let kind = kind_of(kinds, pattern)
                .unwrap_or_else(|| panic!("{role} may touch {pattern}, which is no kind of item"));
            unnamed.remove(&kind);
            let reads = actions == ["dynamodb:GetItem"];
            assert!(reads || kind != keys::SWITCH.key(), "{role} may turn the switch");
        }
    }
    assert!(unnamed.is_empty(), "no role may touch {unnamed:?}");
}

#[test]
fn a_role_of_a_name_in_any_account_is_assumed_in_this_organization_alone() {
    let (mut bounded, mut named) = (Vec::new(), Vec::new());
    for (role, statement) in statements(&template()) {
        let anywhere = one_or_many(&statement["Resource"])
            .into_iter()
            .any(|resource| resource["Fn::Sub"].as_str().is_some_and(|arn| arn.contains(":iam::*:role/")));
        if anywhere {
            let condition = &statement["Condition"]["Fn::If"];
            if condition.is_null() {
                named.push(role);
                continue;
            }
            // No text of CloudFormation: IAM fills it in.
            let of_organization = json!({"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}});
            assert_eq!(*condition, json!(["HasOrganization", of_organization, {"Ref": "AWS::NoValue"}]), "{role}");
            bounded.push(role);
        }
    }
    assert_eq!(bounded, ["BaselineApplierRole", "ComplianceCheckerRole"]);
    // Only in a stack whose document names the accounts, which alone are entered then.
    assert_eq!(named, ["RegionOptAuditorRole"]);
    let policies = items(
        &template()["Resources"]["RegionOptAuditorRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"],
    )
    .filter(|statement| statement["Fn::If"][0] == "NamesAccounts")
    .filter(|statement| statement["Fn::If"][1]["Action"] == "sts:AssumeRole")
    .count();
    assert_eq!(policies, 1);
}

#[test]
fn the_inline_policy_of_a_role_is_no_longer_than_iam_takes() {
    // Characters that are not white space (IAM user guide, "IAM and AWS STS quotas"). Where the template refers to a
    // resource, the policy has its ARN, which may have some hundred.
    const MOST: usize = 10_240;
    let mut lengths: BTreeMap<String, usize> = BTreeMap::new();
    for (role, statement) in statements(&template()) {
        let text = statement.to_string();
        let references = text.matches("Fn::GetAtt").count() + text.matches("\"Ref\"").count();
        *lengths.entry(role).or_default() += text.len() + 100 * references;
    }
    for (role, length) in lengths {
        assert!(length < MOST, "{role}: {length}");
    }
}

#[test]
fn every_function_has_a_role_of_its_own_with_one_inline_policy() {
    let template = template();
    let roles = resources(&template, "AWS::IAM::Role");
    for function in functions() {
        let id = logical_id(&function);
        let properties = &template["Resources"][&id]["Properties"];
        assert_eq!(properties["Role"], json!({"Fn::GetAtt": format!("{id}Role.Arn")}));
        assert!(properties["Policies"].is_null(), "{id}: what SAM makes of this is wider than it looks");
        let role = &roles[&format!("{id}Role")];
        assert!(role["ManagedPolicyArns"].is_null(), "{id}");
        let names: Vec<_> = items(&role["Policies"]).map(|policy| policy["PolicyName"].clone()).collect();
        assert_eq!(names, [json!(function)]);
    }
}

#[test]
fn root_sessions_are_opened_by_three_functions_alone_for_the_tasks_that_they_have() {
    let mut may: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (role, statement) in statements(&template()) {
        if one_or_many(&statement["Action"]).contains(&&json!("sts:AssumeRoot")) {
            assert_eq!(statement["Resource"]["Fn::Sub"], "arn:${AWS::Partition}:iam::*:root", "{role}");
            let policies = items(&statement["Condition"]["StringEquals"]["sts:TaskPolicyArn"]);
            let name = |arn: &Value| arn["Fn::Sub"].as_str().and_then(|arn| arn.rsplit('/').next()).map(Into::into);
            may.insert(role, policies.filter_map(name).collect());
        }
    }
    let (audit, delete) = ("IAMAuditRootUserCredentials", "IAMDeleteRootUserCredentials");
    let all = [audit, "IAMCreateRootUserPassword", delete, "S3UnlockBucketPolicy", "SQSUnlockQueuePolicy"];
    let expected = [
        ("BaselineApplierRole", vec![audit, delete]),
        ("ComplianceCheckerRole", vec![audit, delete]),
        ("RootTaskRunnerRole", all.to_vec()),
    ];
    let owned = |(role, tasks): &(&str, Vec<&str>)| (role.to_string(), tasks.iter().map(ToString::to_string).collect());
    assert_eq!(may, expected.iter().map(owned).collect());
}

#[test]
fn that_an_account_was_created_only_its_creator_may_say_and_requests_have_a_bus_of_their_own() {
    let template = template();
    let may_put = statements(&template).into_iter().filter(|(_, one)| one["Action"] == "events:PutEvents");
    let mut without_condition = Vec::new();
    for (role, statement) in may_put {
        assert_eq!(statement["Resource"], json!({"Fn::GetAtt": "Bus.Arn"}), "{role}");
        let conditions = &statement["Condition"];
        assert_eq!(conditions["ForAllValues:StringEquals"]["events:source"], "steward", "{role}");
        if conditions["ForAllValues:StringNotEquals"]["events:detail-type"] != "AccountCreated" {
            without_condition.push(role);
        }
    }
    assert_eq!(without_condition, ["CreateAccountPollerRole"]);

    let rules = resources(&template, "AWS::Events::Rule");
    let on =
        |bus: &str| rules.iter().filter(|(_, rule)| rule["EventBusName"] == json!({"Ref": bus})).collect::<Vec<_>>();
    assert!(on("Bus").iter().all(|(_, rule)| rule["EventPattern"]["source"] == json!(["steward"])));
    let [(_, requests)] = on("RequestBus")[..] else { panic!("one rule hears requests") };
    assert_eq!(requests["EventPattern"]["detail-type"], json!(["AccountRequested"]));
}

#[test]
fn no_action_is_a_pattern() {
    for (role, statement) in statements(&template()) {
        assert!(statement["NotAction"].is_null() && statement["NotResource"].is_null(), "{role}");
        for action in one_or_many(&statement["Action"]) {
            let (service, name) = action.as_str().and_then(|text| text.split_once(':')).expect("service:Action");
            let exact = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
            assert!(exact(service) && exact(name) && !name.is_empty(), "{role}: {action}");
        }
    }
}

#[test]
fn every_statement_for_any_resource_says_why() {
    let template = template();
    let text = read("template.yaml");
    let lines: Vec<_> = text.lines().collect();
    let mut explained = 0;
    for (above, line) in lines.iter().zip(lines.iter().skip(1)) {
        if line.trim_start().trim_start_matches("- ").trim_end_matches('"').ends_with("Resource: \"*") {
            assert!(above.trim_start().starts_with("# "), "no reason above {line}");
            explained += 1;
        }
    }
    let anywhere = |statement: &&Value| one_or_many(&statement["Resource"]).contains(&&json!("*"));
    let keys = resources(&template, "AWS::KMS::Key");
    let of_keys = keys.values().flat_map(|key| items(&key["KeyPolicy"]["Statement"])).filter(anywhere).count();
    let of_roles = statements(&template).iter().map(|(_, statement)| statement).filter(anywhere).count();
    let policies = resources(&template, "AWS::IAM::ManagedPolicy");
    let of_policies = policies.values().flat_map(|policy| statements_of(&policy["PolicyDocument"])).filter(anywhere);
    assert_eq!(of_roles + of_keys + of_policies.count(), explained, "a `*` is written in another way");
}
