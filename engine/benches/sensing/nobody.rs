//! The same measurements without privileges.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, ExitCode, ExitStatus};

const NOBODY: u32 = 65534;

/// Runs this program again as nobody, with the same arguments but this one.
pub fn again() -> ExitCode {
    if !rustix::process::geteuid().is_root() {
        eprintln!("--as-nobody needs root to begin with; you have no privileges: leave it out");
        return ExitCode::from(2);
    }
    match run() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("as nobody: {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("as nobody: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The program and the engine's segments go where nobody may read and write.
fn run() -> io::Result<ExitStatus> {
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    let program = folder.path().join("sensing");
    fs::copy(std::env::current_exe()?, &program)?;
    fs::set_permissions(&program, Permissions::from_mode(0o755))?;
    let segments = folder.path().join("wq");
    fs::create_dir(&segments)?;
    fs::set_permissions(&segments, Permissions::from_mode(0o700))?;
    chown(&segments, Some(NOBODY), Some(NOBODY))?;
    let id = |what: &str| format!("--{what}={NOBODY}");
    Command::new("setpriv")
        .args([id("reuid"), id("regid")])
        .args(["--clear-groups", "--inh-caps=-all", "--bounding-set=-all"])
        .arg(program)
        .args(std::env::args().skip(1).filter(|arg| arg != "--as-nobody"))
        .env("WQ_RUNTIME_DIR", segments)
        .current_dir(folder.path())
        .status()
}
