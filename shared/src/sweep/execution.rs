//! Which sweep a function of a sweep works for. Whoever may invoke the function names an execution of the state machine;
//! AWS says whether it is one, since when, and by whom it was started.

use jiff::{SignedDuration, Timestamp};

use crate::{
    error::{Cause, Failure},
    gateway::{CallError, Execution, StatesGateway},
    sweep::SweepId,
};

/// How long accounts are looked at and changed. The rest of [`LONGEST_SWEEP`](super::LONGEST_SWEEP) is for the batches that
/// are under way then, and for the report: what a sweep has not come to stands in it, and the next sweep goes on.
pub const LONGEST_WORK: SignedDuration = SignedDuration::from_hours(5);

/// The executions of the sweep's state machine. The roles of the functions may look at no other's.
#[derive(Clone, Debug)]
pub struct SweepExecutions(StatesGateway);

/// A sweep, as AWS knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepExecution {
    /// Its name.
    pub id: SweepId,
    /// When it began.
    pub started_at: Timestamp,
    /// What set it off: `schedule` or `by_hand`.
    pub trigger: String,
    /// The sweep that was stopped by the brake and is to go on, as a person has said.
    pub continues: Option<String>,
}

impl SweepExecution {
    /// Whether there is time for one more batch.
    pub fn has_time(&self, now: Timestamp) -> bool {
        now < self.started_at + LONGEST_WORK
    }
}

impl SweepExecutions {
    /// The executions that this gateway knows.
    pub fn new(states: StatesGateway) -> Self {
        Self(states)
    }

    /// The sweep that an execution is at.
    ///
    /// One that is not there, is of another state machine or has ended gives [`Cause::NoSuchSweep`].
    pub async fn under_way(&self, arn: &str) -> Result<SweepExecution, Failure> {
        let execution = self.find(arn).await?;
        if execution.is_running { Ok(of(&execution)) } else { Err(refused(format_args!("{arn} has ended."))) }
    }

    /// The sweep of an execution that is under way or has ended.
    ///
    /// One that is not there or is of another state machine gives [`Cause::NoSuchSweep`].
    pub async fn any(&self, arn: &str) -> Result<SweepExecution, Failure> {
        self.find(arn).await.map(|execution| of(&execution))
    }

    async fn find(&self, arn: &str) -> Result<Execution, Failure> {
        match self.0.find_execution(arn).await {
            Ok(Some(execution)) => Ok(execution),
            Ok(None) => Err(refused(format_args!("There is no {arn}."))),
            Err(CallError { cause: Cause::AccessDenied, .. }) => {
                Err(refused(format_args!("{arn} is not one of this stack.")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn of(execution: &Execution) -> SweepExecution {
    SweepExecution {
        id: SweepId::of_execution(&execution.name, execution.started_at),
        started_at: execution.started_at,
        trigger: execution.input["trigger"].as_str().unwrap_or("by_hand").to_owned(),
        continues: execution.input["continue"].as_str().map(ToOwned::to_owned),
    }
}

fn refused(detail: std::fmt::Arguments<'_>) -> Failure {
    Failure::with_detail(Cause::NoSuchSweep, detail)
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::{
        Client,
        operation::describe_execution::{DescribeExecutionError, DescribeExecutionOutput},
        primitives::DateTime,
        types::ExecutionStatus,
    };
    use aws_smithy_mocks::{Rule, mock, mock_client};

    use super::*;
    use crate::gateway::testing::denied;

    fn executions(rule: &Rule) -> SweepExecutions {
        SweepExecutions::new(StatesGateway::new(mock_client!(aws_sdk_sfn, [rule])))
    }

    fn described(status: ExecutionStatus) -> Rule {
        mock!(Client::describe_execution).then_output(move || {
            DescribeExecutionOutput::builder()
                .execution_arn("arn")
                .state_machine_arn("arn")
                .name("5b9c1d-2e")
                .status(status.clone())
                .start_date(DateTime::from_secs(1_790_000_000))
                .input(r#"{"trigger":"schedule"}"#)
                .build()
                .unwrap()
        })
    }

    #[tokio::test]
    async fn a_sweep_under_way_is_named_by_what_aws_says() {
        let sweep = executions(&described(ExecutionStatus::Running)).under_way("arn").await.unwrap();
        assert_eq!((sweep.id.as_str(), sweep.trigger.as_str()), ("2026-09-21T14-13-20Z-5b9c1d2e", "schedule"));
        let after = |hours| sweep.started_at + SignedDuration::from_hours(hours);
        assert_eq!([sweep.has_time(after(4)), sweep.has_time(after(5))], [true, false]);
    }

    #[tokio::test]
    async fn one_that_has_ended_may_be_reported_and_nothing_else() {
        let ended = || described(ExecutionStatus::Succeeded);
        assert!(executions(&ended()).any("arn").await.is_ok());
        assert_eq!(executions(&ended()).under_way("arn").await.unwrap_err().cause, Cause::NoSuchSweep);
    }

    #[tokio::test]
    async fn what_the_role_may_not_look_at_is_no_sweep_of_this_stack() {
        let foreign = mock!(Client::describe_execution).then_error(|| DescribeExecutionError::generic(denied()));
        let refused = executions(&foreign).any("arn:aws:states:us-east-1:1:execution:other:x").await.unwrap_err();
        assert_eq!(refused.cause, Cause::NoSuchSweep);
    }
}
