//! What documents ask for beside tags and alias: its text, and said a second time, whether an account has it.

use serde_json::Value;

use super::FIRST_UNIT;
use crate::{
    aws::{
        inside::Budget,
        organizations::{Account, Organization},
        settings::{Role, Settings},
    },
    cloud::State,
    script::Control,
    template::{ACCOUNT, items, texts},
};

/// Where people come from who have roles in accounts; no account of the organization.
pub(crate) const JUMP_ACCOUNT: &str = "555555555555";
/// The unit of everybody who is not in the first one.
pub(crate) const HOME: &str = "Unit 1";
/// How the names of accounts begin.
const NAMES: [&str; 3] = ["Account ", "Joined ", "Management"];
/// The domain of the addresses of accounts.
const DOMAIN: &str = "example.com";
/// The region that is to be enabled, and the one that is to be disabled.
pub(crate) const ENABLED: &str = "eu-central-2";
pub(crate) const DISABLED: &str = "ap-east-1";

/// Where AWS Config is to record.
pub(crate) const RECORDED: [&str; 2] = ["us-east-1", "eu-central-1"];
/// The rules that forward events, and the role by which they do.
pub(crate) const FORWARDER: &str = "member-events-Forwarder";
pub(crate) const ROOT_SESSION_FORWARDER: &str = "member-events-RootSessionForwarder";
pub(crate) const FORWARDER_ROLE: &str = "member-events-ForwarderRole";
/// The role by which Steward enters an account, and the policy by which it may do everything.
pub(crate) const ACCESS_ROLE: &str = "OrganizationAccountAccessRole";
pub(crate) const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
/// Who may enter beside.
const ALSO_TRUSTED: &str = "333333333333";
/// The stack set that all accounts are to have, and where.
pub(crate) const ASKED_FOR: &str = "to-everybody";
pub(crate) const STACK_REGION: &str = "us-east-1";
/// The budget.
pub(crate) const BUDGET: &str = "steward-monthly";
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
        Control::OrganizationalUnit => "  organizational-unit: {organizational_unit: \"/Unit 1\"}\n",
        Control::AccountName => "  account-name: {patterns: [\"Account *\", \"Joined *\", \"Management*\"]}\n",
        Control::PrimaryEmail => "  primary-email: {domains: [example.com]}\n",
        Control::RootCredentials => "  root-credentials: {deactivate_mfa: true}\n",
        Control::AccessRole => "  access-role: {also_trusted: [\"333333333333\"]}\n",
        Control::MemberEvents => "  member-events: {}\n",
        Control::Budget => "  budget: {limit_usd: 50, emails: [aws-costs@example.com], forecast_percentages: [100]}\n",
        Control::ConfigRecorder => "  config-recorder: {regions: [us-east-1, eu-central-1]}\n",
        Control::ConsoleColor => "  console-color: {color: red}\n",
        Control::StackInstances => "  stack-instances: {sets: [{name: to-everybody, regions: [us-east-1]}]}\n",
    }
}

/// What of it is another one for accounts of the first unit.
pub(super) fn of_first_unit(control: Control) -> &'static str {
    match control {
        Control::OrganizationalUnit => "    organizational-unit: {organizational_unit: \"/Unit 0\"}\n",
        _ => "",
    }
}

/// Whether an account has what the section of a control asks for.
pub(crate) fn has(state: &State, id: &str, control: Control) -> bool {
    let is_of_the_account = |is: fn(&Account, &Organization) -> bool| {
        state.organization.account(id).is_some_and(|account| is(account, &state.organization))
    };
    match control {
        Control::OrganizationalUnit => is_of_the_account(is_at_home),
        Control::AccountName => is_of_the_account(|account, _| NAMES.iter().any(|name| account.name.starts_with(name))),
        Control::PrimaryEmail => {
            is_of_the_account(|account, _| account.email.rsplit_once('@').is_some_and(|(_, domain)| domain == DOMAIN))
        }
        Control::RootCredentials => {
            let Some(root) = state.members.get(id).map(|member| member.root.now()) else { return false };
            // The root user of the management account is needed: it has a password, and is guarded.
            let has_none = !root.lets_somebody_in() && !root.mfa;
            if id == ACCOUNT {
                root.mfa && root.access_keys.is_empty() && root.certificates.is_empty()
            } else {
                has_none
            }
        }
        Control::Regions => {
            let regions = state.members.get(id).map(|member| &member.regions);
            let status = |region: &str| regions.and_then(|regions| regions.get(region)).copied().unwrap_or("DISABLED");
            status(ENABLED) == "ENABLED" && status(DISABLED) == "DISABLED"
        }
        Control::StackInstances => state.stack_sets.is_current(id),
        _ => match state.settings.get(id) {
            Some(settings) => is_set_to(settings, control),
            // Nobody has asked for any of them yet.
            None => is_set_to(&Settings::of_a_new_account(), control),
        },
    }
}

/// Whether an account sits in the first unit, or in that of everybody else.
fn is_at_home(account: &Account, org: &Organization) -> bool {
    let unit = org.units.iter().find(|unit| unit.id == account.parent && unit.parent == org.root);
    unit.is_some_and(|unit| unit.name == FIRST_UNIT || unit.name == HOME)
}

/// Whether an account is set to what the section of a control asks for.
fn is_set_to(settings: &Settings, control: Control) -> bool {
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
        Control::S3PublicAccessBlock => *settings.public_access.now() == Some([true, true, true, false]),
        Control::SwitchRoles => ROLES.iter().all(|(name, policy, seconds)| {
            settings.roles.get(*name).and_then(|role| role.now().as_ref()).is_some_and(|role| {
                role.session_seconds == *seconds
                    && role.attached.iter().eq([*policy])
                    && trusts_people_of_the_jump_account_alone(role)
            })
        }),
        Control::AccessRole => {
            let role = settings.roles.get(ACCESS_ROLE).and_then(|role| role.now().as_ref());
            role.is_some_and(|role| role.attached.contains(ADMINISTRATOR_ACCESS) && trusts_nobody_else(role))
        }
        Control::MemberEvents => forwards(settings),
        Control::Budget => settings.budgets.now().get(BUDGET).is_some_and(is_budget),
        Control::ConfigRecorder => {
            RECORDED.iter().all(|region| settings.recorders.get(*region).is_some_and(|recorder| recorder.is_on))
        }
        Control::ConsoleColor => settings.color.now().as_deref() == Some("red"),
        _ => false,
    }
}

/// Whether the management account may assume a role without a condition.
pub(crate) fn lets_steward_in(role: &Role) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(&role.trust) else { return false };
    items(&policy["Statement"]).any(|statement| {
        let is_open = statement["Effect"] == "Allow" && statement["Condition"].is_null();
        is_open && principals(statement).contains(&format!("arn:aws:iam::{ACCOUNT}:root").as_str())
    })
}

/// Whether the management account may assume it, and nobody else but whom the document names.
fn trusts_nobody_else(role: &Role) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(&role.trust) else { return false };
    let allowed = [ACCOUNT, ALSO_TRUSTED].map(|account| format!("arn:aws:iam::{account}:root"));
    let is_fine = |statement: &Value| {
        statement["Effect"] == "Allow"
            && principals(statement).iter().all(|who| allowed.iter().any(|allowed| allowed == who))
    };
    lets_steward_in(role) && items(&policy["Statement"]).all(is_fine)
}

/// Whom of AWS a statement names.
fn principals(statement: &Value) -> Vec<&str> {
    texts(&statement["Principal"]["AWS"]).collect()
}

/// Whether both rules are on, and their role may put events.
fn forwards(settings: &Settings) -> bool {
    let is = |name: &str, state: &str| settings.rules.get(name).is_some_and(|rule| rule.state == state);
    let role = settings.roles.get(FORWARDER_ROLE).and_then(|role| role.now().as_ref());
    is(FORWARDER, "ENABLED")
        && is(ROOT_SESSION_FORWARDER, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
        && role.is_some_and(|role| role.inline.contains_key("forward"))
}

fn is_budget(budget: &Budget) -> bool {
    let Budget { model, notifications } = budget;
    let limit = &model["BudgetLimit"];
    let tells = |kind: &str, percentage: f64| {
        notifications.iter().any(|(notification, told)| {
            notification["NotificationType"] == kind
                && notification["Threshold"].as_f64() == Some(percentage)
                && told.iter().any(|one| one["Address"] == MAILBOX)
        })
    };
    limit["Amount"].as_str().and_then(|amount| amount.parse::<f64>().ok()) == Some(50.0)
        && limit["Unit"] == "USD"
        && model["TimeUnit"] == "MONTHLY"
        && model["BudgetType"] == "COST"
        && tells("ACTUAL", 80.0)
        && tells("ACTUAL", 100.0)
        && tells("FORECASTED", 100.0)
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
