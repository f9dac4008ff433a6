//! What a member account has of its own.

use jiff::Timestamp;

use super::{Answer, Refusal, unknown};
use crate::{
    call::Call,
    cloud::{Principal, State},
    time,
};

/// A member account from inside.
#[derive(Debug, Default)]
pub(crate) struct Member {
    /// From when on its access role can be assumed; None when it never can.
    pub(crate) role_from: Option<Timestamp>,
    /// From when on the role's policy holds in every place; until then, half of the calls are denied.
    pub(crate) policy_from: Option<Timestamp>,
    pub(crate) alias: Option<String>,
    /// How often something was written here.
    pub(crate) writes: u64,
    pub(crate) asked: u64,
}

impl Member {
    pub(crate) fn has_role(&self) -> bool {
        self.role_from.is_some_and(|from| from <= time::now())
    }

    /// Whether the policy of the role is known where this call is looked at.
    pub(crate) fn policy_holds(&mut self) -> bool {
        self.asked += 1;
        self.policy_from.is_none_or(|from| from <= time::now()) || self.asked.is_multiple_of(2)
    }
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let member = state.members.entry(who.account.clone()).or_default();
    match (call.service.as_str(), call.operation.as_str()) {
        ("iam", "ListAccountAliases") => {
            let alias = member.alias.as_ref().map_or_else(String::new, |alias| format!("<member>{alias}</member>"));
            let result = format!("<AccountAliases>{alias}</AccountAliases><IsTruncated>false</IsTruncated>");
            Ok(Answer::query("ListAccountAliases", &result))
        }
        ("iam", "CreateAccountAlias") => {
            let alias = call.text("AccountAlias").to_owned();
            if state.members.values().any(|member| member.alias.as_ref() == Some(&alias)) {
                return Err(Refusal::new(409, "EntityAlreadyExists", "The account alias already exists."));
            }
            let member = state.members.entry(who.account.clone()).or_default();
            member.alias = Some(alias);
            member.writes += 1;
            Ok(Answer::query("CreateAccountAlias", ""))
        }
        _ => Err(unknown(state, who, call)),
    }
}
