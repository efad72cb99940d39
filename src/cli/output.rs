//! Printing: aligned facts, JSON, progress on a terminal.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::CliError;

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

/// Writes text to standard output.
pub fn print(text: &str) -> Result<(), CliError> {
    print_bytes(text.as_bytes())
}

/// Writes one JSON object to standard output.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Lines of a name and a fact, the facts aligned.
#[derive(Default)]
pub struct Facts(String);

impl Facts {
    /// Adds a line.
    pub fn add(&mut self, name: &str, fact: impl AsRef<str>) {
        self.0 += &format!("{name:<13} {}\n", fact.as_ref());
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
        bar.enable_steady_tick(Duration::from_millis(120));
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

/// A share in per cent with two digits, rounded down, so that 100.00 % are all of them.
pub fn percent(share: f64) -> String {
    // Of 0.9917, a multiple of 1/10^4 that binary64 rounds, all digits are kept.
    let hundredths = (share * 1e4 * (1.0 + f64::EPSILON)).floor().min(1e4);
    let hundredths = if share < 1.0 { hundredths.min(9999.0) } else { hundredths };
    format!("{:.2} %", hundredths / 100.0)
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
    use super::{grouped, percent};

    #[test]
    fn per_cent_are_rounded_down() {
        let cases = [(1.0, "100.00 %"), (0.99996, "99.99 %"), (0.0, "0.00 %"), (0.5, "50.00 %")];
        assert!(cases.iter().all(|(share, text)| percent(*share) == *text));
        let nearly = f64::from_bits(1f64.to_bits() - 1);
        assert_eq!(percent(nearly), "99.99 %");
        for k in 0..=10_000 {
            assert_eq!(percent(f64::from(k) / 1e4), format!("{}.{:02} %", k / 100, k % 100));
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        let cases = [(0u64, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        assert!(cases.iter().all(|(n, text)| grouped(*n) == *text));
    }
}
