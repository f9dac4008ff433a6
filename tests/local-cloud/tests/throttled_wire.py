"""Prints, as JSON, the error code that botocore reads from the answer of one call per protocol.

usage: throttled_wire.py ENDPOINT ACCOUNT
"""

import json
import sys

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

CALLS = {
    "cloudwatch": "describe_alarms",
    "dynamodb": "list_tables",
    "lambda": "list_functions",
    "organizations": "list_roots",
    "s3": "list_buckets",
    "sts": "get_caller_identity",
}


def code(service, operation, endpoint, account):
    client = botocore.session.Session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=account,
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        getattr(client, operation)()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


if __name__ == "__main__":
    json.dump({service: code(service, operation, *sys.argv[1:]) for service, operation in CALLS.items()}, sys.stdout)
