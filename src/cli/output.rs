//! Printing: aligned facts, JSON, progress on a terminal.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{CliError, visible};
use shatter_network::Graph;

/// Writes to standard output. A reader who went away has all that it wanted: the exit status still
/// says the verdict.
pub fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

/// The result of writing to standard output, where a closed pipe is no error.
pub fn written(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}

/// Writes lines of text to standard output, fit for a terminal.
pub fn print(text: &str) -> Result<(), CliError> {
    print_bytes(visible::lines(text).as_bytes())
}

/// Lines of a name and a fact, the facts aligned.
#[derive(Default)]
pub struct Facts(String);

impl Facts {
    /// Adds a line, fit for a terminal.
    pub fn add(&mut self, name: &str, fact: impl AsRef<str>) {
        self.0 += &format!("{name:<13} {}\n", visible::line(fact.as_ref()));
    }

    /// All lines.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A spinner with a message, on a terminal; nothing elsewhere.
pub struct Progress(ProgressBar);

impl Progress {
    /// Starts it on standard error.
    pub fn start() -> Progress {
        let bar = ProgressBar::new_spinner();
        bar.set_draw_target(ProgressDrawTarget::stderr()); // hidden when not a terminal
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
            bar.set_style(style);
        }
        // Where no thread is to be had the bar stands still: it would panic for its own.
        if !bar.is_hidden() && std::thread::Builder::new().spawn(|| ()).is_ok() {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Progress(bar)
    }

    /// Says what is being done.
    pub fn say(&self, message: impl Into<String>) {
        self.0.set_message(message.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The result of some work and how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// The size of an error: `0`, or with a power of ten.
pub fn error_size(x: f64) -> String {
    if x == 0.0 { "0".to_owned() } else { format!("{x:.3e}") }
}

/// Seconds with three digits.
pub fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

/// More than binary64 errs by in 10^4 times a share k/n, and less than a share of 2^32 samples
/// differs from its neighbours there.
const ROUNDING: f64 = 1e-6;

/// A share in per cent with two digits, rounded down, so that 100.00 % are all of them.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", (share * 1e4 + ROUNDING).floor() / 100.0)
}

/// A share of errors in per cent with two digits, rounded up, so that 0.00 % are none of them.
pub fn percent_of_errors(share: f64) -> String {
    let hundredths = (share * 1e4 - ROUNDING).ceil();
    // `max` may return minus zero.
    format!("{:.2} %", if hundredths > 0.0 { hundredths / 100.0 } else { 0.0 })
}

/// How many operations a network has.
pub fn operations(graph: &Graph) -> String {
    match graph.operations() {
        1 => "1 operation".to_owned(),
        n => format!("{n} operations"),
    }
}

/// A whole number with its thousands set apart.
pub fn grouped(n: impl Into<u128>) -> String {
    let digits = n.into().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{grouped, percent, percent_of_errors};

    #[test]
    fn per_cent_are_rounded_to_the_side_that_does_not_flatter() {
        let cases = [(1.0, "100.00 %"), (0.99996, "99.99 %"), (0.0, "0.00 %"), (0.5, "50.00 %")];
        assert!(cases.iter().all(|(share, text)| percent(*share) == *text));
        assert_eq!(percent(f64::from(u32::MAX - 1) / f64::from(u32::MAX)), "99.99 %");
        assert_eq!(percent_of_errors(1.0 - 0.99999), "0.01 %");
        for n in [100u64, 9_980, 10_000, 50_000, 60_000] {
            for k in 0..=n {
                let share = k as f64 / n as f64;
                let (down, up) = (k * 10_000 / n, ((n - k) * 10_000).div_ceil(n));
                assert_eq!(percent(share), format!("{}.{:02} %", down / 100, down % 100));
                let errors = percent_of_errors(1.0 - share);
                assert_eq!(errors, format!("{}.{:02} %", up / 100, up % 100), "{k} of {n}");
            }
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        let cases = [(0u64, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        assert!(cases.iter().all(|(n, text)| grouped(*n) == *text));
    }
}
