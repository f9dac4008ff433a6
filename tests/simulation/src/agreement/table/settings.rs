//! What is asked about the settings of members: contacts and regions by the management account, passwords and roles in sessions.

use serde_json::{Value, json};

use crate::agreement::row::Row;

fn ask(says: &'static str, operation: &'static str, mut parameters: Value) -> Row {
    parameters["AccountId"] = "$member".into();
    Row::new(says, "account", operation, parameters)
}

pub(super) fn contacts() -> Vec<Row> {
    let of = |kind: &str| json!({"AlternateContactType": kind});
    let contact = |phone: &str| {
        json!({"AlternateContactType": "SECURITY", "Name": "Security team", "Title": "Response",
            "EmailAddress": "security@example.com", "PhoneNumber": phone})
    };
    let owner = |country: &str, state: Option<&str>| {
        let mut owner = json!({"FullName": "Platform team", "AddressLine1": "Musterstrasse 1", "City": "Berlin",
            "PostalCode": "10115", "CountryCode": country, "PhoneNumber": "+49305550100"});
        if let Some(state) = state {
            owner["StateOrRegion"] = state.into();
        }
        json!({"ContactInformation": owner})
    };
    vec![
        ask("there is no such contact", "GetAlternateContact", of("SECURITY")).refused("ResourceNotFoundException"),
        ask("there is nothing to delete", "DeleteAlternateContact", of("SECURITY"))
            .refused("ResourceNotFoundException"),
        ask("there is no such kind", "GetAlternateContact", of("PRESS")).refused("ValidationException"),
        ask("a contact is set", "PutAlternateContact", contact("+49 30 5550120")),
        ask("it is there", "GetAlternateContact", of("SECURITY")),
        ask("it is replaced", "PutAlternateContact", contact("+49 30 5550121")),
        ask("it is another one", "GetAlternateContact", of("SECURITY")),
        ask("a phone number is too long", "PutAlternateContact", contact(&"1".repeat(26)))
            .refused("ValidationException"),
        ask("it is deleted", "DeleteAlternateContact", of("SECURITY")),
        ask("it is gone", "GetAlternateContact", of("SECURITY")).refused("ResourceNotFoundException"),
        ask("the owner is set", "PutContactInformation", owner("DE", Some("Berlin"))),
        ask("it is that one", "GetContactInformation", json!({})),
        ask("some countries need a state", "PutContactInformation", owner("US", None)).refused("ValidationException"),
        ask("others do not", "PutContactInformation", owner("AT", None)),
        ask("what is left out is gone", "GetContactInformation", json!({})),
        Row::new(
            "the management account does not name itself",
            "account",
            "GetContactInformation",
            json!({"AccountId": "$account"}),
        )
        .refused("AccessDeniedException"),
        Row::new(
            "an account of nobody has no contacts",
            "account",
            "GetContactInformation",
            json!({"AccountId": "999999999999"}),
        )
        .refused("AccessDeniedException"),
    ]
}

pub(super) fn regions() -> Vec<Row> {
    let of = |region: &str| json!({"RegionName": region});
    vec![
        ask("a region is disabled that is", "DisableRegion", of("eu-central-2")),
        ask("a region is enabled", "EnableRegion", of("eu-central-2")),
        ask("AWS is at it", "EnableRegion", of("eu-central-2")).refused("ConflictException"),
        ask("that is not called off", "DisableRegion", of("eu-central-2")).refused("ConflictException"),
        ask("a region that nobody has to enable", "DisableRegion", of("us-east-1")).refused("ValidationException"),
        ask("a region that is not there", "EnableRegion", of("mars-north-1")).refused("ValidationException"),
    ]
}

/// In the session of a member that may do this.
pub(super) fn in_members() -> Vec<Row> {
    let ask = |says, operation, parameters: Value| Row::new(says, "iam", operation, parameters).by("settings session");
    let color =
        |says, operation, parameters: Value| Row::new(says, "uxc", operation, parameters).by("settings session");
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "arn:aws:iam::200000000002:root"}}]})
    .to_string();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
        "iam:GetAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy", "iam:GetRole", "iam:CreateRole",
        "iam:ListAttachedRolePolicies", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:UpdateRole",
        "iam:ListRolePolicies", "iam:GetRolePolicy", "uxc:GetAccountCustomizations",
        "uxc:UpdateAccountCustomizations"]}]});
    let read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let role = |mut more: Value| {
        more["RoleName"] = "role-operator".into();
        more
    };
    let passwords = json!({"MinimumPasswordLength": 16, "RequireSymbols": false, "RequireNumbers": true,
        "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true, "AllowUsersToChangePassword": true,
        "MaxPasswordAge": 90, "PasswordReusePrevention": 24, "HardExpiry": false});
    let policies = |says| ask(says, "ListAttachedRolePolicies", role(json!({})));
    vec![
        super::assume("the role of a member is entered to set it up", "200000000001", &policy.to_string())
            .keeps("settings session", "/members/Credentials"),
        ask("an account has no rules for passwords", "GetAccountPasswordPolicy", json!({})).refused("NoSuchEntity"),
        ask("it gets some", "UpdateAccountPasswordPolicy", passwords),
        ask("it has them", "GetAccountPasswordPolicy", json!({})),
        ask("there is no such role", "GetRole", role(json!({}))).refused("NoSuchEntity"),
        ask("a role that is not there has no policies", "ListAttachedRolePolicies", role(json!({})))
            .refused("NoSuchEntity"),
        ask("a policy is not attached to no role", "AttachRolePolicy", role(json!({"PolicyArn": read_only})))
            .refused("NoSuchEntity"),
        ask(
            "a role is made",
            "CreateRole",
            role(json!({"AssumeRolePolicyDocument": trust, "Path": "/", "Description": "For people",
                "MaxSessionDuration": 3600})),
        ),
        ask("it is not made twice", "CreateRole", role(json!({"AssumeRolePolicyDocument": trust})))
            .refused("EntityAlreadyExists"),
        ask("a policy is attached", "AttachRolePolicy", role(json!({"PolicyArn": read_only}))),
        ask("it is attached again", "AttachRolePolicy", role(json!({"PolicyArn": read_only}))),
        policies("it has that policy"),
        ask("sessions last longer", "UpdateRole", role(json!({"MaxSessionDuration": 7200}))),
        ask("the role is as it was made and changed", "GetRole", role(json!({}))),
        ask("the policy is detached", "DetachRolePolicy", role(json!({"PolicyArn": read_only}))),
        ask("it is not detached twice", "DetachRolePolicy", role(json!({"PolicyArn": read_only})))
            .refused("NoSuchEntity"),
        policies("the role has none"),
        ask("no policy is written into it", "ListRolePolicies", role(json!({}))),
        ask("there is none of that name", "GetRolePolicy", role(json!({"PolicyName": "own"}))).refused("NoSuchEntity"),
        ask("a role that is not there has none either", "ListRolePolicies", json!({"RoleName": "role-of-nobody"}))
            .refused("NoSuchEntity"),
        color("a console has no color", "GetAccountCustomizations", json!({})),
        color("it gets one", "UpdateAccountCustomizations", json!({"accountColor": "red"})),
        color("it has that", "GetAccountCustomizations", json!({})),
        color("what is not sent stays", "UpdateAccountCustomizations", json!({})),
        color("there is no such color", "UpdateAccountCustomizations", json!({"accountColor": "beige"}))
            .refused("ValidationException"),
        color("it has the one of before", "GetAccountCustomizations", json!({})),
    ]
}
