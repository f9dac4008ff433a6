//! The error catalogue: what can go wrong, in words, with the remedy and whether trying again can help.
//!
//! A [`Cause`] is the stable name that answers, events and metrics carry. A [`Failure`] is one occurrence of it,
//! with the words of the AWS service that reported it. No function writes a remedy of its own.

mod recognition;

pub(crate) use recognition::is_throttling;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When it makes sense to try the same thing again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not until somebody has changed something.
    Never,
    /// By itself, after at least this many seconds.
    AfterSeconds(u32),
}

/// One row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What happened, as a sentence.
    pub message: &'static str,
    /// What a person can do about it, as a sentence.
    pub remedy: &'static str,
    /// Whether Steward tries again by itself.
    pub retry: Retry,
}

/// Declares the causes and their rows side by side, so that neither can exist without the other.
macro_rules! catalogue {
    ($($cause:ident { $retry:expr, $message:literal, $remedy:literal })*) => {
        /// Why something did not work.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Cause {
            $(#[doc = $message] $cause,)*
        }

        impl Cause {
            /// Every cause, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$cause,)*];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$cause => stringify!($cause),)* }
            }

            /// What is known about the cause.
            pub fn row(self) -> Row {
                match self { $(Self::$cause => Row { message: $message, remedy: $remedy, retry: $retry },)* }
            }
        }
    };
}

use Retry::{AfterSeconds, Never};

catalogue! {
    // What was asked for.
    InvalidRequest { Never,
        "The input is not valid.",
        "Correct every problem listed and send it again; nothing was recorded or changed." }
    RequestConflict { Never,
        "There is already a request for this e-mail address, with other details.",
        "Wait for that request to end, or send exactly the same details; for a second account use another address." }
    EmailInOrganization { Never,
        "An account of this organization already has this e-mail address.",
        "Use another address; with most mail systems name+anything@your.domain reaches the same mailbox." }
    EmailOfInactiveAccount { Never,
        "An account of this organization that is closed, or not active for another reason, has this e-mail address.",
        "Use another address: AWS keeps the address of a closed account for at least 90 days. Within these, AWS Support can open the account again." }
    AccountNameInRequest { Never,
        "Another request for an account of this name has not ended.",
        "Wait for that request to end, or use another name: AWS shows the calls of both by their names alone." }
    OrganizationalUnitNotFound { Never,
        "The organizational unit does not exist.",
        "Create it, or name an existing one by id (ou-...) or by path (/Workloads/Production)." }
    DailyCapReached { Never,
        "The number of accounts that may be requested in one day (UTC) is used up.",
        "Send the request again tomorrow, or raise the stack parameter MaxAccountsPerDay." }
    NotInRecord { Never,
        "An event tells of something that Steward's own record does not show.",
        "Nothing was done. Find out who put the event on Steward's bus, and take away the permission; an account that lacks its baseline gets it by hand." }
    NoJumpAccount { Never,
        "The stack names no account that people sign in to.",
        "Set the stack parameter JumpAccountId to the id of that account. Steward enters it by its access role, as any other; the management account has none unless you make one there that trusts its own account." }
    AccountProtected { Never,
        "The account is protected.",
        "Nothing was changed. If it is to be, take the account off `protected` in the baseline document and off the stack parameter ProtectedAccounts." }
    NoSuspendedUnit { Never,
        "The stack names no unit for accounts that are to be closed.",
        "Make a unit to which a service control policy is attached that denies everything, and set the stack parameter SuspendedUnitId to its id." }
    AccountSuspended { Never,
        "The account sits in the unit for accounts that are to be closed.",
        "Nothing was changed. Call its closing off with account-closer (`keep`), or move it out of the unit, if it is to go on." }
    ClosureStopped { Never,
        "The closing of the account has stopped: something has come in between.",
        "Find out who it was. Ask account-closer again to close the account, or call its closing off (`keep`)." }
    StackInstancesLeft { AfterSeconds(300),
        "The account has instances of stack sets that Steward may not take it out of.",
        "Take it out of them with its stacks retained (`delete-stack-instances` with `--retain-stacks`), or name the stack sets in the stack parameter StackSetsToLeave. Steward looks again by itself, and then closes the account." }
    ClosureQuotaExceeded { AfterSeconds(3600),
        "As many accounts were closed in the last 30 days as AWS allows: a fifth of the members, 250 at least and 1,000 at most.",
        "Nothing: Steward closes the rest, in their order, as soon as older closures are 30 days ago." }
    TooManyClosuresInProgress { AfterSeconds(300),
        "AWS is closing three accounts already, as many as it does at once.",
        "Nothing: the rest waits for its turn." }
    NoSuchSweep { Never,
        "There is no sweep of this stack under that execution, or it is over.",
        "Start an execution of the state machine (output ComplianceSweepArn): it alone calls this function." }
    TooMuchToRead { Never,
        "The account holds more of something than Steward reads.",
        "Look at what the message names in that account: somebody may have made it so long in order to hide something. Delete what nobody needs." }
    AccountTooSlow { AfterSeconds(3600),
        "What was asked of the account took longer than Steward gives one control.",
        "Nothing, if it was once: the next sweep looks again. If it lasts, look at what the control reads in that account." }
    SwitchedOff { Never,
        "Steward's switch is on: nothing is changed.",
        "Whoever turned it on decides. Delete the item `switch` of the table (output StateTable) to let Steward change things again." }
    PlanOnly { Never,
        "The function was called by an alias, such as plan, or by a version: so called, it changes nothing.",
        "Call the function without alias or version, with a role whose policy allows that." }
    MessageNotUnderstood { Never,
        "A message could not be understood.",
        "Look at the message in the dead-letter queue; correct what sent it, and send it again." }

    RecordUnreadable { Never,
        "Items of Steward's table cannot be read as account requests.",
        "Look at the items: somebody or something else has written them. Correct or delete them; other requests go on." }

    // FailureReason of an asynchronous CreateAccount.
    AccountNotRecognised { Never,
        "The account that AWS has made does not have the e-mail address of the request.",
        "Look at that account: it may be another program's, or somebody has changed its address. Then send the request again." }
    AccountLimitExceeded { Never,
        "The organization has reached the number of accounts it may have.",
        "Ask AWS Support for a higher quota (Service Quotas, AWS Organizations, in us-east-1), then send the request again." }
    EmailAlreadyExists { Never,
        "Another AWS account, inside or outside this organization, already uses this e-mail address.",
        "Send the request again with another address; an address stays taken even after its account was closed." }
    InvalidAddress { Never,
        "AWS refuses the postal address that a new account copies from the management account.",
        "Correct the contact information of the management account (Account page), then send the request again." }
    InvalidEmail { Never,
        "AWS refuses the e-mail address.",
        "Send the request again with an address that can receive mail." }
    ConcurrentAccountModification { AfterSeconds(30),
        "AWS is already working on a request with the same details.",
        "Nothing, unless it lasts: Steward looks for the account that the other request makes." }
    InternalFailure { AfterSeconds(60),
        "AWS could not create the account because of a fault of its own.",
        "If it lasts, look at the AWS Health Dashboard and send the request again later." }
    GovcloudAccountAlreadyExists { Never,
        "The matching account in AWS GovCloud (US) already exists.",
        "Ask AWS Support which account it is; Steward does not create GovCloud accounts." }
    MissingBusinessValidation { Never,
        "The management account has not gone through business validation, which AWS India asks for.",
        "Complete the validation on the Account page of the management account, then send the request again." }
    FailedBusinessValidation { Never,
        "The business validation of the management account failed.",
        "Correct it on the Account page of the management account, then send the request again." }
    PendingBusinessValidation { AfterSeconds(600),
        "The business validation of the management account is still running.",
        "Wait until it ends; Steward tries again by itself until the deadline." }
    InvalidIdentityForBusinessValidation { Never,
        "The identity used for the business validation of the management account is not accepted.",
        "Correct it on the Account page of the management account, then send the request again." }
    UnknownBusinessValidation { Never,
        "The business validation of the management account ended with an unknown problem.",
        "Ask AWS Support about the validation, then send the request again." }
    MissingPaymentInstrument { Never,
        "The management account has no valid payment method.",
        "Add one in the Billing console of the management account, then send the request again." }
    InvalidPaymentInstrument { Never,
        "The payment method of the management account is not accepted.",
        "Correct it in the Billing console of the management account, then send the request again." }
    UpdateExistingResourcePolicyWithTagsNotSupported { Never,
        "The tags cannot be applied because of the organization's resource-based delegation policy.",
        "Send the request without tags and tag the account afterwards, or update the delegation policy." }
    UnknownFailureReason { Never,
        "AWS gave a reason for the failure that Steward does not know.",
        "Read the reason in the message; AWS Support can explain it. Then send the request again." }

    // What the APIs answer.
    AccessDenied { Never,
        "AWS denied a call.",
        "Give the function's role the permission that the message names, and look for a service control policy that denies it." }
    NotManagementAccount { Never,
        "The call works from the management account of the organization alone.",
        "Deploy Steward into the management account." }
    OrganizationNotInUse { Never,
        "This account is not part of an AWS Organization.",
        "Create an organization with all features from the management account, and deploy Steward there." }
    NeedsOrganization { Never,
        "This takes an AWS Organization, and the stack has none: its accounts come from the baseline document.",
        "Do it in the account itself, or leave it out of the baseline document. Where there is an organization, deploy Steward in its management account with the stack parameter AccountSource=organization." }
    OrganizationNotInAllFeaturesMode { Never,
        "The organization has consolidated billing only.",
        "Enable all features on the Settings page of AWS Organizations." }
    TrustedAccessMissing { Never,
        "The service may not act in this organization.",
        "Enable trusted access for the service that the message names, in AWS Organizations or by organization-preparer." }
    FinalizingOrganization { AfterSeconds(300),
        "AWS is still setting up the organization, which can take an hour.",
        "Wait; Steward tries again by itself until the deadline." }
    ConcurrentModification { AfterSeconds(15),
        "Another change of the organization is under way.",
        "Nothing, unless it lasts: Steward tries again by itself." }
    TooManyCreationsInProgress { AfterSeconds(15),
        "AWS is already creating as many accounts as it does at once (5).",
        "Nothing: the request waits for its turn." }
    Throttled { AfterSeconds(15),
        "AWS answered that calls come too fast.",
        "Nothing, unless it lasts: look for another program that calls the same API in this account." }
    PaymentInstrumentRequired { Never,
        "The management account needs a valid payment method before accounts can be created.",
        "Add one in the Billing console of the management account, then send the request again." }
    ContactInformationRequired { Never,
        "The management account lacks contact information.",
        "Complete it on the Account page of the management account, then send the request again." }
    TagPolicyViolation { Never,
        "The tags break a tag policy of the organization.",
        "Correct the tags as the policy says, then send the request again." }
    TagLimitExceeded { Never,
        "There are more tags than AWS allows on one account (50).",
        "Send the request again with fewer tags." }
    ConstraintViolation { Never,
        "The call breaks a limit or rule of AWS Organizations.",
        "Read the reason in the message; the quotas page of AWS Organizations says what can be raised." }
    InputRefused { Never,
        "AWS refused a value of the call.",
        "Correct the value that the message names, then send the request again." }
    UnsupportedEndpoint { Never,
        "AWS Organizations does not offer this call in the region it was made in.",
        "Deploy Steward in us-east-1." }
    ServiceFault { AfterSeconds(15),
        "An AWS service failed.",
        "If it lasts, look at the AWS Health Dashboard." }
    Unreachable { AfterSeconds(15),
        "An AWS service could not be reached, or did not answer in time.",
        "If it lasts, look at the AWS Health Dashboard, and at the network if the functions run in a VPC." }
    WrongRegion { Never,
        "The bucket is in another region than the one that was named.",
        "Send it again with the region that the message names." }
    NotFound { Never,
        "Something that the call names does not exist.",
        "Look at the name in the message; somebody may have removed it." }
    StillUnderWay { AfterSeconds(300),
        "AWS is still at work on a change.",
        "Nothing, unless it lasts: Steward looks again by itself." }
    Conflict { AfterSeconds(15),
        "The call conflicts with the present state of what it changes.",
        "Nothing, unless it lasts: Steward looks again by itself." }
    CallFailed { Never,
        "An AWS call failed in a way that Steward does not know.",
        "Read the service's own words in the message." }

    // A young account.
    RoleNotAssumable { AfterSeconds(30),
        "The access role of the account cannot be assumed yet.",
        "Nothing, unless it lasts: a new account takes minutes. An invited account needs the role that the stack parameter AccessRoleName names." }
    AccessRoleUnusable { Never,
        "The access role of the account cannot be assumed, although the account is old enough to have it.",
        "Create the role that the stack parameter AccessRoleName names in the account, trusting the management account, or repair it; look for a service control policy that denies sts:AssumeRole." }
    AccountNotActive { Never,
        "The account is not active, so nothing can be done in it.",
        "Nothing, if it was closed or suspended on purpose; otherwise ask AWS Support to reopen it, then apply its baseline by hand." }
    OptInRequired { AfterSeconds(60),
        "The account is not signed up for the service yet.",
        "A new account takes minutes, at times an hour; if it lasts, open a case with AWS Support from the account." }
    SubscriptionRequired { AfterSeconds(60),
        "The account's sign-up for AWS services is not complete.",
        "A new account takes minutes; if it lasts, look at the payment method of the management account." }
    RegionDisabled { AfterSeconds(300),
        "The region is not enabled for the account, or its security token service is off there.",
        "Enable the region for the account, or leave it out of the baseline." }
    SessionPolicyTooLarge { Never,
        "The session policy for the controls of this run is larger than AWS allows.",
        "Run fewer controls at once." }

    CredentialsNotAccepted { AfterSeconds(30),
        "The account does not accept the credentials of the session yet.",
        "A new account takes minutes; if it lasts, check whether the account was closed or suspended." }
    StackSetBusy { AfterSeconds(120),
        "AWS CloudFormation is at work on the stack set, and takes one operation at a time.",
        "Nothing: Steward looks again by itself. If it lasts, look at the operations of the stack set in the console of us-east-1." }
    NotVisibleYet { AfterSeconds(15),
        "What was made a moment ago is not visible everywhere in AWS yet.",
        "Nothing: Steward looks again by itself." }

    // What a control meets.
    UnknownRegion { Never,
        "AWS does not know a region of the baseline.",
        "Correct its name in the baseline; nothing was enabled or disabled in this account." }
    RegionPolicyViolated { Never,
        "A region was enabled or disabled against the baseline document.",
        "Undo it, or change the regions section of the document; with regions in its list remediate, Steward undoes it by itself." }
    RegionChangeNotJudged { Never,
        "AWS told of a region whose change Steward cannot judge.",
        "Look at the account's regions yourself (Account page, AWS Regions); a newer Steward may know what the message names." }
    AccountNotInOrganization { Never,
        "The account is not in this organization.",
        "Find out why its events come here; if it has left, nothing is to be done, and if it was never in, look at who may put events on the bus." }
    RegionInTransition { AfterSeconds(120),
        "A region of the account is being enabled or disabled, which takes minutes and at times hours.",
        "Nothing: AWS cannot cancel it, and Steward looks again by itself." }
    RegionOptQuota { AfterSeconds(300),
        "AWS is already enabling or disabling as many regions as it does at once (6 of an account, 50 of an organization).",
        "Nothing: the rest waits for its turn." }
    TopicPolicyUnclear { Never,
        "It cannot be told whether CloudWatch may publish to the topic of the billing alarm.",
        "Correct or take away what the message names in the topic's access policy, or give the billing-alarm section another topic_name: Steward makes the topic." }
    AccountAliasTaken { Never,
        "Another AWS account already has this account alias.",
        "Choose another alias: it must be unique among all accounts of AWS; {account_id} in it makes it so." }
    QuotaExceeded { Never,
        "A quota of the account is used up.",
        "Remove what is no longer needed, or ask for a higher quota in Service Quotas of that account." }
    AccountManagementDenied { Never,
        "AWS Account Management denied a call.",
        "Enable trusted access for account.amazonaws.com in AWS Organizations, give the function's role the permission that the message names, and look for a service control policy that denies it." }
    RootSessionDenied { Never,
        "AWS denied a root session in the account.",
        "Enable centralized root access in IAM of the management account, give the function's role sts:AssumeRoot, and look for a service control policy that denies it." }

    // Steward itself.
    BaselineDocumentRefused { Never,
        "The baseline document is not valid.",
        "Correct every problem listed and upload it again; the last good version stays in force until then." }
    BaselineDocumentMissing { Never,
        "There is no baseline document at the place the stack names.",
        "Upload it there, or leave the stack parameter empty to use the default baseline." }
    BaselineSelectorUnmatched { AfterSeconds(300),
        "The baseline document names a unit, an account or a tag that is not in the organization, so nothing is changed by it.",
        "Correct what the message names (a unit may be named by its id, which a new name does not change) or take it out; allow_unmatched: true in the document lets changes be made all the same." }
    BaselineTagsUnseen { AfterSeconds(3600),
        "The baseline document selects accounts by tags, and no sweep has seen yet whether any account has them, so nothing is remediated by it.",
        "The next sweep looks, and the one after it remediates; allow_unmatched: true in the document remediates at once." }
    BaselineDocumentLost { Never,
        "The baseline document is not valid, and the last good version of it is gone.",
        "Correct every problem listed and upload it again; a lifecycle rule of the bucket must not expire versions of the document." }
    DeadlineExceeded { Never,
        "It took longer than Steward waits.",
        "Look at the history of the request, remove the obstacle, and send the same request again: it goes on where it stopped." }
    SweepBraked { Never,
        "The sweep has stopped changing accounts, and waits for a word.",
        "Its report shows as drift what it would have changed. When that is meant, start the state machine with the continue that the message names; when it is not, correct the baseline document." }
    BatchFailed { AfterSeconds(3600),
        "A part of the sweep failed, and nothing is known of these accounts.",
        "Look at the execution of the state machine and at the log of compliance-checker; the next sweep looks again." }
    OrganizationNotChecked { AfterSeconds(3600),
        "The organization as a whole could not be looked at, and nothing is known of its checks.",
        "Look at the execution of the state machine and at the log of organization-preparer; the next sweep looks again." }
    NoTimeLeft { AfterSeconds(15),
        "It was not reached: there was no time left.",
        "Nothing, unless it lasts: it is asked again, by the next sweep at the latest; whoever works by hand asks again. If it lasts, look for calls that are slow or throttled." }
    NotConverged { AfterSeconds(30),
        "The changes went through, and what was read back afterwards still differs.",
        "Look for another program or policy that sets the same thing, then run the baseline again." }
}

impl Cause {
    /// Whether waiting can help.
    pub fn is_retryable(self) -> bool {
        self.row().retry != Never
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One occurrence of a [`Cause`], complete enough to be shown to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The stable name.
    pub cause: Cause,
    /// What happened, with the service's own words when there are any.
    pub message: String,
    /// What a person can do about it.
    pub remedy: String,
    /// Whether trying the same thing again later can help.
    pub retryable: bool,
}

impl Failure {
    /// The failure with the words of the catalogue alone.
    pub fn new(cause: Cause) -> Self {
        let row = cause.row();
        Self { cause, message: row.message.to_owned(), remedy: row.remedy.to_owned(), retryable: cause.is_retryable() }
    }

    /// The failure with what exactly was wrong behind the words of the catalogue.
    pub fn with_detail(cause: Cause, detail: impl fmt::Display) -> Self {
        let mut failure = Self::new(cause);
        failure.message = format!("{} {detail}", failure.message);
        failure
    }

    /// The same, where it is a matter of time all the same.
    pub(crate) fn that_may_pass(self) -> Self {
        Self { retryable: true, ..self }
    }

    /// The same occurrence, known to have another cause.
    pub(crate) fn because_of(self, cause: Cause) -> Self {
        let detail = self.message.strip_prefix(self.cause.row().message).unwrap_or(&self.message).trim_start();
        Self::with_detail(cause, detail)
    }

    /// A message or an event that tells of nothing that the function knows.
    pub fn not_understood(detail: impl fmt::Display) -> Self {
        Self::with_detail(Cause::MessageNotUnderstood, detail)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} Remedy: {}", self.cause, self.message, self.remedy)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for lambda_runtime::Diagnostic {
    /// What Lambda shows as `errorType` and `errorMessage`.
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.cause.name().to_owned(), error_message: failure.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_what_happened_and_what_to_do_in_whole_sentences() {
        for cause in Cause::ALL {
            let row = cause.row();
            for text in [row.message, row.remedy] {
                assert!(text.ends_with('.') && text.len() > 10, "{cause}: {text}");
            }
        }
    }

    #[test]
    fn no_row_points_to_a_place_on_the_page() {
        // An answer, a mail and a report set message and remedy in different places.
        for cause in Cause::ALL {
            let row = cause.row();
            for text in [row.message, row.remedy] {
                assert!(!text.contains("below") && !text.contains("above"), "{cause}: {text}");
            }
        }
    }

    #[test]
    fn every_failure_reason_of_the_create_account_model_has_its_own_row() {
        use aws_sdk_organizations::types::CreateAccountFailureReason;
        let reasons = CreateAccountFailureReason::values();
        assert_eq!(reasons.len(), 15, "the model has changed: {reasons:?}");
        let mut causes: Vec<_> = reasons.iter().map(|r| Cause::of_create_account_failure(r)).collect();
        assert!(!causes.contains(&Cause::UnknownFailureReason));
        causes.dedup();
        assert_eq!(causes.len(), 15);
    }

    #[test]
    fn every_exception_of_create_account_has_a_row() {
        for (code, reason, cause) in [
            ("AccessDeniedException", None, Cause::AccessDenied),
            ("AWSOrganizationsNotInUseException", None, Cause::OrganizationNotInUse),
            ("ConcurrentModificationException", None, Cause::ConcurrentModification),
            (
                "ConstraintViolationException",
                Some("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"),
                Cause::TooManyCreationsInProgress,
            ),
            ("ConstraintViolationException", Some("ACCOUNT_NUMBER_LIMIT_EXCEEDED"), Cause::AccountLimitExceeded),
            ("ConstraintViolationException", Some("SOMETHING_NEW"), Cause::ConstraintViolation),
            ("FinalizingOrganizationException", None, Cause::FinalizingOrganization),
            ("InvalidInputException", None, Cause::InputRefused),
            ("ServiceException", None, Cause::ServiceFault),
            ("TooManyRequestsException", None, Cause::Throttled),
            ("UnsupportedAPIEndpointException", None, Cause::UnsupportedEndpoint),
        ] {
            assert_eq!(Cause::of_service_error(code, reason), Some(cause), "{code}");
        }
        assert_eq!(Cause::of_service_error("NeverHeardOf", None), None);
    }

    #[test]
    fn every_name_of_throttling_is_known_whichever_service_uses_it() {
        for code in [
            "RequestThrottled",
            "RequestThrottledException",
            "ThrottledException",
            "ThrottlingException",
            "Throttling",
            "Throttled",
            "TooManyRequestsException",
            "TransactionInProgressException",
            "SlowDown",
        ] {
            assert_eq!(Cause::of_service_error(code, None), Some(Cause::Throttled), "{code}");
        }
        // The SDK retries it as throttling; it is a full quota, and IAM keeps it full.
        assert_eq!(Cause::of_service_error("LimitExceededException", None), Some(Cause::QuotaExceeded));
        assert_eq!(Cause::of_service_error("LimitExceeded", None), Some(Cause::QuotaExceeded));
    }

    #[test]
    fn the_full_quota_of_creations_in_progress_is_not_taken_for_throttling() {
        let cause =
            Cause::of_service_error("ConstraintViolationException", Some("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"));
        assert_ne!(cause, Some(Cause::Throttled));
        assert!(cause.unwrap().is_retryable());
    }

    #[test]
    fn a_failure_survives_being_stored() {
        let failure = Failure::with_detail(Cause::InvalidEmail, "AWS said so.");
        let stored = serde_json::to_value(&failure).unwrap();
        assert_eq!(stored["cause"], "InvalidEmail");
        assert_eq!(serde_json::from_value::<Failure>(stored).unwrap(), failure);
    }
}
