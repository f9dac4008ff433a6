"""The execution environments of functions, as AWS Lambda starts and ends them.

Completes MiniStack as local_aws.py does, which installs this.
"""

import time

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts


# MiniStack keeps one environment of every function for ever, where AWS ends each that nothing has called for some minutes.
# Hundreds of idle ones, each of which wakes the server twenty times a second, slow down everything else.


def end_idle_environments(idle_for: float = lambda_runtime._LOCAL_WORKER_TTL) -> int:
    """Ends the environments that nothing has called for so many seconds; says how many."""
    now = time.time()
    with lambda_runtime._lock:
        pools = lambda_runtime._workers.values()
        idle = [(pool, one) for pool in pools for one in pool if not one.in_use and now - one.last_used >= idle_for]
        for pool, one in idle:
            pool.remove(one)
    lambda_runtime.kill_workers([one for _, one in idle])
    return len(idle)


# An environment that does not start is one: MiniStack ends all others of the function with it, whatever they are at.


def invoke(worker, *event, **context) -> dict:
    """Hands an event to an environment; whatever becomes of its start is the answer to this event alone."""
    try:
        return plain_invoke(worker, *event, **context)
    except Exception as error:
        worker._teardown()
        lambda_runtime.logger.error("An environment of %s did not start: %s", worker.func_name, error)
        refusal = {"errorMessage": str(error), "errorType": getattr(error, "error_type", "") or "Runtime.Unknown"}
        return {"status": "error", "error": str(error), "error_payload": refusal, "cold_start": True, "log": ""}


# Credentials: an environment has them before it starts, beside many others.


def execution_credentials(config: dict) -> dict:
    """The credentials of a function's role, the same by whatever name it was called."""
    unqualified = ":".join(config.get("FunctionArn", "").split(":")[:7])
    return plain_execution_credentials(config | {"FunctionArn": unqualified})


def end_old_sessions() -> None:
    """Forgets the sessions whose time is over. Goes by a copy, since others are opened in other threads meanwhile."""
    for access_key, session in list(sts._sessions.items()):
        if sts._session_expired(session):
            sts._sessions.pop(access_key, None)


def install() -> None:
    """Puts all of it in the place of what MiniStack does."""
    global plain_execution_credentials, plain_invoke
    lambda_runtime.reap_idle_workers = lambda_svc.reap_idle_workers = end_idle_environments
    plain_invoke, lambda_runtime.ProvidedWorker.invoke = lambda_runtime.ProvidedWorker.invoke, invoke
    plain_execution_credentials = lambda_runtime.execution_credentials
    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = execution_credentials
    sts._evict_expired_sessions = end_old_sessions
