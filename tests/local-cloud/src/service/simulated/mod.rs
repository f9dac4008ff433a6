//! Simulated member accounts: the management account enters them like any other, and finds nothing but an alias.
//!
//! MiniStack keeps state for each account and takes milliseconds for each call, which a sweep of ten thousand accounts
//! has no use for. Here an account is an id and a shared alias, and no call leaves the front.

mod answers;
mod session;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::core::Core;
use crate::front::actions;
use crate::front::answer::{ApiError, query_ok};
use crate::front::authorize::Need;
use crate::front::belonging::organization;
use crate::front::request::Incoming;
use crate::identity::is_account_id;
use crate::quota::Rate;
use crate::service::{Answered, Context, Service};

/// The simulated accounts and who is in them.
#[derive(Default)]
pub(crate) struct Simulated {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    members: HashMap<String, Member>,
    managements: HashSet<Arc<str>>,
    /// The access keys of sessions in simulated accounts.
    sessions: HashSet<String>,
}

#[derive(Clone)]
struct Member {
    management: Arc<str>,
    /// With `{account_id}` for the account's id.
    alias: Option<Arc<str>>,
}

impl Service for Simulated {
    fn claims(&self, request: &Incoming) -> bool {
        let state = self.lock();
        let key = &request.access_key;
        let is_inside = if is_account_id(key) { state.members.contains_key(key) } else { state.sessions.contains(key) };
        is_inside || session::target(request).is_some_and(|(account, _)| state.members.contains_key(account))
    }

    fn needs(&self, core: &Core, request: &Incoming) -> Vec<Need> {
        let account = core.identities.known_account(&request.access_key).unwrap_or_default();
        let Some((target, _)) = session::target(request) else {
            let resource = answers::resource(&account, request).unwrap_or_else(|| "*".to_owned());
            return actions::needed(request).into_iter().map(|action| Need::new(action, resource.as_str())).collect();
        };
        let need = Need::new("sts:AssumeRole", request.text("RoleArn").unwrap_or("*"));
        let belonging = [("aws:PrincipalOrgID", account.as_str()), ("aws:ResourceOrgID", target)];
        let belonging = belonging.map(|(key, account)| (key, organization(core, account)));
        let given = |need: Need, (key, of): (&'static str, Option<String>)| match of {
            Some(of) => need.given(key, of),
            None => need,
        };
        vec![belonging.into_iter().fold(need, given)]
    }

    fn rate(&self, operation: &str) -> Option<Rate> {
        // Requests per second of an account that assumes roles, also in other accounts.
        (operation == "AssumeRole").then_some(Rate::new(600.0, 600.0))
    }

    fn answer(&self, context: &Context<'_>) -> Answered {
        if session::target(context.request).is_some() {
            return session::open(self, context).map(query_ok);
        }
        let alias = self.member(&context.caller.account).and_then(|member| member.alias);
        answers::answer(context, alias.as_deref())
    }
}

impl Simulated {
    /// Adds members with their aliases to the organization of a management account.
    pub(crate) fn add(&self, management: &str, aliases: BTreeMap<String, Option<Arc<str>>>) {
        if aliases.is_empty() {
            return;
        }
        let management: Arc<str> = Arc::from(management);
        let mut state = self.lock();
        state.managements.insert(management.clone());
        let members = aliases.into_iter().map(|(id, alias)| (id, Member { management: management.clone(), alias }));
        state.members.extend(members);
    }

    /// Whether an account is simulated.
    pub(crate) fn has(&self, account: &str) -> bool {
        self.lock().members.contains_key(account)
    }

    /// Whether an account is simulated, or manages some that are.
    pub(crate) fn reaches(&self, account: &str) -> bool {
        let state = self.lock();
        state.managements.contains(account) || state.members.contains_key(account)
    }

    fn member(&self, account: &str) -> Option<Member> {
        self.lock().members.get(account).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The refusal of an operation that simulated accounts do not have.
pub(crate) fn unknown(request: &Incoming) -> ApiError {
    let Incoming { service, operation, .. } = request;
    ApiError::new(400, "InvalidAction", format!("Simulated accounts know no {service}:{operation}."))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::*;

    const MEMBER: &str = "222222222222";

    fn incoming(key: &str, form: String) -> Incoming {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = Request::builder()
            .header("authorization", authorization)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .unwrap();
        let (parts, body) = request.into_parts();
        Incoming::new(parts, body)
    }

    fn assume(key: &str, account: &str) -> Incoming {
        incoming(key, format!("Action=AssumeRole&RoleArn=arn:aws:iam::{account}:role/OrganizationAccountAccessRole"))
    }

    #[test]
    fn calls_in_simulated_accounts_and_sessions_there_are_claimed() {
        let simulated = Simulated::default();
        simulated.add("111111111111", BTreeMap::from([(MEMBER.to_owned(), None)]));
        simulated.lock().sessions.insert("ASIAINSIDE".to_owned());
        assert!(simulated.claims(&assume("111111111111", MEMBER)));
        assert!(!simulated.claims(&assume("111111111111", "333333333333")));
        assert!(simulated.claims(&incoming(MEMBER, "Action=GetCallerIdentity".to_owned())));
        assert!(simulated.claims(&incoming("ASIAINSIDE", "Action=GetCallerIdentity".to_owned())));
        assert!(!simulated.claims(&incoming("ASIAOUTSIDE", "Action=GetCallerIdentity".to_owned())));
        assert!(simulated.reaches("111111111111") && simulated.reaches(MEMBER) && !simulated.has("111111111111"));
    }

    #[test]
    fn only_assuming_a_role_has_a_rate() {
        let simulated = Simulated::default();
        assert_eq!(simulated.rate("AssumeRole"), Some(Rate::new(600.0, 600.0)));
        assert_eq!(simulated.rate("GetRole"), None);
    }
}
