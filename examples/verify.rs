//! Lemma 1 and Theorem 1 over a small grid, as a table.
//!
//! `cargo run --release --example verify`

use shatter::verify::{self, Grid};

fn main() -> Result<(), verify::VerifyError> {
    let report = verify::run(&Grid::quick(), &mut |_| {})?;
    println!("{}", report.table());
    println!("verified: {}", report.verdict().verified);
    Ok(())
}
