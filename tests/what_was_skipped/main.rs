//! Says at the end of `cargo test`, before the examples in documentation, how many tests were skipped, and why.
//!
//! Cargo runs programs in the order of the names of their packages, then of their own, so this one is last by both:
//! `tests/house/skipped.rs` holds that. Without libtest's harness, what it prints is shown.

#[path = "../common"]
#[allow(dead_code)] // what is shared is used in parts
mod common {
    pub mod skipped;
}

fn main() {
    // Asked what tests it has: none.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    #[cfg(unix)]
    {
        use common::skipped::{folder, run_of, tally};
        println!("\n{}\n", tally(&folder(), &run_of(std::os::unix::process::parent_id())));
    }
    #[cfg(not(unix))]
    println!("\nSkipped tests are not counted on this system; those that were said so above.\n");
}
