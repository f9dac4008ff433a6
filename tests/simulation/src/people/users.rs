//! What people do about the users of the account that they sign in to, by Steward and past it.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    aws::{
        iam::{Key, Login, PATH, Tree, User, by_hand},
        secrets::secret_of,
    },
    invariant::{is_reviewed_wrongly, is_user_untrue},
    run::World,
    script::{Deed, GROUPS, How, USERS, UserAct},
    template::{JUMP, stack},
    time,
};

/// What somebody has asked of jump-user-manager.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Timestamp,
    /// When the answer was there.
    pub(crate) answered_at: Option<Timestamp>,
    pub(crate) input: Value,
    pub(crate) how: How,
    /// None where nobody waits for it, or too many functions were at work.
    pub(crate) answer: Option<Result<Value, Value>>,
    /// What in the answer was not true when it came.
    pub(crate) untrue: Option<String>,
}

impl World {
    /// Lets people do something about users.
    pub(super) async fn user(&self, act: &UserAct) {
        let of = |user: u64| USERS[usize::try_from(user).expect("small")];
        match act {
            UserAct::Change { user, groups, how } => {
                let groups: Vec<&str> = groups.iter().map(|group| group_of(*group)).collect();
                self.ask_for_user(*how, json!({"user_name": of(*user), "groups": groups})).await;
            }
            UserAct::Reset { user, second_factor, how } => {
                let mut input = json!({"user_name": of(*user), "reset": true});
                if *second_factor {
                    input["second_factor"] = true.into();
                }
                self.ask_for_user(*how, input).await;
            }
            UserAct::Remove { user, how } => {
                self.ask_for_user(*how, json!({"user_name": of(*user), "remove": true})).await;
            }
            UserAct::List => self.ask_for_user(How::Plan, json!({"list": true})).await,
            UserAct::Review(how) => self.ask_for_user(*how, json!({"review": true})).await,
            UserAct::Expire(how) => self.ask_for_user(*how, json!({"expire_passwords": true})).await,
            UserAct::SignsIn { user } => self.signs_in(of(*user)),
            UserAct::PastSteward { user, deed } => self.past_steward(of(*user), *deed),
            UserAct::GroupDeleted(group) => self.by_hand("DeleteGroup", "", group_of(*group), |tree| {
                let name = group_of(*group);
                tree.groups.remove(name);
                tree.users.values_mut().for_each(|user| user.groups.retain(|group| group != name));
            }),
            UserAct::GroupOpened(group) => self.by_hand("DetachGroupPolicy", "", group_of(*group), |tree| {
                if let Some(group) = tree.groups.get_mut(group_of(*group)) {
                    group.policies.retain(|arn| !arn.ends_with("/policy-enforce-mfa"));
                }
            }),
            UserAct::NamesLost { broken } => self.cloud.with(|state| {
                let bucket = state.buckets.entry("reports".to_owned()).or_default();
                if *broken {
                    bucket.put("latest/access.json", b"{\"accounts\": 7".to_vec());
                } else {
                    bucket.delete("latest/access.json");
                }
            }),
        }
    }

    async fn ask_for_user(&self, how: How, mut input: Value) {
        if matches!(how, How::Apply | How::ApplyByAlias | How::Scheduled) {
            input["mode"] = "apply".into();
        }
        let at = time::now();
        let place = self.seen.borrow().users.len();
        let asked = Asked { at, answered_at: None, input: input.clone(), how, answer: None, untrue: None };
        self.seen.borrow_mut().users.push(asked);
        if how == How::Scheduled {
            assert!(
                stack()
                    .schedules
                    .iter()
                    .any(|schedule| schedule.target == "JumpUserManager" && schedule.input == input),
                "no schedule asks for {input}"
            );
            Rc::clone(&self.lambda).invoke_for_nobody("JumpUserManager".to_owned(), input).await;
            return;
        }
        let function = match how {
            How::PlanByAlias | How::ApplyByAlias => "JumpUserManagerPlan",
            How::Plan | How::Apply | How::Scheduled => "JumpUserManager",
        };
        let answer = self.lambda.invoke(function, input.clone()).await;
        let untrue = answer.as_ref().and_then(|answer| answer.as_ref().ok()).and_then(|answer| {
            self.cloud.with(|state| {
                is_user_untrue(state, at, &input, answer).or_else(|| is_reviewed_wrongly(state, at, answer))
            })
        });
        let seen = &mut self.seen.borrow_mut().users[place];
        (seen.answer, seen.untrue, seen.answered_at) = (answer, untrue, Some(time::now()));
    }

    /// A person who was given what waits in the secret signs in with it, and chooses a password.
    fn signs_in(&self, user: &str) {
        let is_let_in = self.cloud.with(|state| {
            let secret = state.secrets.now.get(&secret_of(user)).map(|secret| secret.value.clone());
            let login = state.iam.now.users.get(user).and_then(|user| user.login.as_ref());
            let fits = login.is_some_and(|login| login.reset_required && Some(&login.password) == secret.as_ref());
            state.note("people", format_args!("{user} signs in: {fits}"));
            fits
        });
        if is_let_in {
            self.by_hand("ChangePassword", user, "", |tree| {
                if let Some(found) = tree.users.get_mut(user) {
                    let password = format!("chosen by {user}");
                    found.login = Some(Login { password, reset_required: false, changed_at: time::now() });
                    found.used_at = Some(time::now());
                }
            });
        }
    }

    fn past_steward(&self, user: &str, deed: Deed) {
        let now = time::now();
        let number = self.cloud.with(|state| state.iam.changes.len());
        let made = |path: &str| User { path: path.to_owned(), made_at: now, ..User::default() };
        self.by_hand(&format!("{deed:?}"), user, "", |tree| match deed {
            Deed::MadeElsewhere => drop(tree.users.entry(user.to_owned()).or_insert_with(|| made("/"))),
            Deed::MadeByHand => drop(tree.users.entry(user.to_owned()).or_insert_with(|| made(PATH))),
            Deed::Deleted => {
                let gone = tree.users.remove(user).map(|gone| gone.devices).unwrap_or_default();
                tree.virtual_devices.retain(|serial| !gone.contains(serial));
            }
            Deed::GetsKey => change(tree, user, |user| {
                user.keys.push(Key { id: format!("AKIAHAND{number}"), made_at: now, used_at: None });
            }),
            Deed::GetsDevice => {
                let serial = format!("arn:aws:iam::{JUMP}:mfa/{user}-{number}");
                if tree.users.contains_key(user) {
                    tree.virtual_devices.insert(serial.clone());
                    change(tree, user, |user| user.devices.push(serial));
                }
            }
            Deed::LeavesGroups => change(tree, user, |user| user.groups.clear()),
            Deed::JoinsOthers => change(tree, user, |user| {
                for group in ["admins", "auditors"] {
                    if user.groups.len() < 10 {
                        user.groups.insert(group.to_owned());
                    }
                }
            }),
            Deed::GetsPolicies => change(tree, user, |user| {
                user.inline_policies.push(format!("mine-{number}"));
                user.attached_policies.push(format!("arn:aws:iam::aws:policy/Policy{number}"));
                user.ssh_keys.push(format!("APKA{number}"));
                user.certificates.push(format!("CERT{number}"));
                user.service_credentials.push(format!("ACCA{number}"));
            }),
        });
    }

    fn by_hand(&self, operation: &str, user: &str, group: &str, change: impl FnOnce(&mut Tree)) {
        self.cloud.with(|state| by_hand(state, operation, user, group, change));
    }
}

fn change(tree: &mut Tree, user: &str, change: impl FnOnce(&mut User)) {
    if let Some(found) = tree.users.get_mut(user) {
        change(found);
    }
}

fn group_of(group: u64) -> &'static str {
    GROUPS[usize::try_from(group).expect("small")]
}
