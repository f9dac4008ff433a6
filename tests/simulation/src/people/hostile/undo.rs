//! Whoever administers a member takes away something that a document asks for, by mistake or not.

mod inside;

use serde_json::json;

use crate::{
    aws::{
        account::outside,
        arranging, deployed,
        regions::{self, Asker},
        root, settings, stack_sets,
    },
    cloud::State,
    document::{FIRST_UNIT, controls},
    script::Control,
};

/// Takes it away, in one of three ways.
pub(super) fn undo(state: &mut State, account: &str, control: Control, way: u64) {
    settings::of(state, account);
    match control {
        Control::Regions => return undo_regions(state, account, way),
        Control::OrganizationalUnit => return move_away(state, account, way),
        Control::AccountName => rename(state, account, way),
        Control::PrimaryEmail => readdress(state, account, way),
        Control::RootCredentials => give_root(state, account, way),
        Control::AccessRole => inside::let_in(state, account, way),
        Control::MemberEvents | Control::ConfigRecorder if way == 2 => deployed::come(state, account),
        Control::MemberEvents => inside::silence(state, account, way),
        Control::ConfigRecorder => inside::stop_recording(state, account, way),
        Control::Budget => inside::spend_more(state, account, way),
        Control::StackInstances => stack_sets::undo(state, account, way),
        _ => undo_settings(state, account, control, way),
    }
    settings::changed(state, account, control, None);
}

/// Moves the account to where the document does not have it.
fn move_away(state: &mut State, account: &str, way: u64) {
    let org = &state.organization;
    let others = org.units.iter().filter(|unit| unit.name != FIRST_UNIT && unit.name != controls::HOME);
    let places: Vec<String> = std::iter::once(&org.root).chain(others.map(|unit| &unit.id)).cloned().collect();
    let place = &places[place(way) % places.len()];
    if arranging::move_account(state, account, place).is_ok() {
        settings::changed(state, account, Control::OrganizationalUnit, None);
    }
}

/// Gives the account a name that the document allows, or not.
fn rename(state: &mut State, account: &str, way: u64) {
    outside::rename(state, account, ["test2", "account of somebody", "Account that has a name again"][place(way)]);
}

/// Lets the mail of the root user go to where the document allows it, or not.
fn readdress(state: &mut State, account: &str, way: u64) {
    let domain = ["private.example", "example.com.private.example", "example.com"][place(way)];
    outside::readdress(state, account, &format!("another+{account}@{domain}"));
}

/// Gives the root user of the account something.
fn give_root(state: &mut State, account: &str, way: u64) {
    root::change(state, account, |root| match way {
        0 => root.password = true,
        1 => root.access_keys.push(format!("AKIAANOTHER{}OF{account}", root.access_keys.len())),
        _ => {
            root.mfa = true;
            root.certificates.push(format!("CERTIFICATE{}OF{account}", root.certificates.len()));
        }
    });
}

fn place(way: u64) -> usize {
    usize::try_from(way).expect("small")
}

fn undo_settings(state: &mut State, account: &str, control: Control, way: u64) {
    let Some(settings) = state.settings.get_mut(account) else { return };
    let draws = &mut state.draws;
    match (control, way) {
        (Control::AlternateContacts, 0) => {
            let contact = json!({"Name": "Me", "Title": "Me", "EmailAddress": "me@example.com", "PhoneNumber": "+1"});
            settings.contacts.insert("BILLING".to_owned(), contact);
        }
        (Control::AlternateContacts, 1) => drop(settings.contacts.remove("SECURITY")),
        (Control::AlternateContacts, _) => {
            if let Some(contact) = settings.contacts.get_mut("OPERATIONS") {
                contact["PhoneNumber"] = "+1".into();
            }
        }
        (Control::BillingAlarm, 0) => drop(settings.alarms.remove(controls::ALARM)),
        (Control::BillingAlarm, 1) => {
            if let Some(alarm) = settings.alarms.get_mut(controls::ALARM) {
                alarm["Threshold"] = 1e6.into();
            }
        }
        (Control::BillingAlarm, _) => drop(settings.topics.remove(controls::TOPIC)),
        (Control::PasswordPolicy, _) => settings.password_policy.set(None, draws),
        (Control::PrimaryContact, _) => settings.contact["PhoneNumber"] = "+1".into(),
        (Control::S3PublicAccessBlock, 0) => settings.public_access.set(None, draws),
        (Control::S3PublicAccessBlock, _) => settings.public_access.set(Some([true, false, true, true]), draws),
        (Control::ConsoleColor, _) => settings.color.set(Some("green".to_owned()), draws),
        (Control::SwitchRoles, 0) => drop(settings.roles.remove("role-admin")),
        (Control::SwitchRoles, _) => {
            let role = settings.roles.get("role-operator").and_then(|role| role.now().clone());
            if let Some(mut role) = role {
                if way == 1 {
                    role.attached.insert("arn:aws:iam::aws:policy/PowerUserAccess".to_owned());
                } else {
                    "43200".clone_into(&mut role.session_seconds);
                }
                settings.roles.entry("role-operator".to_owned()).or_default().set(Some(role), draws);
            }
        }
        _ => {}
    }
}

/// Asks for the opposite of what the document does, where AWS takes that now.
fn undo_regions(state: &mut State, account: &str, way: u64) {
    let (region, from, enables) = match way {
        0 => (controls::ENABLED, "ENABLED", false),
        _ => (controls::DISABLED, "DISABLED", true),
    };
    if regions::status(state, account, region) == from {
        // AWS works on too many of them at times.
        drop(regions::change(state, account, region, enables, &Asker::Member("mallory".to_owned())));
    }
}
