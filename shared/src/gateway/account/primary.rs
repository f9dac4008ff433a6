//! What AWS Account Management keeps of an account beside contacts and regions: its primary e-mail address and its name.

use std::{fmt, str::FromStr};

use aws_sdk_account::{
    operation::get_primary_email_update_status::GetPrimaryEmailUpdateStatusError, types::PrimaryEmailUpdateStatus,
};
use jiff::Timestamp;

use super::{AccountGateway, AccountTarget, in_turn, without_retries};
use crate::{
    error::Cause,
    gateway::{CallError, unless_absent},
    ids::{AccountName, Email, NotValid},
};

/// How many characters the code has that AWS mails to a new primary e-mail address.
const CODE: usize = 6;

/// The code that AWS mails to a new primary e-mail address. It is shown nowhere: it has no text but for the call that takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailCode(String);

impl FromStr for EmailCode {
    type Err = NotValid;

    fn from_str(text: &str) -> Result<Self, NotValid> {
        // `Otp` of AcceptPrimaryEmailUpdate (Account Management API reference).
        let is_code = text.len() == CODE && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_code { Ok(Self(text.to_owned())) } else { Err(NotValid::expected("a code of 6 letters and digits")) }
    }
}

impl fmt::Debug for EmailCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailCode(..)")
    }
}

/// How far AWS is with a change of a primary e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailUpdateStatus {
    /// It waits for the code.
    Pending,
    /// It has the code.
    Accepted,
    /// The account has the new address.
    Completed,
    /// The account keeps the old address.
    Failed,
}

/// The most recent change of an account's primary e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmailUpdate {
    /// How far it is.
    pub status: EmailUpdateStatus,
    /// Since when; whole seconds.
    pub updated_at: Option<Timestamp>,
}

impl AccountGateway {
    /// Asks AWS to change the primary e-mail address of a member: AWS mails a code to the new address, and the old one stays
    /// until somebody gives the code. A change that waits for its code is replaced, and its code is good for nothing.
    ///
    /// It is made without the SDK's retries, and again only where AWS has throttled it: of a call whose answer was lost,
    /// [`AccountGateway::find_primary_email_update`] shows whether it has arrived. An address that another account has gives
    /// [`Cause::Conflict`] (Account Management API reference, `StartPrimaryEmailUpdate`).
    pub async fn start_primary_email_update(&self, target: &AccountTarget, email: &Email) -> Result<(), CallError> {
        const OPERATION: &str = "account:StartPrimaryEmailUpdate";
        in_turn(&self.limiters.start_primary_email_update, OPERATION, || {
            let call = self.client.start_primary_email_update().set_account_id(target.id());
            let asked = call.primary_email(email.as_str()).customize().config_override(without_retries()).send();
            async { asked.await.map(drop).map_err(|error| target.denied(CallError::of(OPERATION, error))) }
        })
        .await
    }

    /// Gives AWS the code from the mail to the new address. A code that is wrong or too old gives [`Cause::InputRefused`], a
    /// change that waits for none [`Cause::Conflict`] (Account Management API reference, `AcceptPrimaryEmailUpdate`).
    pub async fn accept_primary_email_update(
        &self,
        target: &AccountTarget,
        email: &Email,
        code: &EmailCode,
    ) -> Result<(), CallError> {
        const OPERATION: &str = "account:AcceptPrimaryEmailUpdate";
        self.limiters.accept_primary_email_update.turn(OPERATION).await?;
        let call = self.client.accept_primary_email_update().set_account_id(target.id());
        let answer = call.primary_email(email.as_str()).otp(&code.0).send().await;
        answer.map(drop).map_err(|error| {
            let mut error = target.denied(CallError::of(OPERATION, error));
            // Whatever AWS says of a refused call, what it was called with is not shown.
            error.detail = error.detail.replace(&code.0, "(code)");
            error
        })
    }

    /// The most recent change of the primary e-mail address of a member; None when there was none.
    pub async fn find_primary_email_update(&self, target: &AccountTarget) -> Result<Option<EmailUpdate>, CallError> {
        const OPERATION: &str = "account:GetPrimaryEmailUpdateStatus";
        self.limiters.get_primary_email_update_status.turn(OPERATION).await?;
        let answer = self.client.get_primary_email_update_status().set_account_id(target.id()).send().await;
        let is_absent = GetPrimaryEmailUpdateStatusError::is_resource_not_found_exception;
        let answer = unless_absent(OPERATION, answer, is_absent).map_err(|error| target.denied(error))?;
        let update = answer.map(|answer| {
            let status = status(answer.status()).ok_or_else(|| {
                CallError::unusable(OPERATION, Cause::CallFailed, format!("a status like {}", answer.status()))
            })?;
            let updated_at = answer.updated_at().and_then(|at| Timestamp::from_second(at.secs()).ok());
            Ok(EmailUpdate { status, updated_at })
        });
        update.transpose()
    }

    /// The primary e-mail address of a member, as AWS has it.
    pub async fn primary_email(&self, target: &AccountTarget) -> Result<String, CallError> {
        const OPERATION: &str = "account:GetPrimaryEmail";
        self.limiters.get_primary_email.turn(OPERATION).await?;
        let answer = self.client.get_primary_email().set_account_id(target.id()).send().await;
        let answer = answer.map_err(|error| target.denied(CallError::of(OPERATION, error)))?;
        answer
            .primary_email()
            .map(ToOwned::to_owned)
            .ok_or_else(|| CallError::unusable(OPERATION, Cause::CallFailed, "an answer without PrimaryEmail"))
    }

    /// The name of an account, as AWS has it. Organizations shows another one only after a while.
    pub async fn account_name(&self, target: &AccountTarget) -> Result<String, CallError> {
        const OPERATION: &str = "account:GetAccountInformation";
        self.limiters.get_account_information.turn(OPERATION).await?;
        let answer = self.client.get_account_information().set_account_id(target.id()).send().await;
        let answer = answer.map_err(|error| target.denied(CallError::of(OPERATION, error)))?;
        answer
            .account_name()
            .map(ToOwned::to_owned)
            .ok_or_else(|| CallError::unusable(OPERATION, Cause::CallFailed, "an answer without AccountName"))
    }

    /// Gives an account another name. AWS takes the same name again.
    pub async fn put_account_name(&self, target: &AccountTarget, name: &AccountName) -> Result<(), CallError> {
        const OPERATION: &str = "account:PutAccountName";
        self.limiters.put_account_name.turn(OPERATION).await?;
        let answer =
            self.client.put_account_name().set_account_id(target.id()).account_name(name.as_str()).send().await;
        answer.map(drop).map_err(|error| target.denied(CallError::of(OPERATION, error)))
    }
}

fn status(status: &PrimaryEmailUpdateStatus) -> Option<EmailUpdateStatus> {
    Some(match status {
        PrimaryEmailUpdateStatus::Pending => EmailUpdateStatus::Pending,
        PrimaryEmailUpdateStatus::Accepted => EmailUpdateStatus::Accepted,
        PrimaryEmailUpdateStatus::Completed => EmailUpdateStatus::Completed,
        PrimaryEmailUpdateStatus::Failed => EmailUpdateStatus::Failed,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_account::{Client, operation::start_primary_email_update::StartPrimaryEmailUpdateOutput};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
    use aws_smithy_types::body::SdkBody;
    use tokio::time::Instant;

    use super::*;
    use crate::{ids::AccountId, invocation::lasting};

    fn answered(status: u16, body: &'static str) -> impl Fn() -> HttpResponse {
        move || HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
    }

    fn member() -> AccountTarget {
        let account: AccountId = "222222222222".parse().unwrap();
        AccountTarget::of(&account, &"999999999999".parse().unwrap())
    }

    fn email() -> Email {
        "new@example.com".parse().unwrap()
    }

    #[test]
    fn a_code_is_six_letters_and_digits_and_shown_by_nothing() {
        let code: EmailCode = "a1B2c3".parse().unwrap();
        assert_eq!(format!("{code:?}"), "EmailCode(..)");
        for bad in ["", "a1b2c", "a1b2c3d", "a1 b2c", "a1b2c\u{e9}"] {
            let NotValid(expected) = bad.parse::<EmailCode>().unwrap_err();
            assert!(bad.is_empty() || !expected.contains(bad));
        }
    }

    #[tokio::test]
    async fn a_change_is_asked_for_once_even_where_the_answer_is_a_fault() {
        let fault = answered(500, r#"{"__type":"InternalServerException","message":"boom"}"#);
        let rule = mock!(Client::start_primary_email_update).sequence().http_response(fault).repeatedly().build();
        let gateway = AccountGateway::mocked(mock_client!(aws_sdk_account, RuleMode::Sequential, [&rule]));
        let error = gateway.start_primary_email_update(&member(), &email()).await.unwrap_err();
        assert_eq!((error.cause, error.refused, rule.num_calls()), (Cause::ServiceFault, false, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_change_is_asked_for_again_out_of_step_with_whoever_was_quicker() {
        let throttled = answered(429, r#"{"__type":"TooManyRequestsException","message":"Rate exceeded"}"#);
        let rule = mock!(Client::start_primary_email_update)
            .sequence()
            .http_response(throttled)
            .output(|| StartPrimaryEmailUpdateOutput::builder().build())
            .build();
        let gateway = AccountGateway::mocked(mock_client!(aws_sdk_account, RuleMode::Sequential, [&rule]));
        let begun = Instant::now();
        lasting(Duration::from_mins(1), gateway.start_primary_email_update(&member(), &email())).await.unwrap();
        assert_eq!((rule.num_calls(), begun.elapsed()), (2, Duration::from_millis(1400)));
    }

    #[tokio::test]
    async fn a_code_is_not_in_the_refusal_of_it_even_where_aws_repeats_it() {
        let refused = answered(400, r#"{"__type":"ValidationException","message":"The OTP a1B2c3 is wrong."}"#);
        let rule = mock!(Client::accept_primary_email_update)
            .match_requests(|input| {
                (input.account_id(), input.primary_email(), input.otp())
                    == (Some("222222222222"), Some("new@example.com"), Some("a1B2c3"))
            })
            .then_http_response(refused);
        let gateway = AccountGateway::mocked(mock_client!(aws_sdk_account, RuleMode::Sequential, [&rule]));
        let code = "a1B2c3".parse().unwrap();
        let error = gateway.accept_primary_email_update(&member(), &email(), &code).await.unwrap_err();
        assert_eq!((error.cause, error.refused), (Cause::InputRefused, true));
        assert!(error.detail.contains("The OTP (code) is wrong."), "{}", error.detail);
        assert!(!error.to_string().contains("a1B2c3"), "{error}");
    }

    #[tokio::test]
    async fn that_there_was_no_change_and_how_far_one_is_are_two_answers() {
        let none = answered(404, r#"{"__type":"ResourceNotFoundException","message":"none"}"#);
        let some = answered(200, r#"{"Status":"ACCEPTED","UpdatedAt":1790000000}"#);
        let new = answered(200, r#"{"Status":"PAUSED","UpdatedAt":1790000000}"#);
        let rules =
            [none, some, new].map(|answer| mock!(Client::get_primary_email_update_status).then_http_response(answer));
        let client = mock_client!(aws_sdk_account, RuleMode::Sequential, rules.each_ref());
        let gateway = AccountGateway::mocked(client);
        let find = async || gateway.find_primary_email_update(&member()).await;
        assert_eq!(find().await.unwrap(), None);
        let updated_at = Timestamp::from_second(1_790_000_000).ok();
        assert_eq!(find().await.unwrap(), Some(EmailUpdate { status: EmailUpdateStatus::Accepted, updated_at }));
        let error = find().await.unwrap_err();
        assert!(error.cause == Cause::CallFailed && error.detail.contains("PAUSED"), "{error}");
    }

    #[tokio::test]
    async fn a_name_is_given_to_the_account_that_is_named() {
        let put = mock!(Client::put_account_name)
            .match_requests(|input| (input.account_id(), input.account_name()) == (Some("222222222222"), Some("Shop")))
            .then_http_response(answered(200, "{}"));
        let gateway = AccountGateway::mocked(mock_client!(aws_sdk_account, RuleMode::Sequential, [&put]));
        gateway.put_account_name(&member(), &"Shop".parse().unwrap()).await.unwrap();
        assert_eq!(put.num_calls(), 1);
    }

    #[tokio::test]
    async fn the_name_is_that_of_account_management_and_an_answer_without_one_is_a_failure() {
        let named = answered(200, r#"{"AccountId":"222222222222","AccountName":"Shop"}"#);
        let rules = [named, answered(200, "{}")]
            .map(|answer| mock!(Client::get_account_information).then_http_response(answer));
        let client = mock_client!(aws_sdk_account, RuleMode::Sequential, rules.each_ref());
        let gateway = AccountGateway::mocked(client);
        assert_eq!(gateway.account_name(&member()).await.unwrap(), "Shop");
        assert_eq!(gateway.account_name(&member()).await.unwrap_err().cause, Cause::CallFailed);
    }
}
