//! Why a creation can fail.

use strum::{IntoStaticStr, VariantArray};

/// The reasons of `CreateAccountFailureReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
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
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
