use super::*;

const TOPIC: &str = "arn:aws:sns:us-east-1:222222222222:DefaultBillingAlertTopic";

fn judged_as(policy: Option<&str>, topic_arn: &str) -> Verdict {
    let account = "222222222222".parse().unwrap();
    judge(policy, Publication { account: &account, topic_arn, alarm_name: "DefaultBillingAlarm" })
}

fn judged(statements: &Value) -> Verdict {
    judged_as(Some(&json!({"Version": "2008-10-17", "Statement": statements}).to_string()), TOPIC)
}

/// The policy that a topic begins with.
fn first() -> Value {
    json!({"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:Publish"], "Resource": TOPIC,
        "Condition": {"StringEquals": {"AWS:SourceOwner": "222222222222"}}})
}

fn allow(member: &str, value: Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": {"Service": CLOUDWATCH}, "Action": "sns:Publish",
        "Resource": TOPIC});
    statement[member] = value;
    statement
}

/// A statement that denies, and has these members beside or in place of the usual ones; null takes one away.
fn deny(members: &Value) -> Value {
    let mut statement =
        json!({"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": TOPIC});
    for (member, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(statement.as_object_mut().unwrap().remove(member)),
            value => statement[member] = value.clone(),
        }
    }
    statement
}

fn added(verdict: Verdict) -> Value {
    let Verdict::Missing { policy } = verdict else { panic!("{verdict:?}") };
    serde_json::from_str(&policy).unwrap()
}

#[test]
fn a_policy_that_lets_cloudwatch_publish_is_left_alone() {
    let alarms = "arn:aws:cloudwatch:us-east-1:222222222222:alarm:*";
    for statement in [
        first(),
        allow("Principal", json!({"Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]})),
        allow("Action", json!(["sns:Subscribe", "SNS:Pub*"])),
        allow("Action", json!("s?s:*lish")),
        allow("Action", json!("*")),
        allow("Resource", json!("*")),
        allow("Resource", json!("arn:aws:sns:*:222222222222:Default*")),
        allow("Condition", json!({"ArnLike": {"aws:SourceArn": alarms}})),
        allow(
            "Condition",
            json!({"StringLike": {"aws:SourceArn": ["x", alarms]}, "Bool": {"aws:SecureTransport": true}}),
        ),
        allow("Condition", json!({"StringEqualsIfExists": {"aws:SourceAccount": "222222222222"}})),
        allow("Condition", json!({"Null": {"aws:SourceAccount": "false"}})),
        allow("Condition", json!({})),
    ] {
        assert_eq!(judged(&json!([statement])), Verdict::Allowed, "{statement}");
        assert_eq!(judged(&statement), Verdict::Allowed, "{statement} as the only one");
    }
}

#[test]
fn a_policy_that_leaves_cloudwatch_out_gets_a_statement_and_keeps_its_own() {
    let other_alarm = "arn:aws:cloudwatch:us-east-1:222222222222:alarm:Other";
    for statement in [
        allow("Principal", json!({"Service": "budgets.amazonaws.com"})),
        allow("Principal", json!({"AWS": "arn:aws:iam::222222222222:root"})),
        allow("Action", json!("sns:Subscribe")),
        allow("Action", json!("sns:Publish?")),
        allow("Resource", json!("arn:aws:sns:us-east-1:222222222222:Other")),
        allow("Condition", json!({"StringEquals": {"AWS:SourceOwner": "333333333333"}})),
        allow("Condition", json!({"ArnEquals": {"aws:SourceArn": other_alarm}})),
        // Perhaps it allows; one that certainly does costs nothing.
        allow("Condition", json!({"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}})),
        allow("Condition", json!({"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}})),
    ] {
        let policy = added(judged(&json!([statement])));
        assert_eq!(policy["Version"], "2008-10-17");
        assert_eq!(policy["Statement"][0], statement);
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 2, "{policy}");
        assert_eq!(judged(&policy["Statement"]), Verdict::Allowed, "{policy}");
    }
    assert_eq!(added(judged_as(Some("{}"), TOPIC))["Statement"][0]["Sid"], "CloudWatchPublishes");
}

#[test]
fn a_statement_that_is_added_has_a_name_of_its_own() {
    let mut narrow = allow("Condition", json!({"StringEquals": {"aws:SourceAccount": "333333333333"}}));
    narrow["Sid"] = json!("CloudWatchPublishes");
    assert_eq!(added(judged(&json!([narrow])))["Statement"][1]["Sid"], "CloudWatchPublishes2");
}

#[test]
fn a_statement_that_denies_wins_and_is_named() {
    for members in [
        json!({}),
        json!({"Principal": {"AWS": "*"}}),
        json!({"Principal": {"Service": CLOUDWATCH}}),
        json!({"Action": ["sns:Subscribe", "sns:P*"]}),
        json!({"Action": null, "NotAction": "sns:Subscribe"}),
        json!({"Principal": null, "NotPrincipal": {"AWS": "arn:aws:iam::222222222222:role/a"}}),
        json!({"Resource": null, "NotResource": "arn:aws:sns:us-east-1:222222222222:Other"}),
        json!({"Condition": {"StringNotEquals": {"aws:SourceAccount": "333333333333"}}}),
        json!({"Condition": {"ArnNotLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:222222222222:alarm:Other*"}}}),
        json!({"Condition": {"Bool": {"aws:PrincipalIsAWSService": "true"}}}),
    ] {
        let verdict = judged(&json!([first(), deny(&members)]));
        assert_eq!(verdict, Verdict::DeniedBy(vec!["the statement No".to_owned()]), "{members}");
    }
    let unnamed = deny(&json!({"Sid": null}));
    assert_eq!(judged(&json!([first(), unnamed])), Verdict::DeniedBy(vec!["statement 2".to_owned()]));
}

#[test]
fn a_statement_that_denies_something_else_does_not_matter() {
    for members in [
        json!({"Action": "sns:Subscribe"}),
        json!({"Action": null, "NotAction": ["sns:Publish", "sns:Receive"]}),
        json!({"Principal": {"AWS": "arn:aws:iam::222222222222:role/a"}}),
        json!({"Principal": null, "NotPrincipal": {"Service": [CLOUDWATCH]}}),
        json!({"Resource": "arn:aws:sns:us-east-1:222222222222:Other"}),
        json!({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
        json!({"Condition": {"StringNotEquals": {"aws:SourceAccount": ["222222222222", "333333333333"]}}}),
        // What Steward does not know does not matter beside what does not hold.
        json!({"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}),
    ] {
        assert_eq!(judged(&json!([first(), deny(&members)])), Verdict::Allowed, "{members}");
        // Nor is it taken for one that allows.
        added(judged(&json!([deny(&members)])));
    }
}

#[test]
fn a_statement_that_perhaps_denies_makes_the_policy_unreadable_and_is_named() {
    for members in [
        json!({"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}}),
        json!({"Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}),
        json!({"Condition": {"StringLikes": {"aws:SourceAccount": "*"}}}),
        json!({"Condition": {"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}}}),
        json!({"Condition": {"ArnLike": {"aws:SourceArn": "*"}}}),
        json!({"Condition": "always"}),
        json!({"Principal": {"AWS": "222222222222"}}),
        json!({"Principal": null}),
        json!({"Action": null}),
        json!({"Resource": "arn:aws:sns:us-east-1:${aws:SourceAccount}:*"}),
    ] {
        let Verdict::Unreadable(why) = judged(&json!([first(), deny(&members)])) else { panic!("{members}") };
        assert!(why.starts_with("the statement No of the topic's policy"), "{why}");
    }
    let neither = allow("Effect", json!("allow"));
    let Verdict::Unreadable(why) = judged(&json!([first(), neither])) else { panic!() };
    assert_eq!(why, "statement 2 of the topic's policy neither allows nor denies");
}

#[test]
fn a_policy_that_cannot_be_read_or_is_not_there_is_never_taken_for_a_good_one() {
    for policy in
        [None, Some(""), Some("{"), Some("[]"), Some(r#"{"Statement": "all"}"#), Some(r#"{"Statement": ["all"]}"#)]
    {
        let verdict = judged_as(policy, TOPIC);
        assert!(matches!(verdict, Verdict::Unreadable(_)), "{policy:?} {verdict:?}");
    }
}

#[test]
fn the_partition_and_the_region_are_those_of_the_topic() {
    let topic = "arn:aws-cn:sns:cn-north-1:222222222222:T";
    let of = |alarm: &str| {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": topic,
            "Condition": {"ArnEquals": {"aws:SourceArn": alarm}}});
        judged_as(Some(&json!({"Statement": [statement]}).to_string()), topic)
    };
    assert_eq!(of("arn:aws-cn:cloudwatch:cn-north-1:222222222222:alarm:DefaultBillingAlarm"), Verdict::Allowed);
    added(of("arn:aws:cloudwatch:us-east-1:222222222222:alarm:DefaultBillingAlarm"));
}
