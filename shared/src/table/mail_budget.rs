//! How many mails one account may cause in an hour. Whoever can cause many events must not thereby hide the one that matters
//! among hundreds of mails: past the budget they are summed up in one mail at the end of the hour. What is critical is not
//! counted, and always mailed.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    error::Cause,
    gateway::{CallError, DynamoDbGateway, Write, attributes},
    table::keys,
};

/// The mails of one account in one hour, critical ones left out.
pub const MAILS: u32 = 20;
/// The most subjects that a summary lists.
const MOST_SUBJECTS: usize = 20;
const HOUR: i64 = 3600;
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One account in one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The account, or `-` for what is about none.
    pub account: String,
    /// The hour, counted from 1970.
    pub hour: i64,
}

impl Slot {
    /// The slot of an account now. What is no account id is about none.
    pub fn of(account: Option<&str>, now: Timestamp) -> Self {
        let account = account.filter(|id| id.parse::<crate::ids::AccountId>().is_ok()).unwrap_or("-");
        Self { account: account.to_owned(), hour: now.as_second().div_euclid(HOUR) }
    }

    /// How long it lasts from now on: nothing, when it is over. An hour that is still far away is none of ours.
    pub fn left(&self, now: Timestamp) -> Duration {
        let end = self.hour.saturating_add(1).saturating_mul(HOUR);
        let left = u64::try_from(end.saturating_sub(now.as_second())).unwrap_or_default();
        Duration::from_secs(if left > HOUR.unsigned_abs() { 0 } else { left })
    }

    fn key(&self) -> String {
        keys::MAILS.key(format_args!("{}#{}", self.account, self.hour))
    }
}

/// Whether a mail is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Send,
    /// It is not, but counted.
    Hold {
        /// Whether a summary is to be asked for.
        remind: bool,
    },
}

/// What was not mailed in a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// How many were mailed before.
    pub sent: u32,
    /// How many.
    pub held: u32,
    /// The first of their subjects.
    pub subjects: Vec<String>,
    /// The revision of the slot.
    pub revision: u64,
    /// When it is forgotten, in seconds since 1970.
    pub expires_at: i64,
}

impl Held {
    /// Counts one more event.
    fn count(&mut self, subject: &str) -> Verdict {
        if self.sent < MAILS {
            self.sent += 1;
            return Verdict::Send;
        }
        self.held = self.held.saturating_add(1);
        if self.subjects.len() < MOST_SUBJECTS {
            self.subjects.push(subject.to_owned());
        }
        // Asking may fail after the count: more than one asks, and one summary is sent all the same.
        Verdict::Hold { remind: self.held <= 3 }
    }
}

/// The slots, in the stack's table.
#[derive(Clone, Debug)]
pub struct MailBudget(DynamoDbGateway);

impl MailBudget {
    /// The slots in this table.
    pub fn new(table: DynamoDbGateway) -> Self {
        Self(table)
    }

    /// Counts one mail, and says whether it is sent.
    pub async fn take(&self, slot: &Slot, subject: &str, now: Timestamp) -> Result<Verdict, CallError> {
        const ATTEMPTS: u32 = 8;
        for attempt in 0..ATTEMPTS {
            let found = self.find(slot).await?;
            let is_new = found.is_none();
            let mut counted = found.unwrap_or_default();
            let verdict = counted.count(subject);
            let condition = if is_new {
                ("attribute_not_exists(pk)".to_owned(), HashMap::new())
            } else {
                let read = HashMap::from([(":read".to_owned(), AttributeValue::N(counted.revision.to_string()))]);
                ("revision = :read".to_owned(), read)
            };
            counted.revision += 1;
            counted.expires_at = (now + REMEMBERED).as_second();
            let put = Write::Put { pk: slot.key(), item: attributes(&counted)?, condition: Some(condition) };
            if self.0.write(vec![put]).await?.is_ok() {
                return Ok(verdict);
            }
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
        }
        let detail = format!("{ATTEMPTS} writes in a row met others on the same account");
        Err(CallError::unusable("dynamodb:PutItem", Cause::ConcurrentModification, detail))
    }

    /// What was counted in a slot.
    pub async fn find(&self, slot: &Slot) -> Result<Option<Held>, CallError> {
        self.0.find(&slot.key()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_three_hundred_events_twenty_are_mailed_and_a_summary_is_asked_for() {
        let mut counted = Held::default();
        let verdicts: Vec<_> = (0..300).map(|n| counted.count(&format!("event {n}"))).collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Send).count(), 20);
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Hold { remind: true }).count(), 3);
        assert_eq!((counted.held, counted.subjects.len()), (280, MOST_SUBJECTS));
    }

    #[test]
    fn a_slot_is_over_at_the_full_hour_and_one_of_the_far_future_at_once() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let slot = Slot::of(Some("222222222222"), now);
        assert!(slot.left(now) > Duration::ZERO && slot.left(now) <= Duration::from_hours(1));
        assert_eq!(slot.left(now + SignedDuration::from_hours(1)), Duration::ZERO);
        let far = Slot { hour: i64::MAX, ..slot };
        assert_eq!(far.left(now), Duration::ZERO);
    }

    #[test]
    fn what_is_no_account_is_about_none() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        assert_eq!(Slot::of(Some("222222222222"), now).account, "222222222222");
        assert_eq!(Slot::of(Some("222222222222#1"), now).account, "-");
        assert_eq!(Slot::of(None, now).account, "-");
    }
}
