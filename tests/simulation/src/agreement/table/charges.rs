//! What is asked in a member about what it is charged: the alarm and the budget.

use serde_json::{Value, json};

use crate::agreement::row::Row;

const COMPARES: &str = "MiniStack sets an alarm that compares with nothing";
const UNSAID: &str = "MiniStack shows what nobody has said; a put that sends it along changes nothing";
const CHARGES: &str = "AWS says which charges count where nobody did (API reference, `CostTypes`); MiniStack does not";

pub(super) fn rows() -> Vec<Row> {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
        "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "budgets:ViewBudget", "budgets:ModifyBudget"]}]});
    let entered =
        super::assume("the role of a member is entered to limit its charges", "200000000001", &policy.to_string());
    let mut rows = vec![entered.keeps("charges session", "/members/Credentials")];
    rows.extend(alarms());
    rows.extend(budgets());
    rows
}

fn alarms() -> Vec<Row> {
    let ask =
        |says, operation, parameters: Value| Row::new(says, "cloudwatch", operation, parameters).by("charges session");
    let alarm = |threshold: f64| {
        json!({"AlarmName": "billing-alarm", "Namespace": "AWS/Billing", "MetricName": "EstimatedCharges",
            "Dimensions": [{"Name": "Currency", "Value": "USD"}], "Statistic": "Maximum", "Period": 21600,
            "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": threshold,
            "AlarmActions": ["arn:aws:sns:us-east-1:200000000001:billing-alarm"], "ActionsEnabled": true,
            "OKActions": [], "InsufficientDataActions": []})
    };
    let shown = |says| {
        let row = ask(says, "DescribeAlarms", json!({"AlarmNames": ["billing-alarm"]}));
        row.differs("members.MetricAlarms[].AlarmDescription", UNSAID)
            .differs("members.MetricAlarms[].TreatMissingData", UNSAID)
    };
    let mut without = alarm(100.0);
    without.as_object_mut().expect("an alarm").remove("ComparisonOperator");
    vec![
        ask("there is no alarm", "DescribeAlarms", json!({"AlarmNames": ["billing-alarm"]})),
        ask("an alarm is set", "PutMetricAlarm", alarm(100.0)),
        shown("it is there"),
        ask("it is set to more", "PutMetricAlarm", alarm(250.5)),
        shown("it is as it was set last"),
        ask("an alarm compares with something", "PutMetricAlarm", without)
            .refused("ValidationError")
            .differs("code", COMPARES)
            .differs("status", COMPARES),
    ]
}

fn budgets() -> Vec<Row> {
    const NAME: &str = "account-budget";
    let ask = |says, operation, mut parameters: Value| {
        parameters["AccountId"] = "200000000001".into();
        Row::new(says, "budgets", operation, parameters).by("charges session")
    };
    let of = |mut more: Value| {
        more["BudgetName"] = NAME.into();
        more
    };
    let budget = |amount: &str| {
        json!({"BudgetName": NAME, "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": amount, "Unit": "USD"}})
    };
    let over = |percentage: u32| {
        json!({"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": percentage,
            "ThresholdType": "PERCENTAGE"})
    };
    let person = |name: &str| json!({"SubscriptionType": "EMAIL", "Address": format!("{name}@example.com")});
    let create = json!({"Budget": budget("100.0"),
        "NotificationsWithSubscribers": [{"Notification": over(80), "Subscribers": [person("owner")]}]});
    let tell = |percentage: u32| of(json!({"Notification": over(percentage), "Subscribers": [person("owner")]}));
    let also = |percentage: u32| of(json!({"Notification": over(percentage), "Subscriber": person("team")}));
    let who = |percentage: u32| of(json!({"Notification": over(percentage)}));
    vec![
        ask("there is no budget", "DescribeBudget", of(json!({}))).refused("NotFoundException"),
        ask("nobody is told of no budget", "DescribeNotificationsForBudget", of(json!({})))
            .refused("NotFoundException"),
        ask("what is not there is not changed", "UpdateBudget", json!({"NewBudget": budget("1.0")}))
            .refused("NotFoundException"),
        ask("a budget is made", "CreateBudget", create.clone()),
        ask("it is not made twice", "CreateBudget", create).refused("DuplicateRecordException"),
        ask("it is there", "DescribeBudget", of(json!({"ShowFilterExpression": true})))
            .differs("members.Budget.CostTypes", CHARGES),
        ask("somebody is told of it", "DescribeNotificationsForBudget", of(json!({}))),
        ask("that is the owner", "DescribeSubscribersForNotification", who(80)),
        ask("of another threshold nobody is told", "DescribeSubscribersForNotification", who(90))
            .refused("NotFoundException"),
        ask("somebody is told of more", "CreateNotification", tell(100)),
        ask("not twice", "CreateNotification", tell(100)).refused("DuplicateRecordException"),
        ask("somebody else is told", "CreateSubscriber", also(100)),
        ask("that is not twice either", "CreateSubscriber", also(100)).refused("DuplicateRecordException"),
        ask("two are told", "DescribeSubscribersForNotification", who(100)),
        ask("the budget is raised", "UpdateBudget", json!({"NewBudget": budget("200.0")})),
        ask("it is as it was raised", "DescribeBudget", of(json!({"ShowFilterExpression": true})))
            .differs("members.Budget.CostTypes", CHARGES),
        ask("whom it tells stays", "DescribeNotificationsForBudget", of(json!({}))),
    ]
}
