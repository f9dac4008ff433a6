//! The two files that programs read. Sources: AWS CLI user guide, "Using an IAM role in the AWS CLI"; the README of
//! AWS Extend Switch Roles and its parser, for which everything behind a `#` or a `;` is a comment.

use std::fmt::{Arguments, Write};

use super::{Access, profiles};

/// How many roles the extension surely keeps in the browser's synchronized storage: 2,000 with a color take 16,600 of the
/// 21,600 characters that it cuts its compressed configuration to.
pub(super) const SYNCHRONIZED: usize = 2000;

pub(super) fn aws_config(access: &Access) -> String {
    let mut text = "# For ~/.aws/config. Put your user name in the place of YOUR-USER-NAME, and your keys into\n\
                    # ~/.aws/credentials or into aws-vault, under the name of the first profile.\n"
        .to_owned();
    note_unknown(&mut text, access);
    for (name, account) in profiles::sources(access) {
        put(
            &mut text,
            format_args!(
                "\n[profile {name}]\nregion = us-east-1\nmfa_serial = arn:aws:iam::{account}:mfa/YOUR-USER-NAME\n"
            ),
        );
    }
    for profile in profiles::all(access) {
        let (account, role) = (profile.account, profile.role);
        let (name, source) = (&profile.name, &profile.source);
        put(&mut text, format_args!("\n[profile {name}]\nsource_profile = {source}\n"));
        put(&mut text, format_args!("role_arn = arn:aws:iam::{}:role/{role}\n", account.id));
        put(&mut text, format_args!("mfa_serial = arn:aws:iam::{}:mfa/YOUR-USER-NAME\n", account.jump_account));
        if account.needs_external_id {
            text.push_str("# It also needs its external_id, which those who look after the account know.\n");
        }
    }
    text
}

pub(super) fn extend_switch_roles(access: &Access) -> String {
    let mut text = "# For the browser extension AWS Extend Switch Roles.\n\
                    # If the account that people sign in to has an alias, add a line: aws_account_alias = the-alias\n"
        .to_owned();
    note_unknown(&mut text, access);
    if let Some(note) = note(access) {
        put(&mut text, format_args!("# {note}\n"));
    }
    for (name, account) in profiles::sources(access) {
        put(&mut text, format_args!("\n[{name}]\naws_account_id = {account}\n"));
    }
    for profile in profiles::all(access).into_iter().filter(|profile| !profile.account.needs_external_id) {
        let (account, role, source) = (profile.account, profile.role, &profile.source);
        let name = &profile.name;
        put(&mut text, format_args!("\n[{name}]\nrole_arn = arn:aws:iam::{}:role/{role}\n", account.id));
        put(&mut text, format_args!("source_profile = {source}\n"));
        if let Some(color) = account.color {
            put(&mut text, format_args!("color = {}\n", color.rgb));
        }
    }
    text
}

/// What people are to know who use the extension; None while everything fits.
pub(super) fn note(access: &Access) -> Option<String> {
    (access.roles() > SYNCHRONIZED).then(|| {
        format!(
            "These are {} roles. The extension synchronizes about 2,600 between browsers: set its storage to local, or \
             take only the part that you need.",
            access.roles()
        )
    })
}

fn note_unknown(text: &mut String, access: &Access) {
    if access.unknown > 0 {
        put(text, format_args!("# Of {} more accounts it could not be found out what they offer.\n", access.unknown));
    }
}

/// Writing to a text cannot fail.
fn put(text: &mut String, line: Arguments<'_>) {
    let _ = text.write_fmt(line);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::access::{
        Offered,
        tests::{named, offered},
    };

    #[test]
    fn a_role_is_a_profile_of_the_cli_and_an_entry_of_the_extension_in_the_color_of_the_account() {
        let access = named(&["Shop"], &offered(Some("red")));
        let config = access.to_aws_config();
        assert!(config.contains(
            "[profile jump]\nregion = us-east-1\nmfa_serial = arn:aws:iam::999999999999:mfa/YOUR-USER-NAME\n"
        ));
        assert!(config.contains(
            "[profile shop-people-role-admin]\nsource_profile = jump\n\
             role_arn = arn:aws:iam::000000000001:role/people/role-admin\n\
             mfa_serial = arn:aws:iam::999999999999:mfa/YOUR-USER-NAME\n"
        ));
        let ini = access.to_extend_switch_roles();
        assert!(ini.contains("[jump]\naws_account_id = 999999999999\n"));
        assert!(ini.contains(
            "[shop-people-role-admin]\nrole_arn = arn:aws:iam::000000000001:role/people/role-admin\n\
             source_profile = jump\ncolor = c92a2a\n"
        ));
    }

    #[test]
    fn a_role_with_an_external_id_is_for_programs_alone() {
        let access = named(&["Shop"], &Offered { needs_external_id: true, ..offered(None) });
        assert!(access.to_aws_config().contains("external_id, which"));
        assert!(!access.to_extend_switch_roles().contains("role_arn"));
    }

    #[test]
    fn what_the_extension_cannot_keep_in_sync_has_a_note() {
        let names = vec!["Shop"; SYNCHRONIZED / 2 + 1];
        assert_eq!(note(&named(&names[1..], &offered(None))), None);
        let ini = named(&names, &offered(None)).to_extend_switch_roles();
        assert!(ini.contains("# These are 2002 roles."), "{}", &ini[..400]);
    }

    proptest! {
        #[test]
        fn no_name_makes_a_section_or_a_setting_of_its_own(name in any::<String>()) {
            let access = named(&[&name], &offered(None));
            for text in [access.to_aws_config(), access.to_extend_switch_roles()] {
                prop_assert_eq!(text.lines().filter(|line| line.starts_with('[')).count(), 3);
                for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '['])) {
                    let (setting, _) = line.split_once(" = ").unwrap();
                    let known = ["region", "mfa_serial", "source_profile", "role_arn", "aws_account_id"];
                    prop_assert!(known.contains(&setting), "{}", line);
                }
            }
        }
    }
}
