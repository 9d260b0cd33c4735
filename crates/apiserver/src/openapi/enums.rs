//! Types of text that take a few values only, by the name of the type in upstream's sources.

/// Ordered by name, the values as upstream publishes them.
#[rustfmt::skip]
static ENUMS: &[(&str, &[&str])] = &[
    ("AddressType", &["FQDN", "IPv4", "IPv6"]),
    ("AppArmorProfileType", &["Localhost", "RuntimeDefault", "Unconfined"]),
    ("AzureDataDiskCachingMode", &["None", "ReadOnly", "ReadWrite"]),
    ("AzureDataDiskKind", &["Dedicated", "Managed", "Shared"]),
    ("CompletionMode", &["Indexed", "NonIndexed"]),
    ("ConcurrencyPolicy", &["Allow", "Forbid", "Replace"]),
    ("DNSPolicy", &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
    ("DaemonSetUpdateStrategyType", &["OnDelete", "RollingUpdate"]),
    ("DeploymentStrategyType", &["Recreate", "RollingUpdate"]),
    ("FailurePolicyType", &["Fail", "Ignore"]),
    ("HostPathType", &["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]),
    ("IPFamilyPolicy", &["PreferDualStack", "RequireDualStack", "SingleStack"]),
    ("MatchPolicyType", &["Equivalent", "Exact"]),
    ("MountPropagationMode", &["Bidirectional", "HostToContainer", "None"]),
    ("NamespacePhase", &["Active", "Terminating"]),
    ("NodeInclusionPolicy", &["Honor", "Ignore"]),
    ("NodePhase", &["Pending", "Running", "Terminated"]),
    ("NodeSelectorOperator", &["DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"]),
    ("OperationType", &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]),
    ("PathType", &["Exact", "ImplementationSpecific", "Prefix"]),
    ("PersistentVolumeClaimPhase", &["Bound", "Lost", "Pending"]),
    ("PersistentVolumePhase", &["Available", "Bound", "Failed", "Pending", "Released"]),
    ("PersistentVolumeReclaimPolicy", &["Delete", "Recycle", "Retain"]),
    ("PodFSGroupChangePolicy", &["Always", "OnRootMismatch"]),
    ("PodFailurePolicyAction", &["Count", "FailIndex", "FailJob", "Ignore"]),
    ("PodFailurePolicyOnExitCodesOperator", &["In", "NotIn"]),
    ("PodManagementPolicyType", &["OrderedReady", "Parallel"]),
    ("PodPhase", &["Failed", "Pending", "Running", "Succeeded", "Unknown"]),
    ("PodQOSClass", &["BestEffort", "Burstable", "Guaranteed"]),
    ("PodReplacementPolicy", &["Failed", "TerminatingOrFailed"]),
    ("PolicyType", &["Egress", "Ingress"]),
    ("PreemptionPolicy", &["Never", "PreemptLowerPriority"]),
    ("ProcMountType", &["Default", "Unmasked"]),
    ("Protocol", &["SCTP", "TCP", "UDP"]),
    ("PullPolicy", &["Always", "IfNotPresent", "Never"]),
    ("ReinvocationPolicyType", &["IfNeeded", "Never"]),
    ("ResourceQuotaScope", &["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", "VolumeAttributesClass"]),
    ("RestartPolicy", &["Always", "Never", "OnFailure"]),
    ("ScopeSelectorOperator", &["DoesNotExist", "Exists", "In", "NotIn"]),
    ("ScopeType", &["*", "Cluster", "Namespaced"]),
    ("SeccompProfileType", &["Localhost", "RuntimeDefault", "Unconfined"]),
    ("ServiceAffinity", &["ClientIP", "None"]),
    ("ServiceExternalTrafficPolicy", &["Cluster", "Local"]),
    ("ServiceInternalTrafficPolicy", &["Cluster", "Local"]),
    ("ServiceType", &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]),
    ("SideEffectClass", &["None", "NoneOnDryRun", "Some", "Unknown"]),
    ("StatefulSetUpdateStrategyType", &["OnDelete", "RollingUpdate"]),
    ("SupplementalGroupsPolicy", &["Merge", "Strict"]),
    ("TaintEffect", &["NoExecute", "NoSchedule", "PreferNoSchedule"]),
    ("TerminationMessagePolicy", &["FallbackToLogsOnError", "File"]),
    ("URIScheme", &["HTTP", "HTTPS"]),
    ("UnsatisfiableConstraintAction", &["DoNotSchedule", "ScheduleAnyway"]),
    ("VolumeBindingMode", &["Immediate", "WaitForFirstConsumer"]),
];

/// All the values of a type, `v1.PullPolicy` or `PullPolicy`; none where others may come.
pub(super) fn values(type_name: &str) -> Option<&'static [&'static str]> {
    let name = type_name.rsplit('.').next().unwrap_or(type_name);
    ENUMS.binary_search_by_key(&name, |(known, _)| known).ok().map(|at| ENUMS[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(ENUMS.is_sorted_by_key(|(name, _)| name));
        assert!(ENUMS.iter().all(|(_, values)| values.is_sorted()));
        assert_eq!(values("v1.PullPolicy"), Some(&["Always", "IfNotPresent", "Never"][..]));
        assert_eq!(values("ResourceName"), None);
    }
}
