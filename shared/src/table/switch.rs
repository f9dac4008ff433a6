//! The switch that turns every apply into a plan: one item of the stack's table, which people put there and take away.

use std::time::Duration;

use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    gateway::{CallError, DynamoDbGateway},
    table::keys,
};

/// How long what was read is believed. Somebody who turns the switch wants it to hold.
const BELIEVED: Duration = Duration::from_secs(10);

/// The switch, in the stack's table.
#[derive(Debug)]
pub struct Switch {
    table: DynamoDbGateway,
    seen: Mutex<Option<(Instant, bool)>>,
}

/// Its item; whatever else it says is for people.
#[derive(Deserialize)]
struct Item {}

impl Switch {
    /// The switch in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self { table, seen: Mutex::default() }
    }

    /// Whether nothing may be changed. It is read again after ten seconds; that it cannot be read is an error, on which
    /// nothing is changed either.
    pub async fn is_on(&self) -> Result<bool, CallError> {
        // The lock is held on the way, so that many accounts ask once.
        let mut seen = self.seen.lock().await;
        if let Some((at, is_on)) = *seen
            && at.elapsed() < BELIEVED
        {
            return Ok(is_on);
        }
        let is_on = self.table.find::<Item>(keys::SWITCH.key()).await?.is_some();
        *seen = Some((Instant::now(), is_on));
        Ok(is_on)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::get_item::{GetItemError, GetItemOutput},
        types::AttributeValue,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::*;
    use crate::gateway::testing::denied;

    fn switch(rules: &[&Rule]) -> Switch {
        Switch::new(DynamoDbGateway::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "table"))
    }

    fn item(is_there: bool) -> Rule {
        mock!(Client::get_item).match_requests(|input| input.consistent_read() == Some(true)).then_output(move || {
            let item = is_there.then(|| [("pk".to_owned(), AttributeValue::S(keys::SWITCH.key().to_owned()))].into());
            GetItemOutput::builder().set_item(item).build()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_switch_is_on_while_its_item_is_there() {
        let (there, gone) = (item(true), item(false));
        let switch = switch(&[&there, &gone]);
        assert!(switch.is_on().await.unwrap());
        assert!(switch.is_on().await.unwrap(), "believed for a while");
        tokio::time::sleep(BELIEVED).await;
        assert!(!switch.is_on().await.unwrap());
    }

    #[tokio::test]
    async fn a_switch_that_cannot_be_read_is_an_error_and_not_off() {
        let no = mock!(Client::get_item).then_error(|| GetItemError::generic(denied()));
        assert!(switch(&[&no]).is_on().await.is_err());
    }
}
