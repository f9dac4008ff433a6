//! The same of roles, rules, recorders and budgets.

use serde_json::{Value, json};

use crate::{aws::settings, cloud::State, document::controls, template::ACCOUNT};

/// Lets somebody else in by the access role, or keeps some out.
pub(super) fn let_in(state: &mut State, account: &str, way: u64) {
    let role = settings::of(state, account).roles.get(controls::ACCESS_ROLE).and_then(|role| role.now().clone());
    let Some(mut role) = role else { return };
    let Ok(mut trust) = serde_json::from_str::<Value>(&role.trust) else { return };
    let stranger = "arn:aws:iam::666666666666:root";
    let statement = match way {
        0 => json!({"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": [format!("arn:aws:iam::{ACCOUNT}:root"), stranger]}}),
        1 => json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": stranger},
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}),
        _ => json!({"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": "*",
            "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}),
    };
    trust["Statement"].as_array_mut().expect("a list").push(statement);
    role.trust = trust.to_string();
    let settings = state.settings.get_mut(account).expect("it is there");
    settings.roles.entry(controls::ACCESS_ROLE.to_owned()).or_default().set(Some(role), &mut state.draws);
}

/// Keeps the account from forwarding something.
pub(super) fn silence(state: &mut State, account: &str, way: u64) {
    let rules = &mut settings::of(state, account).rules;
    if way == 0 {
        if let Some(rule) = rules.get_mut(controls::ROOT_SESSION_FORWARDER) {
            rule.state = "DISABLED";
        }
    } else {
        rules.remove(controls::FORWARDER);
    }
}

/// Ends what AWS Config does.
pub(super) fn stop_recording(state: &mut State, account: &str, way: u64) {
    let recorders = &mut settings::of(state, account).recorders;
    if way == 0 {
        for recorder in recorders.values_mut() {
            recorder.is_on = false;
        }
    } else {
        recorders.remove(controls::RECORDED[1]);
    }
}

/// The budget is gone, is a larger one that leaves out taxes, or tells somebody else.
pub(super) fn spend_more(state: &mut State, account: &str, way: u64) {
    let mut budgets = settings::of(state, account).budgets.now().clone();
    let Some(budget) = budgets.get_mut(controls::BUDGET) else { return };
    match way {
        0 => drop(budgets.remove(controls::BUDGET)),
        1 => {
            budget.model["BudgetLimit"]["Amount"] = "1000000".into();
            budget.model["CostTypes"]["IncludeTax"] = false.into();
        }
        _ => {
            budget.notifications.pop();
            let me = json!({"SubscriptionType": "EMAIL", "Address": "me@example.com"});
            for (_, told) in &mut budget.notifications {
                *told = vec![me.clone()];
            }
        }
    }
    let settings = state.settings.get_mut(account).expect("it is there");
    settings.budgets.set(budgets, &mut state.draws);
}
