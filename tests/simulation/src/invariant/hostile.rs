//! Members that do harm: it stays with them.

use serde_json::Value;

use super::{Look, sweeps::rows};
use crate::{
    aws::{access::OF_GROUPS, iam::keeps_groups},
    document::SEALED,
    script::{Act, Control, UserAct},
    template::JUMP,
};

/// What every odd text holds.
const WORD: &str = "hostile";
/// The longest subject that Amazon SNS takes.
const SUBJECT: usize = 100;
/// What sessions in members may be asked for: what the two sections that are in all documents need.
const ACTIONS: [&str; 2] = ["iam:CreateAccountAlias", "iam:ListAccountAliases"];
/// Functions that enter accounts for something else.
const APART: [&str; 2] = ["JumpUserManager", "RootTaskRunner"];

/// What the section of a further control needs in an account: contacts and regions are written from the management account.
fn needs(control: Control) -> &'static [&'static str] {
    match control {
        Control::AlternateContacts => &["account:GetAlternateContact"],
        Control::BillingAlarm => &[
            "cloudwatch:DescribeAlarms",
            "cloudwatch:PutMetricAlarm",
            "sns:CreateTopic",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:SetTopicAttributes",
            "sns:Subscribe",
        ],
        Control::PasswordPolicy => &["iam:GetAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy"],
        Control::PrimaryContact => &["account:GetContactInformation"],
        Control::Regions => &["account:ListRegions"],
        Control::S3PublicAccessBlock => &[
            "organizations:DescribeEffectivePolicy",
            "s3:GetAccountPublicAccessBlock",
            "s3:PutAccountPublicAccessBlock",
        ],
        Control::SwitchRoles => &[
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:DetachRolePolicy",
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
        ],
        Control::AccessRole => &[
            "iam:AttachRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:UpdateAssumeRolePolicy",
        ],
        Control::MemberEvents => &[
            "events:DescribeRule",
            "events:ListRuleNamesByTarget",
            "events:ListTargetsByRule",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ],
        Control::Budget => &["budgets:ModifyBudget", "budgets:ViewBudget"],
        Control::ConfigRecorder => &[
            "config:DescribeConfigurationRecorderStatus",
            "config:DescribeConfigurationRecorders",
            "config:DescribeDeliveryChannelStatus",
        ],
        Control::ConsoleColor => &["uxc:GetAccountCustomizations", "uxc:UpdateAccountCustomizations"],
        Control::RootCredentials => &["iam:GetAccountSummary"],
        Control::OrganizationalUnit | Control::AccountName | Control::PrimaryEmail | Control::StackInstances => &[],
    }
}

pub(super) fn no_subject_holds_what_a_member_wrote(look: &Look<'_>) -> Option<String> {
    let subject = |mail: &Value| mail["Subject"].as_str().unwrap_or_default().to_owned();
    let is_odd = |subject: &String| {
        let is_printable = subject.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        subject.contains(WORD) || !is_printable || subject.len() > SUBJECT || subject.is_empty()
    };
    look.state.mails.iter().map(|(_, mail)| subject(mail)).find(is_odd)
}

pub(super) fn no_mail_holds_a_control_character(look: &Look<'_>) -> Option<String> {
    let text = |mail: &Value| mail["Message"].as_str().unwrap_or_default().to_owned();
    let is_odd = |text: &String| text.chars().any(|letter| letter.is_control() && letter != '\n');
    look.state.mails.iter().map(|(_, mail)| text(mail)).find(is_odd).map(|text| format!("{text:?}"))
}

pub(super) fn reports_show_what_members_wrote_as_text(look: &Look<'_>) -> Option<String> {
    if look.state.history.done.is_empty() {
        return None;
    }
    let objects = look.state.buckets.get("reports").into_iter().flat_map(|bucket| &bucket.0);
    // What a person has overwritten with nonsense, or deleted.
    let overwrites = look.does(|act| matches!(act, Act::User(UserAct::NamesLost { .. })));
    let objects = objects.filter(|(key, _)| !(overwrites && *key == "latest/access.json"));
    objects.filter_map(|(key, versions)| Some((key, versions.last()?))).find_map(|(key, version)| {
        let Ok(text) = std::str::from_utf8(&version.content) else { return Some(format!("{key} is no text")) };
        let wrong = match key.rsplit('.').next() {
            Some("json") => serde_json::from_str::<Value>(text).err().map(|error| error.to_string()),
            Some("html") => ["<script>hostile", "<!-- hostile", "'\")</script>"]
                .into_iter()
                .find(|markup| text.contains(markup))
                .map(ToOwned::to_owned),
            Some("csv") => {
                cells(text).into_iter().find(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝']))
            }
            _ => None,
        };
        wrong.map(|wrong| format!("{key}: {wrong}"))
    })
}

/// The cells of a table in CSV (RFC 4180).
fn cells(table: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in table.chars() {
        match letter {
            // Of two quotes in a quoted cell the first ends it, and the second begins it again.
            '"' => is_quoted = !is_quoted,
            ',' | '\n' | '\r' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

pub(super) fn sessions_ask_for_no_more_than_the_document_needs(look: &Look<'_>) -> Option<String> {
    let mut sessions = look.state.principals.values().filter(|who| !APART.contains(&who.function.as_str()));
    sessions.find_map(|who| {
        let actions = who.actions.as_ref()?;
        if who.is_root() {
            let asks = look.script.nature.controls.has(Control::RootCredentials);
            return (!asks).then(|| format!("{} asks for the root user of {}", who.function, who.account));
        }
        let is_needed = |action: &str| {
            let of_regions = look.script.has_regions().then_some(Control::Regions);
            let mut controls = look.script.nature.controls.iter().chain(of_regions);
            let of_groups = look.script.nature.lets_in && who.account == JUMP;
            let is_of_groups = of_groups && action.strip_prefix("iam:").is_some_and(keeps_groups);
            ACTIONS.contains(&action) || is_of_groups || controls.any(|control| needs(control).contains(&action))
        };
        let more = actions.iter().find(|action| !is_needed(action))?;
        Some(format!("{} asks for {more} in {}", who.function, who.account))
    })
}

pub(super) fn a_hostile_member_harms_nobody_else(look: &Look<'_>) -> Option<String> {
    let (state, history) = (look.state, &look.state.history);
    if look.has_call_faults() {
        return None;
    }
    let is_bystander = |id: &str| {
        let account = state.organization.account(id);
        let is_whole = state
            .members
            .get(id)
            .is_some_and(|member| member.role_from.is_some_and(|from| from < state.begun) && !member.has_lost_policy);
        account.is_some_and(|account| account.state == "ACTIVE" && account.joined < state.begun)
            && is_whole
            && id != SEALED
            && !history.is_hostile(id)
            && history.absences(id).is_empty()
    };
    look.seen.published.iter().find_map(|published| {
        let unknown = rows(&published.latest).into_iter().find(|((id, control), row)| {
            let is_open = matches!(row["outcome"].as_str(), Some("unknown" | "not_ready" | "not_converged"));
            // Whether that is so of what documents ask for beside, another invariant says; and AWS takes its time.
            let is_of_regions = *control == Control::Regions.id();
            let is_of_its_own = is_of_regions
                || *control == OF_GROUPS
                || look.script.nature.controls.iter().any(|asked| asked.id() == *control);
            let is_open = is_open && (!is_of_its_own || row["outcome"] == "unknown");
            let is_taken = *control == "account-alias" && history.lacks_its_alias(id);
            is_open && is_bystander(id) && !is_taken
        });
        unknown.map(|(_, row)| row.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_a_spreadsheet_reads_them() {
        assert_eq!(cells("a,\"=b,\"\"c\"\"\"\r\n-d"), ["a", "=b,c", "", "-d"]);
    }
}
