//! People in the jump account: made, changed, removed and looked at in one place.

mod account;
mod change;
mod event;
mod expiry;
mod input;
mod names;
mod people;
mod reach;
mod report;
mod sheet;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use lambda_runtime::{LambdaEvent, tracing};
use serde_json::Value;
use steward::{
    clock,
    control::Mode,
    error::{Cause, Failure},
    gateway::{DynamoDbGateway, EventBridgeGateway, S3Gateway, SecretsGateway},
    ids::{AccountId, GroupName, UserName},
    invocation,
    runtime::{
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
    session::{Guards, Sessions},
    table::{idempotency::Idempotency, journal::Journal, keys, turn::Turns},
};
use tokio::time::sleep;

use account::{Entrance, JumpAccount};
use change::{Belongings, Known, PATH, Step};
use event::Finding;
pub use event::{JumpUserChanged, JumpUsersReviewed};
use expiry::{Over, over, settles_in};
use input::{Input, Task, Work};
use names::Names;
use people::Findings;
use reach::{Target, targets};
pub use report::Report;
use report::{Ended, Review, UserReport};
use sheet::{Sheet, SignIn};
use work::Passwords;

/// The policy without which a group lets people work without a second factor.
const ENFORCES_MFA: &str = "policy-enforce-mfa";

/// The handler of `jump-user-manager`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct JumpUserManager {
    entrance: Entrance,
    passwords: Passwords,
    names: Names,
    journal: Journal,
    turns: Turns,
    idempotency: Idempotency,
    bus: EventBridgeGateway,
}

/// One user, in one invocation.
struct Run<'a> {
    mode: Mode,
    user: &'a UserName,
    task: &'a Task,
    invocation: &'a str,
}

impl JumpUserManager {
    /// The function's name.
    pub const NAME: &'static str = "jump-user-manager";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let bus = EventBridgeGateway::of(config, settings.bus_name());
        let table = DynamoDbGateway::of(config, settings.table_name());
        let journal = DynamoDbGateway::of(config, settings.journal_table_name());
        let function = Self {
            entrance: Entrance {
                account: settings.jump_account(),
                access_role: settings.access_role_name(),
                organizations: settings.management(config).organizations,
                sessions: Sessions::new(config, Self::NAME, Guards::of(&mut settings, config)),
            },
            names: Names(S3Gateway::of(config, settings.reports_bucket())),
            passwords: Passwords { secrets: SecretsGateway::of(config), path: settings.user_secrets_path() },
            journal: Journal::new(journal, bus.clone()),
            turns: Turns::new(table.clone(), Self::NAME),
            idempotency: Idempotency::new(table),
            bus,
        };
        settings.finish().map(|()| function)
    }

    /// Answers a person, or a schedule.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Report, Failure> {
        let input = Input::read(event.payload)?;
        if input.mode == Mode::Apply {
            self.entrance.sessions.allow_changes().await?;
        }
        let invocation = event.context.request_id.as_str();
        let jump = self.entrance.enter(&input, invocation).await?;
        match &input.work {
            Work::List => Ok(Report::List { people: jump.people(clock::now()).await?, account_id: jump.id }),
            Work::Review => self.review(&jump, input.mode).await.map(Report::Review),
            Work::User(user, task) => {
                let run = Run { mode: input.mode, user, task, invocation };
                // A plan needs no turn. Boxed for its size.
                let work = Box::pin(self.user(&jump, &run));
                let report = match input.mode {
                    Mode::Plan => work.await?,
                    Mode::Apply => self.alone(&jump.id, invocation, work).await?,
                };
                Ok(Report::User(Box::new(report)))
            }
            Work::ExpirePasswords => {
                let work = Box::pin(self.expire_passwords(&jump, input.mode));
                match input.mode {
                    Mode::Plan => work.await,
                    Mode::Apply => self.alone(&jump.id, invocation, work).await,
                }
            }
        }
    }

    /// Does this while no other invocation changes users: two that keep a password of the same user would leave one in the
    /// secret and the other in force.
    async fn alone<T>(
        &self,
        account: &AccountId,
        invocation: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        if !self.turns.begin(account, invocation, invocation::time_left(), clock::now()).await? {
            let detail = "Another invocation is changing users of this account.";
            return Err(Failure::with_detail(Cause::ConcurrentModification, detail));
        }
        let came = work.await;
        if let Err(error) = self.turns.end(account, invocation, clock::now()).await {
            tracing::warn!("the turn could not be given back: {error}");
        }
        came
    }

    async fn user(&self, jump: &JumpAccount, run: &Run<'_>) -> Result<UserReport, Failure> {
        let known = jump.known(run.user, &self.passwords).await?;
        let steps = self.steps(jump, run, &known).await?;
        let finding = match (&steps, run.mode) {
            (Err(why), _) => Finding::Refused { why: why.clone() },
            (Ok(steps), _) if steps.is_empty() => Finding::NothingToDo,
            (Ok(steps), Mode::Plan) => Finding::Planned { steps: steps.iter().map(ToString::to_string).collect() },
            (Ok(steps), Mode::Apply) => self.apply(jump, run, steps).await?,
        };
        if run.mode == Mode::Apply {
            self.journal.end(&changed(jump, run, finding.clone())).await?;
        }
        // What was kept by an attempt that failed lets nobody in.
        let is_whole = matches!(finding, Finding::Planned { .. } | Finding::Done { .. });
        let waits = is_whole && steps.as_ref().is_ok_and(|steps| steps.contains(&Step::SetPassword));
        let mut report = UserReport {
            mode: run.mode,
            account_id: jump.id.clone(),
            user_name: run.user.clone(),
            finding,
            password_in: waits.then(|| self.passwords.secret_of(run.user.as_str())),
            notes: Vec::new(),
            sheet: None,
        };
        if steps.is_ok() && *run.task != Task::Remove {
            let groups = groups_after(run.task, &known);
            report.sheet = Some(self.sheet(jump, run.user, &groups).await?);
            if jump.iam.find_password_policy().await?.is_some_and(|policy| policy.hard_expiry) {
                let note = "The account's password policy has hard_expiry: whoever lets a password expire is locked out \
                            until it is reset.";
                report.notes.push(note.to_owned());
            }
        }
        Ok(report)
    }

    /// What is to be done; an error of the inner kind says why it is refused.
    async fn steps(
        &self,
        jump: &JumpAccount,
        run: &Run<'_>,
        known: &Known,
    ) -> Result<Result<Vec<Step>, String>, Failure> {
        let is_own = known.user.as_ref().is_some_and(|user| user.path == PATH);
        Ok(match run.task {
            Task::Change(wanted) => {
                let mut asks_for_mfa = BTreeMap::new();
                for group in jump.iam.list_groups(PATH).await? {
                    // Of those that nobody wants, the names are enough.
                    let is_wanted = wanted.iter().any(|wanted| wanted.as_str() == group.name);
                    let asks = is_wanted && jump.enforces_mfa(&group.name).await?;
                    asks_for_mfa.insert(group.name, asks);
                }
                change::change(wanted, known, &asks_for_mfa)
            }
            Task::Reset { second_factor } => {
                let takes = *second_factor && is_own;
                let devices = if takes { jump.iam.list_mfa_devices(run.user.as_str()).await? } else { Vec::new() };
                change::reset(known, &devices)
            }
            Task::Remove => {
                let belongings = if is_own { jump.belongings(run.user).await? } else { Belongings::default() };
                change::remove(known, &belongings)
            }
        })
    }

    async fn apply(&self, jump: &JumpAccount, run: &Run<'_>, steps: &[Step]) -> Result<Finding, Failure> {
        self.journal.begin(&changed(jump, run, Finding::Begun)).await?;
        let mut done = Vec::new();
        Ok(match jump.take(run.user, steps, &self.passwords, &mut done).await {
            Ok(()) => Finding::Done { steps: done },
            Err(failure) => Finding::Failed { steps: done, failure },
        })
    }

    async fn sheet(&self, jump: &JumpAccount, user: &UserName, groups: &[String]) -> Result<Sheet, Failure> {
        let mut reached: BTreeSet<Target> = BTreeSet::new();
        for group in groups {
            for arn in jump.iam.list_policies_of_group(group).await?.iter().filter(|arn| is_own_policy(arn)) {
                let document = jump.iam.find_policy_document(arn).await?;
                reached.extend(targets(&document.unwrap_or_default()));
            }
        }
        let alias = jump.iam.find_account_alias().await?;
        let names = self.names.read().await;
        Ok(Sheet::of(user, SignIn { account: &jump.id, alias: alias.as_deref() }, &reached, &names))
    }

    /// Ends one-time passwords that were used or waited too long.
    async fn expire_passwords(&self, jump: &JumpAccount, mode: Mode) -> Result<Report, Failure> {
        let (mut ended, mut waiting) = (Vec::new(), 0);
        for listed in self.passwords.secrets.list(&self.passwords.path).await? {
            let name = listed.name.strip_prefix(&self.passwords.path).unwrap_or_default();
            // What no user can be called, somebody else has put there.
            let Ok(user_name) = name.parse::<UserName>() else { continue };
            // A list may show what was there minutes ago: whoever was given another password since must not lose it.
            let Some(secret) = self.passwords.secrets.find(&listed.name).await? else { continue };
            if let Some(wait) = settles_in(&secret, clock::now()) {
                sleep(wait).await;
            }
            let now = clock::now();
            let user = jump.iam.find_user(&user_name).await?;
            let login = if user.is_some() { jump.iam.find_login_profile(&user_name).await? } else { None };
            let Some(why) = over(&secret, user.as_ref(), login, now) else {
                waiting += 1;
                continue;
            };
            if mode == Mode::Apply {
                // Whoever has read it and not used it in time has no way in: the password goes before its secret, which shows
                // the next run that there is something to do.
                if why == Over::NotUsed && user.is_some_and(|user| user.path == PATH) && login.is_some() {
                    jump.iam.delete_login_profile(&user_name).await?;
                }
                self.passwords.secrets.delete(&secret.name).await?;
                tracing::info!(%user_name, ?why, "a one-time password is over");
            }
            ended.push(Ended { user_name: user_name.to_string(), why });
        }
        Ok(Report::Passwords { mode, over: ended, waiting })
    }

    /// Names the users who need a look, and publishes it, once a day at most.
    async fn review(&self, jump: &JumpAccount, mode: Mode) -> Result<Review, Failure> {
        let now = clock::now();
        let findings = Findings::of(&jump.people(now).await?);
        let mut published = false;
        if mode == Mode::Apply {
            let event = JumpUsersReviewed { account_id: jump.id.clone(), at: now, findings: findings.clone() };
            let publish = async { self.bus.put(&event).await.map_err(Failure::from) };
            let key = keys::JUMP_REVIEW.key(now.strftime("%Y-%m-%d"));
            published = self.idempotency.publish(&key, now, publish).await?.is_some();
        }
        Ok(Review { mode, account_id: jump.id.clone(), published, findings })
    }
}

impl JumpAccount {
    /// Whether a group has the policy that asks for a second factor.
    async fn enforces_mfa(&self, group: &str) -> Result<bool, Failure> {
        let own = format!("arn:aws:iam::{}:policy{PATH}{ENFORCES_MFA}", self.id);
        Ok(self.iam.list_policies_of_group(group).await?.contains(&own))
    }
}

/// Whether a managed policy is one of Steward's.
fn is_own_policy(arn: &str) -> bool {
    arn.contains(&format!(":policy{PATH}"))
}

/// The groups that the user is in once it is done.
fn groups_after(task: &Task, known: &Known) -> Vec<String> {
    match task {
        Task::Change(wanted) => wanted.iter().map(GroupName::to_string).collect(),
        Task::Reset { .. } | Task::Remove => {
            known.groups.iter().filter(|group| group.path == PATH).map(|group| group.name.clone()).collect()
        }
    }
}

fn changed(jump: &JumpAccount, run: &Run<'_>, finding: Finding) -> JumpUserChanged {
    let groups = match run.task {
        Task::Change(groups) => groups.clone(),
        Task::Reset { .. } | Task::Remove => Vec::new(),
    };
    JumpUserChanged {
        invocation: run.invocation.to_owned(),
        account_id: jump.id.clone(),
        user_name: run.user.clone(),
        task: run.task.name(),
        groups,
        finding,
    }
}
