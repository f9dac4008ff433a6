//! Organizational units as people name them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    ids::{AccountId, NotValid, OrganizationalUnitId},
    unit_path,
};

/// An organizational unit as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrganizationalUnitReference {
    /// By its id.
    Id(OrganizationalUnitId),
    /// By the names from the root down, read from a [path](crate::unit_path): `/Workloads/Production`; `/` is the root.
    Path(Vec<String>),
}

impl FromStr for OrganizationalUnitReference {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        const EXPECTED: NotValid =
            NotValid::expected("an organizational unit: an id (ou-ab12-cdef3456) or a path (/Workloads/Production)");
        match text.strip_prefix('/') {
            Some("") => Ok(Self::Path(Vec::new())),
            Some(path) => {
                let names: Vec<_> = path.strip_suffix('/').unwrap_or(path).split('/').map(unit_path::read).collect();
                if names.iter().any(|name| name.trim().is_empty()) { Err(EXPECTED) } else { Ok(Self::Path(names)) }
            }
            None => text.parse().map(Self::Id).map_err(|_| EXPECTED),
        }
    }
}

/// The name of a unit below the root: its id or its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitName(OrganizationalUnitReference);

impl UnitName {
    /// What a valid value looks like.
    pub const EXPECTED: &'static str =
        "a unit below the root, by id (ou-ab12-cdef3456) or by path (/Workloads/Production)";

    /// The unit that it names.
    pub fn reference(&self) -> &OrganizationalUnitReference {
        &self.0
    }
}

impl FromStr for UnitName {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let reference: OrganizationalUnitReference = text.parse().map_err(|_| NotValid::expected(Self::EXPECTED))?;
        let is_root = match &reference {
            OrganizationalUnitReference::Id(id) => id.is_root(),
            OrganizationalUnitReference::Path(names) => names.is_empty(),
        };
        if is_root {
            // In the root, an account is unplaced.
            Err(NotValid::expected(Self::EXPECTED))
        } else {
            Ok(Self(reference))
        }
    }
}

impl TryFrom<String> for UnitName {
    type Error = NotValid;

    fn try_from(text: String) -> Result<Self, NotValid> {
        text.parse()
    }
}

impl From<UnitName> for String {
    fn from(name: UnitName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for OrganizationalUnitReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Path(names) => f.write_str(&unit_path::of(names)),
        }
    }
}

/// What a policy of the organization is attached to, as a person names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PolicyTarget {
    /// An account.
    Account(AccountId),
    /// A unit, or the root.
    Unit(OrganizationalUnitReference),
}

impl PolicyTarget {
    /// What a valid value looks like.
    pub const EXPECTED: &'static str =
        "an account by id, or a unit by id (ou-ab12-cdef3456) or path (/Workloads/Production; / is the root)";
}

impl FromStr for PolicyTarget {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        let unit = || text.parse().map(Self::Unit).map_err(|_| NotValid::expected(Self::EXPECTED));
        text.parse().map(Self::Account).or_else(|_| unit())
    }
}

impl TryFrom<String> for PolicyTarget {
    type Error = NotValid;

    fn try_from(text: String) -> Result<Self, NotValid> {
        text.parse()
    }
}

impl From<PolicyTarget> for String {
    fn from(target: PolicyTarget) -> Self {
        target.to_string()
    }
}

impl fmt::Display for PolicyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Unit(unit) => unit.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_named_by_id_or_by_path() {
        use OrganizationalUnitReference::{Id, Path};
        assert!(matches!("ou-ab12-cdef3456".parse(), Ok(Id(_))));
        assert_eq!("/".parse(), Ok(Path(vec![])));
        assert_eq!("/Workloads/Production/".parse(), Ok(Path(vec!["Workloads".into(), "Production".into()])));
        assert_eq!("/A%2FB/C".parse(), Ok(Path(vec!["A/B".into(), "C".into()])));
        assert!("/Workloads//Production".parse::<OrganizationalUnitReference>().is_err());
    }

    #[test]
    fn what_a_policy_is_attached_to_is_an_account_a_unit_or_the_root() {
        for text in ["222222222222", "ou-ab12-cdef3456", "r-ab12", "/", "/Workloads/A%2FB"] {
            let target: PolicyTarget = text.parse().unwrap();
            assert_eq!(
                (target.to_string().as_str(), matches!(target, PolicyTarget::Account(_))),
                (text, text.len() == 12)
            );
        }
        assert_eq!("22222222222".parse::<PolicyTarget>(), Err(NotValid::expected(PolicyTarget::EXPECTED)));
    }
}
