//! What the rules hear: the template's own patterns, asked about events of every kind that matters.
//!
//! The evaluator knows the operators that the templates use, as "Comparison operators for use in event patterns" of the
//! EventBridge user guide has them. The local cloud's EventBridge is asked about the samples elsewhere.

use serde_json::{Value, json};

use crate::template::{items, one_or_many, referred, resources, template, template_in};

const MANAGEMENT: &str = "111111111111";
const MEMBER: &str = "222222222222";
const ACCESS_ROLE: &str = "OrganizationAccountAccessRole";

/// A pattern as it is deployed: references and names filled in.
fn deployed(value: &Value) -> Value {
    let text = |name: &str| match name {
        "AWS::AccountId" => MANAGEMENT,
        "AWS::StackName" => "steward",
        "AccessRoleName" => ACCESS_ROLE,
        "AlertsKey" => "1234abcd",
        "BaselineKey" => "baseline.yaml",
        "Documents" => "steward-documents",
        "AlertsKey.Arn" => "arn:aws:kms:us-east-1:111111111111:key/1234abcd",
        other => panic!("{other} is not known here"),
    };
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get("Ref").or_else(|| fields.get("Fn::GetAtt")) {
                return text(name.as_str().expect("a name")).into();
            }
            if let Some(sub) = fields.get("Fn::Sub").and_then(Value::as_str) {
                return sub.replace("${AWS::StackName}", "steward").into();
            }
            Value::Object(fields.iter().map(|(name, field)| (name.clone(), deployed(field))).collect())
        }
        Value::Array(items) => items.iter().map(deployed).collect(),
        other => other.clone(),
    }
}

fn matches(pattern: &Value, event: &Value) -> bool {
    pattern.as_object().expect("a pattern").iter().all(|(name, wanted)| match wanted {
        Value::Array(branches) if name == "$or" => branches.iter().any(|branch| matches(branch, event)),
        Value::Array(allowed) => allowed.iter().any(|one| fits(one, &event[name])),
        nested => matches(nested, &event[name]),
    })
}

/// Whether a field fits one of the values that are allowed. Of a list, one item has to.
fn fits(wanted: &Value, field: &Value) -> bool {
    if let Some(exists) = wanted["exists"].as_bool() {
        return exists != field.is_null();
    }
    let fields = one_or_many(field);
    fields.into_iter().filter(|field| !field.is_null()).any(|field| fits_one(wanted, field))
}

fn fits_one(wanted: &Value, field: &Value) -> bool {
    let Some((operator, operand)) = wanted.as_object().and_then(|one| one.iter().next()) else {
        return wanted == field;
    };
    let text = field.as_str().unwrap_or_default();
    let ignoring_case = operand["equals-ignore-case"].as_str();
    match (operator.as_str(), operand) {
        ("prefix", Value::String(prefix)) => text.starts_with(prefix.as_str()),
        ("prefix", _) => ignoring_case.is_some_and(|prefix| text.to_lowercase().starts_with(&prefix.to_lowercase())),
        ("suffix", Value::String(suffix)) => text.ends_with(suffix.as_str()),
        ("wildcard", Value::String(pattern)) => is_like(text, pattern),
        ("anything-but", values) => !one_or_many(values).contains(&field),
        other => panic!("the operator {other:?} is not known here"),
    }
}

fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<_> = parts.collect();
    for (position, part) in parts.iter().enumerate() {
        if position + 1 == parts.len() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}

/// The rules on a bus that match an event, by what they lead to.
fn matching_rules(template: &Value, bus: &Value, queue: &str, event: &Value) -> Vec<String> {
    let leads_there = |rule: &Value| items(&rule["Targets"]).any(|target| referred(&target["Arn"]) == queue);
    let rules = resources(template, "AWS::Events::Rule").into_iter();
    let rules = rules.filter(|(_, rule)| rule["EventBusName"] == *bus && leads_there(rule));
    rules.filter(|(_, rule)| is_matched_by(rule, event)).map(|(id, _)| id).collect()
}

/// Whether a rule matches an event: of what CloudTrail calls reading only when it asks for that.
fn is_matched_by(rule: &Value, event: &Value) -> bool {
    let matches_reads = rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
    (event["detail"]["readOnly"] != true || matches_reads) && matches(&deployed(&rule["EventPattern"]), event)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Role,
    Root,
    RootSession,
}

const EVERYBODY: [Who; 3] = [Who::Role, Who::Root, Who::RootSession];

/// What somebody does, `service:Name`, in an account.
fn event(account: &str, action: &str, who: Who, parameters: &Value) -> Value {
    let (service, name) = action.split_once(':').expect("service:Name");
    let identity = match who {
        Who::Role => json!({"type": "AssumedRole", "accountId": account}),
        Who::Root => json!({"type": "Root", "accountId": account, "accessKeyId": ""}),
        Who::RootSession => json!({"type": "Root", "accountId": account, "accessKeyId": "ASIAX"}),
    };
    let detail_type = match service {
        "signin" => "AWS Console Sign In via CloudTrail",
        _ if name.ends_with("Result") || name.starts_with("Account") => "AWS Service Event via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    json!({"source": format!("aws.{service}"), "detail-type": detail_type, "account": account, "detail": {
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "userIdentity": identity,
        "readOnly": name == "AssumeRoot", "managementEvent": true, "requestParameters": parameters}})
}

/// What is heard wherever it happens in the management account, whoever does it.
const KNOWN_ACCOUNT: &[&str] = &[
    "account:AcceptPrimaryEmailUpdate",
    "account:CloseAccount",
    "account:DeleteAlternateContact",
    "account:DisableRegion",
    "account:EnableRegion",
    "account:PutAccountName",
    "account:PutAlternateContact",
    "account:PutContactInformation",
    "account:StartPrimaryEmailUpdate",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "iam:AttachRolePolicy",
    "iam:CreateAccessKey",
    "iam:DisableOrganizationsRootCredentialsManagement",
    "iam:DisableOrganizationsRootSessions",
    "iam:EnableOrganizationsRootCredentialsManagement",
    "iam:EnableOrganizationsRootSessions",
    "iam:UpdateAssumeRolePolicy",
    "organizations:AcceptHandshake",
    "organizations:AccountDepartedOrganization",
    "organizations:AccountJoinedOrganization",
    "organizations:AttachPolicy",
    "organizations:CloseAccount",
    "organizations:CloseAccountResult",
    "organizations:CreateAccount",
    "organizations:CreateOrganizationalUnit",
    "organizations:DeleteOrganization",
    "organizations:DeleteOrganizationalUnit",
    "organizations:DeletePolicy",
    "organizations:DeregisterDelegatedAdministrator",
    "organizations:DetachPolicy",
    "organizations:DisableAWSServiceAccess",
    "organizations:DisablePolicyType",
    "organizations:EnableAWSServiceAccess",
    "organizations:InviteAccountToOrganization",
    "organizations:LeaveOrganization",
    "organizations:MoveAccount",
    "organizations:PutResourcePolicy",
    "organizations:RegisterDelegatedAdministrator",
    "organizations:RemoveAccountFromOrganization",
    "organizations:TagResource",
    "organizations:UntagResource",
    "organizations:UpdateOrganizationalUnit",
    "organizations:UpdatePolicy",
    "s3:PutBucketPolicy",
    "signin:ConsoleLogin",
    "signin:EmailUpdated",
    "signin:PasswordRecoveryCompleted",
    "signin:PasswordRecoveryRequested",
    "signin:PasswordUpdated",
    "sts:AssumeRoot",
];

/// What is not heard of whom, and why. In the management account.
const EXCEPTIONS: &[(&str, Who, &str)] = &[
    ("s3:PutBucketPolicy", Who::Role, "what people do with resources that are not Steward's is not about accounts"),
    ("signin:ConsoleLogin", Who::Role, "people sign in day by day"),
    ("signin:EmailUpdated", Who::Role, "only root users have these"),
    ("signin:PasswordRecoveryCompleted", Who::Role, "only root users have these"),
    ("signin:PasswordRecoveryRequested", Who::Role, "only root users have these"),
    ("signin:PasswordUpdated", Who::Role, "only root users have these"),
];

/// The same in a member account.
const MEMBER_EXCEPTIONS: &[(&str, Who, &str)] = &[
    ("cloudtrail:DeleteTrail", Who::Role, "the organization's trail is not the members' to change"),
    ("cloudtrail:PutEventSelectors", Who::Role, "the organization's trail is not the members' to change"),
    ("cloudtrail:StopLogging", Who::Role, "the organization's trail is not the members' to change"),
    ("cloudtrail:UpdateTrail", Who::Role, "the organization's trail is not the members' to change"),
    ("iam:AttachRolePolicy", Who::Role, "what members allow whom is theirs, but for the access role"),
    ("iam:CreateAccessKey", Who::Role, "what members allow whom is theirs"),
    ("iam:DisableOrganizationsRootCredentialsManagement", Who::Role, "only the management account can, and hears it"),
    ("iam:DisableOrganizationsRootSessions", Who::Role, "only the management account can, and hears it"),
    ("iam:EnableOrganizationsRootCredentialsManagement", Who::Role, "only the management account can, and hears it"),
    ("iam:EnableOrganizationsRootSessions", Who::Role, "only the management account can, and hears it"),
    ("iam:UpdateAssumeRolePolicy", Who::Role, "what members allow whom is theirs, but for the access role"),
];

fn excused(exceptions: &[(&str, Who, &str)], action: &str, who: Who) -> bool {
    exceptions.iter().any(|(name, whose, why)| (*name, *whose) == (action, who) && !why.is_empty())
}

/// What the members' stack forwards.
fn forwarded(event: &Value) -> bool {
    let stack = template_in("stacks/member-events.yaml");
    resources(&stack, "AWS::Events::Rule").into_values().any(|rule| is_matched_by(&rule, event))
}

#[test]
fn the_control_that_looks_for_the_members_rules_knows_what_they_match() {
    let entered_by = steward::ids::RoleName::organization_account_access();
    let wanted = steward::control::member_events::wanted(&entered_by);
    let stack = template_in("stacks/member-events.yaml");
    let mut left: Vec<_> = resources(&stack, "AWS::Events::Rule").into_values().collect();
    for wanted in wanted {
        let position = left.iter().position(|rule| {
            let pattern = rule["EventPattern"].to_string();
            let pattern = pattern.replace(r#"{"Ref":"AccessRoleName"}"#, &json!(entered_by).to_string());
            serde_json::from_str::<Value>(&pattern).expect("a pattern") == wanted.pattern
        });
        let rule = left.remove(position.unwrap_or_else(|| panic!("no rule matches {}", wanted.pattern)));
        let is_off = rule["State"].as_str().is_some_and(|word| word != "ENABLED");
        assert_eq!(is_off, wanted.all_calls, "{rule}");
    }
    assert!(left.is_empty(), "the control does not look for {left:?}");
}

fn member_bus() -> Value {
    json!({"Ref": "MemberBus"})
}

#[test]
fn everything_that_matters_in_the_management_account_reaches_one_rule_or_stands_in_the_list_of_exceptions() {
    let template = template();
    for action in KNOWN_ACCOUNT {
        for who in EVERYBODY {
            let event = event(MANAGEMENT, action, who, &json!({}));
            let rules = matching_rules(&template, &Value::Null, "ActivityQueue", &event);
            let expected = usize::from(!excused(EXCEPTIONS, action, who));
            assert_eq!(rules.len(), expected, "{action} by {who:?} reaches {rules:?}");
        }
    }
}

#[test]
fn everything_that_matters_in_a_member_account_is_forwarded_and_matched_or_stands_in_the_list_of_exceptions() {
    let template = template();
    let names = KNOWN_ACCOUNT
        .iter()
        .filter(|action| !action.ends_with("Result") && !action.starts_with("organizations:Account"));
    for action in names {
        for who in EVERYBODY {
            let event = event(MEMBER, action, who, &json!({}));
            let is_expected = !excused(EXCEPTIONS, action, who) && !excused(MEMBER_EXCEPTIONS, action, who);
            assert_eq!(forwarded(&event), is_expected, "{action} by {who:?}");
            let rules = matching_rules(&template, &member_bus(), "ActivityQueue", &event);
            assert!(!is_expected || rules == ["MemberActivityRule"], "{action} by {who:?} reaches {rules:?}");
            // The management account's own bus believes none of it.
            assert!(matching_rules(&template, &Value::Null, "ActivityQueue", &event).is_empty(), "{action} by {who:?}");
        }
    }
}

#[test]
fn a_member_that_closes_itself_is_noticed_whoever_does_it() {
    let template = template();
    for who in EVERYBODY {
        let closed = event(MEMBER, "account:CloseAccount", who, &Value::Null);
        assert!(forwarded(&closed));
        assert_eq!(matching_rules(&template, &member_bus(), "ActivityQueue", &closed), ["MemberActivityRule"]);
    }
}

#[test]
fn a_change_of_the_access_role_of_a_member_is_forwarded_and_matched_and_of_another_role_is_not() {
    let template = template();
    for (role, is_matched) in [(ACCESS_ROLE, true), ("Developer", false)] {
        let changed = event(MEMBER, "iam:UpdateAssumeRolePolicy", Who::Role, &json!({"roleName": role}));
        assert_eq!(forwarded(&changed), is_matched, "{role}");
        assert_eq!(
            !matching_rules(&template, &member_bus(), "ActivityQueue", &changed).is_empty(),
            is_matched,
            "{role}"
        );
    }
}

#[test]
fn news_of_regions_reach_the_region_auditor_from_both_buses_and_the_activity_auditor_from_none() {
    let template = template();
    for (account, bus) in [(MANAGEMENT, Value::Null), (MEMBER, member_bus())] {
        let news = json!({"source": "aws.account", "detail-type": "Region Opt-In Status Change", "account": account,
            "detail": {"accountId": MEMBER, "regionName": "eu-south-1", "status": "ENABLED"}});
        assert_eq!(matching_rules(&template, &bus, "RegionAuditQueue", &news).len(), 1, "{account}");
        assert!(matching_rules(&template, &bus, "ActivityQueue", &news).is_empty(), "{account}");
        assert!(account == MANAGEMENT || forwarded(&news));
        let call = event(account, "account:EnableRegion", Who::Role, &json!({"regionName": "eu-south-1"}));
        assert_eq!(matching_rules(&template, &bus, "RegionAuditQueue", &call).len(), 1, "{account}");
    }
}

#[test]
fn a_new_account_is_believed_from_the_management_account_alone() {
    let template = template();
    for (account, bus, is_believed) in
        [(MANAGEMENT, Value::Null, true), (MEMBER, Value::Null, false), (MEMBER, member_bus(), false)]
    {
        let joined = event(account, "organizations:AccountJoinedOrganization", Who::Role, &json!({}));
        assert_eq!(!matching_rules(&template, &bus, "BaselineQueue", &joined).is_empty(), is_believed, "{account}");
        for name in steward::audit::cloudtrail::REARRANGING {
            let happened = event(account, &format!("organizations:{name}"), Who::Role, &json!({}));
            let matching = matching_rules(&template, &bus, "BaselineQueue", &happened);
            assert_eq!(!matching.is_empty(), is_believed, "{account} {name}");
        }
        let created = event(account, "organizations:CreateAccountResult", Who::Role, &json!({}));
        assert_eq!(
            !matching_rules(&template, &bus, "AccountCreationQueue", &created).is_empty(),
            is_believed,
            "{account}"
        );
    }
}

#[test]
fn changes_of_stewards_own_resources_are_matched_and_of_others_and_its_daily_work_are_not() {
    let template = template();
    let is_matched = |action: &str, parameters: &Value| {
        let event = event(MANAGEMENT, action, Who::Role, parameters);
        !matching_rules(&template, &Value::Null, "ActivityQueue", &event).is_empty()
    };
    for (action, parameters) in [
        ("lambda:UpdateFunctionCode20150331v2", json!({"functionName": "steward-ActivityAuditor-1A"})),
        (
            "lambda:DeleteFunction20150331",
            json!({"functionName": "arn:aws:lambda:us-east-1:1:function:steward-Notifier-1"}),
        ),
        ("events:DisableRule", json!({"name": "steward-RootSignInRule-1A"})),
        ("events:RemoveTargets", json!({"rule": "steward-RootSignInRule-1A"})),
        ("scheduler:DeleteSchedule", json!({"name": "steward-ComplianceSweepDaily-1A"})),
        ("sqs:PurgeQueue", json!({"queueUrl": "https://sqs.us-east-1.amazonaws.com/1/steward-ActivityQueue-1A"})),
        ("sns:Unsubscribe", json!({"subscriptionArn": "arn:aws:sns:us-east-1:1:steward-Alerts-1A:2B"})),
        ("s3:DeleteBucket", json!({"bucketName": "steward-documents-1a"})),
        ("dynamodb:DeleteTable", json!({"tableName": "steward-State-1A"})),
        ("kms:DisableKey", json!({"keyId": "1234abcd"})),
        ("states:UpdateStateMachine", json!({"stateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:steward"})),
        ("logs:DeleteLogGroup", json!({"logGroupName": "/aws/lambda/steward/notifier"})),
        ("monitoring:DeleteAlarms", json!({"alarmNames": ["x", "steward-UndeliverableAlarm-1A"]})),
        ("cloudformation:DeleteStack", json!({"stackName": "arn:aws:cloudformation:us-east-1:1:stack/steward/2"})),
        // Its roles.
        ("iam:PutRolePolicy", json!({"roleName": "steward-NotifierRole-1A"})),
    ] {
        assert!(is_matched(action, &parameters), "{action} {parameters}");
    }
    for (action, parameters) in [
        ("lambda:UpdateFunctionCode20150331v2", json!({"functionName": "shop-Checkout-1A"})),
        ("kms:DisableKey", json!({"keyId": "another"})),
        ("states:StartExecution", json!({"stateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:steward"})),
        ("logs:CreateLogStream", json!({"logGroupName": "/aws/lambda/steward/notifier"})),
    ] {
        assert!(!is_matched(action, &parameters), "{action} {parameters}");
    }
}
