//! The errors of the Organizations API.

use crate::front::answer::ApiError;

/// Any error of the service: they are all client errors.
pub(super) fn error(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(400, code, message)
}

pub(super) fn invalid(reason: &str, parameter: &str) -> ApiError {
    error("InvalidInputException", format!("You specified an invalid value for {parameter}.")).with("Reason", reason)
}

pub(super) fn constraint(reason: &str) -> ApiError {
    let message = format!("You have exceeded a quota or broken a rule of the organization: {reason}.");
    error("ConstraintViolationException", message).with("Reason", reason)
}

pub(super) fn serialization(parameter: &str) -> ApiError {
    error("SerializationException", format!("The value of {parameter} has the wrong type."))
}

pub(super) fn not_in_use() -> ApiError {
    error("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
}

pub(super) fn not_for_members() -> ApiError {
    error("AccessDeniedException", "You don't have permissions to access this resource.")
}

/// Something that was named does not exist.
pub(super) fn not_found(code: &str, id: &str) -> ApiError {
    error(code, format!("We can't find {id} in this organization."))
}
