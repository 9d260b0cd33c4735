//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AWSElasticBlockStoreVolumeSource: Type = Type { go: "v1.AWSElasticBlockStoreVolumeSource", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "partition", Int32),
    omitted(4, "readOnly", Bool),
    field(1, "volumeID", String),
], embedded: &[] };

pub(super) static Affinity: Type = Type { go: "v1.Affinity", fields: &[
    field(1, "nodeAffinity", Struct(&NodeAffinity)),
    field(2, "podAffinity", Struct(&PodAffinity)),
    field(3, "podAntiAffinity", Struct(&PodAntiAffinity)),
], embedded: &[] };

pub(super) static AppArmorProfile: Type = Type { go: "v1.AppArmorProfile", fields: &[
    field(2, "localhostProfile", String),
    field(1, "type", Text("v1.AppArmorProfileType")),
], embedded: &[] };

pub(super) static AttachedVolume: Type = Type { go: "v1.AttachedVolume", fields: &[
    field(2, "devicePath", String),
    field(1, "name", Text("v1.UniqueVolumeName")),
], embedded: &[] };

pub(super) static AzureDiskVolumeSource: Type = Type { go: "v1.AzureDiskVolumeSource", fields: &[
    field(3, "cachingMode", Text("v1.AzureDataDiskCachingMode")),
    field(1, "diskName", String),
    field(2, "diskURI", String),
    field(4, "fsType", String),
    field(6, "kind", Text("v1.AzureDataDiskKind")),
    field(5, "readOnly", Bool),
], embedded: &[] };

pub(super) static AzureFilePersistentVolumeSource: Type = Type { go: "v1.AzureFilePersistentVolumeSource", fields: &[
    omitted(3, "readOnly", Bool),
    field(1, "secretName", String),
    field(4, "secretNamespace", String),
    field(2, "shareName", String),
], embedded: &[] };

pub(super) static AzureFileVolumeSource: Type = Type { go: "v1.AzureFileVolumeSource", fields: &[
    omitted(3, "readOnly", Bool),
    field(1, "secretName", String),
    field(2, "shareName", String),
], embedded: &[] };

pub(super) static Binding: Type = Type { go: "v1.Binding", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "target", Struct(&ObjectReference)),
], embedded: &[] };

pub(super) static CSIPersistentVolumeSource: Type = Type { go: "v1.CSIPersistentVolumeSource", fields: &[
    field(9, "controllerExpandSecretRef", Struct(&SecretReference)),
    field(6, "controllerPublishSecretRef", Struct(&SecretReference)),
    field(1, "driver", String),
    omitted(4, "fsType", String),
    field(10, "nodeExpandSecretRef", Struct(&SecretReference)),
    field(8, "nodePublishSecretRef", Struct(&SecretReference)),
    field(7, "nodeStageSecretRef", Struct(&SecretReference)),
    omitted(3, "readOnly", Bool),
    omitted(5, "volumeAttributes", Map(&String)),
    field(2, "volumeHandle", String),
], embedded: &[] };

pub(super) static CSIVolumeSource: Type = Type { go: "v1.CSIVolumeSource", fields: &[
    field(1, "driver", String),
    field(3, "fsType", String),
    field(5, "nodePublishSecretRef", Struct(&LocalObjectReference)),
    field(2, "readOnly", Bool),
    omitted(4, "volumeAttributes", Map(&String)),
], embedded: &[] };

pub(super) static Capabilities: Type = Type { go: "v1.Capabilities", fields: &[
    omitted(1, "add", List(&Text("v1.Capability"))).of(Atomic),
    omitted(2, "drop", List(&Text("v1.Capability"))).of(Atomic),
], embedded: &[] };

pub(super) static CephFSPersistentVolumeSource: Type = Type { go: "v1.CephFSPersistentVolumeSource", fields: &[
    field(1, "monitors", List(&String)).of(Atomic),
    omitted(2, "path", String),
    omitted(6, "readOnly", Bool),
    omitted(4, "secretFile", String),
    field(5, "secretRef", Struct(&SecretReference)),
    omitted(3, "user", String),
], embedded: &[] };

pub(super) static CephFSVolumeSource: Type = Type { go: "v1.CephFSVolumeSource", fields: &[
    field(1, "monitors", List(&String)).of(Atomic),
    omitted(2, "path", String),
    omitted(6, "readOnly", Bool),
    omitted(4, "secretFile", String),
    field(5, "secretRef", Struct(&LocalObjectReference)),
    omitted(3, "user", String),
], embedded: &[] };

pub(super) static CinderPersistentVolumeSource: Type = Type { go: "v1.CinderPersistentVolumeSource", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "readOnly", Bool),
    field(4, "secretRef", Struct(&SecretReference)),
    field(1, "volumeID", String),
], embedded: &[] };

pub(super) static CinderVolumeSource: Type = Type { go: "v1.CinderVolumeSource", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "readOnly", Bool),
    field(4, "secretRef", Struct(&LocalObjectReference)),
    field(1, "volumeID", String),
], embedded: &[] };

pub(super) static ClientIPConfig: Type = Type { go: "v1.ClientIPConfig", fields: &[
    field(1, "timeoutSeconds", Int32),
], embedded: &[] };

pub(super) static ClusterTrustBundleProjection: Type = Type { go: "v1.ClusterTrustBundleProjection", fields: &[
    field(3, "labelSelector", Struct(&meta_v1::LabelSelector)),
    field(1, "name", String),
    field(5, "optional", Bool),
    field(4, "path", String),
    field(2, "signerName", String),
    omitted(0, "user", Int64),
], embedded: &[] };

pub(super) static ComponentCondition: Type = Type { go: "v1.ComponentCondition", fields: &[
    omitted(4, "error", String),
    omitted(3, "message", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.ComponentConditionType")),
], embedded: &[] };

pub(super) static ComponentStatus: Type = Type { go: "v1.ComponentStatus", fields: &[
    omitted(0, "apiVersion", String),
    omitted(2, "conditions", List(&Struct(&ComponentCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
], embedded: &[] };

pub(super) static ConfigMap: Type = Type { go: "v1.ConfigMap", fields: &[
    omitted(0, "apiVersion", String),
    omitted(3, "binaryData", Map(&Bytes)),
    omitted(2, "data", Map(&String)),
    field(4, "immutable", Bool),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
], embedded: &[] };

pub(super) static ConfigMapEnvSource: Type = Type { go: "v1.ConfigMapEnvSource", fields: &[
    omitted(0, "name", String),
    field(2, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)] };

pub(super) static ConfigMapKeySelector: Type = Type { go: "v1.ConfigMapKeySelector", fields: &[
    field(2, "key", String),
    omitted(0, "name", String),
    field(3, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)] };

pub(super) static ConfigMapNodeConfigSource: Type = Type { go: "v1.ConfigMapNodeConfigSource", fields: &[
    field(5, "kubeletConfigKey", String),
    field(2, "name", String),
    field(1, "namespace", String),
    omitted(4, "resourceVersion", String),
    omitted(3, "uid", Text("types.UID")),
], embedded: &[] };

pub(super) static ConfigMapProjection: Type = Type { go: "v1.ConfigMapProjection", fields: &[
    omitted(2, "items", List(&Struct(&KeyToPath))).of(Atomic),
    omitted(0, "name", String),
    field(4, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)] };

pub(super) static ConfigMapVolumeSource: Type = Type { go: "v1.ConfigMapVolumeSource", fields: &[
    field(3, "defaultMode", Int32),
    omitted(0, "defaultUser", Int64),
    omitted(2, "items", List(&Struct(&KeyToPath))).of(Atomic),
    omitted(0, "name", String),
    field(4, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)] };

pub(super) static Container: Type = Type { go: "v1.Container", fields: &[
    omitted(4, "args", List(&String)).of(Atomic),
    omitted(3, "command", List(&String)).of(Atomic),
    omitted(7, "env", List(&Struct(&EnvVar))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(19, "envFrom", List(&Struct(&EnvFromSource))).of(Atomic),
    omitted(2, "image", String),
    omitted(14, "imagePullPolicy", Text("v1.PullPolicy")),
    field(12, "lifecycle", Struct(&Lifecycle)),
    field(10, "livenessProbe", Struct(&Probe)),
    field(1, "name", String),
    omitted(6, "ports", List(&Struct(&ContainerPort))).of(Keyed(&["containerPort", "protocol"])).patched(Merge("containerPort")),
    field(11, "readinessProbe", Struct(&Probe)),
    omitted(23, "resizePolicy", List(&Struct(&ContainerResizePolicy))).of(Atomic),
    field(8, "resources", Struct(&ResourceRequirements)),
    field(24, "restartPolicy", Text("v1.ContainerRestartPolicy")),
    omitted(25, "restartPolicyRules", List(&Struct(&ContainerRestartRule))).of(Atomic),
    field(15, "securityContext", Struct(&SecurityContext)),
    field(22, "startupProbe", Struct(&Probe)),
    omitted(16, "stdin", Bool),
    omitted(17, "stdinOnce", Bool),
    omitted(13, "terminationMessagePath", String),
    omitted(20, "terminationMessagePolicy", Text("v1.TerminationMessagePolicy")),
    omitted(18, "tty", Bool),
    omitted(21, "volumeDevices", List(&Struct(&VolumeDevice))).of(Keyed(&["devicePath"])).patched(Merge("devicePath")),
    omitted(9, "volumeMounts", List(&Struct(&VolumeMount))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
    omitted(5, "workingDir", String),
], embedded: &[] };

pub(super) static ContainerExtendedResourceRequest: Type = Type { go: "v1.ContainerExtendedResourceRequest", fields: &[
    field(1, "containerName", String),
    field(3, "requestName", String),
    field(2, "resourceName", String),
], embedded: &[] };

pub(super) static ContainerImage: Type = Type { go: "v1.ContainerImage", fields: &[
    field(1, "names", List(&String)).of(Atomic),
    omitted(2, "sizeBytes", Int64),
], embedded: &[] };

pub(super) static ContainerPort: Type = Type { go: "v1.ContainerPort", fields: &[
    field(3, "containerPort", Int32),
    omitted(5, "hostIP", String),
    omitted(2, "hostPort", Int32),
    omitted(1, "name", String),
    omitted(4, "protocol", Text("v1.Protocol")),
], embedded: &[] };

pub(super) static ContainerResizePolicy: Type = Type { go: "v1.ContainerResizePolicy", fields: &[
    field(1, "resourceName", Text("v1.ResourceName")),
    field(2, "restartPolicy", Text("v1.ResourceResizeRestartPolicy")),
], embedded: &[] };

pub(super) static ContainerRestartRule: Type = Type { go: "v1.ContainerRestartRule", fields: &[
    omitted(1, "action", Text("v1.ContainerRestartRuleAction")),
    field(2, "exitCodes", Struct(&ContainerRestartRuleOnExitCodes)),
], embedded: &[] };

pub(super) static ContainerRestartRuleOnExitCodes: Type = Type { go: "v1.ContainerRestartRuleOnExitCodes", fields: &[
    omitted(1, "operator", Text("v1.ContainerRestartRuleOnExitCodesOperator")),
    omitted(2, "values", List(&Int32)).of(Set),
], embedded: &[] };

pub(super) static ContainerState: Type = Type { go: "v1.ContainerState", fields: &[
    field(2, "running", Struct(&ContainerStateRunning)),
    field(3, "terminated", Struct(&ContainerStateTerminated)),
    field(1, "waiting", Struct(&ContainerStateWaiting)),
], embedded: &[] };

pub(super) static ContainerStateRunning: Type = Type { go: "v1.ContainerStateRunning", fields: &[
    field(1, "startedAt", Time),
], embedded: &[] };

pub(super) static ContainerStateTerminated: Type = Type { go: "v1.ContainerStateTerminated", fields: &[
    omitted(7, "containerID", String),
    field(1, "exitCode", Int32),
    field(6, "finishedAt", Time),
    omitted(4, "message", String),
    omitted(3, "reason", String),
    omitted(2, "signal", Int32),
    field(5, "startedAt", Time),
], embedded: &[] };

pub(super) static ContainerStateWaiting: Type = Type { go: "v1.ContainerStateWaiting", fields: &[
    omitted(2, "message", String),
    omitted(1, "reason", String),
], embedded: &[] };

pub(super) static ContainerStatus: Type = Type { go: "v1.ContainerStatus", fields: &[
    omitted(10, "allocatedResources", Map(&Quantity)),
    omitted(14, "allocatedResourcesStatus", List(&Struct(&ResourceStatus))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(8, "containerID", String),
    field(6, "image", String),
    field(7, "imageID", String),
    field(3, "lastState", Struct(&ContainerState)),
    field(1, "name", String),
    field(4, "ready", Bool),
    field(11, "resources", Struct(&ResourceRequirements)),
    field(5, "restartCount", Int32),
    field(9, "started", Bool),
    field(2, "state", Struct(&ContainerState)),
    field(15, "stopSignal", Text("v1.Signal")),
    field(13, "user", Struct(&ContainerUser)),
    omitted(12, "volumeMounts", List(&Struct(&VolumeMountStatus))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
], embedded: &[] };

pub(super) static ContainerUser: Type = Type { go: "v1.ContainerUser", fields: &[
    field(1, "linux", Struct(&LinuxContainerUser)),
], embedded: &[] };

pub(super) static DaemonEndpoint: Type = Type { go: "v1.DaemonEndpoint", fields: &[
    field(1, "Port", Int32),
], embedded: &[] };

pub(super) static DownwardAPIProjection: Type = Type { go: "v1.DownwardAPIProjection", fields: &[
    omitted(1, "items", List(&Struct(&DownwardAPIVolumeFile))).of(Atomic),
], embedded: &[] };

pub(super) static DownwardAPIVolumeFile: Type = Type { go: "v1.DownwardAPIVolumeFile", fields: &[
    field(2, "fieldRef", Struct(&ObjectFieldSelector)),
    field(4, "mode", Int32),
    field(1, "path", String),
    field(3, "resourceFieldRef", Struct(&ResourceFieldSelector)),
    omitted(0, "user", Int64),
], embedded: &[] };

pub(super) static DownwardAPIVolumeSource: Type = Type { go: "v1.DownwardAPIVolumeSource", fields: &[
    field(2, "defaultMode", Int32),
    omitted(0, "defaultUser", Int64),
    omitted(1, "items", List(&Struct(&DownwardAPIVolumeFile))).of(Atomic),
], embedded: &[] };

pub(super) static EmptyDirVolumeSource: Type = Type { go: "v1.EmptyDirVolumeSource", fields: &[
    omitted(1, "medium", Text("v1.StorageMedium")),
    omitted(0, "mode", Int32),
    field(2, "sizeLimit", Quantity),
], embedded: &[] };

pub(super) static EndpointAddress: Type = Type { go: "v1.EndpointAddress", fields: &[
    omitted(3, "hostname", String),
    field(1, "ip", String),
    field(4, "nodeName", String),
    field(2, "targetRef", Struct(&ObjectReference)),
], embedded: &[] };

pub(super) static EndpointPort: Type = Type { go: "v1.EndpointPort", fields: &[
    field(4, "appProtocol", String),
    omitted(1, "name", String),
    field(2, "port", Int32),
    omitted(3, "protocol", Text("v1.Protocol")),
], embedded: &[] };

pub(super) static EndpointSubset: Type = Type { go: "v1.EndpointSubset", fields: &[
    omitted(1, "addresses", List(&Struct(&EndpointAddress))).of(Atomic),
    omitted(2, "notReadyAddresses", List(&Struct(&EndpointAddress))).of(Atomic),
    omitted(3, "ports", List(&Struct(&EndpointPort))).of(Atomic),
], embedded: &[] };

pub(super) static Endpoints: Type = Type { go: "v1.Endpoints", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(2, "subsets", List(&Struct(&EndpointSubset))).of(Atomic),
], embedded: &[] };

pub(super) static EnvFromSource: Type = Type { go: "v1.EnvFromSource", fields: &[
    field(2, "configMapRef", Struct(&ConfigMapEnvSource)),
    omitted(1, "prefix", String),
    field(3, "secretRef", Struct(&SecretEnvSource)),
], embedded: &[] };

pub(super) static EnvVar: Type = Type { go: "v1.EnvVar", fields: &[
    field(1, "name", String),
    omitted(2, "value", String),
    field(3, "valueFrom", Struct(&EnvVarSource)),
], embedded: &[] };

pub(super) static EnvVarSource: Type = Type { go: "v1.EnvVarSource", fields: &[
    field(3, "configMapKeyRef", Struct(&ConfigMapKeySelector)),
    field(1, "fieldRef", Struct(&ObjectFieldSelector)),
    field(5, "fileKeyRef", Struct(&FileKeySelector)),
    field(2, "resourceFieldRef", Struct(&ResourceFieldSelector)),
    field(4, "secretKeyRef", Struct(&SecretKeySelector)),
], embedded: &[] };

pub(super) static EphemeralContainer: Type = Type { go: "v1.EphemeralContainer", fields: &[
    omitted(0, "args", List(&String)).of(Atomic),
    omitted(0, "command", List(&String)).of(Atomic),
    omitted(0, "env", List(&Struct(&EnvVar))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(0, "envFrom", List(&Struct(&EnvFromSource))).of(Atomic),
    omitted(0, "image", String),
    omitted(0, "imagePullPolicy", Text("v1.PullPolicy")),
    field(0, "lifecycle", Struct(&Lifecycle)),
    field(0, "livenessProbe", Struct(&Probe)),
    field(0, "name", String),
    omitted(0, "ports", List(&Struct(&ContainerPort))).of(Keyed(&["containerPort", "protocol"])).patched(Merge("containerPort")),
    field(0, "readinessProbe", Struct(&Probe)),
    omitted(0, "resizePolicy", List(&Struct(&ContainerResizePolicy))).of(Atomic),
    field(0, "resources", Struct(&ResourceRequirements)),
    field(0, "restartPolicy", Text("v1.ContainerRestartPolicy")),
    omitted(0, "restartPolicyRules", List(&Struct(&ContainerRestartRule))).of(Atomic),
    field(0, "securityContext", Struct(&SecurityContext)),
    field(0, "startupProbe", Struct(&Probe)),
    omitted(0, "stdin", Bool),
    omitted(0, "stdinOnce", Bool),
    omitted(2, "targetContainerName", String),
    omitted(0, "terminationMessagePath", String),
    omitted(0, "terminationMessagePolicy", Text("v1.TerminationMessagePolicy")),
    omitted(0, "tty", Bool),
    omitted(0, "volumeDevices", List(&Struct(&VolumeDevice))).of(Keyed(&["devicePath"])).patched(Merge("devicePath")),
    omitted(0, "volumeMounts", List(&Struct(&VolumeMount))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
    omitted(0, "workingDir", String),
], embedded: &[(1, &EphemeralContainerCommon)] };

pub(super) static EphemeralContainerCommon: Type = Type { go: "v1.EphemeralContainerCommon", fields: &[
    omitted(4, "args", List(&String)).of(Atomic),
    omitted(3, "command", List(&String)).of(Atomic),
    omitted(7, "env", List(&Struct(&EnvVar))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(19, "envFrom", List(&Struct(&EnvFromSource))).of(Atomic),
    omitted(2, "image", String),
    omitted(14, "imagePullPolicy", Text("v1.PullPolicy")),
    field(12, "lifecycle", Struct(&Lifecycle)),
    field(10, "livenessProbe", Struct(&Probe)),
    field(1, "name", String),
    omitted(6, "ports", List(&Struct(&ContainerPort))).of(Keyed(&["containerPort", "protocol"])).patched(Merge("containerPort")),
    field(11, "readinessProbe", Struct(&Probe)),
    omitted(23, "resizePolicy", List(&Struct(&ContainerResizePolicy))).of(Atomic),
    field(8, "resources", Struct(&ResourceRequirements)),
    field(24, "restartPolicy", Text("v1.ContainerRestartPolicy")),
    omitted(25, "restartPolicyRules", List(&Struct(&ContainerRestartRule))).of(Atomic),
    field(15, "securityContext", Struct(&SecurityContext)),
    field(22, "startupProbe", Struct(&Probe)),
    omitted(16, "stdin", Bool),
    omitted(17, "stdinOnce", Bool),
    omitted(13, "terminationMessagePath", String),
    omitted(20, "terminationMessagePolicy", Text("v1.TerminationMessagePolicy")),
    omitted(18, "tty", Bool),
    omitted(21, "volumeDevices", List(&Struct(&VolumeDevice))).of(Keyed(&["devicePath"])).patched(Merge("devicePath")),
    omitted(9, "volumeMounts", List(&Struct(&VolumeMount))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
    omitted(5, "workingDir", String),
], embedded: &[] };

pub(super) static EphemeralVolumeSource: Type = Type { go: "v1.EphemeralVolumeSource", fields: &[
    field(1, "volumeClaimTemplate", Struct(&PersistentVolumeClaimTemplate)),
], embedded: &[] };

pub(super) static Event: Type = Type { go: "v1.Event", fields: &[
    omitted(12, "action", String),
    omitted(0, "apiVersion", String),
    omitted(8, "count", Int32),
    field(10, "eventTime", MicroTime),
    field(6, "firstTimestamp", Time),
    field(2, "involvedObject", Struct(&ObjectReference)),
    omitted(0, "kind", String),
    field(7, "lastTimestamp", Time),
    omitted(4, "message", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(3, "reason", String),
    field(13, "related", Struct(&ObjectReference)),
    field(14, "reportingComponent", String),
    field(15, "reportingInstance", String),
    field(11, "series", Struct(&EventSeries)),
    field(5, "source", Struct(&EventSource)),
    omitted(9, "type", String),
], embedded: &[] };

pub(super) static EventSeries: Type = Type { go: "v1.EventSeries", fields: &[
    omitted(1, "count", Int32),
    field(2, "lastObservedTime", MicroTime),
], embedded: &[] };

pub(super) static EventSource: Type = Type { go: "v1.EventSource", fields: &[
    omitted(1, "component", String),
    omitted(2, "host", String),
], embedded: &[] };

pub(super) static EvictionResponder: Type = Type { go: "v1.EvictionResponder", fields: &[
    omitted(0, "name", String),
    omitted(0, "priority", Int32),
], embedded: &[] };

pub(super) static ExecAction: Type = Type { go: "v1.ExecAction", fields: &[
    omitted(1, "command", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static FCVolumeSource: Type = Type { go: "v1.FCVolumeSource", fields: &[
    omitted(3, "fsType", String),
    field(2, "lun", Int32),
    omitted(4, "readOnly", Bool),
    omitted(1, "targetWWNs", List(&String)).of(Atomic),
    omitted(5, "wwids", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static FileKeySelector: Type = Type { go: "v1.FileKeySelector", fields: &[
    field(3, "key", String),
    field(4, "optional", Bool),
    field(2, "path", String),
    field(1, "volumeName", String),
], embedded: &[] };

pub(super) static FlexPersistentVolumeSource: Type = Type { go: "v1.FlexPersistentVolumeSource", fields: &[
    field(1, "driver", String),
    omitted(2, "fsType", String),
    omitted(5, "options", Map(&String)),
    omitted(4, "readOnly", Bool),
    field(3, "secretRef", Struct(&SecretReference)),
], embedded: &[] };

pub(super) static FlexVolumeSource: Type = Type { go: "v1.FlexVolumeSource", fields: &[
    field(1, "driver", String),
    omitted(2, "fsType", String),
    omitted(5, "options", Map(&String)),
    omitted(4, "readOnly", Bool),
    field(3, "secretRef", Struct(&LocalObjectReference)),
], embedded: &[] };

pub(super) static FlockerVolumeSource: Type = Type { go: "v1.FlockerVolumeSource", fields: &[
    omitted(1, "datasetName", String),
    omitted(2, "datasetUUID", String),
], embedded: &[] };

pub(super) static GCEPersistentDiskVolumeSource: Type = Type { go: "v1.GCEPersistentDiskVolumeSource", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "partition", Int32),
    field(1, "pdName", String),
    omitted(4, "readOnly", Bool),
], embedded: &[] };

pub(super) static GRPCAction: Type = Type { go: "v1.GRPCAction", fields: &[
    omitted(0, "mode", String),
    field(1, "port", Int32),
    field(2, "service", String),
], embedded: &[] };

pub(super) static GitRepoVolumeSource: Type = Type { go: "v1.GitRepoVolumeSource", fields: &[
    omitted(3, "directory", String),
    field(1, "repository", String),
    omitted(2, "revision", String),
], embedded: &[] };

pub(super) static GlusterfsPersistentVolumeSource: Type = Type { go: "v1.GlusterfsPersistentVolumeSource", fields: &[
    field(1, "endpoints", String),
    field(4, "endpointsNamespace", String),
    field(2, "path", String),
    omitted(3, "readOnly", Bool),
], embedded: &[] };

pub(super) static GlusterfsVolumeSource: Type = Type { go: "v1.GlusterfsVolumeSource", fields: &[
    field(1, "endpoints", String),
    field(2, "path", String),
    omitted(3, "readOnly", Bool),
], embedded: &[] };

pub(super) static HTTPGetAction: Type = Type { go: "v1.HTTPGetAction", fields: &[
    omitted(3, "host", String),
    omitted(5, "httpHeaders", List(&Struct(&HTTPHeader))).of(Atomic),
    omitted(1, "path", String),
    field(2, "port", IntOrString),
    omitted(0, "protocol", String),
    omitted(4, "scheme", Text("v1.URIScheme")),
], embedded: &[] };

pub(super) static HTTPHeader: Type = Type { go: "v1.HTTPHeader", fields: &[
    field(1, "name", String),
    field(2, "value", String),
], embedded: &[] };

pub(super) static HostAlias: Type = Type { go: "v1.HostAlias", fields: &[
    omitted(2, "hostnames", List(&String)).of(Atomic),
    field(1, "ip", String),
], embedded: &[] };

pub(super) static HostIP: Type = Type { go: "v1.HostIP", fields: &[
    field(1, "ip", String),
], embedded: &[] };

pub(super) static HostPathVolumeSource: Type = Type { go: "v1.HostPathVolumeSource", fields: &[
    field(1, "path", String),
    field(2, "type", Text("v1.HostPathType")),
], embedded: &[] };

pub(super) static ISCSIPersistentVolumeSource: Type = Type { go: "v1.ISCSIPersistentVolumeSource", fields: &[
    omitted(8, "chapAuthDiscovery", Bool),
    omitted(11, "chapAuthSession", Bool),
    omitted(5, "fsType", String),
    field(12, "initiatorName", String),
    field(2, "iqn", String),
    omitted(4, "iscsiInterface", String),
    field(3, "lun", Int32),
    omitted(7, "portals", List(&String)).of(Atomic),
    omitted(6, "readOnly", Bool),
    field(10, "secretRef", Struct(&SecretReference)),
    field(1, "targetPortal", String),
], embedded: &[] };

pub(super) static ISCSIVolumeSource: Type = Type { go: "v1.ISCSIVolumeSource", fields: &[
    omitted(8, "chapAuthDiscovery", Bool),
    omitted(11, "chapAuthSession", Bool),
    omitted(5, "fsType", String),
    field(12, "initiatorName", String),
    field(2, "iqn", String),
    omitted(4, "iscsiInterface", String),
    field(3, "lun", Int32),
    omitted(7, "portals", List(&String)).of(Atomic),
    omitted(6, "readOnly", Bool),
    field(10, "secretRef", Struct(&LocalObjectReference)),
    field(1, "targetPortal", String),
], embedded: &[] };

pub(super) static ImageVolumeSource: Type = Type { go: "v1.ImageVolumeSource", fields: &[
    omitted(2, "pullPolicy", Text("v1.PullPolicy")),
    omitted(1, "reference", String),
], embedded: &[] };

pub(super) static ImageVolumeStatus: Type = Type { go: "v1.ImageVolumeStatus", fields: &[
    omitted(1, "imageRef", String),
], embedded: &[] };

pub(super) static KeyToPath: Type = Type { go: "v1.KeyToPath", fields: &[
    field(1, "key", String),
    field(3, "mode", Int32),
    field(2, "path", String),
    omitted(0, "user", Int64),
], embedded: &[] };

pub(super) static Lifecycle: Type = Type { go: "v1.Lifecycle", fields: &[
    field(1, "postStart", Struct(&LifecycleHandler)),
    field(2, "preStop", Struct(&LifecycleHandler)),
    field(3, "stopSignal", Text("v1.Signal")),
], embedded: &[] };

pub(super) static LifecycleHandler: Type = Type { go: "v1.LifecycleHandler", fields: &[
    field(1, "exec", Struct(&ExecAction)),
    field(2, "httpGet", Struct(&HTTPGetAction)),
    field(4, "sleep", Struct(&SleepAction)),
    field(3, "tcpSocket", Struct(&TCPSocketAction)),
], embedded: &[] };

pub(super) static LimitRange: Type = Type { go: "v1.LimitRange", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&LimitRangeSpec)),
], embedded: &[] };

pub(super) static LimitRangeItem: Type = Type { go: "v1.LimitRangeItem", fields: &[
    omitted(4, "default", Map(&Quantity)),
    omitted(5, "defaultRequest", Map(&Quantity)),
    omitted(2, "max", Map(&Quantity)),
    omitted(6, "maxLimitRequestRatio", Map(&Quantity)),
    omitted(3, "min", Map(&Quantity)),
    field(1, "type", Text("v1.LimitType")),
], embedded: &[] };

pub(super) static LimitRangeSpec: Type = Type { go: "v1.LimitRangeSpec", fields: &[
    field(1, "limits", List(&Struct(&LimitRangeItem))).of(Atomic),
], embedded: &[] };

pub(super) static LinuxContainerUser: Type = Type { go: "v1.LinuxContainerUser", fields: &[
    field(2, "gid", Int64),
    omitted(3, "supplementalGroups", List(&Int64)).of(Atomic),
    field(1, "uid", Int64),
], embedded: &[] };

pub(super) static LoadBalancerIngress: Type = Type { go: "v1.LoadBalancerIngress", fields: &[
    omitted(2, "hostname", String),
    omitted(1, "ip", String),
    field(3, "ipMode", Text("v1.LoadBalancerIPMode")),
    omitted(4, "ports", List(&Struct(&PortStatus))).of(Atomic),
], embedded: &[] };

pub(super) static LoadBalancerStatus: Type = Type { go: "v1.LoadBalancerStatus", fields: &[
    omitted(1, "ingress", List(&Struct(&LoadBalancerIngress))).of(Atomic),
], embedded: &[] };

pub(super) static LocalObjectReference: Type = Type { go: "v1.LocalObjectReference", fields: &[
    omitted(1, "name", String),
], embedded: &[] };

pub(super) static LocalVolumeSource: Type = Type { go: "v1.LocalVolumeSource", fields: &[
    field(2, "fsType", String),
    field(1, "path", String),
], embedded: &[] };

pub(super) static ModifyVolumeStatus: Type = Type { go: "v1.ModifyVolumeStatus", fields: &[
    field(2, "status", Text("v1.PersistentVolumeClaimModifyVolumeStatus")),
    omitted(1, "targetVolumeAttributesClassName", String),
], embedded: &[] };

pub(super) static NFSVolumeSource: Type = Type { go: "v1.NFSVolumeSource", fields: &[
    field(2, "path", String),
    omitted(3, "readOnly", Bool),
    field(1, "server", String),
], embedded: &[] };

pub(super) static Namespace: Type = Type { go: "v1.Namespace", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&NamespaceSpec)),
    field(3, "status", Struct(&NamespaceStatus)),
], embedded: &[] };

pub(super) static NamespaceCondition: Type = Type { go: "v1.NamespaceCondition", fields: &[
    field(4, "lastTransitionTime", Time),
    omitted(6, "message", String),
    omitted(5, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.NamespaceConditionType")),
], embedded: &[] };

pub(super) static NamespaceSpec: Type = Type { go: "v1.NamespaceSpec", fields: &[
    omitted(1, "finalizers", List(&Text("v1.FinalizerName"))).of(Atomic),
], embedded: &[] };

pub(super) static NamespaceStatus: Type = Type { go: "v1.NamespaceStatus", fields: &[
    omitted(2, "conditions", List(&Struct(&NamespaceCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(1, "phase", Text("v1.NamespacePhase")),
], embedded: &[] };

pub(super) static Node: Type = Type { go: "v1.Node", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&NodeSpec)),
    field(3, "status", Struct(&NodeStatus)),
], embedded: &[] };

pub(super) static NodeAddress: Type = Type { go: "v1.NodeAddress", fields: &[
    field(2, "address", String),
    field(1, "type", Text("v1.NodeAddressType")),
], embedded: &[] };

pub(super) static NodeAffinity: Type = Type { go: "v1.NodeAffinity", fields: &[
    omitted(2, "preferredDuringSchedulingIgnoredDuringExecution", List(&Struct(&PreferredSchedulingTerm))).of(Atomic),
    field(1, "requiredDuringSchedulingIgnoredDuringExecution", Struct(&NodeSelector)),
], embedded: &[] };

pub(super) static NodeAllocatableMappedResources: Type = Type { go: "v1.NodeAllocatableMappedResources", fields: &[
    omitted(0, "name", String),
    omitted(0, "quantity", Quantity),
], embedded: &[] };

pub(super) static NodeAllocatableOverheadResources: Type = Type { go: "v1.NodeAllocatableOverheadResources", fields: &[
    omitted(0, "name", String),
    omitted(0, "perContainer", Quantity),
    omitted(0, "perPod", Quantity),
], embedded: &[] };

pub(super) static NodeAllocatableResourceClaimStatus: Type = Type { go: "v1.NodeAllocatableResourceClaimStatus", fields: &[
    omitted(2, "containers", List(&String)).of(Set),
    omitted(0, "mapping", List(&Struct(&NodeAllocatableMappedResources))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(0, "overhead", List(&Struct(&NodeAllocatableOverheadResources))).of(Keyed(&["name"])).patched(Merge("name")),
    field(1, "resourceClaimName", String),
    field(3, "resources", Map(&Quantity)),
], embedded: &[] };

pub(super) static NodeCondition: Type = Type { go: "v1.NodeCondition", fields: &[
    field(3, "lastHeartbeatTime", Time),
    field(4, "lastTransitionTime", Time),
    omitted(6, "message", String),
    omitted(5, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.NodeConditionType")),
], embedded: &[] };

pub(super) static NodeConfigSource: Type = Type { go: "v1.NodeConfigSource", fields: &[
    field(2, "configMap", Struct(&ConfigMapNodeConfigSource)),
], embedded: &[] };

pub(super) static NodeConfigStatus: Type = Type { go: "v1.NodeConfigStatus", fields: &[
    field(2, "active", Struct(&NodeConfigSource)),
    field(1, "assigned", Struct(&NodeConfigSource)),
    omitted(4, "error", String),
    field(3, "lastKnownGood", Struct(&NodeConfigSource)),
], embedded: &[] };

pub(super) static NodeDaemonEndpoints: Type = Type { go: "v1.NodeDaemonEndpoints", fields: &[
    field(1, "kubeletEndpoint", Struct(&DaemonEndpoint)),
], embedded: &[] };

pub(super) static NodeFeatures: Type = Type { go: "v1.NodeFeatures", fields: &[
    field(1, "supplementalGroupsPolicy", Bool),
], embedded: &[] };

pub(super) static NodePodPreemptionPolicy: Type = Type { go: "v1.NodePodPreemptionPolicy", fields: &[
    omitted(0, "disableResizePreemption", List(&String)).of(Set),
], embedded: &[] };

pub(super) static NodeProxyOptions: Type = Type { go: "v1.NodeProxyOptions", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(1, "path", String),
], embedded: &[] };

pub(super) static NodeRuntimeHandler: Type = Type { go: "v1.NodeRuntimeHandler", fields: &[
    field(2, "features", Struct(&NodeRuntimeHandlerFeatures)),
    field(1, "name", String),
], embedded: &[] };

pub(super) static NodeRuntimeHandlerFeatures: Type = Type { go: "v1.NodeRuntimeHandlerFeatures", fields: &[
    field(1, "recursiveReadOnlyMounts", Bool),
    field(2, "userNamespaces", Bool),
], embedded: &[] };

pub(super) static NodeSelector: Type = Type { go: "v1.NodeSelector", fields: &[
    field(1, "nodeSelectorTerms", List(&Struct(&NodeSelectorTerm))).of(Atomic),
], embedded: &[] };

pub(super) static NodeSelectorRequirement: Type = Type { go: "v1.NodeSelectorRequirement", fields: &[
    field(1, "key", String),
    field(2, "operator", Text("v1.NodeSelectorOperator")),
    omitted(3, "values", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static NodeSelectorTerm: Type = Type { go: "v1.NodeSelectorTerm", fields: &[
    omitted(1, "matchExpressions", List(&Struct(&NodeSelectorRequirement))).of(Atomic),
    omitted(2, "matchFields", List(&Struct(&NodeSelectorRequirement))).of(Atomic),
], embedded: &[] };

pub(super) static NodeSpec: Type = Type { go: "v1.NodeSpec", fields: &[
    field(6, "configSource", Struct(&NodeConfigSource)),
    omitted(2, "externalID", String),
    omitted(1, "podCIDR", String),
    omitted(7, "podCIDRs", List(&String)).of(Set).patched(Merge("")),
    omitted(0, "podPreemptionPolicy", Struct(&NodePodPreemptionPolicy)),
    omitted(3, "providerID", String),
    omitted(5, "taints", List(&Struct(&Taint))).of(Atomic),
    omitted(4, "unschedulable", Bool),
], embedded: &[] };

pub(super) static NodeStatus: Type = Type { go: "v1.NodeStatus", fields: &[
    omitted(5, "addresses", List(&Struct(&NodeAddress))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(2, "allocatable", Map(&Quantity)),
    omitted(1, "capacity", Map(&Quantity)),
    omitted(4, "conditions", List(&Struct(&NodeCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(11, "config", Struct(&NodeConfigStatus)),
    field(6, "daemonEndpoints", Struct(&NodeDaemonEndpoints)),
    omitted(14, "declaredFeatures", List(&String)).of(Atomic),
    field(13, "features", Struct(&NodeFeatures)),
    omitted(8, "images", List(&Struct(&ContainerImage))).of(Atomic),
    field(7, "nodeInfo", Struct(&NodeSystemInfo)),
    omitted(3, "phase", Text("v1.NodePhase")),
    omitted(12, "runtimeHandlers", List(&Struct(&NodeRuntimeHandler))).of(Atomic),
    omitted(10, "volumesAttached", List(&Struct(&AttachedVolume))).of(Atomic),
    omitted(9, "volumesInUse", List(&Text("v1.UniqueVolumeName"))).of(Atomic),
], embedded: &[] };

pub(super) static NodeSwapStatus: Type = Type { go: "v1.NodeSwapStatus", fields: &[
    field(1, "capacity", Int64),
], embedded: &[] };

pub(super) static NodeSystemInfo: Type = Type { go: "v1.NodeSystemInfo", fields: &[
    field(10, "architecture", String),
    field(3, "bootID", String),
    field(6, "containerRuntimeVersion", String),
    field(4, "kernelVersion", String),
    field(8, "kubeProxyVersion", String),
    field(7, "kubeletVersion", String),
    field(1, "machineID", String),
    field(9, "operatingSystem", String),
    field(5, "osImage", String),
    omitted(0, "runningInUserNamespace", Bool),
    field(11, "swap", Struct(&NodeSwapStatus)),
    field(2, "systemUUID", String),
], embedded: &[] };

pub(super) static ObjectFieldSelector: Type = Type { go: "v1.ObjectFieldSelector", fields: &[
    omitted(1, "apiVersion", String),
    field(2, "fieldPath", String),
], embedded: &[] };

pub(super) static ObjectReference: Type = Type { go: "v1.ObjectReference", fields: &[
    omitted(5, "apiVersion", String),
    omitted(7, "fieldPath", String),
    omitted(1, "kind", String),
    omitted(3, "name", String),
    omitted(2, "namespace", String),
    omitted(6, "resourceVersion", String),
    omitted(4, "uid", Text("types.UID")),
], embedded: &[] };

pub(super) static PersistentVolume: Type = Type { go: "v1.PersistentVolume", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&PersistentVolumeSpec)),
    field(3, "status", Struct(&PersistentVolumeStatus)),
], embedded: &[] };

pub(super) static PersistentVolumeClaim: Type = Type { go: "v1.PersistentVolumeClaim", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&PersistentVolumeClaimSpec)),
    field(3, "status", Struct(&PersistentVolumeClaimStatus)),
], embedded: &[] };

pub(super) static PersistentVolumeClaimCondition: Type = Type { go: "v1.PersistentVolumeClaimCondition", fields: &[
    field(3, "lastProbeTime", Time),
    field(4, "lastTransitionTime", Time),
    omitted(6, "message", String),
    omitted(5, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.PersistentVolumeClaimConditionType")),
], embedded: &[] };

pub(super) static PersistentVolumeClaimSpec: Type = Type { go: "v1.PersistentVolumeClaimSpec", fields: &[
    omitted(1, "accessModes", List(&Text("v1.PersistentVolumeAccessMode"))).of(Atomic),
    field(7, "dataSource", Struct(&TypedLocalObjectReference)),
    field(8, "dataSourceRef", Struct(&TypedObjectReference)),
    field(2, "resources", Struct(&VolumeResourceRequirements)),
    field(4, "selector", Struct(&meta_v1::LabelSelector)),
    field(5, "storageClassName", String),
    field(9, "volumeAttributesClassName", String),
    field(6, "volumeMode", Text("v1.PersistentVolumeMode")),
    omitted(3, "volumeName", String),
], embedded: &[] };

pub(super) static PersistentVolumeClaimStatus: Type = Type { go: "v1.PersistentVolumeClaimStatus", fields: &[
    omitted(2, "accessModes", List(&Text("v1.PersistentVolumeAccessMode"))).of(Atomic),
    omitted(7, "allocatedResourceStatuses", Map(&Text("v1.ClaimResourceStatus"))),
    omitted(5, "allocatedResources", Map(&Quantity)),
    omitted(3, "capacity", Map(&Quantity)),
    omitted(4, "conditions", List(&Struct(&PersistentVolumeClaimCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(8, "currentVolumeAttributesClassName", String),
    omitted(0, "healthStatus", Struct(&VolumeHealthStatus)),
    field(9, "modifyVolumeStatus", Struct(&ModifyVolumeStatus)),
    omitted(1, "phase", Text("v1.PersistentVolumeClaimPhase")),
], embedded: &[] };

pub(super) static PersistentVolumeClaimTemplate: Type = Type { go: "v1.PersistentVolumeClaimTemplate", fields: &[
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&PersistentVolumeClaimSpec)),
], embedded: &[] };

pub(super) static PersistentVolumeClaimVolumeSource: Type = Type { go: "v1.PersistentVolumeClaimVolumeSource", fields: &[
    field(1, "claimName", String),
    omitted(2, "readOnly", Bool),
], embedded: &[] };

pub(super) static PersistentVolumeSource: Type = Type { go: "v1.PersistentVolumeSource", fields: &[
    field(2, "awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    field(16, "azureDisk", Struct(&AzureDiskVolumeSource)),
    field(13, "azureFile", Struct(&AzureFilePersistentVolumeSource)),
    field(9, "cephfs", Struct(&CephFSPersistentVolumeSource)),
    field(8, "cinder", Struct(&CinderPersistentVolumeSource)),
    field(22, "csi", Struct(&CSIPersistentVolumeSource)),
    field(10, "fc", Struct(&FCVolumeSource)),
    field(12, "flexVolume", Struct(&FlexPersistentVolumeSource)),
    field(11, "flocker", Struct(&FlockerVolumeSource)),
    field(1, "gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    field(4, "glusterfs", Struct(&GlusterfsPersistentVolumeSource)),
    field(3, "hostPath", Struct(&HostPathVolumeSource)),
    field(7, "iscsi", Struct(&ISCSIPersistentVolumeSource)),
    field(20, "local", Struct(&LocalVolumeSource)),
    field(5, "nfs", Struct(&NFSVolumeSource)),
    field(17, "photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    field(18, "portworxVolume", Struct(&PortworxVolumeSource)),
    field(15, "quobyte", Struct(&QuobyteVolumeSource)),
    field(6, "rbd", Struct(&RBDPersistentVolumeSource)),
    field(19, "scaleIO", Struct(&ScaleIOPersistentVolumeSource)),
    field(21, "storageos", Struct(&StorageOSPersistentVolumeSource)),
    field(14, "vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
], embedded: &[] };

pub(super) static PersistentVolumeSpec: Type = Type { go: "v1.PersistentVolumeSpec", fields: &[
    omitted(3, "accessModes", List(&Text("v1.PersistentVolumeAccessMode"))).of(Atomic),
    field(0, "awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    field(0, "azureDisk", Struct(&AzureDiskVolumeSource)),
    field(0, "azureFile", Struct(&AzureFilePersistentVolumeSource)),
    omitted(1, "capacity", Map(&Quantity)),
    field(0, "cephfs", Struct(&CephFSPersistentVolumeSource)),
    field(0, "cinder", Struct(&CinderPersistentVolumeSource)),
    field(4, "claimRef", Struct(&ObjectReference)),
    field(0, "csi", Struct(&CSIPersistentVolumeSource)),
    field(0, "fc", Struct(&FCVolumeSource)),
    field(0, "flexVolume", Struct(&FlexPersistentVolumeSource)),
    field(0, "flocker", Struct(&FlockerVolumeSource)),
    field(0, "gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    field(0, "glusterfs", Struct(&GlusterfsPersistentVolumeSource)),
    field(0, "hostPath", Struct(&HostPathVolumeSource)),
    field(0, "iscsi", Struct(&ISCSIPersistentVolumeSource)),
    field(0, "local", Struct(&LocalVolumeSource)),
    omitted(7, "mountOptions", List(&String)).of(Atomic),
    field(0, "nfs", Struct(&NFSVolumeSource)),
    field(9, "nodeAffinity", Struct(&VolumeNodeAffinity)),
    omitted(5, "persistentVolumeReclaimPolicy", Text("v1.PersistentVolumeReclaimPolicy")),
    field(0, "photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    field(0, "portworxVolume", Struct(&PortworxVolumeSource)),
    field(0, "quobyte", Struct(&QuobyteVolumeSource)),
    field(0, "rbd", Struct(&RBDPersistentVolumeSource)),
    field(0, "scaleIO", Struct(&ScaleIOPersistentVolumeSource)),
    omitted(6, "storageClassName", String),
    field(0, "storageos", Struct(&StorageOSPersistentVolumeSource)),
    field(10, "volumeAttributesClassName", String),
    field(8, "volumeMode", Text("v1.PersistentVolumeMode")),
    field(0, "vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
], embedded: &[(2, &PersistentVolumeSource)] };

pub(super) static PersistentVolumeStatus: Type = Type { go: "v1.PersistentVolumeStatus", fields: &[
    field(4, "lastPhaseTransitionTime", Time),
    omitted(2, "message", String),
    omitted(1, "phase", Text("v1.PersistentVolumePhase")),
    omitted(3, "reason", String),
], embedded: &[] };

pub(super) static PhotonPersistentDiskVolumeSource: Type = Type { go: "v1.PhotonPersistentDiskVolumeSource", fields: &[
    omitted(2, "fsType", String),
    field(1, "pdID", String),
], embedded: &[] };

pub(super) static Pod: Type = Type { go: "v1.Pod", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&PodSpec)),
    field(3, "status", Struct(&PodStatus)),
], embedded: &[] };

pub(super) static PodAffinity: Type = Type { go: "v1.PodAffinity", fields: &[
    omitted(2, "preferredDuringSchedulingIgnoredDuringExecution", List(&Struct(&WeightedPodAffinityTerm))).of(Atomic),
    omitted(1, "requiredDuringSchedulingIgnoredDuringExecution", List(&Struct(&PodAffinityTerm))).of(Atomic),
], embedded: &[] };

pub(super) static PodAffinityTerm: Type = Type { go: "v1.PodAffinityTerm", fields: &[
    field(1, "labelSelector", Struct(&meta_v1::LabelSelector)),
    omitted(5, "matchLabelKeys", List(&String)).of(Atomic),
    omitted(6, "mismatchLabelKeys", List(&String)).of(Atomic),
    field(4, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    omitted(2, "namespaces", List(&String)).of(Atomic),
    field(3, "topologyKey", String),
], embedded: &[] };

pub(super) static PodAntiAffinity: Type = Type { go: "v1.PodAntiAffinity", fields: &[
    omitted(2, "preferredDuringSchedulingIgnoredDuringExecution", List(&Struct(&WeightedPodAffinityTerm))).of(Atomic),
    omitted(1, "requiredDuringSchedulingIgnoredDuringExecution", List(&Struct(&PodAffinityTerm))).of(Atomic),
], embedded: &[] };

pub(super) static PodAttachOptions: Type = Type { go: "v1.PodAttachOptions", fields: &[
    omitted(0, "apiVersion", String),
    omitted(5, "container", String),
    omitted(0, "kind", String),
    omitted(3, "stderr", Bool),
    omitted(1, "stdin", Bool),
    omitted(2, "stdout", Bool),
    omitted(4, "tty", Bool),
], embedded: &[] };

pub(super) static PodCertificateProjection: Type = Type { go: "v1.PodCertificateProjection", fields: &[
    omitted(6, "certificateChainPath", String),
    omitted(4, "credentialBundlePath", String),
    omitted(5, "keyPath", String),
    omitted(2, "keyType", String),
    field(3, "maxExpirationSeconds", Int32),
    omitted(1, "signerName", String),
    omitted(0, "user", Int64),
    omitted(7, "userAnnotations", Map(&String)),
], embedded: &[] };

pub(super) static PodCondition: Type = Type { go: "v1.PodCondition", fields: &[
    field(3, "lastProbeTime", Time),
    field(4, "lastTransitionTime", Time),
    omitted(6, "message", String),
    omitted(7, "observedGeneration", Int64),
    omitted(5, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.PodConditionType")),
], embedded: &[] };

pub(super) static PodDNSConfig: Type = Type { go: "v1.PodDNSConfig", fields: &[
    omitted(1, "nameservers", List(&String)).of(Atomic),
    omitted(3, "options", List(&Struct(&PodDNSConfigOption))).of(Atomic),
    omitted(2, "searches", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static PodDNSConfigOption: Type = Type { go: "v1.PodDNSConfigOption", fields: &[
    omitted(1, "name", String),
    field(2, "value", String),
], embedded: &[] };

pub(super) static PodExecOptions: Type = Type { go: "v1.PodExecOptions", fields: &[
    omitted(0, "apiVersion", String),
    field(6, "command", List(&String)).of(Atomic),
    omitted(5, "container", String),
    omitted(0, "kind", String),
    omitted(3, "stderr", Bool),
    omitted(1, "stdin", Bool),
    omitted(2, "stdout", Bool),
    omitted(4, "tty", Bool),
], embedded: &[] };

pub(super) static PodExtendedResourceClaimStatus: Type = Type { go: "v1.PodExtendedResourceClaimStatus", fields: &[
    field(1, "requestMappings", List(&Struct(&ContainerExtendedResourceRequest))).of(Atomic),
    field(2, "resourceClaimName", String),
], embedded: &[] };

pub(super) static PodIP: Type = Type { go: "v1.PodIP", fields: &[
    field(1, "ip", String),
], embedded: &[] };

pub(super) static PodLogOptions: Type = Type { go: "v1.PodLogOptions", fields: &[
    omitted(0, "apiVersion", String),
    omitted(1, "container", String),
    omitted(2, "follow", Bool),
    omitted(9, "insecureSkipTLSVerifyBackend", Bool),
    omitted(0, "kind", String),
    field(8, "limitBytes", Int64),
    omitted(3, "previous", Bool),
    field(4, "sinceSeconds", Int64),
    field(5, "sinceTime", Time),
    field(10, "stream", String),
    field(7, "tailLines", Int64),
    omitted(6, "timestamps", Bool),
], embedded: &[] };

pub(super) static PodOS: Type = Type { go: "v1.PodOS", fields: &[
    field(1, "name", Text("v1.OSName")),
], embedded: &[] };

pub(super) static PodPortForwardOptions: Type = Type { go: "v1.PodPortForwardOptions", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(1, "ports", List(&Int32)).of(Atomic),
], embedded: &[] };

pub(super) static PodProxyOptions: Type = Type { go: "v1.PodProxyOptions", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(1, "path", String),
], embedded: &[] };

pub(super) static PodReadinessGate: Type = Type { go: "v1.PodReadinessGate", fields: &[
    field(1, "conditionType", Text("v1.PodConditionType")),
], embedded: &[] };

pub(super) static PodResourceClaim: Type = Type { go: "v1.PodResourceClaim", fields: &[
    field(1, "name", String),
    field(3, "resourceClaimName", String),
    field(4, "resourceClaimTemplateName", String),
], embedded: &[] };

pub(super) static PodResourceClaimStatus: Type = Type { go: "v1.PodResourceClaimStatus", fields: &[
    field(1, "name", String),
    field(2, "resourceClaimName", String),
], embedded: &[] };

pub(super) static PodSchedulingGate: Type = Type { go: "v1.PodSchedulingGate", fields: &[
    field(1, "name", String),
], embedded: &[] };

pub(super) static PodSchedulingGroup: Type = Type { go: "v1.PodSchedulingGroup", fields: &[
    field(1, "podGroupName", String),
], embedded: &[] };

pub(super) static PodSecurityContext: Type = Type { go: "v1.PodSecurityContext", fields: &[
    field(11, "appArmorProfile", Struct(&AppArmorProfile)),
    field(5, "fsGroup", Int64),
    field(9, "fsGroupChangePolicy", Text("v1.PodFSGroupChangePolicy")),
    field(6, "runAsGroup", Int64),
    field(3, "runAsNonRoot", Bool),
    field(2, "runAsUser", Int64),
    field(13, "seLinuxChangePolicy", Text("v1.PodSELinuxChangePolicy")),
    field(1, "seLinuxOptions", Struct(&SELinuxOptions)),
    field(10, "seccompProfile", Struct(&SeccompProfile)),
    omitted(4, "supplementalGroups", List(&Int64)).of(Atomic),
    field(12, "supplementalGroupsPolicy", Text("v1.SupplementalGroupsPolicy")),
    omitted(7, "sysctls", List(&Struct(&Sysctl))).of(Atomic),
    field(8, "windowsOptions", Struct(&WindowsSecurityContextOptions)),
], embedded: &[] };

pub(super) static PodSpec: Type = Type { go: "v1.PodSpec", fields: &[
    field(5, "activeDeadlineSeconds", Int64),
    field(18, "affinity", Struct(&Affinity)),
    field(21, "automountServiceAccountToken", Bool),
    field(2, "containers", List(&Struct(&Container))).of(Keyed(&["name"])).patched(Merge("name")),
    field(26, "dnsConfig", Struct(&PodDNSConfig)),
    omitted(6, "dnsPolicy", Text("v1.DNSPolicy")),
    field(30, "enableServiceLinks", Bool),
    omitted(34, "ephemeralContainers", List(&Struct(&EphemeralContainer))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(0, "evictionResponders", List(&Struct(&EvictionResponder))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(23, "hostAliases", List(&Struct(&HostAlias))).of(Keyed(&["ip"])).patched(Merge("ip")),
    omitted(13, "hostIPC", Bool),
    omitted(11, "hostNetwork", Bool),
    omitted(12, "hostPID", Bool),
    field(37, "hostUsers", Bool),
    omitted(16, "hostname", String),
    field(41, "hostnameOverride", String),
    omitted(15, "imagePullSecrets", List(&Struct(&LocalObjectReference))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(20, "initContainers", List(&Struct(&Container))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(10, "nodeName", String),
    omitted(7, "nodeSelector", Map(&String)).of(Atomic),
    field(36, "os", Struct(&PodOS)),
    omitted(32, "overhead", Map(&Quantity)),
    field(31, "preemptionPolicy", Text("v1.PreemptionPolicy")),
    field(25, "priority", Int32),
    omitted(24, "priorityClassName", String),
    omitted(28, "readinessGates", List(&Struct(&PodReadinessGate))).of(Atomic),
    omitted(39, "resourceClaims", List(&Struct(&PodResourceClaim))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
    field(40, "resources", Struct(&ResourceRequirements)),
    omitted(3, "restartPolicy", Text("v1.RestartPolicy")),
    field(29, "runtimeClassName", String),
    omitted(19, "schedulerName", String),
    omitted(38, "schedulingGates", List(&Struct(&PodSchedulingGate))).of(Keyed(&["name"])).patched(Merge("name")),
    field(43, "schedulingGroup", Struct(&PodSchedulingGroup)),
    field(14, "securityContext", Struct(&PodSecurityContext)),
    omitted(9, "serviceAccount", String),
    omitted(8, "serviceAccountName", String),
    field(35, "setHostnameAsFQDN", Bool),
    field(27, "shareProcessNamespace", Bool),
    omitted(17, "subdomain", String),
    field(4, "terminationGracePeriodSeconds", Int64),
    omitted(22, "tolerations", List(&Struct(&Toleration))).of(Atomic),
    omitted(33, "topologySpreadConstraints", List(&Struct(&TopologySpreadConstraint))).of(Keyed(&["topologyKey", "whenUnsatisfiable"])).patched(Merge("topologyKey")),
    omitted(1, "volumes", List(&Struct(&Volume))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
], embedded: &[] };

pub(super) static PodStatus: Type = Type { go: "v1.PodStatus", fields: &[
    omitted(19, "allocatedResources", Map(&Quantity)),
    omitted(2, "conditions", List(&Struct(&PodCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(8, "containerStatuses", List(&Struct(&ContainerStatus))).of(Atomic),
    omitted(13, "ephemeralContainerStatuses", List(&Struct(&ContainerStatus))).of(Atomic),
    field(18, "extendedResourceClaimStatus", Struct(&PodExtendedResourceClaimStatus)),
    omitted(5, "hostIP", String),
    omitted(16, "hostIPs", List(&Struct(&HostIP))).of(Atomic).patched(Merge("ip")),
    omitted(10, "initContainerStatuses", List(&Struct(&ContainerStatus))).of(Atomic),
    omitted(3, "message", String),
    omitted(21, "nodeAllocatableResourceClaimStatuses", List(&Struct(&NodeAllocatableResourceClaimStatus))).of(Atomic),
    omitted(11, "nominatedNodeName", String),
    omitted(17, "observedGeneration", Int64),
    omitted(1, "phase", Text("v1.PodPhase")),
    omitted(6, "podIP", String),
    omitted(12, "podIPs", List(&Struct(&PodIP))).of(Keyed(&["ip"])).patched(Merge("ip")),
    omitted(9, "qosClass", Text("v1.PodQOSClass")),
    omitted(4, "reason", String),
    omitted(14, "resize", Text("v1.PodResizeStatus")),
    omitted(15, "resourceClaimStatuses", List(&Struct(&PodResourceClaimStatus))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
    field(20, "resources", Struct(&ResourceRequirements)),
    field(7, "startTime", Time),
    omitted(0, "volumeHealth", List(&Struct(&PodVolumeHealth))).of(Keyed(&["name"])),
], embedded: &[] };

pub(super) static PodStatusResult: Type = Type { go: "v1.PodStatusResult", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "status", Struct(&PodStatus)),
], embedded: &[] };

pub(super) static PodTemplate: Type = Type { go: "v1.PodTemplate", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "template", Struct(&PodTemplateSpec)),
], embedded: &[] };

pub(super) static PodTemplateSpec: Type = Type { go: "v1.PodTemplateSpec", fields: &[
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&PodSpec)),
], embedded: &[] };

pub(super) static PodVolumeHealth: Type = Type { go: "v1.PodVolumeHealth", fields: &[
    omitted(0, "healthConditions", List(&Struct(&VolumeHealthCondition))).of(Keyed(&["reason", "status"])).patched(Merge("status")),
    omitted(0, "lastTransitionTime", Time),
    omitted(0, "name", String),
], embedded: &[] };

pub(super) static PortStatus: Type = Type { go: "v1.PortStatus", fields: &[
    field(3, "error", String),
    field(1, "port", Int32),
    field(2, "protocol", Text("v1.Protocol")),
], embedded: &[] };

pub(super) static PortworxVolumeSource: Type = Type { go: "v1.PortworxVolumeSource", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "readOnly", Bool),
    field(1, "volumeID", String),
], embedded: &[] };

pub(super) static PreferredSchedulingTerm: Type = Type { go: "v1.PreferredSchedulingTerm", fields: &[
    field(2, "preference", Struct(&NodeSelectorTerm)),
    field(1, "weight", Int32),
], embedded: &[] };

pub(super) static Probe: Type = Type { go: "v1.Probe", fields: &[
    field(0, "exec", Struct(&ExecAction)),
    omitted(6, "failureThreshold", Int32),
    field(0, "grpc", Struct(&GRPCAction)),
    field(0, "httpGet", Struct(&HTTPGetAction)),
    omitted(2, "initialDelaySeconds", Int32),
    omitted(4, "periodSeconds", Int32),
    omitted(5, "successThreshold", Int32),
    field(0, "tcpSocket", Struct(&TCPSocketAction)),
    field(7, "terminationGracePeriodSeconds", Int64),
    omitted(3, "timeoutSeconds", Int32),
], embedded: &[(1, &ProbeHandler)] };

pub(super) static ProbeHandler: Type = Type { go: "v1.ProbeHandler", fields: &[
    field(1, "exec", Struct(&ExecAction)),
    field(4, "grpc", Struct(&GRPCAction)),
    field(2, "httpGet", Struct(&HTTPGetAction)),
    field(3, "tcpSocket", Struct(&TCPSocketAction)),
], embedded: &[] };

pub(super) static ProjectedVolumeSource: Type = Type { go: "v1.ProjectedVolumeSource", fields: &[
    field(2, "defaultMode", Int32),
    omitted(0, "defaultUser", Int64),
    field(1, "sources", List(&Struct(&VolumeProjection))).of(Atomic),
], embedded: &[] };

pub(super) static QuobyteVolumeSource: Type = Type { go: "v1.QuobyteVolumeSource", fields: &[
    omitted(5, "group", String),
    omitted(3, "readOnly", Bool),
    field(1, "registry", String),
    omitted(6, "tenant", String),
    omitted(4, "user", String),
    field(2, "volume", String),
], embedded: &[] };

pub(super) static RBDPersistentVolumeSource: Type = Type { go: "v1.RBDPersistentVolumeSource", fields: &[
    omitted(3, "fsType", String),
    field(2, "image", String),
    omitted(6, "keyring", String),
    field(1, "monitors", List(&String)).of(Atomic),
    omitted(4, "pool", String),
    omitted(8, "readOnly", Bool),
    field(7, "secretRef", Struct(&SecretReference)),
    omitted(5, "user", String),
], embedded: &[] };

pub(super) static RBDVolumeSource: Type = Type { go: "v1.RBDVolumeSource", fields: &[
    omitted(3, "fsType", String),
    field(2, "image", String),
    omitted(6, "keyring", String),
    field(1, "monitors", List(&String)).of(Atomic),
    omitted(4, "pool", String),
    omitted(8, "readOnly", Bool),
    field(7, "secretRef", Struct(&LocalObjectReference)),
    omitted(5, "user", String),
], embedded: &[] };

pub(super) static RangeAllocation: Type = Type { go: "v1.RangeAllocation", fields: &[
    omitted(0, "apiVersion", String),
    field(3, "data", Bytes),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "range", String),
], embedded: &[] };

pub(super) static ReplicationController: Type = Type { go: "v1.ReplicationController", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ReplicationControllerSpec)),
    field(3, "status", Struct(&ReplicationControllerStatus)),
], embedded: &[] };

pub(super) static ReplicationControllerCondition: Type = Type { go: "v1.ReplicationControllerCondition", fields: &[
    field(3, "lastTransitionTime", Time),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.ReplicationControllerConditionType")),
], embedded: &[] };

pub(super) static ReplicationControllerSpec: Type = Type { go: "v1.ReplicationControllerSpec", fields: &[
    omitted(4, "minReadySeconds", Int32),
    field(1, "replicas", Int32),
    omitted(2, "selector", Map(&String)).of(Atomic),
    field(3, "template", Struct(&PodTemplateSpec)),
], embedded: &[] };

pub(super) static ReplicationControllerStatus: Type = Type { go: "v1.ReplicationControllerStatus", fields: &[
    omitted(5, "availableReplicas", Int32),
    omitted(6, "conditions", List(&Struct(&ReplicationControllerCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(2, "fullyLabeledReplicas", Int32),
    omitted(3, "observedGeneration", Int64),
    omitted(4, "readyReplicas", Int32),
    field(1, "replicas", Int32),
], embedded: &[] };

pub(super) static ResourceClaim: Type = Type { go: "v1.ResourceClaim", fields: &[
    field(1, "name", String),
    omitted(2, "request", String),
], embedded: &[] };

pub(super) static ResourceFieldSelector: Type = Type { go: "v1.ResourceFieldSelector", fields: &[
    omitted(1, "containerName", String),
    field(3, "divisor", Quantity),
    field(2, "resource", String),
], embedded: &[] };

pub(super) static ResourceHealth: Type = Type { go: "v1.ResourceHealth", fields: &[
    omitted(2, "health", Text("v1.ResourceHealthStatus")),
    field(6, "message", String),
    field(1, "resourceID", Text("v1.ResourceID")),
], embedded: &[] };

pub(super) static ResourceQuota: Type = Type { go: "v1.ResourceQuota", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ResourceQuotaSpec)),
    field(3, "status", Struct(&ResourceQuotaStatus)),
], embedded: &[] };

pub(super) static ResourceQuotaSpec: Type = Type { go: "v1.ResourceQuotaSpec", fields: &[
    omitted(1, "hard", Map(&Quantity)),
    field(3, "scopeSelector", Struct(&ScopeSelector)),
    omitted(2, "scopes", List(&Text("v1.ResourceQuotaScope"))).of(Atomic),
], embedded: &[] };

pub(super) static ResourceQuotaStatus: Type = Type { go: "v1.ResourceQuotaStatus", fields: &[
    omitted(1, "hard", Map(&Quantity)),
    omitted(2, "used", Map(&Quantity)),
], embedded: &[] };

pub(super) static ResourceRequirements: Type = Type { go: "v1.ResourceRequirements", fields: &[
    omitted(3, "claims", List(&Struct(&ResourceClaim))).of(Keyed(&["name"])),
    omitted(1, "limits", Map(&Quantity)),
    omitted(2, "requests", Map(&Quantity)),
], embedded: &[] };

pub(super) static ResourceStatus: Type = Type { go: "v1.ResourceStatus", fields: &[
    field(1, "name", Text("v1.ResourceName")),
    omitted(2, "resources", List(&Struct(&ResourceHealth))).of(Keyed(&["resourceID"])),
], embedded: &[] };

pub(super) static SELinuxOptions: Type = Type { go: "v1.SELinuxOptions", fields: &[
    omitted(4, "level", String),
    omitted(2, "role", String),
    omitted(3, "type", String),
    omitted(1, "user", String),
], embedded: &[] };

pub(super) static ScaleIOPersistentVolumeSource: Type = Type { go: "v1.ScaleIOPersistentVolumeSource", fields: &[
    omitted(9, "fsType", String),
    field(1, "gateway", String),
    omitted(5, "protectionDomain", String),
    omitted(10, "readOnly", Bool),
    field(3, "secretRef", Struct(&SecretReference)),
    omitted(4, "sslEnabled", Bool),
    omitted(7, "storageMode", String),
    omitted(6, "storagePool", String),
    field(2, "system", String),
    omitted(8, "volumeName", String),
], embedded: &[] };

pub(super) static ScaleIOVolumeSource: Type = Type { go: "v1.ScaleIOVolumeSource", fields: &[
    omitted(9, "fsType", String),
    field(1, "gateway", String),
    omitted(5, "protectionDomain", String),
    omitted(10, "readOnly", Bool),
    field(3, "secretRef", Struct(&LocalObjectReference)),
    omitted(4, "sslEnabled", Bool),
    omitted(7, "storageMode", String),
    omitted(6, "storagePool", String),
    field(2, "system", String),
    omitted(8, "volumeName", String),
], embedded: &[] };

pub(super) static ScopeSelector: Type = Type { go: "v1.ScopeSelector", fields: &[
    omitted(1, "matchExpressions", List(&Struct(&ScopedResourceSelectorRequirement))).of(Atomic),
], embedded: &[] };

pub(super) static ScopedResourceSelectorRequirement: Type = Type { go: "v1.ScopedResourceSelectorRequirement", fields: &[
    field(2, "operator", Text("v1.ScopeSelectorOperator")),
    field(1, "scopeName", Text("v1.ResourceQuotaScope")),
    omitted(3, "values", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static SeccompProfile: Type = Type { go: "v1.SeccompProfile", fields: &[
    field(2, "localhostProfile", String),
    field(1, "type", Text("v1.SeccompProfileType")),
], embedded: &[] };

pub(super) static Secret: Type = Type { go: "v1.Secret", fields: &[
    omitted(0, "apiVersion", String),
    omitted(2, "data", Map(&Bytes)),
    field(5, "immutable", Bool),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(4, "stringData", Map(&String)),
    omitted(3, "type", Text("v1.SecretType")),
], embedded: &[] };

pub(super) static SecretEnvSource: Type = Type { go: "v1.SecretEnvSource", fields: &[
    omitted(0, "name", String),
    field(2, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)] };

pub(super) static SecretKeySelector: Type = Type { go: "v1.SecretKeySelector", fields: &[
    field(2, "key", String),
    omitted(0, "name", String),
    field(3, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)] };

pub(super) static SecretProjection: Type = Type { go: "v1.SecretProjection", fields: &[
    omitted(2, "items", List(&Struct(&KeyToPath))).of(Atomic),
    omitted(0, "name", String),
    field(4, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)] };

pub(super) static SecretReference: Type = Type { go: "v1.SecretReference", fields: &[
    omitted(1, "name", String),
    omitted(2, "namespace", String),
], embedded: &[] };

pub(super) static SecretVolumeSource: Type = Type { go: "v1.SecretVolumeSource", fields: &[
    field(3, "defaultMode", Int32),
    omitted(0, "defaultUser", Int64),
    omitted(2, "items", List(&Struct(&KeyToPath))).of(Atomic),
    field(4, "optional", Bool),
    omitted(1, "secretName", String),
], embedded: &[] };

pub(super) static SecurityContext: Type = Type { go: "v1.SecurityContext", fields: &[
    field(7, "allowPrivilegeEscalation", Bool),
    field(12, "appArmorProfile", Struct(&AppArmorProfile)),
    field(1, "capabilities", Struct(&Capabilities)),
    field(2, "privileged", Bool),
    field(9, "procMount", Text("v1.ProcMountType")),
    field(6, "readOnlyRootFilesystem", Bool),
    field(8, "runAsGroup", Int64),
    field(5, "runAsNonRoot", Bool),
    field(4, "runAsUser", Int64),
    field(3, "seLinuxOptions", Struct(&SELinuxOptions)),
    field(11, "seccompProfile", Struct(&SeccompProfile)),
    field(10, "windowsOptions", Struct(&WindowsSecurityContextOptions)),
], embedded: &[] };

pub(super) static SerializedReference: Type = Type { go: "v1.SerializedReference", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "reference", Struct(&ObjectReference)),
], embedded: &[] };

pub(super) static Service: Type = Type { go: "v1.Service", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ServiceSpec)),
    field(3, "status", Struct(&ServiceStatus)),
], embedded: &[] };

pub(super) static ServiceAccount: Type = Type { go: "v1.ServiceAccount", fields: &[
    omitted(0, "apiVersion", String),
    field(4, "automountServiceAccountToken", Bool),
    omitted(3, "imagePullSecrets", List(&Struct(&LocalObjectReference))).of(Atomic),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(2, "secrets", List(&Struct(&ObjectReference))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[] };

pub(super) static ServiceAccountTokenProjection: Type = Type { go: "v1.ServiceAccountTokenProjection", fields: &[
    omitted(1, "audience", String),
    field(2, "expirationSeconds", Int64),
    field(3, "path", String),
    omitted(0, "user", Int64),
], embedded: &[] };

pub(super) static ServicePort: Type = Type { go: "v1.ServicePort", fields: &[
    field(6, "appProtocol", String),
    omitted(1, "name", String),
    omitted(5, "nodePort", Int32),
    field(3, "port", Int32),
    omitted(2, "protocol", Text("v1.Protocol")),
    field(4, "targetPort", IntOrString),
], embedded: &[] };

pub(super) static ServiceProxyOptions: Type = Type { go: "v1.ServiceProxyOptions", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(1, "path", String),
], embedded: &[] };

pub(super) static ServiceSpec: Type = Type { go: "v1.ServiceSpec", fields: &[
    field(20, "allocateLoadBalancerNodePorts", Bool),
    omitted(3, "clusterIP", String),
    omitted(18, "clusterIPs", List(&String)).of(Atomic),
    omitted(5, "externalIPs", List(&String)).of(Atomic),
    omitted(10, "externalName", String),
    omitted(11, "externalTrafficPolicy", Text("v1.ServiceExternalTrafficPolicy")),
    omitted(12, "healthCheckNodePort", Int32),
    field(22, "internalTrafficPolicy", Text("v1.ServiceInternalTrafficPolicy")),
    omitted(19, "ipFamilies", List(&Text("v1.IPFamily"))).of(Atomic),
    field(17, "ipFamilyPolicy", Text("v1.IPFamilyPolicy")),
    field(21, "loadBalancerClass", String),
    omitted(8, "loadBalancerIP", String),
    omitted(9, "loadBalancerSourceRanges", List(&String)).of(Atomic),
    omitted(1, "ports", List(&Struct(&ServicePort))).of(Keyed(&["port", "protocol"])).patched(Merge("port")),
    omitted(13, "publishNotReadyAddresses", Bool),
    omitted(2, "selector", Map(&String)).of(Atomic),
    omitted(7, "sessionAffinity", Text("v1.ServiceAffinity")),
    field(14, "sessionAffinityConfig", Struct(&SessionAffinityConfig)),
    field(23, "trafficDistribution", String),
    omitted(4, "type", Text("v1.ServiceType")),
], embedded: &[] };

pub(super) static ServiceStatus: Type = Type { go: "v1.ServiceStatus", fields: &[
    omitted(2, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(1, "loadBalancer", Struct(&LoadBalancerStatus)),
], embedded: &[] };

pub(super) static SessionAffinityConfig: Type = Type { go: "v1.SessionAffinityConfig", fields: &[
    field(1, "clientIP", Struct(&ClientIPConfig)),
], embedded: &[] };

pub(super) static SleepAction: Type = Type { go: "v1.SleepAction", fields: &[
    field(1, "seconds", Int64),
], embedded: &[] };

pub(super) static StorageOSPersistentVolumeSource: Type = Type { go: "v1.StorageOSPersistentVolumeSource", fields: &[
    omitted(3, "fsType", String),
    omitted(4, "readOnly", Bool),
    field(5, "secretRef", Struct(&ObjectReference)),
    omitted(1, "volumeName", String),
    omitted(2, "volumeNamespace", String),
], embedded: &[] };

pub(super) static StorageOSVolumeSource: Type = Type { go: "v1.StorageOSVolumeSource", fields: &[
    omitted(3, "fsType", String),
    omitted(4, "readOnly", Bool),
    field(5, "secretRef", Struct(&LocalObjectReference)),
    omitted(1, "volumeName", String),
    omitted(2, "volumeNamespace", String),
], embedded: &[] };

pub(super) static Sysctl: Type = Type { go: "v1.Sysctl", fields: &[
    field(1, "name", String),
    field(2, "value", String),
], embedded: &[] };

pub(super) static TCPSocketAction: Type = Type { go: "v1.TCPSocketAction", fields: &[
    omitted(2, "host", String),
    field(1, "port", IntOrString),
], embedded: &[] };

pub(super) static Taint: Type = Type { go: "v1.Taint", fields: &[
    field(3, "effect", Text("v1.TaintEffect")),
    field(1, "key", String),
    field(4, "timeAdded", Time),
    omitted(2, "value", String),
], embedded: &[] };

pub(super) static Toleration: Type = Type { go: "v1.Toleration", fields: &[
    omitted(4, "effect", Text("v1.TaintEffect")),
    omitted(1, "key", String),
    omitted(2, "operator", Text("v1.TolerationOperator")),
    field(5, "tolerationSeconds", Int64),
    omitted(3, "value", String),
], embedded: &[] };

pub(super) static TopologySelectorLabelRequirement: Type = Type { go: "v1.TopologySelectorLabelRequirement", fields: &[
    field(1, "key", String),
    field(2, "values", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static TopologySelectorTerm: Type = Type { go: "v1.TopologySelectorTerm", fields: &[
    omitted(1, "matchLabelExpressions", List(&Struct(&TopologySelectorLabelRequirement))).of(Atomic),
], embedded: &[] };

pub(super) static TopologySpreadConstraint: Type = Type { go: "v1.TopologySpreadConstraint", fields: &[
    field(4, "labelSelector", Struct(&meta_v1::LabelSelector)),
    omitted(8, "matchLabelKeys", List(&String)).of(Atomic),
    field(1, "maxSkew", Int32),
    field(5, "minDomains", Int32),
    field(6, "nodeAffinityPolicy", Text("v1.NodeInclusionPolicy")),
    field(7, "nodeTaintsPolicy", Text("v1.NodeInclusionPolicy")),
    field(2, "topologyKey", String),
    field(3, "whenUnsatisfiable", Text("v1.UnsatisfiableConstraintAction")),
], embedded: &[] };

pub(super) static TypedLocalObjectReference: Type = Type { go: "v1.TypedLocalObjectReference", fields: &[
    field(1, "apiGroup", String),
    field(2, "kind", String),
    field(3, "name", String),
], embedded: &[] };

pub(super) static TypedObjectReference: Type = Type { go: "v1.TypedObjectReference", fields: &[
    field(1, "apiGroup", String),
    field(2, "kind", String),
    field(3, "name", String),
    field(4, "namespace", String),
], embedded: &[] };

pub(super) static Volume: Type = Type { go: "v1.Volume", fields: &[
    field(0, "awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    field(0, "azureDisk", Struct(&AzureDiskVolumeSource)),
    field(0, "azureFile", Struct(&AzureFileVolumeSource)),
    field(0, "cephfs", Struct(&CephFSVolumeSource)),
    field(0, "cinder", Struct(&CinderVolumeSource)),
    field(0, "configMap", Struct(&ConfigMapVolumeSource)),
    field(0, "csi", Struct(&CSIVolumeSource)),
    field(0, "downwardAPI", Struct(&DownwardAPIVolumeSource)),
    field(0, "emptyDir", Struct(&EmptyDirVolumeSource)),
    field(0, "ephemeral", Struct(&EphemeralVolumeSource)),
    field(0, "fc", Struct(&FCVolumeSource)),
    field(0, "flexVolume", Struct(&FlexVolumeSource)),
    field(0, "flocker", Struct(&FlockerVolumeSource)),
    field(0, "gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    field(0, "gitRepo", Struct(&GitRepoVolumeSource)),
    field(0, "glusterfs", Struct(&GlusterfsVolumeSource)),
    field(0, "hostPath", Struct(&HostPathVolumeSource)),
    field(0, "image", Struct(&ImageVolumeSource)),
    field(0, "iscsi", Struct(&ISCSIVolumeSource)),
    field(1, "name", String),
    field(0, "nfs", Struct(&NFSVolumeSource)),
    field(0, "persistentVolumeClaim", Struct(&PersistentVolumeClaimVolumeSource)),
    field(0, "photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    field(0, "portworxVolume", Struct(&PortworxVolumeSource)),
    field(0, "projected", Struct(&ProjectedVolumeSource)),
    field(0, "quobyte", Struct(&QuobyteVolumeSource)),
    field(0, "rbd", Struct(&RBDVolumeSource)),
    field(0, "scaleIO", Struct(&ScaleIOVolumeSource)),
    field(0, "secret", Struct(&SecretVolumeSource)),
    field(0, "storageos", Struct(&StorageOSVolumeSource)),
    field(0, "vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
], embedded: &[(2, &VolumeSource)] };

pub(super) static VolumeDevice: Type = Type { go: "v1.VolumeDevice", fields: &[
    field(2, "devicePath", String),
    field(1, "name", String),
], embedded: &[] };

pub(super) static VolumeHealthCondition: Type = Type { go: "v1.VolumeHealthCondition", fields: &[
    omitted(0, "message", String),
    omitted(0, "reason", String),
    omitted(0, "status", String),
], embedded: &[] };

pub(super) static VolumeHealthStatus: Type = Type { go: "v1.VolumeHealthStatus", fields: &[
    omitted(0, "healthConditions", List(&Struct(&VolumeHealthCondition))).of(Keyed(&["reason", "status"])).patched(Merge("status")),
    omitted(0, "lastTransitionTime", Time),
], embedded: &[] };

pub(super) static VolumeMount: Type = Type { go: "v1.VolumeMount", fields: &[
    omitted(0, "bindMountOptions", List(&String)).of(Set),
    field(3, "mountPath", String),
    field(5, "mountPropagation", Text("v1.MountPropagationMode")),
    field(1, "name", String),
    omitted(2, "readOnly", Bool),
    field(7, "recursiveReadOnly", Text("v1.RecursiveReadOnlyMode")),
    omitted(4, "subPath", String),
    omitted(6, "subPathExpr", String),
], embedded: &[] };

pub(super) static VolumeMountStatus: Type = Type { go: "v1.VolumeMountStatus", fields: &[
    field(2, "mountPath", String),
    field(1, "name", String),
    omitted(3, "readOnly", Bool),
    field(4, "recursiveReadOnly", Text("v1.RecursiveReadOnlyMode")),
    field(5, "volumeStatus", Struct(&VolumeStatus)),
], embedded: &[] };

pub(super) static VolumeNodeAffinity: Type = Type { go: "v1.VolumeNodeAffinity", fields: &[
    field(1, "required", Struct(&NodeSelector)),
], embedded: &[] };

pub(super) static VolumeProjection: Type = Type { go: "v1.VolumeProjection", fields: &[
    field(5, "clusterTrustBundle", Struct(&ClusterTrustBundleProjection)),
    field(3, "configMap", Struct(&ConfigMapProjection)),
    field(2, "downwardAPI", Struct(&DownwardAPIProjection)),
    field(6, "podCertificate", Struct(&PodCertificateProjection)),
    field(1, "secret", Struct(&SecretProjection)),
    field(4, "serviceAccountToken", Struct(&ServiceAccountTokenProjection)),
], embedded: &[] };

pub(super) static VolumeResourceRequirements: Type = Type { go: "v1.VolumeResourceRequirements", fields: &[
    omitted(1, "limits", Map(&Quantity)),
    omitted(2, "requests", Map(&Quantity)),
], embedded: &[] };

pub(super) static VolumeSource: Type = Type { go: "v1.VolumeSource", fields: &[
    field(4, "awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    field(22, "azureDisk", Struct(&AzureDiskVolumeSource)),
    field(18, "azureFile", Struct(&AzureFileVolumeSource)),
    field(14, "cephfs", Struct(&CephFSVolumeSource)),
    field(13, "cinder", Struct(&CinderVolumeSource)),
    field(19, "configMap", Struct(&ConfigMapVolumeSource)),
    field(28, "csi", Struct(&CSIVolumeSource)),
    field(16, "downwardAPI", Struct(&DownwardAPIVolumeSource)),
    field(2, "emptyDir", Struct(&EmptyDirVolumeSource)),
    field(29, "ephemeral", Struct(&EphemeralVolumeSource)),
    field(17, "fc", Struct(&FCVolumeSource)),
    field(12, "flexVolume", Struct(&FlexVolumeSource)),
    field(15, "flocker", Struct(&FlockerVolumeSource)),
    field(3, "gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    field(5, "gitRepo", Struct(&GitRepoVolumeSource)),
    field(9, "glusterfs", Struct(&GlusterfsVolumeSource)),
    field(1, "hostPath", Struct(&HostPathVolumeSource)),
    field(30, "image", Struct(&ImageVolumeSource)),
    field(8, "iscsi", Struct(&ISCSIVolumeSource)),
    field(7, "nfs", Struct(&NFSVolumeSource)),
    field(10, "persistentVolumeClaim", Struct(&PersistentVolumeClaimVolumeSource)),
    field(23, "photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    field(24, "portworxVolume", Struct(&PortworxVolumeSource)),
    field(26, "projected", Struct(&ProjectedVolumeSource)),
    field(21, "quobyte", Struct(&QuobyteVolumeSource)),
    field(11, "rbd", Struct(&RBDVolumeSource)),
    field(25, "scaleIO", Struct(&ScaleIOVolumeSource)),
    field(6, "secret", Struct(&SecretVolumeSource)),
    field(27, "storageos", Struct(&StorageOSVolumeSource)),
    field(20, "vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
], embedded: &[] };

pub(super) static VolumeStatus: Type = Type { go: "v1.VolumeStatus", fields: &[
    field(1, "image", Struct(&ImageVolumeStatus)),
], embedded: &[] };

pub(super) static VsphereVirtualDiskVolumeSource: Type = Type { go: "v1.VsphereVirtualDiskVolumeSource", fields: &[
    omitted(2, "fsType", String),
    omitted(4, "storagePolicyID", String),
    omitted(3, "storagePolicyName", String),
    field(1, "volumePath", String),
], embedded: &[] };

pub(super) static WeightedPodAffinityTerm: Type = Type { go: "v1.WeightedPodAffinityTerm", fields: &[
    field(2, "podAffinityTerm", Struct(&PodAffinityTerm)),
    field(1, "weight", Int32),
], embedded: &[] };

pub(super) static WindowsSecurityContextOptions: Type = Type { go: "v1.WindowsSecurityContextOptions", fields: &[
    field(2, "gmsaCredentialSpec", String),
    field(1, "gmsaCredentialSpecName", String),
    field(4, "hostProcess", Bool),
    field(3, "runAsUserName", String),
], embedded: &[] };
