//! `rhumb test`: operators' own tests of their policy.

use std::path::PathBuf;

use super::{Ending, Failure, complain, print};
use crate::cases::{self, CasesError};

/// Run policy tests.
///
/// Each file names a policy and lists questions, the faults of the moment and
/// what must come out. Ends with `N passed, M failed`.
#[derive(clap::Args)]
pub(super) struct Test {
    /// Files of cases
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Geo database for all files, instead of what they name; may be repeated
    #[arg(long, value_name = "FILE")]
    geo: Vec<PathBuf>,
}

impl Test {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        let (mut passed, mut failed) = (0, 0);
        for file in &self.files {
            match cases::run(file, &self.geo) {
                Ok(report) => {
                    for failure in &report.failures {
                        print(failure)?;
                    }
                    passed += report.passed;
                    failed += report.failures.len();
                }
                Err(CasesError::Wrong(diagnostics)) => {
                    diagnostics.iter().for_each(|diagnostic| complain(diagnostic));
                    failed += 1;
                }
                Err(error @ CasesError::Read { .. }) => return Err(error.into()),
            }
        }
        print(&format_args!("{passed} passed, {failed} failed"))?;
        Ok(if failed == 0 { Ending::Well } else { Ending::Bad })
    }
}
