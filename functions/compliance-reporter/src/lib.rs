//! Ends a sweep: gathers what was found, compares it with the report before, and publishes the report.

mod compliance_reported;
mod gather;
mod publication;

use bytes::Bytes;
use compliance_report::{Access, Report};
use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use serde_json::Value;
use steward::{
    baseline::{BaselineSelectorUnmatched, record_tags},
    clock,
    error::{Cause, Failure},
    gateway::{DynamoDbGateway, EventBridgeGateway, Found, S3Gateway, StatesGateway},
    runtime::{
        metrics,
        settings::{NotConfigured, Settings},
        start::SdkConfig,
    },
    sweep::{Listing, RemediationLock, SweepBrake, SweepExecution, SweepExecutions},
};

pub use compliance_reported::{ComplianceReported, Totals};
use gather::{BatchEnd, OfAccount, WorkerEnd, failures, sweep, unmatched_tags};
use publication::{Publication, Stored, folder, is_newest, predecessor};

/// The largest report that is read: that of some ten thousand accounts.
const MAX_REPORT: usize = 200 * 1024 * 1024;

/// The handler of `compliance-reporter`, with what it keeps between the invocations of one process.
#[derive(Debug)]
pub struct ComplianceReporter {
    executions: SweepExecutions,
    reports: S3Gateway,
    bus: EventBridgeGateway,
    remediation_lock: RemediationLock,
    brake: SweepBrake,
    table: DynamoDbGateway,
}

#[derive(Debug, Deserialize)]
struct Input {
    /// The ARN of the sweep's execution.
    execution: String,
    /// What the state machine knows of its workers; None when a person asks.
    results: Option<Vec<WorkerEnd>>,
}

impl ComplianceReporter {
    /// The function's name.
    pub const NAME: &'static str = "compliance-reporter";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let table = DynamoDbGateway::of(config, settings.table_name());
        let function = Self {
            executions: SweepExecutions::new(StatesGateway::of(config)),
            reports: S3Gateway::of(config, settings.reports_bucket()),
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            remediation_lock: RemediationLock::new(table.clone()),
            brake: SweepBrake::new(table.clone()),
            table,
        };
        settings.finish().map(|()| function)
    }

    /// Publishes the report of one sweep: `{"execution": "arn:..."}`, also by hand for one that is over. Batches of which
    /// nothing is there are unknown accounts, with the name of the error that ended them. Published again, the report of a
    /// sweep is the same: what it is compared with, and when it ended, was fixed when it was first made.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<ComplianceReported, Failure> {
        let Input { execution, results } = serde_json::from_value(event.payload)
            .map_err(|error| Failure::with_detail(Cause::InvalidRequest, format_args!("{error}.")))?;
        let ends: Option<Vec<BatchEnd>> = results.map(|ends| ends.iter().flat_map(WorkerEnd::failed).collect());
        let SweepExecution { id: sweep_id, .. } = match &ends {
            // The state machine is not over before its report is there.
            Some(_) => self.executions.under_way(&execution).await?,
            None => self.executions.any(&execution).await?,
        };
        let listing: Listing = self.read(&sweep_id.listing_key()).await?.ok_or_else(|| {
            Failure::with_detail(Cause::NotFound, format_args!("There is no sweep {sweep_id} in the bucket."))
        })?;
        let publishes = ends.is_some();
        if publishes {
            // A person who publishes a report again knows nothing of what goes on beside it.
            self.remediation_lock.end(&sweep_id, clock::now()).await?;
        }
        let folder = folder(&sweep_id, listing.started_at);
        let latest = self.report("latest/report.json").await?;
        let is_newest = is_newest(&listing, &latest);
        let publication = self.publication(&folder, &listing, latest, ends).await?;
        let before = match &publication.compared_with {
            Some(key) => self.report(key).await?,
            None => Stored::Nothing,
        };
        let (before, note) = predecessor(&publication, before);
        // After the report before, whose text is not needed any more.
        let mut results = gather::results(&self.reports, &listing).await?;
        let unmatched = self.look_for_tags(&listing, &results, publishes).await?;
        let offered = gather::offered(&mut results);
        let organization = gather::organization(&self.reports, &listing).await?;
        let mut sweep = sweep(listing, organization, results, &failures(publication.results), publication.finished_at);
        let braked = self.brake.event(&sweep_id).await?;
        let braked_in_words = braked.as_ref().map(|event| event.failure.message.clone());
        let unmatched = unmatched.map(|event| event.failure.message);
        for more in note.into_iter().chain(unmatched).chain(braked_in_words) {
            let text = sweep.note.get_or_insert_default();
            // The lister may have said so, as the sweep before has found it.
            if !text.contains(&more) {
                text.push(' ');
                text.push_str(&more);
            }
        }
        let report = Report::new(sweep, before.as_ref());
        drop(before);
        let folders: &[&str] = if is_newest { &[&folder, "latest"] } else { &[&folder] };
        self.publish(&report, &Access::new(&report.sweep, offered), folders).await?;
        let event = ComplianceReported::of(&report, self.reports.bucket(), &folder);
        metrics::emit(&event.metrics());
        self.bus.put(&event).await?;
        if let Some(braked) = braked.filter(|_| publishes) {
            self.bus.put(&braked).await?;
        }
        Ok(event)
    }

    /// Writes the files, one after the other: of a large organization each is tens of megabytes.
    async fn publish(&self, report: &Report, access: &Access, folders: &[&str]) -> Result<(), Failure> {
        // The last one: what the next sweep is compared with is there when everything else is.
        const FILES: [&str; 7] = [
            "access.html",
            "access.json",
            "aws-config",
            "extend-switch-roles.ini",
            "report.html",
            "report.csv",
            "report.json",
        ];
        for name in FILES {
            let content = match name {
                "access.html" => access.to_html(),
                "access.json" => access.to_json(),
                "aws-config" => Ok(access.to_aws_config()),
                "extend-switch-roles.ini" => Ok(access.to_extend_switch_roles()),
                "report.html" => report.to_html(),
                "report.csv" => report.to_csv(),
                _ => report.to_json(),
            };
            let content = content.map_err(|error| Failure::with_detail(Cause::CallFailed, error))?;
            let content = Bytes::from(content);
            for folder in folders {
                self.reports.put_object(&format!("{folder}/{name}"), content.clone()).await?;
            }
        }
        Ok(())
    }

    /// What is to be said of tags that no account has. The state machine's sweep records it for everybody who acts by the
    /// document, and publishes it.
    async fn look_for_tags(
        &self,
        listing: &Listing,
        results: &[OfAccount],
        publishes: bool,
    ) -> Result<Option<BaselineSelectorUnmatched>, Failure> {
        let (Some(selectors), Some(unmatched)) = (&listing.by_tag, unmatched_tags(listing, results)) else {
            return Ok(None);
        };
        let event = selectors.event(unmatched.clone());
        if publishes {
            record_tags(&self.table, selectors, unmatched).await?;
            if let Some(event) = &event {
                self.bus.put(event).await?;
            }
        }
        Ok(event)
    }

    /// What is fixed of the report of a sweep. The state machine fixes it, before the report is published; a person who
    /// was faster, or helps out when the state machine ended, does not.
    async fn publication(
        &self,
        folder: &str,
        listing: &Listing,
        latest: Stored,
        ends: Option<Vec<BatchEnd>>,
    ) -> Result<Publication, Failure> {
        let key = format!("{folder}/publication.json");
        // Looked for after the newest report was read: if that is of this sweep, this was written before.
        if let Some(fixed) = self.read(&key).await? {
            return Ok(fixed);
        }
        let fixes = ends.is_some();
        let publication = Publication::first(listing, &latest, ends.unwrap_or_default(), clock::now());
        if fixes {
            let content = serde_json::to_string(&publication);
            let content = content.map_err(|error| Failure::with_detail(Cause::CallFailed, error))?;
            self.reports.put_object(&key, content).await?;
        }
        Ok(publication)
    }

    /// The report of this key. That it cannot be read now is a failure, which is tried again; what cannot be parsed never
    /// will be.
    async fn report(&self, key: &str) -> Result<Stored, Failure> {
        Ok(match self.reports.find_object(key, None, MAX_REPORT).await? {
            Found::Object { content, .. } => {
                Report::for_comparison(&content).map_or(Stored::Unreadable, |report| Stored::Report(Box::new(report)))
            }
            Found::Missing | Found::Unchanged => Stored::Nothing,
        })
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Failure> {
        match self.reports.find_object(key, None, MAX_REPORT).await? {
            Found::Object { content, .. } => serde_json::from_slice(&content)
                .map(Some)
                .map_err(|error| Failure::with_detail(Cause::InputRefused, format_args!("{key}: {error}."))),
            Found::Missing | Found::Unchanged => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_asking_has_a_sample_and_each_is_taken() {
        payloads::check(ComplianceReporter::NAME, ["by the state machine", "by hand"], |sample| {
            let input: Input = serde_json::from_value(sample.payload)?;
            Ok::<_, serde_json::Error>([input.results.map_or("by hand", |_| "by the state machine")])
        });
    }
}
