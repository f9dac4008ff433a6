"""Calls every Organizations operation of the local cloud through botocore.

usage: organizations_wire.py ENDPOINT MANAGEMENT_ACCOUNT
"""

import datetime
import sys
import time

from botocore import xform_name
from wire import Checked


def rows(call, operation, name, **parameters):
    """Every row of a list, over all pages."""
    pages = call.client.get_paginator(xform_name(operation)).paginate(**parameters)
    return [row for page in pages for row in page[name]]


def policies(call, root, unit, member):
    """Policies are made, attached to a unit, changed, and taken away."""
    kind, leave = "SERVICE_CONTROL_POLICY", '{"Version": "2012-10-17", "Statement": []}'
    new = {"Name": "leave", "Description": "", "Type": kind, "Content": leave}
    made = call("CreatePolicy", **new)["Policy"]
    policy = made["PolicySummary"]["Id"]
    assert call("DescribePolicy", PolicyId=policy)["Policy"] == made
    call.refused("CreatePolicy", "DuplicatePolicyException", **new)
    call.refused("CreatePolicy", "MalformedPolicyDocumentException", **{**new, "Name": "other", "Content": "no JSON"})
    long = {**new, "Name": "long", "Content": leave + " " * 10240}
    call.refused("CreatePolicy", "ConstraintViolationException", "POLICY_CONTENT_LIMIT_EXCEEDED", **long)
    attachment = {"PolicyId": policy, "TargetId": unit["Id"]}
    call.refused("AttachPolicy", "PolicyTypeNotEnabledException", **attachment)
    enabled = call("EnablePolicyType", RootId=root["Id"], PolicyType=kind)["Root"]
    assert enabled["PolicyTypes"] == [{"Type": kind, "Status": "ENABLED"}], enabled
    call.refused("EnablePolicyType", "PolicyTypeAlreadyEnabledException", RootId=root["Id"], PolicyType=kind)
    call("AttachPolicy", **attachment)
    call.refused("AttachPolicy", "DuplicatePolicyAttachmentException", **attachment)
    call.refused("AttachPolicy", "TargetNotFoundException", PolicyId=policy, TargetId="000000000001")
    assert [row["Name"] for row in rows(call, "ListPolicies", "Policies", Filter=kind)] == ["FullAWSAccess", "leave"]
    of_unit = rows(call, "ListPoliciesForTarget", "Policies", TargetId=unit["Id"], Filter=kind)
    assert [row["Name"] for row in of_unit] == ["FullAWSAccess", "leave"], of_unit
    (target,) = rows(call, "ListTargetsForPolicy", "Targets", PolicyId=policy)
    assert (target["TargetId"], target["Type"]) == (unit["Id"], "ORGANIZATIONAL_UNIT"), target
    full = rows(call, "ListTargetsForPolicy", "Targets", PolicyId="p-FullAWSAccess")
    assert {"ROOT", "ACCOUNT", "ORGANIZATIONAL_UNIT"} == {row["Type"] for row in full}, full
    deny = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "a:B", "Resource": "*"}]}'
    assert call("UpdatePolicy", PolicyId=policy, Content=deny)["Policy"]["Content"] == deny
    immutable = {"PolicyId": "p-FullAWSAccess", "Content": deny}
    call.refused("UpdatePolicy", "InvalidInputException", "IMMUTABLE_POLICY", **immutable)
    call.refused("DeletePolicy", "PolicyInUseException", PolicyId=policy)
    call("DetachPolicy", **attachment)
    call.refused("DetachPolicy", "PolicyNotAttachedException", **attachment)
    call("DeletePolicy", PolicyId=policy)
    call.refused("DescribePolicy", "PolicyNotFoundException", PolicyId=policy)


def effective(call, root, unit, member):
    """What policies come to for an account: the nearer one wins, and the account need not be named by itself."""
    kind, made = "S3_POLICY", []
    call.refused("DescribeEffectivePolicy", "EffectivePolicyNotFoundException", PolicyType=kind, TargetId=member["Id"])
    call("EnablePolicyType", RootId=root["Id"], PolicyType=kind)
    for target, value in ((root["Id"], "none"), (unit["Id"], "all")):
        content = '{"s3_attributes": {"public_access_block_configuration": {"@@assign": "%s"}}}' % value
        new = {"Name": value, "Description": "", "Type": kind, "Content": content}
        made.append({"PolicyId": call("CreatePolicy", **new)["Policy"]["PolicySummary"]["Id"], "TargetId": target})
        call("AttachPolicy", **made[-1])
    of = lambda **target: call("DescribeEffectivePolicy", PolicyType=kind, **target)["EffectivePolicy"]["PolicyContent"]
    assert of(TargetId=member["Id"]) == '{"s3_attributes":{"public_access_block_configuration":"all"}}'
    assert "none" in of()
    call.refused("DescribeEffectivePolicy", "TargetNotFoundException", PolicyType=kind, TargetId="000000000001")
    for attachment in made:
        call("DetachPolicy", **attachment)


def main(endpoint, account):
    call = Checked("organizations", endpoint, account)
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

    principal = {"ServicePrincipal": "account.amazonaws.com"}
    call("EnableAWSServiceAccess", **principal)
    (trusted,) = call("ListAWSServiceAccessForOrganization")["EnabledServicePrincipals"]
    assert trusted["ServicePrincipal"] == principal["ServicePrincipal"], trusted
    assert isinstance(trusted["DateEnabled"], datetime.datetime), trusted
    call("RegisterDelegatedAdministrator", AccountId=member["Id"], **principal)
    (administrator,) = rows(call, "ListDelegatedAdministrators", "DelegatedAdministrators", **principal)
    assert administrator["Id"] == member["Id"], administrator
    assert isinstance(administrator["DelegationEnabledDate"], datetime.datetime), administrator
    again = {"AccountId": member["Id"], **principal}
    call.refused("RegisterDelegatedAdministrator", "AccountAlreadyRegisteredException", **again)
    reason = "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"
    own = {"AccountId": account, **principal}
    call.refused("RegisterDelegatedAdministrator", "ConstraintViolationException", reason, **own)
    call("DeregisterDelegatedAdministrator", **again)
    call.refused("DeregisterDelegatedAdministrator", "AccountNotRegisteredException", **again)
    untrusted = {"AccountId": member["Id"], "ServicePrincipal": "iam.amazonaws.com"}
    reason = "SERVICE_ACCESS_NOT_ENABLED"
    call.refused("RegisterDelegatedAdministrator", "ConstraintViolationException", reason, **untrusted)
    call("DisableAWSServiceAccess", **principal)
    assert call("ListAWSServiceAccessForOrganization")["EnabledServicePrincipals"] == []
    call.refused(
        "EnableAWSServiceAccess", "InvalidInputException", "UNRECOGNIZED_SERVICE_PRINCIPAL", ServicePrincipal="steward"
    )

    policies(call, root, unit, member)
    effective(call, root, unit, member)
    call.refused(
        "CloseAccount", "ConstraintViolationException", "CANNOT_CLOSE_MANAGEMENT_ACCOUNT", AccountId=account
    )
    call("CloseAccount", AccountId=member["Id"])
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
