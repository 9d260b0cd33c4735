//! What an administrator may set: a KubeletConfiguration in `config.yaml` of the kubelet's folder, where kubeadm
//! puts it too. Without the file upstream's defaults hold.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::str::FromStr;

use api::Quantity;
use codec::{DecodeError, FieldValidation, Format};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use crate::managers::{ReservedMemory, cpu, cpu_set::CpuSet, hints, memory};
use crate::policy::{Amount, Policy, Signal, Threshold};
use crate::shutdown::{Grace, graces_of};

pub(crate) const FILE: &str = "config.yaml";
pub(crate) const KIND: &str = "KubeletConfiguration";
pub(crate) const VERSION: &str = "kubelet.config.k8s.io/v1beta1";

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    #[error("it is no YAML")]
    Syntax(#[source] DecodeError),
    #[error("it is no {KIND} of {VERSION}")]
    Kind,
    #[error("a field is not understood")]
    Field(#[source] serde_json::Error),
    #[error("invalid configuration: {field}: {reason}")]
    Value { field: &'static str, reason: String },
}

/// The fields that are heeded, under upstream's names.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Fields {
    api_version: String,
    kind: String,
    cpu_manager_policy: Option<cpu::Policy>,
    #[serde(rename = "reservedSystemCPUs")]
    reserved_system_cpus: Option<String>,
    memory_manager_policy: Option<memory::Policy>,
    reserved_memory: Vec<ReservedMemory>,
    topology_manager_policy: Option<hints::Policy>,
    topology_manager_scope: Option<hints::Scope>,
    kube_reserved: BTreeMap<String, String>,
    system_reserved: BTreeMap<String, String>,
    eviction_hard: Option<BTreeMap<String, String>>,
    eviction_soft: BTreeMap<String, String>,
    eviction_soft_grace_period: BTreeMap<String, String>,
    eviction_minimum_reclaim: BTreeMap<String, String>,
    eviction_pressure_transition_period: Option<String>,
    eviction_max_pod_grace_period: Option<i64>,
    #[serde(rename = "imageGCHighThresholdPercent")]
    image_high_percent: Option<u64>,
    #[serde(rename = "imageGCLowThresholdPercent")]
    image_low_percent: Option<u64>,
    #[serde(rename = "imageMinimumGCAge")]
    image_minimum_age: Option<String>,
    container_log_max_size: Option<String>,
    container_log_max_files: Option<usize>,
    pod_pids_limit: Option<i64>,
    max_pods: Option<i64>,
    shutdown_grace_period: Option<String>,
    shutdown_grace_period_critical_pods: Option<String>,
    shutdown_grace_period_by_pod_priority: Vec<PriorityGrace>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PriorityGrace {
    priority: i32,
    shutdown_grace_period_seconds: i64,
}

/// What the folder's file says; the defaults where there is none.
pub(crate) fn read(folder: &Path) -> Result<Policy, SettingsError> {
    match std::fs::read(folder.join(FILE)) {
        Ok(bytes) => parse(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Policy::default()),
        Err(error) => Err(SettingsError::Read(error)),
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Policy, SettingsError> {
    let decoded = codec::decode_untyped(bytes, Format::Yaml, FieldValidation::Strict).map_err(SettingsError::Syntax)?;
    let fields: Fields = serde_json::from_value(Value::Object(decoded.object)).map_err(SettingsError::Field)?;
    if (fields.kind.as_str(), fields.api_version.as_str()) != (KIND, VERSION) {
        return Err(SettingsError::Kind);
    }
    for name in fields.others.keys() {
        tracing::warn!(field = name, "the kubelet's configuration has a field that is not heeded");
    }
    into_policy(fields)
}

fn into_policy(fields: Fields) -> Result<Policy, SettingsError> {
    let mut policy = Policy::default();
    if let Some(hard) = &fields.eviction_hard {
        policy.thresholds = hard
            .iter()
            .map(|(signal, amount)| threshold("evictionHard", signal, amount, None))
            .collect::<Result<_, _>>()?;
    }
    for (signal, amount) in &fields.eviction_soft {
        let field = "evictionSoftGracePeriod";
        let grace = fields.eviction_soft_grace_period.get(signal);
        let grace = grace.ok_or_else(|| {
            wrong(field, format!("grace period must be specified for the soft eviction threshold {signal}"))
        })?;
        policy.thresholds.push(threshold("evictionSoft", signal, amount, Some(duration(field, grace)?))?);
    }
    for (signal, amount) in &fields.eviction_minimum_reclaim {
        let least = quantity("evictionMinimumReclaim", amount)?;
        for threshold in policy.thresholds.iter_mut().filter(|threshold| threshold.signal.as_str() == signal) {
            threshold.minimum_reclaim = least;
        }
    }
    let set_duration = |target: &mut SignedDuration, field: &'static str, text: &Option<String>| {
        if let Some(text) = text {
            *target = duration(field, text)?;
        }
        Ok::<(), SettingsError>(())
    };
    let transition = &fields.eviction_pressure_transition_period;
    set_duration(&mut policy.pressure_transition_period, "evictionPressureTransitionPeriod", transition)?;
    set_duration(&mut policy.image_minimum_age, "imageMinimumGCAge", &fields.image_minimum_age)?;
    if let Some(size) = &fields.container_log_max_size {
        policy.container_log_maximum_bytes = quantity("containerLogMaxSize", size)?.unsigned_abs();
    }
    let set = |target: &mut u64, value: Option<u64>| *target = value.unwrap_or(*target);
    set(&mut policy.image_high_percent, fields.image_high_percent);
    set(&mut policy.image_low_percent, fields.image_low_percent);
    if policy.image_low_percent >= policy.image_high_percent || policy.image_high_percent > 100 {
        let (low, high) = (policy.image_low_percent, policy.image_high_percent);
        let reason = format!("imageGCLowThresholdPercent {low} must be less than imageGCHighThresholdPercent {high}");
        return Err(wrong("imageGCLowThresholdPercent", reason));
    }
    // Upstream's -1 leaves it to the machine's own bound.
    let pids = fields.pod_pids_limit.and_then(|limit| u64::try_from(limit).ok());
    set(&mut policy.pod_pids_limit, pids);
    policy.maximum_pods = fields.max_pods.unwrap_or(policy.maximum_pods);
    if policy.maximum_pods < 0 {
        return Err(wrong("maxPods", format!("{} must be a non-negative integer", policy.maximum_pods)));
    }
    policy.maximum_pod_grace_seconds = fields.eviction_max_pod_grace_period.unwrap_or(policy.maximum_pod_grace_seconds);
    policy.container_log_maximum_files = fields.container_log_max_files.unwrap_or(policy.container_log_maximum_files);
    if policy.container_log_maximum_files < 2 {
        return Err(wrong("containerLogMaxFiles", "it must be greater than 1".to_owned()));
    }
    policy.kube_reserved = amounts("kubeReserved", &fields.kube_reserved)?;
    policy.system_reserved = amounts("systemReserved", &fields.system_reserved)?;
    policy.managers.cpu = fields.cpu_manager_policy.unwrap_or_default();
    policy.managers.memory = fields.memory_manager_policy.unwrap_or_default();
    policy.managers.topology = fields.topology_manager_policy.unwrap_or_default();
    policy.managers.scope = fields.topology_manager_scope.unwrap_or_default();
    policy.managers.reserved_memory = fields.reserved_memory;
    if let Some(cpus) = &fields.reserved_system_cpus {
        let cpus = CpuSet::from_str(cpus).map_err(|error| wrong("reservedSystemCPUs", error.to_string()))?;
        // As upstream, the list stands for both reservations.
        let count = i64::try_from(cpus.len()).unwrap_or(i64::MAX);
        policy.system_reserved.insert("cpu".to_owned(), Quantity::from_units(count));
        policy.kube_reserved.remove("cpu");
        policy.managers.reserved_cpus = Some(cpus);
    }
    policy.shutdown_graces = shutdown_graces(
        fields.shutdown_grace_period.as_deref(),
        fields.shutdown_grace_period_critical_pods.as_deref(),
        &fields.shutdown_grace_period_by_pod_priority,
    )?;
    Ok(policy)
}

fn shutdown_graces(
    whole: Option<&str>,
    critical: Option<&str>,
    by_priority: &[PriorityGrace],
) -> Result<Vec<Grace>, SettingsError> {
    let seconds = |field, text: Option<&str>| text.map_or(Ok(0), |text| Ok(duration(field, text)?.as_secs()));
    let field = "shutdownGracePeriodCriticalPods";
    let (whole, critical) = (seconds("shutdownGracePeriod", whole)?, seconds(field, critical)?);
    if critical > whole {
        return Err(wrong(field, format!("{critical}s must be <= shutdownGracePeriod {whole}s")));
    }
    if !by_priority.is_empty() && whole > 0 {
        let reason = "cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod".to_owned();
        return Err(wrong("shutdownGracePeriodByPodPriority", reason));
    }
    if by_priority.is_empty() {
        return Ok(graces_of(whole, critical));
    }
    let grace = |one: &PriorityGrace| Grace { priority: one.priority, seconds: one.shutdown_grace_period_seconds };
    let mut graces: Vec<Grace> = by_priority.iter().map(grace).collect();
    graces.sort_by_key(|grace| grace.priority);
    Ok(graces)
}

fn threshold(
    field: &'static str,
    signal: &str,
    amount: &str,
    grace: Option<SignedDuration>,
) -> Result<Threshold, SettingsError> {
    let known = Signal::ALL.into_iter().find(|known| known.as_str() == signal);
    let signal = known.ok_or_else(|| wrong(field, format!("unknown eviction signal {signal}")))?;
    let amount = match amount.strip_suffix('%') {
        Some(percent) => {
            let percent = percent.parse().ok().filter(|percent| (0..=100).contains(percent));
            let percent = percent.ok_or_else(|| wrong(field, format!("{amount:?} is not a percentage")))?;
            Amount::Percent { percent, at_most: i64::MAX }
        }
        None => Amount::Units(quantity(field, amount)?),
    };
    Ok(Threshold { signal, amount, grace, minimum_reclaim: 0 })
}

fn amounts(field: &'static str, texts: &BTreeMap<String, String>) -> Result<BTreeMap<String, Quantity>, SettingsError> {
    let amount = |(name, text): (&String, &String)| {
        let amount = text.parse().map_err(|_| wrong(field, format!("{text:?} is not a quantity")))?;
        Ok((name.clone(), amount))
    };
    texts.iter().map(amount).collect()
}

fn quantity(field: &'static str, text: &str) -> Result<i64, SettingsError> {
    let parsed: Quantity = text.parse().map_err(|_| wrong(field, format!("{text:?} is not a quantity")))?;
    Ok(parsed.units())
}

/// Go's notation: `1h30m`, `1.5s`, `300ms`.
fn duration(field: &'static str, text: &str) -> Result<SignedDuration, SettingsError> {
    let invalid = || wrong(field, format!("time: invalid duration {text:?}"));
    let mut total = 0.0;
    let mut rest = text;
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').ok_or_else(invalid)?;
        let number: f64 = rest[..digits].parse().map_err(|_| invalid())?;
        let after = &rest[digits..];
        let unit = after.find(|letter: char| letter.is_ascii_digit()).map_or(after, |end| &after[..end]);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            _ => return Err(invalid()),
        };
        total += number * seconds;
        rest = &after[unit.len()..];
    }
    if text.is_empty() || total > 1e9 {
        return Err(invalid());
    }
    SignedDuration::try_from_secs_f64(total).map_err(|_| invalid())
}

fn wrong(field: &'static str, reason: String) -> SettingsError {
    SettingsError::Value { field, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(fields: &str) -> Result<Policy, String> {
        let text = format!("apiVersion: {VERSION}\nkind: {KIND}\n{fields}");
        parse(text.as_bytes()).map_err(|error| stdx::error::chain(&error))
    }

    #[test]
    fn a_file_says_what_differs_from_the_defaults() {
        let policy = parsed(
            "cpuManagerPolicy: static\nreservedSystemCPUs: 0,2-3\nmemoryManagerPolicy: Static\n\
             reservedMemory:\n- numaNode: 1\n  limits: {memory: 1Gi}\ntopologyManagerPolicy: single-numa-node\n\
             topologyManagerScope: pod\nkubeReserved: {cpu: 500m, memory: 1Mi}\nevictionHard: {memory.available: 5%, nodefs.available: 1Gi}\n\
             evictionSoft: {memory.available: 1Gi}\nevictionSoftGracePeriod: {memory.available: 1m30s}\n\
             evictionMinimumReclaim: {memory.available: 1Mi}\nevictionPressureTransitionPeriod: 1.5s\n\
             shutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 10s\nmaxPods: 500\nsomethingElse: 1\n",
        )
        .unwrap();
        assert_eq!((policy.maximum_pods, Policy::default().maximum_pods), (500, 110));
        let managers = &policy.managers;
        assert_eq!((managers.cpu, managers.memory), (cpu::Policy::Static, memory::Policy::Static));
        assert_eq!((managers.topology, managers.scope), (hints::Policy::SingleNumaNode, hints::Scope::Pod));
        assert_eq!(managers.reserved_cpus.as_ref().unwrap().to_string(), "0,2-3");
        assert_eq!(managers.reserved_memory[0].numa_node, 1);
        assert_eq!(policy.system_reserved["cpu"].units(), 3);
        let amounts: Vec<_> =
            policy.thresholds.iter().map(|one| (one.signal, one.amount, one.minimum_reclaim)).collect();
        assert_eq!(
            amounts,
            [
                (Signal::MemoryAvailable, Amount::Percent { percent: 5, at_most: i64::MAX }, 1 << 20),
                (Signal::NodeFsAvailable, Amount::Units(1 << 30), 0),
                (Signal::MemoryAvailable, Amount::Units(1 << 30), 1 << 20),
            ]
        );
        assert_eq!(policy.thresholds[2].grace, Some(SignedDuration::from_secs(90)));
        assert_eq!(policy.pressure_transition_period, SignedDuration::from_millis(1500));
        let grace = |priority, seconds| Grace { priority, seconds };
        assert_eq!(policy.shutdown_graces, [grace(0, 20), grace(2_000_000_000, 10)]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (fields, expected) in [
            ("cpuManagerPolicy: dynamic", "a field is not understood: unknown variant `dynamic`"),
            ("reservedSystemCPUs: x", "invalid configuration: reservedSystemCPUs: \"x\" is not a list of processors"),
            (
                "evictionHard: {cpu.available: 1Gi}",
                "invalid configuration: evictionHard: unknown eviction signal cpu.available",
            ),
            (
                "evictionSoft: {memory.available: 1Gi}",
                "invalid configuration: evictionSoftGracePeriod: grace period must be",
            ),
            (
                "shutdownGracePeriod: soon",
                "invalid configuration: shutdownGracePeriod: time: invalid duration \"soon\"",
            ),
            (
                "shutdownGracePeriodCriticalPods: 1s",
                "invalid configuration: shutdownGracePeriodCriticalPods: 1s must be",
            ),
            ("imageGCHighThresholdPercent: 70", "invalid configuration: imageGCLowThresholdPercent: "),
            ("maxPods: -1", "invalid configuration: maxPods: -1 must be a non-negative integer"),
            ("kind: Pod", ""),
        ] {
            let error = parsed(fields).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(matches!(parse(b"kind: Pod\napiVersion: v1\n"), Err(SettingsError::Kind)));
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap().thresholds, Policy::default().thresholds);
        std::fs::write(folder.path().join(FILE), "[").unwrap();
        assert!(matches!(read(folder.path()), Err(SettingsError::Syntax(_))));
    }
}
