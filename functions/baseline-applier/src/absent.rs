//! An account that AWS Organizations does not show: it is so new that AWS does not know it in every place, or it has left since
//! it was told of. Nobody can tell which; a message that only failed would come back for ever.

use std::time::Duration;

use jiff::Timestamp;
use lambda_runtime::tracing;
use steward::{
    account_creation::BaselineMessage,
    control::another_look,
    error::{Cause, Failure},
    events::BaselineIncomplete,
    gateway::Account,
};

use crate::BaselineApplier;

/// What is to be done about an account that is not shown.
#[derive(Debug, PartialEq, Eq)]
enum Absent {
    /// It is looked at again after this while.
    LookAgain(Duration),
    /// People are told, and nothing more is done.
    Tell(Failure),
}

impl BaselineApplier {
    /// The account as it is shown. None where it is not: then it is looked at again later, and after the deadline people are
    /// told.
    pub(crate) async fn described(
        &self,
        account: &BaselineMessage,
        now: Timestamp,
    ) -> Result<Option<Account>, Failure> {
        match self.organizations.describe_account(&account.account_id).await {
            Ok(described) => return Ok(Some(described)),
            Err(error) if error.cause == Cause::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let wait = another_look(account.since, now, self.deadline, self.backoff);
        match absent(account, wait) {
            Absent::LookAgain(wait) => {
                tracing::info!(account_id = %account.account_id, "not shown by AWS Organizations, looking again");
                self.queue.send(&account.clone().again(), wait).await?;
            }
            Absent::Tell(failure) => {
                tracing::warn!(account_id = %account.account_id, "{failure}");
                let BaselineMessage { account_id, request_id, .. } = account.clone();
                let (controls, baseline_refused) = (Vec::new(), None);
                let event = BaselineIncomplete { account_id, request_id, failure, controls, baseline_refused };
                self.bus.put(&event).await?;
            }
        }
        Ok(None)
    }
}

fn absent(account: &BaselineMessage, wait: Option<Duration>) -> Absent {
    let tell = || {
        let why = format_args!("{} is not shown any more: it has left before it had its baseline.", account.account_id);
        Absent::Tell(Failure::with_detail(Cause::AccountNotInOrganization, why))
    };
    wait.map_or_else(tell, Absent::LookAgain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_is_not_shown_is_waited_for_and_then_people_are_told_that_it_has_left() {
        let since = Timestamp::from_second(1_790_000_000).unwrap();
        let account = BaselineMessage { joined: true, ..BaselineMessage::new("222222222222".parse().unwrap(), since) };
        let wait = Duration::from_secs(5);
        assert_eq!(absent(&account, Some(wait)), Absent::LookAgain(wait));
        let Absent::Tell(told) = absent(&account, None) else { panic!() };
        assert_eq!(told.cause, Cause::AccountNotInOrganization);
        assert!(told.message.contains("222222222222"), "{told}");
    }
}
