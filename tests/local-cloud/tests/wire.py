"""Compares what the local cloud sends with the models that botocore comes with."""

import json

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

# Errors of any service, which no operation declares.
COMMON = {"AccessDenied", "ValidationError"}


class Checked:
    """A client that compares each answer with the model of its service.

    botocore validates what is sent, parses what comes back, and knows every member and error of the model; an answer
    with a member that the model does not have, or an error that the operation does not declare, fails the run.
    """

    def __init__(self, service, endpoint, key, secret="test", token=None):
        self.client = botocore.session.Session().create_client(
            service,
            region_name="us-east-1",
            endpoint_url=endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"mode": "standard", "max_attempts": 10}),
        )
        self.model = self.client.meta.service_model
        self.raw = None
        self.called = set()
        events = self.model.service_id.hyphenize()
        self.client.meta.events.register(f"after-call.{events}", self._parsed)
        self.client.meta.events.register(f"response-received.{events}", self._received)

    def _received(self, response_dict, **_):
        if response_dict is not None:
            # XML is left to the parser, which takes what the model knows.
            is_json = "json" in response_dict["headers"].get("content-type", "")
            self.raw = json.loads(response_dict["body"]) if is_json else None

    def _parsed(self, model, parsed, **_):
        self.called.add(model.name)
        if "Error" not in parsed and self.raw is not None:
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
            given = error.response.get("Reason", error.response.get("reason"))
            assert given == reason, f"{operation}: {error.response}"
            declared = {shape.error_code: shape for shape in self.model.operation_model(operation).error_shapes}
            assert code in declared or code in COMMON, f"{operation} does not declare {code}"
            if self.raw is not None:
                members = declared[code].members
                extra = set(self.raw) - set(members) - {"__type"}
                assert not extra, f"{code} has no {extra}"
                enums = [members[name].enum for name in ("Reason", "reason") if name in members]
                assert not reason or reason in enums[0], f"{reason} is no reason of {code}"
        else:
            raise AssertionError(f"{operation} should have been refused with {code}")

    def report(self):
        """Prints how many operations were called, and which."""
        print(f"{len(self.called)} operations: {', '.join(sorted(self.called))}")


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
    elif shape.type_name == "map":
        for name, member in value.items():
            compare(f"{where}[key]", shape.key, name)
            compare(f"{where}[{name}]", shape.value, member)
    elif shape.type_name == "timestamp":
        assert isinstance(value, (int, float)), f"{where}: {value!r} is no timestamp"
    elif shape.type_name == "double":
        assert isinstance(value, (int, float)) and not isinstance(value, bool), f"{where}: {value!r} is no number"
    elif shape.type_name == "integer":
        assert isinstance(value, int) and not isinstance(value, bool), f"{where}: {value!r} is no integer"
    elif shape.type_name == "boolean":
        assert isinstance(value, bool), f"{where}: {value!r} is no boolean"
    elif shape.type_name == "string":
        assert isinstance(value, str), f"{where}: {value!r} is no string"
        allowed = getattr(shape, "enum", None)
        assert not allowed or value in allowed, f"{where}: {value} is none of {allowed}"
    else:
        raise AssertionError(f"{where}: {shape.type_name} is not compared yet")
