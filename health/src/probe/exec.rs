//! A command of the operator's own.
//!
//! For what no built-in kind can ask. The program is named by absolute path and
//! its arguments one by one, without a shell: nothing of the policy is ever
//! interpreted, and the search path of whoever starts the server does not
//! matter. Only the exit code decides.

use std::sync::Arc;

use rhumb_zones::{Named, OneOrMany, Reader, Tree, spec};

use super::Kind;

spec! {
    /// Runs a command; its exit code is the verdict.
    pub struct Exec {
        /// The program, by absolute path, and its arguments. No shell is involved.
        exec: OneOrMany<Arc<str>>,
        /// Variables set for it.
        env: Named<Arc<str>>,
        /// Exit codes that mean up.
        exit: OneOrMany<u8> = OneOrMany(vec![0]),
    }
}

impl Kind for Exec {
    fn describe(&self) -> String {
        format!("command {}", self.exec.0.join(" "))
    }

    fn needs_target_address(&self) -> bool {
        false
    }

    fn uses_network(&self) -> bool {
        false
    }

    fn check(&self, tree: &Tree, reader: &mut Reader<'_>) {
        let is_path = self.exec.0.first().is_some_and(|program| program.starts_with('/'));
        if !is_path {
            let at = tree.get("exec").map_or(&tree.at, |tree| &tree.at);
            reader
                .inside("exec", |reader| reader.wrong(at, "must start with the absolute path of a program"));
        }
        for (name, _) in
            self.env.iter().filter(|(name, _)| name.text.is_empty() || name.text.contains(['=', '\0']))
        {
            reader.inside("env", |reader| reader.wrong(&name.at, "must be the name of a variable"));
        }
    }
}
