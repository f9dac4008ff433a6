//! Lines of a script about the people who sign in to the jump account, and what goes wrong meanwhile.

use super::{Act, Item, Script, index};
use crate::{draw::Draws, fault::Kind};

/// How somebody asks Steward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// What would be done is shown.
    Plan,
    /// The same, by the alias that changes nothing.
    PlanByAlias,
    /// It is to be done, by the alias that changes nothing.
    ApplyByAlias,
    /// It is done.
    Apply,
    /// A schedule asks, and nobody waits for the answer.
    Scheduled,
}

/// What somebody does to a user past Steward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The user is made, outside of Steward's path.
    MadeElsewhere,
    /// The user is made, under Steward's path and in no group.
    MadeByHand,
    /// The user goes, with everything.
    Deleted,
    /// The user gets an access key.
    GetsKey,
    /// The user gets a device for multi-factor authentication.
    GetsDevice,
    /// The user leaves every group.
    LeavesGroups,
    /// The user comes into groups that are not Steward's.
    JoinsOthers,
    /// The user gets policies of its own.
    GetsPolicies,
}

/// What people do about the users of the jump account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserAct {
    /// A user is to be in these groups, by their numbers.
    Change {
        /// Which user.
        user: u64,
        /// Which groups.
        groups: Vec<u64>,
        /// How it is asked for.
        how: How,
    },
    /// A user is to get another password.
    Reset {
        /// Which user.
        user: u64,
        /// Whether the devices are to go.
        second_factor: bool,
        /// How it is asked for.
        how: How,
    },
    /// A user is to go.
    Remove {
        /// Which user.
        user: u64,
        /// How it is asked for.
        how: How,
    },
    /// Everybody is shown.
    List,
    /// Those are named who need a look.
    Review(How),
    /// One-time passwords are ended.
    Expire(How),
    /// A person signs in with what waits in the secret, and chooses a password.
    SignsIn {
        /// Which user.
        user: u64,
    },
    /// Somebody does something to a user past Steward.
    PastSteward {
        /// Which user.
        user: u64,
        /// What.
        deed: Deed,
    },
    /// Somebody deletes a group.
    GroupDeleted(u64),
    /// Somebody takes from a group the policy that asks for a second factor.
    GroupOpened(u64),
    /// What sweeps have written down of the names of accounts is overwritten with nonsense, or deleted.
    NamesLost {
        /// Whether it is nonsense.
        broken: bool,
    },
}

/// The names of the users; who of them is there, chance says.
pub(crate) const USERS: [&str; 10] =
    ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
/// The groups: of Steward, one that is open, one of others, one that never was.
pub(crate) const GROUPS: [&str; 7] =
    ["group-admin", "group-developer", "group-operator", "group-admin-shop", "group-open", "admins", "group-gone"];

/// When the daily run begins, in seconds of a run: at three in the night.
const NIGHT: u64 = 57_200;
const DAY: u64 = 86_400;

/// Calls of which each must not be lost or made twice.
const CALLS: [&str; 13] = [
    "jump-user-manager iam:AddUserToGroup",
    "jump-user-manager iam:CreateLoginProfile",
    "jump-user-manager iam:CreateUser",
    "jump-user-manager iam:DeleteLoginProfile",
    "jump-user-manager iam:DeleteUser",
    "jump-user-manager iam:GetUser",
    "jump-user-manager iam:RemoveUserFromGroup",
    "jump-user-manager iam:UpdateLoginProfile",
    "jump-user-manager secretsmanager:CreateSecret",
    "jump-user-manager secretsmanager:DeleteSecret",
    "jump-user-manager secretsmanager:PutSecretValue",
    "jump-user-manager dynamodb:TransactWriteItems",
    "jump-user-manager events:PutEvents",
];

const DEEDS: [Deed; 8] = [
    Deed::MadeElsewhere,
    Deed::MadeByHand,
    Deed::Deleted,
    Deed::GetsKey,
    Deed::GetsDevice,
    Deed::LeavesGroups,
    Deed::JoinsOthers,
    Deed::GetsPolicies,
];

impl Script {
    /// A world in which people look after the users of the jump account, and change regions.
    pub(super) fn people(seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let accounts = [3, 3, 10][index(&mut draws, "accounts", 3)];
        let mut script = Self::calm(seed, accounts, [0, 2][index(&mut draws, "units", 2)]);
        let has_users = draws.happens("users", 75);
        if has_users {
            script.users(&mut draws);
        }
        if !has_users || draws.happens("regions too", 35) {
            script.regions(&mut draws);
        }
        script
    }

    /// In few runs, people look after users, or change regions, beside everything else.
    pub(super) fn maybe_people(&mut self, draws: &mut Draws) {
        if self.accounts > 200 || !draws.happens("people of the jump account too", 6) {
            return;
        }
        for _ in 0..draws.between("few acts about users", 1, 3) {
            let second = draws.below("moment of few acts about users", 3_000);
            self.ask_of_user(draws, second);
        }
        let is_plain = self.items.iter().all(|item| {
            matches!(
                item,
                Item::Fault(_) | Item::Act(_, Act::Request { .. } | Act::Sweep | Act::User(_) | Act::Joins { .. })
            )
        });
        if is_plain && draws.happens("few acts about regions", 50) {
            self.change_region(draws, 0);
        }
    }

    /// Whether anybody does something about the users of the jump account.
    pub(crate) fn has_users(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Act(_, Act::User(_))))
    }

    fn user(&mut self, second: u64, act: UserAct) {
        self.act(second, Act::User(act));
    }

    fn users(&mut self, draws: &mut Draws) {
        let mut last = 0;
        for _ in 0..draws.between("askings about users", 2, 7) {
            let second = draws.below("moment of a user", 3_000);
            last = last.max(second);
            self.ask_of_user(draws, second);
        }
        if draws.happens("harm past Steward", 50) {
            for _ in 0..draws.between("deeds past Steward", 1, 3) {
                let (second, user) = (draws.below("moment of a deed", 3_200), a_user(draws));
                let deed = DEEDS[index(draws, "deed", DEEDS.len() as u64)];
                self.user(second, UserAct::PastSteward { user, deed });
            }
        }
        if draws.happens("harm to a group", 25) {
            let (second, group) = (draws.below("moment of harm to a group", 3_000), draws.below("group harmed", 4));
            let is_deleted = draws.happens("group deleted", 50);
            let act = if is_deleted { UserAct::GroupDeleted(group) } else { UserAct::GroupOpened(group) };
            self.user(second, act);
        }
        if draws.happens("everybody is looked at", 60) {
            self.user(draws.below("moment of a look at everybody", 4_000), UserAct::List);
            let how = [How::Plan, How::Apply, How::Scheduled][index(draws, "how a review is asked for", 3)];
            self.user(draws.below("moment of a review", 4_000), UserAct::Review(how));
            if draws.happens("reviewed again", 50) {
                self.user(draws.below("moment of another review", 4_000), UserAct::Review(How::Scheduled));
            }
        }
        if draws.happens("names of accounts", 30) {
            self.act(draws.below("moment of a sweep for names", 600), Act::Sweep);
            let broken = draws.happens("names are nonsense", 50);
            self.user(draws.between("moment of lost names", 1_200, 4_000), UserAct::NamesLost { broken });
        }
        if draws.happens("night", 55) {
            self.night(draws, NIGHT);
            if draws.happens("another night", 30) {
                self.night(draws, NIGHT + DAY);
            }
        } else if draws.happens("ended by hand", 60) {
            let how = [How::Plan, How::PlanByAlias, How::Apply, How::Apply][index(draws, "how passwords are ended", 4)];
            self.user(draws.below("moment of the end of passwords", 4_000), UserAct::Expire(how));
        }
        if draws.happens("calls about users go wrong", 40) {
            self.users_go_wrong(draws, last);
        }
    }

    /// The daily run, and what people do just before it.
    fn night(&mut self, draws: &mut Draws, night: u64) {
        self.user(night, UserAct::Expire(How::Scheduled));
        if draws.happens("the daily run comes twice", 15) {
            self.user(night + draws.below("the daily run comes again", 90), UserAct::Expire(How::Scheduled));
        }
        for _ in 0..draws.below("awake at night", 4) {
            let second = night - draws.below("how late at night", 320);
            self.ask_of_user(draws, second);
        }
    }

    /// Somebody asks something about one user, and perhaps something more soon after.
    fn ask_of_user(&mut self, draws: &mut Draws, second: u64) {
        let user = a_user(draws);
        let how = [How::Plan, How::PlanByAlias, How::ApplyByAlias, How::Apply, How::Apply, How::Apply, How::Apply]
            [index(draws, "how it is asked", 7)];
        let act = match draws.below("what is asked of a user", 10) {
            0..5 => UserAct::Change { user, groups: some_groups(draws), how },
            5..8 => UserAct::Reset { user, second_factor: draws.happens("devices are to go", 50), how },
            _ => UserAct::Remove { user, how },
        };
        if draws.happens("planned before for a user", 20) {
            let plan = match act.clone() {
                UserAct::Change { user, groups, .. } => UserAct::Change { user, groups, how: How::Plan },
                UserAct::Reset { user, second_factor, .. } => UserAct::Reset { user, second_factor, how: How::Plan },
                _ => UserAct::Remove { user, how: How::Plan },
            };
            self.user(second.saturating_sub(30), plan);
        }
        self.user(second, act.clone());
        if draws.happens("asked again of a user", 30) {
            self.user(second + draws.below("asked again of a user after", 40), act);
        }
        if draws.happens("groups changed soon", 25) {
            let at = second + draws.between("groups changed after", 1, 120);
            self.user(at, UserAct::Change { user, groups: some_groups(draws), how: How::Apply });
        }
        if draws.happens("signs in", 35) {
            self.user(second + draws.between("signs in after", 10, 3_000), UserAct::SignsIn { user });
        }
    }

    fn users_go_wrong(&mut self, draws: &mut Draws, last: u64) {
        for _ in 0..draws.between("calls about users aimed at", 1, 3) {
            let target = CALLS[index(draws, "call about users", CALLS.len() as u64)];
            let kind = Kind::OF_CALLS[index(draws, "kind at a call about users", Kind::OF_CALLS.len() as u64)];
            self.aim_at(kind, (0, NIGHT + 600), target, draws.between("which call about users", 1, 4));
        }
        if draws.happens("calls about users fail for a while", 30) {
            let target = CALLS[index(draws, "what fails of users for a while", CALLS.len() as u64)];
            let kind = [Kind::ServerError, Kind::ServerErrorAfter, Kind::Throttled, Kind::AnswerLost]
                [index(draws, "how it fails of users for a while", 4)];
            let time = (draws.below("fails of users from", last + 60), draws.between("fails of users for", 20, 400));
            self.fault(kind, time, target, 100);
        }
        if draws.happens("whoever makes users is ended", 30) {
            let time = (draws.below("whoever makes users is ended from", last + 60), 900);
            self.fault(Kind::Ended, time, "jump-user-manager", 50);
        }
    }
}

fn a_user(draws: &mut Draws) -> u64 {
    // Of few, so that several things are asked of the same.
    let among = [2, 5, USERS.len() as u64][index(draws, "among how many users", 3)];
    let first = draws.below("the first of them", 3) * 3;
    (first + draws.below("which user", among)) % USERS.len() as u64
}

/// Different groups: mostly such as there are.
fn some_groups(draws: &mut Draws) -> Vec<u64> {
    let mut groups = Vec::new();
    for _ in 0..draws.between("how many groups", 1, 3) {
        let among = if draws.happens("any group", 12) { GROUPS.len() as u64 } else { 4 };
        let group = draws.below("which group", among);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}
