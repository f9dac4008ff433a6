//! What people do about policies that lock everybody out.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    aws::{locks, organizations},
    run::World,
    script::{LockAct, LockDeed},
    time,
};

/// What a person has asked of root-task-runner about a policy.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Timestamp,
    /// When the answer was there.
    pub(crate) answered_at: Timestamp,
    pub(crate) account: String,
    /// The bucket or the queue.
    pub(crate) name: &'static str,
    pub(crate) deed: LockDeed,
    /// The one row of the answer, or the error; None where too many functions were at work.
    pub(crate) answer: Option<Result<Value, Value>>,
    /// The policy that stood there when the answer came.
    pub(crate) stands: Option<String>,
}

impl World {
    /// Lets people do something about a policy.
    pub(super) async fn lock(&self, act: LockAct) {
        let LockAct { number, queue, deed } = act;
        let account = organizations::id_of(number);
        let name = if queue { locks::QUEUE } else { locks::BUCKET };
        let (what, of) = if queue { ("queue", "queue_url") } else { ("bucket", "bucket") };
        let resource = if queue { locks::queue_url(&account) } else { name.to_owned() };
        let mut input = json!({"account_id": account, of: resource, "region": "us-east-1", "reason": "Nobody gets in",
            "mode": if deed == LockDeed::Plan { "plan" } else { "apply" }, "task": format!("unlock-{what}-policy")});
        match deed {
            LockDeed::Lock => {
                return self.cloud.with(|state| {
                    let number = state.locks.locked.len() as u64;
                    locks::lock(state, &account, name, number);
                });
            }
            LockDeed::Plan | LockDeed::Unlock => {}
            LockDeed::Restore => {
                let Some(backup) = self.last_backup(&account, name) else { return };
                input["task"] = format!("restore-{what}-policy").into();
                input["backup"] = backup.into();
            }
        }
        let at = time::now();
        let answer = self.lambda.invoke("RootTaskRunner", input).await;
        let answer = answer.map(|answer| answer.map(|report| report["rows"][0].clone()));
        let stands = self.cloud.with(|state| {
            let policy = state.members.get(&account).and_then(|member| member.policies.get(name));
            policy.and_then(|policy| policy.now().clone())
        });
        self.seen.borrow_mut().locks.push(Asked { at, answered_at: time::now(), account, name, deed, answer, stands });
    }

    /// The backup of the last policy that was removed there.
    fn last_backup(&self, account: &str, name: &str) -> Option<String> {
        let seen = self.seen.borrow();
        let mut unlocked = seen.locks.iter().rev().filter(|asked| asked.account == account && asked.name == name);
        unlocked.find_map(|asked| Some(asked.answer.as_ref()?.as_ref().ok()?["backup"].as_str()?.to_owned()))
    }
}
