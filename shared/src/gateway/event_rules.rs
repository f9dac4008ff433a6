//! Amazon EventBridge in one region of an account: the rules of its default bus.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::{
    Client,
    operation::{describe_rule::DescribeRuleError, list_targets_by_rule::ListTargetsByRuleError},
    types::Target,
};

use super::{CallError, one_more_page, unless_absent};

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRule {
    /// Which events it hears, as JSON; None when it goes by the clock.
    pub pattern: Option<String>,
    /// `ENABLED`, `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`, `DISABLED`.
    pub state: String,
}

/// Where a rule sends what it hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTarget {
    /// The ARN of what gets it.
    pub arn: String,
    /// The ARN of the role by which it is sent.
    pub role_arn: Option<String>,
    /// Whether the event is sent as it is, and not a part of it or something else.
    pub is_whole: bool,
}

/// The door to the rules.
#[derive(Clone, Debug)]
pub struct EventRulesGateway(Client);

impl EventRulesGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// The names of the rules that have this target.
    pub async fn list_rules_with_target(&self, target_arn: &str) -> Result<Vec<String>, CallError> {
        const OPERATION: &str = "events:ListRuleNamesByTarget";
        let (mut found, mut next, mut read) = (Vec::new(), None, 0);
        loop {
            one_more_page(OPERATION, read)?;
            read += 1;
            let page = self.0.list_rule_names_by_target().target_arn(target_arn).set_next_token(next).send().await;
            let page = page.map_err(|error| CallError::of(OPERATION, error))?;
            found.extend_from_slice(page.rule_names());
            next = page.next_token().map(ToOwned::to_owned);
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// The rule of this name; None when there is none.
    pub async fn find_rule(&self, name: &str) -> Result<Option<EventRule>, CallError> {
        let answer = self.0.describe_rule().name(name).send().await;
        let is_absent = DescribeRuleError::is_resource_not_found_exception;
        let answer = unless_absent("events:DescribeRule", answer, is_absent)?;
        Ok(answer.map(|rule| EventRule {
            pattern: rule.event_pattern().map(ToOwned::to_owned),
            state: rule.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        }))
    }

    /// The targets of a rule; none when there is no such rule.
    pub async fn list_targets(&self, rule: &str) -> Result<Vec<EventTarget>, CallError> {
        const OPERATION: &str = "events:ListTargetsByRule";
        let (mut found, mut next, mut read) = (Vec::new(), None, 0);
        loop {
            one_more_page(OPERATION, read)?;
            read += 1;
            let page = self.0.list_targets_by_rule().rule(rule).set_next_token(next).send().await;
            let is_absent = ListTargetsByRuleError::is_resource_not_found_exception;
            let Some(page) = unless_absent(OPERATION, page, is_absent)? else { return Ok(found) };
            found.extend(page.targets().iter().map(target));
            next = page.next_token().map(ToOwned::to_owned);
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

fn target(target: &Target) -> EventTarget {
    EventTarget {
        arn: target.arn().to_owned(),
        role_arn: target.role_arn().map(ToOwned::to_owned),
        is_whole: target.input().is_none() && target.input_path().is_none() && target.input_transformer().is_none(),
    }
}

#[cfg(test)]
mod tests;
