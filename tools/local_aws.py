"""Starts MiniStack, completed where it does less with template.yaml than AWS does.

Each function below closes one gap with MiniStack's own means, so that the template needs no exception for the local
cloud. Written for the version pinned in ministack.txt; when a newer one closes a gap itself, its function goes.
"""

import contextvars
import functools
import json
import os
import queue
import re
import threading
import time

import local_environments
import local_users
import yaml
from ministack.app import main
from ministack.core import iam_actions, iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.iam_evaluator import caller_arn
from ministack.core.responses import get_account_id, set_request_account_id
from ministack.services import budgets, dynamodb, eventbridge, lambda_svc, s3, sns, sqs, stepfunctions
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

ARCHIVE = "AWS::Events::Archive"
BUS_POLICY = "AWS::Events::EventBusPolicy"
BUCKET = "AWS::S3::Bucket"
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


# Buckets: a stack leaves the lock of objects off, whatever its template says.


def create_bucket(logical_id: str, props: dict, stack_name: str) -> tuple:
    """Makes the bucket, then locks its objects as the template asks for."""
    name, attributes = plain_create_bucket(logical_id, props, stack_name)
    if props.get("ObjectLockEnabled"):
        retention = props["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        days = {"Mode": retention["Mode"], "Days": int(retention["Days"])}
        s3._bucket_object_lock[name] = {"enabled": True, "default_retention": days}
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


# Topics: all subscriptions come at once, however many there are; on AWS a page has a hundred.

SUBSCRIPTIONS_PER_PAGE = 100


def list_subscriptions_by_topic(params: dict) -> tuple:
    """One page of the subscriptions, and where the next one begins."""
    status, headers, body = plain_list_subscriptions_by_topic(params)
    members = re.findall(rb"<member>.*?</member>", body, re.DOTALL)
    begin = int(sns._p(params, "NextToken") or 0)
    end = begin + SUBSCRIPTIONS_PER_PAGE
    page = b"".join(members[begin:end])
    more = b"<NextToken>%d</NextToken>" % end if end < len(members) else b""
    head, tail = body.split(b"<Subscriptions>", 1)[0], body.rsplit(b"</Subscriptions>", 1)[-1]
    return status, headers, head + b"<Subscriptions>" + page + b"</Subscriptions>" + more + tail if members else body


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
    """The resource that IAM is asked about: of an invocation, the function with the alias or version it names; of a budget, it."""
    resource = plain_resource(service, method, path, headers, body, query, *scope)
    if service == "budgets":
        region, account = scope[:2]
        asked = json.loads(body or b"{}")
        return f"arn:aws:budgets::{account}:budget/{asked.get('BudgetName') or asked.get('Budget', {}).get('BudgetName', '')}"
    qualifier = query.get("Qualifier", "")
    qualifier = qualifier[0] if isinstance(qualifier, list) else qualifier
    is_named = service == "lambda" and path.endswith("/invocations") and qualifier
    return f"{resource}:{qualifier}" if is_named and not resource.endswith(f":{qualifier}") else resource


def evaluated_conditions(template: dict, params: dict) -> dict:
    """The conditions of a template, which may compare with the account that the stack is in."""
    return plain_conditions(template, params | {"AWS::AccountId": {"Value": get_account_id()}})


def budget_action(*request) -> str | None:
    """The action that IAM is asked about: AWS Budgets has two for all of its operations on budgets."""
    action = plain_action(*request)
    service, _, operation = (action or "").partition(":")
    if service != "budgets":
        return action
    return "budgets:ViewBudget" if operation.startswith("Describe") else "budgets:ModifyBudget"


def budget_error(code: str, message: str, status: int = 400) -> tuple:
    """A refusal of AWS Budgets, which spells the member of its errors with a capital."""
    status, headers, body = plain_budget_error(code, message, status)
    refusal = json.loads(body)
    refusal["Message"] = refusal.pop("message", message)
    return status, headers, json.dumps(refusal).encode()


# Event source mappings: every message wakes a look through the queues of all stacks, of which hardly any holds one.


def waiting_mappings():
    """The mappings of queues with a message; the template has no other sources."""
    queues = list(sqs._queues._data.values())
    waiting = {queue["attributes"].get("QueueArn") for queue in queues if queue["messages"]}
    return (mapping for mapping in plain_iter_all_esms() if mapping[2].get("EventSourceArn") in waiting)


# Templates: MiniStack reads them in Python alone, which takes seconds for one of this size and lets nothing else happen.


class TemplateLoader(yaml.CSafeLoader):
    """Reads what MiniStack's own loader reads, by the parser in C."""

    yaml_constructors = engine.CfnLoader.yaml_constructors
    yaml_implicit_resolvers = engine.CfnLoader.yaml_implicit_resolvers


# Queues: a policy that denies everybody locks out the root user as well, who on AWS alone can still look and open it.


def enforce_queue_policy(queue: dict, action: str) -> None:
    """Lets the queue's policy decide, unless the root user looks at it or replaces it."""
    is_root = caller_arn().endswith(":root")
    if not (is_root and action in ("sqs:GetQueueAttributes", "sqs:SetQueueAttributes")):
        plain_enforce_queue_policy(queue, action)


# Items of tables: policies are not told which partition keys a request names (dynamodb:LeadingKeys).


class OfItem(str):
    """The ARN of a table, where one item of a transaction is checked, and the partition key of that item."""

    leading_keys: list


def partition_key(table: str, index: str | None) -> str | None:
    """The attribute that is the partition key of a table, or of an index of it."""
    of_table = dynamodb._tables.get(table.rsplit("/", 1)[-1]) or {}
    if not index:
        return of_table.get("pk_name")
    indexes = [*of_table.get("GlobalSecondaryIndexes", []), *of_table.get("LocalSecondaryIndexes", [])]
    schemas = [one["KeySchema"] for one in indexes if one["IndexName"] == index]
    return next((key["AttributeName"] for schema in schemas for key in schema if key["KeyType"] == "HASH"), None)


def key_in(table: str, attributes: dict | None, index: str | None = None) -> list:
    """The partition key among the attributes of an item or key, as text."""
    value = (attributes or {}).get(partition_key(table, index))
    return [str(next(iter(value.values())))] if value else []


def queried_key(request: dict) -> list:
    """The partition key that a query asks for."""
    names, values = request.get("ExpressionAttributeNames") or {}, request.get("ExpressionAttributeValues") or {}
    equal = re.findall(r"([#\w.-]+)\s*=\s*(:\w+)", request["KeyConditionExpression"])
    asked = {names.get(name, name): values.get(value) for name, value in equal}
    return key_in(request["TableName"], asked, request.get("IndexName"))


def leading_keys(request: dict) -> list:
    """The partition keys that a request names: every one of a batch; a scan names none."""
    if request.get("KeyConditionExpression"):
        return queried_key(request)
    if table := request.get("TableName"):
        return key_in(table, request.get("Key") or request.get("Item"))
    found = []
    for table, named in (request.get("RequestItems") or {}).items():
        writes = [] if isinstance(named, dict) else named
        puts = [write["PutRequest"]["Item"] for write in writes if "PutRequest" in write]
        deletes = [write["DeleteRequest"]["Key"] for write in writes if "DeleteRequest" in write]
        reads = named.get("Keys", []) if isinstance(named, dict) else []
        found += [key for attributes in [*puts, *deletes, *reads] for key in key_in(table, attributes)]
    return found


def dynamodb_context(body: bytes) -> dict:
    """The condition keys of a request, with the partition keys that it names."""
    context = plain_dynamodb_context(body)
    keys = leading_keys(json.loads(body or b"{}")) if context else []
    return context | ({"dynamodb:LeadingKeys": keys} if keys else {})


def transaction_checks(action: str, body: bytes, region: str, account: str) -> list:
    """What is checked of a transaction: each of its items, with its own key."""
    checks = plain_transaction_checks(action, body, region, account)
    writes = json.loads(body)["TransactItems"] if checks else []
    kinds = iam_actions._DYNAMODB_TRANSACT_ITEM_ACTIONS
    items = [write[kind] for write in writes for kind in kinds if kind in write]
    found = []
    for (item_action, arn), item in zip(checks, items, strict=True):
        of_item = OfItem(arn)
        of_item.leading_keys = key_in(item["TableName"], item.get("Key") or item.get("Item"))
        found.append((item_action, of_item))
    return found


# Organizations: the front knows them, and says which ones the accounts of a request belong to.

organizations = contextvars.ContextVar("organizations", default={})
VARIABLE = re.compile(r"\$\{([^}*?$]+)\}")


@functools.lru_cache
def organizations_in(header: str) -> dict:
    """The organizations by account, as the front writes them; most requests are of the same ones."""
    return json.loads(header)


def pin_request_caller(headers: dict, query_params: dict | None = None) -> None:
    """Remembers the caller, and the organizations that the request concerns, by account."""
    organizations.set(organizations_in(headers.get("x-local-cloud-organizations", "{}")))
    plain_pin_request_caller(headers, query_params)


def conditions_met(conditions: dict, context) -> bool:
    """Whether conditions hold, their policy variables filled in; with one that the request has no value for, none does."""
    text = json.dumps(conditions)
    values = {name: resolve_condition_key(name, context) for name in VARIABLE.findall(text)}
    if None in values.values():
        return False
    filled = VARIABLE.sub(lambda found: json.dumps(str(values[found[1]]))[1:-1], text)
    return plain_conditions_met(json.loads(filled), context)


# Transport: the local cloud stands in for AWS without TLS, so that what asks for TLS would shut everybody out.


def resolve_condition_key(key: str, context) -> object:
    """The value of a condition key, with every request as secure as it is on AWS."""
    if key.lower() == "aws:securetransport":
        return "true"
    if key.lower() == "dynamodb:leadingkeys" and isinstance(context.resource_arn, OfItem):
        return context.resource_arn.leading_keys
    if key.lower() == "aws:principalorgid" and context.principal_account in organizations.get():
        return organizations.get()[context.principal_account]
    if key.lower() == "aws:resourceorgid":
        return organizations.get().get(plain_resolve_condition_key("aws:ResourceAccount", context))
    return plain_resolve_condition_key(key, context)


# Queues: what is set shows at once. On AWS it may take up to 60 seconds (API reference, "SetQueueAttributes").

ATTRIBUTES_SHOW_AFTER = float(os.environ.get("SQS_ATTRIBUTES_SHOW_AFTER_SECONDS", "0"))

# By account and queue: until when which values are shown instead of the present ones, None for those that were not there.
shown_before: dict[tuple, tuple] = {}


def set_queue_attributes(data: dict, queue_url: str) -> dict:
    """Sets the attributes, which go on being shown as they were for a while."""
    url = data.get("QueueUrl", queue_url)
    before = plain_get_queue_attributes({"QueueUrl": url}, queue_url)["Attributes"]
    result = plain_set_queue_attributes(data, queue_url)
    earlier = {name: before.get(name) for name in data.get("Attributes") or {}}
    shown_before[get_account_id(), url] = (time.monotonic() + ATTRIBUTES_SHOW_AFTER, earlier)
    return result


def get_queue_attributes(data: dict, queue_url: str) -> dict:
    """The attributes, as far as what was set has come round."""
    answer = plain_get_queue_attributes(data, queue_url)
    until, earlier = shown_before.get((get_account_id(), data.get("QueueUrl", queue_url)), (0, {}))
    if time.monotonic() >= until:
        return answer
    names = data.get("AttributeNames") or ["All"]
    asked = {name: value for name, value in earlier.items() if "All" in names or name in names}
    shown = answer["Attributes"] | asked
    return {"Attributes": {name: value for name, value in shown.items() if value is not None}}


# Branches that work side by side: where one fails, MiniStack waits for the end of all others; AWS ends them.


def run_branches(state_def: dict, raw_input, execution: dict, ctx: dict) -> tuple:
    """Runs the branches of a state; the first that fails fails all."""
    given = stepfunctions._apply_parameters(state_def, stepfunctions._apply_input_path(state_def, raw_input, ctx), ctx)
    ends = queue.Queue()

    def run(position: int, branch: dict) -> None:
        try:
            end = stepfunctions._run_sub_machine(branch["States"], branch["StartAt"], given, execution, ctx)
            ends.put((position, end, None))
        except Exception as error:
            ends.put((position, None, error))

    for place in enumerate(state_def["Branches"]):
        branch = functools.partial(contextvars.copy_context().run, run, *place)
        threading.Thread(target=branch, daemon=True).start()
    results = [None] * len(state_def["Branches"])
    for _ in results:
        position, end, error = ends.get()
        results[position] = end
        if isinstance(error, stepfunctions._ExecutionError):
            raise error
        if error:
            raise stepfunctions._ExecutionError("States.BranchFailed", str(error))
    output = stepfunctions._apply_result_selector(state_def, results)
    output = stepfunctions._apply_result_path(state_def, raw_input, output)
    return stepfunctions._apply_output_path(state_def, output, ctx), stepfunctions._next_or_end(state_def)


if __name__ == "__main__":
    stepfunctions._run_parallel_branches = run_branches
    plain_get_queue_attributes = sqs._HANDLERS["GetQueueAttributes"]
    sqs._HANDLERS["GetQueueAttributes"] = get_queue_attributes
    plain_set_queue_attributes = sqs._HANDLERS["SetQueueAttributes"]
    sqs._HANDLERS["SetQueueAttributes"] = set_queue_attributes
    provisioners._RESOURCE_HANDLERS[ARCHIVE] = {
        "create": create_archive,
        "update": update_archive,
        "delete": delete_archive,
    }
    provisioners._RESOURCE_HANDLERS[BUS_POLICY] = {"create": create_bus_policy, "delete": delete_bus_policy}
    plain_create_bucket = provisioners._RESOURCE_HANDLERS[BUCKET]["create"]
    provisioners._RESOURCE_HANDLERS[BUCKET]["create"] = create_bucket
    plain_create_table = provisioners._RESOURCE_HANDLERS[TABLE]["create"]
    provisioners._RESOURCE_HANDLERS[TABLE]["create"] = create_table
    engine.CfnLoader = TemplateLoader
    plain_conditions = engine._evaluate_conditions
    for module in (engine, changesets, handlers, stacks):
        module._evaluate_conditions = evaluated_conditions
    plain_iter_all_esms = lambda_svc._iter_all_esms
    lambda_svc._iter_all_esms = waiting_mappings
    eventbridge._dispatch_to_lambda = invoke_asynchronously
    plain_list_subscriptions_by_topic = sns._list_subscriptions_by_topic
    sns._list_subscriptions_by_topic = list_subscriptions_by_topic
    plain_budget_error = budgets.error_response_json
    budgets.error_response_json = budget_error
    plain_action = iam_actions.extract_iam_action
    iam_actions.extract_iam_action = budget_action
    plain_resource = iam_actions.extract_resource_arn
    iam_actions.extract_resource_arn = invoked_resource
    plain_enforce_queue_policy = sqs._enforce_queue_policy
    sqs._enforce_queue_policy = enforce_queue_policy
    plain_dynamodb_context = iam_actions.dynamodb_service_context
    iam_actions.dynamodb_service_context = dynamodb_context
    plain_transaction_checks = iam_actions.dynamodb_transaction_checks
    iam_actions.dynamodb_transaction_checks = transaction_checks
    plain_pin_request_caller = iam_evaluator.pin_request_caller
    iam_evaluator.pin_request_caller = pin_request_caller
    plain_conditions_met = iam_evaluator._conditions_met
    iam_evaluator._conditions_met = conditions_met
    plain_resolve_condition_key = iam_evaluator._resolve_condition_key
    iam_evaluator._resolve_condition_key = resolve_condition_key
    plain_read_object = s3._get_object_data
    s3._get_object_data = read_object
    local_environments.install()
    local_users.install()
    plain_deliver = eventbridge._invoke_target
    eventbridge._invoke_target = deliver
    main()
