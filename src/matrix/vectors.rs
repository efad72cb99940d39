//! Loops compiled for the vectors that the processor has.

/// Runs `work` compiled for the widest vectors that this processor has. Entries of vectors are independent, so
/// the bytes do not depend on their width. The closure has to be `#[inline(always)]`: otherwise it
/// stays a function of its own, with the narrow vectors of the build's target.
#[inline(always)]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
