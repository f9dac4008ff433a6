//! What a person needs to begin: where to sign in, how to add a second factor, and every role as a link, as a profile of the
//! AWS CLI and for the browser extension AWS Extend Switch Roles. Pure.
//!
//! Sources: IAM user guide, "How IAM users sign in to AWS" and "Switch from a user to an IAM role (console)"; AWS CLI user
//! guide, "Using an IAM role in the AWS CLI"; the configuration page of AWS Extend Switch Roles.

use std::{
    collections::BTreeSet,
    fmt::{Arguments, Write},
};

use compliance_report::{Directory, Named};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use steward::ids::{AccountId, UserName};

use crate::reach::Target;

/// The most roles of one sheet; a lambda's answer has an end, and so has a person's patience.
const MOST: usize = 1000;
/// What stands in a link as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The profile that people put their own keys into.
const BASE: &str = "jump";

/// What a person needs to begin.
#[derive(Debug, Serialize)]
pub(crate) struct Sheet {
    user_name: UserName,
    /// Where to sign in with the password.
    sign_in: String,
    /// How to add a second factor, step by step.
    second_factor: Vec<String>,
    roles: Vec<Entry>,
    /// How many roles there are beyond those.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_roles: Option<usize>,
    /// For `~/.aws/config`.
    aws_config: String,
    /// For AWS Extend Switch Roles.
    extend_switch_roles: String,
}

#[derive(Debug, Serialize)]
struct Entry {
    account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_name: Option<String>,
    role: String,
    link: String,
}

/// The account that people sign in to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignIn<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) alias: Option<&'a str>,
}

impl Sheet {
    /// The sheet of a user who may assume these roles, with the accounts as people know them.
    pub(crate) fn of(user: &UserName, at: SignIn<'_>, targets: &BTreeSet<Target>, names: &Directory) -> Self {
        let shown: Vec<_> = targets.iter().take(MOST).collect();
        let account = at.alias.unwrap_or(at.account.as_str());
        let entry = |target: &&Target| Entry {
            account_id: target.account_id.clone(),
            account_name: names.accounts.get(&target.account_id).map(|named| named.name.clone()),
            role: target.role.clone(),
            link: link(target, names),
        };
        Self {
            user_name: user.clone(),
            sign_in: format!("https://{account}.signin.aws.amazon.com/console"),
            second_factor: second_factor(user),
            roles: shown.iter().map(entry).collect(),
            more_roles: targets.len().checked_sub(MOST).filter(|more| *more > 0),
            aws_config: aws_config(user, at.account, &shown),
            extend_switch_roles: extend_switch_roles(at, &shown, names),
        }
    }
}

fn second_factor(user: &UserName) -> Vec<String> {
    [
        "Sign in with the one-time password, and choose a password of your own when asked.",
        "Open your name at the top right, then Security credentials, and assign an MFA device.",
        &format!(
            "For the console alone a passkey is best. For the AWS CLI choose an authenticator app, and name the device \
             {user}: the profiles name it so."
        ),
        "Sign out, and in again with the device: until then nothing else works.",
    ]
    .map(ToOwned::to_owned)
    .to_vec()
}

/// The page on which the console asks whether to switch to a role.
fn link(target: &Target, directory: &Directory) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let role = encoded(&target.role);
    if target.is_anywhere() {
        // The page asks for the account.
        return format!("https://signin.aws.amazon.com/switchrole?roleName={role}");
    }
    let named = directory.accounts.get(&target.account_id);
    // The console shows so many characters of it.
    let shown = named.map_or_else(
        || format!("{} {}", target.role, target.account_id),
        |named| format!("{} {}", named.name, target.role),
    );
    let shown: String = shown.chars().take(64).collect();
    let color = named.and_then(color).map(|color| format!("&color={color}")).unwrap_or_default();
    format!(
        "https://signin.aws.amazon.com/switchrole?roleName={role}&account={}&displayName={}{color}",
        encoded(&target.account_id),
        encoded(&shown)
    )
}

/// The color of an account, where it is one.
fn color(named: &Named) -> Option<&str> {
    named.color.as_deref().filter(|color| color.len() == 6 && color.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// The name of a profile: `role-admin-222222222222`.
fn profile(target: &Target) -> String {
    format!("{}-{}", target.role.replace('/', "-"), target.account_id)
}

fn aws_config(user: &UserName, account: &AccountId, targets: &[&Target]) -> String {
    let mut text = format!(
        "# Keys of your own belong into ~/.aws/credentials, or into aws-vault, under the name {BASE}.\n\
         [profile {BASE}]\nregion = us-east-1\nmfa_serial = arn:aws:iam::{account}:mfa/{user}\n"
    );
    for target in targets {
        if target.is_anywhere() {
            put(
                &mut text,
                format_args!("\n# {} can be assumed in any account: copy a profile, with that account.\n", target.role),
            );
            continue;
        }
        put(
            &mut text,
            format_args!(
                "\n[profile {}]\nsource_profile = {BASE}\nrole_arn = {}\nmfa_serial = arn:aws:iam::{account}:mfa/{user}\n\
                 region = us-east-1\n",
                profile(target),
                target.role_arn
            ),
        );
    }
    text
}

fn extend_switch_roles(at: SignIn<'_>, targets: &[&Target], names: &Directory) -> String {
    let mut text = format!("[{BASE}]\naws_account_id = {}\n", at.account);
    if let Some(alias) = at.alias {
        put(&mut text, format_args!("aws_account_alias = {alias}\n"));
    }
    for target in targets.iter().filter(|target| !target.is_anywhere()) {
        let (name, arn) = (profile(target), &target.role_arn);
        put(&mut text, format_args!("\n[{name}]\nrole_arn = {arn}\nsource_profile = {BASE}\n"));
        if let Some(color) = names.accounts.get(&target.account_id).and_then(color) {
            put(&mut text, format_args!("color = {color}\n"));
        }
    }
    text
}

/// Writing to a text cannot fail.
fn put(text: &mut String, line: Arguments<'_>) {
    let _ = text.write_fmt(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(account: &str, role: &str) -> Target {
        let role_arn = format!("arn:aws:iam::{account}:role/{role}");
        Target { account_id: account.to_owned(), role: role.to_owned(), role_arn }
    }

    fn sheet(alias: Option<&str>, targets: &[Target]) -> Sheet {
        let account = "111111111111".parse().unwrap();
        let at = SignIn { account: &account, alias };
        Sheet::of(&"alice".parse().unwrap(), at, &targets.iter().cloned().collect(), &Directory::default())
    }

    #[test]
    fn an_account_has_its_name_and_its_color_where_a_sweep_has_seen_them() {
        let account = "111111111111".parse().unwrap();
        let at = SignIn { account: &account, alias: None };
        let named = |color: &str| Named { name: "Shop & Co".to_owned(), color: Some(color.to_owned()) };
        let in_color = |color| Directory { accounts: [("222222222222".to_owned(), named(color))].into() };
        let targets = [target("222222222222", "role-admin"), target("333333333333", "role-admin")].into();
        let sheet = Sheet::of(&"alice".parse().unwrap(), at, &targets, &in_color("c92a2a"));
        assert_eq!(sheet.roles[0].account_name.as_deref(), Some("Shop & Co"));
        assert!(sheet.roles[0].link.ends_with("&displayName=Shop%20%26%20Co%20role-admin&color=c92a2a"));
        assert!(sheet.extend_switch_roles.contains("source_profile = jump\ncolor = c92a2a\n"));
        assert!(sheet.roles[1].account_name.is_none() && !sheet.roles[1].link.contains("color"));
        let hostile = Sheet::of(&"alice".parse().unwrap(), at, &targets, &in_color("1]\nrole_arn"));
        assert!(!hostile.extend_switch_roles.contains("color") && !hostile.roles[0].link.contains("color"));
    }

    #[test]
    fn every_role_is_a_link_a_profile_and_an_entry_of_the_extension() {
        let sheet = sheet(None, &[target("222222222222", "people/role-admin")]);
        assert_eq!(sheet.sign_in, "https://111111111111.signin.aws.amazon.com/console");
        assert_eq!(
            sheet.roles[0].link,
            "https://signin.aws.amazon.com/switchrole?roleName=people%2Frole-admin&account=222222222222\
             &displayName=people%2Frole-admin%20222222222222"
        );
        assert!(sheet.aws_config.contains(
            "[profile people-role-admin-222222222222]\nsource_profile = jump\n\
             role_arn = arn:aws:iam::222222222222:role/people/role-admin\n\
             mfa_serial = arn:aws:iam::111111111111:mfa/alice\nregion = us-east-1\n"
        ));
        assert_eq!(
            sheet.extend_switch_roles,
            "[jump]\naws_account_id = 111111111111\n\n[people-role-admin-222222222222]\n\
             role_arn = arn:aws:iam::222222222222:role/people/role-admin\nsource_profile = jump\n"
        );
        assert!(sheet.second_factor.iter().any(|step| step.contains("name the device alice")));
    }

    #[test]
    fn an_alias_is_what_people_and_the_extension_know_the_account_by() {
        let sheet = sheet(Some("example-jump"), &[]);
        assert_eq!(sheet.sign_in, "https://example-jump.signin.aws.amazon.com/console");
        assert!(sheet.extend_switch_roles.contains("aws_account_alias = example-jump"));
    }

    #[test]
    fn a_role_of_any_account_has_a_link_that_asks_for_it_and_no_profile_that_would_not_work() {
        let sheet = sheet(None, &[target("*", "role-operator")]);
        assert_eq!(sheet.roles[0].link, "https://signin.aws.amazon.com/switchrole?roleName=role-operator");
        assert!(!sheet.aws_config.contains("role_arn") && sheet.aws_config.contains("# role-operator"));
        assert!(!sheet.extend_switch_roles.contains("role-operator"));
    }

    #[test]
    fn a_sheet_has_an_end_and_says_how_much_it_leaves_out() {
        let targets: Vec<_> = (0..1003_u64).map(|n| target(&format!("{n:012}"), "role-admin")).collect();
        let sheet = sheet(None, &targets);
        assert_eq!((sheet.roles.len(), sheet.more_roles), (1000, Some(3)));
    }
}
