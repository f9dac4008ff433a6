//! The controls that a document may ask for beside tags and alias, and the lines of a script about them.

use std::fmt;

use super::{Act, Harm, Item, Nature, Script, Whose, index};
use crate::{draw::Draws, fault::Kind};

/// A control that documents may ask for beside tags and alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Control {
    /// Whom AWS asks about invoices, services and security.
    AlternateContacts,
    /// Mail when the charges of a month are high.
    BillingAlarm,
    /// The rules for passwords of users.
    PasswordPolicy,
    /// Whom AWS knows as the owner.
    PrimaryContact,
    /// Which regions are enabled.
    Regions,
    /// No bucket is public.
    S3PublicAccessBlock,
    /// The roles of people.
    SwitchRoles,
    /// Where accounts sit.
    OrganizationalUnit,
    /// What accounts may be called.
    AccountName,
    /// Where the mail of root users may go.
    PrimaryEmail,
    /// What root users sign in with.
    RootCredentials,
    /// Who may enter by the access role.
    AccessRole,
    /// Whether accounts forward what they hear.
    MemberEvents,
    /// A monthly budget.
    Budget,
    /// Whether AWS Config records what there is.
    ConfigRecorder,
    /// How the console shows itself.
    ConsoleColor,
    /// Stack sets that are in every account.
    StackInstances,
}

impl Control {
    /// Those that a seed draws by their places.
    const FIRST: [Self; 7] = [
        Self::AlternateContacts,
        Self::BillingAlarm,
        Self::PasswordPolicy,
        Self::PrimaryContact,
        Self::Regions,
        Self::S3PublicAccessBlock,
        Self::SwitchRoles,
    ];
    /// Those that a seed draws by their names.
    const FURTHER: [Self; 10] = [
        Self::OrganizationalUnit,
        Self::AccountName,
        Self::PrimaryEmail,
        Self::RootCredentials,
        Self::AccessRole,
        Self::MemberEvents,
        Self::Budget,
        Self::ConfigRecorder,
        Self::ConsoleColor,
        Self::StackInstances,
    ];

    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::FIRST.into_iter().chain(Self::FURTHER)
    }

    /// Its name, as documents and reports have it.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::AlternateContacts => "alternate-contacts",
            Self::BillingAlarm => "billing-alarm",
            Self::PasswordPolicy => "password-policy",
            Self::PrimaryContact => "primary-contact",
            Self::Regions => "regions",
            Self::S3PublicAccessBlock => "s3-public-access-block",
            Self::SwitchRoles => "switch-roles",
            Self::OrganizationalUnit => "organizational-unit",
            Self::AccountName => "account-name",
            Self::PrimaryEmail => "primary-email",
            Self::RootCredentials => "root-credentials",
            Self::AccessRole => "access-role",
            Self::MemberEvents => "member-events",
            Self::Budget => "budget",
            Self::ConfigRecorder => "config-recorder",
            Self::ConsoleColor => "console-color",
            Self::StackInstances => "stack-instances",
        }
    }

    /// Whether nothing of it is ever changed: it is reported, and left to people.
    pub(crate) fn is_never_changed(self) -> bool {
        matches!(self, Self::AccountName | Self::ConfigRecorder | Self::MemberEvents | Self::PrimaryEmail)
    }

    /// Whether some of it, or all, is left to people.
    pub(crate) fn is_left_to_people(self) -> bool {
        self.is_never_changed() || self == Self::AccessRole
    }

    /// Whether AWS Organizations shows what it is about, which that does late.
    pub(crate) fn is_shown_by_organizations(self) -> bool {
        matches!(self, Self::AccountName | Self::PrimaryEmail)
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controls(u32);

impl Controls {
    /// Whether one is among them.
    pub fn has(self, control: Control) -> bool {
        self.0 & control.bit() != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether some of the further ones are among them.
    fn asks_for_further(self) -> bool {
        Control::FURTHER.into_iter().any(|control| self.has(control))
    }

    /// Each of them.
    pub(crate) fn iter(self) -> impl Iterator<Item = Control> {
        Control::all().filter(move |control| self.has(*control))
    }

    /// All of them, or some.
    fn drawn(draws: &mut Draws, all_of_hundred: u64) -> Self {
        let all = draws.happens("every control", all_of_hundred);
        let chosen = Control::FIRST.into_iter().filter(|_| all || draws.happens("this control", 40));
        match chosen.fold(0, |bits, control| bits | control.bit()) {
            0 => Self(Control::FIRST[index(draws, "the only control", Control::FIRST.len() as u64)].bit()),
            bits => Self(bits),
        }
    }
}

impl FromIterator<Control> for Controls {
    fn from_iter<I: IntoIterator<Item = Control>>(controls: I) -> Self {
        Self(controls.into_iter().fold(0, |bits, control| bits | control.bit()))
    }
}

impl fmt::Display for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|control| write!(f, ", {}", control.id()))
    }
}

/// Calls of these controls of which each may fail for a while, or once.
const CALLS: [&str; 14] = [
    "account:PutAlternateContact",
    "account:DeleteAlternateContact",
    "account:PutContactInformation",
    "account:GetContactInformation",
    "account:EnableRegion",
    "account:DisableRegion",
    "account:ListRegions",
    "iam:UpdateAccountPasswordPolicy",
    "iam:CreateRole",
    "iam:AttachRolePolicy",
    "s3control:PutPublicAccessBlock",
    "sns:CreateTopic",
    "sns:Subscribe",
    "monitoring:PutMetricAlarm",
];

/// The same of further controls.
const FURTHER_CALLS: [&str; 13] = [
    "organizations:MoveAccount",
    "organizations:DescribeAccount",
    "organizations:ListOrganizationalUnitsForParent",
    "sts:AssumeRoot",
    "iam:DeleteAccessKey",
    "iam:DeleteLoginProfile",
    "iam:GetAccountSummary",
    "iam:UpdateAssumeRolePolicy",
    "events:DescribeRule",
    "budgets:CreateBudget",
    "budgets:UpdateBudget",
    "config:DescribeConfigurationRecorders",
    "uxc:UpdateAccountCustomizations",
];

/// The numbers of accounts that are there in every run and that no document protects.
const CARELESS: [u64; 2] = [0, 2];
/// An account that joins and loses something of what it was given; no other line tells of it.
const JOINS_CARELESS: u64 = 30;

impl Script {
    /// A world whose documents ask for more, in which little else happens than that they are followed.
    pub(super) fn controls(seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let accounts = [3, 3, 5, 12, 25][index(&mut draws, "accounts", 5)];
        let mut script = Self::calm(seed, accounts, [0, 2, 5][index(&mut draws, "units", 3)]);
        script.nature.controls = Controls::drawn(&mut draws, 35);
        script.ask_for_further_controls(&mut draws);
        for person in 0..draws.between("people", 1, 5) {
            let second = draws.below("moment", 1_200);
            script.request(&mut draws, second, person);
        }
        if draws.happens("puts right", 45) {
            script.act(0, Act::Remediating);
        }
        if draws.happens("planned before", 40) {
            script.act(draws.below("moment of planning", 100), Act::PlanForAll);
        }
        let applied = draws.happens("applied to all", 60);
        if applied {
            script.act(draws.between("moment of applying", 1_000, 4_000), Act::ApplyToAll);
        }
        for number in 0..draws.between("sweeps", 1, 3) {
            script.act(6_000 + number * 25_000 + draws.below("moment of a sweep", 3_000), Act::Sweep);
        }
        if applied && draws.happens("planned after", 40) {
            script.act(30_000 + draws.below("moment of planning after", 20_000), Act::PlanForAll);
        }
        script.undo(&mut draws);
        if draws.happens("controls fail", 35) {
            script.let_controls_fail(&mut draws);
        }
        script
    }

    /// In some runs, documents ask for more beside everything else.
    pub(super) fn maybe_ask_for_controls(&mut self, draws: &mut Draws) {
        if self.accounts <= 200 && draws.happens("documents ask for more than tags", 8) {
            self.nature.controls = Controls::drawn(draws, 20);
            self.ask_for_further_controls(draws);
            self.undo(draws);
        }
    }

    /// In half of these runs, documents ask for some of the further controls as well.
    fn ask_for_further_controls(&mut self, draws: &mut Draws) {
        if !draws.happens("documents ask for further controls", 50) {
            return;
        }
        // Documents name a unit where it is there all the time, and nobody closes accounts, which are moved for that.
        let Nature { deep, rough, .. } = self.nature;
        let closes = self.cooling_off.is_some();
        let has_home = self.units > 1 && !deep && !rough && !closes;
        let further = Control::FURTHER.into_iter().filter(|control| {
            let is_asked = draws.happens(&format!("documents ask for {}", control.id()), 40);
            let fits = match control {
                Control::OrganizationalUnit => has_home,
                // Whoever closes accounts waits for people to take them out of it.
                Control::StackInstances => !closes,
                _ => true,
            };
            is_asked && fits
        });
        self.nature.controls = further.chain(self.nature.controls.iter()).collect();
    }

    /// Who administers a member takes away some of what it was given.
    fn undo(&mut self, draws: &mut Draws) {
        let controls: Vec<Control> = self.nature.controls.iter().collect();
        let people: Vec<u64> = self
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Act(_, Act::Request { person, .. }) => Some(*person),
                _ => None,
            })
            .collect();
        for _ in 0..draws.below("undone", 5) {
            let control = controls[index(draws, "what is undone", controls.len() as u64)];
            let way = draws.below("how it is undone", 3);
            let second = draws.between("moment of undoing", 400, 40_000);
            let whose = match draws.below("whose it is", 3) {
                0 if !people.is_empty() => Whose::Person(people[index(draws, "undone by whom", people.len() as u64)]),
                1 => {
                    let joins = Act::Joins { number: JOINS_CARELESS };
                    if !self.items.iter().any(|item| matches!(item, Item::Act(_, act) if *act == joins)) {
                        self.act(draws.below("the careless one joins", 3_000), joins);
                    }
                    Whose::Joined(JOINS_CARELESS)
                }
                _ if self.accounts > 2 => Whose::Old(CARELESS[index(draws, "careless", CARELESS.len() as u64)]),
                _ => continue,
            };
            self.act(second, Act::Harmed { whose, harm: Harm::Undoes { control, way } });
        }
    }

    fn let_controls_fail(&mut self, draws: &mut Draws) {
        for _ in 0..draws.between("controls that fail", 1, 3) {
            let mut target = CALLS[index(draws, "which call of a control", CALLS.len() as u64)];
            if self.nature.controls.asks_for_further() && draws.happens("a call of a further control", 60) {
                target = FURTHER_CALLS[index(draws, "which call of a further control", FURTHER_CALLS.len() as u64)];
            }
            let kind = Kind::OF_CALLS[index(draws, "how a control fails", Kind::OF_CALLS.len() as u64)];
            if draws.happens("a control fails once", 60) {
                self.aim_at(kind, (0, 60_000), target, draws.between("which time a control fails", 1, 6));
            } else {
                let percent = [20, 60, 100][index(draws, "how much of a control fails", 3)];
                let time =
                    (draws.below("a control fails from", 8_000), draws.between("a control fails for", 20, 2_000));
                self.fault(kind, time, target, percent);
            }
        }
    }
}
