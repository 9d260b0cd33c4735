//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AWSElasticBlockStoreVolumeSource: Type = Type { name: "AWSElasticBlockStoreVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "partition", Int32),
    omitted(4, "readOnly", Bool),
    field(1, "volumeID", String),
], embedded: &[], order: &[3, 0, 1, 2], is_atomic: false };

pub(super) static Affinity: Type = Type { name: "Affinity", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "nodeAffinity", Struct(&NodeAffinity)),
    pointer(2, "podAffinity", Struct(&PodAffinity)),
    pointer(3, "podAntiAffinity", Struct(&PodAntiAffinity)),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static AppArmorProfile: Type = Type { name: "AppArmorProfile", package: "io.k8s.api.core.v1", fields: &[
    pointer(2, "localhostProfile", String),
    field(1, "type", Text("AppArmorProfileType")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static AttachedVolume: Type = Type { name: "AttachedVolume", package: "", fields: &[
    field(2, "devicePath", String),
    field(1, "name", Text("UniqueVolumeName")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static AzureDiskVolumeSource: Type = Type { name: "AzureDiskVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(3, "cachingMode", Text("AzureDataDiskCachingMode")).or("\"ReadWrite\""),
    field(1, "diskName", String),
    field(2, "diskURI", String),
    pointer(4, "fsType", String).or("\"ext4\""),
    pointer(6, "kind", Text("AzureDataDiskKind")).or("\"Shared\""),
    pointer(5, "readOnly", Bool).or("false"),
], embedded: &[], order: &[1, 2, 0, 3, 5, 4], is_atomic: false };

pub(super) static AzureFilePersistentVolumeSource: Type = Type { name: "AzureFilePersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "readOnly", Bool),
    field(1, "secretName", String),
    pointer(4, "secretNamespace", String),
    field(2, "shareName", String),
], embedded: &[], order: &[1, 3, 0, 2], is_atomic: false };

pub(super) static AzureFileVolumeSource: Type = Type { name: "AzureFileVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "readOnly", Bool),
    field(1, "secretName", String),
    field(2, "shareName", String),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static Binding: Type = Type { name: "Binding", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "target", Struct(&ObjectReference)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static CSIPersistentVolumeSource: Type = Type { name: "CSIPersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(9, "controllerExpandSecretRef", Struct(&SecretReference)),
    pointer(6, "controllerPublishSecretRef", Struct(&SecretReference)),
    field(1, "driver", String),
    omitted(4, "fsType", String),
    pointer(10, "nodeExpandSecretRef", Struct(&SecretReference)),
    pointer(8, "nodePublishSecretRef", Struct(&SecretReference)),
    pointer(7, "nodeStageSecretRef", Struct(&SecretReference)),
    omitted(3, "readOnly", Bool),
    omitted(5, "volumeAttributes", Map(&String)),
    field(2, "volumeHandle", String),
], embedded: &[], order: &[2, 9, 7, 3, 8, 1, 6, 5, 0, 4], is_atomic: false };

pub(super) static CSIVolumeSource: Type = Type { name: "CSIVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(1, "driver", String),
    pointer(3, "fsType", String),
    pointer(5, "nodePublishSecretRef", Struct(&LocalObjectReference)),
    pointer(2, "readOnly", Bool),
    omitted(4, "volumeAttributes", Map(&String)),
], embedded: &[], order: &[0, 3, 1, 4, 2], is_atomic: false };

pub(super) static Capabilities: Type = Type { name: "Capabilities", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "add", List(&Text("Capability"))).of(Atomic),
    omitted(2, "drop", List(&Text("Capability"))).of(Atomic),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static CephFSPersistentVolumeSource: Type = Type { name: "CephFSPersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(1, "monitors", List(&String)).of(Atomic),
    omitted(2, "path", String),
    omitted(6, "readOnly", Bool),
    omitted(4, "secretFile", String),
    pointer(5, "secretRef", Struct(&SecretReference)),
    omitted(3, "user", String),
], embedded: &[], order: &[0, 1, 5, 3, 4, 2], is_atomic: false };

pub(super) static CephFSVolumeSource: Type = Type { name: "CephFSVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(1, "monitors", List(&String)).of(Atomic),
    omitted(2, "path", String),
    omitted(6, "readOnly", Bool),
    omitted(4, "secretFile", String),
    pointer(5, "secretRef", Struct(&LocalObjectReference)),
    omitted(3, "user", String),
], embedded: &[], order: &[0, 1, 5, 3, 4, 2], is_atomic: false };

pub(super) static CinderPersistentVolumeSource: Type = Type { name: "CinderPersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "readOnly", Bool),
    pointer(4, "secretRef", Struct(&SecretReference)),
    field(1, "volumeID", String),
], embedded: &[], order: &[3, 0, 1, 2], is_atomic: false };

pub(super) static CinderVolumeSource: Type = Type { name: "CinderVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "readOnly", Bool),
    pointer(4, "secretRef", Struct(&LocalObjectReference)),
    field(1, "volumeID", String),
], embedded: &[], order: &[3, 0, 1, 2], is_atomic: false };

pub(super) static ClientIPConfig: Type = Type { name: "ClientIPConfig", package: "", fields: &[
    pointer(1, "timeoutSeconds", Int32),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ClusterTrustBundleProjection: Type = Type { name: "ClusterTrustBundleProjection", package: "io.k8s.api.core.v1", fields: &[
    pointer(3, "labelSelector", Struct(&meta_v1::LabelSelector)),
    pointer(1, "name", String),
    pointer(5, "optional", Bool),
    field(4, "path", String),
    pointer(2, "signerName", String),
    pointer(0, "user", Int64),
], embedded: &[], order: &[1, 4, 0, 3, 2], is_atomic: false };

pub(super) static ComponentCondition: Type = Type { name: "ComponentCondition", package: "", fields: &[
    omitted(4, "error", String),
    omitted(3, "message", String),
    field(2, "status", Text("ConditionStatus")),
    field(1, "type", Text("ComponentConditionType")),
], embedded: &[], order: &[3, 2, 1, 0], is_atomic: false };

pub(super) static ComponentStatus: Type = Type { name: "ComponentStatus", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(2, "conditions", List(&Struct(&ComponentCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
], embedded: &[], order: &[3, 1], is_atomic: false };

pub(super) static ConfigMap: Type = Type { name: "ConfigMap", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(3, "binaryData", Map(&Bytes)),
    omitted(2, "data", Map(&String)),
    pointer(4, "immutable", Bool),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
], embedded: &[], order: &[5, 2, 1, 3], is_atomic: false };

pub(super) static ConfigMapEnvSource: Type = Type { name: "ConfigMapEnvSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "name", String).or("\"\""),
    pointer(2, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)], order: &[2, 1], is_atomic: false };

pub(super) static ConfigMapKeySelector: Type = Type { name: "ConfigMapKeySelector", package: "io.k8s.api.core.v1", fields: &[
    field(2, "key", String),
    omitted(0, "name", String).or("\"\""),
    pointer(3, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)], order: &[3, 0, 2], is_atomic: true };

pub(super) static ConfigMapNodeConfigSource: Type = Type { name: "ConfigMapNodeConfigSource", package: "", fields: &[
    field(5, "kubeletConfigKey", String),
    field(2, "name", String),
    field(1, "namespace", String),
    omitted(4, "resourceVersion", String),
    omitted(3, "uid", Text("types.UID")),
], embedded: &[], order: &[2, 1, 4, 3, 0], is_atomic: false };

pub(super) static ConfigMapProjection: Type = Type { name: "ConfigMapProjection", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "items", List(&Struct(&KeyToPath))).of(Atomic),
    omitted(0, "name", String).or("\"\""),
    pointer(4, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)], order: &[3, 0, 2], is_atomic: false };

pub(super) static ConfigMapVolumeSource: Type = Type { name: "ConfigMapVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(3, "defaultMode", Int32),
    pointer(0, "defaultUser", Int64),
    omitted(2, "items", List(&Struct(&KeyToPath))).of(Atomic),
    omitted(0, "name", String).or("\"\""),
    pointer(4, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)], order: &[5, 2, 0, 4], is_atomic: false };

pub(super) static Container: Type = Type { name: "Container", package: "io.k8s.api.core.v1", fields: &[
    omitted(4, "args", List(&String)).of(Atomic),
    omitted(3, "command", List(&String)).of(Atomic),
    omitted(7, "env", List(&Struct(&EnvVar))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(19, "envFrom", List(&Struct(&EnvFromSource))).of(Atomic),
    omitted(2, "image", String),
    omitted(14, "imagePullPolicy", Text("PullPolicy")),
    pointer(12, "lifecycle", Struct(&Lifecycle)),
    pointer(10, "livenessProbe", Struct(&Probe)),
    field(1, "name", String),
    omitted(6, "ports", List(&Struct(&ContainerPort))).of(Keyed(&["containerPort", "protocol"])).patched(Merge("containerPort")),
    pointer(11, "readinessProbe", Struct(&Probe)),
    omitted(23, "resizePolicy", List(&Struct(&ContainerResizePolicy))).of(Atomic),
    field(8, "resources", Struct(&ResourceRequirements)).optional(),
    pointer(24, "restartPolicy", Text("ContainerRestartPolicy")),
    omitted(25, "restartPolicyRules", List(&Struct(&ContainerRestartRule))).of(Atomic),
    pointer(15, "securityContext", Struct(&SecurityContext)),
    pointer(22, "startupProbe", Struct(&Probe)),
    omitted(16, "stdin", Bool),
    omitted(17, "stdinOnce", Bool),
    omitted(13, "terminationMessagePath", String),
    omitted(20, "terminationMessagePolicy", Text("TerminationMessagePolicy")),
    omitted(18, "tty", Bool),
    omitted(21, "volumeDevices", List(&Struct(&VolumeDevice))).of(Keyed(&["devicePath"])).patched(Merge("devicePath")),
    omitted(9, "volumeMounts", List(&Struct(&VolumeMount))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
    omitted(5, "workingDir", String),
], embedded: &[], order: &[8, 4, 1, 0, 24, 9, 2, 12, 23, 7, 10, 6, 19, 5, 15, 17, 18, 21, 3, 20, 22, 16, 11, 13, 14], is_atomic: false };

pub(super) static ContainerExtendedResourceRequest: Type = Type { name: "ContainerExtendedResourceRequest", package: "", fields: &[
    field(1, "containerName", String),
    field(3, "requestName", String),
    field(2, "resourceName", String),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static ContainerImage: Type = Type { name: "ContainerImage", package: "", fields: &[
    field(1, "names", List(&String)).optional().of(Atomic),
    omitted(2, "sizeBytes", Int64),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ContainerPort: Type = Type { name: "ContainerPort", package: "io.k8s.api.core.v1", fields: &[
    field(3, "containerPort", Int32),
    omitted(5, "hostIP", String),
    omitted(2, "hostPort", Int32),
    omitted(1, "name", String),
    omitted(4, "protocol", Text("Protocol")).or("\"TCP\""),
], embedded: &[], order: &[3, 2, 0, 4, 1], is_atomic: false };

pub(super) static ContainerResizePolicy: Type = Type { name: "ContainerResizePolicy", package: "io.k8s.api.core.v1", fields: &[
    field(1, "resourceName", Text("ResourceName")),
    field(2, "restartPolicy", Text("ResourceResizeRestartPolicy")),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ContainerRestartRule: Type = Type { name: "ContainerRestartRule", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "action", Text("ContainerRestartRuleAction")).required(),
    pointer(2, "exitCodes", Struct(&ContainerRestartRuleOnExitCodes)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ContainerRestartRuleOnExitCodes: Type = Type { name: "ContainerRestartRuleOnExitCodes", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "operator", Text("ContainerRestartRuleOnExitCodesOperator")).required(),
    omitted(2, "values", List(&Int32)).of(Set),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ContainerState: Type = Type { name: "ContainerState", package: "", fields: &[
    pointer(2, "running", Struct(&ContainerStateRunning)),
    pointer(3, "terminated", Struct(&ContainerStateTerminated)),
    pointer(1, "waiting", Struct(&ContainerStateWaiting)),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static ContainerStateRunning: Type = Type { name: "ContainerStateRunning", package: "", fields: &[
    field(1, "startedAt", Time).optional(),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ContainerStateTerminated: Type = Type { name: "ContainerStateTerminated", package: "", fields: &[
    omitted(7, "containerID", String),
    field(1, "exitCode", Int32),
    field(6, "finishedAt", Time).optional(),
    omitted(4, "message", String),
    omitted(3, "reason", String),
    omitted(2, "signal", Int32),
    field(5, "startedAt", Time).optional(),
], embedded: &[], order: &[1, 5, 4, 3, 6, 2, 0], is_atomic: false };

pub(super) static ContainerStateWaiting: Type = Type { name: "ContainerStateWaiting", package: "", fields: &[
    omitted(2, "message", String),
    omitted(1, "reason", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static ContainerStatus: Type = Type { name: "ContainerStatus", package: "", fields: &[
    omitted(10, "allocatedResources", Map(&Quantity)),
    omitted(14, "allocatedResourcesStatus", List(&Struct(&ResourceStatus))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(8, "containerID", String),
    field(6, "image", String),
    field(7, "imageID", String),
    field(3, "lastState", Struct(&ContainerState)).optional(),
    field(1, "name", String),
    field(4, "ready", Bool),
    pointer(11, "resources", Struct(&ResourceRequirements)),
    field(5, "restartCount", Int32),
    pointer(9, "started", Bool),
    field(2, "state", Struct(&ContainerState)).optional(),
    pointer(15, "stopSignal", Text("Signal")),
    pointer(13, "user", Struct(&ContainerUser)),
    omitted(12, "volumeMounts", List(&Struct(&VolumeMountStatus))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
], embedded: &[], order: &[6, 11, 5, 7, 9, 3, 4, 2, 10, 0, 8, 14, 13, 1, 12], is_atomic: false };

pub(super) static ContainerUser: Type = Type { name: "ContainerUser", package: "", fields: &[
    pointer(1, "linux", Struct(&LinuxContainerUser)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static DaemonEndpoint: Type = Type { name: "DaemonEndpoint", package: "", fields: &[
    field(1, "Port", Int32),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static DownwardAPIProjection: Type = Type { name: "DownwardAPIProjection", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "items", List(&Struct(&DownwardAPIVolumeFile))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static DownwardAPIVolumeFile: Type = Type { name: "DownwardAPIVolumeFile", package: "io.k8s.api.core.v1", fields: &[
    pointer(2, "fieldRef", Struct(&ObjectFieldSelector)),
    pointer(4, "mode", Int32),
    field(1, "path", String),
    pointer(3, "resourceFieldRef", Struct(&ResourceFieldSelector)),
    pointer(0, "user", Int64),
], embedded: &[], order: &[2, 0, 3, 1], is_atomic: false };

pub(super) static DownwardAPIVolumeSource: Type = Type { name: "DownwardAPIVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(2, "defaultMode", Int32),
    pointer(0, "defaultUser", Int64),
    omitted(1, "items", List(&Struct(&DownwardAPIVolumeFile))).of(Atomic),
], embedded: &[], order: &[2, 0], is_atomic: false };

pub(super) static EmptyDirVolumeSource: Type = Type { name: "EmptyDirVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "medium", Text("StorageMedium")),
    pointer(0, "mode", Int32),
    pointer(2, "sizeLimit", Quantity),
], embedded: &[], order: &[0, 2], is_atomic: false };

pub(super) static EndpointAddress: Type = Type { name: "EndpointAddress", package: "", fields: &[
    omitted(3, "hostname", String),
    field(1, "ip", String),
    pointer(4, "nodeName", String),
    pointer(2, "targetRef", Struct(&ObjectReference)),
], embedded: &[], order: &[1, 3, 0, 2], is_atomic: true };

pub(super) static EndpointPort: Type = Type { name: "EndpointPort", package: "", fields: &[
    pointer(4, "appProtocol", String),
    omitted(1, "name", String),
    field(2, "port", Int32),
    omitted(3, "protocol", Text("Protocol")),
], embedded: &[], order: &[1, 2, 3, 0], is_atomic: true };

pub(super) static EndpointSubset: Type = Type { name: "EndpointSubset", package: "", fields: &[
    omitted(1, "addresses", List(&Struct(&EndpointAddress))).of(Atomic),
    omitted(2, "notReadyAddresses", List(&Struct(&EndpointAddress))).of(Atomic),
    omitted(3, "ports", List(&Struct(&EndpointPort))).of(Atomic),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static Endpoints: Type = Type { name: "Endpoints", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(2, "subsets", List(&Struct(&EndpointSubset))).of(Atomic),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static EnvFromSource: Type = Type { name: "EnvFromSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(2, "configMapRef", Struct(&ConfigMapEnvSource)),
    omitted(1, "prefix", String),
    pointer(3, "secretRef", Struct(&SecretEnvSource)),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };

pub(super) static EnvVar: Type = Type { name: "EnvVar", package: "io.k8s.api.core.v1", fields: &[
    field(1, "name", String),
    omitted(2, "value", String),
    pointer(3, "valueFrom", Struct(&EnvVarSource)),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static EnvVarSource: Type = Type { name: "EnvVarSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(3, "configMapKeyRef", Struct(&ConfigMapKeySelector)),
    pointer(1, "fieldRef", Struct(&ObjectFieldSelector)),
    pointer(5, "fileKeyRef", Struct(&FileKeySelector)),
    pointer(2, "resourceFieldRef", Struct(&ResourceFieldSelector)),
    pointer(4, "secretKeyRef", Struct(&SecretKeySelector)),
], embedded: &[], order: &[1, 3, 0, 4, 2], is_atomic: false };

pub(super) static EphemeralContainer: Type = Type { name: "EphemeralContainer", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "args", List(&String)).of(Atomic),
    omitted(0, "command", List(&String)).of(Atomic),
    omitted(0, "env", List(&Struct(&EnvVar))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(0, "envFrom", List(&Struct(&EnvFromSource))).of(Atomic),
    omitted(0, "image", String),
    omitted(0, "imagePullPolicy", Text("PullPolicy")),
    pointer(0, "lifecycle", Struct(&Lifecycle)),
    pointer(0, "livenessProbe", Struct(&Probe)),
    field(0, "name", String),
    omitted(0, "ports", List(&Struct(&ContainerPort))).of(Keyed(&["containerPort", "protocol"])).patched(Merge("containerPort")),
    pointer(0, "readinessProbe", Struct(&Probe)),
    omitted(0, "resizePolicy", List(&Struct(&ContainerResizePolicy))).of(Atomic),
    field(0, "resources", Struct(&ResourceRequirements)).optional(),
    pointer(0, "restartPolicy", Text("ContainerRestartPolicy")),
    omitted(0, "restartPolicyRules", List(&Struct(&ContainerRestartRule))).of(Atomic),
    pointer(0, "securityContext", Struct(&SecurityContext)),
    pointer(0, "startupProbe", Struct(&Probe)),
    omitted(0, "stdin", Bool),
    omitted(0, "stdinOnce", Bool),
    omitted(2, "targetContainerName", String),
    omitted(0, "terminationMessagePath", String),
    omitted(0, "terminationMessagePolicy", Text("TerminationMessagePolicy")),
    omitted(0, "tty", Bool),
    omitted(0, "volumeDevices", List(&Struct(&VolumeDevice))).of(Keyed(&["devicePath"])).patched(Merge("devicePath")),
    omitted(0, "volumeMounts", List(&Struct(&VolumeMount))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
    omitted(0, "workingDir", String),
], embedded: &[(1, &EphemeralContainerCommon)], order: &[26, 19], is_atomic: false };

pub(super) static EphemeralContainerCommon: Type = Type { name: "EphemeralContainerCommon", package: "io.k8s.api.core.v1", fields: &[
    omitted(4, "args", List(&String)).of(Atomic),
    omitted(3, "command", List(&String)).of(Atomic),
    omitted(7, "env", List(&Struct(&EnvVar))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(19, "envFrom", List(&Struct(&EnvFromSource))).of(Atomic),
    omitted(2, "image", String),
    omitted(14, "imagePullPolicy", Text("PullPolicy")),
    pointer(12, "lifecycle", Struct(&Lifecycle)),
    pointer(10, "livenessProbe", Struct(&Probe)),
    field(1, "name", String),
    omitted(6, "ports", List(&Struct(&ContainerPort))).of(Keyed(&["containerPort", "protocol"])).patched(Merge("containerPort")),
    pointer(11, "readinessProbe", Struct(&Probe)),
    omitted(23, "resizePolicy", List(&Struct(&ContainerResizePolicy))).of(Atomic),
    field(8, "resources", Struct(&ResourceRequirements)).optional(),
    pointer(24, "restartPolicy", Text("ContainerRestartPolicy")),
    omitted(25, "restartPolicyRules", List(&Struct(&ContainerRestartRule))).of(Atomic),
    pointer(15, "securityContext", Struct(&SecurityContext)),
    pointer(22, "startupProbe", Struct(&Probe)),
    omitted(16, "stdin", Bool),
    omitted(17, "stdinOnce", Bool),
    omitted(13, "terminationMessagePath", String),
    omitted(20, "terminationMessagePolicy", Text("TerminationMessagePolicy")),
    omitted(18, "tty", Bool),
    omitted(21, "volumeDevices", List(&Struct(&VolumeDevice))).of(Keyed(&["devicePath"])).patched(Merge("devicePath")),
    omitted(9, "volumeMounts", List(&Struct(&VolumeMount))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
    omitted(5, "workingDir", String),
], embedded: &[], order: &[8, 4, 1, 0, 24, 9, 2, 12, 23, 7, 10, 6, 19, 5, 15, 17, 18, 21, 3, 20, 22, 16, 11, 13, 14], is_atomic: false };

pub(super) static EphemeralVolumeSource: Type = Type { name: "EphemeralVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "volumeClaimTemplate", Struct(&PersistentVolumeClaimTemplate)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static Event: Type = Type { name: "Event", package: "io.k8s.api.core.v1", fields: &[
    omitted(12, "action", String),
    omitted(0, "apiVersion", String),
    omitted(8, "count", Int32),
    field(10, "eventTime", MicroTime).optional(),
    field(6, "firstTimestamp", Time).optional(),
    field(2, "involvedObject", Struct(&ObjectReference)),
    omitted(0, "kind", String),
    field(7, "lastTimestamp", Time).optional(),
    omitted(4, "message", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(3, "reason", String),
    pointer(13, "related", Struct(&ObjectReference)),
    field(14, "reportingComponent", String).optional(),
    field(15, "reportingInstance", String).optional(),
    pointer(11, "series", Struct(&EventSeries)),
    field(5, "source", Struct(&EventSource)).optional(),
    omitted(9, "type", String),
], embedded: &[], order: &[9, 5, 10, 8, 15, 4, 7, 2, 16, 3, 14, 0, 11, 12, 13], is_atomic: false };

pub(super) static EventSeries: Type = Type { name: "EventSeries", package: "", fields: &[
    omitted(1, "count", Int32),
    field(2, "lastObservedTime", MicroTime).optional(),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static EventSource: Type = Type { name: "EventSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "component", String),
    omitted(2, "host", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static EvictionResponder: Type = Type { name: "EvictionResponder", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "name", String).required(),
    pointer(0, "priority", Int32).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static ExecAction: Type = Type { name: "ExecAction", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "command", List(&String)).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static FCVolumeSource: Type = Type { name: "FCVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "fsType", String),
    pointer(2, "lun", Int32),
    omitted(4, "readOnly", Bool),
    omitted(1, "targetWWNs", List(&String)).of(Atomic),
    omitted(5, "wwids", List(&String)).of(Atomic),
], embedded: &[], order: &[3, 1, 0, 2, 4], is_atomic: false };

pub(super) static FileKeySelector: Type = Type { name: "FileKeySelector", package: "io.k8s.api.core.v1", fields: &[
    field(3, "key", String),
    pointer(4, "optional", Bool).or("false"),
    field(2, "path", String),
    field(1, "volumeName", String),
], embedded: &[], order: &[3, 2, 0, 1], is_atomic: true };

pub(super) static FlexPersistentVolumeSource: Type = Type { name: "FlexPersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(1, "driver", String),
    omitted(2, "fsType", String),
    omitted(5, "options", Map(&String)),
    omitted(4, "readOnly", Bool),
    pointer(3, "secretRef", Struct(&SecretReference)),
], embedded: &[], order: &[0, 1, 4, 3, 2], is_atomic: false };

pub(super) static FlexVolumeSource: Type = Type { name: "FlexVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(1, "driver", String),
    omitted(2, "fsType", String),
    omitted(5, "options", Map(&String)),
    omitted(4, "readOnly", Bool),
    pointer(3, "secretRef", Struct(&LocalObjectReference)),
], embedded: &[], order: &[0, 1, 4, 3, 2], is_atomic: false };

pub(super) static FlockerVolumeSource: Type = Type { name: "FlockerVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "datasetName", String),
    omitted(2, "datasetUUID", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static GCEPersistentDiskVolumeSource: Type = Type { name: "GCEPersistentDiskVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "partition", Int32),
    field(1, "pdName", String),
    omitted(4, "readOnly", Bool),
], embedded: &[], order: &[2, 0, 1, 3], is_atomic: false };

pub(super) static GRPCAction: Type = Type { name: "GRPCAction", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "mode", String),
    field(1, "port", Int32),
    pointer(2, "service", String).or("\"\""),
], embedded: &[], order: &[1, 2], is_atomic: false };

pub(super) static GitRepoVolumeSource: Type = Type { name: "GitRepoVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "directory", String),
    field(1, "repository", String),
    omitted(2, "revision", String),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static GlusterfsPersistentVolumeSource: Type = Type { name: "GlusterfsPersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(1, "endpoints", String),
    pointer(4, "endpointsNamespace", String),
    field(2, "path", String),
    omitted(3, "readOnly", Bool),
], embedded: &[], order: &[0, 2, 3, 1], is_atomic: false };

pub(super) static GlusterfsVolumeSource: Type = Type { name: "GlusterfsVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(1, "endpoints", String),
    field(2, "path", String),
    omitted(3, "readOnly", Bool),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static HTTPGetAction: Type = Type { name: "HTTPGetAction", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "host", String),
    omitted(5, "httpHeaders", List(&Struct(&HTTPHeader))).of(Atomic),
    omitted(1, "path", String),
    field(2, "port", IntOrString),
    omitted(0, "protocol", String),
    omitted(4, "scheme", Text("URIScheme")),
], embedded: &[], order: &[2, 3, 0, 5, 1], is_atomic: false };

pub(super) static HTTPHeader: Type = Type { name: "HTTPHeader", package: "io.k8s.api.core.v1", fields: &[
    field(1, "name", String),
    field(2, "value", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static HostAlias: Type = Type { name: "HostAlias", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "hostnames", List(&String)).of(Atomic),
    field(1, "ip", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static HostIP: Type = Type { name: "HostIP", package: "", fields: &[
    field(1, "ip", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static HostPathVolumeSource: Type = Type { name: "HostPathVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(1, "path", String),
    pointer(2, "type", Text("HostPathType")),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ISCSIPersistentVolumeSource: Type = Type { name: "ISCSIPersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(8, "chapAuthDiscovery", Bool),
    omitted(11, "chapAuthSession", Bool),
    omitted(5, "fsType", String),
    pointer(12, "initiatorName", String),
    field(2, "iqn", String),
    omitted(4, "iscsiInterface", String).or("\"default\""),
    field(3, "lun", Int32),
    omitted(7, "portals", List(&String)).of(Atomic),
    omitted(6, "readOnly", Bool),
    pointer(10, "secretRef", Struct(&SecretReference)),
    field(1, "targetPortal", String),
], embedded: &[], order: &[10, 4, 6, 5, 2, 8, 7, 0, 9, 1, 3], is_atomic: false };

pub(super) static ISCSIVolumeSource: Type = Type { name: "ISCSIVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(8, "chapAuthDiscovery", Bool),
    omitted(11, "chapAuthSession", Bool),
    omitted(5, "fsType", String),
    pointer(12, "initiatorName", String),
    field(2, "iqn", String),
    omitted(4, "iscsiInterface", String).or("\"default\""),
    field(3, "lun", Int32),
    omitted(7, "portals", List(&String)).of(Atomic),
    omitted(6, "readOnly", Bool),
    pointer(10, "secretRef", Struct(&LocalObjectReference)),
    field(1, "targetPortal", String),
], embedded: &[], order: &[10, 4, 6, 5, 2, 8, 7, 0, 9, 1, 3], is_atomic: false };

pub(super) static ImageVolumeSource: Type = Type { name: "ImageVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "pullPolicy", Text("PullPolicy")),
    omitted(1, "reference", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static ImageVolumeStatus: Type = Type { name: "ImageVolumeStatus", package: "", fields: &[
    omitted(1, "imageRef", String).required(),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static KeyToPath: Type = Type { name: "KeyToPath", package: "io.k8s.api.core.v1", fields: &[
    field(1, "key", String),
    pointer(3, "mode", Int32),
    field(2, "path", String),
    pointer(0, "user", Int64),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static Lifecycle: Type = Type { name: "Lifecycle", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "postStart", Struct(&LifecycleHandler)),
    pointer(2, "preStop", Struct(&LifecycleHandler)),
    pointer(3, "stopSignal", Text("Signal")),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static LifecycleHandler: Type = Type { name: "LifecycleHandler", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "exec", Struct(&ExecAction)),
    pointer(2, "httpGet", Struct(&HTTPGetAction)),
    pointer(4, "sleep", Struct(&SleepAction)),
    pointer(3, "tcpSocket", Struct(&TCPSocketAction)),
], embedded: &[], order: &[0, 1, 3, 2], is_atomic: false };

pub(super) static LimitRange: Type = Type { name: "LimitRange", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&LimitRangeSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static LimitRangeItem: Type = Type { name: "LimitRangeItem", package: "", fields: &[
    omitted(4, "default", Map(&Quantity)),
    omitted(5, "defaultRequest", Map(&Quantity)),
    omitted(2, "max", Map(&Quantity)),
    omitted(6, "maxLimitRequestRatio", Map(&Quantity)),
    omitted(3, "min", Map(&Quantity)),
    field(1, "type", Text("LimitType")),
], embedded: &[], order: &[5, 2, 4, 0, 1, 3], is_atomic: false };

pub(super) static LimitRangeSpec: Type = Type { name: "LimitRangeSpec", package: "", fields: &[
    field(1, "limits", List(&Struct(&LimitRangeItem))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static LinuxContainerUser: Type = Type { name: "LinuxContainerUser", package: "", fields: &[
    field(2, "gid", Int64),
    omitted(3, "supplementalGroups", List(&Int64)).of(Atomic),
    field(1, "uid", Int64),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static LoadBalancerIngress: Type = Type { name: "LoadBalancerIngress", package: "", fields: &[
    omitted(2, "hostname", String),
    omitted(1, "ip", String),
    pointer(3, "ipMode", Text("LoadBalancerIPMode")),
    omitted(4, "ports", List(&Struct(&PortStatus))).of(Atomic),
], embedded: &[], order: &[1, 0, 2, 3], is_atomic: false };

pub(super) static LoadBalancerStatus: Type = Type { name: "LoadBalancerStatus", package: "", fields: &[
    omitted(1, "ingress", List(&Struct(&LoadBalancerIngress))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static LocalObjectReference: Type = Type { name: "LocalObjectReference", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "name", String).or("\"\""),
], embedded: &[], order: &[0], is_atomic: true };

pub(super) static LocalVolumeSource: Type = Type { name: "LocalVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(2, "fsType", String),
    field(1, "path", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static ModifyVolumeStatus: Type = Type { name: "ModifyVolumeStatus", package: "io.k8s.api.core.v1", fields: &[
    field(2, "status", Text("PersistentVolumeClaimModifyVolumeStatus")),
    omitted(1, "targetVolumeAttributesClassName", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static NFSVolumeSource: Type = Type { name: "NFSVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(2, "path", String),
    omitted(3, "readOnly", Bool),
    field(1, "server", String),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static Namespace: Type = Type { name: "Namespace", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&NamespaceSpec)).optional(),
    field(3, "status", Struct(&NamespaceStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static NamespaceCondition: Type = Type { name: "NamespaceCondition", package: "", fields: &[
    field(4, "lastTransitionTime", Time).optional(),
    omitted(6, "message", String),
    omitted(5, "reason", String),
    field(2, "status", Text("ConditionStatus")),
    field(1, "type", Text("NamespaceConditionType")),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static NamespaceSpec: Type = Type { name: "NamespaceSpec", package: "", fields: &[
    omitted(1, "finalizers", List(&Text("FinalizerName"))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static NamespaceStatus: Type = Type { name: "NamespaceStatus", package: "", fields: &[
    omitted(2, "conditions", List(&Struct(&NamespaceCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(1, "phase", Text("NamespacePhase")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static Node: Type = Type { name: "Node", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&NodeSpec)).optional(),
    field(3, "status", Struct(&NodeStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static NodeAddress: Type = Type { name: "NodeAddress", package: "", fields: &[
    field(2, "address", String),
    field(1, "type", Text("NodeAddressType")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static NodeAffinity: Type = Type { name: "NodeAffinity", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "preferredDuringSchedulingIgnoredDuringExecution", List(&Struct(&PreferredSchedulingTerm))).of(Atomic),
    pointer(1, "requiredDuringSchedulingIgnoredDuringExecution", Struct(&NodeSelector)),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static NodeAllocatableMappedResources: Type = Type { name: "NodeAllocatableMappedResources", package: "", fields: &[
    omitted(0, "name", String).required(),
    pointer(0, "quantity", Quantity).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static NodeAllocatableOverheadResources: Type = Type { name: "NodeAllocatableOverheadResources", package: "", fields: &[
    omitted(0, "name", String).required(),
    pointer(0, "perContainer", Quantity),
    pointer(0, "perPod", Quantity),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static NodeAllocatableResourceClaimStatus: Type = Type { name: "NodeAllocatableResourceClaimStatus", package: "", fields: &[
    omitted(2, "containers", List(&String)).of(Set),
    omitted(0, "mapping", List(&Struct(&NodeAllocatableMappedResources))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(0, "overhead", List(&Struct(&NodeAllocatableOverheadResources))).of(Keyed(&["name"])).patched(Merge("name")),
    field(1, "resourceClaimName", String),
], embedded: &[], order: &[3, 0], is_atomic: false };

pub(super) static NodeCondition: Type = Type { name: "NodeCondition", package: "", fields: &[
    field(3, "lastHeartbeatTime", Time).optional(),
    field(4, "lastTransitionTime", Time).optional(),
    omitted(6, "message", String),
    omitted(5, "reason", String),
    field(2, "status", Text("ConditionStatus")),
    field(1, "type", Text("NodeConditionType")),
], embedded: &[], order: &[5, 4, 0, 1, 3, 2], is_atomic: false };

pub(super) static NodeConfigSource: Type = Type { name: "NodeConfigSource", package: "", fields: &[
    pointer(2, "configMap", Struct(&ConfigMapNodeConfigSource)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static NodeConfigStatus: Type = Type { name: "NodeConfigStatus", package: "", fields: &[
    pointer(2, "active", Struct(&NodeConfigSource)),
    pointer(1, "assigned", Struct(&NodeConfigSource)),
    omitted(4, "error", String),
    pointer(3, "lastKnownGood", Struct(&NodeConfigSource)),
], embedded: &[], order: &[1, 0, 3, 2], is_atomic: false };

pub(super) static NodeDaemonEndpoints: Type = Type { name: "NodeDaemonEndpoints", package: "", fields: &[
    field(1, "kubeletEndpoint", Struct(&DaemonEndpoint)).optional(),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static NodeFeatures: Type = Type { name: "NodeFeatures", package: "", fields: &[
    pointer(1, "supplementalGroupsPolicy", Bool),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static NodePodPreemptionPolicy: Type = Type { name: "NodePodPreemptionPolicy", package: "", fields: &[
    omitted(0, "disableResizePreemption", List(&String)).of(Set),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static NodeProxyOptions: Type = Type { name: "NodeProxyOptions", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(1, "path", String),
], embedded: &[], order: &[2], is_atomic: false };

pub(super) static NodeRuntimeHandler: Type = Type { name: "NodeRuntimeHandler", package: "", fields: &[
    pointer(2, "features", Struct(&NodeRuntimeHandlerFeatures)),
    field(1, "name", String).optional(),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static NodeRuntimeHandlerFeatures: Type = Type { name: "NodeRuntimeHandlerFeatures", package: "", fields: &[
    pointer(1, "recursiveReadOnlyMounts", Bool),
    pointer(2, "userNamespaces", Bool),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static NodeSelector: Type = Type { name: "NodeSelector", package: "io.k8s.api.core.v1", fields: &[
    field(1, "nodeSelectorTerms", List(&Struct(&NodeSelectorTerm))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: true };

pub(super) static NodeSelectorRequirement: Type = Type { name: "NodeSelectorRequirement", package: "io.k8s.api.core.v1", fields: &[
    field(1, "key", String),
    field(2, "operator", Text("NodeSelectorOperator")),
    omitted(3, "values", List(&String)).of(Atomic),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static NodeSelectorTerm: Type = Type { name: "NodeSelectorTerm", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "matchExpressions", List(&Struct(&NodeSelectorRequirement))).of(Atomic),
    omitted(2, "matchFields", List(&Struct(&NodeSelectorRequirement))).of(Atomic),
], embedded: &[], order: &[0, 1], is_atomic: true };

pub(super) static NodeSpec: Type = Type { name: "NodeSpec", package: "", fields: &[
    pointer(6, "configSource", Struct(&NodeConfigSource)),
    omitted(2, "externalID", String),
    omitted(1, "podCIDR", String),
    omitted(7, "podCIDRs", List(&String)).of(Set).patched(Merge("")),
    pointer(0, "podPreemptionPolicy", Struct(&NodePodPreemptionPolicy)),
    omitted(3, "providerID", String),
    omitted(5, "taints", List(&Struct(&Taint))).of(Atomic),
    omitted(4, "unschedulable", Bool),
], embedded: &[], order: &[2, 1, 5, 7, 6, 0, 3], is_atomic: false };

pub(super) static NodeStatus: Type = Type { name: "NodeStatus", package: "", fields: &[
    omitted(5, "addresses", List(&Struct(&NodeAddress))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(2, "allocatable", Map(&Quantity)),
    omitted(1, "capacity", Map(&Quantity)),
    omitted(4, "conditions", List(&Struct(&NodeCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    pointer(11, "config", Struct(&NodeConfigStatus)),
    field(6, "daemonEndpoints", Struct(&NodeDaemonEndpoints)).optional(),
    omitted(14, "declaredFeatures", List(&String)).of(Atomic),
    pointer(13, "features", Struct(&NodeFeatures)),
    omitted(8, "images", List(&Struct(&ContainerImage))).of(Atomic),
    field(7, "nodeInfo", Struct(&NodeSystemInfo)).optional(),
    omitted(3, "phase", Text("NodePhase")),
    omitted(12, "runtimeHandlers", List(&Struct(&NodeRuntimeHandler))).of(Atomic),
    omitted(10, "volumesAttached", List(&Struct(&AttachedVolume))).of(Atomic),
    omitted(9, "volumesInUse", List(&Text("UniqueVolumeName"))).of(Atomic),
], embedded: &[], order: &[2, 1, 10, 3, 0, 5, 9, 8, 13, 12, 4, 11, 7, 6], is_atomic: false };

pub(super) static NodeSwapStatus: Type = Type { name: "NodeSwapStatus", package: "", fields: &[
    pointer(1, "capacity", Int64),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static NodeSystemInfo: Type = Type { name: "NodeSystemInfo", package: "", fields: &[
    field(10, "architecture", String),
    field(3, "bootID", String),
    field(6, "containerRuntimeVersion", String),
    field(4, "kernelVersion", String),
    field(8, "kubeProxyVersion", String),
    field(7, "kubeletVersion", String),
    field(1, "machineID", String),
    field(9, "operatingSystem", String),
    field(5, "osImage", String),
    pointer(0, "runningInUserNamespace", Bool),
    pointer(11, "swap", Struct(&NodeSwapStatus)),
    field(2, "systemUUID", String),
], embedded: &[], order: &[6, 11, 1, 3, 8, 2, 5, 4, 7, 0, 10], is_atomic: false };

pub(super) static ObjectFieldSelector: Type = Type { name: "ObjectFieldSelector", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "apiVersion", String),
    field(2, "fieldPath", String),
], embedded: &[], order: &[0, 1], is_atomic: true };

pub(super) static ObjectReference: Type = Type { name: "ObjectReference", package: "io.k8s.api.core.v1", fields: &[
    omitted(5, "apiVersion", String),
    omitted(7, "fieldPath", String),
    omitted(1, "kind", String),
    omitted(3, "name", String),
    omitted(2, "namespace", String),
    omitted(6, "resourceVersion", String),
    omitted(4, "uid", Text("types.UID")),
], embedded: &[], order: &[2, 4, 3, 6, 0, 5, 1], is_atomic: true };

pub(super) static PersistentVolume: Type = Type { name: "PersistentVolume", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PersistentVolumeSpec)).optional(),
    field(3, "status", Struct(&PersistentVolumeStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static PersistentVolumeClaim: Type = Type { name: "PersistentVolumeClaim", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PersistentVolumeClaimSpec)).optional(),
    field(3, "status", Struct(&PersistentVolumeClaimStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static PersistentVolumeClaimCondition: Type = Type { name: "PersistentVolumeClaimCondition", package: "io.k8s.api.core.v1", fields: &[
    field(3, "lastProbeTime", Time).optional(),
    field(4, "lastTransitionTime", Time).optional(),
    omitted(6, "message", String),
    omitted(5, "reason", String),
    field(2, "status", Text("ConditionStatus")),
    field(1, "type", Text("PersistentVolumeClaimConditionType")),
], embedded: &[], order: &[5, 4, 0, 1, 3, 2], is_atomic: false };

pub(super) static PersistentVolumeClaimSpec: Type = Type { name: "PersistentVolumeClaimSpec", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "accessModes", List(&Text("PersistentVolumeAccessMode"))).of(Atomic),
    pointer(7, "dataSource", Struct(&TypedLocalObjectReference)),
    pointer(8, "dataSourceRef", Struct(&TypedObjectReference)),
    field(2, "resources", Struct(&VolumeResourceRequirements)).optional(),
    pointer(4, "selector", Struct(&meta_v1::LabelSelector)),
    pointer(5, "storageClassName", String),
    pointer(9, "volumeAttributesClassName", String),
    pointer(6, "volumeMode", Text("PersistentVolumeMode")),
    omitted(3, "volumeName", String),
], embedded: &[], order: &[0, 3, 8, 4, 5, 7, 1, 2, 6], is_atomic: false };

pub(super) static PersistentVolumeClaimStatus: Type = Type { name: "PersistentVolumeClaimStatus", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "accessModes", List(&Text("PersistentVolumeAccessMode"))).of(Atomic),
    omitted(7, "allocatedResourceStatuses", Map(&Text("ClaimResourceStatus"))),
    omitted(5, "allocatedResources", Map(&Quantity)),
    omitted(3, "capacity", Map(&Quantity)),
    omitted(4, "conditions", List(&Struct(&PersistentVolumeClaimCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    pointer(8, "currentVolumeAttributesClassName", String),
    pointer(0, "healthStatus", Struct(&VolumeHealthStatus)),
    pointer(9, "modifyVolumeStatus", Struct(&ModifyVolumeStatus)),
    omitted(1, "phase", Text("PersistentVolumeClaimPhase")),
], embedded: &[], order: &[8, 0, 3, 4, 2, 1, 5, 7], is_atomic: false };

pub(super) static PersistentVolumeClaimTemplate: Type = Type { name: "PersistentVolumeClaimTemplate", package: "io.k8s.api.core.v1", fields: &[
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PersistentVolumeClaimSpec)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static PersistentVolumeClaimVolumeSource: Type = Type { name: "PersistentVolumeClaimVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    field(1, "claimName", String),
    omitted(2, "readOnly", Bool),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static PersistentVolumeSource: Type = Type { name: "PersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(2, "awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    pointer(16, "azureDisk", Struct(&AzureDiskVolumeSource)),
    pointer(13, "azureFile", Struct(&AzureFilePersistentVolumeSource)),
    pointer(9, "cephfs", Struct(&CephFSPersistentVolumeSource)),
    pointer(8, "cinder", Struct(&CinderPersistentVolumeSource)),
    pointer(22, "csi", Struct(&CSIPersistentVolumeSource)),
    pointer(10, "fc", Struct(&FCVolumeSource)),
    pointer(12, "flexVolume", Struct(&FlexPersistentVolumeSource)),
    pointer(11, "flocker", Struct(&FlockerVolumeSource)),
    pointer(1, "gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    pointer(4, "glusterfs", Struct(&GlusterfsPersistentVolumeSource)),
    pointer(3, "hostPath", Struct(&HostPathVolumeSource)),
    pointer(7, "iscsi", Struct(&ISCSIPersistentVolumeSource)),
    pointer(20, "local", Struct(&LocalVolumeSource)),
    pointer(5, "nfs", Struct(&NFSVolumeSource)),
    pointer(17, "photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    pointer(18, "portworxVolume", Struct(&PortworxVolumeSource)),
    pointer(15, "quobyte", Struct(&QuobyteVolumeSource)),
    pointer(6, "rbd", Struct(&RBDPersistentVolumeSource)),
    pointer(19, "scaleIO", Struct(&ScaleIOPersistentVolumeSource)),
    pointer(21, "storageos", Struct(&StorageOSPersistentVolumeSource)),
    pointer(14, "vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
], embedded: &[], order: &[9, 0, 11, 10, 14, 18, 12, 4, 3, 6, 8, 7, 2, 21, 17, 1, 15, 16, 19, 13, 20, 5], is_atomic: false };

pub(super) static PersistentVolumeSpec: Type = Type { name: "PersistentVolumeSpec", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "accessModes", List(&Text("PersistentVolumeAccessMode"))).of(Atomic),
    pointer(0, "awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    pointer(0, "azureDisk", Struct(&AzureDiskVolumeSource)),
    pointer(0, "azureFile", Struct(&AzureFilePersistentVolumeSource)),
    omitted(1, "capacity", Map(&Quantity)),
    pointer(0, "cephfs", Struct(&CephFSPersistentVolumeSource)),
    pointer(0, "cinder", Struct(&CinderPersistentVolumeSource)),
    pointer(4, "claimRef", Struct(&ObjectReference)),
    pointer(0, "csi", Struct(&CSIPersistentVolumeSource)),
    pointer(0, "fc", Struct(&FCVolumeSource)),
    pointer(0, "flexVolume", Struct(&FlexPersistentVolumeSource)),
    pointer(0, "flocker", Struct(&FlockerVolumeSource)),
    pointer(0, "gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    pointer(0, "glusterfs", Struct(&GlusterfsPersistentVolumeSource)),
    pointer(0, "hostPath", Struct(&HostPathVolumeSource)),
    pointer(0, "iscsi", Struct(&ISCSIPersistentVolumeSource)),
    pointer(0, "local", Struct(&LocalVolumeSource)),
    omitted(7, "mountOptions", List(&String)).of(Atomic),
    pointer(0, "nfs", Struct(&NFSVolumeSource)),
    pointer(9, "nodeAffinity", Struct(&VolumeNodeAffinity)),
    omitted(5, "persistentVolumeReclaimPolicy", Text("PersistentVolumeReclaimPolicy")),
    pointer(0, "photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    pointer(0, "portworxVolume", Struct(&PortworxVolumeSource)),
    pointer(0, "quobyte", Struct(&QuobyteVolumeSource)),
    pointer(0, "rbd", Struct(&RBDPersistentVolumeSource)),
    pointer(0, "scaleIO", Struct(&ScaleIOPersistentVolumeSource)),
    omitted(6, "storageClassName", String),
    pointer(0, "storageos", Struct(&StorageOSPersistentVolumeSource)),
    pointer(10, "volumeAttributesClassName", String),
    pointer(8, "volumeMode", Text("PersistentVolumeMode")),
    pointer(0, "vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
], embedded: &[(2, &PersistentVolumeSource)], order: &[4, 31, 0, 7, 20, 26, 17, 29, 19, 28], is_atomic: false };

pub(super) static PersistentVolumeStatus: Type = Type { name: "PersistentVolumeStatus", package: "", fields: &[
    pointer(4, "lastPhaseTransitionTime", Time),
    omitted(2, "message", String),
    omitted(1, "phase", Text("PersistentVolumePhase")),
    omitted(3, "reason", String),
], embedded: &[], order: &[2, 1, 3, 0], is_atomic: false };

pub(super) static PhotonPersistentDiskVolumeSource: Type = Type { name: "PhotonPersistentDiskVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "fsType", String),
    field(1, "pdID", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static Pod: Type = Type { name: "Pod", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PodSpec)).optional(),
    field(3, "status", Struct(&PodStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static PodAffinity: Type = Type { name: "PodAffinity", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "preferredDuringSchedulingIgnoredDuringExecution", List(&Struct(&WeightedPodAffinityTerm))).of(Atomic),
    omitted(1, "requiredDuringSchedulingIgnoredDuringExecution", List(&Struct(&PodAffinityTerm))).of(Atomic),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static PodAffinityTerm: Type = Type { name: "PodAffinityTerm", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "labelSelector", Struct(&meta_v1::LabelSelector)),
    omitted(5, "matchLabelKeys", List(&String)).of(Atomic),
    omitted(6, "mismatchLabelKeys", List(&String)).of(Atomic),
    pointer(4, "namespaceSelector", Struct(&meta_v1::LabelSelector)),
    omitted(2, "namespaces", List(&String)).of(Atomic),
    field(3, "topologyKey", String),
], embedded: &[], order: &[0, 4, 5, 3, 1, 2], is_atomic: false };

pub(super) static PodAntiAffinity: Type = Type { name: "PodAntiAffinity", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "preferredDuringSchedulingIgnoredDuringExecution", List(&Struct(&WeightedPodAffinityTerm))).of(Atomic),
    omitted(1, "requiredDuringSchedulingIgnoredDuringExecution", List(&Struct(&PodAffinityTerm))).of(Atomic),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static PodAttachOptions: Type = Type { name: "PodAttachOptions", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(5, "container", String),
    omitted(0, "kind", String),
    omitted(3, "stderr", Bool),
    omitted(1, "stdin", Bool),
    omitted(2, "stdout", Bool),
    omitted(4, "tty", Bool),
], embedded: &[], order: &[4, 5, 3, 6, 1], is_atomic: false };

pub(super) static PodCertificateProjection: Type = Type { name: "PodCertificateProjection", package: "io.k8s.api.core.v1", fields: &[
    omitted(6, "certificateChainPath", String),
    omitted(4, "credentialBundlePath", String),
    omitted(5, "keyPath", String),
    omitted(2, "keyType", String).required(),
    pointer(3, "maxExpirationSeconds", Int32),
    omitted(1, "signerName", String).required(),
    pointer(0, "user", Int64),
    omitted(7, "userAnnotations", Map(&String)),
], embedded: &[], order: &[5, 3, 4, 1, 2, 0, 7], is_atomic: false };

pub(super) static PodCondition: Type = Type { name: "PodCondition", package: "", fields: &[
    field(3, "lastProbeTime", Time).optional(),
    field(4, "lastTransitionTime", Time).optional(),
    omitted(6, "message", String),
    omitted(7, "observedGeneration", Int64),
    omitted(5, "reason", String),
    field(2, "status", Text("ConditionStatus")),
    field(1, "type", Text("PodConditionType")),
], embedded: &[], order: &[6, 5, 0, 1, 4, 2, 3], is_atomic: false };

pub(super) static PodDNSConfig: Type = Type { name: "PodDNSConfig", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "nameservers", List(&String)).of(Atomic),
    omitted(3, "options", List(&Struct(&PodDNSConfigOption))).of(Atomic),
    omitted(2, "searches", List(&String)).of(Atomic),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static PodDNSConfigOption: Type = Type { name: "PodDNSConfigOption", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "name", String),
    pointer(2, "value", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static PodExecOptions: Type = Type { name: "PodExecOptions", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    field(6, "command", List(&String)).of(Atomic),
    omitted(5, "container", String),
    omitted(0, "kind", String),
    omitted(3, "stderr", Bool),
    omitted(1, "stdin", Bool),
    omitted(2, "stdout", Bool),
    omitted(4, "tty", Bool),
], embedded: &[], order: &[5, 6, 4, 7, 2, 1], is_atomic: false };

pub(super) static PodExtendedResourceClaimStatus: Type = Type { name: "PodExtendedResourceClaimStatus", package: "", fields: &[
    field(1, "requestMappings", List(&Struct(&ContainerExtendedResourceRequest))).of(Atomic),
    field(2, "resourceClaimName", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static PodIP: Type = Type { name: "PodIP", package: "", fields: &[
    field(1, "ip", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static PodLogOptions: Type = Type { name: "PodLogOptions", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(1, "container", String),
    omitted(2, "follow", Bool),
    omitted(9, "insecureSkipTLSVerifyBackend", Bool),
    omitted(0, "kind", String),
    pointer(8, "limitBytes", Int64),
    omitted(3, "previous", Bool),
    pointer(4, "sinceSeconds", Int64),
    pointer(5, "sinceTime", Time),
    pointer(10, "stream", String),
    pointer(7, "tailLines", Int64),
    omitted(6, "timestamps", Bool),
], embedded: &[], order: &[1, 2, 6, 7, 8, 11, 10, 5, 3, 9], is_atomic: false };

pub(super) static PodOS: Type = Type { name: "PodOS", package: "io.k8s.api.core.v1", fields: &[
    field(1, "name", Text("OSName")),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static PodPortForwardOptions: Type = Type { name: "PodPortForwardOptions", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(1, "ports", List(&Int32)).of(Atomic),
], embedded: &[], order: &[2], is_atomic: false };

pub(super) static PodProxyOptions: Type = Type { name: "PodProxyOptions", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(1, "path", String),
], embedded: &[], order: &[2], is_atomic: false };

pub(super) static PodReadinessGate: Type = Type { name: "PodReadinessGate", package: "io.k8s.api.core.v1", fields: &[
    field(1, "conditionType", Text("PodConditionType")),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static PodResourceClaim: Type = Type { name: "PodResourceClaim", package: "io.k8s.api.core.v1", fields: &[
    field(1, "name", String),
    pointer(3, "resourceClaimName", String),
    pointer(4, "resourceClaimTemplateName", String),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static PodResourceClaimStatus: Type = Type { name: "PodResourceClaimStatus", package: "", fields: &[
    field(1, "name", String),
    pointer(2, "resourceClaimName", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static PodSchedulingGate: Type = Type { name: "PodSchedulingGate", package: "io.k8s.api.core.v1", fields: &[
    field(1, "name", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static PodSchedulingGroup: Type = Type { name: "PodSchedulingGroup", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "podGroupName", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static PodSecurityContext: Type = Type { name: "PodSecurityContext", package: "io.k8s.api.core.v1", fields: &[
    pointer(11, "appArmorProfile", Struct(&AppArmorProfile)),
    pointer(5, "fsGroup", Int64),
    pointer(9, "fsGroupChangePolicy", Text("PodFSGroupChangePolicy")),
    pointer(6, "runAsGroup", Int64),
    pointer(3, "runAsNonRoot", Bool),
    pointer(2, "runAsUser", Int64),
    pointer(13, "seLinuxChangePolicy", Text("PodSELinuxChangePolicy")),
    pointer(1, "seLinuxOptions", Struct(&SELinuxOptions)),
    pointer(10, "seccompProfile", Struct(&SeccompProfile)),
    omitted(4, "supplementalGroups", List(&Int64)).of(Atomic),
    pointer(12, "supplementalGroupsPolicy", Text("SupplementalGroupsPolicy")),
    omitted(7, "sysctls", List(&Struct(&Sysctl))).of(Atomic),
    pointer(8, "windowsOptions", Struct(&WindowsSecurityContextOptions)),
], embedded: &[], order: &[7, 5, 4, 9, 1, 3, 11, 12, 2, 8, 0, 10, 6], is_atomic: false };

pub(super) static PodSpec: Type = Type { name: "PodSpec", package: "io.k8s.api.core.v1", fields: &[
    pointer(5, "activeDeadlineSeconds", Int64),
    pointer(18, "affinity", Struct(&Affinity)),
    pointer(21, "automountServiceAccountToken", Bool),
    field(2, "containers", List(&Struct(&Container))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(26, "dnsConfig", Struct(&PodDNSConfig)),
    omitted(6, "dnsPolicy", Text("DNSPolicy")),
    pointer(30, "enableServiceLinks", Bool),
    omitted(34, "ephemeralContainers", List(&Struct(&EphemeralContainer))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(0, "evictionResponders", List(&Struct(&EvictionResponder))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(23, "hostAliases", List(&Struct(&HostAlias))).of(Keyed(&["ip"])).patched(Merge("ip")),
    omitted(13, "hostIPC", Bool),
    omitted(11, "hostNetwork", Bool),
    omitted(12, "hostPID", Bool),
    pointer(37, "hostUsers", Bool),
    omitted(16, "hostname", String),
    pointer(41, "hostnameOverride", String),
    omitted(15, "imagePullSecrets", List(&Struct(&LocalObjectReference))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(20, "initContainers", List(&Struct(&Container))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(10, "nodeName", String),
    omitted(7, "nodeSelector", Map(&String)).of(Atomic),
    pointer(36, "os", Struct(&PodOS)),
    omitted(32, "overhead", Map(&Quantity)),
    pointer(31, "preemptionPolicy", Text("PreemptionPolicy")),
    pointer(25, "priority", Int32),
    omitted(24, "priorityClassName", String),
    omitted(28, "readinessGates", List(&Struct(&PodReadinessGate))).of(Atomic),
    omitted(39, "resourceClaims", List(&Struct(&PodResourceClaim))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
    pointer(40, "resources", Struct(&ResourceRequirements)),
    omitted(3, "restartPolicy", Text("RestartPolicy")),
    pointer(29, "runtimeClassName", String),
    omitted(19, "schedulerName", String),
    omitted(38, "schedulingGates", List(&Struct(&PodSchedulingGate))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(43, "schedulingGroup", Struct(&PodSchedulingGroup)),
    pointer(14, "securityContext", Struct(&PodSecurityContext)),
    omitted(9, "serviceAccount", String),
    omitted(8, "serviceAccountName", String),
    pointer(35, "setHostnameAsFQDN", Bool),
    pointer(27, "shareProcessNamespace", Bool),
    omitted(17, "subdomain", String),
    pointer(4, "terminationGracePeriodSeconds", Int64),
    omitted(22, "tolerations", List(&Struct(&Toleration))).of(Atomic),
    omitted(33, "topologySpreadConstraints", List(&Struct(&TopologySpreadConstraint))).of(Keyed(&["topologyKey", "whenUnsatisfiable"])).patched(Merge("topologyKey")),
    omitted(1, "volumes", List(&Struct(&Volume))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
], embedded: &[], order: &[42, 3, 28, 39, 0, 5, 19, 35, 34, 18, 11, 12, 10, 33, 16, 14, 38, 1, 30, 17, 2, 40, 9, 24, 23, 4, 37, 25, 29, 6, 22, 21, 41, 7, 36, 20, 13, 31, 26, 27, 15, 32], is_atomic: false };

pub(super) static PodStatus: Type = Type { name: "PodStatus", package: "", fields: &[
    omitted(19, "allocatedResources", Map(&Quantity)),
    omitted(2, "conditions", List(&Struct(&PodCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(8, "containerStatuses", List(&Struct(&ContainerStatus))).of(Atomic),
    omitted(13, "ephemeralContainerStatuses", List(&Struct(&ContainerStatus))).of(Atomic),
    pointer(18, "extendedResourceClaimStatus", Struct(&PodExtendedResourceClaimStatus)),
    omitted(5, "hostIP", String),
    omitted(16, "hostIPs", List(&Struct(&HostIP))).of(Atomic).patched(Merge("ip")),
    omitted(10, "initContainerStatuses", List(&Struct(&ContainerStatus))).of(Atomic),
    omitted(3, "message", String),
    omitted(21, "nodeAllocatableResourceClaimStatuses", List(&Struct(&NodeAllocatableResourceClaimStatus))).of(Keyed(&["resourceClaimName"])).patched(Merge("resourceClaimName")),
    omitted(11, "nominatedNodeName", String),
    omitted(17, "observedGeneration", Int64),
    omitted(1, "phase", Text("PodPhase")),
    omitted(6, "podIP", String),
    omitted(12, "podIPs", List(&Struct(&PodIP))).of(Keyed(&["ip"])).patched(Merge("ip")),
    omitted(9, "qosClass", Text("PodQOSClass")),
    omitted(4, "reason", String),
    omitted(14, "resize", Text("PodResizeStatus")),
    omitted(15, "resourceClaimStatuses", List(&Struct(&PodResourceClaimStatus))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
    pointer(20, "resources", Struct(&ResourceRequirements)),
    pointer(7, "startTime", Time),
    omitted(0, "volumeHealth", List(&Struct(&PodVolumeHealth))).of(Keyed(&["name"])),
], embedded: &[], order: &[12, 1, 8, 16, 5, 13, 20, 2, 15, 7, 10, 14, 3, 17, 18, 6, 11, 4, 0, 19, 9], is_atomic: false };

pub(super) static PodStatusResult: Type = Type { name: "PodStatusResult", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "status", Struct(&PodStatus)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static PodTemplate: Type = Type { name: "PodTemplate", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "template", Struct(&PodTemplateSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static PodTemplateSpec: Type = Type { name: "PodTemplateSpec", package: "io.k8s.api.core.v1", fields: &[
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PodSpec)).optional(),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static PodVolumeHealth: Type = Type { name: "PodVolumeHealth", package: "", fields: &[
    omitted(0, "healthConditions", List(&Struct(&VolumeHealthCondition))).of(Keyed(&["reason", "status"])).patched(Merge("status")),
    pointer(0, "lastTransitionTime", Time),
    omitted(0, "name", String).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static PortStatus: Type = Type { name: "PortStatus", package: "", fields: &[
    pointer(3, "error", String),
    field(1, "port", Int32),
    field(2, "protocol", Text("Protocol")),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static PortworxVolumeSource: Type = Type { name: "PortworxVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "fsType", String),
    omitted(3, "readOnly", Bool),
    field(1, "volumeID", String),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static PreferredSchedulingTerm: Type = Type { name: "PreferredSchedulingTerm", package: "io.k8s.api.core.v1", fields: &[
    field(2, "preference", Struct(&NodeSelectorTerm)),
    field(1, "weight", Int32),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static Probe: Type = Type { name: "Probe", package: "io.k8s.api.core.v1", fields: &[
    pointer(0, "exec", Struct(&ExecAction)),
    omitted(6, "failureThreshold", Int32),
    pointer(0, "grpc", Struct(&GRPCAction)),
    pointer(0, "httpGet", Struct(&HTTPGetAction)),
    omitted(2, "initialDelaySeconds", Int32),
    omitted(4, "periodSeconds", Int32),
    omitted(5, "successThreshold", Int32),
    pointer(0, "tcpSocket", Struct(&TCPSocketAction)),
    pointer(7, "terminationGracePeriodSeconds", Int64),
    omitted(3, "timeoutSeconds", Int32),
], embedded: &[(1, &ProbeHandler)], order: &[10, 4, 9, 5, 6, 1, 8], is_atomic: false };

pub(super) static ProbeHandler: Type = Type { name: "ProbeHandler", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "exec", Struct(&ExecAction)),
    pointer(4, "grpc", Struct(&GRPCAction)),
    pointer(2, "httpGet", Struct(&HTTPGetAction)),
    pointer(3, "tcpSocket", Struct(&TCPSocketAction)),
], embedded: &[], order: &[0, 2, 3, 1], is_atomic: false };

pub(super) static ProjectedVolumeSource: Type = Type { name: "ProjectedVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(2, "defaultMode", Int32),
    pointer(0, "defaultUser", Int64),
    field(1, "sources", List(&Struct(&VolumeProjection))).optional().of(Atomic),
], embedded: &[], order: &[2, 0], is_atomic: false };

pub(super) static QuobyteVolumeSource: Type = Type { name: "QuobyteVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(5, "group", String),
    omitted(3, "readOnly", Bool),
    field(1, "registry", String),
    omitted(6, "tenant", String),
    omitted(4, "user", String),
    field(2, "volume", String),
], embedded: &[], order: &[2, 5, 1, 4, 0, 3], is_atomic: false };

pub(super) static RBDPersistentVolumeSource: Type = Type { name: "RBDPersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "fsType", String),
    field(2, "image", String),
    omitted(6, "keyring", String).or("\"/etc/ceph/keyring\""),
    field(1, "monitors", List(&String)).of(Atomic),
    omitted(4, "pool", String).or("\"rbd\""),
    omitted(8, "readOnly", Bool),
    pointer(7, "secretRef", Struct(&SecretReference)),
    omitted(5, "user", String).or("\"admin\""),
], embedded: &[], order: &[3, 1, 0, 4, 7, 2, 6, 5], is_atomic: false };

pub(super) static RBDVolumeSource: Type = Type { name: "RBDVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "fsType", String),
    field(2, "image", String),
    omitted(6, "keyring", String).or("\"/etc/ceph/keyring\""),
    field(1, "monitors", List(&String)).of(Atomic),
    omitted(4, "pool", String).or("\"rbd\""),
    omitted(8, "readOnly", Bool),
    pointer(7, "secretRef", Struct(&LocalObjectReference)),
    omitted(5, "user", String).or("\"admin\""),
], embedded: &[], order: &[3, 1, 0, 4, 7, 2, 6, 5], is_atomic: false };

pub(super) static RangeAllocation: Type = Type { name: "RangeAllocation", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    field(3, "data", Bytes),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "range", String),
], embedded: &[], order: &[3, 4, 1], is_atomic: false };

pub(super) static ReplicationController: Type = Type { name: "ReplicationController", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ReplicationControllerSpec)).optional(),
    field(3, "status", Struct(&ReplicationControllerStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ReplicationControllerCondition: Type = Type { name: "ReplicationControllerCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("ConditionStatus")),
    field(1, "type", Text("ReplicationControllerConditionType")),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static ReplicationControllerSpec: Type = Type { name: "ReplicationControllerSpec", package: "", fields: &[
    omitted(4, "minReadySeconds", Int32).or("0"),
    pointer(1, "replicas", Int32).or("1"),
    omitted(2, "selector", Map(&String)).of(Atomic),
    pointer(3, "template", Struct(&PodTemplateSpec)),
], embedded: &[], order: &[1, 2, 3, 0], is_atomic: false };

pub(super) static ReplicationControllerStatus: Type = Type { name: "ReplicationControllerStatus", package: "", fields: &[
    omitted(5, "availableReplicas", Int32),
    omitted(6, "conditions", List(&Struct(&ReplicationControllerCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(2, "fullyLabeledReplicas", Int32),
    omitted(3, "observedGeneration", Int64),
    omitted(4, "readyReplicas", Int32),
    field(1, "replicas", Int32),
], embedded: &[], order: &[5, 2, 3, 4, 0, 1], is_atomic: false };

pub(super) static ResourceClaim: Type = Type { name: "ResourceClaim", package: "io.k8s.api.core.v1", fields: &[
    field(1, "name", String),
    omitted(2, "request", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ResourceFieldSelector: Type = Type { name: "ResourceFieldSelector", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "containerName", String),
    field(3, "divisor", Quantity).optional(),
    field(2, "resource", String),
], embedded: &[], order: &[0, 2, 1], is_atomic: true };

pub(super) static ResourceHealth: Type = Type { name: "ResourceHealth", package: "", fields: &[
    omitted(2, "health", Text("ResourceHealthStatus")),
    pointer(6, "message", String),
    field(1, "resourceID", Text("ResourceID")),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static ResourceQuota: Type = Type { name: "ResourceQuota", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ResourceQuotaSpec)).optional(),
    field(3, "status", Struct(&ResourceQuotaStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ResourceQuotaSpec: Type = Type { name: "ResourceQuotaSpec", package: "", fields: &[
    omitted(1, "hard", Map(&Quantity)),
    pointer(3, "scopeSelector", Struct(&ScopeSelector)),
    omitted(2, "scopes", List(&Text("ResourceQuotaScope"))).of(Atomic),
], embedded: &[], order: &[0, 2, 1], is_atomic: false };

pub(super) static ResourceQuotaStatus: Type = Type { name: "ResourceQuotaStatus", package: "", fields: &[
    omitted(1, "hard", Map(&Quantity)),
    omitted(2, "used", Map(&Quantity)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static ResourceRequirements: Type = Type { name: "ResourceRequirements", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "claims", List(&Struct(&ResourceClaim))).of(Keyed(&["name"])),
    omitted(1, "limits", Map(&Quantity)),
    omitted(2, "requests", Map(&Quantity)),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static ResourceStatus: Type = Type { name: "ResourceStatus", package: "", fields: &[
    field(1, "name", Text("ResourceName")),
    omitted(2, "resources", List(&Struct(&ResourceHealth))).of(Keyed(&["resourceID"])),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static SELinuxOptions: Type = Type { name: "SELinuxOptions", package: "io.k8s.api.core.v1", fields: &[
    omitted(4, "level", String),
    omitted(2, "role", String),
    omitted(3, "type", String),
    omitted(1, "user", String),
], embedded: &[], order: &[3, 1, 2, 0], is_atomic: false };

pub(super) static ScaleIOPersistentVolumeSource: Type = Type { name: "ScaleIOPersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(9, "fsType", String).or("\"xfs\""),
    field(1, "gateway", String),
    omitted(5, "protectionDomain", String),
    omitted(10, "readOnly", Bool),
    pointer(3, "secretRef", Struct(&SecretReference)).required(),
    omitted(4, "sslEnabled", Bool),
    omitted(7, "storageMode", String).or("\"ThinProvisioned\""),
    omitted(6, "storagePool", String),
    field(2, "system", String),
    omitted(8, "volumeName", String),
], embedded: &[], order: &[1, 8, 4, 5, 2, 7, 6, 9, 0, 3], is_atomic: false };

pub(super) static ScaleIOVolumeSource: Type = Type { name: "ScaleIOVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(9, "fsType", String).or("\"xfs\""),
    field(1, "gateway", String),
    omitted(5, "protectionDomain", String),
    omitted(10, "readOnly", Bool),
    pointer(3, "secretRef", Struct(&LocalObjectReference)).required(),
    omitted(4, "sslEnabled", Bool),
    omitted(7, "storageMode", String).or("\"ThinProvisioned\""),
    omitted(6, "storagePool", String),
    field(2, "system", String),
    omitted(8, "volumeName", String),
], embedded: &[], order: &[1, 8, 4, 5, 2, 7, 6, 9, 0, 3], is_atomic: false };

pub(super) static ScopeSelector: Type = Type { name: "ScopeSelector", package: "", fields: &[
    omitted(1, "matchExpressions", List(&Struct(&ScopedResourceSelectorRequirement))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: true };

pub(super) static ScopedResourceSelectorRequirement: Type = Type { name: "ScopedResourceSelectorRequirement", package: "", fields: &[
    field(2, "operator", Text("ScopeSelectorOperator")),
    field(1, "scopeName", Text("ResourceQuotaScope")),
    omitted(3, "values", List(&String)).of(Atomic),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };

pub(super) static SeccompProfile: Type = Type { name: "SeccompProfile", package: "io.k8s.api.core.v1", fields: &[
    pointer(2, "localhostProfile", String),
    field(1, "type", Text("SeccompProfileType")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static Secret: Type = Type { name: "Secret", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(2, "data", Map(&Bytes)),
    pointer(5, "immutable", Bool),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(4, "stringData", Map(&String)),
    omitted(3, "type", Text("SecretType")),
], embedded: &[], order: &[4, 1, 6, 5, 2], is_atomic: false };

pub(super) static SecretEnvSource: Type = Type { name: "SecretEnvSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "name", String).or("\"\""),
    pointer(2, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)], order: &[2, 1], is_atomic: false };

pub(super) static SecretKeySelector: Type = Type { name: "SecretKeySelector", package: "io.k8s.api.core.v1", fields: &[
    field(2, "key", String),
    omitted(0, "name", String).or("\"\""),
    pointer(3, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)], order: &[3, 0, 2], is_atomic: true };

pub(super) static SecretProjection: Type = Type { name: "SecretProjection", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "items", List(&Struct(&KeyToPath))).of(Atomic),
    omitted(0, "name", String).or("\"\""),
    pointer(4, "optional", Bool),
], embedded: &[(1, &LocalObjectReference)], order: &[3, 0, 2], is_atomic: false };

pub(super) static SecretReference: Type = Type { name: "SecretReference", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "name", String),
    omitted(2, "namespace", String),
], embedded: &[], order: &[0, 1], is_atomic: true };

pub(super) static SecretVolumeSource: Type = Type { name: "SecretVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(3, "defaultMode", Int32),
    pointer(0, "defaultUser", Int64),
    omitted(2, "items", List(&Struct(&KeyToPath))).of(Atomic),
    pointer(4, "optional", Bool),
    omitted(1, "secretName", String),
], embedded: &[], order: &[4, 2, 0, 3], is_atomic: false };

pub(super) static SecurityContext: Type = Type { name: "SecurityContext", package: "io.k8s.api.core.v1", fields: &[
    pointer(7, "allowPrivilegeEscalation", Bool),
    pointer(12, "appArmorProfile", Struct(&AppArmorProfile)),
    pointer(1, "capabilities", Struct(&Capabilities)),
    pointer(2, "privileged", Bool),
    pointer(9, "procMount", Text("ProcMountType")),
    pointer(6, "readOnlyRootFilesystem", Bool),
    pointer(8, "runAsGroup", Int64),
    pointer(5, "runAsNonRoot", Bool),
    pointer(4, "runAsUser", Int64),
    pointer(3, "seLinuxOptions", Struct(&SELinuxOptions)),
    pointer(11, "seccompProfile", Struct(&SeccompProfile)),
    pointer(10, "windowsOptions", Struct(&WindowsSecurityContextOptions)),
], embedded: &[], order: &[2, 3, 9, 8, 7, 5, 0, 6, 4, 11, 10, 1], is_atomic: false };

pub(super) static SerializedReference: Type = Type { name: "SerializedReference", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "reference", Struct(&ObjectReference)).optional(),
], embedded: &[], order: &[2], is_atomic: false };

pub(super) static Service: Type = Type { name: "Service", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ServiceSpec)).optional(),
    field(3, "status", Struct(&ServiceStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ServiceAccount: Type = Type { name: "ServiceAccount", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    pointer(4, "automountServiceAccountToken", Bool),
    omitted(3, "imagePullSecrets", List(&Struct(&LocalObjectReference))).of(Atomic),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    omitted(2, "secrets", List(&Struct(&ObjectReference))).of(Keyed(&["name"])).patched(Merge("name")),
], embedded: &[], order: &[4, 5, 2, 1], is_atomic: false };

pub(super) static ServiceAccountTokenProjection: Type = Type { name: "ServiceAccountTokenProjection", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "audience", String),
    pointer(2, "expirationSeconds", Int64),
    field(3, "path", String),
    pointer(0, "user", Int64),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static ServicePort: Type = Type { name: "ServicePort", package: "", fields: &[
    pointer(6, "appProtocol", String),
    omitted(1, "name", String),
    omitted(5, "nodePort", Int32),
    field(3, "port", Int32),
    omitted(2, "protocol", Text("Protocol")).or("\"TCP\""),
    field(4, "targetPort", IntOrString).optional(),
], embedded: &[], order: &[1, 4, 3, 5, 2, 0], is_atomic: false };

pub(super) static ServiceProxyOptions: Type = Type { name: "ServiceProxyOptions", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(1, "path", String),
], embedded: &[], order: &[2], is_atomic: false };

pub(super) static ServiceSpec: Type = Type { name: "ServiceSpec", package: "", fields: &[
    pointer(20, "allocateLoadBalancerNodePorts", Bool),
    omitted(3, "clusterIP", String),
    omitted(18, "clusterIPs", List(&String)).of(Atomic),
    omitted(5, "externalIPs", List(&String)).of(Atomic),
    omitted(10, "externalName", String),
    omitted(11, "externalTrafficPolicy", Text("ServiceExternalTrafficPolicy")),
    omitted(12, "healthCheckNodePort", Int32),
    pointer(22, "internalTrafficPolicy", Text("ServiceInternalTrafficPolicy")),
    omitted(19, "ipFamilies", List(&Text("IPFamily"))).of(Atomic),
    pointer(17, "ipFamilyPolicy", Text("IPFamilyPolicy")),
    pointer(21, "loadBalancerClass", String),
    omitted(8, "loadBalancerIP", String),
    omitted(9, "loadBalancerSourceRanges", List(&String)).of(Atomic),
    omitted(1, "ports", List(&Struct(&ServicePort))).of(Keyed(&["port", "protocol"])).patched(Merge("port")),
    omitted(13, "publishNotReadyAddresses", Bool),
    omitted(2, "selector", Map(&String)).of(Atomic),
    omitted(7, "sessionAffinity", Text("ServiceAffinity")),
    pointer(14, "sessionAffinityConfig", Struct(&SessionAffinityConfig)),
    pointer(23, "trafficDistribution", String),
    omitted(4, "type", Text("ServiceType")),
], embedded: &[], order: &[13, 15, 1, 19, 3, 16, 11, 12, 4, 5, 6, 14, 17, 9, 2, 8, 0, 10, 7, 18], is_atomic: false };

pub(super) static ServiceStatus: Type = Type { name: "ServiceStatus", package: "", fields: &[
    omitted(2, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(1, "loadBalancer", Struct(&LoadBalancerStatus)).optional(),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static SessionAffinityConfig: Type = Type { name: "SessionAffinityConfig", package: "", fields: &[
    pointer(1, "clientIP", Struct(&ClientIPConfig)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static SleepAction: Type = Type { name: "SleepAction", package: "io.k8s.api.core.v1", fields: &[
    field(1, "seconds", Int64),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static StorageOSPersistentVolumeSource: Type = Type { name: "StorageOSPersistentVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "fsType", String),
    omitted(4, "readOnly", Bool),
    pointer(5, "secretRef", Struct(&ObjectReference)),
    omitted(1, "volumeName", String),
    omitted(2, "volumeNamespace", String),
], embedded: &[], order: &[3, 4, 0, 1, 2], is_atomic: false };

pub(super) static StorageOSVolumeSource: Type = Type { name: "StorageOSVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(3, "fsType", String),
    omitted(4, "readOnly", Bool),
    pointer(5, "secretRef", Struct(&LocalObjectReference)),
    omitted(1, "volumeName", String),
    omitted(2, "volumeNamespace", String),
], embedded: &[], order: &[3, 4, 0, 1, 2], is_atomic: false };

pub(super) static Sysctl: Type = Type { name: "Sysctl", package: "io.k8s.api.core.v1", fields: &[
    field(1, "name", String),
    field(2, "value", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static TCPSocketAction: Type = Type { name: "TCPSocketAction", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "host", String),
    field(1, "port", IntOrString),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static Taint: Type = Type { name: "Taint", package: "", fields: &[
    field(3, "effect", Text("TaintEffect")),
    field(1, "key", String),
    pointer(4, "timeAdded", Time),
    omitted(2, "value", String),
], embedded: &[], order: &[1, 3, 0, 2], is_atomic: false };

pub(super) static Toleration: Type = Type { name: "Toleration", package: "io.k8s.api.core.v1", fields: &[
    omitted(4, "effect", Text("TaintEffect")),
    omitted(1, "key", String),
    omitted(2, "operator", Text("TolerationOperator")),
    pointer(5, "tolerationSeconds", Int64),
    omitted(3, "value", String),
], embedded: &[], order: &[1, 2, 4, 0, 3], is_atomic: false };

pub(super) static TopologySelectorLabelRequirement: Type = Type { name: "TopologySelectorLabelRequirement", package: "io.k8s.api.core.v1", fields: &[
    field(1, "key", String),
    field(2, "values", List(&String)).of(Atomic),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static TopologySelectorTerm: Type = Type { name: "TopologySelectorTerm", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "matchLabelExpressions", List(&Struct(&TopologySelectorLabelRequirement))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: true };

pub(super) static TopologySpreadConstraint: Type = Type { name: "TopologySpreadConstraint", package: "io.k8s.api.core.v1", fields: &[
    pointer(4, "labelSelector", Struct(&meta_v1::LabelSelector)),
    omitted(8, "matchLabelKeys", List(&String)).of(Atomic),
    field(1, "maxSkew", Int32),
    pointer(5, "minDomains", Int32),
    pointer(6, "nodeAffinityPolicy", Text("NodeInclusionPolicy")),
    pointer(7, "nodeTaintsPolicy", Text("NodeInclusionPolicy")),
    field(2, "topologyKey", String),
    field(3, "whenUnsatisfiable", Text("UnsatisfiableConstraintAction")),
], embedded: &[], order: &[2, 6, 7, 0, 3, 4, 5, 1], is_atomic: false };

pub(super) static TypedLocalObjectReference: Type = Type { name: "TypedLocalObjectReference", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "apiGroup", String),
    field(2, "kind", String),
    field(3, "name", String),
], embedded: &[], order: &[0, 1, 2], is_atomic: true };

pub(super) static TypedObjectReference: Type = Type { name: "TypedObjectReference", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "apiGroup", String),
    field(2, "kind", String),
    field(3, "name", String),
    pointer(4, "namespace", String),
], embedded: &[], order: &[0, 1, 2, 3], is_atomic: false };

pub(super) static Volume: Type = Type { name: "Volume", package: "io.k8s.api.core.v1", fields: &[
    pointer(0, "awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    pointer(0, "azureDisk", Struct(&AzureDiskVolumeSource)),
    pointer(0, "azureFile", Struct(&AzureFileVolumeSource)),
    pointer(0, "cephfs", Struct(&CephFSVolumeSource)),
    pointer(0, "cinder", Struct(&CinderVolumeSource)),
    pointer(0, "configMap", Struct(&ConfigMapVolumeSource)),
    pointer(0, "csi", Struct(&CSIVolumeSource)),
    pointer(0, "downwardAPI", Struct(&DownwardAPIVolumeSource)),
    pointer(0, "emptyDir", Struct(&EmptyDirVolumeSource)),
    pointer(0, "ephemeral", Struct(&EphemeralVolumeSource)),
    pointer(0, "fc", Struct(&FCVolumeSource)),
    pointer(0, "flexVolume", Struct(&FlexVolumeSource)),
    pointer(0, "flocker", Struct(&FlockerVolumeSource)),
    pointer(0, "gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    pointer(0, "gitRepo", Struct(&GitRepoVolumeSource)),
    pointer(0, "glusterfs", Struct(&GlusterfsVolumeSource)),
    pointer(0, "hostPath", Struct(&HostPathVolumeSource)),
    pointer(0, "image", Struct(&ImageVolumeSource)),
    pointer(0, "iscsi", Struct(&ISCSIVolumeSource)),
    field(1, "name", String),
    pointer(0, "nfs", Struct(&NFSVolumeSource)),
    pointer(0, "persistentVolumeClaim", Struct(&PersistentVolumeClaimVolumeSource)),
    pointer(0, "photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    pointer(0, "portworxVolume", Struct(&PortworxVolumeSource)),
    pointer(0, "projected", Struct(&ProjectedVolumeSource)),
    pointer(0, "quobyte", Struct(&QuobyteVolumeSource)),
    pointer(0, "rbd", Struct(&RBDVolumeSource)),
    pointer(0, "scaleIO", Struct(&ScaleIOVolumeSource)),
    pointer(0, "secret", Struct(&SecretVolumeSource)),
    pointer(0, "storageos", Struct(&StorageOSVolumeSource)),
    pointer(0, "vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
], embedded: &[(2, &VolumeSource)], order: &[19, 31], is_atomic: false };

pub(super) static VolumeDevice: Type = Type { name: "VolumeDevice", package: "io.k8s.api.core.v1", fields: &[
    field(2, "devicePath", String),
    field(1, "name", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static VolumeHealthCondition: Type = Type { name: "VolumeHealthCondition", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "message", String),
    omitted(0, "reason", String).required(),
    omitted(0, "status", String).required(),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static VolumeHealthStatus: Type = Type { name: "VolumeHealthStatus", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "healthConditions", List(&Struct(&VolumeHealthCondition))).of(Keyed(&["reason", "status"])).patched(Merge("status")),
    pointer(0, "lastTransitionTime", Time),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static VolumeMount: Type = Type { name: "VolumeMount", package: "io.k8s.api.core.v1", fields: &[
    omitted(0, "bindMountOptions", List(&String)).of(Set),
    field(3, "mountPath", String),
    pointer(5, "mountPropagation", Text("MountPropagationMode")),
    field(1, "name", String),
    omitted(2, "readOnly", Bool),
    pointer(7, "recursiveReadOnly", Text("RecursiveReadOnlyMode")),
    omitted(4, "subPath", String),
    omitted(6, "subPathExpr", String),
], embedded: &[], order: &[3, 4, 1, 6, 2, 7, 5], is_atomic: false };

pub(super) static VolumeMountStatus: Type = Type { name: "VolumeMountStatus", package: "", fields: &[
    field(2, "mountPath", String),
    field(1, "name", String),
    omitted(3, "readOnly", Bool),
    pointer(4, "recursiveReadOnly", Text("RecursiveReadOnlyMode")),
    pointer(5, "volumeStatus", Struct(&VolumeStatus)),
], embedded: &[], order: &[1, 0, 2, 3, 4], is_atomic: false };

pub(super) static VolumeNodeAffinity: Type = Type { name: "VolumeNodeAffinity", package: "io.k8s.api.core.v1", fields: &[
    pointer(1, "required", Struct(&NodeSelector)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static VolumeProjection: Type = Type { name: "VolumeProjection", package: "io.k8s.api.core.v1", fields: &[
    pointer(5, "clusterTrustBundle", Struct(&ClusterTrustBundleProjection)),
    pointer(3, "configMap", Struct(&ConfigMapProjection)),
    pointer(2, "downwardAPI", Struct(&DownwardAPIProjection)),
    pointer(6, "podCertificate", Struct(&PodCertificateProjection)),
    pointer(1, "secret", Struct(&SecretProjection)),
    pointer(4, "serviceAccountToken", Struct(&ServiceAccountTokenProjection)),
], embedded: &[], order: &[4, 2, 1, 5, 0, 3], is_atomic: false };

pub(super) static VolumeResourceRequirements: Type = Type { name: "VolumeResourceRequirements", package: "io.k8s.api.core.v1", fields: &[
    omitted(1, "limits", Map(&Quantity)),
    omitted(2, "requests", Map(&Quantity)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static VolumeSource: Type = Type { name: "VolumeSource", package: "io.k8s.api.core.v1", fields: &[
    pointer(4, "awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    pointer(22, "azureDisk", Struct(&AzureDiskVolumeSource)),
    pointer(18, "azureFile", Struct(&AzureFileVolumeSource)),
    pointer(14, "cephfs", Struct(&CephFSVolumeSource)),
    pointer(13, "cinder", Struct(&CinderVolumeSource)),
    pointer(19, "configMap", Struct(&ConfigMapVolumeSource)),
    pointer(28, "csi", Struct(&CSIVolumeSource)),
    pointer(16, "downwardAPI", Struct(&DownwardAPIVolumeSource)),
    pointer(2, "emptyDir", Struct(&EmptyDirVolumeSource)),
    pointer(29, "ephemeral", Struct(&EphemeralVolumeSource)),
    pointer(17, "fc", Struct(&FCVolumeSource)),
    pointer(12, "flexVolume", Struct(&FlexVolumeSource)),
    pointer(15, "flocker", Struct(&FlockerVolumeSource)),
    pointer(3, "gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    pointer(5, "gitRepo", Struct(&GitRepoVolumeSource)),
    pointer(9, "glusterfs", Struct(&GlusterfsVolumeSource)),
    pointer(1, "hostPath", Struct(&HostPathVolumeSource)),
    pointer(30, "image", Struct(&ImageVolumeSource)),
    pointer(8, "iscsi", Struct(&ISCSIVolumeSource)),
    pointer(7, "nfs", Struct(&NFSVolumeSource)),
    pointer(10, "persistentVolumeClaim", Struct(&PersistentVolumeClaimVolumeSource)),
    pointer(23, "photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    pointer(24, "portworxVolume", Struct(&PortworxVolumeSource)),
    pointer(26, "projected", Struct(&ProjectedVolumeSource)),
    pointer(21, "quobyte", Struct(&QuobyteVolumeSource)),
    pointer(11, "rbd", Struct(&RBDVolumeSource)),
    pointer(25, "scaleIO", Struct(&ScaleIOVolumeSource)),
    pointer(6, "secret", Struct(&SecretVolumeSource)),
    pointer(27, "storageos", Struct(&StorageOSVolumeSource)),
    pointer(20, "vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
], embedded: &[], order: &[16, 8, 13, 0, 14, 27, 19, 18, 15, 20, 25, 11, 4, 3, 12, 7, 10, 2, 5, 29, 24, 1, 21, 22, 26, 23, 28, 6, 9, 17], is_atomic: false };

pub(super) static VolumeStatus: Type = Type { name: "VolumeStatus", package: "", fields: &[
    pointer(1, "image", Struct(&ImageVolumeStatus)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static VsphereVirtualDiskVolumeSource: Type = Type { name: "VsphereVirtualDiskVolumeSource", package: "io.k8s.api.core.v1", fields: &[
    omitted(2, "fsType", String),
    omitted(4, "storagePolicyID", String),
    omitted(3, "storagePolicyName", String),
    field(1, "volumePath", String),
], embedded: &[], order: &[3, 0, 2, 1], is_atomic: false };

pub(super) static WeightedPodAffinityTerm: Type = Type { name: "WeightedPodAffinityTerm", package: "io.k8s.api.core.v1", fields: &[
    field(2, "podAffinityTerm", Struct(&PodAffinityTerm)),
    field(1, "weight", Int32),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static WindowsSecurityContextOptions: Type = Type { name: "WindowsSecurityContextOptions", package: "io.k8s.api.core.v1", fields: &[
    pointer(2, "gmsaCredentialSpec", String),
    pointer(1, "gmsaCredentialSpecName", String),
    pointer(4, "hostProcess", Bool),
    pointer(3, "runAsUserName", String),
], embedded: &[], order: &[1, 0, 3, 2], is_atomic: false };
