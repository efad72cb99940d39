//! The threads of the program: one pool for everything, made at the start.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use rayon::{ThreadBuilder, ThreadPoolBuildError, ThreadPoolBuilder};

use super::CliError;

/// Threads per processor at most: more only wait for each other.
const PER_PROCESSOR: usize = 4;

/// Threads that are left to others (a progress bar) where the system gives out no more.
const SPARE: usize = 2;

/// The variable that sets the number of threads of every command.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// Makes the pool: of as many threads as `--threads` says, else the environment, else one per processor.
///
/// # Errors
/// [`CliError::Usage`] for a number that is not one.
pub fn start(option: Option<usize>) -> Result<(), CliError> {
    let environment = std::env::var_os(VARIABLE).filter(|text| !text.is_empty());
    let (asked, name) = match (option, environment) {
        (Some(0), _) => {
            return Err(CliError::Usage("--threads 0: expected at least 1 thread".into()));
        }
        (Some(threads), _) => (threads, format!("--threads {threads}")),
        (None, None) => (0, String::new()),
        (None, Some(text)) => {
            let text = text.to_string_lossy();
            let expected = "expected a number of threads, such as 4, or 0 for one per processor";
            let refused = || CliError::Usage(format!("{VARIABLE}={text}: {expected}"));
            // A number that is too long is a large one.
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let threads = text.parse().or(digits.then_some(usize::MAX).ok_or_else(refused))?;
            (threads, format!("{VARIABLE}={text}"))
        }
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let most = processors.saturating_mul(PER_PROCESSOR);
    let wanted = match asked {
        0 => processors,
        asked => asked.min(most),
    };
    if asked > most {
        eprintln!("warning: {name}: using {most} threads, {PER_PROCESSOR} per processor");
    }
    let made = pool(wanted)
        .map_err(|error| CliError::Usage(format!("the threads of the program: {error}")))?;
    if made < wanted {
        eprintln!("warning: the system gives out {made} of {wanted} threads");
    }
    Ok(())
}

/// Makes the pool of `wanted` threads, or of as many as the system gives out; returns their number.
fn pool(wanted: usize) -> Result<usize, ThreadPoolBuildError> {
    // A pool that cannot be made cannot be tried again with less: its threads are made before it, and wait for it.
    let mut waiting: Vec<Sender<ThreadBuilder>> = Vec::new();
    for _ in 0..wanted {
        let (send, receive) = channel::<ThreadBuilder>();
        let wait = move || {
            if let Ok(thread) = receive.recv() {
                thread.run();
            }
        };
        match thread::Builder::new().spawn(wait) {
            Ok(_) => waiting.push(send),
            Err(_) => {
                waiting.truncate(waiting.len().saturating_sub(SPARE));
                break;
            }
        }
    }
    let made = waiting.len();
    match made {
        0 => ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global()?,
        made => ThreadPoolBuilder::new()
            .num_threads(made)
            .spawn_handler(move |thread| {
                let gone = || std::io::Error::other("a thread is missing");
                waiting.pop().ok_or_else(gone)?.send(thread).map_err(|_| gone())
            })
            .build_global()?,
    }
    Ok(made.max(1))
}
