//! Lines of a script that aim: at one call of one function, whose loss nobody else makes good, and at what seldom comes to
//! pass by chance.

use super::{Act, Item, Script, index};
use crate::{
    draw::Draws,
    fault::{Fault, Kind},
};

/// Calls of which each must not be lost or made twice, and whose calls they are.
const CALLS: [&str; 8] = [
    "create-account-poller organizations:CreateAccount",
    "create-account-poller organizations:MoveAccount",
    "create-account-poller events:PutEvents",
    "create-account-poller dynamodb:TransactWriteItems",
    "create-account-poller sqs:SendMessage",
    "baseline-applier events:PutEvents",
    "baseline-applier sqs:SendMessage",
    "notifier sns:Publish",
];

/// What is asked for again and again, and may fail for minutes.
const READS: [&str; 2] = [
    "create-account-poller organizations:DescribeCreateAccountStatus",
    "create-account-poller organizations:DescribeAccount",
];

/// Queues whose messages may come twice, at the same time.
const QUEUES: [&str; 2] = ["AccountCreationQueue", "AccountRequestQueue"];

/// What is not made good within the same invocation.
const KINDS: [Kind; 3] = [Kind::Killed, Kind::KilledAfter, Kind::AnswerLost];

/// People of whom no other line tells.
const BY_HAND: u64 = 70;
const CLOSED: u64 = 80;

impl Script {
    /// Aims at what few runs would hit. One more call fails only where calls fail anyway: most invariants ask more of a run
    /// without a failure.
    pub(super) fn aim(&mut self, draws: &mut Draws) {
        let asks = self.items.iter().any(|item| matches!(item, Item::Act(_, Act::Request { .. })));
        let fails = self.items.iter().any(|item| matches!(item, Item::Fault(fault) if fault.kind.is_of_work()));
        if asks && fails {
            for _ in 0..draws.between("calls aimed at", 1, 3) {
                let target = CALLS[index(draws, "call aimed at", CALLS.len() as u64)];
                let kind = KINDS[index(draws, "kind aimed at it", KINDS.len() as u64)];
                self.aim_at(kind, (0, 1_500), target, draws.between("which call", 1, 3));
            }
            if draws.happens("reads fail", 35) {
                let kind = [Kind::ServerError, Kind::Throttled, Kind::Unreached][index(draws, "how reads fail", 3)];
                let target = READS[index(draws, "which reads fail", READS.len() as u64)];
                self.fault(kind, (draws.below("reads fail from", 300), 300), target, 100);
            }
            if draws.happens("lost by hand", 35) {
                self.lose_by_hand(draws);
            }
            if draws.happens("given up and lost", 20) {
                self.lose_what_was_given_up(draws);
            }
        }
        if asks && draws.happens("messages doubled", 25) {
            let target = QUEUES[index(draws, "whose messages doubled", QUEUES.len() as u64)];
            self.fault(Kind::Doubled, (0, 3_000), target, 60);
        }
        if draws.happens("closed as it is", 30) {
            self.close_as_it_is(draws);
        }
    }

    pub(super) fn aim_at(&mut self, kind: Kind, (from, lasts): (u64, u64), target: &str, only: u64) {
        let target = target.to_owned();
        self.items.push(Item::Fault(Fault { kind, from, lasts, target, percent: 100, only: Some(only) }));
    }

    /// For a while nobody who gives accounts their baseline gets into one.
    pub(super) fn hold_up_baselines(&mut self, from: u64) {
        self.fault(Kind::Throttled, (from, 60), "baseline-applier sts:AssumeRole", 100);
    }

    /// A person's request is recorded, and the poller never hears of it: the person is told of an error, and does not ask
    /// again.
    fn lose_by_hand(&mut self, draws: &mut Draws) {
        let second = draws.between("moment of loss", 900, 3_000);
        self.act(second, Act::Request { person: BY_HAND, unit: None, by_hand: true });
        self.aim_at(Kind::Killed, (second, 5), "account-requester sqs:SendMessage", 1);
    }

    /// Messages are given up, and whoever sends them again is ended in the middle.
    fn lose_what_was_given_up(&mut self, draws: &mut Draws) {
        let sample = draws.below("sample given up", super::WATCHED.len() as u64);
        self.act(draws.below("moment of giving up", 1_000), Act::Watched { sample });
        self.fault(Kind::ServerError, (0, 14_000), "activity-auditor events:PutEvents", 100);
        let kind = [Kind::Killed, Kind::KilledAfter][index(draws, "kind of loss", 2)];
        self.aim_at(kind, (14_000, 400_000), "dead-letter-replayer sqs:SendMessage", 1);
    }

    /// An account is closed and keeps its address, which somebody asks for again.
    fn close_as_it_is(&mut self, draws: &mut Draws) {
        self.request(draws, 60, CLOSED);
        self.act(7_000, Act::ClosedAsItIs { person: CLOSED });
        let second = draws.between("moment after", 7_100, 20_000);
        self.request(draws, second, CLOSED);
    }
}
