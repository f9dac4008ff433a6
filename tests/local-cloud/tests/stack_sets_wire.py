"""Looks at stack sets of the local cloud, and deploys one, through botocore.

usage: stack_sets_wire.py ENDPOINT MANAGEMENT_ACCOUNT MEMBER

The cloud has the stack sets `own`, without instances, and `units`, with a failed one in the member.
"""

import sys
import time

from wire import Checked


def main(endpoint, management, member):
    call = Checked("cloudformation", endpoint, management)
    own = call("DescribeStackSet", StackSetName="own")["StackSet"]
    assert (own["StackSetName"], own["PermissionModel"]) == ("own", "SELF_MANAGED"), own
    units = call("DescribeStackSet", StackSetName="units")["StackSet"]
    assert units["PermissionModel"] == "SERVICE_MANAGED" and len(units["OrganizationalUnitIds"]) == 1, units
    call.refused("DescribeStackSet", "StackSetNotFoundException", StackSetName="none")
    (failed,) = call("ListStackInstances", StackSetName="units", MaxResults=100)["Summaries"]
    assert failed["StackInstanceStatus"]["DetailedStatus"] == "FAILED", failed
    assert failed["StatusReason"] == "Account <1> & region", failed
    deploy = {"StackSetName": "own", "Accounts": [member], "Regions": ["us-east-1", "eu-west-1"]}
    assert call("CreateStackInstances", OperationId="once", **deploy)["OperationId"] == "once"
    call.refused("CreateStackInstances", "OperationIdAlreadyExistsException", OperationId="once", **deploy)
    call.refused("CreateStackInstances", "OperationInProgressException", OperationId="other", **deploy)
    of_member = {"StackSetName": "own", "StackInstanceAccount": member}
    first = call("ListStackInstances", MaxResults=1, **of_member)
    second = call("ListStackInstances", NextToken=first["NextToken"], **of_member)
    (one,), (other,) = first["Summaries"], second["Summaries"]
    assert {one["Region"], other["Region"]} == {"us-east-1", "eu-west-1"}
    assert one["LastOperationId"] == "once" and one["StackInstanceStatus"]["DetailedStatus"] == "PENDING", one
    names = [one["StackSetName"] for one in call("ListStackSets", Status="ACTIVE", MaxResults=100)["Summaries"]]
    assert names == ["own", "units"], names
    (only,) = call("ListStackSets", MaxResults=1)["Summaries"]
    assert only["PermissionModel"] == "SELF_MANAGED", only
    leave = {"StackSetName": "own", "Accounts": [member], "Regions": ["us-east-1"]}
    call.refused("DeleteStackInstances", "ValidationError", OperationId="out", RetainStacks=False, **leave)
    call.refused("DeleteStackInstances", "OperationInProgressException", OperationId="out", RetainStacks=True, **leave)
    call.refused("DeleteStackInstances", "OperationIdAlreadyExistsException", OperationId="once", RetainStacks=True, **leave)
    for _ in range(600):
        try:
            call("DeleteStackInstances", OperationId="out", RetainStacks=True, **leave)
            break
        except call.client.exceptions.OperationInProgressException:
            time.sleep(0.1)
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
