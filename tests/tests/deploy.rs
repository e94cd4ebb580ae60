//! The forms in which Assay is deployed are sound: everything in `deploy/` that can be checked without an engine is.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

#[test]
fn what_is_deployed_passes_its_own_check() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = root.join("deploy/check.sh");
    let checked = Command::new("sh").arg(&script).arg(root.join("target/deploy-tools")).output();
    let checked = checked.with_context(|| format!("running {}", script.display()))?;
    let said = String::from_utf8_lossy(&checked.stdout);
    let complained = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}{complained}");
    assert!(said.contains("deploy: everything holds"), "{said}{complained}");
    Ok(())
}
