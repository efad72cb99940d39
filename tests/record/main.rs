//! Promise: files are there whole or not at all, and what an interrupt or a kill leaves is removed.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use shatter_record::{AtomicFile, atomic};
use tempfile::tempdir;

/// Names the folder of a process that this program starts of itself.
const FOLDER: &str = "SHATTER_TEST_UNFINISHED";
/// What it does there.
const ACT: &str = "SHATTER_TEST_UNFINISHED_ACT";

fn unfinished(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    entries.filter(|name| name.to_string_lossy().starts_with(".unfinished-")).count()
}

/// This program again, running the test that writes alone.
fn writer(folder: &Path, act: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "writes_until_it_is_stopped", "--nocapture"]);
    command.env(FOLDER, folder).env(ACT, act);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What the processes of the other tests do; by itself, nothing.
#[test]
fn writes_until_it_is_stopped() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    for thread in 0..4 {
        let path = folder.join(format!("file{thread}"));
        std::thread::spawn(move || {
            loop {
                let mut file = AtomicFile::create(&path).unwrap();
                file.write_all(&[7; 1 << 16]).unwrap();
                file.flush().unwrap();
            }
        });
    }
    std::thread::sleep(Duration::from_millis(100));
    match std::env::var(ACT).unwrap().as_str() {
        "interrupt" => {
            atomic::abandon();
            // Others have time to begin a file, if nothing keeps them from it.
            std::thread::sleep(Duration::from_millis(100));
            std::process::exit(130);
        }
        _ => std::thread::sleep(Duration::from_secs(60)),
    }
}

#[test]
fn an_interrupt_leaves_no_unfinished_file() {
    let folder = tempdir().unwrap();
    assert_eq!(writer(folder.path(), "interrupt").status().unwrap().code(), Some(130));
    assert_eq!(unfinished(folder.path()), 0);
}

/// The files of a process that was killed go with the next file in their folder, those of one that lives stay.
#[cfg(unix)]
#[test]
fn leftovers_of_the_dead_are_removed_and_files_of_the_living_are_not() {
    let folder = tempdir().unwrap();
    let mut dead = 0;
    while dead == 0 {
        let mut killed = writer(folder.path(), "be killed").spawn().unwrap();
        for _ in 0..30_000 {
            if unfinished(folder.path()) > 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        dead = unfinished(folder.path());
    }
    let held = folder.path().join(".unfinished-held");
    let living = File::create(&held).unwrap();
    living.lock().unwrap();
    fs::write(folder.path().join("mine"), "text").unwrap();
    let file = AtomicFile::create(&folder.path().join("result")).unwrap();
    assert_eq!(
        unfinished(folder.path()),
        2,
        "{dead} were there; the new one and the held one stay"
    );
    atomic::remove_leftovers(folder.path()).unwrap();
    assert_eq!(unfinished(folder.path()), 2);
    file.commit().unwrap();
    drop(living);
    atomic::remove_leftovers(folder.path()).unwrap();
    assert_eq!(unfinished(folder.path()), 0);
    assert!(folder.path().join("mine").exists() && folder.path().join("result").exists());
}

#[test]
fn a_file_that_was_removed_or_replaced_is_not_at_its_path() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("record");
    let file = File::create(&path).unwrap();
    assert!(atomic::is_at(&file, &path).unwrap());
    if cfg!(unix) {
        fs::remove_file(&path).unwrap();
        assert!(!atomic::is_at(&file, &path).unwrap());
        File::create(&path).unwrap();
        assert!(!atomic::is_at(&file, &path).unwrap());
        assert!(!atomic::is_at(&file, &path.join("below")).is_ok_and(|at| at));
    }
}
