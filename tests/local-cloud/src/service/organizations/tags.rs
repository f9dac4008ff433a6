//! Tags of roots, units and accounts.

use std::time::Duration;

use serde_json::{Value, json};

use super::error;
use super::input::{Input, MAX_TAGS, is_parent_id};
use super::paging::page;
use super::shapes;
use super::state::{Org, Tags};
use crate::front::answer::ApiError;
use crate::identity::is_account_id;

pub(super) fn list(org: &Org, input: Input<'_>) -> Result<Value, ApiError> {
    let id = resource(org, input)?;
    let rows = org.tags.get(id).map(shapes::tags).unwrap_or_default();
    page(input, "ListTagsForResource", "Tags", rows, org.settings.empty_first_pages)
}

pub(super) fn tag(org: &mut Org, input: Input<'_>, now: Duration) -> Result<Value, ApiError> {
    let id = resource(org, input)?;
    input.0.get("Tags").ok_or_else(|| error::invalid("INPUT_REQUIRED", "Tags"))?;
    let mut tags: Tags = org.tags.get(id).cloned().unwrap_or_default();
    tags.extend(input.tags()?);
    if tags.len() > MAX_TAGS {
        return Err(error::constraint("MAX_TAG_LIMIT_EXCEEDED"));
    }
    org.keep_indexed(id, now);
    org.tags.insert(id.to_owned(), tags);
    Ok(json!({}))
}

pub(super) fn untag(org: &mut Org, input: Input<'_>, now: Duration) -> Result<Value, ApiError> {
    let id = resource(org, input)?;
    input.0.get("TagKeys").ok_or_else(|| error::invalid("INPUT_REQUIRED", "TagKeys"))?;
    let keys = input.list("TagKeys")?;
    org.keep_indexed(id, now);
    if let Some(tags) = org.tags.get_mut(id) {
        tags.retain(|key, _| !keys.iter().any(|gone| gone == key));
    }
    Ok(json!({}))
}

fn resource<'a>(org: &Org, input: Input<'a>) -> Result<&'a str, ApiError> {
    let id = input.id("ResourceId", |id| is_account_id(id) || is_parent_id(id))?;
    if org.is_taggable(id) { Ok(id) } else { Err(error::not_found("TargetNotFoundException", id)) }
}
