//! What is asked about the people of the jump account: users, their groups and passwords, and the secrets that keep these.

use serde_json::{Value, json};

use crate::agreement::{row::Row, sides::GROUP};

/// IAM user guide, "IAM and AWS STS quotas".
const IGNORES_CASE: &str = "on AWS names that differ only in case are the same; MiniStack tells them apart";
/// API reference, `CreateSecret`, `ClientRequestToken`.
const SAME_CALL: &str = "on AWS a call with the same token and value is the same call, and succeeds";
/// API reference, `DeleteSecret`, `ForceDeleteWithoutRecovery`.
const FORCED: &str = "on AWS it is no error where the deletion is forced";

pub(super) fn users() -> Vec<Row> {
    let ask = |says, operation, mut parameters: Value| {
        if parameters["UserName"].is_null() {
            parameters["UserName"] = "ana".into();
        }
        Row::new(says, "iam", operation, parameters).by("people")
    };
    let of_group = |says, operation, group: &str| ask(says, operation, json!({"GroupName": group}));
    let groups = |says| ask(says, "ListGroupsForUser", json!({}));
    let password = |text: &str| json!({"Password": text, "PasswordResetRequired": true});
    vec![
        ask("there is no such user", "GetUser", json!({})).refused("NoSuchEntity"),
        groups("who is not there is in no groups").refused("NoSuchEntity"),
        of_group("who is not there gets into no group", "AddUserToGroup", GROUP).refused("NoSuchEntity"),
        ask("who is not there gets no password", "CreateLoginProfile", password("Correct horse 1"))
            .refused("NoSuchEntity"),
        ask("a user is made", "CreateUser", json!({"Path": "/steward/"})),
        ask("it is not made twice", "CreateUser", json!({"Path": "/steward/"})).refused("EntityAlreadyExists"),
        ask("nor in capitals", "CreateUser", json!({"UserName": "ANA", "Path": "/steward/"}))
            .refused("EntityAlreadyExists")
            .differs("code", IGNORES_CASE)
            .differs("members.User", IGNORES_CASE)
            .differs("status", IGNORES_CASE),
        ask("it is there", "GetUser", json!({})),
        groups("it is in no group"),
        of_group("there is no such group", "AddUserToGroup", "nobody").refused("NoSuchEntity"),
        of_group("it gets into a group", "AddUserToGroup", GROUP),
        of_group("it gets in again", "AddUserToGroup", GROUP),
        groups("it is in that group"),
        ask("it has no password", "GetLoginProfile", json!({})).refused("NoSuchEntity"),
        ask("no password is not changed", "UpdateLoginProfile", password("Correct horse 1")).refused("NoSuchEntity"),
        ask("it gets a password", "CreateLoginProfile", password("Correct horse 1")),
        ask("it gets no second one", "CreateLoginProfile", password("Correct horse 2")).refused("EntityAlreadyExists"),
        ask("it has to choose another", "GetLoginProfile", json!({})),
        ask("the password is changed", "UpdateLoginProfile", password("Correct horse 2")),
        ask("it has no device", "ListMFADevices", json!({})),
        ask("it has no key", "ListAccessKeys", json!({})),
        ask("it has no policy", "ListAttachedUserPolicies", json!({})),
        ask("nor one of its own", "ListUserPolicies", json!({})),
        ask("who is in a group is not deleted", "DeleteUser", json!({})).refused("DeleteConflict"),
        of_group("it leaves the group", "RemoveUserFromGroup", GROUP),
        ask("the password is deleted", "DeleteLoginProfile", json!({})),
        ask("it is not deleted twice", "DeleteLoginProfile", json!({})).refused("NoSuchEntity"),
        ask("who has nothing is deleted", "DeleteUser", json!({})),
        ask("who is gone is not deleted", "DeleteUser", json!({})).refused("NoSuchEntity"),
    ]
}

pub(super) fn groups() -> Vec<Row> {
    const ARN: &str = "arn:aws:iam::450000000000:policy/steward/group-red";
    let ask = |says, operation, parameters| Row::new(says, "iam", operation, parameters).by("people");
    let group = |says, operation| ask(says, operation, json!({"GroupName": "group-red", "Path": "/steward/"}));
    let policy = |says, operation| ask(says, operation, json!({"PolicyArn": ARN}));
    let both = |says, operation| ask(says, operation, json!({"GroupName": "group-red", "PolicyArn": ARN}));
    let version = |says, id: &str| ask(says, "DeletePolicyVersion", json!({"PolicyArn": ARN, "VersionId": id}));
    let document = |role: &str| {
        let statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [role]});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let made = |says| {
        let document = document("arn:aws:iam::222222222222:role/role-admin");
        let parameters = json!({"PolicyName": "group-red", "Path": "/steward/", "PolicyDocument": document});
        ask(says, "CreatePolicy", parameters)
    };
    let corrected = |says| {
        let document = document("arn:aws:iam::333333333333:role/role-admin");
        ask(says, "CreatePolicyVersion", json!({"PolicyArn": ARN, "PolicyDocument": document, "SetAsDefault": true}))
    };
    vec![
        both("what is not there is attached to nothing", "AttachGroupPolicy").refused("NoSuchEntity"),
        corrected("nor is it corrected").refused("NoSuchEntity"),
        group("a group is made", "CreateGroup"),
        group("it is not made twice", "CreateGroup").refused("EntityAlreadyExists"),
        made("a policy is made"),
        made("it is not made twice").refused("EntityAlreadyExists"),
        both("the group gets it", "AttachGroupPolicy"),
        both("a group that has it keeps it", "AttachGroupPolicy"),
        ask("the group shows it", "ListAttachedGroupPolicies", json!({"GroupName": "group-red"})),
        corrected("it gets another version"),
        policy("the new version is in force", "GetPolicy"),
        ask(
            "all of them are seen at once",
            "GetAccountAuthorizationDetails",
            json!({"Filter": ["Group", "LocalManagedPolicy"]}),
        ),
        version("what is in force stays", "v2").refused("DeleteConflict"),
        policy("what a group has stays", "DeletePolicy").refused("DeleteConflict"),
        version("the old version goes", "v1"),
        version("it does not go twice", "v1").refused("NoSuchEntity"),
        both("the group gives it back", "DetachGroupPolicy"),
        both("it does not give it back twice", "DetachGroupPolicy").refused("NoSuchEntity"),
        ask("nothing is written into it", "DeleteGroupPolicy", json!({"GroupName": "group-red", "PolicyName": "own"}))
            .refused("NoSuchEntity"),
        policy("what nobody has is deleted", "DeletePolicy"),
        policy("it is not deleted twice", "DeletePolicy").refused("NoSuchEntity"),
    ]
}

pub(super) fn secrets() -> Vec<Row> {
    const NAME: &str = "/steward/steward/users/ana";
    let token = |number: u64| format!("{number:032}");
    let ask = |says, operation, parameters: Value| Row::new(says, "secretsmanager", operation, parameters);
    let of = |says, operation, mut more: Value| {
        more["SecretId"] = NAME.into();
        ask(says, operation, more)
    };
    let make = |says, number: u64| {
        let made = json!({"Name": NAME, "SecretString": "a password", "ClientRequestToken": token(number)});
        ask(says, "CreateSecret", made)
    };
    // MiniStack refuses these.
    let unlike = |row: Row, member, why| {
        let row = row.differs("code", why).differs("status", why);
        row.differs("members.ARN", why).differs("members.Name", why).differs(member, why)
    };
    let put = json!({"SecretString": "another", "ClientRequestToken": token(3)});
    let list =
        |says| ask(says, "ListSecrets", json!({"Filters": [{"Key": "name", "Values": ["/steward/steward/users/"]}]}));
    vec![
        of("there is no such secret", "DescribeSecret", json!({})).refused("ResourceNotFoundException"),
        of("what is not there gets no value", "PutSecretValue", put.clone()).refused("ResourceNotFoundException"),
        make("a secret is made", 1),
        unlike(make("it is made again by the same call", 1), "members.VersionId", SAME_CALL),
        make("it is not made by another call", 2).refused("ResourceExistsException"),
        of("it is there", "DescribeSecret", json!({})),
        of("it gets another value", "PutSecretValue", put),
        list("it is listed").settles("/members/SecretList/0/Name", NAME),
        of("it is deleted", "DeleteSecret", json!({"ForceDeleteWithoutRecovery": true})),
        of("it is gone", "DescribeSecret", json!({})).refused("ResourceNotFoundException"),
        unlike(
            of("it can be deleted again", "DeleteSecret", json!({"ForceDeleteWithoutRecovery": true})),
            "members.DeletionDate",
            FORCED,
        ),
    ]
}
