//! The sections of the document: one per control, each listed on one line.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::Error};
use serde_json::Value;

use super::read::Check;
use crate::{
    control::{
        access_role::AccessRole, account_alias::AccountAlias, account_name::AccountName, account_tags::AccountTags,
        alternate_contacts::AlternateContacts, billing_alarm::BillingAlarm, budget::Budget,
        config_recorder::ConfigRecorder, console_color::ConsoleColor, jump_groups::JumpGroups,
        member_events::MemberEvents, organizational_unit::OrganizationalUnit, password_policy::PasswordPolicy,
        primary_contact::PrimaryContact, primary_email::PrimaryEmail, regions::Regions,
        root_credentials::RootCredentials, s3_public_access_block::S3PublicAccessBlock,
        stack_instances::StackInstances, switch_roles::SwitchRoles,
    },
    ids::MailAddress,
    input::{Problem, inner},
};

/// What a section can say wrong although every field of it is well-formed.
pub trait Validate {
    /// Every problem; `path` is where the value stands in the document.
    fn problems(&self, path: &str) -> Vec<Problem>;
}

/// Declares the sections: the id of the control, the field, and the desired state, which must implement
/// [`Validate`], [`JsonSchema`] and serde's traits. Behind the semicolon stand controls whose desired state nobody writes down
/// for an account: it is made of another part of the document.
macro_rules! sections {
    ($($id:literal $field:ident: $desired:ty,)* ; $($derived_id:literal $derived:ident: $made:ty,)*) => {
        /// The desired state of an account: one section per control. A control without a section is left alone.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Baseline {
            $(
                #[doc = concat!("What the control `", $id, "` keeps.")]
                #[serde(rename = $id, default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$desired>,
            )*
            $(
                #[doc = concat!("What the control `", $derived_id, "` keeps. It is made of the rest of the document.")]
                #[serde(skip)]
                pub $derived: Option<$made>,
            )*
        }

        impl Baseline {
            /// The ids of all controls.
            pub const IDS: &[&'static str] = &[$($id,)* $($derived_id,)*];

            /// The ids of the sections that the document has under `defaults` and in overrides.
            pub(super) const WRITTEN: &[&'static str] = &[$($id,)*];

            /// Takes over every section that `other` has.
            pub(super) fn replace_with(&mut self, other: &Self) {
                $(if let Some(section) = &other.$field { self.$field = Some(section.clone()); })*
            }

            /// Has every section of a mapping checked as what it is.
            pub(super) fn check_sections(check: &mut Check, fields: &Value, path: &str) {
                $(if let Some(section) = fields.get($id) { check.value::<$desired>(section, &inner(path, $id)); })*
            }
        }
    };
}

sections! {
    "billing-alarm" billing_alarm: BillingAlarm,
    "alternate-contacts" alternate_contacts: AlternateContacts,
    "primary-contact" primary_contact: PrimaryContact,
    "regions" regions: Regions,
    "root-credentials" root_credentials: RootCredentials,
    "organizational-unit" organizational_unit: OrganizationalUnit,
    "account-tags" account_tags: AccountTags,
    "account-alias" account_alias: AccountAlias,
    "password-policy" password_policy: PasswordPolicy,
    "s3-public-access-block" s3_public_access_block: S3PublicAccessBlock,
    "switch-roles" switch_roles: SwitchRoles,
    "access-role" access_role: AccessRole,
    "member-events" member_events: MemberEvents,
    "primary-email" primary_email: PrimaryEmail,
    "account-name" account_name: AccountName,
    "console-color" console_color: ConsoleColor,
    "budget" budget: Budget,
    "config-recorder" config_recorder: ConfigRecorder,
    "stack-instances" stack_instances: StackInstances,
    ;
    "jump-groups" jump_groups: JumpGroups,
}

impl Baseline {
    /// The baseline of a stack that has no document: a billing alarm with the stack's own parameters.
    pub fn of_parameters(alert_email: MailAddress, billing_threshold_usd: f64) -> Self {
        let billing_alarm = Some(BillingAlarm::new(billing_threshold_usd, vec![alert_email]));
        Self { billing_alarm, ..Self::default() }
    }
}

/// The id of a section, and so of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SectionId(&'static str);

impl SectionId {
    /// The id.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for SectionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Baseline::IDS.iter().find(|id| **id == text);
        known.copied().map(Self).ok_or_else(|| D::Error::custom(format!("must be one of {}", Baseline::IDS.join(", "))))
    }
}

impl JsonSchema for SectionId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SectionId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": Baseline::IDS})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control;

    #[test]
    fn every_control_has_a_section_and_every_section_a_control() {
        let controls: Vec<_> = control::ALL.iter().map(|control| control.id()).collect();
        assert_eq!(Baseline::IDS, controls);
    }
}
