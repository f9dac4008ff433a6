//! AWS Cost Explorer: what accounts have cost. AWS charges one US cent for each request (AWS Cost Management pricing, "API
//! requests"), so that nothing here repeats one by itself.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_costexplorer::{
    Client,
    config::{Builder, Region as SdkRegion, retry::RetryConfig},
    types::{
        DateInterval, Dimension, DimensionValues, Expression, Granularity, GroupDefinition, GroupDefinitionType,
        ResultByTime,
    },
};
use jiff::civil::Date;

use super::CallError;
use crate::{
    error::Cause,
    ids::{AccountId, Region},
};

const OPERATION: &str = "ce:GetCostAndUsage";
/// What is asked for: what the bill has, before discounts are shared out among accounts.
const METRIC: &str = "UnblendedCost";
/// How many pages are read, each for another cent. AWS does not say how many accounts are on one.
const MAX_PAGES: usize = 5;

/// What an account has cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// How much.
    pub amount: f64,
    /// Of which currency: `USD`.
    pub unit: String,
}

/// What accounts have cost in one calendar month.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonthlyCosts {
    /// By account. One that is not in it has cost nothing.
    pub by_account: BTreeMap<AccountId, Cost>,
    /// Whether the month is not billed yet.
    pub is_estimated: bool,
}

/// The door to AWS Cost Explorer.
#[derive(Clone, Debug)]
pub struct CostExplorerGateway(Client);

impl CostExplorerGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        let region = SdkRegion::new(Region::us_east_1().as_str().to_owned());
        Self::new(Client::from_conf(Builder::from(config).region(region).build()))
    }

    /// What these accounts have cost in the month that this day is of, all of them in one request.
    ///
    /// # Errors
    ///
    /// AWS has refused it, or there is more to read than was worth the money.
    pub async fn monthly_costs(&self, month: Date, accounts: &[AccountId]) -> Result<MonthlyCosts, CallError> {
        let (mut found, mut token) = (MonthlyCosts::default(), None);
        for _ in 0..MAX_PAGES {
            let call = self.0.get_cost_and_usage().granularity(Granularity::Monthly).metrics(METRIC);
            let call = call.time_period(interval(month)?).filter(of_accounts(accounts)).group_by(by_account());
            let call = call.set_next_page_token(token).customize();
            let answer = call.config_override(Builder::new().retry_config(RetryConfig::disabled())).send().await;
            let page = answer.map_err(|error| CallError::of(OPERATION, error))?;
            for result in page.results_by_time() {
                found.is_estimated |= result.estimated();
                read(result, &mut found.by_account)?;
            }
            token = page.next_page_token;
            if token.is_none() {
                return Ok(found);
            }
        }
        let detail = format!("the costs of {} accounts take more than {MAX_PAGES} requests", accounts.len());
        Err(CallError::unusable(OPERATION, Cause::TooMuchToRead, detail))
    }
}

/// The whole month of a day; its end is not in it.
fn interval(month: Date) -> Result<DateInterval, CallError> {
    let end = month.last_of_month().tomorrow().map_err(|error| {
        CallError::not_sent(OPERATION, Cause::InputRefused, format!("{month} has no next month: {error}"))
    })?;
    let built = DateInterval::builder().start(month.first_of_month().to_string()).end(end.to_string()).build();
    built.map_err(|error| CallError::not_sent(OPERATION, Cause::InputRefused, error.to_string()))
}

fn of_accounts(accounts: &[AccountId]) -> Expression {
    let values = accounts.iter().map(ToString::to_string).collect();
    let values = DimensionValues::builder().key(Dimension::LinkedAccount).set_values(Some(values)).build();
    Expression::builder().dimensions(values).build()
}

fn by_account() -> GroupDefinition {
    GroupDefinition::builder().r#type(GroupDefinitionType::Dimension).key(Dimension::LinkedAccount.as_str()).build()
}

fn read(result: &ResultByTime, found: &mut BTreeMap<AccountId, Cost>) -> Result<(), CallError> {
    let unusable = |what: &str| CallError::unusable(OPERATION, Cause::CallFailed, format!("an answer without {what}"));
    for group in result.groups() {
        let account = group.keys().first().and_then(|id| id.parse().ok()).ok_or_else(|| unusable("an account id"))?;
        let metric = group.metrics().and_then(|metrics| metrics.get(METRIC)).ok_or_else(|| unusable(METRIC))?;
        let amount = metric.amount().and_then(|amount| amount.parse().ok()).ok_or_else(|| unusable("an amount"))?;
        let unit = metric.unit().unwrap_or_default().to_owned();
        found.insert(account, Cost { amount, unit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_sdk_costexplorer::{
        operation::get_cost_and_usage::GetCostAndUsageOutput,
        types::{Group, MetricValue},
    };
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    fn ids(ids: &[&str]) -> Vec<AccountId> {
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    fn page(groups: &[(&str, &str)], token: Option<&str>) -> GetCostAndUsageOutput {
        let group = |(id, amount): &(&str, &str)| {
            let value = MetricValue::builder().amount(*amount).unit("USD").build();
            Group::builder().keys(*id).metrics(METRIC, value).build()
        };
        let result =
            ResultByTime::builder().set_groups(Some(groups.iter().map(group).collect())).estimated(true).build();
        GetCostAndUsageOutput::builder()
            .results_by_time(result)
            .set_next_page_token(token.map(ToOwned::to_owned))
            .build()
    }

    #[tokio::test]
    async fn one_request_asks_for_all_accounts_of_a_month_and_reads_their_costs() {
        let rule = mock!(Client::get_cost_and_usage)
            .match_requests(|input| {
                let period = input.time_period().unwrap();
                let filter = input.filter().and_then(Expression::dimensions).unwrap();
                (period.start(), period.end()) == ("2026-02-01", "2026-03-01")
                    && filter.values() == ["222222222222", "333333333333"]
                    && input.group_by()[0].key() == Some("LINKED_ACCOUNT")
            })
            .then_output(|| page(&[("222222222222", "12.3456")], None));
        let client = mock_client!(aws_sdk_costexplorer, RuleMode::Sequential, [&rule]);
        let (month, accounts) = ("2026-02-17".parse().unwrap(), ids(&["222222222222", "333333333333"]));
        let costs = CostExplorerGateway::new(client).monthly_costs(month, &accounts).await.unwrap();
        assert!(costs.is_estimated && rule.num_calls() == 1);
        let expected = Cost { amount: 12.3456, unit: "USD".to_owned() };
        assert_eq!(costs.by_account, BTreeMap::from([("222222222222".parse().unwrap(), expected)]));
    }

    #[tokio::test]
    async fn pages_are_read_to_the_end_and_no_further_than_they_are_worth() {
        let more = mock!(Client::get_cost_and_usage).then_output(|| page(&[("222222222222", "1")], Some("more")));
        let client = mock_client!(aws_sdk_costexplorer, RuleMode::MatchAny, [&more]);
        let month = "2026-02-17".parse().unwrap();
        let error = CostExplorerGateway::new(client).monthly_costs(month, &ids(&["222222222222"])).await.unwrap_err();
        assert_eq!((error.cause, more.num_calls()), (Cause::TooMuchToRead, MAX_PAGES));
    }

    #[tokio::test]
    async fn an_answer_that_is_no_number_is_not_taken_for_one() {
        let rule = mock!(Client::get_cost_and_usage).then_output(|| page(&[("222222222222", "much")], None));
        let client = mock_client!(aws_sdk_costexplorer, RuleMode::Sequential, [&rule]);
        let month = "2026-02-17".parse().unwrap();
        let error = CostExplorerGateway::new(client).monthly_costs(month, &ids(&["222222222222"])).await.unwrap_err();
        assert!(error.detail.contains("an amount"), "{error}");
    }
}
