//! Writes the parts of `docs` that are generated from the code. Tests compare them.

use std::{error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    fs::create_dir_all(&docs)?;
    let schema = serde_json::to_string_pretty(&steward::baseline::json_schema())?;
    fs::write(docs.join("baseline.schema.json"), schema + "\n")?;
    Ok(())
}
