//! Sweeps over a thousand and ten thousand accounts at the rates that AWS publishes, in real time, and the same thousand
//! read by boto3.
//!
//! The members are simulated: the local cloud answers their calls itself, on the same processors.

use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{boto3, requests};
use crate::{
    Package, Stack,
    console::Console,
    deploy::{deploy, root},
    process::{children, cpu_seconds, peak_kb, processes_of},
};
use local_cloud::{Fault, FaultKind, LocalCloud, Options};

/// What a sweep takes of the quotas while it checks, and while it lists accounts: the rest is for other functions. STS
/// has enough for everybody.
const SHARE: f64 = 0.4;
const SHARE_OF_LISTING: f64 = 0.65;
/// How long a sweep of ten thousand accounts may take.
const TEN_THOUSAND: f64 = 120.0;
/// How many times slower than a sweep boto3 is at least, and how many times the processor it uses.
const SLOWER: f64 = 5.0;
const MORE_CPU: f64 = 10.0;
/// What a call takes on AWS.
const CALL: Duration = Duration::from_millis(40);
/// How much memory whoever writes the report of ten thousand accounts may need, in MB.
const REPORT: f64 = 256.0;
/// How much more memory a batch may need in a sweep of ten times as many accounts.
const FLAT: f64 = 1.25;
pub(super) const SIZES: [usize; 2] = [1_000, 10_000];
/// The stack sets that the document of the sample names.
const STACK_SETS: [&str; 2] = ["steward-member-events", "steward-config-recorder"];
/// The tags that the document of the sample wants in each unit below `/Workloads`. An organization that was looked after before
/// has them: an account in which they differ costs a call of its own, ten a second for everybody.
const TAGS: [(&str, &[(&str, &str)]); 4] = [
    ("/Workloads", &[("managed-by", "steward"), ("cost-center", "unassigned")]),
    ("/Workloads/Production", &[("managed-by", "steward"), ("cost-center", "products"), ("stage", "production")]),
    ("/Workloads/Staging", &[("managed-by", "steward"), ("cost-center", "products"), ("stage", "staging")]),
    ("/Workloads/Test", &[("managed-by", "steward"), ("cost-center", "products"), ("stage", "test")]),
];
/// How many accounts a batch has.
const BATCH: usize = 50;

/// Operation, calls per second, and calls at once, of what the management account pays: what AWS publishes (AWS Organizations
/// user guide, "Quotas"; IAM user guide, "IAM and AWS STS quotas"), and what Steward allows itself where AWS publishes nothing.
const QUOTAS: [(&str, f64, f64); 5] = [
    ("organizations:DescribeOrganizationalUnit", 2.0, 2.0),
    ("organizations:ListAccounts", 8.0, 12.0),
    ("organizations:ListTagsForResource", 10.0, 15.0),
    ("sts:AssumeRole", 600.0, 600.0),
    ("tag:GetResources", 5.0, 5.0),
];

/// Measures and prints; what is over the budget is added to `missed`.
pub(super) async fn measure(
    console: &Console,
    sizes: &[usize],
    missed: &mut Vec<String>,
) -> Result<(), Box<dyn Error>> {
    console.heading("Sweeps, every control in each account, 40 ms per AWS call, at the published rates");
    let log = Some(PathBuf::from(".local-cloud/sweeps.log"));
    let options = Options { keep_calls: false, log, ..Options::default() };
    let cloud = LocalCloud::start(options)?;
    let mut memory = Vec::new();
    let mut original: Option<Stack> = None;
    let slow = ["account-lister", "compliance-checker", "compliance-reporter", boto3::NAME];
    let _slow = slow.map(|name| cloud.faults().add(Fault::new(FaultKind::Latency(CALL)).function(name)));
    for accounts in sizes.iter().copied() {
        let management = cloud.new_account_id();
        let builder = ["Production", "Staging", "Test"]
            .iter()
            .fold(cloud.organization(&management), |builder, unit| builder.unit(&format!("/Workloads/{unit}")));
        let alias = Some("example-{account_id}");
        let organization = builder.root_access().simulated_members(accounts, "/Workloads", alias).create().await?;
        // Nobody here reads CloudTrail's records.
        organization.set_records(0, Duration::ZERO);
        let units = TAGS.map(|(path, tags)| (organization.unit_id(path), tags));
        for account in organization.account_ids() {
            let unit = organization.parent_of(&account);
            if let Some((_, tags)) = units.iter().find(|(id, _)| *id == unit) {
                organization.set_tags(&account, tags);
            }
        }
        // The two of the document, each with an instance in every account.
        for name in STACK_SETS {
            organization.make_stack_set(name, Some(&[&organization.root_id()]));
            for account in organization.account_ids() {
                organization.set_stack_instance(name, (&account, "us-east-1"), ("CURRENT", "SUCCEEDED", ""));
            }
        }
        let (name, parameters) =
            (format!("sweep-{accounts}"), [("BaselineKey", "baseline.yaml"), ("MaxChangedPercent", "100")]);
        let stack = match &original {
            Some(original) => Package::of(original).await?.deploy(&cloud, &management, &name, &parameters).await?,
            None => deploy(&cloud, &management, &name, &parameters).await?,
        };
        stack.put_document(&document()?).await?;
        let measured = one(console, &cloud, &stack, accounts, missed).await?;
        memory.push(measured.checker);
        if accounts == SIZES[0] {
            let boto3 = boto3::sweep(&cloud, &management, accounts).await?;
            compare(console, &measured, &boto3, missed);
        } else {
            requests::measure(console, &stack, missed).await?;
        }
        original.get_or_insert(stack);
    }
    if let [small, large] = memory[..]
        && large > small * FLAT
    {
        missed.push(format!(
            "a batch of a large sweep needs {:.2} times the memory; {FLAT} is the budget",
            large / small
        ));
    }
    Ok(())
}

/// The sample, with an account in the place of the tag by which one billing alarm is chosen. The members have no alarms: each
/// would be asked for its tags before that is called drift, ten in a second.
fn document() -> Result<String, Box<dyn Error>> {
    const BY_TAG: &str = "match: {tag: {cost-center: research}}";
    let sample = std::fs::read_to_string(root().join("baseline.example.yaml"))?;
    if !sample.contains(BY_TAG) {
        return Err(format!("the sample has no {BY_TAG} any more").into());
    }
    Ok(sample.replace(BY_TAG, "match: {account: \"109876543210\"}"))
}

/// What one sweep took: seconds, seconds of processors, and the peak memory of the functions that work on its batches, in MB.
struct Measured {
    took: f64,
    cpu_seconds: f64,
    checker: f64,
}

/// Holds a sweep against the script.
fn compare(console: &Console, sweep: &Measured, boto3: &boto3::Took, missed: &mut Vec<String>) {
    let (slower, more) = (boto3.time.as_secs_f64() / sweep.took, boto3.cpu_seconds / sweep.cpu_seconds);
    console.fact(
        "boto3, 32 threads",
        &format!(
            "{:.0} s, {:.1} CPU-seconds: {slower:.1} times the time and {more:.1} times the CPU of the sweep",
            boto3.time.as_secs_f64(),
            boto3.cpu_seconds
        ),
    );
    if slower < SLOWER || more < MORE_CPU {
        missed.push(format!(
            "boto3 takes {slower:.1} times the time and {more:.1} times the CPU; {SLOWER} and {MORE_CPU} are the budget"
        ));
    }
}

/// One sweep.
async fn one(
    console: &Console,
    cloud: &LocalCloud,
    stack: &Stack,
    accounts: usize,
    missed: &mut Vec<String>,
) -> Result<Measured, Box<dyn Error>> {
    let before = calls(cloud);
    let cloud_before = cloud_cpu_seconds()?;
    let begun = Instant::now();
    let execution = stack.start_sweep().await?;
    let ended = stack.end_of_sweep(&execution, Duration::from_mins(30)).await;
    let took = begun.elapsed().as_secs_f64();
    let mut made = calls(cloud);
    for (call, count) in before {
        *made.entry(call).or_default() -= count;
    }
    if ended["totals"]["accounts"] != accounts + 1 || ended["totals"]["unknown"] != 0 {
        return Err(format!("the sweep has not seen everything: {ended}").into());
    }
    let throttled = made.iter().filter(|((_, is_throttled), _)| *is_throttled).map(|(_, count)| count).sum::<u64>();
    let mut by_operation: BTreeMap<&str, u64> = BTreeMap::new();
    for ((operation, _), count) in &made {
        *by_operation.entry(operation).or_default() += count;
    }
    let all: u64 = by_operation.values().sum();
    let (bound, slowest) = bound(&by_operation);
    let ratio = took / bound;
    let peak = |output: &str| -> Result<f64, Box<dyn Error>> {
        let peaks = processes_of(stack.output(output))?.iter().filter_map(|process| peak_kb(process)).max();
        Ok(super::megabytes(peaks.ok_or("no process was found")? * 1024))
    };
    let checker = peak("ComplianceCheckerFunction")?;
    let reporter = peak("ComplianceReporterFunction")?;
    let mut cpu = 0.0;
    for output in ["AccountListerFunction", "ComplianceCheckerFunction", "ComplianceReporterFunction"] {
        cpu += processes_of(stack.output(output))?.iter().filter_map(|process| cpu_seconds(process)).sum::<f64>();
    }
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let (per_second, per_account) = (accounts as f64 / took, all as f64 / accounts as f64);
    console.fact(
        &format!("{accounts} accounts"),
        &format!(
            "{took:.0} s, {per_second:.2} accounts a second, {per_account:.1} calls an account, {throttled} throttled"
        ),
    );
    console.fact("", &format!("the sweep's share of the quotas allows {bound:.0} s ({slowest}); ratio {ratio:.2}"));
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let cpu_per_thousand = cpu * 1000.0 / accounts as f64;
    console.fact("", &format!("{cpu_per_thousand:.1} CPU-seconds per 1,000 accounts; {}", cost(accounts, took)));
    console.fact(
        "",
        &format!(
            "peak memory: lister {:.1} MB, checker {checker:.1} MB, reporter {reporter:.1} MB",
            peak("AccountListerFunction")?
        ),
    );
    let listed = by_operation.get("cloudformation:ListStackInstances").copied().unwrap_or(0);
    console.fact("", &format!("{listed} calls list the instances of {} stack sets", STACK_SETS.len()));
    let lists = by_operation.get("organizations:ListAccounts").copied().unwrap_or(0);
    console
        .fact("", &format!("{lists} pages of accounts; {}", cloud_cpu(cloud_before, cloud_cpu_seconds()?, accounts)));
    if reporter > REPORT {
        missed.push(format!("the report of {accounts} accounts needs {reporter:.0} MB; {REPORT} is the budget"));
    }
    if throttled > 0 {
        missed.push(format!("{throttled} calls of a sweep of {accounts} accounts were throttled; none is the budget"));
    }
    if accounts == 10_000 && took > TEN_THOUSAND {
        missed.push(format!("a sweep of {accounts} accounts takes {took:.0} s; {TEN_THOUSAND} is the budget"));
    }
    Ok(Measured { took, cpu_seconds: cpu, checker })
}

/// The CPU-seconds of the processes that answer: this one, and those that it has started.
fn cloud_cpu_seconds() -> Result<[f64; 2], Box<dyn Error>> {
    let own = cpu_seconds(Path::new("/proc/self")).ok_or("this process is not in /proc")?;
    let emulator = children()?.iter().filter_map(|process| cpu_seconds(process)).sum();
    Ok([own, emulator])
}

fn cloud_cpu(before: [f64; 2], after: [f64; 2], accounts: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let per_thousand = |place: usize| (after[place] - before[place]) * 1000.0 / accounts as f64;
    format!(
        "the cloud: {:.1} CPU-seconds per 1,000 accounts at the front, {:.1} behind it",
        per_thousand(0),
        per_thousand(1)
    )
}

/// What a sweep costs on AWS at most, in words: transitions of its state machine at 0.025 USD a thousand (two a batch, three each
/// time that one of four workers waits two seconds for a batch), and four checkers of
/// 1 GB for as long as it takes at 0.0000166667 USD a gigabyte-second.
fn cost(accounts: usize, seconds: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let transitions = ((accounts.div_ceil(BATCH) * 2 + 40) as f64 + seconds * 6.0) * 0.000_025;
    let functions = 4.0 * seconds * 0.000_016_666_7;
    format!("one sweep costs at most {:.3} USD", transitions + functions)
}

/// The calls of the sweep's functions so far, by operation and whether they were throttled.
fn calls(cloud: &LocalCloud) -> BTreeMap<(String, bool), u64> {
    let mut calls = BTreeMap::new();
    for (kind, count) in cloud.counts() {
        let is_ours = |name: &str| name == "account-lister" || name.starts_with("compliance-");
        if kind.function.as_deref().is_some_and(is_ours) {
            let is_throttled = kind.error.is_some_and(|code| code.contains("Throttl") || code.contains("TooMany"));
            *calls.entry((format!("{}:{}", kind.service, kind.operation), is_throttled)).or_default() += count;
        }
    }
    calls
}

fn is_listing(operation: &str) -> bool {
    operation == "organizations:ListAccounts"
}

/// The seconds that the quotas demand for these calls: accounts are looked at while others are listed, and the slowest
/// operation decides.
fn bound(calls: &BTreeMap<&str, u64>) -> (f64, &'static str) {
    #[expect(clippy::cast_precision_loss, reason = "counts of calls fit a double")]
    let seconds = |(operation, rate, burst): (&str, f64, f64)| {
        let share = match operation {
            _ if is_listing(operation) => SHARE_OF_LISTING,
            "sts:AssumeRole" | "tag:GetResources" => 1.0,
            _ => SHARE,
        };
        (calls.get(operation).copied().unwrap_or(0) as f64 - burst * share).max(0.0) / (rate * share)
    };
    let slowest = QUOTAS.into_iter().max_by(|one, other| seconds(*one).total_cmp(&seconds(*other)));
    slowest.map_or((0.0, ""), |slowest| (seconds(slowest), slowest.0))
}
