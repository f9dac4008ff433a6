"""Manages the root user of a member account of the local cloud through botocore.

usage: root_access_wire.py ENDPOINT MANAGEMENT_ACCOUNT
"""

import datetime
import json
import sys

from wire import Checked

ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def user(endpoint, account):
    """The access key of a user of the management account who may do anything."""
    iam = Checked("iam", endpoint, account)
    iam("CreateUser", UserName="steward")
    iam("PutUserPolicy", UserName="steward", PolicyName="all", PolicyDocument=json.dumps(ALLOW_ALL))
    key = iam("CreateAccessKey", UserName="steward")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def main(endpoint, account):
    organizations = Checked("organizations", endpoint, account)
    members = organizations("ListAccounts")["Accounts"]
    (member,) = [row["Id"] for row in members if row["Id"] != account]

    key = user(endpoint, account)
    management = Checked("iam", endpoint, *key)
    features = management("ListOrganizationsFeatures")
    assert features["EnabledFeatures"] == ["RootCredentialsManagement", "RootSessions"], features
    for feature in features["EnabledFeatures"]:
        left = management(f"DisableOrganizations{feature}")["EnabledFeatures"]
        assert feature not in left, left
        back = management(f"EnableOrganizations{feature}")
        assert sorted(back["EnabledFeatures"]) == sorted(features["EnabledFeatures"]), back
    outside = Checked("iam", endpoint, member)
    outside.refused("ListOrganizationsFeatures", "AccountNotManagementOrDelegatedAdministratorException")

    sts = Checked("sts", endpoint, *key)

    def session(task):
        arn = {"arn": f"arn:aws:iam::aws:policy/root-task/{task}"}
        credentials = sts("AssumeRoot", TargetPrincipal=member, TaskPolicyArn=arn)["Credentials"]
        assert isinstance(credentials["Expiration"], datetime.datetime), credentials
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        return Checked("iam", endpoint, *(credentials[name] for name in names))

    audit = session("IAMAuditRootUserCredentials")
    summary = audit("GetAccountSummary")["SummaryMap"]
    assert set(summary.values()) == {1}, summary
    assert audit("GetUser")["User"]["Arn"] == f"arn:aws:iam::{member}:root"
    assert isinstance(audit("GetLoginProfile")["LoginProfile"]["CreateDate"], datetime.datetime)
    (access_key,) = audit("ListAccessKeys")["AccessKeyMetadata"]
    assert audit("GetAccessKeyLastUsed", AccessKeyId=access_key["AccessKeyId"])["AccessKeyLastUsed"]
    audit.refused("DeleteLoginProfile", "AccessDenied")

    delete = session("IAMDeleteRootUserCredentials")
    delete("DeleteAccessKey", AccessKeyId=access_key["AccessKeyId"])
    for certificate in delete("ListSigningCertificates")["Certificates"]:
        delete("DeleteSigningCertificate", CertificateId=certificate["CertificateId"])
    for device in delete("ListMFADevices")["MFADevices"]:
        delete("DeactivateMFADevice", SerialNumber=device["SerialNumber"])
    delete("DeleteLoginProfile")
    delete.refused("DeleteLoginProfile", "NoSuchEntity")
    assert set(audit("GetAccountSummary")["SummaryMap"].values()) == {0}

    create = session("IAMCreateRootUserPassword")
    assert create("CreateLoginProfile")["LoginProfile"]
    create.refused("CreateLoginProfile", "EntityAlreadyExists")
    sts.called |= management.called | audit.called | delete.called | create.called
    sts.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
