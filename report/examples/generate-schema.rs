//! Writes `docs/report.schema.json`. A test compares it.

use std::{error::Error, fs, path::Path};

use compliance_report::Report;

fn main() -> Result<(), Box<dyn Error>> {
    let schema = serde_json::to_string_pretty(&Report::json_schema())?;
    Ok(fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json"), schema + "\n")?)
}
