//! Where the pinned tools are installed.

use std::path::{Path, PathBuf};

/// The virtual environments that `make tools` installs into the checkout.
#[derive(Clone, Debug)]
pub struct Tools {
    root: PathBuf,
}

impl Tools {
    /// The tools of this checkout, or those in the folder that the variable `STEWARD_TOOLS` names.
    #[expect(clippy::disallowed_methods, reason = "a developer's override; the deployed code never links this crate")]
    pub fn locate() -> Self {
        let root = std::env::var_os("STEWARD_TOOLS").map_or_else(|| checkout().join(".tools"), PathBuf::from);
        Self { root }
    }

    /// The executable that serves the emulated services.
    pub fn ministack(&self) -> PathBuf {
        self.root.join("ministack/bin/ministack")
    }

    /// The interpreter beside it, whose environment also holds botocore.
    pub fn python(&self) -> PathBuf {
        self.root.join("ministack/bin/python")
    }
}

/// The root of the checkout this crate was built from.
fn checkout() -> PathBuf {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_root.ancestors().nth(2).unwrap_or(crate_root).to_owned()
}
