//! New limits for a running container: which control files say what, on either version of cgroups.

use cri::LinuxContainerResources;

/// One limit, as each version writes it; none: that version has no such file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Controller, file and content of version 1.
    pub(crate) legacy: Option<(&'static str, String, String)>,
    /// File and content of version 2.
    pub(crate) unified: Option<(String, String)>,
}

/// What CRI's update changes, in the order to write it; zero and empty leave a limit as it is.
pub(crate) fn plan(wanted: &LinuxContainerResources) -> Vec<Limit> {
    let mut limits = Vec::new();
    let mut add = |legacy: Option<(&'static str, &str, String)>, unified: Option<(&str, String)>| {
        limits.push(Limit {
            legacy: legacy.map(|(controller, file, content)| (controller, file.to_owned(), content)),
            unified: unified.map(|(file, content)| (file.to_owned(), content)),
        });
    };
    if wanted.cpu_shares > 0 {
        let weight = weight_of_shares(wanted.cpu_shares).to_string();
        add(Some(("cpu", "cpu.shares", wanted.cpu_shares.to_string())), Some(("cpu.weight", weight)));
    }
    if wanted.cpu_period > 0 {
        let maximum = match wanted.cpu_quota {
            quota if quota > 0 => format!("{quota} {}", wanted.cpu_period),
            _ => format!("max {}", wanted.cpu_period),
        };
        add(Some(("cpu", "cpu.cfs_period_us", wanted.cpu_period.to_string())), Some(("cpu.max", maximum)));
    }
    if wanted.cpu_quota != 0 {
        add(Some(("cpu", "cpu.cfs_quota_us", wanted.cpu_quota.to_string())), None);
    }
    for (file, content) in [("cpuset.cpus", &wanted.cpuset_cpus), ("cpuset.mems", &wanted.cpuset_mems)] {
        if !content.is_empty() {
            add(Some(("cpuset", file, content.clone())), Some((file, content.clone())));
        }
    }
    if wanted.memory_limit_in_bytes > 0 {
        let limit = wanted.memory_limit_in_bytes;
        add(Some(("memory", "memory.limit_in_bytes", limit.to_string())), Some(("memory.max", limit.to_string())));
        // Version 1 counts memory and swap together, version 2 swap alone.
        if let Some(swap) = wanted.memory_swap_limit_in_bytes.checked_sub(limit).filter(|swap| *swap >= 0) {
            let both = wanted.memory_swap_limit_in_bytes.to_string();
            add(Some(("memory", "memory.memsw.limit_in_bytes", both)), Some(("memory.swap.max", swap.to_string())));
        }
    }
    for page in &wanted.hugepage_limits {
        let file = |ending: &str| format!("hugetlb.{}.{ending}", page.page_size);
        let limit = page.limit.to_string();
        add(Some(("hugetlb", &file("limit_in_bytes"), limit.clone())), Some((&file("max"), limit)));
    }
    let mut unified: Vec<(&String, &String)> = wanted.unified.iter().collect();
    unified.sort();
    for (file, content) in unified {
        add(None, Some((file, content.clone())));
    }
    limits
}

/// The curve that keeps the default of 1024 shares at a weight of 100, as runc has it since its release 1.3.2.
fn weight_of_shares(shares: i64) -> u64 {
    const RANGE: std::ops::RangeInclusive<i64> = 2..=262_144;
    let logarithm = (shares.clamp(*RANGE.start(), *RANGE.end()) as f64).log2();
    let exponent = (logarithm * logarithm + 125.0 * logarithm) / 612.0 - 7.0 / 34.0;
    // Between 1 and 10,000 for every value of the range.
    10f64.powf(exponent).ceil() as u64
}

#[cfg(test)]
mod tests {
    use cri::HugepageLimit;

    use super::*;

    fn shown(wanted: &LinuxContainerResources) -> Vec<String> {
        let line = |limit: &Limit| {
            let legacy =
                limit.legacy.as_ref().map(|(controller, file, content)| format!("{controller}/{file}={content}"));
            let unified = limit.unified.as_ref().map(|(file, content)| format!("{file}={content}"));
            format!("{} | {}", legacy.unwrap_or_default(), unified.unwrap_or_default())
        };
        plan(wanted).iter().map(line).collect()
    }

    #[test]
    fn each_limit_is_written_as_its_version_has_it() {
        assert!(plan(&LinuxContainerResources::default()).is_empty());
        let wanted = LinuxContainerResources {
            cpu_shares: 1024,
            cpu_quota: 50_000,
            cpu_period: 100_000,
            cpuset_cpus: "0-1".to_owned(),
            memory_limit_in_bytes: 1000,
            memory_swap_limit_in_bytes: 1500,
            hugepage_limits: vec![HugepageLimit { page_size: "2MB".to_owned(), limit: 4096 }],
            unified: [("memory.high".to_owned(), "900".to_owned()), ("memory.min".to_owned(), "5".to_owned())].into(),
            ..LinuxContainerResources::default()
        };
        let expected = [
            "cpu/cpu.shares=1024 | cpu.weight=100",
            "cpu/cpu.cfs_period_us=100000 | cpu.max=50000 100000",
            "cpu/cpu.cfs_quota_us=50000 | ",
            "cpuset/cpuset.cpus=0-1 | cpuset.cpus=0-1",
            "memory/memory.limit_in_bytes=1000 | memory.max=1000",
            "memory/memory.memsw.limit_in_bytes=1500 | memory.swap.max=500",
            "hugetlb/hugetlb.2MB.limit_in_bytes=4096 | hugetlb.2MB.max=4096",
            " | memory.high=900",
            " | memory.min=5",
        ];
        assert_eq!(shown(&wanted), expected);
        let unlimited =
            LinuxContainerResources { cpu_quota: -1, cpu_period: 100_000, ..LinuxContainerResources::default() };
        let expected = ["cpu/cpu.cfs_period_us=100000 | cpu.max=max 100000", "cpu/cpu.cfs_quota_us=-1 | "];
        assert_eq!(shown(&unlimited), expected);
    }

    #[test]
    fn shares_become_weights_along_the_curve() {
        for (shares, weight) in [(0, 1), (2, 1), (102, 17), (1024, 100), (262_144, 10_000), (i64::MAX, 10_000)] {
            assert_eq!(weight_of_shares(shares), weight, "{shares}");
        }
    }
}
