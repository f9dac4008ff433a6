//! What a member account has of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Answer, Refusal, locks, regions,
    root::{self, Root},
    unknown,
};
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
    /// Whether somebody has taken its policy away from the role.
    pub(crate) has_lost_policy: bool,
    /// Whether calls from within it are never answered.
    pub(crate) answers_nothing: bool,
    pub(crate) alias: Option<String>,
    /// When it was given its alias.
    pub(crate) alias_at: Option<Timestamp>,
    pub(crate) root: Root,
    pub(crate) regions: regions::Regions,
    /// The policies of its bucket and its queue.
    pub(crate) policies: BTreeMap<&'static str, locks::Policy>,
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
        let is_spread = self.policy_from.is_none_or(|from| from <= time::now()) || self.asked.is_multiple_of(2);
        is_spread && !self.has_lost_policy
    }
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let member = state.members.entry(who.account.clone()).or_default();
    match (call.service.as_str(), call.operation.as_str()) {
        ("iam", "ListAccountAliases") => {
            let alias =
                member.alias.as_ref().map_or_else(String::new, |alias| format!("<member>{}</member>", escaped(alias)));
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
            member.alias_at = Some(time::now());
            member.writes += 1;
            Ok(Answer::query("CreateAccountAlias", ""))
        }
        ("iam", _) => root::serve(state, who, call).unwrap_or_else(|| Err(unknown(state, who, call))),
        _ => Err(unknown(state, who, call)),
    }
}

/// A text as XML holds it. What XML cannot hold is written as if it could: who reads it has to bear that.
pub(super) fn escaped(text: &str) -> String {
    let escape = |letter: char| match letter {
        '&' | '<' | '>' | '"' => format!("&#{};", u32::from(letter)),
        control if control.is_control() => format!("&#{};", u32::from(control)),
        plain => plain.to_string(),
    };
    text.chars().map(escape).collect()
}
