"""Deploys a Lambda function into the local cloud, and is that function.

As a program, `function.py ENDPOINT ACCOUNT NAME FOLDER` packs itself as the bootstrap of a custom runtime, creates a
function that may only list the roots of its organization, and waits until the function is active.
As the bootstrap it answers each event with its own identity and with what Organizations says to two calls; the event
`{"wait": true}` only when there is a file `go` in the folder. Once such an event has come, which a file `waits` shows,
no other process of the function starts.
"""

import io
import json
import os
import pathlib
import sys
import time
import urllib.request
import zipfile

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError


def client(service, **settings):
    return botocore.session.Session().create_client(service, region_name="us-east-1", **settings)


def main(endpoint, account, name, folder):
    keys = {"endpoint_url": endpoint, "aws_access_key_id": account, "aws_secret_access_key": "test"}
    iam, functions = client("iam", **keys), client("lambda", **keys)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "organizations:ListRoots", "Resource": "*"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(allowed))
    code = {"ZipFile": packed()}
    variables = {"Variables": {"FOLDER": folder}}
    functions.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Role=role,
        Code=code,
        Timeout=30,
        Environment=variables,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def packed():
    """This file as an executable named `bootstrap`, run by this interpreter."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        files.writestr(entry, f"#!{sys.executable}\n{pathlib.Path(__file__).read_text()}")
    return archive.getvalue()


def serve(runtime):
    """The loop of a custom runtime."""
    folder = pathlib.Path(os.environ["FOLDER"])
    if (folder / "waits").exists():
        sys.exit("one of us waits")
    organizations = client(
        "organizations", config=Config(user_agent_appid=os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    )
    while True:
        with urllib.request.urlopen(f"http://{runtime}/2018-06-01/runtime/invocation/next") as event:
            request = event.headers["Lambda-Runtime-Aws-Request-Id"]
            wait = json.load(event).get("wait")
        if wait:
            (folder / "waits").touch()
            while not (folder / "go").exists():
                time.sleep(0.02)
        answer = {"pid": os.getpid(), "ListRoots": outcome(organizations.list_roots)}
        answer["ListAccounts"] = outcome(organizations.list_accounts)
        url = f"http://{runtime}/2018-06-01/runtime/invocation/{request}/response"
        urllib.request.urlopen(url, data=json.dumps(answer).encode()).close()


def outcome(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "OK"


if __name__ == "__main__":
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        serve(os.environ["AWS_LAMBDA_RUNTIME_API"])
    else:
        main(*sys.argv[1:])
