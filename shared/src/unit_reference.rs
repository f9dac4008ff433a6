//! Organizational units as people name them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    ids::{NotValid, OrganizationalUnitId},
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
            NotValid("an organizational unit: an id (ou-ab12-cdef3456) or a path (/Workloads/Production)");
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
        let reference: OrganizationalUnitReference = text.parse().map_err(|_| NotValid(Self::EXPECTED))?;
        let is_root = match &reference {
            OrganizationalUnitReference::Id(id) => id.is_root(),
            OrganizationalUnitReference::Path(names) => names.is_empty(),
        };
        if is_root {
            // In the root, an account is unplaced.
            Err(NotValid(Self::EXPECTED))
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
        match &self.0 {
            OrganizationalUnitReference::Id(id) => id.fmt(f),
            OrganizationalUnitReference::Path(names) => f.write_str(&unit_path::of(names)),
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
}
