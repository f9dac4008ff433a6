//! The benchmarks: cold start, memory and size of every function, and the time of one account, against their budgets.

mod account;
mod boto3;
mod cold_start;
mod requests;
mod sweep;

use std::{error::Error, fs, io, path::PathBuf, time::Duration};

use local_cloud::Method;
use serde_json::{Value, json};

use crate::{
    DemoOrganization, Stack,
    console::Console,
    deploy::root,
    eventually,
    process::{peak_kb, processes_of},
};

/// Budgets: what a cold start may take, alone and beside Python; what a function may need; what it may weigh.
const COLD_START: Duration = Duration::from_millis(10);
const PYTHON_RATIO: f64 = 16.0;
const MEMORY_KB: u64 = 40 * 1024;
const ZIP_BYTES: u64 = 13 * 1024 * 1024 / 2;

/// The functions: their crate, and their logical id in the template.
fn functions() -> io::Result<Vec<(String, String)>> {
    let folder = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    let mut names = fs::read_dir(root().join("functions"))?.map(folder).collect::<io::Result<Vec<String>>>()?;
    names.sort();
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    let with_logical_id = |name: String| {
        let logical_id = name.split('-').map(capitalized).collect();
        (name, logical_id)
    };
    Ok(names.into_iter().map(with_logical_id).collect())
}

/// Measures everything, or one part, and prints it. An error when a budget is missed.
pub(crate) async fn measure(part: &str) -> Result<(), Box<dyn Error>> {
    let console = Console;
    let mut missed = Vec::new();
    if !["", "cold-start", "load", "sweep", "sweep-10000"].contains(&part) {
        return Err(format!("{part} is no part of the benchmarks").into());
    }
    if ["", "cold-start"].contains(&part) {
        cold_starts(&console, &mut missed).await?;
    }
    if ["", "load"].contains(&part) {
        under_load(&console, &mut missed).await?;
    }
    match part {
        "" | "sweep" => sweep::measure(&console, &sweep::SIZES, &mut missed).await?,
        // Alone it has nothing beside it to be compared with.
        "sweep-10000" => sweep::measure(&console, &sweep::SIZES[1..], &mut missed).await?,
        _ => {}
    }
    if missed.is_empty() { Ok(()) } else { Err(missed.join("; ").into()) }
}

async fn cold_starts(console: &Console, missed: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    let functions = functions()?;

    console.heading("Cold start: from the start of the process until it asks for its first event (median of 15)");
    let python = cold_start::of_python().await?;
    console.fact("python + boto3", &milliseconds(python));
    for (name, logical_id) in &functions {
        let bootstrap = root().join(".aws-sam/build").join(logical_id).join("bootstrap");
        let took = cold_start::of(&bootstrap).await?;
        let ratio = python.as_secs_f64() / took.as_secs_f64();
        console.fact(name, &format!("{}, 1/{ratio:.0} of python", milliseconds(took)));
        // The ratio is the budget that holds on any machine; the time is for one at rest.
        if ratio < PYTHON_RATIO {
            missed.push(format!("{name} starts in 1/{ratio:.0} of Python's time; 1/{PYTHON_RATIO:.0} is the budget"));
        }
        if took > COLD_START {
            console.line(&format!("  more than the {} of a machine at rest", milliseconds(COLD_START)));
        }
    }
    Ok(())
}

async fn under_load(console: &Console, missed: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    let functions = functions()?;
    console.heading("Under load: 20 accounts requested at once");
    let demo = DemoOrganization::open(console, 0, 0).await?;
    twenty_accounts(&demo).await?;
    twenty_regions(&demo).await?;
    for function in ["OrganizationPreparerFunction", "DeadLetterReplayerFunction"] {
        demo.stack.invoke(function, &json!({})).await?;
    }
    demo.stack.invoke("AccountCloserFunction", &json!({"list": true})).await?;
    let audit = json!({"task": "audit-credentials", "all": true, "reason": "to see what it costs"});
    demo.stack.invoke("RootTaskRunnerFunction", &audit).await?;
    demo.stack
        .invoke("AccountUpdaterFunction", &json!({"task": "regions", "organizational_unit": "/Sandboxes"}))
        .await?;
    demo.stack.invoke("JumpUserManagerFunction", &json!({"list": true})).await?;
    let sweep = demo.stack.start_sweep().await?;
    demo.stack.end_of_sweep(&sweep, Duration::from_mins(5)).await;
    console.line("");
    for (name, logical_id) in &functions {
        let function = demo.stack.output(&format!("{logical_id}Function"));
        let memory: Vec<u64> = processes_of(function)?.iter().filter_map(|process| peak_kb(process)).collect();
        let zip = code_size(&demo.stack, function).await?;
        let peak = memory.iter().copied().max().ok_or_else(|| format!("no process of {name} was found"))?;
        console.fact(
            name,
            &format!(
                "peak memory {:.1} MB ({} processes), zip {:.2} MB",
                megabytes(peak * 1024),
                memory.len(),
                megabytes(zip)
            ),
        );
        if peak > MEMORY_KB {
            missed.push(format!("{name} needs {:.1} MB; 40 MB is the budget", megabytes(peak * 1024)));
        }
        if zip > ZIP_BYTES {
            missed.push(format!("{name} weighs {:.2} MB; 6.5 MB is the budget", megabytes(zip)));
        }
    }
    account::measure(console, &demo, missed).await
}

async fn twenty_accounts(demo: &DemoOrganization) -> Result<(), Box<dyn Error>> {
    let mut ids = Vec::new();
    for n in 0..20 {
        let spec = json!({"account_name": format!("Load {n}"), "email": format!("load-{n}@example.com")});
        let answer = demo.stack.request(&spec).await?;
        ids.push(answer["request_id"].as_str().ok_or_else(|| answer.to_string())?.to_owned());
    }
    eventually("twenty accounts", Duration::from_mins(10), async || {
        (demo.organization.accounts_created() == ids.len()).then_some(())
    })
    .await;
    Ok(())
}

/// Twenty changes of a region, as their auditor hears of them.
async fn twenty_regions(demo: &DemoOrganization) -> Result<(), Box<dyn Error>> {
    let sample = std::fs::read_to_string(root().join("events/region-opt-auditor/region-enabled.json"))?;
    let mut event: Value = serde_json::from_str(&sample)?;
    for second in 0..20 {
        event["time"] = format!("2026-09-30T06:51:{second:02}Z").into();
        demo.stack.invoke("RegionOptAuditorFunction", &event).await?;
    }
    Ok(())
}

/// The size of what was uploaded, as AWS Lambda reports it.
async fn code_size(stack: &Stack, function: &str) -> Result<u64, Box<dyn Error>> {
    let path = format!("/2015-03-31/functions/{function}");
    let answer = stack.client.rest("lambda", Method::GET, &path, "").await?;
    let answer: Value = serde_json::from_slice(answer.body())?;
    answer["Configuration"]["CodeSize"].as_u64().ok_or_else(|| "no code size".into())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

/// A script that does what a function does before its first event, in Python.
fn python_function() -> PathBuf {
    root().join("tests/harness/src/bench/cold_start.py")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[tokio::test]
    async fn every_function_starts_with_what_the_benchmark_tells_it() {
        // The folder of this test's own executable is beside the functions.
        let built = std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned();
        for (name, _) in functions().unwrap() {
            cold_start::starts(&built.join(&name)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
