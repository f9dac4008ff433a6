//! Changes of addresses at AWS, each step written down before it is taken.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use steward::{
    baseline::Document,
    clock,
    control::Mode,
    error::{Cause, Failure},
    gateway::{AccountGateway, AccountTarget, EmailCode, EmailUpdate, EventBridgeGateway, SqsGateway},
    ids::{AccountId, Email},
    organization::Target,
    session::Protected,
    table::{account_index::AccountIndex, journal::Journal},
};

use crate::{
    email_change::{EmailChange, EmailChanges, Seen, State},
    event::{AccountUpdated, Finding},
    guard::{Admitted, Guard},
    input::Asked,
};

/// How long a change waits before it is tried again that AWS would not take yet, or whose answer was lost.
const LATER: Duration = Duration::from_mins(1);

/// The changes of addresses.
#[derive(Clone, Debug)]
pub(crate) struct Updates {
    pub(crate) accounts: AccountGateway,
    pub(crate) changes: EmailChanges,
    pub(crate) guard: Guard,
    pub(crate) index: AccountIndex,
    pub(crate) journal: Journal,
    pub(crate) queue: SqsGateway,
    pub(crate) bus: EventBridgeGateway,
}

/// One task, in one invocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    pub(crate) task: &'static str,
    pub(crate) mode: Mode,
    pub(crate) asked: &'a Asked,
    pub(crate) protected: &'a Protected,
    pub(crate) invocation: &'a str,
}

/// A change of a run that waits for its turn, as a message of the queue has it. Whatever else there is to know is in the
/// record: a message changes nothing by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) account_id: AccountId,
    pub(crate) run: String,
}

impl Updates {
    /// Asks AWS to mail a code to a new address of one account.
    pub(crate) async fn start_one(&self, id: &AccountId, new_email: &Email, run: &Run<'_>) -> Result<Finding, Failure> {
        let Admitted { account, target, .. } = match self.admitted(id, run).await {
            Ok(admitted) => admitted,
            Err(finding) => return self.refuse(id, new_email, run, finding).await,
        };
        // Organizations shows for a while what it was before: that it has the address is asked where addresses are kept.
        let is_shown = new_email.as_str().eq_ignore_ascii_case(&account.email);
        if is_shown && new_email.as_str().eq_ignore_ascii_case(&self.accounts.primary_email(&target).await?) {
            return Ok(Finding::NothingToDo { why: format!("{new_email} is the address of the account.") });
        }
        let found = self.changes.find(id).await?;
        let found = match found {
            Some(found) => Some(self.settled(found, &target, run).await?),
            None => None,
        };
        if let Some(under_way) = found.as_ref().filter(|found| found.is_open() && !found.is_unasked()) {
            return Ok(match under_way.state {
                _ if !under_way.is_to(new_email.as_str()) => Finding::refused(format!(
                    "A change to {} is under way: end or forget it first.",
                    under_way.new_email
                )),
                State::Starting => not_known_yet(),
                _ => Finding::NothingToDo { why: under_way.words() },
            });
        }
        if let Some(other) = self.holder(new_email).await? {
            let finding = Finding::refused(format!("{new_email} is the address of {other}."));
            return self.refuse(id, new_email, run, finding).await;
        }
        if run.mode == Mode::Plan {
            return Ok(Finding::Planned { steps: vec![format!("ask AWS to mail a code to {new_email}")] });
        }
        let about = (account.id.clone(), account.name.clone(), account.email.clone());
        let revision = found.map(|found| found.revision);
        let change = EmailChange::new(about, new_email.clone(), run.asked, None, revision, clock::now());
        self.changes.put(&change, clock::now()).await?;
        self.start(change, &target, run).await.map(|(_, finding)| finding)
    }

    /// Gives AWS the code that was mailed to the new address of one account.
    pub(crate) async fn accept(&self, id: &AccountId, code: &EmailCode, run: &Run<'_>) -> Result<Finding, Failure> {
        let Admitted { target, .. } = match self.admitted(id, run).await {
            Ok(admitted) => admitted,
            Err(finding) => return Ok(finding),
        };
        let Some(change) = self.settled_of(id, &target, run).await? else { return Ok(none_under_way(id)) };
        match change.state {
            State::Pending => {}
            State::Starting => return Ok(not_known_yet()),
            State::Queued | State::Accepted | State::Completed | State::Failed { .. } | State::Forgotten => {
                return Ok(no_code_wanted(&change));
            }
        }
        if run.mode == Mode::Plan {
            return Ok(Finding::Planned { steps: vec![format!("give AWS the code for {}", change.new_email)] });
        }
        let event = AccountUpdated::of_change(run.invocation, run.task, run.asked, &change);
        self.journal.begin(&event).await?;
        let finding = match self.accounts.accept_primary_email_update(&target, &change.new_email, code).await {
            Ok(()) => {
                let now = clock::now();
                self.changes.put(&change.in_state(State::Accepted, now), now).await?;
                Finding::Done { steps: vec![format!("gave AWS the code for {}", change.new_email)] }
            }
            // Somebody was quicker, or an answer was lost: AWS says how far it is.
            Err(error) if error.cause == Cause::Conflict || !error.refused => {
                match self.after(&change, &target, run).await? {
                    // That it has ended is told.
                    Some(after) if !after.is_open() => return Ok(no_code_wanted(&after)),
                    Some(after) => no_code_wanted(&after),
                    None => Finding::failed(error),
                }
            }
            Err(error) => Finding::failed(error),
        };
        self.journal.end(&event.ending(finding.clone())).await?;
        Ok(finding)
    }

    /// Asks AWS to mail another code to the same address.
    pub(crate) async fn resend(&self, id: &AccountId, run: &Run<'_>) -> Result<Finding, Failure> {
        let Admitted { target, .. } = match self.admitted(id, run).await {
            Ok(admitted) => admitted,
            Err(finding) => return Ok(finding),
        };
        let Some(change) = self.settled_of(id, &target, run).await? else { return Ok(none_under_way(id)) };
        match change.state {
            State::Pending => {}
            State::Starting => return Ok(not_known_yet()),
            _ => return Ok(Finding::refused(change.words())),
        }
        if run.mode == Mode::Plan {
            let step = format!("ask AWS to mail another code to {}", change.new_email);
            return Ok(Finding::Planned { steps: vec![step] });
        }
        self.start(change, &target, run).await.map(|(_, finding)| finding)
    }

    /// Closes the record of a change. AWS has no call that ends a change: a code that is on its way is good until it ends.
    pub(crate) async fn forget(&self, id: &AccountId, run: &Run<'_>) -> Result<Finding, Failure> {
        let Some(change) = self.changes.find(id).await?.filter(EmailChange::is_open) else {
            return Ok(none_under_way(id));
        };
        match change.state {
            State::Starting => return Ok(not_known_yet()),
            State::Accepted => return Ok(Finding::refused(change.words())),
            _ => {}
        }
        if run.mode == Mode::Plan {
            return Ok(Finding::Planned { steps: vec![format!("forget the change to {}", change.new_email)] });
        }
        self.guard.allow_changes().await?;
        let event = AccountUpdated::of_change(run.invocation, run.task, run.asked, &change);
        self.journal.begin(&event).await?;
        let now = clock::now();
        self.changes.put(&change.in_state(State::Forgotten, now), now).await?;
        let finding = Finding::Done { steps: vec![format!("forgot the change to {}", change.new_email)] };
        self.journal.end(&event.ending(finding.clone())).await?;
        Ok(finding)
    }

    /// Takes a change of a run on: what waits is asked for, what nobody knows is looked at.
    pub(crate) async fn go_on(&self, message: &Message, document: &Document, invocation: &str) -> Result<(), Failure> {
        let is_of_message = |change: &EmailChange| change.run.as_ref() == Some(&message.run);
        let Some(change) = self.changes.find(&message.account_id).await?.filter(is_of_message) else { return Ok(()) };
        if !matches!(change.state, State::Queued | State::Starting) {
            return Ok(());
        }
        match self.guard.allow_changes().await {
            // It waits in the table until the switch is off: whoever follows the changes sends its message again.
            Err(failure) if failure.cause == Cause::SwitchedOff => return Ok(()),
            allowed => allowed?,
        }
        let asked = Asked { reason: change.reason.clone(), requested_by: change.requested_by.clone() };
        let run = Run {
            task: "change-email-domain",
            mode: Mode::Apply,
            asked: &asked,
            protected: &document.protected,
            invocation,
        };
        let target = match self.admitted(&message.account_id, &run).await {
            Ok(admitted) => admitted.target,
            Err(Finding::Refused { why }) => return self.fail(&change, &run, why).await,
            Err(Finding::Failed { failure }) => return Err(failure),
            Err(_) => return Ok(()),
        };
        let change = self.settled(change, &target, &run).await?;
        let waits = match change.state {
            State::Queued => {
                let (change, _) = self.start(change, &target, &run).await?;
                matches!(change.state, State::Queued | State::Starting)
            }
            State::Starting => true,
            _ => false,
        };
        if waits { Ok(self.queue.send(message, LATER).await?) } else { Ok(()) }
    }

    /// Asks AWS for a change that is written down, and for no other. The record says so before the call.
    async fn start(
        &self,
        change: EmailChange,
        target: &AccountTarget,
        run: &Run<'_>,
    ) -> Result<(EmailChange, Finding), Failure> {
        let event = AccountUpdated::of_change(run.invocation, run.task, run.asked, &change);
        self.journal.begin(&event).await?;
        let starting = change.starting(clock::now());
        self.changes.put(&starting, clock::now()).await?;
        let answer = self.accounts.start_primary_email_update(target, &change.new_email).await;
        let now = clock::now();
        let (after, finding) = match answer {
            Ok(()) => {
                let steps = vec![format!("asked AWS to mail a code to {}", change.new_email)];
                (starting.in_state(State::Pending, now), Finding::Done { steps })
            }
            // Whoever finds it so asks AWS whether the call has arrived.
            Err(error) if !error.refused => {
                self.journal.end(&event.ending(Finding::failed(&error))).await?;
                return Ok((starting, Finding::failed(error)));
            }
            Err(error)
                if is_a_matter_of_time(error.cause) && change.state != State::Pending && change.run.is_some() =>
            {
                (starting.in_state(State::Queued, now), Finding::Waits { why: error.to_string() })
            }
            // The code before is good for as long as it was.
            Err(error) if change.state == State::Pending => {
                let kept = EmailChange { revision: starting.revision + 1, ..change };
                (kept, Finding::failed(error))
            }
            Err(error) => {
                let failure = Failure::from(error);
                let why = failure.message.clone();
                (starting.in_state(State::Failed { why }, now), Finding::Failed { failure })
            }
        };
        if after.is_open() {
            self.changes.put(&after, now).await?;
            self.journal.end(&event.ending(finding.clone())).await?;
        } else {
            // As every end: it is told before it is one.
            self.journal.end(&event.ending(finding.clone())).await?;
            self.changes.put(&after, now).await?;
        }
        Ok((after, finding))
    }

    /// Ends a change of a run that is not asked for.
    async fn fail(&self, change: &EmailChange, run: &Run<'_>, why: String) -> Result<(), Failure> {
        self.keep(&change.in_state(State::Failed { why }, clock::now()), run).await
    }

    /// Writes down what a change was found to be; a plan writes nothing. An end is told before it is written down: whoever is
    /// killed between the two tells it again rather than never, since nobody looks at what has ended.
    pub(crate) async fn keep(&self, found: &EmailChange, run: &Run<'_>) -> Result<(), Failure> {
        if run.mode == Mode::Plan {
            return Ok(());
        }
        if !found.is_open() {
            let event = AccountUpdated::of_change(run.invocation, run.task, run.asked, found);
            self.journal.end(&event.ending(found.finding())).await?;
        }
        self.changes.put(found, clock::now()).await
    }

    /// The change of this account, brought up to what AWS says where nobody knows whether AWS was asked.
    async fn settled_of(
        &self,
        id: &AccountId,
        target: &AccountTarget,
        run: &Run<'_>,
    ) -> Result<Option<EmailChange>, Failure> {
        match self.changes.find(id).await? {
            Some(change) => Ok(Some(self.settled(change, target, run).await?)),
            None => Ok(None),
        }
    }

    /// The same of a change that was read.
    pub(crate) async fn settled(
        &self,
        change: EmailChange,
        target: &AccountTarget,
        run: &Run<'_>,
    ) -> Result<EmailChange, Failure> {
        if change.state != State::Starting {
            return Ok(change);
        }
        let update = self.accounts.find_primary_email_update(target).await?;
        let now = clock::now();
        let settled = match change.seen(update, now) {
            Seen::NotYet => return Ok(change),
            Seen::NotStarted => change.not_asked(now),
            Seen::Started => match self.as_aws_says(&change, update, target).await? {
                Some(after) => after,
                None => return Ok(change),
            },
        };
        self.keep(&settled, run).await?;
        Ok(settled)
    }

    /// The change as AWS says that it is now, written down; None where nothing has changed.
    pub(crate) async fn after(
        &self,
        change: &EmailChange,
        target: &AccountTarget,
        run: &Run<'_>,
    ) -> Result<Option<EmailChange>, Failure> {
        let update = self.accounts.find_primary_email_update(target).await?;
        let after = self.as_aws_says(change, update, target).await?;
        if let Some(after) = &after {
            self.keep(after, run).await?;
        }
        Ok(after)
    }

    /// The change by what AWS says of it; that it is complete counts where the account has its address.
    async fn as_aws_says(
        &self,
        change: &EmailChange,
        update: Option<EmailUpdate>,
        target: &AccountTarget,
    ) -> Result<Option<EmailChange>, Failure> {
        let after = change.after(update, None, clock::now());
        if after.as_ref().is_none_or(|after| after.state != State::Completed) {
            return Ok(after);
        }
        let present = self.accounts.primary_email(target).await?;
        Ok(change.after(update, Some(&present), clock::now()))
    }

    async fn admitted(&self, id: &AccountId, run: &Run<'_>) -> Result<Admitted, Finding> {
        self.guard.look_at_member(Target::Id(id.clone()), run.mode, run.protected).await
    }

    /// Keeps that an apply was refused.
    async fn refuse(
        &self,
        id: &AccountId,
        new_email: &Email,
        run: &Run<'_>,
        finding: Finding,
    ) -> Result<Finding, Failure> {
        if run.mode == Mode::Apply {
            let event = AccountUpdated::begun(run.invocation, run.task, run.asked);
            let event = AccountUpdated { account_id: Some(id.clone()), new_email: Some(new_email.clone()), ..event };
            self.journal.end(&event.ending(finding.clone())).await?;
        }
        Ok(finding)
    }

    /// Which account of the organization has this address: the index is a hint, AWS is asked.
    async fn holder(&self, email: &Email) -> Result<Option<AccountId>, Failure> {
        let Some(entry) = self.index.by_email(email, None).await? else { return Ok(None) };
        let found = self.guard.organizations.find_account(&entry.account_id).await?;
        Ok(found.filter(|account| account.email.eq_ignore_ascii_case(email.as_str())).map(|account| account.id))
    }
}

fn is_a_matter_of_time(cause: Cause) -> bool {
    matches!(cause, Cause::Throttled | Cause::NoTimeLeft)
}

fn not_known_yet() -> Finding {
    Finding::refused(
        "AWS was asked, and its answer was lost: ask again in a minute, when it can be seen what came of it.",
    )
}

/// What is said of a code where the change does not wait for it, or has come further meanwhile.
fn no_code_wanted(change: &EmailChange) -> Finding {
    match change.state {
        State::Queued | State::Failed { .. } | State::Forgotten => Finding::refused(change.words()),
        State::Starting | State::Pending | State::Accepted | State::Completed => {
            Finding::NothingToDo { why: change.words() }
        }
    }
}

fn none_under_way(id: &AccountId) -> Finding {
    Finding::refused(format!("No change of the address of {id} is under way."))
}

impl EmailChange {
    /// Whether AWS was not asked, and nobody is about to.
    fn is_unasked(&self) -> bool {
        self.state == State::Queued && self.run.is_none()
    }

    /// What has become of it.
    pub(crate) fn finding(&self) -> Finding {
        match &self.state {
            State::Completed => Finding::Done { steps: vec![self.words()] },
            State::Failed { .. } => Finding::Refused { why: self.words() },
            State::Queued | State::Starting | State::Pending | State::Accepted | State::Forgotten => {
                Finding::Waits { why: self.words() }
            }
        }
    }

    /// How far it is, in words.
    pub(crate) fn words(&self) -> String {
        let email = &self.new_email;
        match &self.state {
            State::Queued if self.run.is_none() => {
                format!("AWS was not asked to mail a code to {email}: start the change again.")
            }
            State::Queued => format!("The change to {email} waits for its turn."),
            State::Starting => format!("AWS was asked to mail a code to {email}, and its answer was not seen."),
            State::Pending => {
                format!("The change to {email} waits for its code; resend-email-change asks for another one.")
            }
            State::Accepted => {
                format!("AWS has the code, and gives the account the address {email} within four hours.")
            }
            State::Completed => format!("The account has the address {email}."),
            State::Failed { why } => format!("The change to {email} has failed: {why}"),
            State::Forgotten => format!("The change to {email} was forgotten; start it again."),
        }
    }
}
