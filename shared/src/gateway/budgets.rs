//! AWS Budgets: what an account may cost, and whom AWS tells when it comes near to that.

use aws_config::SdkConfig;
use aws_sdk_budgets::{
    Client,
    operation::{
        describe_budget::DescribeBudgetError, describe_notifications_for_budget::DescribeNotificationsForBudgetError,
        describe_subscribers_for_notification::DescribeSubscribersForNotificationError,
    },
    types::{
        Budget as Model, BudgetType, ComparisonOperator, CostTypes, Metric, Notification, NotificationType,
        NotificationWithSubscribers, Spend, Subscriber, SubscriptionType, ThresholdType, TimePeriod, TimeUnit,
    },
};

use super::{CallError, one_more_page, unless_absent};
use crate::{error::Cause, ids::AccountId};

/// What a limit of Steward's is in.
const USD: &str = "USD";

/// A budget that is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    /// What it limits: `COST` is what the account is charged.
    pub kind: String,
    /// The time that it starts anew after: `MONTHLY`, `ANNUALLY`.
    pub time_unit: String,
    /// The amount and its unit, `USD`; None where the limit changes from one period to the next.
    pub limit: Option<(f64, String)>,
    /// Whether AWS moves the limit by what was spent before.
    pub adjusts_itself: bool,
    /// Whether it counts a part of the charges alone.
    pub is_filtered: bool,
    /// What writing the budget would erase unless it is sent along.
    pub rest: BudgetRest,
}

/// The parts of a budget that Steward leaves as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BudgetRest {
    /// Which kinds of charges count, such as taxes and credits, as older budgets say it.
    pub cost_types: Option<CostTypes>,
    /// The same as newer budgets say it.
    pub metrics: Option<Vec<Metric>>,
    /// From when to when it holds.
    pub time_period: Option<TimePeriod>,
}

/// What AWS compares with a percentage of the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// What was spent.
    Actual,
    /// What AWS expects to be spent by the end of the period.
    Forecasted,
}

/// At what somebody is told: when more than a percentage of the limit is spent, or expected to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Threshold {
    /// What is compared.
    pub measure: Measure,
    /// With which percentage of the limit.
    pub percentage: u32,
}

impl Threshold {
    fn model(self) -> Result<Notification, CallError> {
        let kind = match self.measure {
            Measure::Actual => NotificationType::Actual,
            Measure::Forecasted => NotificationType::Forecasted,
        };
        let builder = Notification::builder().notification_type(kind).threshold(f64::from(self.percentage));
        let builder = builder.comparison_operator(ComparisonOperator::GreaterThan);
        builder.threshold_type(ThresholdType::Percentage).build().map_err(|error| not_built(&error))
    }

    /// The same; None for a notification that Steward makes none of.
    fn of(model: &Notification) -> Option<Self> {
        let measure = match model.notification_type() {
            NotificationType::Actual => Measure::Actual,
            NotificationType::Forecasted => Measure::Forecasted,
            _ => return None,
        };
        // Where the type is left out, it is a percentage (AWS Budgets API reference, `Notification`).
        let is_percentage = matches!(model.threshold_type(), None | Some(ThresholdType::Percentage));
        let compares = *model.comparison_operator() == ComparisonOperator::GreaterThan && is_percentage;
        // Of a threshold between two numbers, Steward makes none.
        let percentage = model.threshold().to_string().parse().ok()?;
        compares.then_some(Self { measure, percentage })
    }
}

/// The door to AWS Budgets.
#[derive(Clone, Debug)]
pub struct BudgetsGateway(Client);

impl BudgetsGateway {
    /// A gateway over the SDK's client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// A gateway with a client of its own.
    pub fn of(config: &SdkConfig) -> Self {
        Self::new(Client::new(config))
    }

    /// The budget of this name; None when there is none.
    pub async fn find_budget(&self, account: &AccountId, name: &str) -> Result<Option<Budget>, CallError> {
        const OPERATION: &str = "budgets:DescribeBudget";
        let call = self.0.describe_budget().account_id(account.as_str()).budget_name(name);
        let answer = call.show_filter_expression(true).send().await;
        let answer = unless_absent(OPERATION, answer, DescribeBudgetError::is_not_found_exception)?;
        answer.and_then(|answer| answer.budget).map(|budget| shown(&budget)).transpose()
    }

    /// At what somebody is told about the budget: percentages alone. None when there is no such budget.
    pub async fn list_thresholds(&self, account: &AccountId, name: &str) -> Result<Vec<Threshold>, CallError> {
        const OPERATION: &str = "budgets:DescribeNotificationsForBudget";
        let (mut found, mut next, mut read) = (Vec::new(), None, 0);
        loop {
            one_more_page(OPERATION, read)?;
            read += 1;
            let call = self.0.describe_notifications_for_budget().account_id(account.as_str()).budget_name(name);
            let page = call.set_next_token(next).send().await;
            let is_absent = DescribeNotificationsForBudgetError::is_not_found_exception;
            let Some(page) = unless_absent(OPERATION, page, is_absent)? else { return Ok(found) };
            found.extend(page.notifications().iter().filter_map(Threshold::of));
            next = page.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// The addresses that get a mail at a threshold.
    pub async fn list_addresses(
        &self,
        account: &AccountId,
        name: &str,
        threshold: Threshold,
    ) -> Result<Vec<String>, CallError> {
        const OPERATION: &str = "budgets:DescribeSubscribersForNotification";
        let (mut found, mut next, mut read) = (Vec::new(), None, 0);
        loop {
            one_more_page(OPERATION, read)?;
            read += 1;
            let call = self.0.describe_subscribers_for_notification().account_id(account.as_str()).budget_name(name);
            let page = call.notification(threshold.model()?).set_next_token(next).send().await;
            let is_absent = DescribeSubscribersForNotificationError::is_not_found_exception;
            let Some(page) = unless_absent(OPERATION, page, is_absent)? else { return Ok(found) };
            let mails = page.subscribers().iter().filter(|one| *one.subscription_type() == SubscriptionType::Email);
            found.extend(mails.map(|one| one.address().to_owned()));
            next = page.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Makes a monthly budget in US dollars, with whom to tell at what.
    pub async fn create_budget(
        &self,
        account: &AccountId,
        name: &str,
        limit_usd: f64,
        thresholds: &[Threshold],
        addresses: &[String],
    ) -> Result<(), CallError> {
        let budget = monthly(name, limit_usd, BudgetRest::default())?;
        let subscribers = addresses.iter().map(|address| subscriber(address)).collect::<Result<Vec<_>, _>>()?;
        let notification = |threshold: &Threshold| {
            let builder = NotificationWithSubscribers::builder().notification(threshold.model()?);
            builder.set_subscribers(Some(subscribers.clone())).build().map_err(|error| not_built(&error))
        };
        let notifications = thresholds.iter().map(notification).collect::<Result<Vec<_>, _>>()?;
        let call = self.0.create_budget().account_id(account.as_str()).budget(budget);
        let answer = call.set_notifications_with_subscribers(Some(notifications)).send().await;
        answer.map(drop).map_err(|error| CallError::of("budgets:CreateBudget", error))
    }

    /// Makes a budget a monthly one of all charges, in US dollars; `rest` is what it had beside that. Whom it tells stays.
    pub async fn update_budget(
        &self,
        account: &AccountId,
        name: &str,
        limit_usd: f64,
        rest: BudgetRest,
    ) -> Result<(), CallError> {
        let budget = monthly(name, limit_usd, rest)?;
        let answer = self.0.update_budget().account_id(account.as_str()).new_budget(budget).send().await;
        answer.map(drop).map_err(|error| CallError::of("budgets:UpdateBudget", error))
    }

    /// Has these addresses told at one more threshold.
    pub async fn create_notification(
        &self,
        account: &AccountId,
        name: &str,
        threshold: Threshold,
        addresses: &[String],
    ) -> Result<(), CallError> {
        let subscribers = addresses.iter().map(|address| subscriber(address)).collect::<Result<Vec<_>, _>>()?;
        let call = self.0.create_notification().account_id(account.as_str()).budget_name(name);
        let answer = call.notification(threshold.model()?).set_subscribers(Some(subscribers)).send().await;
        answer.map(drop).map_err(|error| CallError::of("budgets:CreateNotification", error))
    }

    /// Has one more address told at a threshold.
    pub async fn create_subscriber(
        &self,
        account: &AccountId,
        name: &str,
        threshold: Threshold,
        address: &str,
    ) -> Result<(), CallError> {
        let call = self.0.create_subscriber().account_id(account.as_str()).budget_name(name);
        let answer = call.notification(threshold.model()?).subscriber(subscriber(address)?).send().await;
        answer.map(drop).map_err(|error| CallError::of("budgets:CreateSubscriber", error))
    }
}

#[expect(deprecated, reason = "budgets that were made by the older members still have them")]
fn shown(budget: &Model) -> Result<Budget, CallError> {
    let limit = |spend: &Spend| {
        let amount = spend.amount().parse().map_err(|_| {
            let detail = format!("a limit that is not a number: {}", spend.amount());
            CallError::unusable("budgets:DescribeBudget", Cause::CallFailed, detail)
        })?;
        Ok((amount, spend.unit().to_owned()))
    };
    let is_planned = budget.planned_budget_limits().is_some_and(|limits| !limits.is_empty());
    let by_filter = budget.cost_filters().is_some_and(|filters| !filters.is_empty());
    Ok(Budget {
        kind: budget.budget_type().as_str().to_owned(),
        time_unit: budget.time_unit().as_str().to_owned(),
        limit: budget.budget_limit().filter(|_| !is_planned).map(limit).transpose()?,
        adjusts_itself: budget.auto_adjust_data().is_some(),
        is_filtered: by_filter || budget.filter_expression().is_some(),
        rest: BudgetRest {
            cost_types: budget.cost_types().cloned(),
            metrics: budget.metrics.clone(),
            // The times of another period may be none that a month can have.
            time_period: budget.time_period().filter(|_| *budget.time_unit() == TimeUnit::Monthly).cloned(),
        },
    })
}

#[expect(deprecated, reason = "a budget that was made by the older members keeps what they say")]
fn monthly(name: &str, limit_usd: f64, rest: BudgetRest) -> Result<Model, CallError> {
    let limit = Spend::builder().amount(limit_usd.to_string()).unit(USD).build().map_err(|error| not_built(&error))?;
    let builder = Model::builder().budget_name(name).budget_limit(limit).time_unit(TimeUnit::Monthly);
    let builder = builder.set_cost_types(rest.cost_types).set_metrics(rest.metrics).set_time_period(rest.time_period);
    builder.budget_type(BudgetType::Cost).build().map_err(|error| not_built(&error))
}

fn subscriber(address: &str) -> Result<Subscriber, CallError> {
    Subscriber::builder()
        .subscription_type(SubscriptionType::Email)
        .address(address)
        .build()
        .map_err(|error| not_built(&error))
}

/// What the SDK would not even send.
fn not_built(error: &impl ToString) -> CallError {
    CallError::not_sent("budgets:ModifyBudget", Cause::InputRefused, error.to_string())
}
