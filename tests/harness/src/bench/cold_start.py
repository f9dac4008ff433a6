"""What a Python function does before its first event: import boto3, make its clients, ask for the event."""

import http.client
import os

import boto3

CLIENTS = [boto3.client(name) for name in ("organizations", "dynamodb", "sqs", "events", "sts")]

connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
connection.request("GET", "/2018-06-01/runtime/invocation/next")
connection.getresponse()
