//! Ends a sweep: gathers what was found, compares it with the report before, and publishes the report.

mod gather;
mod told;

use compliance_report::Report;
use lambda_runtime::{LambdaEvent, tracing};
use serde::Deserialize;
use serde_json::Value;
use steward::{
    clock,
    error::{Cause, Failure},
    gateway::{DynamoDbGateway, EventBridgeGateway, Found, S3Gateway},
    mending::Mending,
    settings::{NotConfigured, Settings},
    start::SdkConfig,
    sweep::{Listing, SweepId},
    telemetry,
};

use gather::{BatchEnd, failures, sweep};
pub use told::{ComplianceReported, Totals};

/// The largest report that is read: that of some ten thousand accounts.
const MAX_REPORT: usize = 200 * 1024 * 1024;

/// The function.
#[derive(Debug)]
pub struct ComplianceReporter {
    reports: S3Gateway,
    bus: EventBridgeGateway,
    mending: Mending,
}

#[derive(Debug, Deserialize)]
struct Input {
    sweep_id: SweepId,
    /// What the state machine knows of the batches; nothing when a person asks.
    #[serde(default)]
    results: Vec<BatchEnd>,
}

impl ComplianceReporter {
    /// The function's name.
    pub const NAME: &'static str = "compliance-reporter";

    /// Makes the function from its environment.
    pub fn new(config: &SdkConfig) -> Result<Self, NotConfigured> {
        let mut settings = Settings::from_environment();
        let function = Self {
            reports: S3Gateway::of(config, settings.reports_bucket()),
            bus: EventBridgeGateway::of(config, settings.bus_name()),
            mending: Mending::new(DynamoDbGateway::of(config, settings.table_name())),
        };
        settings.finish().map(|()| function)
    }

    /// Publishes the report of one sweep: `{"sweep_id": "..."}`, also by hand for one that is over. Batches of which
    /// nothing is there are unknown accounts, with the name of the error that ended them.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<ComplianceReported, Failure> {
        let Input { sweep_id, results: ends } = serde_json::from_value(event.payload)
            .map_err(|error| Failure::with_detail(Cause::InvalidRequest, format_args!("{error}.")))?;
        let listing: Listing = self.read(&sweep_id.listing_key()).await?.ok_or_else(|| {
            Failure::with_detail(Cause::NotFound, format_args!("There is no sweep {sweep_id} in the bucket."))
        })?;
        self.mending.end(&sweep_id, clock::now()).await?;
        let results = gather::results(&self.reports, &listing).await?;
        let previous: Option<Report> = self.read("latest/report.json").await.unwrap_or_else(|failure| {
            tracing::warn!("the report before cannot be read, so nothing is compared with it: {failure}");
            None
        });
        // A sweep that is reported again is compared with what was before it.
        let earlier = previous.as_ref().filter(|previous| previous.sweep.sweep_id != sweep_id.as_str());
        let report = Report::new(sweep(listing, results, &failures(ends), clock::now()), earlier);
        let is_newest = previous.as_ref().is_none_or(|previous| previous.sweep.started_at <= report.sweep.started_at);
        let folder = format!("reports/{}/{sweep_id}", report.sweep.started_at.strftime("%Y-%m-%d"));
        let folders: &[&str] = if is_newest { &[&folder, "latest"] } else { &[&folder] };
        let rendered = [("html", report.to_html()), ("csv", report.to_csv()), ("json", report.to_json())];
        for folder in folders {
            for (name, content) in &rendered {
                let content = content.as_ref().map_err(|error| Failure::with_detail(Cause::CallFailed, error))?;
                self.reports.put_object(&format!("{folder}/report.{name}"), content.clone()).await?;
            }
        }
        let told = ComplianceReported::of(&report, self.reports.bucket(), &folder);
        telemetry::emit(&told.metrics());
        self.bus.put(&told).await?;
        Ok(told)
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
