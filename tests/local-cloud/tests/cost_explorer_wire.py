"""Asks the local cloud what an account costs, through botocore.

usage: cost_explorer_wire.py ENDPOINT MANAGEMENT_ACCOUNT MEMBER

The member costs 12.3456 US dollars a month.
"""

import sys

from wire import Checked


def main(endpoint, management, member):
    call = Checked("ce", endpoint, management)
    month = {"Start": "2026-10-01", "End": "2026-11-01"}
    asked = {
        "Granularity": "MONTHLY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}],
        "Filter": {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [member, "000000000000"]}},
    }
    (result,) = call("GetCostAndUsage", TimePeriod=month, **asked)["ResultsByTime"]
    (group,) = result["Groups"]
    assert result["TimePeriod"] == month and group["Keys"] == [member], result
    assert group["Metrics"]["UnblendedCost"] == {"Amount": "12.3456", "Unit": "USD"}, group
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
