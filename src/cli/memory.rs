//! Memory, asked for before it is taken: a refusal in words, in place of a process that the system kills.

use std::fs;

use shatter_sample::Spec;

use super::CliError;

/// Bytes per point of a fit beside its coordinates: projections, thresholds, weights, the files. Measured: 232 to 248
/// for depth two at n = 10^6 (`fit gaussian:n=1000000,d=2`, peak resident size); other constructions take as much
/// or more.
const FIT: u64 = 250;

/// Bytes per coordinate, of points as they are held: of those that are drawn, the widest type.
const COORDINATE: u64 = 8;

/// Bytes per label.
const LABEL: u64 = 4;

/// Refuses a sample that memory cannot hold, if it is drawn: one that is read is as large as its files.
pub fn sample(text: &str) -> Result<(), CliError> {
    match drawn(text) {
        Some((n, _, d)) => planned(text, "draw", points(n, d)),
        None => Ok(()),
    }
}

/// Refuses to fit a sample that is drawn if memory cannot hold it with its network.
pub fn fit(text: &str) -> Result<(), CliError> {
    match drawn(text) {
        Some((n, kept, d)) => {
            let more =
                kept.saturating_mul(FIT).saturating_add(if kept < n { points(kept, d) } else { 0 });
            planned(text, "fit", points(n, d).saturating_add(more))
        }
        None => Ok(()),
    }
}

/// Refuses to fit the `n` points of a sample that is in memory if there is no room for their network.
pub fn fit_read(text: &str, n: usize) -> Result<(), CliError> {
    planned(text, "fit", (n as u64).saturating_mul(FIT))
}

/// Points drawn, points kept and coordinates of a synthetic sample; `None` also where the sample's own limits refuse
/// it, in their words.
fn drawn(text: &str) -> Option<(u64, u64, u64)> {
    let (n, kept, d) = Spec::parse(text).ok()?.drawn()?;
    let (n, kept, d) = (n as u64, kept as u64, d as u64);
    (n <= u64::from(u32::MAX) && n.checked_mul(d)? <= 1 << 32).then_some((n, kept, d))
}

fn points(n: u64, d: u64) -> u64 {
    n.saturating_mul(d.saturating_mul(COORDINATE).saturating_add(LABEL))
}

fn planned(text: &str, action: &str, bytes: u64) -> Result<(), CliError> {
    match available() {
        Some(available) if bytes > available => Err(CliError::Memory(format!(
            "{text}: about {} of memory are needed to {action} this sample, and {} are available; take fewer points",
            size(bytes),
            size(available)
        ))),
        _ => Ok(()),
    }
}

/// "25.4 GB".
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Bytes that this process may still take: what the machine, its control group and `ulimit -v` leave. `None` where
/// the system does not say.
fn available() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    let kibibytes = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
    };
    let machine = || {
        let text = read("/proc/meminfo")?;
        Some(kibibytes(&text, "MemAvailable")? + kibibytes(&text, "SwapFree").unwrap_or(0))
    };
    // What files occupy is given up when it is needed.
    let files = |stat: &str, prefix: &str| {
        let text = read(stat)?;
        let of = |key: &str| {
            let key = format!("{prefix}{key} ");
            text.lines().find_map(|line| line.strip_prefix(&key)?.trim().parse::<u64>().ok())
        };
        Some(of("inactive_file")? + of("active_file")?)
    };
    let group = |folder: &str, most: &str, current: &str, prefix: &str| {
        let folder = format!("/sys/fs/cgroup{folder}");
        let taken = number(&format!("{folder}/{current}"))?;
        let kept = files(&format!("{folder}/memory.stat"), prefix).unwrap_or(0);
        Some(number(&format!("{folder}/{most}"))?.saturating_sub(taken.saturating_sub(kept)))
    };
    let addresses = || {
        let text = read("/proc/self/limits")?;
        let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
        let most: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(most.saturating_sub(kibibytes(&read("/proc/self/status")?, "VmSize")?))
    };
    let limits = [
        machine(),
        group("", "memory.max", "memory.current", ""),
        group("/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
        addresses(),
    ];
    limits.into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_memory_holds_is_refused_before_it_is_drawn() {
        if available().is_none() {
            return eprintln!("skipped: this system does not say how much memory there is");
        }
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
        assert!(fit("gaussian:n=1000,d=2").is_ok() && sample("gaussian:n=1000,d=2").is_ok());
        let error = fit("gaussian:n=4294967295,d=1").unwrap_err().to_string();
        assert!(error.contains("about 1125.3 GB") && error.contains("are available"), "{error}");
        // The library says that itself, and what is no sample.
        assert!(fit("gaussian:n=4294967295,d=9").is_ok() && fit("gausian:n=1").is_ok());
        assert!(fit_read("csv:a.csv", usize::MAX).is_err());
    }
}
