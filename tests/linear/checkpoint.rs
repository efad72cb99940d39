//! Promise: a factorisation that was stopped anywhere continues from its file to the same bytes; a file that is damaged, or of
//! something else, is refused.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use shatter_exact::Element;
use shatter_linear::checkpoint::{Checkpoint, CheckpointError, file_bytes, free};
use shatter_linear::cholesky::{Ended, factor};
use shatter_linear::packed::Packed;
use tempfile::tempdir;

const OF: [u8; 32] = [42; 32];

fn entry<E: Element>(i: usize, j: usize) -> E {
    E::of(if i == j { 2.0 } else { 1.0 / (1.0 + i.abs_diff(j) as f64) })
}

fn packed<E: Element>(n: usize, block: usize) -> Packed<E> {
    Packed::with_block(n, block).unwrap()
}

fn whole<E: Element>(n: usize, block: usize) -> Packed<E> {
    let mut a = packed(n, block);
    a.fill(entry);
    factor(&mut a, 0, |_, _| ControlFlow::Continue(())).unwrap();
    a
}

/// Runs as a program would that is stopped when `stop` block columns are there, and keeps each.
fn run<E: Element>(path: &Path, n: usize, block: usize, stop: usize) -> (Packed<E>, Ended) {
    let mut a = packed::<E>(n, block);
    let mut checkpoint = Checkpoint::open(path, &mut a, OF).unwrap();
    let from = checkpoint.columns();
    a.fill_from(from, entry);
    let ended = factor(&mut a, from, |l, progress| {
        checkpoint.append(l, progress.columns).unwrap();
        if progress.columns >= stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (a, ended.unwrap())
}

fn resumes<E: Element>() {
    for (n, block) in [(1, 1), (5, 8), (11, 3), (12, 3), (300, 70)] {
        let expected = whole::<E>(n, block);
        let folder = tempdir().unwrap();
        let uninterrupted = folder.path().join("uninterrupted");
        assert_eq!(run::<E>(&uninterrupted, n, block, usize::MAX).1, Ended::Whole);
        let bytes = fs::read(&uninterrupted).unwrap();
        assert_eq!(bytes.len() as u64, file_bytes(&expected));
        // Once after each block column, and by all stops in one file.
        let all = folder.path().join("all");
        for stop in 1..=expected.blocks() {
            let once = folder.path().join("once");
            for path in [&once, &all] {
                let (_, ended) = run::<E>(path, n, block, stop);
                assert_eq!(ended == Ended::Whole, stop == expected.blocks());
            }
            let (found, ended) = run::<E>(&once, n, block, usize::MAX);
            assert_eq!(ended, Ended::Whole);
            assert!(found == expected, "{n} in blocks of {block}, stopped after {stop}");
            assert!(fs::read(&once).unwrap() == bytes);
            fs::remove_file(&once).unwrap();
        }
        assert!(fs::read(&all).unwrap() == bytes);
        assert!(run::<E>(&all, n, block, usize::MAX).0 == expected);
    }
}

#[test]
fn a_stopped_factorisation_continues_to_the_same_bytes() {
    resumes::<f64>();
    resumes::<f32>();
}

#[test]
fn what_a_killed_process_left_behind_the_end_is_written_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("factor");
    run::<f64>(&path, 11, 3, 2);
    let mut bytes = fs::read(&path).unwrap();
    for more in [1, 50, 1000] {
        let mut longer = bytes.clone();
        longer.extend(vec![0xa5; more]);
        fs::write(&path, &longer).unwrap();
        let mut a = packed::<f64>(11, 3);
        assert_eq!(Checkpoint::open(&path, &mut a, OF).unwrap().columns(), 2);
    }
    assert!(run::<f64>(&path, 11, 3, usize::MAX).0 == whole(11, 3));
    // With fewer block columns counted than there are, the others are computed again.
    bytes = fs::read(&path).unwrap();
    bytes[104] = 1;
    fs::write(&path, &bytes).unwrap();
    let mut a = packed::<f64>(11, 3);
    assert_eq!(Checkpoint::open(&path, &mut a, OF).unwrap().columns(), 1);
    assert!(run::<f64>(&path, 11, 3, usize::MAX).0 == whole(11, 3));
}

fn opened(path: &Path) -> Result<usize, CheckpointError> {
    Checkpoint::open(path, &mut packed::<f64>(11, 3), OF).map(|checkpoint| checkpoint.columns())
}

#[test]
fn a_changed_byte_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("factor");
    run::<f64>(&path, 11, 3, usize::MAX);
    let bytes = fs::read(&path).unwrap();
    for at in (0..bytes.len()).filter(|at| !(104..112).contains(at)) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        fs::write(&path, &changed).unwrap();
        let refused = opened(&path).unwrap_err();
        let told = match at {
            0..15 => matches!(refused, CheckpointError::NotOne(_)),
            15 => matches!(refused, CheckpointError::Version(_)),
            _ => matches!(refused, CheckpointError::Damaged { .. }),
        };
        assert!(told, "byte {at}: {refused}");
    }
    // More block columns than the matrix has.
    for at in 104..112 {
        let mut changed = bytes.clone();
        changed[at] = 0x7f;
        fs::write(&path, &changed).unwrap();
        let refused = opened(&path).unwrap_err();
        assert!(matches!(refused, CheckpointError::Damaged { .. }), "byte {at}: {refused}");
    }
}

#[test]
fn a_short_file_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("factor");
    run::<f64>(&path, 11, 3, usize::MAX);
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let refused = opened(&path).unwrap_err();
        let told = match length {
            0..16 => matches!(refused, CheckpointError::NotOne(_)),
            _ => matches!(refused, CheckpointError::Truncated { .. }),
        };
        assert!(told, "{length} bytes: {refused}");
    }
}

#[test]
fn a_file_of_another_matrix_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("factor");
    run::<f64>(&path, 11, 3, 2);
    fn differs<E: Element>(path: &Path, n: usize, block: usize, of: [u8; 32]) -> &'static str {
        match Checkpoint::open(path, &mut packed::<E>(n, block), of) {
            Err(CheckpointError::Other { what, .. }) => what,
            found => panic!("{found:?}"),
        }
    }
    assert_eq!(differs::<f64>(&path, 12, 3, OF), "number of rows");
    assert_eq!(differs::<f64>(&path, 11, 4, OF), "width of blocks");
    assert_eq!(differs::<f32>(&path, 11, 3, OF), "size of numbers");
    assert_eq!(differs::<f64>(&path, 11, 3, [7; 32]), "digest");
    // One without a block column is in nobody's way: nothing of it is lost.
    let none = folder.path().join("none");
    drop(Checkpoint::open(&none, &mut packed::<f64>(11, 3), OF).unwrap());
    let mut other = packed::<f32>(12, 4);
    assert_eq!(Checkpoint::open(&none, &mut other, [7; 32]).unwrap().columns(), 0);
    let (found, ended) = run::<f64>(&none, 11, 3, usize::MAX);
    assert!(ended == Ended::Whole && found == whole::<f64>(11, 3));
}

#[test]
fn a_file_in_use_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("factor");
    let mut a = packed::<f64>(11, 3);
    let held = Checkpoint::open(&path, &mut a, OF).unwrap();
    assert!(matches!(opened(&path), Err(CheckpointError::InUse(_))));
    drop(held);
    assert_eq!(opened(&path).unwrap(), 0);
}

#[cfg(unix)]
#[test]
fn free_space_is_that_of_the_nearest_folder() {
    let folder = tempdir().unwrap();
    assert!(free(&folder.path().join("not/yet/there")).unwrap() > 0);
    assert!(free(Path::new("not-yet-there")).unwrap() > 0);
}
