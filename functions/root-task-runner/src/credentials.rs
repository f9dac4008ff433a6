//! Credentials of root users: seen, deleted, and the way back to a password.

use std::collections::BTreeSet;

use steward::{
    control::Mode,
    error::{Cause, Failure},
    gateway::{CallError, IamGateway, RootCredentials, TaskPolicy},
    session::{Admission, Sessions},
};

use crate::{
    root_task::{CredentialKind, Finding, plan_deletion, present},
    shown::{MINUTE, shown},
};

/// Works on the root credentials of member accounts.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) sessions: Sessions,
}

impl Credentials {
    /// Which credentials an account's root user has. A failed look is a failure, never "none".
    pub(crate) async fn audit(&self, account: &Admission) -> Finding {
        match self.look(account).await {
            Ok(credentials) => Finding::Audited { present: present(credentials) },
            Err(error) => Finding::failed(Vec::new(), error),
        }
    }

    /// Deletes what is there and was asked for, and looks again.
    pub(crate) async fn delete(&self, account: &Admission, kinds: &BTreeSet<CredentialKind>, mode: Mode) -> Finding {
        let doomed = match self.look(account).await {
            Ok(credentials) => plan_deletion(credentials, kinds),
            Err(error) => return Finding::failed(Vec::new(), error),
        };
        if doomed.is_empty() {
            return Finding::NothingToDo { why: "The root user has none of these credentials.".to_owned() };
        }
        if mode == Mode::Plan {
            let steps = doomed.iter().map(|kind| format!("delete {kind}")).collect();
            return Finding::planned(steps);
        }
        let mut steps = Vec::new();
        match self.delete_all(account, &doomed, &mut steps).await {
            Ok(()) => Finding::done(steps),
            Err(failure) => Finding::failed(steps, failure),
        }
    }

    /// Lets the owner of the primary e-mail address set a root password.
    pub(crate) async fn allow_recovery(&self, account: &Admission, mode: Mode) -> Finding {
        match self.look(account).await {
            Err(error) => return Finding::failed(Vec::new(), error),
            Ok(credentials) if credentials.password => {
                return Finding::NothingToDo { why: "The root user has a password, or may set one.".to_owned() };
            }
            Ok(_) => {}
        }
        if mode == Mode::Plan {
            let steps = vec!["allow the recovery of the root password".to_owned()];
            return Finding::planned(steps);
        }
        let allowed = async {
            let session = self.sessions.assume_root(account, TaskPolicy::AllowPasswordRecovery).await?;
            IamGateway::of(&session).allow_root_password_recovery().await?;
            shown(MINUTE, async || self.look(account).await, |credentials| credentials.password).await
        };
        let steps = vec!["allowed the recovery of the root password".to_owned()];
        match allowed.await {
            Ok(credentials) if credentials.password => Finding::done(steps),
            Ok(_) => Finding::failed(steps, Failure::with_detail(Cause::NotConverged, "There is no login profile.")),
            Err(error) => Finding::failed(Vec::new(), error),
        }
    }

    async fn look(&self, account: &Admission) -> Result<RootCredentials, CallError> {
        let session = self.sessions.assume_root(account, TaskPolicy::AuditCredentials).await?;
        IamGateway::of(&session).audit_root_credentials().await
    }

    async fn delete_all(
        &self,
        account: &Admission,
        doomed: &[CredentialKind],
        steps: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let iam = IamGateway::of(&self.sessions.assume_root(account, TaskPolicy::DeleteCredentials).await?);
        let mut first_failure = None;
        for kind in doomed {
            // Until the rest is gone, the second factor guards it.
            if *kind == CredentialKind::Mfa && first_failure.is_some() {
                continue;
            }
            let deleted = match kind {
                CredentialKind::LoginProfile => iam.delete_root_password().await,
                CredentialKind::AccessKeys => iam.delete_root_access_keys().await,
                CredentialKind::SigningCertificates => iam.delete_root_signing_certificates().await,
                CredentialKind::Mfa => iam.deactivate_root_mfa_devices().await,
            };
            if let Err(error) = deleted {
                first_failure.get_or_insert(error);
            }
        }
        // What was deleted is what is not there any more, whatever the calls have answered.
        let failed = first_failure.is_some();
        let enough = |left: &Vec<CredentialKind>| failed || !doomed.iter().any(|kind| left.contains(kind));
        let left = shown(MINUTE, async || self.look(account).await.map(present), enough).await?;
        steps.extend(doomed.iter().filter(|kind| !left.contains(kind)).map(|kind| format!("deleted {kind}")));
        let still: Vec<_> = doomed.iter().filter(|kind| left.contains(kind)).map(ToString::to_string).collect();
        match first_failure {
            _ if still.is_empty() => Ok(()),
            Some(error) => Err(error.into()),
            None => Err(Failure::with_detail(Cause::NotConverged, format_args!("Still there: {}.", still.join(", ")))),
        }
    }
}
