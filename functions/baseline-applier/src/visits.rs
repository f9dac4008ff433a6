//! Going through the accounts that a person selected.

use std::time::Duration;

use futures_util::StreamExt;
use lambda_runtime::tracing;
use steward::{
    baseline::Document,
    clock,
    control::{
        Mode,
        brake::{Brake, Came},
    },
    error::{Cause, Failure},
    gateway::Account,
    invocation::time_left,
    organization::Target,
    runtime::{
        budget::Budget,
        concurrency::{Progress, as_they_come, in_order},
    },
    session::ineligibility,
};

use crate::{
    BaselineApplier,
    input::Input,
    report::{Failed, Report, Skip, Visited},
};

/// The time that is kept for the accounts that are being worked on when no more are begun. A call may take 27 s, and
/// a control makes several.
const MARGIN: Duration = Duration::from_secs(45);
/// How many accounts are worked on at once. More would wait for the rates of the APIs that they share.
const AT_ONCE: usize = 8;
/// Why an account is left alone that is another invocation's.
const TAKEN: &str = "another invocation is applying its baseline at this moment, and answers for it";

/// What is the same for every account that a person selected.
#[derive(Clone, Copy)]
struct Run<'a> {
    input: &'a Input,
    document: &'a Document,
    brake: &'a Brake,
    invocation: &'a str,
    budget: &'a Budget,
}

impl BaselineApplier {
    /// Runs controls in the accounts that a person selected, some at a time, for as long as there is time.
    pub(crate) async fn by_hand(&self, input: &Input, invocation: &str) -> Result<Report, Failure> {
        let document = self.runner.document().await?;
        let unmatched = self.selectors.unmatched(&document).await?;
        if input.mode == Mode::Apply {
            self.selectors.allow_changes(&document).await?;
        }
        let targets = input.selection.targets(&self.organizations, &self.units).await?;
        let known: Vec<&Account> = targets.iter().filter_map(Target::known).collect();
        self.runner.facts().prepare(&known, &document).await;
        let plan = input.plan(document.etag());
        let said = input.confirmation.as_ref();
        let brake = Brake::new(&input.selection, targets.len(), self.max_changed_percent, plan, said)?;
        let budget = Budget::keeping(MARGIN);
        let run = Run { input, document: &document, brake: &brake, invocation, budget: &budget };
        let selected = targets.len();
        let visits = targets.into_iter().map(|target| self.visit(target, &run));
        let came = as_they_come(visits, AT_ONCE).collect().await;
        let mut report = Report::new(input.mode, document.refused.clone(), unmatched);
        for visited in in_order(came) {
            report.add(visited);
        }
        report.progress = Progress::of(selected, report.left.len());
        report.brake = brake.summary(input.mode).map(Box::new);
        Ok(report)
    }

    async fn visit(&self, target: Target, run: &Run<'_>) -> Visited {
        let Run { input, document, brake, invocation, budget } = *run;
        let id = target.id().clone();
        if !budget.has_room() {
            return Visited::Left(id);
        }
        let account = match target.describe(&self.organizations).await {
            Ok(account) => account,
            Err(error) => return Visited::not_looked_at(id, error.into()),
        };
        if let Some(why) = ineligibility(&account) {
            return Visited::Skipped(Skip { account_id: id, why });
        }
        let mode = brake.mode(input.mode);
        let applies = mode == Mode::Apply;
        if applies {
            match self.turns.begin(&id, invocation, time_left(), clock::now()).await {
                Ok(true) => {}
                Ok(false) => return Visited::Skipped(Skip { account_id: id, why: TAKEN.to_owned() }),
                Err(error) => return Visited::Failed(Failed { account_id: id, failure: error.into() }),
            }
        }
        let run = self.runner.run_in(&account, document, &input.controls, mode, invocation).await;
        if applies && let Err(error) = self.turns.end(&id, invocation, clock::now()).await {
            tracing::warn!(account_id = %id, "the turn could not be given back, and ends with this invocation: {error}");
        }
        match run {
            Ok(rows) => {
                brake.count(Came::of_rows(&rows));
                budget.spend(serde_json::to_vec(&rows).map_or(0, |bytes| bytes.len()));
                Visited::Rows(rows)
            }
            Err(failure) => {
                if failure.cause != Cause::NoTimeLeft {
                    brake.count(Came::Failed);
                }
                Visited::not_looked_at(id, failure)
            }
        }
    }
}
