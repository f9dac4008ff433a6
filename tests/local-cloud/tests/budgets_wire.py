"""Keeps a budget in an account of the local cloud through botocore.

usage: budgets_wire.py ENDPOINT ACCOUNT
"""

import sys

from wire import Checked

NAME = {"BudgetName": "monthly"}
AT_80 = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80,
    "ThresholdType": "PERCENTAGE",
}
MAIL = {"SubscriptionType": "EMAIL", "Address": "costs@example.com"}


def main(endpoint, account):
    call = Checked("budgets", endpoint, account)
    named = NAME | {"AccountId": account}
    call.refused("DescribeBudget", "NotFoundException", **named)
    call.refused("DescribeNotificationsForBudget", "NotFoundException", **named)
    limit = {"BudgetLimit": {"Amount": "100", "Unit": "USD"}}
    budget = NAME | limit | {"TimeUnit": "MONTHLY", "BudgetType": "COST"}
    told = [{"Notification": AT_80, "Subscribers": [MAIL]}]
    call("CreateBudget", AccountId=account, Budget=budget, NotificationsWithSubscribers=told)
    call.refused("CreateBudget", "DuplicateRecordException", AccountId=account, Budget=budget)
    call("UpdateBudget", AccountId=account, NewBudget=budget | {"BudgetLimit": {"Amount": "50", "Unit": "USD"}})
    read = call("DescribeBudget", ShowFilterExpression=True, **named)["Budget"]
    assert float(read["BudgetLimit"]["Amount"]) == 50, read
    at_100 = AT_80 | {"Threshold": 100}
    call("CreateNotification", Notification=at_100, Subscribers=[MAIL], **named)
    other = MAIL | {"Address": "else@example.com"}
    call("CreateSubscriber", Notification=at_100, Subscriber=other, **named)
    assert len(call("DescribeNotificationsForBudget", **named)["Notifications"]) == 2
    found = call("DescribeSubscribersForNotification", Notification=at_100, **named)["Subscribers"]
    assert found == [MAIL, other], found
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
