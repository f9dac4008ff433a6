//! The organization in which the demonstration plays, with Steward deployed into it.

use std::{
    error::Error,
    path::PathBuf,
    time::{Duration, Instant},
};

use local_cloud::{LocalCloud, Options, Organization};

use crate::{Stack, console::Console, deploy};

/// The management account of the demo.
pub(crate) const MANAGEMENT_ACCOUNT: &str = "111111111111";
/// The account that people sign in to.
pub(crate) const JUMP_ACCOUNT: &str = "111122223333";
/// An address that an account outside the organization already uses.
pub(crate) const TAKEN_EMAIL: &str = "already-taken@example.com";

/// Teams, which have an account for each stage.
const TEAMS: [&str; 15] = [
    "Payments",
    "Checkout",
    "Search",
    "Catalog",
    "Fraud",
    "Loyalty",
    "Shipping",
    "Pricing",
    "Identity",
    "Mobile",
    "Data",
    "Media",
    "Support",
    "Advertising",
    "Invoices",
];
const STAGES: [&str; 3] = ["Production", "Staging", "Test"];

/// The baseline document at first: the billing alarm and nothing else.
const FIRST_DOCUMENT: &str =
    "version: 1\ndefaults:\n  billing-alarm: {threshold_usd: 100, emails: [platform@example.com]}\n";

/// A local cloud with an organization, and Steward in it.
pub struct DemoOrganization {
    /// The cloud. It ends when this is dropped.
    pub cloud: LocalCloud,
    /// The organization.
    pub organization: Organization,
    /// The deployed stack.
    pub stack: Stack,
}

impl DemoOrganization {
    /// Starts the cloud, makes the organization, with `more` accounts of teams, and deploys the stack; says so on the
    /// console. `port` 0 takes a free one.
    pub async fn open(console: &Console, port: u16, more: usize) -> Result<Self, Box<dyn Error>> {
        let log = PathBuf::from(".local-cloud/ministack.log");
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let cloud = LocalCloud::start(Options { port, log: Some(log), ..Options::default() })?;
        console.fact("local cloud", &format!("{} (its log: .local-cloud/ministack.log)", cloud.endpoint()));

        let mut builder = cloud
            .organization(MANAGEMENT_ACCOUNT)
            .unit("/Management")
            .unit("/Custodian")
            .unit("/Shared")
            .unit("/Workloads/Production")
            .unit("/Workloads/Staging")
            .unit("/Workloads/Test")
            .unit("/Sandboxes")
            .unit("/Suspended")
            .member(JUMP_ACCOUNT, "Jump", "aws+jump@example.com", "/Custodian")
            .member("222222222222", "Logs", "aws+logs@example.com", "/Management")
            .member("333333333333", "Shop", "aws+shop@example.com", "/Workloads/Production")
            .root_access()
            .creation_time(Duration::from_secs(4))
            .role_delay(Duration::from_secs(5));
        let stages = TEAMS.iter().flat_map(|team| STAGES.map(|stage| (team, stage)));
        for (team, stage) in stages.take(more) {
            let email = format!("aws+{team}-{stage}@example.com").to_ascii_lowercase();
            let (name, unit) = (format!("{team} {stage}"), format!("/Workloads/{stage}"));
            builder = builder.member(&cloud.new_account_id(), &name, &email, &unit);
        }
        let organization = builder.create().await?;
        organization.email_used_elsewhere(TAKEN_EMAIL);
        organization.set_region_time(Duration::from_secs(5));
        console.fact("organization", &format!("{}, managed by {MANAGEMENT_ACCOUNT}", organization.id()));

        let start = Instant::now();
        // What is shown is how drift is remediated, and half of so few accounts drift.
        // So is how accounts are closed, which does not wait for a week here.
        let unit = organization.unit_id("/Suspended").unwrap_or_default();
        organization.deny_everything_in("/Suspended", true);
        let parameters = [
            ("BaselineKey", "baseline.yaml"),
            ("MaxChangedPercent", "100"),
            ("EmailDomains", "company.example"),
            ("SuspendedUnitId", unit.as_str()),
            ("CoolingOffDays", "0"),
            ("JumpAccountId", JUMP_ACCOUNT),
        ];
        let stack = deploy(&cloud, MANAGEMENT_ACCOUNT, "steward", &parameters).await?;
        console.fact("sam deploy", &format!("stack steward, {:.1} s", start.elapsed().as_secs_f64()));
        stack.put_document(FIRST_DOCUMENT).await?;
        Ok(Self { cloud, organization, stack })
    }
}
