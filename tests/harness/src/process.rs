//! The processes in which the local cloud runs the functions.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// The folders under `/proc` of every living process of a function.
pub fn processes_of(function: &str) -> io::Result<Vec<PathBuf>> {
    let variable = format!("AWS_LAMBDA_FUNCTION_NAME={function}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        // A process may end while it is looked at.
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|one| one == variable.as_bytes()) {
            found.push(process);
        }
    }
    Ok(found)
}

/// The folders under `/proc` of the processes that this one has started: what the cloud is made of, and not the functions in it.
pub(crate) fn children() -> io::Result<Vec<PathBuf>> {
    let own = std::process::id().to_string();
    let is_child = |process: &PathBuf| {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        // Behind the name of the program: its state, and whose child it is (proc(5)).
        stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(1)) == Some(&own)
    };
    let all = fs::read_dir("/proc")?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(all.into_iter().filter(is_child).collect())
}

/// The peak resident memory of a process, in KiB; None when it has ended.
pub(crate) fn peak_kb(process: &Path) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The seconds of processors that a process has used; None when it has ended.
pub(crate) fn cpu_seconds(process: &Path) -> Option<f64> {
    // In hundredths of a second, behind the name of the program (proc(5), `utime` and `stime`).
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some((next()? + next()?) / 100.0)
}

/// Kills every process of a function, as a sandbox of AWS Lambda may end at any moment.
pub fn kill(function: &str) -> io::Result<()> {
    let processes = processes_of(function)?;
    let ids = processes.iter().filter_map(|process| process.file_name());
    let status = Command::new("kill").arg("-9").args(ids).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("kill: {status}"))) }
}
