//! Lines of a script about policies that lock everybody out of a bucket or a queue: members put them there, people remove them
//! as the root user of the account and put them back.

use super::{Act, Script};
use crate::{draw::Draws, fault::Kind};

/// Something that is done with the policy of the bucket, or of the queue, that an old account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockAct {
    /// The number of the account.
    pub number: u64,
    /// Whether it is the queue's.
    pub queue: bool,
    /// What is done.
    pub deed: LockDeed,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockDeed {
    /// Whoever administers the account locks everybody out.
    Lock,
    /// A person looks what removing it would do.
    Plan,
    /// A person removes it.
    Unlock,
    /// A person puts back what was removed last.
    Restore,
}

/// Calls of which each must not be lost or made twice.
const CALLS: [&str; 5] = [
    "root-task-runner s3:DeleteBucketPolicy",
    "root-task-runner s3:PutObject",
    "root-task-runner sqs:SetQueueAttributes",
    "root-task-runner dynamodb:TransactWriteItems",
    "root-task-runner events:PutEvents",
];

impl Script {
    /// An account locks itself out, people let it in again, and some want the policy back.
    pub(super) fn unlock(&mut self, draws: &mut Draws, number: u64, from: u64) {
        let queue = draws.happens("a queue is locked", 60);
        let mut act = |second: u64, deed: LockDeed| {
            self.act(second, Act::Lock(LockAct { number, queue, deed }));
        };
        act(from, LockDeed::Lock);
        let mut second = from + draws.between("unlocked after", 20, 300);
        if draws.happens("unlocking is planned", 40) {
            act(second, LockDeed::Plan);
            second += 20;
        }
        act(second, LockDeed::Unlock);
        if draws.happens("unlocked twice", 30) {
            act(second + draws.below("unlocked again after", 200), LockDeed::Unlock);
        }
        if draws.happens("locked again", 25) {
            act(second + draws.between("locked again after", 1, 300), LockDeed::Lock);
        }
        if draws.happens("put back", 60) {
            let second = second + draws.between("put back after", 1, 400);
            act(second, LockDeed::Restore);
            if draws.happens("put back twice", 30) {
                act(second + draws.between("put back again after", 1, 100), LockDeed::Restore);
            }
        }
        if draws.happens("unlocking goes wrong", 30) {
            let target = CALLS[super::index(draws, "which call of unlocking", CALLS.len() as u64)];
            let kind = Kind::OF_CALLS[super::index(draws, "how unlocking goes wrong", Kind::OF_CALLS.len() as u64)];
            self.aim_at(kind, (from, 1_000), target, draws.between("which time unlocking goes wrong", 1, 2));
        }
    }
}
