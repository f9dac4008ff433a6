//! The users of an account: themselves, their groups, and the passwords that they sign in with.
//!
//! Source: IAM API reference; IAM user guide, "Remove or deactivate an IAM user" and "IAM and AWS STS quotas".

use aws_sdk_iam::{
    operation::{
        list_attached_group_policies::ListAttachedGroupPoliciesOutput, list_groups::ListGroupsOutput,
        list_groups_for_user::ListGroupsForUserOutput, list_users::ListUsersOutput,
    },
    types::Group as SdkGroup,
};
use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::{DateTime, error::metadata::ProvideErrorMetadata};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::{IamGateway, unless_absent};
use crate::{
    error::Cause,
    gateway::{CallError, OneTimePassword, one_more_page},
    ids::{GroupName, UserName},
};

/// A user as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Where it stands in the account's tree of names, for example `/` or `/people/`.
    pub path: String,
    /// Its ARN.
    pub arn: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it has last signed in with a password; None for never.
    pub password_last_used: Option<Timestamp>,
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// As in [`User`].
    pub path: String,
}

/// A password, as far as IAM shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginProfile {
    /// Whether the user must change it at the next sign-in.
    pub reset_required: bool,
}

/// Whether the service says that something is not there.
pub(super) fn is_absent<E: ProvideErrorMetadata>(error: &E) -> bool {
    error.code() == Some("NoSuchEntity")
}

/// Every page of a list, up to the most that is read; none when what it is about is not there.
pub(super) async fn pages<T, E>(
    operation: &'static str,
    mut stream: PaginationStream<Result<T, SdkError<E, HttpResponse>>>,
) -> Result<Vec<T>, CallError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let mut found = Vec::new();
    while let Some(page) = stream.next().await {
        one_more_page(operation, found.len())?;
        let Some(page) = unless_absent(operation, page, is_absent)? else { break };
        found.push(page);
    }
    Ok(found)
}

/// A moment as AWS gives it.
pub(super) fn moment(operation: &'static str, time: &DateTime) -> Result<Timestamp, CallError> {
    let unusable = |_| CallError::unusable(operation, Cause::CallFailed, "a moment out of range");
    Timestamp::from_second(time.secs()).map_err(unusable)
}

fn user(operation: &'static str, user: &aws_sdk_iam::types::User) -> Result<User, CallError> {
    Ok(User {
        name: user.user_name().to_owned(),
        path: user.path().to_owned(),
        arn: user.arn().to_owned(),
        created_at: moment(operation, user.create_date())?,
        password_last_used: user.password_last_used().map(|time| moment(operation, time)).transpose()?,
    })
}

fn group(group: &SdkGroup) -> Group {
    Group { name: group.group_name().to_owned(), path: group.path().to_owned() }
}

impl IamGateway {
    /// The user of this name; None when there is none.
    pub async fn find_user(&self, name: &UserName) -> Result<Option<User>, CallError> {
        const OPERATION: &str = "iam:GetUser";
        let answer = self.0.get_user().user_name(name.as_str()).send().await;
        let Some(answer) = unless_absent(OPERATION, answer, is_absent)? else { return Ok(None) };
        let found = answer.user().ok_or_else(|| CallError::unusable(OPERATION, Cause::CallFailed, "no User"))?;
        user(OPERATION, found).map(Some)
    }

    /// Every user of the account, whatever its path.
    pub async fn list_users(&self) -> Result<Vec<User>, CallError> {
        const OPERATION: &str = "iam:ListUsers";
        let pages = pages(OPERATION, self.0.list_users().max_items(1000).into_paginator().send()).await?;
        pages.iter().flat_map(ListUsersOutput::users).map(|found| user(OPERATION, found)).collect()
    }

    /// Makes a user. One of this name that is there gives [`Cause::Conflict`].
    pub async fn create_user(&self, name: &UserName, path: &str) -> Result<(), CallError> {
        let answer = self.0.create_user().user_name(name.as_str()).path(path).send().await;
        answer.map(drop).map_err(|error| CallError::of("iam:CreateUser", error))
    }

    /// Deletes a user who has nothing any more. No error when there is none.
    pub async fn delete_user(&self, name: &UserName) -> Result<(), CallError> {
        let answer = self.0.delete_user().user_name(name.as_str()).send().await;
        unless_absent("iam:DeleteUser", answer, is_absent).map(drop)
    }

    /// The groups that a user is in; none when there is no such user.
    pub async fn list_groups_of_user(&self, name: &str) -> Result<Vec<Group>, CallError> {
        let stream = self.0.list_groups_for_user().user_name(name).into_paginator().send();
        let pages = pages("iam:ListGroupsForUser", stream).await?;
        Ok(pages.iter().flat_map(ListGroupsForUserOutput::groups).map(group).collect())
    }

    /// The groups below a path, such as `/steward/`.
    pub async fn list_groups(&self, path: &str) -> Result<Vec<Group>, CallError> {
        let stream = self.0.list_groups().path_prefix(path).into_paginator().send();
        let pages = pages("iam:ListGroups", stream).await?;
        Ok(pages.iter().flat_map(ListGroupsOutput::groups).map(group).collect())
    }

    /// Puts a user into a group; one who is in it stays. IAM lets a user be in 10 groups.
    pub async fn add_to_group(&self, user: &UserName, group: &GroupName) -> Result<(), CallError> {
        let answer = self.0.add_user_to_group().user_name(user.as_str()).group_name(group.as_str()).send().await;
        answer.map(drop).map_err(|error| CallError::of("iam:AddUserToGroup", error))
    }

    /// Takes a user out of a group. No error when the user is not in it.
    pub async fn remove_from_group(&self, user: &UserName, group: &str) -> Result<(), CallError> {
        let answer = self.0.remove_user_from_group().user_name(user.as_str()).group_name(group).send().await;
        unless_absent("iam:RemoveUserFromGroup", answer, is_absent).map(drop)
    }

    /// The ARNs of the managed policies that are attached to a group; none when there is no such group.
    pub async fn list_policies_of_group(&self, group: &str) -> Result<Vec<String>, CallError> {
        let stream = self.0.list_attached_group_policies().group_name(group).into_paginator().send();
        let pages = pages("iam:ListAttachedGroupPolicies", stream).await?;
        let policies = pages.iter().flat_map(ListAttachedGroupPoliciesOutput::attached_policies);
        Ok(policies.filter_map(|policy| policy.policy_arn().map(ToOwned::to_owned)).collect())
    }

    /// The version of a managed policy that is in force, as JSON; None when it is gone.
    pub async fn find_policy_document(&self, arn: &str) -> Result<Option<String>, CallError> {
        const OPERATION: &str = "iam:GetPolicyVersion";
        let answer = self.0.get_policy().policy_arn(arn).send().await;
        let Some(answer) = unless_absent("iam:GetPolicy", answer, is_absent)? else { return Ok(None) };
        let version = answer.policy().and_then(|policy| policy.default_version_id()).unwrap_or_default();
        let answer = self.0.get_policy_version().policy_arn(arn).version_id(version).send().await;
        let Some(answer) = unless_absent(OPERATION, answer, is_absent)? else { return Ok(None) };
        let document = answer.policy_version().and_then(|version| version.document()).unwrap_or_default();
        let unusable = |_| CallError::unusable(OPERATION, Cause::CallFailed, "a policy that is not text");
        percent_decode_str(document).decode_utf8().map(|text| Some(text.into_owned())).map_err(unusable)
    }

    /// What IAM shows of a user's password; None when the user has none.
    pub async fn find_login_profile(&self, user: &UserName) -> Result<Option<LoginProfile>, CallError> {
        const OPERATION: &str = "iam:GetLoginProfile";
        let answer = self.0.get_login_profile().user_name(user.as_str()).send().await;
        let Some(answer) = unless_absent(OPERATION, answer, is_absent)? else { return Ok(None) };
        let profile = answer.login_profile();
        let profile = profile.ok_or_else(|| CallError::unusable(OPERATION, Cause::CallFailed, "no LoginProfile"))?;
        Ok(Some(LoginProfile { reset_required: profile.password_reset_required() }))
    }

    /// Lets a user sign in once with this password, which must then be changed, in place of any other password.
    pub async fn set_one_time_password(&self, user: &UserName, password: &OneTimePassword) -> Result<(), CallError> {
        let made = self.0.create_login_profile().user_name(user.as_str()).password(password.reveal());
        let made = made.password_reset_required(true).send().await;
        // One that is there, or that the first try of this call has made.
        let is_there = |error: &aws_sdk_iam::operation::create_login_profile::CreateLoginProfileError| {
            error.is_entity_already_exists_exception()
        };
        if unless_absent("iam:CreateLoginProfile", made, is_there)?.is_some() {
            return Ok(());
        }
        let changed = self.0.update_login_profile().user_name(user.as_str()).password(password.reveal());
        let changed = changed.password_reset_required(true).send().await;
        changed.map(drop).map_err(|error| CallError::of("iam:UpdateLoginProfile", error))
    }

    /// Takes a user's password away. No error when there is none.
    pub async fn delete_login_profile(&self, user: &UserName) -> Result<(), CallError> {
        let answer = self.0.delete_login_profile().user_name(user.as_str()).send().await;
        unless_absent("iam:DeleteLoginProfile", answer, is_absent).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::Client;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn gateway(rules: &[&Rule]) -> IamGateway {
        IamGateway::new(mock_client!(aws_sdk_iam, RuleMode::Sequential, rules))
    }

    fn answered(status: u16, body: String) -> impl Fn() -> HttpResponse + use<> {
        move || HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body.clone()))
    }

    fn error(status: u16, code: &str) -> impl Fn() -> HttpResponse + use<> {
        answered(
            status,
            format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"),
        )
    }

    fn result(operation: &str, body: &str) -> impl Fn() -> HttpResponse + use<> {
        let result = format!("<{operation}Result>{body}</{operation}Result>");
        answered(200, format!("<{operation}Response>{result}</{operation}Response>"))
    }

    fn alice() -> UserName {
        "alice".parse().unwrap()
    }

    #[tokio::test]
    async fn a_user_is_read_with_its_path_and_no_user_is_no_failure() {
        let body = "<User><Path>/steward/</Path><UserName>alice</UserName><UserId>AIDA</UserId>\
            <Arn>arn:aws:iam::111111111111:user/steward/alice</Arn><CreateDate>2026-11-01T00:00:00Z</CreateDate>\
            <PasswordLastUsed>2026-11-02T00:00:00Z</PasswordLastUsed></User>";
        let found = mock!(Client::get_user).then_http_response(result("GetUser", body));
        let absent = mock!(Client::get_user).then_http_response(error(404, "NoSuchEntity"));
        let denied = mock!(Client::get_user).then_http_response(error(403, "AccessDenied"));
        let gateway = gateway(&[&found, &absent, &denied]);
        let user = gateway.find_user(&alice()).await.unwrap().unwrap();
        assert_eq!((user.path.as_str(), user.name.as_str()), ("/steward/", "alice"));
        assert_eq!(user.password_last_used, Some("2026-11-02T00:00:00Z".parse().unwrap()));
        assert_eq!(gateway.find_user(&alice()).await.unwrap(), None);
        assert_eq!(gateway.find_user(&alice()).await.unwrap_err().cause, Cause::AccessDenied);
    }

    #[tokio::test]
    async fn a_password_that_is_there_is_replaced_and_must_be_changed_as_well() {
        let there = mock!(Client::create_login_profile)
            .match_requests(|input| input.password_reset_required() == Some(true))
            .then_http_response(error(409, "EntityAlreadyExists"));
        let replaced = mock!(Client::update_login_profile)
            .match_requests(|input| {
                input.password() == Some("Secret#1") && input.password_reset_required() == Some(true)
            })
            .then_http_response(result("UpdateLoginProfile", ""));
        let gateway = gateway(&[&there, &replaced]);
        gateway.set_one_time_password(&alice(), &OneTimePassword::of("Secret#1")).await.unwrap();
        assert_eq!(replaced.num_calls(), 1);
    }

    #[tokio::test]
    async fn a_password_that_breaks_the_policy_is_a_value_that_aws_refuses_and_is_not_shown() {
        let refused = mock!(Client::create_login_profile).then_http_response(error(400, "PasswordPolicyViolation"));
        let error = gateway(&[&refused]).set_one_time_password(&alice(), &OneTimePassword::of("Secret#1")).await;
        let error = error.unwrap_err();
        assert_eq!(error.cause, Cause::InputRefused);
        assert!(!format!("{error} {error:?}").contains("Secret#1"));
    }

    #[tokio::test]
    async fn the_version_of_a_policy_that_is_in_force_is_read_and_decoded() {
        let policy = "<Policy><DefaultVersionId>v3</DefaultVersionId></Policy>";
        let policy = mock!(Client::get_policy).then_http_response(result("GetPolicy", policy));
        let version = "<PolicyVersion><Document>%7B%22Version%22%3A%222012-10-17%22%7D</Document></PolicyVersion>";
        let version = mock!(Client::get_policy_version)
            .match_requests(|input| input.version_id() == Some("v3"))
            .then_http_response(result("GetPolicyVersion", version));
        let document = gateway(&[&policy, &version]).find_policy_document("arn:aws:iam::1:policy/steward/x").await;
        assert_eq!(document.unwrap().as_deref(), Some(r#"{"Version":"2012-10-17"}"#));
    }
}
