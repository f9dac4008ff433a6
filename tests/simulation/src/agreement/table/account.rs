//! What is asked of AWS Account Management: names and primary e-mail addresses of members. `$code` is what the last mail says.

use serde_json::{Value, json};

use crate::agreement::row::Row;

const NEW: &str = "changed@example.com";

fn ask(says: &'static str, operation: &'static str, parameters: Value) -> Row {
    Row::new(says, "account", operation, parameters)
}

pub(super) fn addresses() -> Vec<Row> {
    let of_member = json!({"AccountId": "$member"});
    let start = |says, account: &str, email: &str| {
        ask(says, "StartPrimaryEmailUpdate", json!({"AccountId": account, "PrimaryEmail": email}))
    };
    let accept = |says, email: &str, code: &str| {
        let parameters = json!({"AccountId": "$member", "PrimaryEmail": email, "Otp": code});
        ask(says, "AcceptPrimaryEmailUpdate", parameters)
    };
    let status = |says| ask(says, "GetPrimaryEmailUpdateStatus", of_member.clone());
    let present = |says| ask(says, "GetPrimaryEmail", of_member.clone());
    vec![
        present("a member has an address"),
        status("no change was asked for").refused("ResourceNotFoundException"),
        accept("where no change was asked for, no code is taken", NEW, "abc123").refused("ResourceNotFoundException"),
        start("an address that is none is refused", "$member", "nobody").refused("ValidationException"),
        start("an address that another account has is refused", "$member", "AWS+2@example.com")
            .refused("ConflictException"),
        start("the management account is not changed so", "$account", NEW).refused("AccessDeniedException"),
        start("an account of nobody is not changed", "999999999999", NEW).refused("AccessDeniedException"),
        ask("which account it is must be said", "StartPrimaryEmailUpdate", json!({"PrimaryEmail": NEW}))
            .refused("ValidationException"),
        start("a change is asked for", "$member", NEW),
        status("it waits for its code"),
        present("the account has its address still"),
        accept("a code that is wrong is refused", NEW, "aaaaaa").refused("ValidationException"),
        accept("a code that is too short is refused", NEW, "12345").refused("ValidationException"),
        accept("the code is good for its address alone", "other@example.com", "$code").refused("ValidationException"),
        start("another code is asked for", "$member", NEW),
        accept("the code is given", NEW, "$code"),
        accept("it is not taken twice", NEW, "$code").refused("ConflictException"),
        status("after a while, the change is complete").settles("/members/Status", "COMPLETED"),
        present("the account has the new address"),
        Row::new("Organizations shows it, after a while", "organizations", "DescribeAccount", of_member.clone())
            .settles("/members/Account/Email", NEW),
    ]
}

pub(super) fn names() -> Vec<Row> {
    let put = |says, account: &str, name: &str| {
        ask(says, "PutAccountName", json!({"AccountId": account, "AccountName": name}))
    };
    vec![
        put("an account gets another name", "$member", "Shop"),
        ask("it has that name", "GetAccountInformation", json!({"AccountId": "$member"})),
        put("it gets the same name again", "$member", "Shop"),
        put("two accounts may have one name", "$other member", "Shop"),
        put("a name with < is refused", "$member", "<Shop>").refused("ValidationException"),
        put("a name that is too long is refused", "$member", &"x".repeat(51)).refused("ValidationException"),
        put("an account of nobody is not renamed", "999999999999", "Shop").refused("AccessDeniedException"),
        Row::new(
            "Organizations shows it, after a while",
            "organizations",
            "DescribeAccount",
            json!({"AccountId": "$member"}),
        )
        .settles("/members/Account/Name", "Shop"),
    ]
}
