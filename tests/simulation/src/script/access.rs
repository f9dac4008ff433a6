//! Who gets in where: accounts come under a project and leave it, and somebody tampers with the groups of the account that
//! people sign in to.

use super::{Act, Control, Harm, Script, Whose, index};
use crate::{draw::Draws, fault::Kind};

/// Calls by which the groups are kept, of which each may fail for a while, or once.
const CALLS: [&str; 9] = [
    "iam:GetAccountAuthorizationDetails",
    "iam:CreateGroup",
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:AttachGroupPolicy",
    "iam:DetachGroupPolicy",
    "organizations:ListAccounts",
    "organizations:DescribeAccount",
    "dynamodb:TransactWriteItems",
];
/// The old accounts that are closed from within, or leave; the first one is in a project by its id.
const LEAVING: [u64; 2] = [0, 2];
/// In how many ways groups are tampered with.
pub(crate) const WAYS_TO_TAMPER: u64 = 5;

impl Script {
    /// A world whose documents say who gets in where.
    pub(super) fn access(seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        let accounts = [3, 5, 12][index(&mut draws, "accounts", 3)];
        let mut script = Self::calm(seed, accounts, [2, 3, 5][index(&mut draws, "units", 3)]);
        script.nature.controls = [Control::SwitchRoles].into_iter().collect();
        script.nature.lets_in = true;
        script.act(draws.between("moment of applying", 30, 2_000), Act::ApplyToAll);
        for person in 0..draws.below("people", 4) {
            let second = draws.below("moment", 4_000);
            script.request(&mut draws, second, person);
        }
        script.move_by_hand(&mut draws);
        if draws.happens("renames", 30) {
            script.rename_units(&mut draws);
        }
        if draws.happens("somebody leaves", 40) {
            let whose = Whose::Old(LEAVING[index(&mut draws, "who leaves", LEAVING.len() as u64)]);
            let harm = if draws.happens("leaves by being closed", 50) { Harm::ClosesItself } else { Harm::Leaves };
            script.act(draws.between("moment of leaving", 2_500, 9_000), Act::Harmed { whose, harm });
        }
        if draws.happens("puts right", 50) {
            script.act(0, Act::Remediating);
        }
        if draws.happens("tampers", 40) {
            for _ in 0..draws.between("how often somebody tampers", 1, 2) {
                let way = draws.below("in which way somebody tampers", WAYS_TO_TAMPER);
                script.act(draws.between("moment of tampering", 2_500, 15_000), Act::Tampered { way });
            }
        }
        for number in 0..draws.between("sweeps", 1, 2) {
            script.act(16_000 + number * 20_000 + draws.below("moment of a sweep", 3_000), Act::Sweep);
        }
        script.let_access_fail(&mut draws);
        script
    }

    fn let_access_fail(&mut self, draws: &mut Draws) {
        if draws.happens("calls about groups fail", 40) {
            for _ in 0..draws.between("calls that fail", 1, 2) {
                let target = CALLS[index(draws, "which call about groups", CALLS.len() as u64)];
                let kind = Kind::OF_CALLS[index(draws, "how it fails", Kind::OF_CALLS.len() as u64)];
                if draws.happens("it fails once", 60) {
                    self.aim_at(kind, (0, 60_000), target, draws.between("which time it fails", 1, 20));
                } else {
                    let time = (draws.below("it fails from", 8_000), draws.between("it fails for", 20, 600));
                    self.fault(kind, time, target, [20, 60, 100][index(draws, "how much fails", 3)]);
                }
            }
        }
        if draws.happens("news come late or twice", 40) {
            let kind = if draws.happens("news come twice", 50) { Kind::Doubled } else { Kind::Late };
            self.fault(kind, (0, 12_000), "*", 40);
        }
    }
}
