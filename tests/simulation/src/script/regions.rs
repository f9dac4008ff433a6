//! Lines of a script about the regions of accounts, and what becomes of the news of them.

use super::{Act, Item, Script, Whose, index};
use crate::{aws::regions::OPT_IN, document::RegionRule, draw::Draws, fault::Kind};

/// News of a region, and what is lost or comes twice besides.
const NEWS: [&str; 4] = ["Region Opt-In Status Change", "EnableRegion", "DisableRegion", "*"];
/// Calls of which each must not be lost or made twice.
const CALLS: [&str; 6] = [
    "region-opt-auditor events:PutEvents",
    "region-opt-auditor dynamodb:TransactWriteItems",
    "region-opt-auditor sqs:SendMessage",
    "region-opt-auditor account:DisableRegion",
    "region-opt-auditor account:ListRegions",
    "region-opt-auditor organizations:DescribeAccount",
];

/// What somebody does about regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionAct {
    /// Somebody asks AWS to enable or disable one.
    Change {
        /// Of which account.
        whose: Whose,
        /// Which of those that can be.
        region: u64,
        /// Whether it is to be enabled.
        enables: bool,
        /// Whether somebody of the account itself asks.
        by_member: bool,
    },
    /// An account that is not in the organization forwards the news of one of its own.
    OfNobody {
        /// Which of those that can be enabled.
        region: u64,
    },
    /// A document is uploaded that says something else of them.
    Document(RegionRule),
}

impl Script {
    /// Whether anybody does something about regions.
    pub(crate) fn has_regions(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Act(_, Act::Region(_))))
    }

    pub(super) fn regions(&mut self, draws: &mut Draws) {
        let rule = rule(draws);
        self.act(0, Act::Region(RegionAct::Document(rule)));
        for _ in 0..draws.between("changes of regions", 1, 6) {
            self.change_region(draws, 10);
        }
        if draws.happens("another document about regions", 40) {
            let rule = self::rule(draws);
            self.act(
                draws.between("moment of another document about regions", 60, 5_000),
                Act::Region(RegionAct::Document(rule)),
            );
        }
        if draws.happens("document with a mistake about regions", 15) {
            let second = draws.between("moment of the mistake about regions", 60, 3_000);
            self.act(second, Act::Document { good: false });
        }
        if draws.happens("region of nobody", 12) {
            let second = draws.below("moment of nobody's region", 4_000);
            self.act(second, Act::Region(RegionAct::OfNobody { region: a_region(draws) }));
        }
        if draws.happens("news of regions go astray", 45) {
            let kind = Kind::OF_EVENTS[index(draws, "how news of regions go astray", 3)];
            let target = NEWS[index(draws, "which news of regions", NEWS.len() as u64)];
            self.fault(kind, (0, 40_000), target, 60);
        }
        if draws.happens("messages about regions doubled", 20) {
            self.fault(Kind::Doubled, (0, 6_000), "RegionAuditQueue", 60);
        }
        if draws.happens("calls about regions go wrong", 35) {
            for _ in 0..draws.between("calls about regions aimed at", 1, 3) {
                let target = CALLS[index(draws, "call about regions", CALLS.len() as u64)];
                let kind = Kind::OF_CALLS[index(draws, "kind at a call about regions", Kind::OF_CALLS.len() as u64)];
                self.aim_at(kind, (0, 20_000), target, draws.between("which call about regions", 1, 5));
            }
            if draws.happens("whoever audits regions is ended", 30) {
                self.fault(Kind::Ended, (draws.below("auditor ended from", 3_000), 900), "region-opt-auditor", 50);
            }
        }
    }

    /// Somebody enables a region, or disables it, and perhaps once more the other way.
    pub(super) fn change_region(&mut self, draws: &mut Draws, from: u64) {
        let whose = if draws.happens("region of the management account", 8) {
            Whose::Management
        } else {
            Whose::Old(draws.below("whose region", self.accounts))
        };
        let (second, region) = (from + draws.below("moment of a region", 4_000), a_region(draws));
        let by_member = draws.happens("member changes its region", 40);
        self.act(second, Act::Region(RegionAct::Change { whose, region, enables: true, by_member }));
        if draws.happens("region changed back", 35) {
            let by_member = draws.happens("member changes its region back", 40);
            let at = second + draws.between("region changed back after", 1, 4_000);
            self.act(at, Act::Region(RegionAct::Change { whose, region, enables: false, by_member }));
        }
    }
}

fn a_region(draws: &mut Draws) -> u64 {
    let among = [2, OPT_IN.len() as u64][index(draws, "among how many regions", 2)];
    draws.below("which region", among)
}

fn rule(draws: &mut Draws) -> RegionRule {
    let disables_others = draws.happens("other regions are to be disabled", 50);
    let remediates = draws.happens("regions are put right", 50);
    RegionRule { disables_others, remediates, ..RegionRule::FORBIDDING }
}
