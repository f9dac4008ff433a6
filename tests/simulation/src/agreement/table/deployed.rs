//! What is asked in a member about what stack sets of people have put there: the recorder of AWS Config, and rules that forward.

use serde_json::{Value, json};

use crate::{agreement::row::Row, document::controls};

const CAPITALS: &str = "AWS writes it in capitals; MiniStack as the model has it";
const DELIVERS: &str = "MiniStack delivers nothing";
const TARGETS: &str = "MiniStack has no targets for a rule that is not there, and AWS no answer";

pub(super) fn rows() -> Vec<Row> {
    let ask = |says, service, operation, parameters: Value| {
        Row::new(says, service, operation, parameters).by("audit session")
    };
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
        "config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorderStatus",
        "config:DescribeDeliveryChannelStatus", "events:DescribeRule", "events:ListRuleNamesByTarget",
        "events:ListTargetsByRule"]}]});
    let forwarder = |member: &str| json!({member: controls::FORWARDER});
    let nobodys = |member: &str| json!({member: "nobodys"});
    let elsewhere = "arn:aws:events:us-east-1:111111111111:event-bus/elsewhere";
    vec![
        super::assume("the role of a member is entered to see what was deployed", "200000000001", &policy.to_string())
            .keeps("audit session", "/members/Credentials"),
        ask("there is a recorder", "config", "DescribeConfigurationRecorders", json!({})),
        ask("it records", "config", "DescribeConfigurationRecorderStatus", json!({}))
            .differs("members.ConfigurationRecordersStatus[].lastStatus", CAPITALS),
        ask("what it records is delivered", "config", "DescribeDeliveryChannelStatus", json!({}))
            .differs("members.DeliveryChannelsStatus[].configHistoryDeliveryInfo", DELIVERS)
            .differs("members.DeliveryChannelsStatus[].configStreamDeliveryInfo", DELIVERS),
        ask("two rules forward", "events", "ListRuleNamesByTarget", json!({"TargetArn": "$member bus"})),
        ask("nothing is forwarded elsewhere", "events", "ListRuleNamesByTarget", json!({"TargetArn": elsewhere})),
        ask("a rule is shown", "events", "DescribeRule", forwarder("Name")),
        ask("a rule that is not there is not shown", "events", "DescribeRule", nobodys("Name"))
            .refused("ResourceNotFoundException"),
        ask("where it forwards to", "events", "ListTargetsByRule", forwarder("Rule")),
        ask("a rule that is not there has no targets", "events", "ListTargetsByRule", nobodys("Rule"))
            .refused("ResourceNotFoundException")
            .differs("code", TARGETS)
            .differs("members.Targets", TARGETS)
            .differs("status", TARGETS),
    ]
}
