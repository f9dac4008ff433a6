//! AWS Budgets in a member.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    aws::{Answer, Refusal, settings},
    call::Call,
    cloud::{Principal, State},
    script::Control,
    template::items,
};

/// What AWS takes for one budget (API reference, `CreateBudget`).
const MOST_NOTIFICATIONS: usize = 5;
const MOST_ADDRESSES: usize = 10;

/// A budget.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) model: Value,
    /// At what somebody is told, and who.
    pub(crate) notifications: Vec<(Value, Vec<Value>)>,
}

/// Budgets by their names.
pub(crate) type Budgets = BTreeMap<String, Budget>;

/// Which charges a budget counts that says nothing of them (API reference, `CostTypes`).
fn all_charges() -> Value {
    json!({"IncludeTax": true, "IncludeSubscription": true, "UseBlended": false, "IncludeRefund": true,
        "IncludeCredit": true, "IncludeUpfront": true, "IncludeRecurring": true, "IncludeOtherSubscription": true,
        "IncludeSupport": true, "IncludeDiscount": true, "UseAmortized": false})
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    if call.text("AccountId") != who.account {
        return Some(Err(Refusal::new(400, "AccessDeniedException", "The account is another one.")));
    }
    settings::of(state, &who.account);
    let settings = state.settings.get_mut(&who.account).expect("it is there");
    let answer = match call.operation.as_str() {
        "DescribeBudget" | "DescribeNotificationsForBudget" | "DescribeSubscribersForNotification" => {
            shown(settings.budgets.seen(&mut state.draws), call)
        }
        "CreateBudget" | "UpdateBudget" | "CreateNotification" | "CreateSubscriber" => {
            let mut budgets = settings.budgets.now().clone();
            let changed = change(&mut budgets, call);
            if changed.is_ok() {
                let name = name(call);
                let charges = |budget: Option<&Budget>| budget.map(|budget| budget.model["CostTypes"].clone());
                let before = [true, false].map(|old| charges(settings.budgets.seen_where(|| old).get(&name)));
                let kept = charges(budgets.get(&name));
                if call.operation == "UpdateBudget" && !before.contains(&kept) {
                    let breach = format!("{} of {}: {before:?} and then {kept:?}", name, who.account);
                    state.breaches.insert("budget", breach);
                }
                settings.budgets.set(budgets, &mut state.draws);
                settings::changed(state, &who.account, Control::Budget, Some(&who.function));
            }
            changed.map(|()| json!({}))
        }
        _ => return None,
    };
    Some(answer.map(|body| Answer::json(&body)))
}

fn name(call: &Call) -> String {
    let of = |member: &str| call.input[member]["BudgetName"].as_str().map(ToOwned::to_owned);
    of("Budget").or_else(|| of("NewBudget")).unwrap_or_else(|| call.text("BudgetName").to_owned())
}

fn shown(budgets: &Budgets, call: &Call) -> Result<Value, Refusal> {
    let name = name(call);
    let budget = budgets.get(&name).ok_or_else(|| missing(&name))?;
    match call.operation.as_str() {
        "DescribeBudget" => Ok(json!({"Budget": budget.model})),
        "DescribeNotificationsForBudget" => {
            let rows = budget.notifications.iter().map(|(notification, _)| notification);
            Ok(json!({"Notifications": rows.collect::<Vec<_>>()}))
        }
        _ => {
            let place = budget.place(&call.input["Notification"]).ok_or_else(|| missing("The notification"))?;
            Ok(json!({"Subscribers": budget.notifications[place].1}))
        }
    }
}

fn change(budgets: &mut Budgets, call: &Call) -> Result<(), Refusal> {
    let name = name(call);
    if call.operation == "CreateBudget" {
        if budgets.contains_key(&name) {
            return Err(duplicate(&format!("the budget already exists: {name}")));
        }
        let notifications = items(&call.input["NotificationsWithSubscribers"])
            .map(|entry| (entry["Notification"].clone(), items(&entry["Subscribers"]).cloned().collect()));
        let budget = Budget { model: completed(&call.input["Budget"]), notifications: notifications.collect() };
        budget.is_within_limits()?;
        budgets.insert(name, budget);
        return Ok(());
    }
    let budget = budgets.get_mut(&name).ok_or_else(|| missing(&name))?;
    let place = budget.place(&call.input["Notification"]);
    match (call.operation.as_str(), place) {
        // Whom it tells stays.
        ("UpdateBudget", _) => budget.model = completed(&call.input["NewBudget"]),
        ("CreateNotification", Some(_)) => return Err(duplicate("the notification already exists")),
        ("CreateNotification", None) => {
            let subscribers = items(&call.input["Subscribers"]).cloned().collect();
            budget.notifications.push((call.input["Notification"].clone(), subscribers));
        }
        (_, None) => return Err(missing("The notification")),
        (_, Some(place)) => {
            let subscribers = &mut budget.notifications[place].1;
            if subscribers.contains(&call.input["Subscriber"]) {
                return Err(duplicate("the subscriber already exists"));
            }
            subscribers.push(call.input["Subscriber"].clone());
        }
    }
    budget.is_within_limits()
}

/// A budget with what AWS adds to it.
fn completed(budget: &Value) -> Value {
    let mut budget = budget.clone();
    if budget["CostTypes"].is_null() && budget["Metrics"].is_null() {
        budget["CostTypes"] = all_charges();
    }
    if budget["TimePeriod"].is_null() {
        budget["TimePeriod"] = json!({"Start": 1_793_491_200, "End": 3_706_473_600_u64});
    }
    budget
}

impl Budget {
    fn place(&self, notification: &Value) -> Option<usize> {
        let key = |notification: &Value| {
            let kind = notification["ThresholdType"].as_str().unwrap_or("PERCENTAGE").to_owned();
            let threshold = notification["Threshold"].as_f64().map(f64::to_bits);
            (notification["NotificationType"].clone(), notification["ComparisonOperator"].clone(), threshold, kind)
        };
        self.notifications.iter().position(|(present, _)| key(present) == key(notification))
    }

    fn is_within_limits(&self) -> Result<(), Refusal> {
        let is_within = self.notifications.len() <= MOST_NOTIFICATIONS
            && self.notifications.iter().all(|(_, told)| (1..=MOST_ADDRESSES).contains(&told.len()));
        let refused = || Refusal::new(400, "CreationLimitExceededException", "There are too many of them.");
        if is_within { Ok(()) } else { Err(refused()) }
    }
}

fn missing(what: &str) -> Refusal {
    Refusal::new(400, "NotFoundException", format!("Unable to get budget: {what} - the budget doesn't exist."))
}

fn duplicate(why: &str) -> Refusal {
    Refusal::new(400, "DuplicateRecordException", format!("Error creating: {why}."))
}
