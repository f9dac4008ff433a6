//! Roots, organizational units, and who is whose parent.

use serde_json::{Value, json};

use super::error;
use super::input::{Input, is_parent_id, is_unit_id};
use super::paging::{page, page_of};
use super::shapes;
use super::state::{Org, Unit};
use crate::front::answer::ApiError;
use crate::identity::is_account_id;
use crate::ids::Ids;

/// Units below the root, at most.
const MAX_DEPTH: usize = 5;
const MAX_UNITS: usize = 2000;

pub(super) fn list_roots(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    page(input, "ListRoots", "Roots", vec![shapes::root(org)], org.settings.empty_first_pages)
}

pub(super) fn describe(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let id = input.id("OrganizationalUnitId", is_unit_id)?;
    let unit = org.unit(id).ok_or_else(|| error::not_found("OrganizationalUnitNotFoundException", id))?;
    Ok(json!({ "OrganizationalUnit": shapes::unit(org, unit) }))
}

pub(super) fn create(ids: &Ids, org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let parent = parent(org, input)?.to_owned();
    let name = input.text("Name", 1, 128)?;
    let tags = input.tags()?;
    if org.units.iter().any(|unit| unit.parent == parent && unit.name.eq_ignore_ascii_case(name)) {
        return Err(error::error("DuplicateOrganizationalUnitException", "An OU with the same name already exists."));
    }
    if org.depth(&parent) >= MAX_DEPTH {
        return Err(error::constraint("OU_DEPTH_LIMIT_EXCEEDED"));
    }
    if org.units.len() >= MAX_UNITS {
        return Err(error::constraint("OU_NUMBER_LIMIT_EXCEEDED"));
    }
    let id = org.add_unit(ids, name, parent);
    org.tags.insert(id.clone(), tags);
    let unit = org.unit(&id).map(|unit| shapes::unit(org, unit));
    Ok(json!({ "OrganizationalUnit": unit }))
}

pub(super) fn rename(org: &mut Org, input: Input<'_>) -> Result<Value, ApiError> {
    let id = input.id("OrganizationalUnitId", is_unit_id)?;
    let name = input.text("Name", 1, 128)?;
    let parent = org.unit(id).map(|unit| unit.parent.clone());
    let parent = parent.ok_or_else(|| error::not_found("OrganizationalUnitNotFoundException", id))?;
    if inside(org, &parent).any(|unit| unit.id != id && unit.name.eq_ignore_ascii_case(name)) {
        return Err(error::error("DuplicateOrganizationalUnitException", "An OU with the same name already exists."));
    }
    if let Some(unit) = org.units.iter_mut().find(|unit| unit.id == id) {
        name.clone_into(&mut unit.name);
    }
    let unit = org.unit(id).map(|unit| shapes::unit(org, unit));
    Ok(json!({ "OrganizationalUnit": unit }))
}

pub(super) fn list_for_parent(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let parent = parent(org, input)?;
    let rows = inside(org, parent).map(|unit| shapes::unit(org, unit)).collect();
    page(input, "ListOrganizationalUnitsForParent", "OrganizationalUnits", rows, org.settings.empty_first_pages)
}

pub(super) fn list_children(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let parent = parent(org, input)?;
    let kind = input.word("ChildType", &["ACCOUNT", "ORGANIZATIONAL_UNIT"])?;
    let kind = kind.ok_or_else(|| error::invalid("INPUT_REQUIRED", "ChildType"))?;
    let ids: Vec<&str> = if kind == "ACCOUNT" {
        let accounts = org.accounts.iter().filter(|account| account.parent == parent);
        accounts.map(|account| account.id.as_str()).collect()
    } else {
        inside(org, parent).map(|unit| unit.id.as_str()).collect()
    };
    let shape = |id| json!({ "Id": id, "Type": kind });
    page_of(input, "ListChildren", "Children", ids.into_iter(), shape, org.settings.empty_first_pages)
}

pub(super) fn list_parents(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let child = input.id("ChildId", |id| is_account_id(id) || is_unit_id(id))?;
    let parent = org.unit(child).map(|unit| &unit.parent);
    let parent = parent.or_else(|| org.account(child).map(|account| &account.parent));
    let parent = parent.ok_or_else(|| error::not_found("ChildNotFoundException", child))?;
    page(input, "ListParents", "Parents", vec![shapes::parent(org, parent)], org.settings.empty_first_pages)
}

fn parent<'a>(org: &Org, input: Input<'a>) -> Result<&'a str, ApiError> {
    let parent = input.id("ParentId", is_parent_id)?;
    if org.is_parent(parent) { Ok(parent) } else { Err(error::not_found("ParentNotFoundException", parent)) }
}

fn inside<'a>(org: &'a Org, parent: &'a str) -> impl Iterator<Item = &'a Unit> {
    org.units.iter().filter(move |unit| unit.parent == parent)
}

/// The ids of a root or unit and of every unit below it.
pub(super) fn tree(org: &Org, top: &str) -> Vec<String> {
    let mut found = vec![top.to_owned()];
    let mut next = 0;
    while let Some(parent) = found.get(next).cloned() {
        found.extend(inside(org, &parent).map(|unit| unit.id.clone()));
        next += 1;
    }
    found
}
