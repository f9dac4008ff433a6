"""Asks through botocore, and says where an answer is not what the model of its service says.

A line of JSON on standard input is a question; answers come, a line each, on standard output. What is asked of the
local cloud goes over the network. What is asked of the simulated services comes out here as the request on the wire,
whose answer is the next line.

usage: ask.py ENDPOINT_OF_THE_LOCAL_CLOUD
"""

import base64
import datetime
import io
import json
import sys
import xml.etree.ElementTree as ElementTree

import botocore.model
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import RpcV2CBORParser
from urllib3.response import HTTPResponse

# Errors that any operation may answer with, whether its model lists them or not: the common errors of IAM, which
# denies, and those of S3, whose model lists few ("Error responses" in the API references of both).
COMMON = {"AccessDenied", "AccessDeniedException", "ValidationError"}
COMMON_OF_S3 = {
    "304",
    "MethodNotAllowed",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchVersion",
    "PreconditionFailed",
}
# What AWS Config writes in capitals, whatever its model says (AWS CLI reference, describe-configuration-recorder-status).
IN_CAPITALS = {"DeliveryStatus", "RecorderStatus"}
# CloudWatch speaks several protocols. The functions' SDK chooses this one, and the simulated service knows no other.
CBOR = "smithy-rpc-v2-cbor"
botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = (CBOR, *botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS)
# Protocols whose answers are JSON, or the same in fewer bytes.
JSON = {"json", "rest-json", CBOR}

SESSION = botocore.session.Session()
SETTINGS = {"parameter_validation": False, "request_checksum_calculation": "when_required"}


def say(what):
    """Writes a line."""
    print(json.dumps(what, default=plain), flush=True)


def plain(value):
    """What JSON cannot say as text; all times are alike."""
    if isinstance(value, datetime.datetime):
        return "a time"
    return value.decode() if isinstance(value, bytes) else value.read().decode()


class Simulated:
    """The way to the simulated services, in the place of the network."""

    def __init__(self):
        self.received = None

    def carry(self, request, **_):
        """Hands a request out and the answer in."""
        text = lambda value: value.decode() if isinstance(value, bytes) else value
        headers = {name.lower(): text(value) for name, value in request.headers.items()}
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
        body = base64.b64encode(body).decode()
        say({"request": {"method": request.method, "url": request.url, "headers": headers, "body": body}})
        answer = json.loads(sys.stdin.readline())
        content = base64.b64decode(answer["body"])
        self.received = (answer["headers"], content)
        raw = HTTPResponse(io.BytesIO(content), preload_content=False)
        return AWSResponse(request.url, answer["status"], answer["headers"], raw)


def without_account(request, **_):
    """S3 Control puts the account before the host as well, where no resolver knows the local cloud by it."""
    account = request.headers.get("x-amz-account-id")
    if account is not None:
        request.url = request.url.replace(f"//{account}.", "//", 1)


def client(question, endpoint, simulated):
    """A client of a service, for the keys and the side of a question."""
    keys = question["keys"]
    is_local = question["side"] == "local"
    made = SESSION.create_client(
        question["service"],
        region_name="us-east-1",
        endpoint_url=endpoint if is_local else None,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=Config(
            retries={"total_max_attempts": 1}, s3={"addressing_style": "path" if is_local else "virtual"}, **SETTINGS
        ),
    )
    if is_local:
        made.meta.events.register("before-sign.s3-control", without_account)
    else:
        made.meta.events.register("before-send", simulated.carry)
    return made


def unlike(model, code, headers, content):
    """What in an answer its model does not know, and what of the model it lacks."""
    protocol = model.service_model.resolved_protocol
    if code is not None:
        declared = {shape.error_code: shape for shape in model.error_shapes}
        # The header may give it another code, the one of the query protocol; the model knows the one in the body.
        code = members_of(protocol, content)["__type"] if protocol in JSON else code
        common = COMMON | COMMON_OF_S3 if protocol == "rest-xml" else COMMON
        if code not in declared and code not in common:
            return [f"{model.name} does not declare {code}"]
        if protocol in JSON:
            # Services write the message with either letter, whatever their model says.
            members = members_of(protocol, content)
            known = declared[code].members if code in declared else {}
            unsaid = {"__type", "message", "Message"} - set(known)
            members = {name: member for name, member in members.items() if name not in unsaid}
            return list(of_json(code, declared[code], members)) if members else []
        return []
    shape = model.output_shape
    if protocol in JSON:
        return list(of_json(model.name, shape, members_of(protocol, content)))
    if protocol == "query":
        root = ElementTree.fromstring(content)
        wrapper = shape.serialization["resultWrapper"] if shape else None
        wanted = [wrapper, "ResponseMetadata"] if wrapper else ["ResponseMetadata"]
        found = [local_name(child) for child in root]
        wrong = [] if found == wanted else [f"{model.name} holds {found} instead of {wanted}"]
        results = [child for child in root if local_name(child) == wrapper]
        return wrong + [each for result in results for each in of_xml(model.name, shape, result)]
    known = {"content-type", "content-length"}
    known |= {member.serialization.get("name", "").lower() for member in (shape.members.values() if shape else ())}
    wrong = [f"{model.name} has no header {name}" for name in headers if name.lower() not in known]
    return wrong + ([f"{model.name} has no body"] if content and not (shape and "payload" in shape.serialization) else [])


def members_of(protocol, content):
    """The members of an answer, before its model is asked what they are."""
    if protocol != CBOR:
        return json.loads(content)
    parser = RpcV2CBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(content))


def of_json(where, shape, value):
    """The same for JSON."""
    kind = shape.type_name if shape else "structure"
    if kind == "structure":
        members = shape.members if shape else {}
        for name in sorted(set(value) - set(members)):
            yield f"{where} has no {name}"
        for name in sorted({name for name in (shape.required_members if shape else []) if name not in value}):
            yield f"{where} lacks {name}"
        for name in sorted(set(value) & set(members)):
            yield from of_json(f"{where}.{name}", members[name], value[name])
    elif kind == "list":
        for member in value:
            yield from of_json(f"{where}[]", shape.member, member)
    elif kind == "map":
        for name, member in value.items():
            yield from of_json(f"{where}.{name}", shape.value, member)
    else:
        times = (int, float, datetime.datetime)
        types = {"string": str, "blob": str, "boolean": bool, "timestamp": times, "double": (int, float)}
        if not isinstance(value, types.get(kind, int)):
            yield f"{where} is {value!r}, and no {kind}"
        elif getattr(shape, "enum", None) and value not in words_of(shape):
            yield f"{where} is {value!r}, and none of {shape.enum}"


def words_of(shape):
    """The words that a value may be."""
    return {word.upper() for word in shape.enum} if shape.name in IN_CAPITALS else shape.enum


def of_xml(where, shape, element):
    """The same for XML; the text of what has no parts is left to the parser."""
    if shape.type_name == "structure":
        members = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        found = [local_name(child) for child in element]
        for name in sorted(set(found) - set(members)):
            yield f"{where} has no {name}"
        for name, (required, _) in members.items():
            if required in shape.required_members and name not in found:
                yield f"{where} lacks {name}"
        for child in element:
            if local_name(child) in members:
                yield from of_xml(f"{where}.{local_name(child)}", members[local_name(child)][1], child)
    elif shape.type_name == "list":
        name = shape.member.serialization.get("name", "member")
        for child in element:
            if local_name(child) != name:
                yield f"{where} holds {local_name(child)} instead of {name}"
            yield from of_xml(f"{where}[]", shape.member, child)


def local_name(element):
    """The name of an element without its namespace."""
    return element.tag.rsplit("}", 1)[-1]


def main(endpoint):
    """Answers questions until there are none."""
    simulated, clients = Simulated(), {}
    for line in sys.stdin:
        question = json.loads(line)
        kind = (question["side"], question["service"], question["keys"]["AccessKeyId"])
        if kind not in clients:
            clients[kind] = client(question, endpoint, simulated)
        asked = clients[kind]
        model = asked.meta.service_model.operation_model(question["operation"])
        code = None
        try:
            answer = asked._make_api_call(question["operation"], question["parameters"])
        except ClientError as error:
            answer = error.response
            code = answer.pop("Error")["Code"]
            answer = {name: member for name, member in answer.items() if name not in ("message", "Message")}
        status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
        wrong = unlike(model, code, *simulated.received) if question["side"] == "simulated" else []
        say({"answer": {"status": status, "code": code, "members": answer}, "unlike": wrong})


if __name__ == "__main__":
    main(*sys.argv[1:])
