//! What documents ask for beside tags and alias: its text, and said a second time, whether an account has it.

use crate::{
    aws::{
        regions::Regions,
        settings::{Role, Settings},
    },
    script::Control,
};

/// Where people come from who have roles in accounts; no account of the organization.
pub(crate) const JUMP_ACCOUNT: &str = "555555555555";
/// The region that is to be enabled, and the one that is to be disabled.
pub(crate) const ENABLED: &str = "eu-central-2";
pub(crate) const DISABLED: &str = "ap-east-1";

/// The names that the billing alarm and its topic have.
pub(crate) const ALARM: &str = "DefaultBillingAlarm";
pub(crate) const TOPIC: &str = "DefaultBillingAlertTopic";
const MAILBOX: &str = "aws-costs@example.com";

/// The roles and what each is allowed; the second lasts longer.
const ROLES: [(&str, &str, &str); 2] = [
    ("role-admin", "arn:aws:iam::aws:policy/AdministratorAccess", "3600"),
    ("role-operator", "arn:aws:iam::aws:policy/ReadOnlyAccess", "28800"),
];

/// The section that asks for a control; that about regions stands with its rule.
pub(super) fn text(control: Control) -> &'static str {
    match control {
        Control::AlternateContacts => {
            "  alternate-contacts:\n    operations: {name: Platform team, title: Operations, email: \
             operations@example.com, phone: \"+49 30 5550110\"}\n    security: {name: Security team, title: Response, email: \
             security@example.com, phone: \"+49 30 5550120\"}\n    prune: true\n"
        }
        Control::BillingAlarm => "  billing-alarm: {threshold_usd: 100, emails: [aws-costs@example.com]}\n",
        Control::PasswordPolicy => {
            "  password-policy: {minimum_length: 16, require_symbols: false, max_age_days: 90}\n"
        }
        Control::PrimaryContact => {
            "  primary-contact: {full_name: Platform team, company_name: Example GmbH, address_line_1: Musterstrasse 1, \
             city: Berlin, state_or_region: Berlin, postal_code: \"10115\", country_code: DE, phone_number: \
             \"+49305550100\"}\n"
        }
        Control::Regions => "",
        Control::S3PublicAccessBlock => "  s3-public-access-block: {restrict_public_buckets: false}\n",
        Control::SwitchRoles => {
            "  switch-roles:\n    jump_account: \"555555555555\"\n    roles:\n      - {name: role-admin, managed_policies: \
             [\"arn:aws:iam::aws:policy/AdministratorAccess\"]}\n      - {name: role-operator, managed_policies: \
             [\"arn:aws:iam::aws:policy/ReadOnlyAccess\"], session_seconds: 28800}\n    exclusive: true\n"
        }
    }
}

/// Whether an account has what the section of a control asks for.
pub(crate) fn has(settings: &Settings, regions: &Regions, control: Control) -> bool {
    match control {
        Control::AlternateContacts => has_contacts(settings),
        Control::BillingAlarm => has_alarm(settings),
        Control::PasswordPolicy => has_password_policy(settings),
        Control::PrimaryContact => {
            let wanted = serde_json::json!({"FullName": "Platform team", "CompanyName": "Example GmbH",
                "AddressLine1": "Musterstrasse 1", "City": "Berlin", "StateOrRegion": "Berlin", "PostalCode": "10115",
                "CountryCode": "DE", "PhoneNumber": "+49305550100"});
            settings.contact == wanted
        }
        Control::Regions => {
            let status = |region: &str| regions.get(region).copied().unwrap_or("DISABLED");
            status(ENABLED) == "ENABLED" && status(DISABLED) == "DISABLED"
        }
        Control::S3PublicAccessBlock => *settings.public_access.now() == Some([true, true, true, false]),
        Control::SwitchRoles => ROLES.iter().all(|(name, policy, seconds)| {
            settings.roles.get(*name).and_then(|role| role.now().as_ref()).is_some_and(|role| {
                role.session_seconds == *seconds
                    && role.attached.iter().eq([*policy])
                    && trusts_people_of_the_jump_account_alone(role)
            })
        }),
    }
}

fn has_contacts(settings: &Settings) -> bool {
    let of = |kind: &str, name: &str, title: &str, email: &str, phone: &str| {
        settings.contacts.get(kind).is_some_and(|contact| {
            contact["Name"] == name
                && contact["Title"] == title
                && contact["EmailAddress"] == email
                && contact["PhoneNumber"] == phone
        })
    };
    !settings.contacts.contains_key("BILLING")
        && of("OPERATIONS", "Platform team", "Operations", "operations@example.com", "+49 30 5550110")
        && of("SECURITY", "Security team", "Response", "security@example.com", "+49 30 5550120")
}

fn has_alarm(settings: &Settings) -> bool {
    let Some(topic) = settings.topics.get(TOPIC) else { return false };
    let Some(alarm) = settings.alarms.get(ALARM) else { return false };
    let mails = topic.subscriptions.iter().any(|subscription| subscription == MAILBOX);
    let names_topic = crate::template::items(&alarm["AlarmActions"])
        .any(|action| action.as_str().is_some_and(|action| action.ends_with(&format!(":{TOPIC}"))));
    mails
        && names_topic
        && alarm["Namespace"] == "AWS/Billing"
        && alarm["MetricName"] == "EstimatedCharges"
        && alarm["Threshold"].as_f64() == Some(100.0)
        && alarm["Dimensions"] == serde_json::json!([{"Name": "Currency", "Value": "USD"}])
        && alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        && alarm["ActionsEnabled"] != false
}

fn has_password_policy(settings: &Settings) -> bool {
    let Some(policy) = settings.password_policy.now() else { return false };
    let is = |name: &str, wanted: &str| policy.get(name).is_some_and(|value| value == wanted);
    is("MinimumPasswordLength", "16")
        && is("RequireSymbols", "false")
        && is("RequireNumbers", "true")
        && is("RequireUppercaseCharacters", "true")
        && is("RequireLowercaseCharacters", "true")
        && is("AllowUsersToChangePassword", "true")
        && is("MaxPasswordAge", "90")
        && is("PasswordReusePrevention", "24")
}

fn trusts_people_of_the_jump_account_alone(role: &Role) -> bool {
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(&role.trust) else { return false };
    let mut statements = crate::template::items(&policy["Statement"]);
    let is_wanted = |statement: &serde_json::Value| {
        statement["Effect"] == "Allow"
            && statement["Principal"]["AWS"] == format!("arn:aws:iam::{JUMP_ACCOUNT}:root")
            && statement["Action"] == "sts:AssumeRole"
            && statement["Condition"]["Bool"]["aws:MultiFactorAuthPresent"] == "true"
    };
    statements.next().is_some_and(is_wanted) && statements.next().is_none()
}
