//! The list of all controls.

use super::{
    AnyControl, access_role::AccessRoleControl, account_alias::AccountAliasControl, account_name::AccountNameControl,
    account_tags::AccountTagsControl, alternate_contacts::AlternateContactsControl, billing_alarm::BillingAlarmControl,
    budget::BudgetControl, config_recorder::ConfigRecorderControl, console_color::ConsoleColorControl,
    jump_groups::JumpGroupsControl, member_events::MemberEventsControl, organizational_unit::OrganizationalUnitControl,
    password_policy::PasswordPolicyControl, primary_contact::PrimaryContactControl, primary_email::PrimaryEmailControl,
    regions::RegionsControl, root_credentials::RootCredentialsControl,
    s3_public_access_block::S3PublicAccessBlockControl, stack_instances::StackInstancesControl,
    switch_roles::SwitchRolesControl,
};

/// Every control, in the order of their rows.
pub static ALL: &[&dyn AnyControl] = &[
    &BillingAlarmControl,
    &AlternateContactsControl,
    &PrimaryContactControl,
    &RegionsControl,
    &RootCredentialsControl,
    &OrganizationalUnitControl,
    &AccountTagsControl,
    &AccountAliasControl,
    &PasswordPolicyControl,
    &S3PublicAccessBlockControl,
    &SwitchRolesControl,
    &AccessRoleControl,
    &MemberEventsControl,
    &PrimaryEmailControl,
    &AccountNameControl,
    &ConsoleColorControl,
    &BudgetControl,
    &ConfigRecorderControl,
    &StackInstancesControl,
    &JumpGroupsControl,
];

/// The control of this id.
pub fn find(id: &str) -> Option<&'static dyn AnyControl> {
    ALL.iter().copied().find(|control| control.id() == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        account_source::AccountSource,
        control::{AccessPath, Mode, actions},
        gateway::TaskPolicy,
        session::session_policy,
    };

    #[test]
    fn every_control_has_a_name_of_its_own_that_finds_it() {
        let ids: BTreeSet<_> = ALL.iter().map(|control| control.id()).collect();
        assert_eq!(ids.len(), ALL.len());
        for id in ids {
            assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{id}");
            assert_eq!(find(id).unwrap().id(), id);
        }
        assert!(find("no-such-control").is_none());
    }

    #[test]
    fn no_action_is_both_a_read_and_a_write_or_named_twice() {
        for control in ALL {
            let all = [control.reads(), control.writes()].concat();
            let distinct: BTreeSet<_> = all.iter().collect();
            assert_eq!(distinct.len(), all.len(), "{}", control.id());
            assert!(all.iter().all(|action| action.contains(':') && !action.contains('*')), "{}", control.id());
        }
    }

    #[test]
    fn the_session_policy_of_all_controls_is_one_that_sts_takes() {
        for source in [AccountSource::Organization, AccountSource::Document] {
            let policy = session_policy(&actions(ALL, Mode::Apply, source));
            assert!(policy.len() <= 2048, "{} characters", policy.len());
        }
    }

    #[test]
    fn a_session_is_allowed_the_actions_of_controls_that_work_through_it_and_no_others() {
        let allowed = actions(ALL, Mode::Apply, AccountSource::Organization);
        for control in ALL {
            for (actions, through) in
                [(control.reads(), control.looks_through()), (control.writes(), control.changes_through())]
            {
                for action in actions {
                    assert_eq!(
                        allowed.contains(action),
                        through == AccessPath::AssumedRole,
                        "{} {action}",
                        control.id()
                    );
                }
            }
        }
        let reads = actions(ALL, Mode::Plan, AccountSource::Organization);
        let verbs: BTreeSet<_> =
            reads.iter().map(|action| action.split_once(':').unwrap().1.get(..3).unwrap()).collect();
        assert_eq!(verbs, BTreeSet::from(["Des", "Get", "Lis", "Vie"]));
    }

    #[test]
    fn what_a_control_does_as_root_is_within_the_tasks_of_its_sessions() {
        for control in ALL.iter().filter(|control| control.changes_through() == AccessPath::AssumeRoot) {
            assert_eq!(control.looks_else_through(), Some(AccessPath::AssumeRoot), "{}", control.id());
            for action in control.reads() {
                assert!(TaskPolicy::AuditCredentials.allowed_actions().contains(action), "{action}");
            }
            for action in control.writes() {
                assert!(TaskPolicy::DeleteCredentials.allowed_actions().contains(action), "{action}");
            }
        }
    }
}
