"""Starts MiniStack, completed where it does less with template.yaml than AWS does.

Each function below closes one gap with MiniStack's own means, so that the template needs no exception for the local
cloud. Written for the version pinned in ministack.txt; when a newer one closes a gap itself, its function goes.
"""

import json

from ministack.app import main
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.arn import parse_arn
from ministack.core.iam_evaluator import caller_arn
from ministack.core.responses import get_account_id, set_request_account_id
from ministack.services import dynamodb, eventbridge, lambda_svc, s3, sqs
from ministack.services.cloudformation import provisioners

ARCHIVE = "AWS::Events::Archive"
BUS_POLICY = "AWS::Events::EventBusPolicy"
TABLE = "AWS::DynamoDB::Table"


def answer(response: tuple) -> dict:
    """The body of an answer of MiniStack's; a refusal fails the resource of the stack."""
    status, _, body = response
    if status >= 400:
        raise ValueError(body.decode())
    return json.loads(body)


# Archives of events: MiniStack keeps and replays them, but a stack cannot make one.


def archive_settings(props: dict) -> dict:
    """The properties of an archive as CreateArchive and UpdateArchive name them."""
    pattern = props.get("EventPattern", "")
    return {
        "EventSourceArn": props["SourceArn"],
        "Description": props.get("Description", ""),
        "EventPattern": pattern if isinstance(pattern, str) else json.dumps(pattern),
        "RetentionDays": int(props.get("RetentionDays", 0)),
    }


def create_archive(logical_id: str, props: dict, stack_name: str) -> tuple:
    """Makes the archive; without a name it gets one of the 48 characters that AWS allows."""
    name = props.get("ArchiveName") or provisioners._physical_name(stack_name, logical_id, max_len=48)
    arn = answer(eventbridge._create_archive({"ArchiveName": name} | archive_settings(props)))["ArchiveArn"]
    return name, {"Arn": arn, "ArchiveName": name}


def update_archive(name: str, old: dict, new: dict, _stack_name: str) -> tuple:
    """Changes the archive in place; on AWS a new name or source replaces it."""
    if any(old.get(fixed) != new.get(fixed) for fixed in ("ArchiveName", "SourceArn")):
        raise ValueError(f"the local cloud cannot replace an {ARCHIVE}")
    arn = answer(eventbridge._update_archive({"ArchiveName": name} | archive_settings(new)))["ArchiveArn"]
    return name, {"Arn": arn, "ArchiveName": name}


def delete_archive(name: str, _props: dict) -> None:
    """Deletes the archive; one that is gone already is no failure."""
    if name in eventbridge._archives:
        answer(eventbridge._delete_archive({"ArchiveName": name}))


# Policies of buses: MiniStack keeps them, but a stack cannot set one.


def create_bus_policy(_logical_id: str, props: dict, _stack_name: str) -> tuple:
    """Adds the statement to the policy of the bus, in place of one with the same id."""
    name, statement_id = props.get("EventBusName", "default"), props["StatementId"]
    delete_bus_policy(f"{name}|{statement_id}", props)
    kept = (eventbridge._event_bus_policies.get(name) or {}).get("Statement", [])
    statements = [*kept, props["Statement"] | {"Sid": statement_id}]
    eventbridge._event_bus_policies[name] = {"Version": "2012-10-17", "Statement": statements}
    return f"{name}|{statement_id}", {}


def delete_bus_policy(physical_id: str, _props: dict) -> None:
    """Takes the statement out of the policy of its bus."""
    name, statement_id = physical_id.split("|", 1)
    answer(eventbridge._remove_permission({"EventBusName": name, "StatementId": statement_id}))


# Tables: a stack leaves expiry and point-in-time recovery off, whatever its template says.


def create_table(logical_id: str, props: dict, stack_name: str) -> tuple:
    """Makes the table, then switches on what the template asks for."""
    name, attributes = plain_create_table(logical_id, props, stack_name)
    for ask, key in (
        (dynamodb._update_ttl, "TimeToLiveSpecification"),
        (dynamodb._update_continuous_backups, "PointInTimeRecoverySpecification"),
    ):
        if key in props:
            answer(ask({"TableName": name, key: props[key]}))
    return name, attributes


# Events: a rule's function is called once and its failure forgotten; what has no target left is dropped.


def invoke_asynchronously(arn: str, payload: str) -> None:
    """Calls a rule's function as AWS does: retried, then sent where the function's EventInvokeConfig says."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    record = lambda_svc._execution_record_for_config(function, config)
    lambda_svc.invoke_async_with_retry(record, json.loads(payload))


def deliver(target: dict, event: dict, rule: dict, view=None) -> None:
    """Delivers an event, or puts it into the target's dead-letter queue when the function or queue is gone."""
    service = parse_arn(target["Arn"]).service
    gone = (service == "lambda" and not lambda_svc._get_func_record_for_ref(target["Arn"])[0]) or (
        service == "sqs" and not sqs._queue_by_arn(target["Arn"])
    )
    if not gone:
        plain_deliver(target, event, rule, view)
    elif dead_letters := target.get("DeadLetterConfig", {}).get("Arn"):
        plain_deliver(target | {"Arn": dead_letters}, event, rule, view)
        attributes = {"RULE_ARN": rule.get("Arn", ""), "TARGET_ARN": target["Arn"], "ERROR_CODE": "NO_RESOURCE"}
        typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        sqs._queue_by_arn(dead_letters)["messages"][-1]["message_attributes"] = typed


# Packages: services read them from a bucket of any account; MiniStack looks in the caller's alone.


def read_object(bucket: str, key: str, version_id: str | None = None) -> bytes | None:
    """The object that a service reads for its caller: the name of a bucket stands for one bucket, whoever owns it."""
    caller = get_account_id()
    owners = [account for account, name in list(s3._buckets._data) if name == bucket]
    set_request_account_id(owners[0] if owners else caller)
    try:
        return plain_read_object(bucket, key, version_id)
    finally:
        set_request_account_id(caller)


# Aliases: MiniStack asks IAM about the function alone where a request names its alias apart from it, and gives a function
# that was called by one credentials of their own.


def invoked_resource(service: str, method: str, path: str, headers, body, query: dict, *scope) -> str:
    """The resource that IAM is asked about: of an invocation, the function with the alias or version it names."""
    resource = plain_resource(service, method, path, headers, body, query, *scope)
    qualifier = query.get("Qualifier", "")
    qualifier = qualifier[0] if isinstance(qualifier, list) else qualifier
    is_named = service == "lambda" and path.endswith("/invocations") and qualifier
    return f"{resource}:{qualifier}" if is_named and not resource.endswith(f":{qualifier}") else resource


def execution_credentials(config: dict) -> dict:
    """The credentials of a function's role, the same by whatever name it was called."""
    unqualified = ":".join(config.get("FunctionArn", "").split(":")[:7])
    return plain_execution_credentials(config | {"FunctionArn": unqualified})


# Queues: a policy that denies everybody locks out the root user as well, who on AWS alone can still look and open it.


def enforce_queue_policy(queue: dict, action: str) -> None:
    """Lets the queue's policy decide, unless the root user looks at it or replaces it."""
    is_root = caller_arn().endswith(":root")
    if not (is_root and action in ("sqs:GetQueueAttributes", "sqs:SetQueueAttributes")):
        plain_enforce_queue_policy(queue, action)


# Transport: the local cloud stands in for AWS without TLS, so that what asks for TLS would shut everybody out.


def resolve_condition_key(key: str, context) -> object:
    """The value of a condition key, with every request as secure as it is on AWS."""
    return "true" if key.lower() == "aws:securetransport" else plain_resolve_condition_key(key, context)


if __name__ == "__main__":
    provisioners._RESOURCE_HANDLERS[ARCHIVE] = {
        "create": create_archive,
        "update": update_archive,
        "delete": delete_archive,
    }
    provisioners._RESOURCE_HANDLERS[BUS_POLICY] = {"create": create_bus_policy, "delete": delete_bus_policy}
    plain_create_table = provisioners._RESOURCE_HANDLERS[TABLE]["create"]
    provisioners._RESOURCE_HANDLERS[TABLE]["create"] = create_table
    eventbridge._dispatch_to_lambda = invoke_asynchronously
    plain_resource = iam_actions.extract_resource_arn
    iam_actions.extract_resource_arn = invoked_resource
    plain_execution_credentials = lambda_runtime.execution_credentials
    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = execution_credentials
    plain_enforce_queue_policy = sqs._enforce_queue_policy
    sqs._enforce_queue_policy = enforce_queue_policy
    plain_resolve_condition_key = iam_evaluator._resolve_condition_key
    iam_evaluator._resolve_condition_key = resolve_condition_key
    plain_read_object = s3._get_object_data
    s3._get_object_data = read_object
    plain_deliver = eventbridge._invoke_target
    eventbridge._invoke_target = deliver
    main()
