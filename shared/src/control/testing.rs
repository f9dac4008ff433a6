//! What the tests of controls share: scopes over mocked clients, and a record of every call that leaves them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_smithy_mocks::Rule;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeSerializationInterceptorContextRef},
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

use super::{
    AccountScope, AccountView, Control, Engine, Known, ManagementScope, MemberScope, Mode, Outcome, RootScope, Scope,
    access, engine,
};
use crate::{
    baseline::Baseline,
    error::Cause,
    gateway::{
        Account, AccountGateway, AccountState, AccountTarget, BudgetsGateway, CloudWatchGateway, ConfigRecorderGateway,
        EffectivePolicyGateway, EventRulesGateway, IamGateway, Management, OrganizationsGateway, S3ControlGateway,
        SnsGateway, StackSetsGateway, StsGateway, UxcGateway,
        testing::{taking_every_write, unreachable_config},
    },
    ids::{AccountId, RoleName},
    invocation,
    session::{Admission, Sessions, testing::guards},
};

/// How long the invocations of tests last.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Notes the name of every operation, in the order in which they begin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    /// The operations so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    // The operation's metadata is not there yet in `read_before_execution`.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metadata = config.load::<Metadata>().expect("every operation has metadata");
        self.0.lock().unwrap().push(metadata.name().to_owned());
        Ok(())
    }
}

/// A client of the SDK that answers by these rules, whichever matches first and is not used up, and panics at
/// anything else.
macro_rules! mocked {
    ($service:ident, $recorder:expr, $rules:expr) => {{
        let recorder = $recorder.clone();
        aws_smithy_mocks::mock_client!($service, aws_smithy_mocks::RuleMode::MatchAny, $rules, |builder| builder
            .interceptor(recorder.clone()))
    }};
}
/// The account that is looked at.
pub(crate) fn account() -> AccountId {
    "222222222222".parse().unwrap()
}

/// A member account that the stack keeps Steward out of.
pub(crate) fn sealed_account() -> AccountId {
    "555555555555".parse().unwrap()
}

/// An active account, as AWS Organizations shows it.
pub(crate) fn active(id: &AccountId) -> Account {
    Account {
        id: id.clone(),
        name: "A".to_owned(),
        email: "a@example.com".to_owned(),
        state: AccountState::Active,
        joined_at: None,
        parent: None,
        units: Vec::new(),
    }
}

/// The bus that members forward their events to.
pub(crate) const MEMBER_BUS: &str = "arn:aws:events:us-east-1:999999999999:event-bus/steward-members";

/// The account that looks.
pub(crate) fn management_account() -> AccountId {
    "999999999999".parse().unwrap()
}

/// The rules by which the mocked clients of one account answer; a client without rules may not be called.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules<'a> {
    pub(crate) account: &'a [&'a Rule],
    pub(crate) budgets: &'a [&'a Rule],
    pub(crate) cloudformation: &'a [&'a Rule],
    pub(crate) cloudwatch: &'a [&'a Rule],
    pub(crate) config: &'a [&'a Rule],
    pub(crate) events: &'a [&'a Rule],
    pub(crate) iam: &'a [&'a Rule],
    pub(crate) organizations: &'a [&'a Rule],
    pub(crate) s3control: &'a [&'a Rule],
    pub(crate) sns: &'a [&'a Rule],
    pub(crate) sts: &'a [&'a Rule],
    pub(crate) uxc: &'a [&'a Rule],
}

impl Rules<'_> {
    /// A session in the account.
    pub(crate) fn member(self) -> (MemberScope, Recorder) {
        let recorder = Recorder::default();
        let rules = EventRulesGateway::new(mocked!(aws_sdk_eventbridge, recorder, self.events));
        let recorders = ConfigRecorderGateway::new(mocked!(aws_sdk_config, recorder, self.config));
        let scope = MemberScope {
            account_id: account(),
            access_role: RoleName::organization_account_access(),
            entered_by: access::EnteredBy::AccessRole,
            management_account: management_account(),
            member_bus: Some(MEMBER_BUS.to_owned()),
            rules: access::Regional::through(move |_| rules.clone()),
            config_recorders: access::Regional::through(move |_| recorders.clone()),
            account: AccountGateway::mocked(mocked!(aws_sdk_account, recorder, self.account)),
            budgets: BudgetsGateway::new(mocked!(aws_sdk_budgets, recorder, self.budgets)),
            cloudwatch: CloudWatchGateway::new(mocked!(aws_sdk_cloudwatch, recorder, self.cloudwatch)),
            effective_policies: EffectivePolicyGateway::new(mocked!(
                aws_sdk_organizations,
                recorder,
                self.organizations
            )),
            iam: IamGateway::new(mocked!(aws_sdk_iam, recorder, self.iam)),
            s3control: S3ControlGateway::new(mocked!(aws_sdk_s3control, recorder, self.s3control)),
            sns: SnsGateway::new(mocked!(aws_sdk_sns, recorder, self.sns)),
            uxc: UxcGateway::new(mocked!(aws_sdk_uxc, recorder, self.uxc)),
        };
        (scope, recorder)
    }

    /// The account, seen from the management account.
    pub(crate) fn management(self) -> (ManagementScope, Recorder) {
        let recorder = Recorder::default();
        let scope = ManagementScope {
            account_id: account(),
            name: active(&account()).name,
            email: active(&account()).email,
            is_own: false,
            shown_in: None,
            known: Known::default(),
            organizations: OrganizationsGateway::mocked(mocked!(aws_sdk_organizations, recorder, self.organizations)),
            stack_sets: StackSetsGateway::new(mocked!(aws_sdk_cloudformation, recorder, self.cloudformation)),
            units: Arc::default(),
        };
        (scope, recorder)
    }

    /// The account, whose contacts and regions are read in a session in it and written from the management account.
    pub(crate) fn contacts(self) -> (AccountScope, Recorder) {
        let recorder = Recorder::default();
        let gateway = AccountGateway::mocked(mocked!(aws_sdk_account, recorder, self.account));
        let target = AccountTarget::of(&account(), &management_account());
        (AccountScope::inside(gateway.clone(), AccountView { gateway, target }), recorder)
    }

    /// The root user of the account, which is looked at in a session of its access role.
    pub(crate) fn root(self) -> (RootScope, Recorder) {
        let recorder = Recorder::default();
        let iam = IamGateway::new(mocked!(aws_sdk_iam, recorder, self.iam));
        let sessions = self.sessions(&recorder);
        let member = Ok(iam.clone());
        let admission = Admission::of_member(account(), None);
        (RootScope::new(admission, sessions, Arc::new(move |_| iam.clone()), member), recorder)
    }

    /// The root user of the account that the functions run in.
    pub(crate) fn own_root(self) -> (RootScope, Recorder) {
        let recorder = Recorder::default();
        let iam = IamGateway::new(mocked!(aws_sdk_iam, recorder, self.iam));
        let (sessions, member) = (self.sessions(&recorder), Ok(iam.clone()));
        let admission = Admission::of_own(management_account());
        (RootScope::new(admission, sessions, Arc::new(move |_| iam.clone()), member), recorder)
    }

    /// An engine of the management account. What it does in a session reaches nothing.
    pub(crate) fn engine(self) -> (Engine, Recorder) {
        let recorder = Recorder::default();
        let accounts = AccountGateway::mocked(mocked!(aws_sdk_account, recorder, self.account));
        let organizations = OrganizationsGateway::mocked(mocked!(aws_sdk_organizations, recorder, self.organizations));
        let stack_sets = StackSetsGateway::new(mocked!(aws_sdk_cloudformation, recorder, self.cloudformation));
        (Engine::new(self.sessions(&recorder), Management { organizations, accounts, stack_sets }), recorder)
    }

    pub(crate) fn sessions(self, recorder: &Recorder) -> Sessions {
        let sts = StsGateway::new(mocked!(aws_sdk_sts, recorder, self.sts));
        Sessions::through(sts, &unreachable_config(), "tests", guards(vec![sealed_account()]))
            .recording_in(taking_every_write())
    }
}

/// Runs one control in an account, and sees to it that it made no call that it does not declare.
pub(crate) async fn run<C: Control>(
    control: &C,
    (scope, recorder): &(C::Scope, Recorder),
    desired: &C::Desired,
    mode: Mode,
) -> Outcome
where
    C::Scope: Scope,
{
    declared::<Baseline, C>(recorder, mode, engine::converge_in_account(control, scope, desired, mode)).await
}

/// The same with what is true once, for the organization.
pub(crate) async fn run_once<S, C: Control<S>>(
    control: &C,
    (scope, recorder): &(C::Scope, Recorder),
    desired: &C::Desired,
    mode: Mode,
) -> Outcome {
    declared::<S, C>(recorder, mode, engine::converge(control, scope, desired, mode)).await
}

/// The outcome of work that makes no call beside those that its control declares.
async fn declared<S, C: Control<S>>(
    recorder: &Recorder,
    mode: Mode,
    work: impl Future<Output = (Outcome, Vec<String>)>,
) -> Outcome {
    let before = recorder.calls().len();
    let (outcome, _) = invocation::lasting(TIMEOUT, work).await;
    let declared = match mode {
        Mode::Plan => C::READS.to_vec(),
        Mode::Apply => [C::READS, C::WRITES].concat(),
    };
    for call in recorder.calls().iter().skip(before).filter(|call| *call != "AssumeRoot") {
        let call = name_of_action(call);
        let is_declared = declared.iter().any(|action| action.split_once(':').unwrap().1 == call);
        assert!(is_declared, "{call} is not an action of {}", C::ID);
    }
    outcome
}

/// The name of the action that allows an operation; some services call them by different names.
fn name_of_action(operation: &str) -> String {
    let is_of_budgets = ["Budget", "Notification", "Subscriber"].iter().any(|what| operation.contains(what));
    match operation.split_at_checked(8) {
        Some(("Describe", _)) if is_of_budgets => "ViewBudget".to_owned(),
        _ if is_of_budgets => "ModifyBudget".to_owned(),
        _ => operation.replace("PublicAccessBlock", "AccountPublicAccessBlock"),
    }
}

/// The cause for which a control had to stop, and what it had applied before.
pub(crate) fn stopped(outcome: Outcome) -> (Cause, Vec<String>) {
    match outcome {
        Outcome::Unknown { applied, failure } | Outcome::NotReady { applied, failure, .. } => (failure.cause, applied),
        other => panic!("{other:?}"),
    }
}
