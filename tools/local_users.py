"""What MiniStack lacks of IAM users: passwords, second factors, everything that has to go before a user can, and paths.

Completes it as local_aws.py does, which installs this.
"""

import contextvars
import dataclasses
import hashlib
import re

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, new_uuid
from ministack.services import iam, sts

# Sources: IAM API reference, "CreateLoginProfile", "ChangePassword", "DeleteUser", "AddUserToGroup".
GROUPS_PER_USER = 10
SYMBOLS = set("!@#$%^&*()_+-=[]{}|'")

# By account and user: the hash of the password.
passwords: dict[tuple, str] = {}
# By account, user and kind: the ids of what MiniStack does not know.
belongings: dict[tuple, list] = {}
# Whether the request carries the code of a device that its caller has.
second_factor = contextvars.ContextVar("second_factor", default=False)

# What a user can have beside what MiniStack knows: how its operations end, its element, its id, and who makes it.
KINDS = {
    "SSHPublicKey": ("SSHPublicKeys", "SSHPublicKeyId", "UploadSSHPublicKey", "APKA"),
    "ServiceSpecificCredential": (
        "ServiceSpecificCredentials",
        "ServiceSpecificCredentialId",
        "CreateServiceSpecificCredential",
        "ACCA",
    ),
    "SigningCertificate": ("Certificates", "CertificateId", "UploadSigningCertificate", "CERT"),
}


def of_user(name: str, kind: str) -> list:
    """The ids of one kind that a user has."""
    return belongings.setdefault((get_account_id(), name, kind), [])


def no_such_user(name: str) -> tuple:
    """The answer about a user who is not there."""
    return iam._error(404, "NoSuchEntity", f"The user with name {name} cannot be found.", ns="iam")


def handlers_of(kind: str, element: str, id_name: str, make: str, prefix: str) -> dict:
    """The operations of one kind: made, listed and deleted."""

    def shape(name: str, one: str) -> str:
        """One of them, with every member that its model asks for."""
        fields = {"UserName": name, id_name: one, "Status": "Active", "CreateDate": iam._now()}
        fields |= {"UploadDate": iam._now(), "CertificateBody": "-", "Fingerprint": "-", "SSHPublicKeyBody": "-"}
        fields |= {"ServiceName": "codecommit.amazonaws.com", "ServiceUserName": f"{name}-at-1"}
        return "".join(f"<{field}>{value}</{field}>" for field, value in fields.items())

    def create(p: dict) -> tuple:
        name = iam._p(p, "UserName")
        if name not in iam._users:
            return no_such_user(name)
        one = prefix + new_uuid().replace("-", "").upper()[:17]
        of_user(name, kind).append(one)
        part = "Certificate" if kind == "SigningCertificate" else kind
        return iam._xml(200, f"{make}Response", f"<{make}Result><{part}>{shape(name, one)}</{part}></{make}Result>")

    def show(p: dict) -> tuple:
        name, operation = iam._p(p, "UserName"), f"List{kind}s"
        if name not in iam._users:
            return no_such_user(name)
        members = "".join(f"<member>{shape(name, one)}</member>" for one in of_user(name, kind))
        more = "<IsTruncated>false</IsTruncated>"
        result = f"<{operation}Result><{element}>{members}</{element}>{more}</{operation}Result>"
        return iam._xml(200, f"{operation}Response", result)

    def delete(p: dict) -> tuple:
        name, one = iam._p(p, "UserName"), iam._p(p, id_name)
        if one not in of_user(name, kind):
            return iam._error(404, "NoSuchEntity", f"{one} cannot be found.", ns="iam")
        of_user(name, kind).remove(one)
        return iam._xml(200, f"Delete{kind}Response", "")

    return {make: create, f"List{kind}s": show, f"Delete{kind}": delete}


# Passwords: MiniStack takes any, and forgets it.


def hashed(password: str) -> str:
    """What is kept of a password."""
    return hashlib.sha256(password.encode()).hexdigest()


def breaks_policy(password: str) -> bool:
    """Whether the account's policy, or the one that holds where there is none, refuses a password."""
    kinds = {
        "RequireUppercaseCharacters": any(c.isupper() for c in password),
        "RequireLowercaseCharacters": any(c.islower() for c in password),
        "RequireNumbers": any(c.isdigit() for c in password),
        "RequireSymbols": any(c in SYMBOLS for c in password),
    }
    policy = iam._account_password_policy.get("policy")
    if not policy:
        return len(password) < 8 or sum(kinds.values()) < 3
    asked = [kind for kind in kinds if str(policy.get(kind)).lower() == "true"]
    return len(password) < int(policy.get("MinimumPasswordLength", 6)) or not all(kinds[kind] for kind in asked)


def taking_passwords(plain):
    """The operation, which refuses a password that breaks the policy and keeps one that does not."""

    def handle(p: dict) -> tuple:
        name, password = iam._p(p, "UserName"), iam._p(p, "Password")
        if password and breaks_policy(password):
            return iam._error(400, "PasswordPolicyViolation", "Password does not conform to the account password policy.", ns="iam")
        answer = plain(p)
        if answer[0] == 200 and password:
            passwords[get_account_id(), name] = hashed(password)
        return answer

    return handle


# A managed policy among the details of an account, from its ARN on.
POLICY_DETAIL = re.compile(r"<Arn>(?P<arn>[^<]+:policy/[^<]+)</Arn>(?P<rest>.*?</PolicyVersionList>)", re.DOTALL)


def with_policy_details(plain):
    """The operation, which says of managed policies what MiniStack leaves out (API reference, "ManagedPolicyDetail")."""

    def completed(found: re.Match) -> str:
        policy = iam._policies[found["arn"]]
        made = f"<CreateDate>{policy['CreateDate']}</CreateDate>"
        fields = f"<AttachmentCount>{policy.get('AttachmentCount', 0)}</AttachmentCount>"
        fields += "<PermissionsBoundaryUsageCount>0</PermissionsBoundaryUsageCount><IsAttachable>true</IsAttachable>"
        fields += made + f"<UpdateDate>{policy.get('UpdateDate', policy['CreateDate'])}</UpdateDate>"
        rest = found["rest"].replace("</IsDefaultVersion>", f"</IsDefaultVersion>{made}")
        return f"<Arn>{found['arn']}</Arn>{fields}{rest}"

    def handle(p: dict) -> tuple:
        status, headers, body = plain(p)
        return status, headers, POLICY_DETAIL.sub(completed, body.decode()).encode() if status == 200 else body

    return handle


def change_password(p: dict) -> tuple:
    """Lets a user replace the password, which is how a sign-in with one that must be changed ends."""
    name = iam_evaluator.caller_arn().rsplit("/", 1)[-1]
    if passwords.get((get_account_id(), name)) != hashed(iam._p(p, "OldPassword")) or name not in iam._login_profiles:
        return iam._error(403, "AccessDenied", "The old password was not right.", ns="iam")
    new = iam._p(p, "NewPassword")
    if breaks_policy(new):
        return iam._error(400, "PasswordPolicyViolation", "Password does not conform to the account password policy.", ns="iam")
    passwords[get_account_id(), name] = hashed(new)
    iam._login_profiles[name]["PasswordResetRequired"] = False
    iam._users[name]["PasswordLastUsed"] = iam._now()
    return iam._xml(200, "ChangePasswordResponse", "")


def user_xml(name: str, boundary: bool = True) -> str:
    """A user, with when the password was last used."""
    used = iam._users[name].get("PasswordLastUsed")
    return plain_user_xml(name, boundary) + (f"<PasswordLastUsed>{used}</PasswordLastUsed>" if used else "")


# Users: MiniStack deletes one who still has something, and lets one be in any number of groups.


def delete_user(p: dict) -> tuple:
    """Deletes a user who has nothing any more."""
    name = iam._p(p, "UserName")
    has = {
        "login profile": name in iam._login_profiles,
        "MFA device": any(device.get("User") == name for device in iam._mfa_devices.values()),
        "group": any(name in group["Users"] for group in iam._groups.values()),
        "policies": bool(iam._user_inline_policies.get(name)),
    } | {kind: bool(of_user(name, kind)) for kind in KINDS}
    left = [what for what, there in has.items() if there]
    if name in iam._users and left:
        return iam._error(409, "DeleteConflict", f"Cannot delete entity, must remove first: {', '.join(left)}.", ns="iam")
    return plain_delete_user(p)


def add_user_to_group(p: dict) -> tuple:
    """Puts a user into a group, up to the quota."""
    name, wanted = iam._p(p, "UserName"), iam._p(p, "GroupName")
    present = [group for group, known in iam._groups.items() if name in known["Users"]]
    if wanted not in present and len(present) >= GROUPS_PER_USER:
        return iam._error(409, "LimitExceeded", f"Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER}", ns="iam")
    return plain_add_user_to_group(p)


# Resources: MiniStack asks policies about a name without its path, and about the user where the group is meant.


NEW = (
    ("CreateGroup", "group", "GroupName"),
    ("CreatePolicy", "policy", "PolicyName"),
    ("CreateUser", "user", "UserName"),
    ("CreateVirtualMFADevice", "mfa", "VirtualMFADeviceName"),
)


def named_resource(service: str, query: dict, account: str, otherwise: str) -> str:
    """The ARN of the user, group or device that IAM is asked about."""
    value = lambda name: iam._p(query or {}, name)
    operation, user, group = value("Action"), value("UserName"), value("GroupName")
    second_factor.set(service == "sts" and has_code(value("SerialNumber"), value("TokenCode"), account))
    if service != "iam":
        return otherwise
    if operation in ("ChangePassword", "GetUser") and not user:
        return iam_evaluator.caller_arn()
    if operation.endswith("VirtualMFADevice") and value("SerialNumber"):
        return value("SerialNumber")
    # What is made has its ARN already.
    for making, kind, name in NEW:
        if operation == making:
            return f"arn:aws:iam::{account}:{kind}{value('Path') or '/'}{value(name)}"
    if operation == "ChangePassword":
        return iam_evaluator.caller_arn()
    if group and (not user or operation in ("AddUserToGroup", "RemoveUserFromGroup")):
        return (iam._groups.get_scoped(account, None, group) or {}).get("Arn", otherwise)
    return (iam._users.get_scoped(account, None, user) or {}).get("Arn", otherwise) if user else otherwise


# Variables: MiniStack knows them in no resource, and `user/${aws:username}` is how policies speak of whoever calls.

VARIABLE = re.compile(r"\$\{([^}*?$]+)\}")


def filled(statement, context):
    """The statement with the variables of its resources filled in; a resource with one that has no value fits nothing."""

    def fill(resource: str) -> str | None:
        values = {name: iam_evaluator._resolve_condition_key(name, context) for name in VARIABLE.findall(resource)}
        if None in values.values():
            return None
        return VARIABLE.sub(lambda found: str(values[found[1]]), resource)

    # Where none is left, a statement would be about every resource.
    resources = [one for one in map(fill, statement.resources) if one is not None] or ["nothing"]
    return dataclasses.replace(statement, resources=resources)


def first_match(context, statements: list, effect: str):
    """The first statement of this effect that fits."""
    has_variable = lambda statement: any("${" in resource for resource in statement.resources)
    return plain_first_match(context, [filled(one, context) if has_variable(one) else one for one in statements], effect)


# Second factors: MiniStack knows devices, and no session that was opened with one. A code is any six digits.


def has_code(serial: str, code: str, account: str) -> bool:
    """Whether this is the code of a device that somebody of the account has."""
    device = iam._mfa_devices.get_scoped(account, None, serial) if serial else None
    return bool(device and device.get("User")) and len(code) == 6 and code.isdigit()


def principal_keys(credential) -> dict:
    """What conditions know of the caller, with whether a second factor was there."""
    keys = plain_principal_keys(credential)
    session = sts._sessions.get(credential.access_key_id) or {}
    is_user = credential.principal_type == "User"
    if session.get("SecondFactor") or (is_user and second_factor.get()):
        keys["aws:multifactorauthpresent"] = "true"
    return keys


def register_session(access_key: str, session: dict) -> None:
    """Remembers a session, and whether a second factor opened it."""
    has_factor = second_factor.get() and session.get("PrincipalType") == "User"
    plain_register_session(access_key, session | ({"SecondFactor": True} if has_factor else {}))


def install() -> None:
    """Puts all of it in the place of what MiniStack does."""
    global plain_add_user_to_group, plain_delete_user, plain_first_match, plain_principal_keys, plain_register_session
    global plain_user_xml
    handlers = iam._IAM_HANDLERS
    for kind, (element, id_name, make, prefix) in KINDS.items():
        handlers |= handlers_of(kind, element, id_name, make, prefix)
    for operation in ("CreateLoginProfile", "UpdateLoginProfile"):
        handlers[operation] = taking_passwords(handlers[operation])
    plain_delete_user, handlers["DeleteUser"] = handlers["DeleteUser"], delete_user
    plain_add_user_to_group, handlers["AddUserToGroup"] = handlers["AddUserToGroup"], add_user_to_group
    handlers["ChangePassword"] = change_password
    details = "GetAccountAuthorizationDetails"
    handlers[details] = with_policy_details(handlers[details])
    plain_user_xml, iam._user_xml = iam._user_xml, user_xml
    plain_principal_keys = iam_evaluator._principal_keys
    iam_evaluator._principal_keys = sts._principal_keys = principal_keys
    plain_first_match, iam_evaluator._first_match = iam_evaluator._first_match, first_match
    plain_register_session, sts.register_session = sts.register_session, register_session
    plain_resource = iam_actions.extract_resource_arn

    def resource(service: str, method: str, path: str, headers, body, query: dict, region: str, account: str, *more):
        """The resource that policies are asked about."""
        plain = plain_resource(service, method, path, headers, body, query, region, account, *more)
        return named_resource(service, query, account, plain)

    iam_actions.extract_resource_arn = resource
