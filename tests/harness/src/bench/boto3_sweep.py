"""Reads what a sweep reads, as it is written with boto3: one session per account, adaptive retries, a pool of threads.

usage: boto3_sweep.py ENDPOINT MANAGEMENT_ACCOUNT THREADS

What can be read of an account inside it is read there, in one session of its access role. Prints a line of JSON: how many
accounts were read, of how many some call failed, and the CPU-seconds of this process.
"""

import concurrent.futures
import json
import resource
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 10}, max_pool_connections=64)
# What an account may lack: an answer like any other.
ABSENT = {"NoSuchEntity", "NotFound", "ResourceNotFoundException", "NoSuchPublicAccessBlockConfiguration"}
ROLES = ["role-admin", "role-developer", "role-operator", "OrganizationAccountAccessRole"]


def present(call, **parameters):
    """The answer of a call; None where there is nothing."""
    try:
        return call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise


def read(sts, endpoint, account):
    """Reads one account."""
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="boto3", DurationSeconds=900)["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1")

    def client(service):
        return session.client(service, endpoint_url=endpoint, config=CONFIG)

    iam, contacts, cloudwatch, sns = client("iam"), client("account"), client("cloudwatch"), client("sns")
    cloudwatch.describe_alarms(AlarmNames=["steward-billing"])
    topic = f"arn:aws:sns:us-east-1:{account}:steward-billing"
    present(sns.get_topic_attributes, TopicArn=topic)
    present(sns.list_subscriptions_by_topic, TopicArn=topic)
    for kind in ("BILLING", "OPERATIONS", "SECURITY"):
        present(contacts.get_alternate_contact, AlternateContactType=kind)
    present(contacts.get_contact_information)
    contacts.list_regions(MaxResults=50)
    iam.get_account_summary()
    iam.list_account_aliases()
    present(iam.get_account_password_policy)
    for name in ROLES:
        if present(iam.get_role, RoleName=name):
            iam.list_attached_role_policies(RoleName=name)


def main(endpoint, management, threads):
    session = boto3.Session(management, "test", None, "us-east-1")
    organizations = session.client("organizations", endpoint_url=endpoint, config=CONFIG)
    tagging = session.client("resourcegroupstaggingapi", endpoint_url=endpoint, config=CONFIG)
    # The keys of a role in the environment: a root user may not assume one.
    sts = boto3.client("sts", region_name="us-east-1", endpoint_url=endpoint, config=CONFIG)
    pages = organizations.get_paginator("list_accounts").paginate()
    accounts = [account for page in pages for account in page["Accounts"] if account["Id"] != management]
    arns = [account["Arn"] for account in accounts]
    for start in range(0, len(arns), 100):
        tagging.get_resources(ResourceARNList=arns[start : start + 100])

    def one(account):
        try:
            read(sts, endpoint, account["Id"])
            return True
        except ClientError:
            return False

    with concurrent.futures.ThreadPoolExecutor(int(threads)) as pool:
        read_whole = list(pool.map(one, accounts))
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps({"accounts": len(accounts), "failed": read_whole.count(False), "cpu_seconds": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
