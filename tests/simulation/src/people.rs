//! What people do in a run.

mod access;
pub(crate) mod closings;
mod documents;
mod hostile;
pub(crate) mod locks;
mod rearranging;
mod regions;
mod updates;
pub(crate) mod users;

use serde_json::{Value, json};

use crate::{
    aws::{events, organizations},
    cloud::State,
    document,
    furnish::{document_of, upload},
    machine,
    run::{Asked, Published, World, address},
    script::{Act, Item, WATCHED, Whose},
    template::{ACCOUNT, Bus, file},
    time,
};

pub(crate) use updates::{PATTERN, Updated, WRONG_CODE};

impl World {
    /// Lets people do something.
    pub(crate) async fn act(&self, act: &Act) {
        self.cloud.with(|state| state.note("people", format_args!("{act:?}")));
        match act {
            Act::Request { person, unit, by_hand } => self.request(*person, *unit, *by_hand).await,
            Act::Copy { person } => self.cloud.with(|state| {
                let first = state.published.iter().find(|published| {
                    published.kind == "AccountRequested" && published.detail["email"] == address(*person).as_str()
                });
                if let Some(event) = first.map(|published| published.event.clone()) {
                    events::deliver(state, Bus::Own, &event);
                }
            }),
            Act::Taken { person } => self.cloud.with(|state| state.organization.elsewhere.push(address(*person))),
            Act::Freed { person } => {
                self.cloud.with(|state| state.organization.elsewhere.retain(|taken| *taken != address(*person)));
            }
            Act::Closed { person } => self.cloud.with(|state| {
                let email = address(*person);
                let found = state.organization.accounts.iter_mut().find(|account| account.email == email);
                if let Some(account) = found {
                    // AWS keeps the address of a closed account; a person has changed it before.
                    account.state = "SUSPENDED";
                    account.email = format!("closed-{}@example.com", account.id);
                }
            }),
            Act::ClosedAsItIs { person } => self.cloud.with(|state| {
                let email = address(*person);
                let id = state.organization.accounts.iter().find(|account| account.email == email);
                if let Some(id) = id.map(|account| account.id.clone()) {
                    organizations::suspend(state, &id);
                }
            }),
            Act::Joins { number } => self.cloud.with(|state| {
                organizations::join(state, &format!("{:012}", 400_000_000_000 + number));
            }),
            Act::Known { number } => self.cloud.with(|state| {
                let id = format!("{:012}", 400_000_000_000 + number);
                if let Some(member) = state.members.get_mut(&id) {
                    let made = member.role_from.insert(time::now());
                    *made += jiff::SignedDuration::from_mins(1);
                    organizations::joined(state, &id);
                }
            }),
            Act::Document { good } => {
                let kind = if *good { document::Kind::Good } else { document::Kind::Mistaken };
                self.cloud.with(|state| upload(state, document_of(&self.script, kind)));
            }
            Act::Remediating => {
                self.cloud.with(|state| upload(state, document_of(&self.script, document::Kind::Remediating)));
            }
            Act::Update => self.lambda.renew(),
            Act::ApplyToAll => self.baseline("apply").await,
            Act::PlanForAll => self.plan_for_all().await,
            Act::Watched { sample } => {
                let (event, severity) = watched(*sample);
                self.cloud.with(|state| events::recorded(state, event, severity));
            }
            Act::AuditRootCredentials => {
                let input = json!({"task": "audit-credentials", "all": true, "reason": "A look"});
                self.root_task(input).await;
            }
            Act::DeleteRootCredentials { number } => {
                let input = json!({"task": "delete-credentials", "account_ids": [organizations::id_of(*number)],
                    "mode": "apply", "reason": "Nobody needs them"});
                self.root_task(input).await;
            }
            Act::Lock(lock) => self.lock(*lock).await,
            Act::Closing(closing) => self.closing(closing).await,
            Act::UpdateAccount(update) => self.update(update).await,
            Act::User(act) => self.user(act).await,
            Act::Region(act) => self.region(act),
            Act::Tampered { way } => self.tamper(*way),
            Act::Moved { whose, unit } => self.move_account(*whose, *unit),
            Act::Renamed { unit, back } => self.rename_unit(*unit, *back),
            Act::UnitDeleted { unit } => self.delete_unit(*unit),
            Act::Removed { number } => self.remove_account(*number),
            Act::InvitedAgain { number } => self.invite_again(*number),
            Act::Harmed { whose, harm } => self.harm(*whose, *harm).await,
            Act::Overridden { there } => self.override_again(*there),
            Act::DocumentDeleted => self.delete_document(),
            Act::Sweep => self.sweep().await,
            Act::ReportAgain => self.report_again().await,
        }
    }

    async fn request(&self, person: u64, unit: Option<u64>, by_hand: bool) {
        let email = address(person);
        let mut input = json!({"account_name": format!("Account of person {person}"), "email": email,
            "tags": {"owner": format!("person-{person}")}});
        let unit = unit.and_then(|unit| self.units.get(usize::try_from(unit).ok()?));
        if let Some(unit) = unit {
            input["organizational_unit"] =
                if person.is_multiple_of(2) { unit.as_str().into() } else { self.path(unit).into() };
        }
        let closed_before = self.cloud.with(|state| {
            let made = state.organization.creations.iter().filter(|creation| creation.email == email);
            made.filter_map(|creation| creation.outcome.as_ref().ok())
                .any(|id| state.organization.account(id).is_some_and(|account| account.state != "ACTIVE"))
        });
        let place = self.seen.borrow().asked.len();
        let asked = Asked { at: time::now(), person, by_hand, answer: None, closed_before };
        self.seen.borrow_mut().asked.push(asked);
        if by_hand {
            let answer = self.lambda.invoke("AccountRequester", input).await;
            let answer = answer.unwrap_or_else(|| Err(json!({"errorType": "TooManyRequestsException"})));
            self.seen.borrow_mut().asked[place].answer = Some(answer);
        } else {
            let (source, kind) = (json!("portal"), json!("AccountRequested"));
            self.cloud.with(|state| events::put(state, &source, &kind, input));
        }
    }

    fn path(&self, id: &str) -> String {
        self.cloud.with(|state| {
            let unit = |id: &str| state.organization.units.iter().find(|unit| unit.id == id);
            let mut path = String::new();
            let mut at = unit(id);
            while let Some(found) = at {
                path = format!("/{}{path}", found.name);
                at = unit(&found.parent);
            }
            path
        })
    }

    async fn baseline(&self, mode: &str) {
        let begun = time::now();
        let answer = self.lambda.invoke("BaselineApplier", json!({"all": true, "mode": mode})).await;
        let answer = match answer {
            Some(Ok(answer) | Err(answer)) => answer,
            None => json!({"errorType": "TooManyRequestsException"}),
        };
        let mut seen = self.seen.borrow_mut();
        seen.by_hand.push(answer);
        seen.by_hand_at.push((begun, time::now()));
    }

    async fn plan_for_all(&self) {
        let before = self.cloud.with(|state| state.writes);
        self.baseline("plan").await;
        let after = self.cloud.with(|state| state.writes);
        // Where people ask for accounts as well, for their end or other names, or delete what root users have, others write
        // meanwhile.
        let writes = |item: &Item| {
            matches!(
                item,
                Item::Act(
                    _,
                    Act::Request { .. }
                        | Act::Closing(_)
                        | Act::UpdateAccount(_)
                        | Act::User(_)
                        | Act::Region(_)
                        | Act::DeleteRootCredentials { .. }
                )
            )
        };
        let is_alone = !self.script.items.iter().any(writes);
        if is_alone {
            self.seen.borrow_mut().writes_in_plan += after - before;
        }
    }

    async fn root_task(&self, input: Value) {
        let answer = self.lambda.invoke("RootTaskRunner", input).await;
        self.seen.borrow_mut().root_tasks.extend(answer.map(|answer| answer.unwrap_or_else(|error| error)));
    }

    async fn sweep(&self) {
        let number = self.sweeps.get() + 1;
        self.sweeps.set(number);
        let (execution, answer) = machine::execute(&self.cloud, &self.lambda, &format!("execution-{number}")).await;
        self.cloud.with(|state| state.note("sweep", format_args!("{answer:?}")));
        match answer {
            Ok(answer) => self.look_at_report(&answer["sweep_id"], execution, false),
            Err(error) => self.seen.borrow_mut().failed_sweeps.push(error),
        }
    }

    async fn report_again(&self) {
        let Some(execution) = self.seen.borrow().published.last().map(|published| published.execution.clone()) else {
            return;
        };
        let answer = self.lambda.invoke("ComplianceReporter", json!({"execution": execution})).await;
        if let Some(Ok(answer)) = answer {
            self.look_at_report(&answer["sweep_id"], execution, true);
        }
    }

    fn look_at_report(&self, sweep: &Value, execution: String, again: bool) {
        let latest = self.cloud.with(|state| {
            let bucket = state.buckets.get("reports")?;
            serde_json::from_slice(&bucket.latest("latest/report.json")?.content).ok()
        });
        let published = Published {
            sweep: sweep.as_str().unwrap_or_default().to_owned(),
            execution,
            latest: latest.unwrap_or_default(),
            again,
        };
        self.seen.borrow_mut().published.push(published);
    }
}

/// The id of an account; None while there is none.
fn id_of(state: &State, whose: Whose) -> Option<String> {
    match whose {
        Whose::Old(number) => Some(organizations::id_of(number)),
        Whose::Joined(number) => Some(organizations::joined_id_of(number)),
        Whose::Management => Some(ACCOUNT.to_owned()),
        Whose::Nobody => Some("999999999999".to_owned()),
        Whose::Person(person) => {
            let email = address(person);
            let mut ready = state.published.iter().rev().filter(|published| published.kind == "AccountCreated");
            let ready = ready.find(|published| published.detail["email"] == email.as_str());
            let of_address = || state.organization.accounts.iter().find(|account| account.email == email);
            let told = ready.and_then(|published| Some(published.detail["account_id"].as_str()?.to_owned()));
            told.or_else(|| of_address().map(|account| account.id.clone()))
        }
    }
}

/// The sample of something that people are to hear of, and how much it matters.
fn watched(sample: u64) -> (Value, &'static str) {
    let (name, severity) = WATCHED[usize::try_from(sample).expect("small")];
    let text = file(&format!("events/activity-auditor/{name}.json"));
    (serde_json::from_str(&text).expect("a sample is JSON"), severity)
}
