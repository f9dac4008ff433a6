//! The memory of the functions' processes, as the kernel counts it.

use std::{fs, io, path::Path};

/// The peak resident memory, in KiB, of every living process of a function.
pub(super) fn peak_kb(function: &str) -> io::Result<Vec<u64>> {
    let variable = format!("AWS_LAMBDA_FUNCTION_NAME={function}");
    let mut peaks = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        // A process may end while it is looked at.
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|one| one == variable.as_bytes()) {
            peaks.extend(peak_of(&process));
        }
    }
    Ok(peaks)
}

fn peak_of(process: &Path) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
