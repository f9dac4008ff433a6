"""Prints template.yaml as AWS CloudFormation gets it: after the transform of AWS SAM, with what Globals add to each function."""

import json
import sys

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::StateMachine": "DefinitionUri"}


class Session:
    """What the translator asks a session of boto3 for."""

    region_name = "us-east-1"


template = yaml_parse(sys.stdin.read())
for resource in template["Resources"].values():
    # Where `sam package` would have put it.
    if resource["Type"] in CODE:
        resource["Properties"][CODE[resource["Type"]]] = "s3://bucket/key"
print(json.dumps(Translator({}, Parser(), boto_session=Session()).translate(template, {})))
