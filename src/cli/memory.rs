//! Memory, asked for before it is taken: a refusal in words, in place of a process that the system kills.

use std::env;
use std::ffi::OsStr;
use std::fs;

use shatter_construct::{Bound, Promise};
use shatter_sample::Spec;

use super::CliError;

/// Bytes per point of a fit beside its coordinates: projections, thresholds, weights, the files. Measured: 232 to 248
/// for depth two at n = 10^6 (`fit gaussian:n=1000000,d=2`, peak resident size). What other constructions take is
/// known once they [promise](network) it.
const FIT: u64 = 250;

/// Bytes per weight of a network in layers: at least. Measured: 420 (`random-features`, n = 250, d = 200) to 800
/// (`depth-10`, n = 20,000), more for small networks (peak resident size, less 10 MB).
const WEIGHT: u64 = 400;

/// The variable that says how much memory may be taken, in place of what the system has left.
const VARIABLE: &str = "SHATTER_MEMORY";

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

/// Refuses to build a network in layers on the sample if there is no room for as many weights as are promised.
pub fn network(text: &str, name: &str, promise: &Promise) -> Result<(), CliError> {
    let (Bound::Exactly(weights) | Bound::AtMost(weights)) = promise.nonzero;
    planned(text, &format!("build {name} on"), weights.saturating_mul(WEIGHT))
}

/// Refuses to compute features of a sample that take more bytes than there are.
pub fn features(text: &str, bytes: u64) -> Result<(), CliError> {
    planned(text, "compute features of", bytes)
}

/// Refuses to fit a kernel to a sample if that takes more bytes than there are.
pub fn kernel(text: &str, bytes: u64, way_out: &str) -> Result<(), CliError> {
    planned(text, "fit a kernel to", bytes).map_err(|error| match error {
        CliError::Memory(reason) => CliError::Memory(format!("{reason} ({way_out})")),
        other => other,
    })
}

/// Bytes that may be taken, where that is known.
pub fn left() -> Result<Option<u64>, CliError> {
    allowed(env::var_os(VARIABLE).as_deref(), || available(file))
}

/// The most bytes that this process has held, where the system says so.
pub fn peak() -> Option<u64> {
    let text = file("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Refuses to fit linear models to `n` points of `d` coordinates and `k` outputs, with `tests` test points, if there is
/// no room for them: every point as it was prepared, as a row of the matrix, and once more while a 1 is appended; four
/// square matrices of the smaller side, and some ten matrices of outputs and weights.
pub fn linear(text: &str, (n, tests): (usize, usize), d: usize, k: usize) -> Result<(), CliError> {
    let (n, tests, d, k) = (n as u64, tests as u64, d as u64, k as u64);
    let points = (n.saturating_add(tests)).saturating_mul(d).saturating_mul(3);
    let products = n.min(d).saturating_mul(n.min(d)).saturating_mul(4);
    let outputs = n.saturating_add(tests).saturating_add(d).saturating_mul(k).saturating_mul(10);
    let numbers = points.saturating_add(products).saturating_add(outputs);
    planned(text, "fit linear models to", numbers.saturating_mul(COORDINATE))
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
    match left()? {
        Some(available) if bytes > available => Err(CliError::Memory(format!(
            "{text}: about {} of memory are needed to {action} this sample, and {} are available; take fewer points, \
             or set {VARIABLE} to the bytes that may be taken",
            size(bytes),
            size(available)
        ))),
        _ => Ok(()),
    }
}

/// Bytes that may be taken: those that the environment says, or else those that are available.
fn allowed(
    said: Option<&OsStr>,
    available: impl FnOnce() -> Option<u64>,
) -> Result<Option<u64>, CliError> {
    let Some(text) = said.filter(|text| !text.is_empty()) else { return Ok(available()) };
    let text = text.to_string_lossy();
    let refused = |_| {
        let expected = "expected a number of bytes, such as 16000000000";
        CliError::Usage(format!("{VARIABLE}={text}: {expected}"))
    };
    text.parse().map(Some).map_err(refused)
}

/// "25.4 GB".
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// The text of a file of the system, where it is there.
fn file(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Bytes that this process may still take: what the machine, its control groups and `ulimit -v` leave. `None` where
/// the system does not say.
fn available(read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let kibibytes = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
    };
    let machine = || {
        let text = read("/proc/meminfo")?;
        Some(kibibytes(&text, "MemAvailable")? + kibibytes(&text, "SwapFree").unwrap_or(0))
    };
    let addresses = || {
        let text = read("/proc/self/limits")?;
        let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
        let most: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(most.saturating_sub(kibibytes(&read("/proc/self/status")?, "VmSize")?))
    };
    let groups = read("/proc/self/cgroup").unwrap_or_default();
    let groups = [V2, V1].iter().filter_map(|version| version.left(&groups, &read)).min();
    [machine(), groups, addresses()].into_iter().flatten().min()
}

/// A version of control groups: where it is mounted, and how its files are called.
struct ControlGroups {
    /// The controller that a line of /proc/self/cgroup names; none in the line of version 2.
    controller: &'static str,
    root: &'static str,
    most: &'static str,
    taken: &'static str,
    /// Before the keys of memory.stat that speak of a group and those below.
    prefix: &'static str,
}

const V2: ControlGroups = ControlGroups {
    controller: "",
    root: "/sys/fs/cgroup",
    most: "memory.max",
    taken: "memory.current",
    prefix: "",
};

const V1: ControlGroups = ControlGroups {
    controller: "memory",
    root: "/sys/fs/cgroup/memory",
    most: "memory.limit_in_bytes",
    taken: "memory.usage_in_bytes",
    prefix: "total_",
};

impl ControlGroups {
    /// What the group of this process leaves, and those that it is in: the least. `groups` is /proc/self/cgroup.
    fn left(&self, groups: &str, read: &impl Fn(&str) -> Option<String>) -> Option<u64> {
        let path = groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let named = parts.next()?.split(',').any(|name| name == self.controller);
            parts.next().filter(|_| named)
        });
        // A container may see the path outside of it, while its own group is mounted as the root.
        let path = path.filter(|path| path.starts_with('/') && !path.contains("/.."));
        let path = path.unwrap_or_default().trim_end_matches('/');
        let upwards =
            std::iter::successors(Some(path), |path| path.rfind('/').map(|end| &path[..end]));
        upwards.filter_map(|path| self.left_by(path, read)).min()
    }

    /// What one group leaves. What files occupy is given up when it is needed.
    fn left_by(&self, path: &str, read: &impl Fn(&str) -> Option<String>) -> Option<u64> {
        let read = |name: &str| read(&format!("{}{path}/{name}", self.root));
        let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
        let files = || {
            let text = read("memory.stat")?;
            let of = |key: &str| {
                let key = format!("{}{key} ", self.prefix);
                text.lines().find_map(|line| line.strip_prefix(&key)?.trim().parse::<u64>().ok())
            };
            of("inactive_file")?.checked_add(of("active_file")?)
        };
        let taken = number(self.taken)?.saturating_sub(files().unwrap_or(0));
        Some(number(self.most)?.saturating_sub(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Elsewhere nothing is known of the memory, and nothing is refused.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_no_memory_holds_is_refused_before_it_is_drawn() {
        assert!(available(file).is_some_and(|bytes| bytes > 1 << 20));
        assert!(fit("gaussian:n=1000,d=2").is_ok() && sample("gaussian:n=1000,d=2").is_ok());
        let error = fit("gaussian:n=4294967295,d=1").unwrap_err().to_string();
        assert!(error.contains("about 1125.3 GB") && error.contains("are available"), "{error}");
        // The library says that itself, and what is no sample.
        assert!(fit("gaussian:n=4294967295,d=9").is_ok() && fit("gausian:n=1").is_ok());
        assert!(fit_read("csv:a.csv", usize::MAX).is_err());
        assert!(linear("csv:a.csv", (1000, 0), 10, 2).is_ok());
        let error = linear("csv:a.csv", (1 << 40, 0), 784, 10).unwrap_err().to_string();
        assert!(error.contains("needed to fit linear models to this sample"), "{error}");
    }

    /// A system of these files.
    fn system(files: &[(&str, &str)]) -> Option<u64> {
        available(|path| {
            files.iter().find_map(|&(name, text)| (name == path).then(|| text.to_owned()))
        })
    }

    #[test]
    fn the_narrowest_group_on_the_way_up_counts() {
        let meminfo =
            ("/proc/meminfo", "MemTotal: 9000 kB\nMemAvailable: 8000 kB\nSwapFree: 1 kB\n");
        assert_eq!(system(&[]), None);
        assert_eq!(system(&[meminfo]), Some(8001 * 1024));
        let own = ("/proc/self/cgroup", "0::/user.slice/job.scope\n");
        let group = [
            ("/sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n"),
            ("/sys/fs/cgroup/user.slice/job.scope/memory.current", "10\n"),
            ("/sys/fs/cgroup/user.slice/memory.max", "5000\n"),
            ("/sys/fs/cgroup/user.slice/memory.current", "3000\n"),
            (
                "/sys/fs/cgroup/user.slice/memory.stat",
                "anon 7\ninactive_file 300\nactive_file 40\n",
            ),
        ];
        assert_eq!(system(&[&[meminfo, own], &group[..]].concat()), Some(2340));
        // Narrower within it, and at the root.
        let narrow = [
            ("/sys/fs/cgroup/user.slice/job.scope/memory.max", "1010\n"),
            ("/sys/fs/cgroup/memory.max", "900\n"),
            ("/sys/fs/cgroup/memory.current", "800\n"),
        ];
        assert_eq!(system(&[&[meminfo, own], &narrow[..1], &group].concat()), Some(1000));
        assert_eq!(system(&[&[meminfo, own], &narrow[..], &group].concat()), Some(100));
        // Another group's limits are not this one's, and a path from outside of a container is not followed.
        let others = ("/proc/self/cgroup", "0::/../user.slice\n");
        assert_eq!(system(&[&[meminfo, others], &narrow[1..], &group].concat()), Some(100));
        let others = ("/proc/self/cgroup", "0::/user\n");
        assert_eq!(system(&[&[meminfo, others], &group[..]].concat()), Some(8001 * 1024));
    }

    #[test]
    fn the_memory_controller_is_asked_in_version_one() {
        let own = ("/proc/self/cgroup", "5:cpuset:/wrong\n4:cpu,memory:/a/b:c/\n0::/elsewhere\n");
        let group = [
            ("/sys/fs/cgroup/memory/a/b:c/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/a/b:c/memory.usage_in_bytes", "50\n"),
            ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "100\n"),
            ("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "60\n"),
            (
                "/sys/fs/cgroup/memory/a/memory.stat",
                "inactive_file 1\ntotal_inactive_file 8\ntotal_active_file 9\n",
            ),
            ("/sys/fs/cgroup/memory/wrong/memory.limit_in_bytes", "3\n"),
            ("/sys/fs/cgroup/memory/wrong/memory.usage_in_bytes", "1\n"),
        ];
        assert_eq!(system(&[&[own], &group[..]].concat()), Some(57));
    }

    #[test]
    fn whoever_says_how_much_there_is_is_believed() {
        let allowed = |text: &str| allowed(Some(OsStr::new(text)), || Some(7));
        assert_eq!(allowed("").unwrap(), Some(7));
        assert_eq!(allowed("123").unwrap(), Some(123));
        let error = allowed("1 GB").unwrap_err().to_string();
        assert!(error.contains("SHATTER_MEMORY=1 GB: expected"), "{error}");
    }

    #[test]
    fn networks_are_as_large_as_they_promise() {
        let nonzero = |weights| Promise {
            depth: Bound::Exactly(3),
            units: Bound::Exactly(1),
            width: Bound::Exactly(1),
            nonzero: Bound::AtMost(weights),
            free: 1,
        };
        if available(file).is_none() {
            return eprintln!("skipped: this system does not say how much memory there is");
        }
        assert!(network("csv:a.csv", "depth-3", &nonzero(1000)).is_ok());
        let error =
            network("csv:a.csv", "depth-3", &nonzero(10u64.pow(13))).unwrap_err().to_string();
        assert!(
            error.contains("about 4000000.0 GB of memory are needed to build depth-3 on"),
            "{error}"
        );
    }
}
