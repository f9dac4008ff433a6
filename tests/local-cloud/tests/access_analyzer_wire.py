"""Has the local cloud look at policies through botocore.

usage: access_analyzer_wire.py ENDPOINT ACCOUNT
"""

import json
import sys

from wire import Checked


def main(endpoint, account):
    call = Checked("accessanalyzer", endpoint, account)

    def findings(key, kind="SERVICE_CONTROL_POLICY"):
        statement = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {key: "x"}}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return call("ValidatePolicy", policyDocument=policy, policyType=kind)["findings"]

    assert findings("aws:PrincipalOrgID") == findings("aws:PrincipalTag/team") == findings("s3:prefix") == []
    (found,) = findings("aws:PrincipalOrgIdentifier", "RESOURCE_CONTROL_POLICY")
    assert (found["findingType"], found["issueCode"]) == ("ERROR", "INVALID_GLOBAL_CONDITION_KEY"), found
    assert {"index": 0} in found["locations"][0]["path"], found
    no_json = {"policyDocument": "{", "policyType": "SERVICE_CONTROL_POLICY"}
    call.refused("ValidatePolicy", "ValidationException", "other", **no_json)
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
