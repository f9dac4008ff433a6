"""Keeps the template of quotas of an organization of the local cloud through botocore.

usage: service_quotas_wire.py ENDPOINT MANAGEMENT_ACCOUNT
"""

import sys

from wire import Checked


def main(endpoint, account):
    call = Checked("service-quotas", endpoint, account)
    status = lambda: call("GetAssociationForServiceQuotaTemplate")["ServiceQuotaTemplateAssociationStatus"]
    assert status() == "DISASSOCIATED"
    entry = {"ServiceCode": "lambda", "QuotaCode": "L-B99A9384", "AwsRegion": "us-east-1", "DesiredValue": 1000.0}
    call("PutServiceQuotaIncreaseRequestIntoTemplate", **{**entry, "DesiredValue": 50.0})
    call("PutServiceQuotaIncreaseRequestIntoTemplate", **entry)
    listed = call("ListServiceQuotaIncreaseRequestsInTemplate")["ServiceQuotaIncreaseRequestInTemplateList"]
    assert listed == [{**entry, "GlobalQuota": False}], listed
    call("AssociateServiceQuotaTemplate")
    assert status() == "ASSOCIATED"
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
