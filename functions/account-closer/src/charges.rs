//! What accounts have cost last month, for plans: where the stack's parameter `AskCostExplorer` allows to ask, as each request
//! costs a cent.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use steward::{
    gateway::{CallError, CostExplorerGateway, MonthlyCosts},
    ids::AccountId,
    table::closures::day,
};

use crate::report::Shown;

/// What an account has cost in one calendar month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Charges {
    /// The month, `2026-10`.
    pub month: String,
    /// How much, to the cent, before discounts are shared out among accounts.
    pub amount: String,
    /// Of which currency; none where there are no charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether AWS has not billed the month yet.
    pub is_estimated: bool,
}

/// The last month of accounts, in one request for all of them. Whatever AWS says, a plan goes on without it.
pub(crate) async fn last_month(
    gateway: &CostExplorerGateway,
    accounts: &[AccountId],
    now: Timestamp,
) -> BTreeMap<AccountId, Shown<Charges>> {
    let month = month_before(now);
    let costs = match month {
        Some(month) => gateway.monthly_costs(month, accounts).await.map(|costs| (month, costs)),
        None => return BTreeMap::new(),
    };
    accounts.iter().map(|id| (id.clone(), shown(&costs, id))).collect()
}

fn shown(costs: &Result<(Date, MonthlyCosts), CallError>, id: &AccountId) -> Shown<Charges> {
    let (month, costs) = match costs {
        Ok(costs) => costs,
        Err(error) => return Shown::Unknown { unknown: error.to_string() },
    };
    let cost = costs.by_account.get(id);
    Shown::Known(Charges {
        month: month.strftime("%Y-%m").to_string(),
        amount: format!("{:.2}", cost.map_or(0.0, |cost| cost.amount)),
        unit: cost.map(|cost| cost.unit.clone()),
        is_estimated: costs.is_estimated,
    })
}

/// A day of the month before this moment's (UTC).
fn month_before(now: Timestamp) -> Option<Date> {
    day(now).first_of_month().yesterday().ok()
}

#[cfg(test)]
mod tests {
    use steward::gateway::Cost;

    use super::*;

    fn id(text: &str) -> AccountId {
        text.parse().unwrap()
    }

    #[test]
    fn charges_are_those_of_the_month_before_to_the_cent_and_none_at_all_are_nothing() {
        let month = month_before("2027-01-03T00:00:00Z".parse().unwrap()).unwrap();
        let cost = Cost { amount: 12.3456, unit: "USD".to_owned() };
        let costs = MonthlyCosts { by_account: BTreeMap::from([(id("222222222222"), cost)]), is_estimated: true };
        let costs = Ok((month, costs));
        let of = |account: &str| match shown(&costs, &id(account)) {
            Shown::Known(charges) => (charges.month, charges.amount, charges.unit),
            Shown::Unknown { unknown } => panic!("{unknown}"),
        };
        let text = ToOwned::to_owned;
        assert_eq!(of("222222222222"), (text("2026-12"), text("12.35"), Some(text("USD"))));
        assert_eq!(of("333333333333"), (text("2026-12"), text("0.00"), None));
    }
}
