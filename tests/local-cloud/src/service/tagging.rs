//! The part of the Resource Groups Tagging API that reads the tags of accounts: an index that lags behind AWS Organizations.

use serde_json::{Value, json};

use crate::front::answer::{ApiError, json_ok};
use crate::front::request::Incoming;
use crate::quota::Rate;
use crate::service::{Answered, Context, Service};

/// How many ARNs one call takes (API reference, `GetResources`).
const MAX_ARNS: usize = 100;

/// The index. What is in it is kept with the organizations.
#[derive(Default)]
pub(crate) struct Tagging;

impl Service for Tagging {
    fn claims(&self, request: &Incoming) -> bool {
        request.service == "tag"
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        // AWS publishes none. This is what somebody polite keeps to.
        (operation == "GetResources").then_some(Rate::new(5.0, 5.0))
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        perform(context).map(|body| json_ok(context.request.protocol, &body))
    }
}

fn perform(context: &Context<'_>) -> Result<Value, ApiError> {
    let Context { core, request, caller } = context;
    if request.operation != "GetResources" {
        return Err(invalid(format!("The local cloud does not know {}.", request.operation)));
    }
    let arns = request.input.get("ResourceARNList").and_then(Value::as_array);
    let arns = arns.ok_or_else(|| invalid("The local cloud looks for ResourceARNList alone.".to_owned()))?;
    let alone = ["ResourceTypeFilters", "TagFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken"];
    if let Some(other) = alone.iter().find(|name| !request.input[**name].is_null()) {
        return Err(invalid(format!("{other} cannot be used with ResourceARNList.")));
    }
    let texts: Option<Vec<&str>> = arns.iter().map(Value::as_str).collect();
    let arns = texts.filter(|arns| (1..=MAX_ARNS).contains(&arns.len()) && arns.iter().all(|arn| is_arn(arn)));
    let arns = arns.ok_or_else(|| invalid(format!("ResourceARNList takes 1 to {MAX_ARNS} ARNs.")))?;
    // Organizations is in one region, and so is the index of its tags.
    let is_there = request.authorization.as_ref().is_some_and(|scope| scope.region == crate::client::REGION);
    let found = if is_there {
        core.services.organizations.indexed_tags(&caller.account, &arns, core.clock.elapsed())
    } else {
        Vec::new()
    };
    Ok(json!({ "PaginationToken": "", "ResourceTagMappingList": found }))
}

fn is_arn(text: &str) -> bool {
    text.len() <= 1011 && text.starts_with("arn:aws:") && text.split(':').count() >= 6
}

fn invalid(message: String) -> ApiError {
    ApiError::new(400, "InvalidParameterException", message)
}
