//! Programs that run for as long as a test: started, awaited, and stopped
//! however the test ends.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take until it serves.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Whether a program that the test needs is missing; says so where a reader
/// of the test's output sees it.
///
/// # Panics
/// With `RHUMB_NO_SKIP` set: then nothing may be missing.
pub(crate) fn missing(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps daemons where only root's PATH leads.
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(["/usr/sbin".into()]).collect();
    let absent: Vec<&str> = programs
        .iter()
        .filter(|program| !folders.iter().any(|folder| folder.join(program).is_file()))
        .copied()
        .collect();
    if !absent.is_empty() {
        skipped(&format!("needs {}", absent.join(", ")));
    }
    !absent.is_empty()
}

/// Says that a test did not run. Written past the test harness, which keeps
/// what `println!` prints in tests that pass.
pub(crate) fn skipped(why: &str) {
    assert!(std::env::var_os("RHUMB_NO_SKIP").is_none(), "RHUMB_NO_SKIP is set: {why}");
    let _ = writeln!(io::stdout(), "SKIPPED: {}: {why}", std::thread::current().name().unwrap_or("test"));
}

/// A fresh directory for one test's files, the same one each run.
pub(crate) fn fresh_directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// The repository's `testdata/`.
pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata")
}

/// A program in the background; its output goes to `LOG` in its directory.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command` in `directory`.
    pub(crate) fn start(directory: &Path, mut command: Command) -> Self {
        let name = Path::new(command.get_program()).file_name().unwrap().to_owned();
        let log = directory.join(name).with_extension("log");
        let output = File::create(&log).unwrap();
        command.current_dir(directory).stdin(Stdio::null());
        command.stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log }
    }

    /// Waits until `ready` holds.
    ///
    /// # Panics
    /// When it does not in time, or the program ends; with what it wrote.
    pub(crate) fn await_ready(&mut self, mut ready: impl FnMut() -> bool) {
        let start = Instant::now();
        while !ready() {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && start.elapsed() < PATIENCE,
                "not serving ({ended:?}):\n{}",
                self.output()
            );
            std::thread::yield_now();
        }
    }

    /// Everything it wrote so far.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `rhumb serve`.
pub(crate) struct Rhumb {
    child: Child,
    /// Where it answers, in the order it says so.
    pub(crate) listening: Vec<SocketAddr>,
    /// Its admin socket.
    pub(crate) admin: PathBuf,
}

impl Rhumb {
    /// Serves `policy` on `listen`, with what it keeps in `directory`.
    ///
    /// # Panics
    /// When it ends without serving; its complaints are on standard error.
    pub(crate) fn serve(directory: &Path, policy: &Path, listen: &[&str], more: &[&str]) -> Self {
        let admin = directory.join("rhumb.sock");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rhumb"));
        command.arg("serve").arg(policy).args(listen.iter().flat_map(|address| ["--listen", address]));
        command.arg("--admin").arg(&admin).arg("--state").arg(directory).args(["--workers", "1"]).args(more);
        command.args(["--log", "warn"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut listening = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            listening.extend(
                line.strip_prefix("listening on ").and_then(|address| address.parse::<SocketAddr>().ok()),
            );
            if listening.len() == listen.len() {
                return Self { child, listening, admin };
            }
        }
        panic!("rhumb serve ended: {:?}", child.wait());
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command such as `status` against it, for what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub(crate) fn tell(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rhumb"));
        let output = command.args(arguments).arg("--admin").arg(&self.admin).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Rhumb {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
