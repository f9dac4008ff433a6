//! Writes the parts of `docs` that are generated from the code. Tests compare them.

use std::{error::Error, fs, path::Path};

use steward::{baseline, control, organization_check, reference_docs};

fn main() -> Result<(), Box<dyn Error>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = package.join("../docs");
    fs::create_dir_all(&docs)?;
    let schema = serde_json::to_string_pretty(&baseline::json_schema())?;
    fs::write(docs.join("baseline.schema.json"), schema + "\n")?;

    let source_of = |id: &str| fs::read_to_string(package.join(format!("src/control/{}.rs", id.replace('-', "_"))));
    let source_of_check =
        |id: &str| fs::read_to_string(package.join(format!("src/organization_check/{}.rs", id.replace('-', "_"))));
    // Every source is there, or nothing is written.
    control::ALL.iter().try_for_each(|control| source_of(control.id()).map(drop))?;
    organization_check::ALL.iter().try_for_each(|check| source_of_check(check.id()).map(drop))?;
    let controls = reference_docs::controls(|id| source_of(id).unwrap_or_default());
    let checks = reference_docs::organization_checks(|id| source_of_check(id).unwrap_or_default());
    fs::write(docs.join("CONTROLS.md"), controls + &checks)?;
    fs::write(docs.join("PERMISSIONS.md"), reference_docs::permissions())?;
    let runbook = fs::read_to_string(docs.join("RUNBOOK.md"))?;
    fs::write(docs.join("RUNBOOK.md"), reference_docs::runbook(&runbook))?;
    Ok(())
}
