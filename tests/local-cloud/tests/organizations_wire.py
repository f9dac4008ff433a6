"""Calls every Organizations operation of the local cloud through botocore.

botocore validates what is sent, parses what comes back, and knows every member and error of the model; an answer with
a member that the model does not have, or an error that the operation does not declare, fails the run.

usage: organizations_wire.py ENDPOINT MANAGEMENT_ACCOUNT
"""

import datetime
import json
import sys
import time

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError


class Checked:
    """An Organizations client that compares each answer with the model."""

    def __init__(self, endpoint, account):
        session = botocore.session.Session()
        self.client = session.create_client(
            "organizations",
            region_name="us-east-1",
            endpoint_url=endpoint,
            aws_access_key_id=account,
            aws_secret_access_key="test",
            config=Config(retries={"mode": "standard", "max_attempts": 10}),
        )
        self.model = self.client.meta.service_model
        self.raw = None
        self.called = set()
        self.client.meta.events.register("after-call.organizations", self._parsed)
        self.client.meta.events.register("response-received.organizations", self._received)

    def _received(self, response_dict, **_):
        if response_dict is not None:
            self.raw = json.loads(response_dict["body"])

    def _parsed(self, model, parsed, **_):
        self.called.add(model.name)
        if "Error" not in parsed:
            compare(model.name, model.output_shape, self.raw)

    def __call__(self, operation, **parameters):
        return self.client._make_api_call(operation, parameters)

    def refused(self, operation, code, reason=None, **parameters):
        try:
            self(operation, **parameters)
        except ClientError as error:
            actual = error.response["Error"]["Code"]
            assert actual == code, f"{operation}: {actual} instead of {code}: {error}"
            assert error.response["Error"]["Message"], f"{operation}: {code} without a message"
            assert error.response.get("Reason") == reason, f"{operation}: {error.response}"
            declared = {shape.name for shape in self.model.operation_model(operation).error_shapes}
            assert code in declared, f"{operation} does not declare {code}"
            shape = self.model.shape_for(code)
            extra = set(self.raw) - set(shape.members) - {"__type"}
            assert not extra, f"{code} has no {extra}"
            if reason:
                assert reason in shape.members["Reason"].enum, f"{reason} is no reason of {code}"
        else:
            raise AssertionError(f"{operation} should have been refused with {code}")


def compare(where, shape, value):
    """Fails when a value has members, types or words that the model does not have."""
    if shape is None:
        assert value in ({}, None), f"{where}: {value}"
    elif shape.type_name == "structure":
        extra = set(value) - set(shape.members)
        assert not extra, f"{where} has no {extra}"
        missing = {name for name in shape.required_members if name not in value}
        assert not missing, f"{where} lacks {missing}"
        for name, member in value.items():
            compare(f"{where}.{name}", shape.members[name], member)
    elif shape.type_name == "list":
        for member in value:
            compare(f"{where}[]", shape.member, member)
    elif shape.type_name == "timestamp":
        assert isinstance(value, (int, float)), f"{where}: {value!r} is no timestamp"
    elif shape.type_name == "string":
        assert isinstance(value, str), f"{where}: {value!r} is no string"
        allowed = getattr(shape, "enum", None)
        assert not allowed or value in allowed, f"{where}: {value} is none of {allowed}"
    else:
        raise AssertionError(f"{where}: {shape.type_name} is not compared yet")


def rows(call, operation, name, **parameters):
    """Every row of a list, over all pages."""
    pages = call.client.get_paginator(xform_name(operation)).paginate(**parameters)
    return [row for page in pages for row in page[name]]


def main(endpoint, account):
    call = Checked(endpoint, account)
    call.refused("ListAccounts", "AWSOrganizationsNotInUseException")
    organization = call("CreateOrganization", FeatureSet="ALL")["Organization"]
    call.refused("CreateOrganization", "AlreadyInOrganizationException")
    assert call("DescribeOrganization")["Organization"] == organization

    (root,) = rows(call, "ListRoots", "Roots")
    tags = [{"Key": "owner", "Value": "platform"}]
    unit = call("CreateOrganizationalUnit", ParentId=root["Id"], Name="Workloads", Tags=tags)["OrganizationalUnit"]
    same = {"ParentId": root["Id"], "Name": "Workloads"}
    call.refused("CreateOrganizationalUnit", "DuplicateOrganizationalUnitException", **same)
    described = call("DescribeOrganizationalUnit", OrganizationalUnitId=unit["Id"])["OrganizationalUnit"]
    assert described == unit, described
    gone = "ou-gone-00000000"
    call.refused("DescribeOrganizationalUnit", "OrganizationalUnitNotFoundException", OrganizationalUnitId=gone)
    assert call("ListOrganizationalUnitsForParent", ParentId=root["Id"])["OrganizationalUnits"] == [unit]
    call.refused("ListOrganizationalUnitsForParent", "ParentNotFoundException", ParentId=gone)

    status = call("CreateAccount", Email="wire@example.com", AccountName="Wire", Tags=tags)["CreateAccountStatus"]
    assert isinstance(status["RequestedTimestamp"], datetime.datetime), status
    deadline = time.monotonic() + 20
    while status["State"] == "IN_PROGRESS":
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
        status = call("DescribeCreateAccountStatus", CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    assert status["State"] == "SUCCEEDED", status
    unknown = "car-00000000000000000000000000000000"
    call.refused(
        "DescribeCreateAccountStatus", "CreateAccountStatusNotFoundException", CreateAccountRequestId=unknown
    )
    call.refused("CreateAccount", "InvalidInputException", "INVALID_PATTERN", Email="no address", AccountName="Wire")
    listed = call("ListCreateAccountStatus", States=["SUCCEEDED"], MaxResults=20)["CreateAccountStatuses"]
    assert [row["Id"] for row in listed] == [status["Id"]], listed
    call.refused("ListCreateAccountStatus", "InvalidInputException", "INVALID_NEXT_TOKEN", NextToken="forged")

    member = call("DescribeAccount", AccountId=status["AccountId"])["Account"]
    assert member["Name"] == "Wire" and member["State"] == "ACTIVE", member
    call.refused("DescribeAccount", "AccountNotFoundException", AccountId="000000000001")
    assert len(rows(call, "ListAccounts", "Accounts")) == 2
    assert member in call("ListAccountsForParent", ParentId=root["Id"])["Accounts"]

    parents = {"SourceParentId": root["Id"], "DestinationParentId": unit["Id"]}
    call("MoveAccount", AccountId=member["Id"], **parents)
    call.refused("MoveAccount", "DuplicateAccountException", AccountId=member["Id"], **parents)
    assert call("ListParents", ChildId=member["Id"])["Parents"] == [{"Id": unit["Id"], "Type": "ORGANIZATIONAL_UNIT"}]
    call.refused("ListParents", "ChildNotFoundException", ChildId="000000000001")
    children = call("ListChildren", ParentId=unit["Id"], ChildType="ACCOUNT")["Children"]
    assert children == [{"Id": member["Id"], "Type": "ACCOUNT"}], children

    assert call("ListTagsForResource", ResourceId=member["Id"])["Tags"] == tags
    call("TagResource", ResourceId=member["Id"], Tags=[{"Key": "tier", "Value": "1"}])
    call("UntagResource", ResourceId=member["Id"], TagKeys=["owner"])
    assert call("ListTagsForResource", ResourceId=member["Id"])["Tags"] == [{"Key": "tier", "Value": "1"}]
    call.refused("TagResource", "TargetNotFoundException", ResourceId=gone, Tags=tags)

    call.refused(
        "CloseAccount", "ConstraintViolationException", "CANNOT_CLOSE_MANAGEMENT_ACCOUNT", AccountId=account
    )
    call("CloseAccount", AccountId=member["Id"])
    print(f"{len(call.called)} operations: {', '.join(sorted(call.called))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
