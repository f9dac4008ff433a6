//! Every change of an address that is under way, as it is known and as AWS says; and what is done about those that stand
//! still.

use futures_util::StreamExt;
use jiff::Timestamp;
use serde::Serialize;
use steward::{
    clock,
    control::Mode,
    error::Failure,
    gateway::{AccountTarget, EmailUpdate, EmailUpdateStatus, Queried},
    ids::{AccountId, Email},
    runtime::{
        budget::Budget,
        concurrency::{as_they_come, in_order},
    },
};

use std::time::Duration;

use crate::{
    email_change::{EmailChange, State},
    event::{EmailChangesAbandoned, Finding},
    report::{Report, Row, Rows},
    updates::{Message, Run, Updates},
    visits::visit,
};

/// How many changes are looked at at once.
const AT_ONCE: usize = 8;

/// A change that is under way.
#[derive(Debug, Serialize)]
pub(crate) struct StatusRow {
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
    pub(crate) old_email: String,
    pub(crate) new_email: Email,
    /// How far it is, as the record has it.
    pub(crate) state: &'static str,
    /// How far it is, as AWS says; left out where AWS was not asked, or knows of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aws_status: Option<&'static str>,
    /// Since when the record has it so.
    pub(crate) since: Timestamp,
    /// For how many whole hours.
    pub(crate) age_hours: i64,
    /// Until when the code is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code_ends_at: Option<Timestamp>,
    /// Whether it has waited for its code for twenty hours.
    pub(crate) is_abandoned: bool,
    /// How often AWS was asked to mail a code.
    pub(crate) starts: u32,
    pub(crate) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requested_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<String>,
}

impl StatusRow {
    /// The columns of a sheet.
    pub(crate) const HEAD: [&str; 14] = [
        "account_id",
        "account_name",
        "old_email",
        "new_email",
        "state",
        "aws_status",
        "since",
        "age_hours",
        "code_ends_at",
        "is_abandoned",
        "starts",
        "reason",
        "requested_by",
        "run",
    ];

    fn of(change: EmailChange, update: Option<EmailUpdate>, now: Timestamp) -> Self {
        Self {
            state: change.state.name(),
            aws_status: update.map(|update| in_a_word(update.status)),
            since: change.since,
            age_hours: now.duration_since(change.since).as_hours(),
            code_ends_at: change.code_ends_at(),
            is_abandoned: change.is_abandoned(now),
            account_id: change.account_id,
            account_name: change.account_name,
            old_email: change.old_email,
            new_email: change.new_email,
            starts: change.starts,
            reason: change.reason,
            requested_by: change.requested_by,
            run: change.run,
        }
    }

    /// Its row of a sheet.
    pub(crate) fn sheet(&self) -> Vec<String> {
        vec![
            self.account_id.to_string(),
            self.account_name.clone(),
            self.old_email.clone(),
            self.new_email.to_string(),
            self.state.to_owned(),
            self.aws_status.unwrap_or_default().to_owned(),
            self.since.to_string(),
            self.age_hours.to_string(),
            self.code_ends_at.map(|at| at.to_string()).unwrap_or_default(),
            self.is_abandoned.to_string(),
            self.starts.to_string(),
            self.reason.clone(),
            self.requested_by.clone().unwrap_or_default(),
            self.run.clone().unwrap_or_default(),
        ]
    }
}

fn in_a_word(status: EmailUpdateStatus) -> &'static str {
    match status {
        EmailUpdateStatus::Pending => "PENDING",
        EmailUpdateStatus::Accepted => "ACCEPTED",
        EmailUpdateStatus::Completed => "COMPLETED",
        EmailUpdateStatus::Failed => "FAILED",
    }
}

impl Updates {
    /// Every change that is under way. Where there is no time to ask AWS, the record speaks for itself.
    pub(crate) async fn statuses(&self, run: &Run<'_>) -> Result<Report, Failure> {
        let (budget, now) = (Budget::keeping(Duration::from_mins(1)), clock::now());
        let Queried { items, unreadable } = self.changes.open().await?;
        let own = self.guard.sessions.own_account().await?;
        let looks = items.into_iter().map(|change| async {
            let target = AccountTarget::of(&change.account_id, own);
            let is_asked = change.state != State::Queued && budget.has_room();
            let update = if is_asked {
                self.accounts.find_primary_email_update(&target).await.unwrap_or_default()
            } else {
                None
            };
            StatusRow::of(change, update, now)
        });
        let rows = in_order(as_they_come(looks, AT_ONCE).collect().await);
        Ok(Report { unreadable, ..Report::new(run.task, run.mode, Rows::Changes(rows)) })
    }

    /// Brings every change that is under way up to what AWS says, sends the messages again that were lost, and tells of the
    /// changes that nobody ends. What has changed is a row.
    pub(crate) async fn follow(&self, run: &Run<'_>) -> Result<Report, Failure> {
        let Queried { items, unreadable } = self.changes.open().await?;
        let changes = items.into_iter().map(|change| (change.account_id.clone(), change));
        let follow = async |change: EmailChange| {
            let (id, name) = (change.account_id.clone(), change.account_name.clone());
            Ok(match self.follow_one(change, run).await {
                Ok((change, None)) => Followed::Same(Box::new(change)),
                Ok((change, Some(finding))) => Followed::Changed(Box::new(change), finding),
                Err(failure) => Followed::Failed(Row {
                    account_id: id,
                    account_name: Some(name),
                    finding: Finding::failed(failure),
                }),
            })
        };
        let (all, left) = visit(changes, AT_ONCE, follow).await?;
        let (mut rows, mut waiting) = (Vec::new(), Vec::new());
        for followed in all {
            match followed {
                Followed::Failed(row) => rows.push(row),
                Followed::Same(change) => waiting.push(*change),
                Followed::Changed(change, finding) => {
                    rows.push(Row {
                        account_id: change.account_id.clone(),
                        account_name: Some(change.account_name.clone()),
                        finding,
                    });
                    waiting.push(*change);
                }
            }
        }
        rows.extend(self.tell_of_abandoned(waiting, run).await?);
        Ok(Report { left, unreadable, ..Report::new(run.task, run.mode, Rows::Found(rows)) })
    }

    /// One change, and what has become of it; nothing where it is as it was.
    async fn follow_one(&self, change: EmailChange, run: &Run<'_>) -> Result<(EmailChange, Option<Finding>), Failure> {
        if run.mode == Mode::Plan {
            return Ok((change, None));
        }
        let now = clock::now();
        if change.is_stranded(now)
            && let Some(run) = &change.run
        {
            let message = Message { account_id: change.account_id.clone(), run: run.clone() };
            self.queue.send(&message, Duration::ZERO).await?;
            let why = "It goes into the queue again: nobody has worked on it.".to_owned();
            return Ok((change, Some(Finding::Waits { why })));
        }
        let own = self.guard.sessions.own_account().await?;
        let target = AccountTarget::of(&change.account_id, own);
        let after = match change.state {
            State::Queued if change.is_dropped(now) => {
                let after = change.not_asked(now);
                self.keep(&after, run).await?;
                Some(after)
            }
            State::Queued => None,
            State::Starting => Some(self.settled(change.clone(), &target, run).await?).filter(|after| *after != change),
            _ => self.after(&change, &target, run).await?,
        };
        let Some(after) = after else { return Ok((change, None)) };
        let finding = after.finding();
        Ok((after, Some(finding)))
    }

    /// Tells people of the changes that have waited for their codes too long, all in one event, and each once. An invocation
    /// that is killed between the two tells again rather than never.
    async fn tell_of_abandoned(&self, changes: Vec<EmailChange>, run: &Run<'_>) -> Result<Vec<Row>, Failure> {
        let now = clock::now();
        let is_new = |change: &EmailChange| change.told_at.is_none() && change.is_abandoned(now);
        let abandoned: Vec<_> = changes.into_iter().filter(is_new).collect();
        if run.mode == Mode::Apply && !abandoned.is_empty() {
            self.bus.put(&EmailChangesAbandoned::of(&abandoned, now)).await?;
            for change in &abandoned {
                // Who was quicker has ended it, or has asked for another code.
                if let Err(failure) = self.changes.put(&change.told(now), now).await {
                    lambda_runtime::tracing::info!(account_id = %change.account_id, "not marked as told: {failure}");
                }
            }
        }
        let row = |change: EmailChange| Row {
            finding: Finding::Waits { why: format!("{} Nobody has given it for twenty hours.", change.words()) },
            account_id: change.account_id,
            account_name: Some(change.account_name),
        };
        Ok(abandoned.into_iter().map(row).collect())
    }
}

/// What has become of a change.
enum Followed {
    /// It is as it was.
    Same(Box<EmailChange>),
    /// It is another one.
    Changed(Box<EmailChange>, Finding),
    /// It could not be looked at.
    Failed(Row),
}
