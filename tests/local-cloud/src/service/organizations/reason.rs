//! Why a creation can fail.

/// The reasons of `CreateAccountFailureReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the service's own word")]
pub enum FailureReason {
    AccountLimitExceeded,
    ConcurrentAccountModification,
    EmailAlreadyExists,
    FailedBusinessValidation,
    GovcloudAccountAlreadyExists,
    InternalFailure,
    InvalidAddress,
    InvalidEmail,
    InvalidIdentityForBusinessValidation,
    InvalidPaymentInstrument,
    MissingBusinessValidation,
    MissingPaymentInstrument,
    PendingBusinessValidation,
    UnknownBusinessValidation,
    UpdateExistingResourcePolicyWithTagsNotSupported,
}

impl FailureReason {
    /// Every reason there is.
    pub const ALL: [Self; 15] = [
        Self::AccountLimitExceeded,
        Self::ConcurrentAccountModification,
        Self::EmailAlreadyExists,
        Self::FailedBusinessValidation,
        Self::GovcloudAccountAlreadyExists,
        Self::InternalFailure,
        Self::InvalidAddress,
        Self::InvalidEmail,
        Self::InvalidIdentityForBusinessValidation,
        Self::InvalidPaymentInstrument,
        Self::MissingBusinessValidation,
        Self::MissingPaymentInstrument,
        Self::PendingBusinessValidation,
        Self::UnknownBusinessValidation,
        Self::UpdateExistingResourcePolicyWithTagsNotSupported,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountLimitExceeded => "ACCOUNT_LIMIT_EXCEEDED",
            Self::ConcurrentAccountModification => "CONCURRENT_ACCOUNT_MODIFICATION",
            Self::EmailAlreadyExists => "EMAIL_ALREADY_EXISTS",
            Self::FailedBusinessValidation => "FAILED_BUSINESS_VALIDATION",
            Self::GovcloudAccountAlreadyExists => "GOVCLOUD_ACCOUNT_ALREADY_EXISTS",
            Self::InternalFailure => "INTERNAL_FAILURE",
            Self::InvalidAddress => "INVALID_ADDRESS",
            Self::InvalidEmail => "INVALID_EMAIL",
            Self::InvalidIdentityForBusinessValidation => "INVALID_IDENTITY_FOR_BUSINESS_VALIDATION",
            Self::InvalidPaymentInstrument => "INVALID_PAYMENT_INSTRUMENT",
            Self::MissingBusinessValidation => "MISSING_BUSINESS_VALIDATION",
            Self::MissingPaymentInstrument => "MISSING_PAYMENT_INSTRUMENT",
            Self::PendingBusinessValidation => "PENDING_BUSINESS_VALIDATION",
            Self::UnknownBusinessValidation => "UNKNOWN_BUSINESS_VALIDATION",
            Self::UpdateExistingResourcePolicyWithTagsNotSupported => {
                "UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED"
            }
        }
    }
}
