//! The errors of the Account Management API.

use serde_json::json;

use crate::front::answer::ApiError;
use crate::service::Context;

/// A parameter that breaks a rule.
pub(super) fn invalid(field: &str) -> ApiError {
    let message = format!("The value of {field} is not valid.");
    let fields = json!([{ "name": field, "message": message }]);
    ApiError::new(400, "ValidationException", message).with("reason", "fieldValidationFailed").with("fieldList", fields)
}

/// A region that cannot be enabled or disabled.
pub(super) fn not_optional(region: &str) -> ApiError {
    ApiError::new(400, "ValidationException", format!("{region} is not a region that can be enabled or disabled."))
        .with("reason", "invalidRegionOptTarget")
}

pub(super) fn denied(context: &Context<'_>, why: &str) -> ApiError {
    let (caller, operation) = (&context.caller.arn, &context.request.operation);
    let message = format!("User: {caller} is not authorized to perform: account:{operation} ({why})");
    ApiError::new(403, "AccessDeniedException", message)
}

pub(super) fn not_found(what: &str) -> ApiError {
    ApiError::new(404, "ResourceNotFoundException", format!("No {what} found."))
}

pub(super) fn conflict(region: &str, status: &str) -> ApiError {
    ApiError::new(409, "ConflictException", format!("Region {region} is {status} at the moment."))
}

/// Too many regions on their way at once, which waiting for seconds does not help against.
pub(super) fn too_many_at_once(quota: &str) -> ApiError {
    let message = format!(
        "This request has exceeded the quota for '{quota}'. Consider retrying the operation later once some requests \
         have been completed."
    );
    ApiError::new(429, "TooManyRequestsException", message)
}

pub(super) fn unknown(operation: &str) -> ApiError {
    ApiError::new(404, "UnknownOperationException", format!("The local cloud does not know {operation}."))
}
