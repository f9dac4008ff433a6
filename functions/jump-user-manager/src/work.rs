//! Reading what a user has, and taking the steps, each of which may have been taken before.

use std::time::Duration;

use steward::{
    error::{Cause, Failure},
    gateway::{CallError, Group, OneTimePassword, SecretsGateway},
    ids::UserName,
    invocation,
};
use tokio::time::sleep;

use crate::{
    account::JumpAccount,
    change::{Belongings, Known, PATH, Step},
};

/// The fewest characters of a one-time password; a policy that asks for more gets more.
const LENGTH: i32 = 24;
/// The most that IAM takes.
const MAX_LENGTH: i32 = 128;
/// How often a step is tried that IAM does not take yet: what was made a moment ago is not known everywhere at once.
const ATTEMPTS: u32 = 5;
/// How long to wait for it.
const PAUSE: Duration = Duration::from_secs(2);

/// Where one-time passwords are kept.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    pub(crate) secrets: SecretsGateway,
    /// What the names of the secrets begin with.
    pub(crate) path: String,
}

impl Passwords {
    /// The name of the secret of a user.
    pub(crate) fn secret_of(&self, user: &str) -> String {
        format!("{}{user}", self.path)
    }

    /// Makes a password that the account's policy takes, and keeps it.
    async fn keep_new(&self, jump: &JumpAccount, user: &UserName) -> Result<OneTimePassword, CallError> {
        let asked = jump.iam.find_password_policy().await?.map_or(0, |policy| policy.minimum_length);
        let password = self.secrets.new_password(length(asked).into()).await?;
        let description = format!("One-time password of {user} in account {}", jump.id);
        self.secrets.keep(&self.secret_of(user.as_str()), &description, &password).await?;
        Ok(password)
    }
}

/// How long a password is where the policy asks for so many characters. It has every kind of character that one can ask for.
fn length(asked: i32) -> i32 {
    asked.clamp(LENGTH, MAX_LENGTH)
}

/// Whether IAM may take a step that it has refused, once it knows everywhere of what was made a moment ago. `is_new`: the user
/// was: until its path is known, a session that is bound to the path has no permission for it.
fn may_pass(refused: Cause, is_new: bool) -> bool {
    match refused {
        Cause::ConcurrentModification | Cause::NotFound | Cause::Conflict => true,
        Cause::AccessDenied => is_new,
        _ => false,
    }
}

impl JumpAccount {
    /// What is known of a user.
    pub(crate) async fn known(&self, user: &UserName, passwords: &Passwords) -> Result<Known, CallError> {
        let has_secret = passwords.secrets.find(&passwords.secret_of(user.as_str())).await?.is_some();
        let Some(found) = self.iam.find_user(user).await? else {
            return Ok(Known { has_secret, ..Known::default() });
        };
        let groups: Vec<Group> = self.iam.list_groups_of_user(user.as_str()).await?;
        let login = self.iam.find_login_profile(user).await?;
        Ok(Known { user: Some(found), groups, login, has_secret })
    }

    /// What a user has beside a password and groups.
    pub(crate) async fn belongings(&self, user: &UserName) -> Result<Belongings, CallError> {
        let keys = self.iam.list_access_keys(user.as_str()).await?;
        Ok(Belongings {
            access_keys: keys.into_iter().map(|key| key.id).collect(),
            signing_certificates: self.iam.list_signing_certificates(user).await?,
            ssh_keys: self.iam.list_ssh_keys(user).await?,
            service_credentials: self.iam.list_service_credentials(user).await?,
            mfa_devices: self.iam.list_mfa_devices(user.as_str()).await?,
            inline_policies: self.iam.list_inline_policies_of_user(user).await?,
            attached_policies: self.iam.list_attached_policies_of_user(user).await?,
        })
    }

    /// Takes the steps, up to the first failure; `done` gets those that were taken.
    pub(crate) async fn take(
        &self,
        user: &UserName,
        steps: &[Step],
        passwords: &Passwords,
        done: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let mut password = None;
        let is_new = steps.contains(&Step::CreateUser);
        for step in steps {
            let mut attempt = 1;
            while let Err(error) = self.step(user, step, passwords, &mut password).await {
                if !may_pass(error.cause, is_new) || attempt == ATTEMPTS || invocation::time_left() < PAUSE * 10 {
                    return Err(error.into());
                }
                attempt += 1;
                sleep(PAUSE).await;
            }
            done.push(step.to_string());
        }
        Ok(())
    }

    async fn step(
        &self,
        user: &UserName,
        step: &Step,
        passwords: &Passwords,
        password: &mut Option<OneTimePassword>,
    ) -> Result<(), CallError> {
        let iam = &self.iam;
        match step {
            Step::KeepPassword => {
                *password = Some(passwords.keep_new(self, user).await?);
                Ok(())
            }
            Step::CreateUser => match iam.create_user(user, PATH).await {
                // The first try of the call may have made it, and its answer been lost.
                Err(error) if error.cause == Cause::Conflict => {
                    let found = iam.find_user(user).await?;
                    if found.is_some_and(|found| found.path == PATH) { Ok(()) } else { Err(error) }
                }
                made => made,
            },
            Step::AddToGroup(group) => iam.add_to_group(user, group).await,
            Step::RemoveFromGroup(group) => iam.remove_from_group(user, group).await,
            Step::SetPassword => {
                let kept = match password {
                    Some(kept) => kept.clone(),
                    None => passwords.keep_new(self, user).await?,
                };
                iam.set_one_time_password(user, &kept).await
            }
            Step::DeleteLoginProfile => iam.delete_login_profile(user).await,
            Step::DeleteAccessKey(id) => iam.delete_access_key(user, id).await,
            Step::DeleteSigningCertificate(id) => iam.delete_signing_certificate(user, id).await,
            Step::DeleteSshKey(id) => iam.delete_ssh_key(user, id).await,
            Step::DeleteServiceCredential(id) => iam.delete_service_credential(user, id).await,
            Step::RemoveMfaDevice(serial) => {
                iam.deactivate_mfa_device(user, serial).await?;
                if serial.contains(":mfa/") { iam.delete_virtual_mfa_device(serial).await } else { Ok(()) }
            }
            Step::DeleteInlinePolicy(name) => iam.delete_inline_policy_of_user(user, name).await,
            Step::DetachPolicy(arn) => iam.detach_policy_of_user(user, arn).await,
            Step::DeleteUser => iam.delete_user(user).await,
            Step::DeleteSecret => passwords.secrets.delete(&passwords.secret_of(user.as_str())).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_as_long_as_the_policy_asks_for_and_never_short() {
        assert_eq!((length(0), length(14), length(40), length(500)), (24, 24, 40, 128));
    }

    #[test]
    fn a_denial_passes_for_whoever_was_made_a_moment_ago_alone() {
        assert!(may_pass(Cause::AccessDenied, true) && !may_pass(Cause::AccessDenied, false));
        assert!(may_pass(Cause::NotFound, false) && !may_pass(Cause::QuotaExceeded, true));
    }
}
