//! AWS Organizations: one organization, seen from its management account.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Answer, Refusal,
    account::{self, Profile},
    arranging::{self, GONE},
    closings::{self, Closings, TAG},
    creations::{self, Creation},
    deployed, events,
    member::Member,
    moving,
    root::{Root, RootCredentials},
    unknown,
};
use crate::{
    call::Call,
    cloud::{Principal, State},
    draw::Draws,
    template::{ACCOUNT, items},
    time,
};

/// The address of the management account.
const MANAGEMENT_EMAIL: &str = "management+111111111111@example.com";

/// The id of the first account that was there when the run began, as a number.
const FIRST: u64 = 200_000_000_000;

/// How the ARNs of the organization begin.
const ARN: &str = "arn:aws:organizations::111111111111";

/// How long the index of tags shows what was before a change.
const INDEX_LAG: SignedDuration = SignedDuration::from_secs(45);

/// An account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) state: &'static str,
    pub(crate) joined: Timestamp,
    /// From when on lists and descriptions show it.
    pub(crate) shown_from: Timestamp,
    pub(crate) parent: String,
    /// Where it was, and until when reads still show it there.
    pub(crate) moved_from: Option<(String, Timestamp)>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The tags that the index of tags still shows, and until when.
    pub(crate) indexed: Option<(BTreeMap<String, String>, Timestamp)>,
    /// When it was first tagged after it was there.
    pub(crate) tagged_at: Option<Timestamp>,
    /// Whether a call of `CreateAccount` made it.
    pub(crate) created: bool,
}

impl Account {
    /// Lets the index of tags show for a while what it shows now.
    pub(super) fn keep_indexed(&mut self, now: Timestamp) {
        self.indexed = Some((self.indexed_tags(now).clone(), now + INDEX_LAG));
    }

    /// Where reads show it.
    pub(super) fn shown_parent(&self, now: Timestamp) -> &str {
        self.moved_from.as_ref().filter(|(_, until)| now < *until).map_or(&self.parent, |(parent, _)| parent)
    }

    /// Its tags, as the index of tags shows them.
    fn indexed_tags(&self, now: Timestamp) -> &BTreeMap<String, String> {
        self.indexed.as_ref().filter(|(_, until)| now < *until).map_or(&self.tags, |(before, _)| before)
    }
}

/// A unit.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) parent: String,
}

/// The organization.
#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) root: String,
    pub(crate) units: Vec<Unit>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) creations: Vec<Creation>,
    /// Addresses that accounts elsewhere have.
    pub(crate) elsewhere: Vec<String>,
    /// The closing of accounts.
    pub(crate) closings: Closings,
    /// What has become of the names and addresses of accounts, by their ids.
    pub(crate) profiles: BTreeMap<String, Profile>,
}

impl Organization {
    pub(crate) fn new(draws: &mut Draws) -> Self {
        let root = format!("r-{}", draws.id("unit", "abcdefgh0123", 4));
        let management = Account {
            id: ACCOUNT.to_owned(),
            email: MANAGEMENT_EMAIL.to_owned(),
            name: "Management".to_owned(),
            state: "ACTIVE",
            joined: time::now() - SignedDuration::from_hours(24 * 400),
            shown_from: time::now(),
            parent: root.clone(),
            tags: BTreeMap::new(),
            moved_from: None,
            indexed: None,
            tagged_at: None,
            created: false,
        };
        let accounts = vec![management];
        Self {
            root,
            units: Vec::new(),
            accounts,
            creations: Vec::new(),
            elsewhere: Vec::new(),
            closings: Closings::default(),
            profiles: BTreeMap::new(),
        }
    }

    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        // Those that were there when the run began stand about where their number says: that is looked at first.
        let number =
            id.parse::<u64>().ok().and_then(|id| usize::try_from(id.checked_sub(FIRST)?).ok()).unwrap_or_default();
        let (before, from) = self.accounts.split_at(number.saturating_sub(2).min(self.accounts.len()));
        from.iter().chain(before).find(|account| account.id == id)
    }

    pub(super) fn account_mut(&mut self, id: &str) -> Result<&mut Account, Refusal> {
        let missing = || Refusal::new(400, "AccountNotFoundException", "You specified an account that doesn't exist.");
        self.accounts.iter_mut().find(|account| account.id == id && account.state != GONE).ok_or_else(missing)
    }

    /// Whether some account has this address, or is about to be made with it.
    pub(super) fn has_address(&self, email: &str) -> bool {
        let is_made =
            |creation: &Creation| creation.ended.is_none() && creation.outcome.is_ok() && creation.email == email;
        self.accounts.iter().any(|account| account.email == email)
            || self.creations.iter().any(is_made)
            || self.elsewhere.iter().any(|taken| taken == email)
    }

    fn path(&self, parent: &str) -> String {
        match self.units.iter().find(|unit| unit.id == parent) {
            Some(unit) => format!("{}{parent}/", self.path(&unit.parent)),
            None => format!("o-exampleorgid/{parent}/"),
        }
    }

    pub(super) fn is_parent(&self, id: &str) -> bool {
        id == self.root || self.units.iter().any(|unit| unit.id == id)
    }

    /// Adds a unit and answers with its id.
    pub(crate) fn add_unit(&mut self, draws: &mut Draws, name: &str, parent: &str) -> String {
        let id = format!("ou-{}-{}", &self.root[2..], draws.id("unit", "abcdefgh01234567", 8));
        self.units.push(Unit { id: id.clone(), name: name.to_owned(), parent: parent.to_owned() });
        id
    }
}

/// The Resource Groups Tagging API, as far as it reads the tags of accounts: what has none is left out.
pub(super) fn tags_of_accounts(state: &mut State, who: &Principal, call: &Call) -> Result<Answer, Refusal> {
    let arns = items(&call.input["ResourceARNList"]).filter_map(Value::as_str).collect::<Vec<_>>();
    if call.operation != "GetResources" || arns.is_empty() {
        return Err(unknown(state, who, call));
    }
    if arns.len() > 100 {
        return Err(Refusal::new(400, "InvalidParameterException", "ResourceARNList takes 1 to 100 ARNs."));
    }
    let (org, now) = (&state.organization, time::now());
    let found = arns.iter().filter_map(|arn| {
        let account = org.account(arn.strip_prefix(&format!("{ARN}:account/o-exampleorgid/"))?)?;
        let tags = account.indexed_tags(now).iter().map(|(key, value)| json!({"Key": key, "Value": value}));
        let tags: Vec<_> = tags.collect();
        (!tags.is_empty()).then(|| json!({"ResourceARN": arn, "Tags": tags}))
    });
    Ok(Answer::json(&json!({"PaginationToken": "", "ResourceTagMappingList": found.collect::<Vec<_>>()})))
}

/// The id of an account that was there when the run began.
pub(crate) fn id_of(number: u64) -> String {
    format!("{:012}", FIRST + number)
}

/// The id of an account that has existed elsewhere.
pub(crate) fn joined_id_of(number: u64) -> String {
    format!("{:012}", 400_000_000_000 + number)
}

/// Adds an account that has been there for some days.
pub(crate) fn add_account(state: &mut State, number: u64, parent: &str, days: i64, has_role: bool) -> String {
    let id = id_of(number);
    let joined = time::now() - SignedDuration::from_hours(24 * days);
    state.organization.accounts.push(Account {
        id: id.clone(),
        email: format!("aws+{number}@example.com"),
        name: format!("Account {number}"),
        state: "ACTIVE",
        joined,
        shown_from: joined,
        parent: parent.to_owned(),
        tags: BTreeMap::new(),
        moved_from: None,
        indexed: None,
        tagged_at: None,
        created: false,
    });
    let role_from = has_role.then_some(joined);
    let root = RootCredentials {
        password: state.draws.happens("root password", 50),
        access_keys: (0..state.draws.below("root keys", 3)).map(|number| format!("AKIA{number}{id}")).collect(),
        certificates: Vec::new(),
        mfa: state.draws.happens("root MFA", 50),
    };
    state.members.insert(id.clone(), Member { role_from, root: Root::new(root), ..Member::default() });
    id
}

/// Closes an account.
pub(crate) fn suspend(state: &mut State, id: &str) {
    let found = state.organization.accounts.iter_mut().find(|account| account.id == id);
    found.expect("an account of the run").state = "SUSPENDED";
}

/// Adds an account that existed elsewhere.
pub(crate) fn join(state: &mut State, id: &str) {
    let parent = state.organization.root.clone();
    state.organization.accounts.push(Account {
        id: id.to_owned(),
        email: format!("joined+{id}@example.com"),
        name: format!("Joined {id}"),
        state: "ACTIVE",
        joined: time::now(),
        shown_from: time::now(),
        parent,
        tags: BTreeMap::new(),
        moved_from: None,
        indexed: None,
        tagged_at: None,
        created: false,
    });
    state.members.insert(id.to_owned(), Member { role_from: Some(time::now()), ..Member::default() });
    joined(state, id);
}

pub(super) fn seconds(at: Timestamp) -> f64 {
    at.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}

pub(super) fn no_target() -> Refusal {
    Refusal::new(400, "TargetNotFoundException", "We can't find a root, OU, account, or policy of that id.")
}

pub(super) fn constraint(reason: &str) -> Refusal {
    Refusal::new(400, "ConstraintViolationException", "You exceeded a limit.").with("Reason", reason)
}

pub(super) fn serve(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    closings::watch(state, call);
    let now = time::now();
    let org = &mut state.organization;
    let body = match call.operation.as_str() {
        "CreateAccount" => return creations::create(state, call),
        "DescribeCreateAccountStatus" => {
            let missing =
                || Refusal::new(400, "CreateAccountStatusNotFoundException", "We can't find a create account request.");
            let id = call.text("CreateAccountRequestId");
            let creation = org.creations.iter().find(|creation| creation.id == id).ok_or_else(missing)?;
            json!({"CreateAccountStatus": creations::shown(creation)})
        }
        "ListCreateAccountStatus" => {
            let wanted: Vec<&Value> = items(&call.input["States"]).collect();
            let rows = org.creations.iter().filter(|creation| creation.listed_from <= now).map(creations::shown);
            let rows = rows.filter(|row| wanted.is_empty() || wanted.contains(&&row["State"]));
            page(call, "CreateAccountStatuses", &rows.collect::<Vec<_>>())
        }
        "ListAccounts" => {
            // By places, which stay the same when an account leaves in between.
            let from_here = org.accounts.iter().enumerate().skip(first(call));
            let mut seen = from_here.filter(|(_, account)| account.shown_from <= now);
            let rows: Vec<_> = seen.by_ref().take(20).map(|(_, account)| shown(org, account)).collect();
            paged("Accounts", &rows, seen.next().map(|(place, _)| place))
        }
        "DescribeAccount" => {
            let missing =
                || Refusal::new(400, "AccountNotFoundException", "You specified an account that doesn't exist.");
            let account = org.account(call.text("AccountId")).filter(|account| account.shown_from <= now);
            json!({"Account": shown(org, account.ok_or_else(missing)?)})
        }
        "DescribeOrganization" => json!({"Organization": {"Id": "o-exampleorgid", "FeatureSet": "ALL",
            "MasterAccountId": ACCOUNT, "MasterAccountEmail": MANAGEMENT_EMAIL,
            "MasterAccountArn": format!("{ARN}:account/o-exampleorgid/{ACCOUNT}"),
            "Arn": format!("{ARN}:organization/o-exampleorgid")}}),
        "ListAWSServiceAccessForOrganization" => {
            let services = ["account", "iam", "cloudtrail", "member.org.stacksets.cloudformation"];
            let rows = services.map(|service| json!({"ServicePrincipal": format!("{service}.amazonaws.com")}));
            page(call, "EnabledServicePrincipals", &rows)
        }
        "ListRoots" => json!({"Roots": [{"Id": org.root, "Name": "Root",
            "Arn": format!("{ARN}:root/o-exampleorgid/{}", org.root)}]}),
        "ListOrganizationalUnitsForParent" if !org.is_parent(call.text("ParentId")) => {
            return Err(Refusal::new(400, "ParentNotFoundException", "We can't find a root or OU of that id."));
        }
        "ListOrganizationalUnitsForParent" => {
            let inside = org.units.iter().filter(|unit| unit.parent == call.text("ParentId"));
            let rows: Vec<_> = inside.map(|unit| shown_unit(org, unit)).collect();
            page(call, "OrganizationalUnits", &rows)
        }
        "DescribeOrganizationalUnit" => {
            let missing = || Refusal::new(400, "OrganizationalUnitNotFoundException", "We can't find the unit.");
            let id = call.text("OrganizationalUnitId");
            let unit = org.units.iter().find(|unit| unit.id == id).ok_or_else(missing)?;
            json!({"OrganizationalUnit": shown_unit(org, unit)})
        }
        "ListTagsForResource" => {
            let account = org.account_mut(call.text("ResourceId")).map_err(|_| no_target())?;
            let tags: Vec<_> = account.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            json!({"Tags": tags})
        }
        "TagResource" => {
            let tags = tags(&call.input["Tags"]);
            let account = org.account_mut(call.text("ResourceId")).map_err(|_| no_target())?;
            account.keep_indexed(now);
            // That it is to be closed is no tag of the document.
            if tags.keys().any(|key| key != TAG) {
                account.tagged_at.get_or_insert(now);
            }
            account.tags.extend(tags);
            if let Some(who) = state.principals.get(&call.key) {
                state.history.tagged.push((now, call.text("ResourceId").to_owned(), who.function.clone()));
            }
            json!({})
        }
        "MoveAccount" => moving::serve(state, call)?,
        _ => match arranging::serve(state, call) {
            Some(body) => body?,
            None => return closings::serve(state, call),
        },
    };
    Ok(Answer::json(&body))
}

/// An account is there: Organizations tells.
pub(crate) fn joined(state: &mut State, account: &str) {
    deployed::come_later(state, account);
    let detail = json!({"eventName": "AccountJoinedOrganization", "eventSource": "organizations.amazonaws.com",
        "serviceEventDetails": {"accountId": account, "joinedMethod": "CREATED"},
        "userIdentity": {"invokedBy": "organizations.amazonaws.com"}});
    events::happened(state, "aws.organizations", "AWS Service Event via CloudTrail", &detail);
}

pub(super) fn shown(org: &Organization, account: &Account) -> Value {
    let path = format!("{}{}/", org.path(account.shown_parent(time::now())), account.id);
    let (name, email) = account::shown(org, account);
    json!({"Id": account.id, "Arn": format!("{ARN}:account/o-exampleorgid/{}", account.id),
        "Email": email, "Name": name, "State": org.closings.shown_state(account), "Paths": [path],
        "JoinedMethod": if account.created { "CREATED" } else { "INVITED" },
        "JoinedTimestamp": seconds(account.joined)})
}

pub(super) fn shown_unit(org: &Organization, unit: &Unit) -> Value {
    json!({"Id": unit.id, "Name": unit.name, "Path": org.path(&unit.id),
        "Arn": format!("{ARN}:ou/o-exampleorgid/{}", unit.id)})
}

pub(super) fn tags(list: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items(list).map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
}

fn first(call: &Call) -> usize {
    call.text("NextToken").parse().unwrap_or(0)
}

pub(super) fn page(call: &Call, name: &str, rows: &[Value]) -> Value {
    let (first, most) = (first(call), 20);
    let shown: Vec<_> = rows.iter().skip(first).take(most).cloned().collect();
    paged(name, &shown, (rows.len() > first + most).then_some(first + most))
}

/// Rows, and where the next ones begin if there are any.
fn paged(name: &str, rows: &[Value], next: Option<usize>) -> Value {
    let mut page = json!({name: rows});
    if let Some(next) = next {
        page["NextToken"] = next.to_string().into();
    }
    page
}
