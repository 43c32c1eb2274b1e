//! What is up: probes, votes, verdicts.
