//! Which operations there are, how often they may be called, and what IAM must allow.

use std::sync::Arc;

use serde_json::Value;

use super::input::Input;
use super::state::Org;
use super::{accounts, closing, creation, delegates, error, policies, tags, trust, units};
use crate::core::Core;
use crate::front::actions;
use crate::front::answer::ApiError;
use crate::front::authorize::Need;
use crate::front::request::Incoming;
use crate::quota::Rate;

/// Does one operation on behalf of the management account.
pub(super) fn perform(core: &Arc<Core>, org: &mut Org, operation: &str, input: Input<'_>) -> Result<Value, ApiError> {
    match operation {
        "AttachPolicy" => policies::attach(org, input),
        "CloseAccount" => closing::close(core, org, input),
        "CreateAccount" => creation::create(core, org, input),
        "CreateOrganizationalUnit" => units::create(&core.ids, org, input),
        "CreatePolicy" => policies::create(&core.ids, org, input),
        "DeletePolicy" => policies::delete(org, input),
        "DeregisterDelegatedAdministrator" => delegates::deregister(org, input),
        "DescribeAccount" => accounts::describe(org, input),
        "DescribeCreateAccountStatus" => creation::describe(org, input),
        "DescribeOrganizationalUnit" => units::describe(org, input),
        "DescribePolicy" => policies::describe(org, input),
        "DetachPolicy" => policies::detach(org, input),
        "DisableAWSServiceAccess" => trust::disable(org, input),
        "EnableAWSServiceAccess" => trust::enable(org, input),
        "EnablePolicyType" => policies::enable(org, input),
        "ListAWSServiceAccessForOrganization" => trust::list(org, input),
        "ListAccounts" => accounts::list(org, input),
        "ListAccountsForParent" => accounts::list_for_parent(org, input),
        "ListChildren" => units::list_children(org, input),
        "ListCreateAccountStatus" => creation::list(org, input),
        "ListDelegatedAdministrators" => delegates::list(org, input),
        "ListOrganizationalUnitsForParent" => units::list_for_parent(org, input),
        "ListParents" => units::list_parents(org, input),
        "ListPolicies" => policies::list(org, input),
        "ListPoliciesForTarget" => policies::list_for_target(org, input),
        "ListRoots" => units::list_roots(org, input),
        "ListTagsForResource" => tags::list(org, input),
        "ListTargetsForPolicy" => policies::list_targets(org, input),
        "MoveAccount" => accounts::relocate(org, input),
        "RegisterDelegatedAdministrator" => delegates::register(org, input),
        "TagResource" => tags::tag(org, input, core.clock.elapsed()),
        "UntagResource" => tags::untag(org, input, core.clock.elapsed()),
        "UpdateOrganizationalUnit" => units::rename(org, input),
        "UpdatePolicy" => policies::update(org, input),
        _ => Err(error::error("UnknownOperationException", format!("The local cloud does not know {operation}."))),
    }
}

/// The rate per account that AWS publishes, as steady rate per second and burst.
pub(super) fn rate(operation: &str) -> Option<Rate> {
    let (per_second, burst) = match operation {
        "CloseAccount" => (0.05, 1.0),
        "CreateAccount" => (0.1, 3.0),
        "CreateOrganizationalUnit"
        | "DeregisterDelegatedAdministrator"
        | "DescribeOrganization"
        | "DisableAWSServiceAccess"
        | "EnableAWSServiceAccess"
        | "ListRoots"
        | "RegisterDelegatedAdministrator" => (1.0, 2.0),
        "DescribeAccount" => (20.0, 30.0),
        "DescribeCreateAccountStatus" | "DescribeOrganizationalUnit" => (2.0, 2.0),
        "ListAWSServiceAccessForOrganization" => (1.0, 3.0),
        "ListAccounts" => (8.0, 12.0),
        "ListAccountsForParent"
        | "ListCreateAccountStatus"
        | "ListDelegatedAdministrators"
        | "ListOrganizationalUnitsForParent"
        | "ListParents" => (5.0, 8.0),
        "ListChildren" => (6.0, 10.0),
        "ListTagsForResource" => (10.0, 15.0),
        "AttachPolicy" | "DetachPolicy" | "MoveAccount" | "UpdateOrganizationalUnit" => (2.0, 3.0),
        "TagResource" | "UntagResource" => (4.0, 6.0),
        _ => return None,
    };
    Some(Rate::new(per_second, burst))
}

/// The parameters that name resources IAM looks at; operations that are not listed know none.
fn resource_parameters(operation: &str) -> &'static [&'static str] {
    match operation {
        "CloseAccount" | "DeregisterDelegatedAdministrator" | "DescribeAccount" | "RegisterDelegatedAdministrator" => {
            &["AccountId"]
        }
        "CreateOrganizationalUnit" | "ListAccountsForParent" | "ListChildren" | "ListOrganizationalUnitsForParent" => {
            &["ParentId"]
        }
        "DescribeOrganizationalUnit" | "UpdateOrganizationalUnit" => &["OrganizationalUnitId"],
        "ListParents" => &["ChildId"],
        "ListTagsForResource" | "TagResource" | "UntagResource" => &["ResourceId"],
        "MoveAccount" => &["AccountId", "SourceParentId", "DestinationParentId"],
        "AttachPolicy" | "DetachPolicy" => &["PolicyId", "TargetId"],
        "DeletePolicy" | "DescribePolicy" | "ListTargetsForPolicy" | "UpdatePolicy" => &["PolicyId"],
        "EnablePolicyType" => &["RootId"],
        "DescribeEffectivePolicy" | "ListPoliciesForTarget" => &["TargetId"],
        _ => &[],
    }
}

/// The condition key of the tag by which closing is allowed to some accounts alone.
const CLOSING_TAG: &str = "aws:ResourceTag/steward:closing";

/// The value of that tag, of the account that is to be closed. Without it, a condition on it does not hold.
fn closing_tag(request: &Incoming, org: Option<&Org>) -> Option<String> {
    let id = request.text("AccountId").filter(|_| request.operation == "CloseAccount")?;
    org?.tags.get(id)?.get("steward:closing").cloned()
}

/// The key of a request that sets or takes away one tag. Of several, which a condition may have to compare one by one, none is
/// given: nobody here may set several under a condition.
fn only_tag_key(request: &Incoming) -> Option<String> {
    let keys: Vec<&str> = match request.operation.as_str() {
        "TagResource" => request.input["Tags"].as_array()?.iter().filter_map(|tag| tag["Key"].as_str()).collect(),
        "UntagResource" => request.input["TagKeys"].as_array()?.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let [key] = keys[..] else { return None };
    Some(key.to_owned())
}

/// What IAM must allow for a request from an account of `org`.
pub(super) fn needs(request: &Incoming, org: Option<&Org>) -> Vec<Need> {
    let mut actions = actions::needed(request).into_iter();
    let Some(main) = actions.next() else { return Vec::new() };
    let named = resource_parameters(&request.operation).iter().filter_map(|name| Some(org?.arn(request.text(name)?)));
    let mut needs: Vec<Need> = named.map(|arn| Need::new(&main, arn)).collect();
    if needs.is_empty() {
        needs.push(Need::new(main, "*"));
    }
    needs.extend(actions.map(|action| Need::new(action, "*")));
    let kind = ["Type", "Filter", "PolicyType"].into_iter().find_map(|name| request.text(name).map(str::to_owned));
    let kind = kind.or_else(|| policies::type_of(org?, request.text("PolicyId")?).map(str::to_owned));
    let given = [
        (CLOSING_TAG, closing_tag(request, org)),
        ("aws:TagKeys", only_tag_key(request)),
        ("organizations:ServicePrincipal", request.text("ServicePrincipal").map(str::to_owned)),
        ("organizations:PolicyType", kind),
    ];
    let given = given.into_iter().filter_map(|(key, value)| Some((key, value?)));
    needs.into_iter().map(|need| given.clone().fold(need, |need, (key, value)| need.given(key, value))).collect()
}
