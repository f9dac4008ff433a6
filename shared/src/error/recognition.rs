//! Which cause stands behind what an AWS service answers.

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;

use super::Cause;

/// Whether a word is an error code by which a service says that calls come too fast: the SDK's own list, without
/// `LimitExceededException`, which is a full quota wherever Steward meets it, and with or without `Exception`.
pub(crate) fn is_throttling(code: &str) -> bool {
    let bare = |code: &'static str| code.strip_suffix("Exception").unwrap_or(code);
    let code = code.strip_suffix("Exception").unwrap_or(code);
    THROTTLING_ERRORS.iter().any(|known| *known != "LimitExceededException" && bare(known) == code)
}

impl Cause {
    /// The cause behind a `FailureReason` of `CreateAccount`, by its name in the API model.
    pub fn of_create_account_failure(reason: &str) -> Self {
        match reason {
            "ACCOUNT_LIMIT_EXCEEDED" => Self::AccountLimitExceeded,
            "EMAIL_ALREADY_EXISTS" => Self::EmailAlreadyExists,
            "INVALID_ADDRESS" => Self::InvalidAddress,
            "INVALID_EMAIL" => Self::InvalidEmail,
            "CONCURRENT_ACCOUNT_MODIFICATION" => Self::ConcurrentAccountModification,
            "INTERNAL_FAILURE" => Self::InternalFailure,
            "GOVCLOUD_ACCOUNT_ALREADY_EXISTS" => Self::GovcloudAccountAlreadyExists,
            "MISSING_BUSINESS_VALIDATION" => Self::MissingBusinessValidation,
            "FAILED_BUSINESS_VALIDATION" => Self::FailedBusinessValidation,
            "PENDING_BUSINESS_VALIDATION" => Self::PendingBusinessValidation,
            // The user guide and the API model disagree about this name.
            "INVALID_IDENTITY_FOR_BUSINESS_VALIDATION" | "IDENTITY_INVALID_BUSINESS_VALIDATION" => {
                Self::InvalidIdentityForBusinessValidation
            }
            "UNKNOWN_BUSINESS_VALIDATION" => Self::UnknownBusinessValidation,
            "MISSING_PAYMENT_INSTRUMENT" => Self::MissingPaymentInstrument,
            "INVALID_PAYMENT_INSTRUMENT" => Self::InvalidPaymentInstrument,
            "UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED" => {
                Self::UpdateExistingResourcePolicyWithTagsNotSupported
            }
            _ => Self::UnknownFailureReason,
        }
    }

    /// The cause behind an error code of an AWS service, with the `Reason` member that AWS Organizations adds to
    /// `ConstraintViolationException`. None for a code that the catalogue does not know.
    pub fn of_service_error(code: &str, reason: Option<&str>) -> Option<Self> {
        Some(match code.strip_suffix("Exception").unwrap_or(code) {
            "AccessDenied" | "AuthorizationError" | "DependencyAccessDenied" | "UnauthorizedOperation" => {
                Self::AccessDenied
            }
            "AccessDeniedForDependency"
            | "AccountNotManagementOrDelegatedAdministrator"
            | "CallerIsNotManagementAccount" => Self::NotManagementAccount,
            "AWSServiceAccessNotEnabled" | "ServiceAccessNotEnabled" => Self::TrustedAccessMissing,
            "OrganizationNotInAllFeaturesMode" => Self::OrganizationNotInAllFeaturesMode,
            "AWSOrganizationsNotInUse" | "NoAvailableOrganization" | "OrganizationNotFound" => {
                Self::OrganizationNotInUse
            }
            "FinalizingOrganization" => Self::FinalizingOrganization,
            "ConcurrentModification"
            | "ConcurrentAccess"
            | "EntityTemporarilyUnmodifiable"
            | "OperationAborted"
            | "PolicyChangesInProgress"
            | "StaleRequest"
            | "TransactionConflict" => Self::ConcurrentModification,
            "ConstraintViolation" => Self::of_constraint(reason.unwrap_or_default()),
            "IllegalArgument"
            | "InvalidInput"
            | "InvalidOperation"
            | "InvalidParameter"
            | "InvalidParameterValue"
            | "InvalidParameterCombination"
            | "MalformedPolicyDocument"
            | "PasswordPolicyViolation"
            | "PolicyNotAttachable"
            | "Validation"
            | "ValidationError" => Self::InputRefused,
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraint" => Self::WrongRegion,
            "UnsupportedAPIEndpoint" => Self::UnsupportedEndpoint,
            code if is_throttling(code) => Self::Throttled,
            "Service"
            | "InternalError"
            | "InternalFailure"
            | "InternalServer"
            | "InternalServerError"
            | "InternalServiceFault"
            | "InternalService"
            | "ServiceFailure"
            | "ServiceUnavailable" => Self::ServiceFault,
            "OperationInProgress" => Self::StackSetBusy,
            // It was enabled a moment ago.
            "PolicyTypeNotEnabled" => Self::NotVisibleYet,
            "OptInRequired" | "NotSignedUp" => Self::OptInRequired,
            "SubscriptionRequired" => Self::SubscriptionRequired,
            "RegionDisabled" => Self::RegionDisabled,
            "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClient" => Self::CredentialsNotAccepted,
            "CreationLimitExceeded" | "LimitExceeded" | "QuotaExceeded" => Self::QuotaExceeded,
            "AccountAlreadyClosed" => Self::AccountNotActive,
            "PackedPolicyTooLarge" => Self::SessionPolicyTooLarge,
            "AccountNotFound"
            | "NoSuchEntity"
            | "NoSuchResource"
            | "NotFound"
            | "ResourceNotFound"
            | "TargetNotFound"
            | "OrganizationalUnitNotFound"
            | "ParentNotFound"
            | "SourceParentNotFound"
            | "CreateAccountStatusNotFound"
            | "PolicyNotFound"
            | "StackSetNotFound"
            | "NoSuchBucket"
            | "QueueDoesNotExist"
            | "AWS.SimpleQueueService.NonExistentQueue" => Self::NotFound,
            "DestinationParentNotFound" => Self::OrganizationalUnitNotFound,
            "Conflict"
            | "DeleteConflict"
            | "DuplicateAccount"
            | "DuplicatePolicy"
            | "DuplicateRecord"
            | "EntityAlreadyExists" => Self::Conflict,
            _ => return None,
        })
    }

    fn of_constraint(reason: &str) -> Self {
        match reason {
            "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED" => Self::TooManyCreationsInProgress,
            "ACCOUNT_NUMBER_LIMIT_EXCEEDED" => Self::AccountLimitExceeded,
            "CLOSE_ACCOUNT_QUOTA_EXCEEDED" => Self::ClosureQuotaExceeded,
            "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED" => Self::TooManyClosuresInProgress,
            "MASTER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED" => Self::PaymentInstrumentRequired,
            "MASTER_ACCOUNT_MISSING_CONTACT_INFO" => Self::ContactInformationRequired,
            "MASTER_ACCOUNT_MISSING_BUSINESS_LICENSE" => Self::MissingBusinessValidation,
            "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE" => Self::OrganizationNotInAllFeaturesMode,
            "SERVICE_ACCESS_NOT_ENABLED" => Self::TrustedAccessMissing,
            "TAG_POLICY_VIOLATION" => Self::TagPolicyViolation,
            "MAX_TAG_LIMIT_EXCEEDED" => Self::TagLimitExceeded,
            _ => Self::ConstraintViolation,
        }
    }
}
