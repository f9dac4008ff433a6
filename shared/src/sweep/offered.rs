//! What people can switch to in an account. Pure.

use serde::Serialize;

use crate::{
    baseline::Baseline,
    control::{console_color::Color, switch_roles::SwitchRoles},
    ids::{AccountId, RoleName},
};

/// What people can switch to in an account by its sections `switch-roles` and `console-color`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Offered {
    /// The account that people come from; None where the roles are handed out by IAM account access manager alone, and
    /// where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jump_account: Option<AccountId>,
    /// Where the roles stand in the account's tree of names.
    pub path: String,
    /// The roles.
    pub roles: Vec<RoleName>,
    /// Whether one has to know an external id, so that the console cannot switch to them. The id itself is not told.
    pub needs_external_id: bool,
    /// The color in which the console shows the account, where it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
}

impl Offered {
    /// What an account of this baseline offers. A role that no jump account leads to is none that people switch to.
    pub fn of(baseline: &Baseline) -> Self {
        let color = baseline.console_color.map(|section| section.color).filter(|color| *color != Color::None);
        let reached = |section: &&SwitchRoles| section.jump_account.is_some();
        baseline.switch_roles.as_ref().filter(reached).map_or_else(
            || Self { color, ..Self::default() },
            |section| Self {
                jump_account: section.jump_account.clone(),
                path: section.path.clone(),
                roles: section.roles.iter().map(|role| role.name.clone()).collect(),
                needs_external_id: section.external_id.is_some(),
                color,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Document;

    fn offered(defaults: &str) -> Offered {
        let text = format!("version: 1\ndefaults: {{{defaults}}}");
        Offered::of(&Document::read(text.as_bytes(), &RoleName::organization_account_access()).unwrap().defaults)
    }

    #[test]
    fn an_account_offers_the_roles_of_its_section_in_its_color() {
        let offered =
            offered("switch-roles: {jump_account: '222222222222', path: /people/}, console-color: {color: red}");
        let roles: Vec<_> = offered.roles.iter().map(RoleName::as_str).collect();
        assert_eq!(roles, ["role-admin", "role-developer", "role-operator"]);
        assert_eq!((offered.path.as_str(), offered.color), ("/people/", Some(Color::Red)));
        assert_eq!(offered.jump_account.unwrap().as_str(), "222222222222");
        assert!(!offered.needs_external_id);
    }

    #[test]
    fn roles_that_no_jump_account_leads_to_are_not_offered_and_an_external_id_is_not_told() {
        let application = "arn:aws:account-access:us-east-1:111122223333:application/app-0123456789abcdef";
        assert_eq!(
            offered(&format!("switch-roles: {{account_access_application: '{application}'}}")),
            Offered::default()
        );
        assert_eq!(offered("console-color: {color: none}"), Offered::default());
        let secret = offered("switch-roles: {jump_account: '222222222222', external_id: only-for-friends}");
        assert!(secret.needs_external_id);
        assert!(!serde_json::to_string(&secret).unwrap().contains("friends"));
    }
}
