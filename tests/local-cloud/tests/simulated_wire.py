"""Enters a simulated account of the local cloud through botocore, and asks it everything it knows.

usage: simulated_wire.py ENDPOINT MANAGEMENT_ACCOUNT SIMULATED_ACCOUNT
"""

import json
import sys

from wire import Checked


def main(endpoint, management, account):
    sts = Checked("sts", endpoint, management)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    given = sts(
        "AssumeRole",
        RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole",
        RoleSessionName="wire",
        Policy=json.dumps(policy),
        DurationSeconds=900,
    )
    assert given["AssumedRoleUser"]["Arn"].endswith(":assumed-role/OrganizationAccountAccessRole/wire"), given
    keys = given["Credentials"]
    assert keys["Expiration"].tzinfo, keys
    session = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    iam = Checked("iam", endpoint, *session)
    aliases = iam("ListAccountAliases")
    assert aliases["AccountAliases"] == [f"steward-{account}"] and aliases["IsTruncated"] is False, aliases
    summary = iam("GetAccountSummary")["SummaryMap"]
    assert summary["AccountPasswordPresent"] in (0, 1) and summary["AccountAccessKeysPresent"] == 0, summary
    iam.refused("GetAccountPasswordPolicy", "NoSuchEntity")
    iam.refused("GetRole", "NoSuchEntity", RoleName="x")
    iam.refused("ListAttachedRolePolicies", "NoSuchEntity", RoleName="x")
    iam.refused("ListRolePolicies", "NoSuchEntity", RoleName="x")

    sns = Checked("sns", endpoint, *session)
    topic = f"arn:aws:sns:us-east-1:{account}:billing"
    sns.refused("GetTopicAttributes", "NotFound", TopicArn=topic)
    sns.refused("ListSubscriptionsByTopic", "NotFound", TopicArn=topic)

    cloudwatch = Checked("cloudwatch", endpoint, *session)
    alarms = cloudwatch("DescribeAlarms", AlarmNames=["billing"])
    assert alarms["MetricAlarms"] == [] and alarms["CompositeAlarms"] == [], alarms

    events = Checked("events", endpoint, *session)
    bus = f"arn:aws:events:us-east-1:{management}:event-bus/members"
    assert events("ListRuleNamesByTarget", TargetArn=bus)["RuleNames"] == []

    budgets = Checked("budgets", endpoint, *session)
    budget = {"AccountId": account, "BudgetName": "monthly"}
    budgets.refused("DescribeBudget", "NotFoundException", **budget)
    budgets.refused("DescribeNotificationsForBudget", "NotFoundException", **budget)

    config = Checked("config", endpoint, *session)
    assert config("DescribeConfigurationRecorderStatus")["ConfigurationRecordersStatus"] == []
    assert config("DescribeConfigurationRecorders")["ConfigurationRecorders"] == []
    assert config("DescribeDeliveryChannelStatus")["DeliveryChannelsStatus"] == []

    uxc = Checked("uxc", endpoint, *session)
    assert uxc("GetAccountCustomizations")["accountColor"] == "none"

    clients = (sts, iam, sns, cloudwatch, events, budgets, config, uxc)
    called = sorted(set().union(*(client.called for client in clients)))
    print(f"{len(called)} operations by {cloudwatch.model.resolved_protocol}: {', '.join(called)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
