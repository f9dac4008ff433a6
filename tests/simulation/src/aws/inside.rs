//! What sessions in members ask for beside the alias: passwords, roles, the alarm on charges and the block of public access.

mod alarms;
mod budgets;
mod colors;
mod passwords;
mod public_access;
mod recorders;
mod roles;
mod rules;
mod topics;

pub(crate) use budgets::{Budget, Budgets};
pub(crate) use recorders::Recorder;
pub(crate) use rules::Rule;

use super::{Answer, Refusal, settings};
use crate::{
    call::Call,
    cloud::{Principal, State},
    time,
};

/// The answer; None for what is not asked for here.
pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Option<Result<Answer, Refusal>> {
    let settles = settings::of_if(state, &who.account, call).and_then(|settings| settings.opts_in_until);
    let refuses = settles.is_some_and(|until| time::now() < until);
    match call.service.as_str() {
        "iam" if passwords::knows(call) => Some(passwords::serve(state, who, call)),
        "iam" if roles::knows(call) => Some(roles::serve(state, who, call)),
        "monitoring" | "sns" if refuses => {
            Some(Err(Refusal::new(403, "OptInRequired", "The AWS Access Key Id needs a subscription for the service")))
        }
        "s3control" if refuses => {
            Some(Err(Refusal::new(403, "NotSignedUp", "Your account is not signed up for the Amazon S3 service.")))
        }
        "monitoring" => alarms::serve(state, who, call),
        "sns" => topics::serve(state, who, call),
        "s3control" => public_access::serve(state, who, call),
        "uxc" => colors::serve(state, who, call),
        "budgets" => budgets::serve(state, who, call),
        "config" => recorders::serve(state, who, call),
        "events" => rules::serve(state, who, call),
        "organizations" if call.operation == "DescribeEffectivePolicy" => {
            let why = "The effective policy does not exist for the account.";
            Some(Err(Refusal::new(400, "EffectivePolicyNotFoundException", why)))
        }
        _ => None,
    }
}
