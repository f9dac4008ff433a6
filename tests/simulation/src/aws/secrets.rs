//! AWS Secrets Manager: the passwords that wait for people.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Answer, Refusal, unknown};
use crate::{
    call::Call,
    cloud::{Principal, State},
    template::{ACCOUNT, STACK, items},
    time,
};

/// How every password that was made begins, so that it is found where it must not be.
pub(crate) const MARK: &str = "Otp7qZ";
/// How long a list may not show a change (API reference, `ListSecrets`).
const LISTED_LATE: SignedDuration = SignedDuration::from_mins(5);
/// How many secrets a page of a list has.
const PAGE: usize = 4;
const LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#%()*+-=";

/// A secret.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) value: String,
    pub(crate) changed_at: Timestamp,
    /// The token of the call that has put the value there.
    token: String,
}

impl Secret {
    pub(crate) fn new(value: String, changed_at: Timestamp) -> Self {
        Self { value, changed_at, token: String::new() }
    }
}

/// A secret that was deleted, as it was then.
#[derive(Clone, Debug)]
pub(crate) struct Deleted {
    pub(crate) at: Timestamp,
    pub(crate) user: String,
    pub(crate) changed_at: Timestamp,
    /// Whether somebody could still have signed in with it for the first time.
    pub(crate) waited: bool,
}

type Secrets = BTreeMap<String, Secret>;

/// What there is, what lists still show of what was, and what was deleted.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    pub(crate) now: Secrets,
    listed: Vec<(Timestamp, Secrets)>,
    pub(crate) deleted: Vec<Deleted>,
}

/// What the names of the secrets begin with that keep the passwords of users.
pub(crate) fn beginning() -> String {
    format!("/steward/{STACK}/users/")
}

/// The name of the secret of a user.
pub(crate) fn secret_of(user: &str) -> String {
    beginning() + user
}

/// The ARN of the secret that a call is about; `*` where it is about none or all.
pub(super) fn resource(call: &Call) -> String {
    let name = if call.operation == "CreateSecret" { call.text("Name") } else { call.text("SecretId") };
    if name.is_empty() { "*".to_owned() } else { arn(name) }
}

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{name}-AbCdEf")
}

pub(super) fn serve(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let body = match call.operation.as_str() {
        "GetRandomPassword" => {
            let length = call.input["PasswordLength"].as_u64().and_then(|length| usize::try_from(length).ok());
            let rest = length.unwrap_or(32).saturating_sub(MARK.len());
            json!({"RandomPassword": format!("{MARK}{}", state.draws.id("one-time password", LETTERS, rest))})
        }
        "DescribeSecret" => {
            let name = call.text("SecretId");
            let secret = state.secrets.now.get(name).ok_or_else(not_found)?;
            shown(name, secret)
        }
        "ListSecrets" => list(state, call),
        "CreateSecret" => {
            let (name, value) = (call.text("Name"), call.text("SecretString"));
            match state.secrets.now.get(name) {
                Some(there) if there.token == call.text("ClientRequestToken") && there.value == value => {}
                Some(_) => {
                    let message = format!("The operation failed because the secret {name} already exists.");
                    return Err(Refusal::new(400, "ResourceExistsException", message));
                }
                None => put(state, name, call),
            }
            json!({"ARN": arn(name), "Name": name, "VersionId": call.text("ClientRequestToken")})
        }
        "PutSecretValue" => {
            let name = call.text("SecretId");
            state.secrets.now.get(name).ok_or_else(not_found)?;
            put(state, name, call);
            json!({"ARN": arn(name), "Name": name, "VersionId": call.text("ClientRequestToken"),
                "VersionStages": ["AWSCURRENT"]})
        }
        // Where it is forced, one that is not there is no error (API reference, `DeleteSecret`).
        "DeleteSecret" if call.input["ForceDeleteWithoutRecovery"] == true => {
            let name = call.text("SecretId");
            delete(state, name);
            json!({"ARN": arn(name), "Name": name, "DeletionDate": time::now().as_second()})
        }
        _ => return Err(unknown(state, who, call)),
    };
    Ok(Answer::json(&body))
}

fn not_found() -> Refusal {
    Refusal::new(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

/// A secret without its value.
fn shown(name: &str, secret: &Secret) -> Value {
    let changed = secret.changed_at.as_second();
    json!({"ARN": arn(name), "Name": name, "CreatedDate": changed, "LastChangedDate": changed})
}

fn list(state: &mut State, call: &Call) -> Value {
    let now = time::now();
    state.secrets.listed.retain(|(until, _)| *until > now);
    let is_late = !state.secrets.listed.is_empty() && state.draws.happens("secrets are listed as they were", 60);
    let before = state.secrets.listed.first().filter(|_| is_late).map(|(_, secrets)| secrets);
    let secrets = before.unwrap_or(&state.secrets.now);
    // The filter goes by words of a name, so that it lets others through.
    let filters: Vec<&str> =
        items(&call.input["Filters"]).flat_map(|filter| items(&filter["Values"])).filter_map(Value::as_str).collect();
    let first = call.text("NextToken");
    let fits = |name: &str| filters.iter().all(|filter| name.contains(filter)) && name > first;
    let found: Vec<_> = secrets.iter().filter(|(name, _)| fits(name)).take(PAGE + 1).collect();
    let rows: Vec<Value> = found.iter().take(PAGE).map(|(name, secret)| shown(name, secret)).collect();
    let mut page = json!({"SecretList": rows});
    if found.len() > PAGE {
        page["NextToken"] = found[PAGE - 1].0.as_str().into();
    }
    page
}

fn put(state: &mut State, name: &str, call: &Call) {
    keep_listed(state);
    let token = call.text("ClientRequestToken").to_owned();
    let secret = Secret { value: call.text("SecretString").to_owned(), changed_at: time::now(), token };
    state.secrets.now.insert(name.to_owned(), secret);
}

fn delete(state: &mut State, name: &str) {
    keep_listed(state);
    let Some(secret) = state.secrets.now.remove(name) else { return };
    let user = name.strip_prefix(&beginning()).unwrap_or_default().to_owned();
    let login = state.iam.now.users.get(&user).and_then(|user| user.login.as_ref());
    let waited = login.is_some_and(|login| login.reset_required && login.password == secret.value);
    state.secrets.deleted.push(Deleted { at: time::now(), user, changed_at: secret.changed_at, waited });
}

/// Lets lists show for a while what there is now.
fn keep_listed(state: &mut State) {
    if state.draws.happens("lists of secrets are late", 60) {
        let most = u64::try_from(LISTED_LATE.as_millis()).expect("minutes");
        let late = state.draws.millis("how late lists of secrets are", 1_000, most);
        let until = time::now() + SignedDuration::try_from(late).expect("minutes");
        state.secrets.listed.push((until, state.secrets.now.clone()));
    }
}
