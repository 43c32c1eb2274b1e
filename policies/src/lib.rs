//! Who should be answered what: paths, steering, decisions and their reasons.
