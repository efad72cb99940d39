//! Claims of others that are not tested here: claim 26.

use super::super::claim::{Claim, Evidence, Stated};

pub(super) const CLAIMS: [Claim; 1] = [Claim {
    number: 26,
    name: "few-parameters-shatter-general-position",
    statement: "Some ReLU architecture with o(n) parameters realises every labelling of every n \
                points in general position.",
    verdict: Stated::Quoted,
    source: "Sontag, Neural Computation 9 (1997), 337-348",
    test: |_| {
        Evidence::Quoted {
        says: "false: to realise every labelling of every k points in general position takes at least \
               (k - 1)/2 parameters (Sontag 1997)"
            .to_owned(),
    }
    },
}];
