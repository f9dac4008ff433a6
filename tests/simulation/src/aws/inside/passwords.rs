//! AWS IAM: the rules for passwords of an account.

use std::collections::BTreeMap;

use crate::{
    aws::{Answer, Refusal, settings},
    call::Call,
    cloud::{Principal, State},
    script::Control,
};

/// What holds where a change leaves something out (IAM API reference, `UpdateAccountPasswordPolicy`).
const DEFAULTS: [(&str, &str); 6] = [
    ("MinimumPasswordLength", "6"),
    ("RequireSymbols", "false"),
    ("RequireNumbers", "false"),
    ("RequireUppercaseCharacters", "false"),
    ("RequireLowercaseCharacters", "false"),
    ("AllowUsersToChangePassword", "false"),
];
/// What is there only where it was asked for.
const OPTIONAL: [&str; 3] = ["MaxPasswordAge", "PasswordReusePrevention", "HardExpiry"];

pub(super) fn knows(call: &Call) -> bool {
    matches!(call.operation.as_str(), "GetAccountPasswordPolicy" | "UpdateAccountPasswordPolicy")
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    settings::of(state, &who.account);
    let settings = state.settings.get_mut(&who.account).expect("it is there");
    if call.operation == "GetAccountPasswordPolicy" {
        let policy = settings.password_policy.seen(&mut state.draws).as_ref();
        let policy = policy.ok_or_else(|| {
            Refusal::new(
                404,
                "NoSuchEntity",
                format!("The Password Policy with domain name {} cannot be found.", who.account),
            )
        })?;
        let fields =
            policy.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect::<Vec<_>>().concat();
        let expires = policy.contains_key("MaxPasswordAge");
        let fields = format!("<PasswordPolicy>{fields}<ExpirePasswords>{expires}</ExpirePasswords></PasswordPolicy>");
        return Ok(Answer::query("GetAccountPasswordPolicy", &fields));
    }
    let given = |name: &str| Some(call.text(name)).filter(|value| !value.is_empty()).map(ToOwned::to_owned);
    let defaults = DEFAULTS.iter().map(|(name, default)| {
        let value = given(name).unwrap_or_else(|| (*default).to_owned());
        ((*name).to_owned(), value)
    });
    let optional = OPTIONAL.iter().filter_map(|name| Some(((*name).to_owned(), given(name)?)));
    let policy: BTreeMap<String, String> = defaults.chain(optional).collect();
    settings.password_policy.set(Some(policy), &mut state.draws);
    settings::changed(state, &who.account, Control::PasswordPolicy, Some(&who.function));
    Ok(Answer::query("UpdateAccountPasswordPolicy", ""))
}
