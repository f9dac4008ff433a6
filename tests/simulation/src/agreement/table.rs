//! The table: what is asked of both sides. What the functions call is here, each way that it can go by its service.

mod account;
mod alarms;
mod arranging;
mod charges;
mod closings;
mod deployed;
mod dynamodb;
mod locks;
mod people;
mod settings;

use serde_json::{Value, json};

use super::row::Row;

/// Nothing that the functions do depends on it.
const UNREAD: &str = "no function reads it";
/// A letter that does not say who has sent it is taken for one of EventBridge's.
const SENDER: &str =
    "simulated messages do not say who has sent them; MiniStack names the account, and AWS the session";

/// Where the answers to an operation differ in any row, and why that is left so.
pub(super) const EVERYWHERE: &[(&str, &str, &str)] = &[
    ("account:GetAccountInformation", "members.AccountState", UNREAD),
    ("budgets:DescribeBudget", "members.Budget.CalculatedSpend", UNREAD),
    ("budgets:DescribeBudget", "members.Budget.LastUpdatedTime", UNREAD),
    ("budgets:DescribeNotificationsForBudget", "members.Notifications[].NotificationState", UNREAD),
    ("cloudformation:DescribeStackSet", "members.StackSet.StackSetARN", UNREAD),
    ("cloudwatch:DescribeAlarms", "members.MetricAlarms[].AlarmArn", UNREAD),
    ("cloudwatch:DescribeAlarms", "members.MetricAlarms[].AlarmConfigurationUpdatedTimestamp", UNREAD),
    ("cloudwatch:DescribeAlarms", "members.MetricAlarms[].StateReason", UNREAD),
    ("cloudwatch:DescribeAlarms", "members.MetricAlarms[].StateUpdatedTimestamp", UNREAD),
    ("cloudwatch:DescribeAlarms", "members.MetricAlarms[].StateValue", UNREAD),
    ("config:DescribeConfigurationRecorderStatus", "members.ConfigurationRecordersStatus[].lastStartTime", UNREAD),
    (
        "config:DescribeConfigurationRecorderStatus",
        "members.ConfigurationRecordersStatus[].lastStatusChangeTime",
        UNREAD,
    ),
    ("config:DescribeConfigurationRecorders", "members.ConfigurationRecorders[].roleARN", UNREAD),
    ("events:DescribeRule", "members.Arn", UNREAD),
    ("events:DescribeRule", "members.CreatedBy", UNREAD),
    ("organizations:DescribeOrganization", "members.Organization.AvailablePolicyTypes", UNREAD),
    ("organizations:ListRoots", "members.Roots[].PolicyTypes", UNREAD),
    ("s3:GetObject", "members.AcceptRanges", UNREAD),
    ("s3:GetObject", "members.ContentLength", UNREAD),
    ("s3:GetObject", "members.ContentType", UNREAD),
    ("s3:GetObject", "members.LastModified", UNREAD),
    ("secretsmanager:DescribeSecret", "members.Description", UNREAD),
    ("secretsmanager:DescribeSecret", "members.RotationEnabled", UNREAD),
    ("secretsmanager:DescribeSecret", "members.Tags", UNREAD),
    ("secretsmanager:DescribeSecret", "members.VersionIdsToStages", UNREAD),
    ("secretsmanager:ListSecrets", "members.SecretList[].Description", UNREAD),
    ("secretsmanager:ListSecrets", "members.SecretList[].RotationEnabled", UNREAD),
    ("secretsmanager:ListSecrets", "members.SecretList[].SecretVersionsToStages", UNREAD),
    ("secretsmanager:ListSecrets", "members.SecretList[].Tags", UNREAD),
    ("sns:GetTopicAttributes", "members.Attributes.DisplayName", UNREAD),
    ("sns:GetTopicAttributes", "members.Attributes.EffectiveDeliveryPolicy", UNREAD),
    ("sns:GetTopicAttributes", "members.Attributes.SubscriptionsConfirmed", UNREAD),
    ("sns:GetTopicAttributes", "members.Attributes.SubscriptionsDeleted", UNREAD),
    ("sns:GetTopicAttributes", "members.Attributes.SubscriptionsPending", UNREAD),
    ("sqs:ReceiveMessage", "members.Messages[].MD5OfBody", UNREAD),
    ("sqs:SendMessage", "members.MD5OfMessageBody", UNREAD),
    ("stepfunctions:DescribeExecution", "members.inputDetails", UNREAD),
    ("stepfunctions:DescribeExecution", "members.output", UNREAD),
    ("stepfunctions:DescribeExecution", "members.outputDetails", UNREAD),
    ("stepfunctions:DescribeExecution", "members.stopDate", UNREAD),
    ("sts:AssumeRole", "members.PackedPolicySize", UNREAD),
    ("sts:GetCallerIdentity", "members.Arn", UNREAD),
    ("sqs:ReceiveMessage", "members.Messages[].Attributes.SenderId", SENDER),
];

/// All rows, in the order in which they are asked.
pub(super) fn table() -> Vec<Row> {
    let of_services = [
        dynamodb::items(),
        dynamodb::conditions(),
        sqs(),
        s3(),
        events(),
        organizations(),
        moves(),
        members(),
        states(),
        account::names(),
        account::addresses(),
        closings::rows(),
        arranging::rows(),
        settings::contacts(),
        settings::regions(),
        settings::in_members(),
        alarms::rows(),
        charges::rows(),
        deployed::rows(),
        locks::rows(),
        people::users(),
        people::groups(),
        people::secrets(),
    ];
    of_services.into_iter().flatten().collect()
}

/// API reference, `DeleteMessage`.
const REFUSES_RECEIPTS: &str = "on AWS a receipt that is not the newest one may delete nothing, and is no error; MiniStack \
                                knows the newest one alone";

fn sqs() -> Vec<Row> {
    let ask = |says, operation, queue: &str, mut parameters: Value| {
        parameters["QueueUrl"] = queue.into();
        Row::new(says, "sqs", operation, parameters)
    };
    let receive = |says, queue: &str, hidden: u64| {
        let parameters = json!({"MaxNumberOfMessages": 10, "VisibilityTimeout": hidden,
            "MessageAttributeNames": ["TARGET_ARN"], "MessageSystemAttributeNames": ["SentTimestamp", "SenderId"]});
        ask(says, "ReceiveMessage", queue, parameters)
    };
    let hide = |says, receipt: &str, wait: u64| {
        let parameters = json!({"ReceiptHandle": receipt, "VisibilityTimeout": wait});
        ask(says, "ChangeMessageVisibility", "$queue", parameters)
    };
    let delete =
        |says, queue: &str, receipt: &str| ask(says, "DeleteMessage", queue, json!({"ReceiptHandle": receipt}));
    let gone = "https://sqs.us-east-1.amazonaws.com/111111111111/gone";
    let (id, receipt) = ("/members/Messages/0/MessageId", "/members/Messages/0/ReceiptHandle");
    vec![
        receive("an empty queue has no messages", "$queue", 0),
        ask("a message is sent", "SendMessage", "$queue", json!({"MessageBody": "{\"n\":1}"}))
            .keeps("message", "/members/MessageId"),
        ask(
            "a message is sent for later",
            "SendMessage",
            "$queue",
            json!({"MessageBody": "late", "DelaySeconds": 900}),
        ),
        receive("a message that can be seen is received, and one for later is not", "$queue", 600)
            .keeps("receipt", receipt)
            .keeps("same message", id),
        receive("a message that was received is hidden", "$queue", 600),
        hide("a message is released", "$receipt", 0),
        receive("a message that was released is received again, by another receipt", "$queue", 0)
            .keeps("second receipt", receipt),
        receive("a message that is not hidden is received a third time", "$queue", 0),
        receive("and a fourth", "$queue", 0),
        receive("and a fifth", "$queue", 0).keeps("fifth receipt", receipt),
        receive("a message that was received too often is not received again", "$queue", 0),
        receive("it is among the dead letters, and keeps its id", "$dead letters", 600).keeps("dead receipt", receipt),
        delete("a dead letter is deleted", "$dead letters", "$dead receipt"),
        receive("a message that was deleted is not there", "$dead letters", 0),
        ask("another message is sent", "SendMessage", "$queue", json!({"MessageBody": "second"})),
        receive("it is received", "$queue", 0).keeps("stale receipt", receipt),
        receive("it is received by a newer receipt", "$queue", 600).keeps("fresh receipt", receipt),
        delete("a stale receipt deletes nothing, without an error", "$queue", "$stale receipt")
            .differs("code", REFUSES_RECEIPTS)
            .differs("status", REFUSES_RECEIPTS),
        hide("and the message is still there, to be released", "$fresh receipt", 0),
        receive("it is received once more", "$queue", 600).keeps("last receipt", receipt),
        delete("the newest receipt deletes the message", "$queue", "$last receipt"),
        delete("what is deleted can be deleted again", "$queue", "$last receipt")
            .differs("code", REFUSES_RECEIPTS)
            .differs("status", REFUSES_RECEIPTS),
        hide("what is deleted is not released", "$last receipt", 0).refused("ReceiptHandleIsInvalid"),
        receive("nothing is left that can be seen", "$queue", 0),
        ask("a queue that is not there takes nothing", "SendMessage", gone, json!({"MessageBody": "x"}))
            .refused("AWS.SimpleQueueService.NonExistentQueue"),
    ]
}

fn s3() -> Vec<Row> {
    let get = |says, key: &str, mut parameters: Value| {
        (parameters["Bucket"], parameters["Key"]) = ("$bucket".into(), key.into());
        Row::new(says, "s3", "GetObject", parameters)
    };
    let put = |says, key: &str, body: &str| {
        let parameters = json!({"Bucket": "$bucket", "Key": key, "Body": body, "ContentType": "application/json"});
        Row::new(says, "s3", "PutObject", parameters)
    };
    let new = |says, key: &str| {
        let parameters = json!({"Bucket": "$bucket", "Key": key, "Body": "new", "IfNoneMatch": "*"});
        Row::new(says, "s3", "PutObject", parameters)
    };
    let (etag, version) = ("/members/ETag", "/members/VersionId");
    vec![
        get("an object that is not there", "a/b.json", json!({})).refused("NoSuchKey"),
        put("an object is put", "a/b.json", "{}").keeps("etag", etag).keeps("version", version),
        get("it is read with its ETag and version", "a/b.json", json!({})),
        get("it is not read again by who knows it", "a/b.json", json!({"IfNoneMatch": "$etag"})).refused("304"),
        put("the same is put again: the ETag is the same, the version is new", "a/b.json", "{}")
            .keeps("second version", version),
        put("another content is put", "a/b.json", "{\"n\":1}").keeps("second etag", etag),
        get("it is read by who knows the one before", "a/b.json", json!({"IfNoneMatch": "$etag"})),
        get("a version before is read", "a/b.json", json!({"VersionId": "$version"})),
        get("a version that is not there", "a/b.json", json!({"VersionId": "Uy8rXbq1ZpC0kL3mN5oT7vW9xA2cE4gI"}))
            .refused("NoSuchVersion"),
        put("a key with characters that a path escapes", "a b/ü+c.json", "{}"),
        get("it is read by the same key", "a b/ü+c.json", json!({})),
        new("what is there is not put on the condition that nothing is", "a/b.json").refused("PreconditionFailed"),
        new("what is not there is put on that condition", "new.json"),
    ]
}

fn events() -> Vec<Row> {
    // API reference, `PutEventsResultEntry`.
    let takes_any = |row: Row| {
        const WHY: &str = "MiniStack takes any text for a detail; AWS fails the entry with MalformedDetail";
        let row = row.differs("members.Entries[].ErrorCode", WHY).differs("members.Entries[].ErrorMessage", WHY);
        row.differs("members.Entries[].EventId", WHY).differs("members.FailedEntryCount", WHY)
    };
    let put = |says, details: &[&str]| {
        let entries = details.iter().map(|detail| {
            json!({"EventBusName": "$bus", "Source": "steward", "DetailType": "AccountReady", "Detail": detail})
        });
        Row::new(says, "events", "PutEvents", json!({"Entries": entries.collect::<Vec<_>>()}))
    };
    vec![
        put("an event is put", &["{\"account_id\":\"123456789012\"}"]),
        takes_any(put("an event whose detail is not JSON fails, and the one beside it does not", &["{", "{}"])),
        takes_any(put("an event whose detail is no object fails", &["[1]"])),
    ]
}

fn organization(says: &'static str, operation: &'static str, parameters: Value) -> Row {
    Row::new(says, "organizations", operation, parameters)
}

fn organizations() -> Vec<Row> {
    let create = |says, email: &str| {
        let tags = json!([{"Key": "owner", "Value": "someone"}]);
        organization(says, "CreateAccount", json!({"AccountName": "New", "Email": email, "Tags": tags}))
            .keeps("creation", "/members/CreateAccountStatus/Id")
    };
    let status =
        |says, id: &str| organization(says, "DescribeCreateAccountStatus", json!({"CreateAccountRequestId": id}));
    let indexed = |says, account: &str| {
        let arn = if account == "$member" { "$member's ARN" } else { account };
        Row::new(says, "resourcegroupstaggingapi", "GetResources", json!({"ResourceARNList": [arn]}))
    };
    let (state, account) = ("/members/CreateAccountStatus/State", "/members/CreateAccountStatus/AccountId");
    vec![
        organization("the organization is described", "DescribeOrganization", json!({}))
            .keeps("organization", "/members/Organization/Id"),
        organization("there is one root", "ListRoots", json!({})),
        organization("the units of the root", "ListOrganizationalUnitsForParent", json!({"ParentId": "$root"})),
        organization("a unit has none", "ListOrganizationalUnitsForParent", json!({"ParentId": "$unit"})),
        organization("a unit is described", "DescribeOrganizationalUnit", json!({"OrganizationalUnitId": "$unit"})),
        organization(
            "a unit that is not there",
            "DescribeOrganizationalUnit",
            json!({"OrganizationalUnitId": "ou-gone-00000000"}),
        )
        .refused("OrganizationalUnitNotFoundException"),
        organization("a member is described", "DescribeAccount", json!({"AccountId": "$member"})),
        organization("an account that is not there", "DescribeAccount", json!({"AccountId": "999999999999"}))
            .refused("AccountNotFoundException"),
        organization("all accounts are listed", "ListAccounts", json!({})),
        create("an account is asked for", "new@example.com"),
        status("its creation succeeds after a while", "$creation")
            .settles(state, "SUCCEEDED")
            .keeps("new account", account),
        organization("the account is described", "DescribeAccount", json!({"AccountId": "$new account"}))
            .settles("/members/Account/State", "ACTIVE"),
        organization(
            "it has the tags that it was asked for with",
            "ListTagsForResource",
            json!({"ResourceId": "$new account"}),
        ),
        create("an account with an address that is taken is asked for", "new@example.com"),
        status("its creation fails after a while", "$creation").settles(state, "FAILED"),
        organization("both creations are listed", "ListCreateAccountStatus", json!({})),
        organization("creations of one state are listed", "ListCreateAccountStatus", json!({"States": ["FAILED"]})),
        organization("no creation is in progress", "ListCreateAccountStatus", json!({"States": ["IN_PROGRESS"]})),
        status("a creation that is not there", "car-00000000000000000000000000000000")
            .refused("CreateAccountStatusNotFoundException"),
        organization("a member has no tags", "ListTagsForResource", json!({"ResourceId": "$member"})),
        indexed("the index of tags leaves out what has none", "$member"),
        organization(
            "a member is tagged",
            "TagResource",
            json!({"ResourceId": "$member",
            "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]}),
        ),
        organization(
            "a tag is written over",
            "TagResource",
            json!({"ResourceId": "$member", "Tags": [{"Key": "a", "Value": "2"}]}),
        ),
        organization(
            "a member has the tags that it was given",
            "ListTagsForResource",
            json!({"ResourceId": "$member"}),
        ),
        indexed("after a while, the index has the tags as well", "$member")
            .settles("/members/ResourceTagMappingList/0/Tags/0/Value", "2"),
        indexed(
            "the index leaves out what is not there",
            "arn:aws:organizations::111111111111:account/o-a/999999999999",
        ),
        organization(
            "the tags of an account that is not there",
            "ListTagsForResource",
            json!({"ResourceId": "999999999999"}),
        )
        .refused("TargetNotFoundException"),
        organization(
            "an account that is not there is tagged",
            "TagResource",
            json!({"ResourceId": "999999999999",
            "Tags": [{"Key": "a", "Value": "1"}]}),
        )
        .refused("TargetNotFoundException"),
    ]
}

fn moves() -> Vec<Row> {
    let go = |says, account: &str, from: &str, to: &str| {
        let parameters = json!({"AccountId": account, "SourceParentId": from, "DestinationParentId": to});
        organization(says, "MoveAccount", parameters)
    };
    let gone = "ou-gone-00000000";
    vec![
        go("an account is moved", "$member", "$root", "$unit"),
        organization("it is described at its new place", "DescribeAccount", json!({"AccountId": "$member"})),
        go("an account is not moved to where it is", "$member", "$root", "$unit").refused("DuplicateAccountException"),
        go("an account is not moved from where it is not", "$other member", "$unit", "$root")
            .refused("DuplicateAccountException"),
        go("an account is not moved from a place that is not there", "$member", gone, "$root")
            .refused("SourceParentNotFoundException"),
        go("an account is not moved to a place that is not there", "$member", "$unit", gone)
            .refused("DestinationParentNotFoundException"),
        go("an account that is not there is not moved", "999999999999", "$root", "$unit")
            .refused("AccountNotFoundException"),
        go("an account is moved back", "$member", "$unit", "$root"),
    ]
}

/// The role of an account is entered, and may do what this policy says.
fn assume(says: &'static str, account: &str, policy: &str) -> Row {
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let parameters = json!({"RoleArn": role, "RoleSessionName": "steward", "Policy": policy, "DurationSeconds": 900});
    Row::new(says, "sts", "AssumeRole", parameters)
}

fn members() -> Vec<Row> {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
        "Action": ["iam:ListAccountAliases", "iam:CreateAccountAlias"]}]});
    let policy = policy.to_string();
    let list = |says| Row::new(says, "iam", "ListAccountAliases", json!({}));
    let create = |says, alias: &str| Row::new(says, "iam", "CreateAccountAlias", json!({"AccountAlias": alias}));
    let keys = "/members/Credentials";
    vec![
        Row::new("a caller is told who it is", "sts", "GetCallerIdentity", json!({})),
        assume("the role of an account that nobody has is not entered", "999999999999", &policy)
            .refused("AccessDenied"),
        assume("a role is not entered with a policy that is not JSON", "200000000001", "{")
            .refused("MalformedPolicyDocument"),
        assume("the role of a member is entered", "200000000001", &policy).keeps("session", keys),
        assume("the role of another member is entered", "200000000002", &policy).keeps("other session", keys),
        Row::new("in a session, the caller is in the member", "sts", "GetCallerIdentity", json!({})).by("session"),
        list("an account has no alias").by("session"),
        create("an account is given an alias", "example-one").by("session"),
        list("it has that alias").by("session"),
        create("another account is not given the same alias", "example-one")
            .by("other session")
            .refused("EntityAlreadyExists"),
        list("the other account has none").by("other session"),
        Row::new("a session does what its policy names, and nothing else", "iam", "ListRoles", json!({}))
            .by("session")
            .refused("AccessDenied"),
    ]
}

fn states() -> Vec<Row> {
    let describe = |says, arn: &str| Row::new(says, "stepfunctions", "DescribeExecution", json!({"executionArn": arn}));
    vec![
        describe("an execution that is running", "$running"),
        describe("an execution that has ended", "$ended").settles("/members/status", "SUCCEEDED"),
        describe("an execution that is not there", "arn:aws:states:us-east-1:111111111111:execution:steward:gone")
            .refused("ExecutionDoesNotExist"),
    ]
}
