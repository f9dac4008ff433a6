//! One account and every control, with a delay on each AWS call: how near the engine comes to the longest chain of
//! calls that must follow one another.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    time::Duration,
};

use jiff::Timestamp;
use local_cloud::{Call, Fault, FaultGuard, FaultKind, LocalCloud, Organization};
use serde_json::{Value, json};

use crate::{DemoOrganization, Package, Stack, console::Console, deploy::root};

/// What each call takes at least.
const CALL: Duration = Duration::from_millis(40);
/// How much longer all controls may take than the one with the longest chain.
const RATIO: f64 = 1.3;

const FUNCTION: &str = "baseline-applier";
/// Controls that only look, so that nothing an apply does makes an account compliant; and those that are about more than one
/// account.
const LEFT_OUT: [&str; 6] =
    ["account-name", "config-recorder", "jump-groups", "member-events", "primary-email", "stack-instances"];

/// Measures and prints; what is over the budget is added to `missed`.
pub(super) async fn measure(
    console: &Console,
    demo: &DemoOrganization,
    missed: &mut Vec<String>,
) -> Result<(), Box<dyn Error>> {
    console.heading("One account, every control, 40 ms on top of each AWS call");
    let bench = Bench::open(demo).await?;
    // Whoever comes first waits for a new process and its connections.
    bench.run(&json!({"account_ids": [bench.together], "mode": "plan"})).await?;
    let _slow: FaultGuard = demo.cloud.faults().add(Fault::new(FaultKind::Latency(CALL)).function(FUNCTION));

    for (mode, what) in [("apply", "an account that has nothing yet"), ("plan", "a compliant account")] {
        let mut alone = BTreeMap::new();
        for (control, account) in bench.controls.iter().map(String::as_str).zip(&bench.alone) {
            alone.insert(
                control,
                bench.run(&json!({"account_ids": [account], "mode": mode, "controls": [control]})).await?,
            );
        }
        let together = bench.run(&json!({"account_ids": [bench.together], "mode": mode})).await?;
        let (slowest, longest) = alone.iter().max_by_key(|(_, run)| run.span).ok_or("no control")?;
        let ratio = together.span.as_secs_f64() / longest.span.as_secs_f64();
        console.fact(
            what,
            &format!(
                "{} calls in {}; {slowest} alone {}; ratio {ratio:.2}",
                together.calls.len(),
                super::milliseconds(together.span),
                super::milliseconds(longest.span),
            ),
        );
        if ratio > RATIO {
            missed.push(format!("{what} takes {ratio:.2} times as long as {slowest} alone; {RATIO} is the budget"));
        }
        if mode == "plan" {
            console.line("");
            console.line("Calls for a compliant account, beside those that find out what it must have and enter it:");
            per_control(console, &bench.controls, &alone);
        }
    }
    Ok(())
}

/// The controls that are measured, by the sections of the schema.
fn controls() -> Result<Vec<String>, Box<dyn Error>> {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(root().join("docs/baseline.schema.json"))?)?;
    let sections = schema["definitions"]["Baseline"]["properties"].as_object().ok_or("no sections")?;
    Ok(sections.keys().filter(|id| !LEFT_OUT.contains(&id.as_str())).cloned().collect())
}

/// Names the calls that each control makes beyond those that every run makes.
fn per_control(console: &Console, controls: &[String], alone: &BTreeMap<&str, Run>) {
    let counted: BTreeMap<_, _> = alone.iter().map(|(control, run)| (*control, run.counted())).collect();
    for control in controls.iter().map(String::as_str) {
        let mut own = Vec::new();
        for (call, count) in &counted[control] {
            let everywhere = counted.values().map(|calls| calls.get(call).copied().unwrap_or_default()).min();
            own.extend(std::iter::repeat_n(*call, count - everywhere.unwrap_or_default()));
        }
        console.fact(control, &format!("{}: {}", own.len(), own.join(", ")));
    }
}

/// An organization with an account for each control, and one for all of them.
struct Bench<'a> {
    cloud: &'a LocalCloud,
    stack: Stack,
    controls: Vec<String>,
    alone: Vec<String>,
    together: String,
    /// All of them, and the management account.
    accounts: BTreeSet<String>,
    _organization: Organization,
}

/// What one invocation did.
struct Run {
    /// From the first call to the answer of the last.
    span: Duration,
    /// The operations, in order of arrival.
    calls: Vec<String>,
}

impl Run {
    fn counted(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.calls {
            *counts.entry(call.as_str()).or_default() += 1;
        }
        counts
    }
}

impl<'a> Bench<'a> {
    async fn open(demo: &'a DemoOrganization) -> Result<Self, Box<dyn Error>> {
        let (cloud, controls) = (&demo.cloud, controls()?);
        let management = cloud.new_account_id();
        let members: Vec<String> = (0..=controls.len()).map(|_| cloud.new_account_id()).collect();
        let mut builder = cloud.organization(&management).unit("/Sandboxes").unit("/Elsewhere").root_access();
        for (position, member) in members.iter().enumerate() {
            builder =
                builder.member(member, &format!("Bench {position}"), &format!("{member}@example.com"), "/Elsewhere");
        }
        let organization = builder.create().await?;
        organization.set_region_time(Duration::ZERO);
        let package = Package::of(&demo.stack).await?;
        let stack = package.deploy(cloud, &management, "steward-bench", &[("BaselineKey", "baseline.yaml")]).await?;
        let example = std::fs::read_to_string(root().join("baseline.example.yaml"))?;
        let place = "\ndefaults:\n  organizational-unit: {organizational_unit: /Sandboxes}\n";
        stack.put_document(&example.replacen("\ndefaults:\n", place, 1)).await?;
        let accounts = members.iter().cloned().chain([management]).collect();
        let (together, alone) = members.split_last().ok_or("no members")?;
        let (together, alone) = (together.clone(), alone.to_vec());
        Ok(Self { cloud, stack, controls, alone, together, accounts, _organization: organization })
    }

    async fn run(&self, input: &Value) -> Result<Run, Box<dyn Error>> {
        let since = self.cloud.sequence();
        let answer = self.stack.baseline(input).await?;
        let rows = answer["rows"].as_array().ok_or_else(|| format!("no rows: {answer}"))?;
        // A control that stops half way would be quick.
        let stopped = rows.iter().find(|row| matches!(row["outcome"].as_str(), Some("unknown" | "not_ready")));
        if let Some(row) = stopped {
            return Err(format!("a control stopped: {row}").into());
        }
        // The other stack of this cloud may still be at work.
        let is_ours = |call: &Call| call.account.as_ref().is_some_and(|caller| self.accounts.contains(caller));
        let calls = self.cloud.calls().since(since).by_function(FUNCTION).only(is_ours);
        let start = calls.iter().map(|call| call.at).min().ok_or("no calls")?;
        let ends = calls.iter().filter_map(|call| call.at.checked_add(call.took).ok());
        let span = ends.max().map_or(Duration::ZERO, |end: Timestamp| end.duration_since(start).unsigned_abs());
        let calls = calls.iter().map(|call| format!("{}:{}", call.service, call.operation)).collect();
        Ok(Run { span, calls })
    }
}
