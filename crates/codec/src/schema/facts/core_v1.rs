//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static AWSElasticBlockStoreVolumeSource: Type = Type { go: "v1.AWSElasticBlockStoreVolumeSource", fields: &[
    omitted("fsType", String),
    omitted("partition", Int32),
    omitted("readOnly", Bool),
    field("volumeID", String),
] };

pub(super) static Affinity: Type = Type { go: "v1.Affinity", fields: &[
    field("nodeAffinity", Struct(&NodeAffinity)),
    field("podAffinity", Struct(&PodAffinity)),
    field("podAntiAffinity", Struct(&PodAntiAffinity)),
] };

pub(super) static AppArmorProfile: Type = Type { go: "v1.AppArmorProfile", fields: &[
    field("localhostProfile", String),
    field("type", Text("v1.AppArmorProfileType")),
] };

pub(super) static AttachedVolume: Type = Type { go: "v1.AttachedVolume", fields: &[
    field("devicePath", String),
    field("name", Text("v1.UniqueVolumeName")),
] };

pub(super) static AzureDiskVolumeSource: Type = Type { go: "v1.AzureDiskVolumeSource", fields: &[
    field("cachingMode", Text("v1.AzureDataDiskCachingMode")),
    field("diskName", String),
    field("diskURI", String),
    field("fsType", String),
    field("kind", Text("v1.AzureDataDiskKind")),
    field("readOnly", Bool),
] };

pub(super) static AzureFilePersistentVolumeSource: Type = Type { go: "v1.AzureFilePersistentVolumeSource", fields: &[
    omitted("readOnly", Bool),
    field("secretName", String),
    field("secretNamespace", String),
    field("shareName", String),
] };

pub(super) static AzureFileVolumeSource: Type = Type { go: "v1.AzureFileVolumeSource", fields: &[
    omitted("readOnly", Bool),
    field("secretName", String),
    field("shareName", String),
] };

pub(super) static Binding: Type = Type { go: "v1.Binding", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("target", Struct(&ObjectReference)),
] };

pub(super) static CSIPersistentVolumeSource: Type = Type { go: "v1.CSIPersistentVolumeSource", fields: &[
    field("controllerExpandSecretRef", Struct(&SecretReference)),
    field("controllerPublishSecretRef", Struct(&SecretReference)),
    field("driver", String),
    omitted("fsType", String),
    field("nodeExpandSecretRef", Struct(&SecretReference)),
    field("nodePublishSecretRef", Struct(&SecretReference)),
    field("nodeStageSecretRef", Struct(&SecretReference)),
    omitted("readOnly", Bool),
    omitted("volumeAttributes", Map(&String)),
    field("volumeHandle", String),
] };

pub(super) static CSIVolumeSource: Type = Type { go: "v1.CSIVolumeSource", fields: &[
    field("driver", String),
    field("fsType", String),
    field("nodePublishSecretRef", Struct(&LocalObjectReference)),
    field("readOnly", Bool),
    omitted("volumeAttributes", Map(&String)),
] };

pub(super) static Capabilities: Type = Type { go: "v1.Capabilities", fields: &[
    omitted("add", List(&Text("v1.Capability"))).of(Atomic),
    omitted("drop", List(&Text("v1.Capability"))).of(Atomic),
] };

pub(super) static CephFSPersistentVolumeSource: Type = Type { go: "v1.CephFSPersistentVolumeSource", fields: &[
    field("monitors", List(&String)).of(Atomic),
    omitted("path", String),
    omitted("readOnly", Bool),
    omitted("secretFile", String),
    field("secretRef", Struct(&SecretReference)),
    omitted("user", String),
] };

pub(super) static CephFSVolumeSource: Type = Type { go: "v1.CephFSVolumeSource", fields: &[
    field("monitors", List(&String)).of(Atomic),
    omitted("path", String),
    omitted("readOnly", Bool),
    omitted("secretFile", String),
    field("secretRef", Struct(&LocalObjectReference)),
    omitted("user", String),
] };

pub(super) static CinderPersistentVolumeSource: Type = Type { go: "v1.CinderPersistentVolumeSource", fields: &[
    omitted("fsType", String),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&SecretReference)),
    field("volumeID", String),
] };

pub(super) static CinderVolumeSource: Type = Type { go: "v1.CinderVolumeSource", fields: &[
    omitted("fsType", String),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&LocalObjectReference)),
    field("volumeID", String),
] };

pub(super) static ClientIPConfig: Type = Type { go: "v1.ClientIPConfig", fields: &[
    field("timeoutSeconds", Int32),
] };

pub(super) static ClusterTrustBundleProjection: Type = Type { go: "v1.ClusterTrustBundleProjection", fields: &[
    field("labelSelector", Struct(&meta_v1::LabelSelector)),
    field("name", String),
    field("optional", Bool),
    field("path", String),
    field("signerName", String),
    omitted("user", Int64),
] };

pub(super) static ComponentCondition: Type = Type { go: "v1.ComponentCondition", fields: &[
    omitted("error", String),
    omitted("message", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.ComponentConditionType")),
] };

pub(super) static ComponentStatus: Type = Type { go: "v1.ComponentStatus", fields: &[
    omitted("apiVersion", String),
    omitted("conditions", List(&Struct(&ComponentCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
] };

pub(super) static ConfigMap: Type = Type { go: "v1.ConfigMap", fields: &[
    omitted("apiVersion", String),
    omitted("binaryData", Map(&Bytes)),
    omitted("data", Map(&String)),
    field("immutable", Bool),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
] };

pub(super) static ConfigMapEnvSource: Type = Type { go: "v1.ConfigMapEnvSource", fields: &[
    omitted("name", String),
    field("optional", Bool),
] };

pub(super) static ConfigMapKeySelector: Type = Type { go: "v1.ConfigMapKeySelector", fields: &[
    field("key", String),
    omitted("name", String),
    field("optional", Bool),
] };

pub(super) static ConfigMapNodeConfigSource: Type = Type { go: "v1.ConfigMapNodeConfigSource", fields: &[
    field("kubeletConfigKey", String),
    field("name", String),
    field("namespace", String),
    omitted("resourceVersion", String),
    omitted("uid", Text("types.UID")),
] };

pub(super) static ConfigMapProjection: Type = Type { go: "v1.ConfigMapProjection", fields: &[
    omitted("items", List(&Struct(&KeyToPath))).of(Atomic),
    omitted("name", String),
    field("optional", Bool),
] };

pub(super) static ConfigMapVolumeSource: Type = Type { go: "v1.ConfigMapVolumeSource", fields: &[
    field("defaultMode", Int32),
    omitted("defaultUser", Int64),
    omitted("items", List(&Struct(&KeyToPath))).of(Atomic),
    omitted("name", String),
    field("optional", Bool),
] };

pub(super) static Container: Type = Type { go: "v1.Container", fields: &[
    omitted("args", List(&String)).of(Atomic),
    omitted("command", List(&String)).of(Atomic),
    omitted("env", List(&Struct(&EnvVar))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted("envFrom", List(&Struct(&EnvFromSource))).of(Atomic),
    omitted("image", String),
    omitted("imagePullPolicy", Text("v1.PullPolicy")),
    field("lifecycle", Struct(&Lifecycle)),
    field("livenessProbe", Struct(&Probe)),
    field("name", String),
    omitted("ports", List(&Struct(&ContainerPort))).of(Keyed(&["containerPort", "protocol"])).patched(Merge("containerPort")),
    field("readinessProbe", Struct(&Probe)),
    omitted("resizePolicy", List(&Struct(&ContainerResizePolicy))).of(Atomic),
    field("resources", Struct(&ResourceRequirements)),
    field("restartPolicy", Text("v1.ContainerRestartPolicy")),
    omitted("restartPolicyRules", List(&Struct(&ContainerRestartRule))).of(Atomic),
    field("securityContext", Struct(&SecurityContext)),
    field("startupProbe", Struct(&Probe)),
    omitted("stdin", Bool),
    omitted("stdinOnce", Bool),
    omitted("terminationMessagePath", String),
    omitted("terminationMessagePolicy", Text("v1.TerminationMessagePolicy")),
    omitted("tty", Bool),
    omitted("volumeDevices", List(&Struct(&VolumeDevice))).of(Keyed(&["devicePath"])).patched(Merge("devicePath")),
    omitted("volumeMounts", List(&Struct(&VolumeMount))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
    omitted("workingDir", String),
] };

pub(super) static ContainerExtendedResourceRequest: Type = Type { go: "v1.ContainerExtendedResourceRequest", fields: &[
    field("containerName", String),
    field("requestName", String),
    field("resourceName", String),
] };

pub(super) static ContainerImage: Type = Type { go: "v1.ContainerImage", fields: &[
    field("names", List(&String)).of(Atomic),
    omitted("sizeBytes", Int64),
] };

pub(super) static ContainerPort: Type = Type { go: "v1.ContainerPort", fields: &[
    field("containerPort", Int32),
    omitted("hostIP", String),
    omitted("hostPort", Int32),
    omitted("name", String),
    omitted("protocol", Text("v1.Protocol")),
] };

pub(super) static ContainerResizePolicy: Type = Type { go: "v1.ContainerResizePolicy", fields: &[
    field("resourceName", Text("v1.ResourceName")),
    field("restartPolicy", Text("v1.ResourceResizeRestartPolicy")),
] };

pub(super) static ContainerRestartRule: Type = Type { go: "v1.ContainerRestartRule", fields: &[
    omitted("action", Text("v1.ContainerRestartRuleAction")),
    field("exitCodes", Struct(&ContainerRestartRuleOnExitCodes)),
] };

pub(super) static ContainerRestartRuleOnExitCodes: Type = Type { go: "v1.ContainerRestartRuleOnExitCodes", fields: &[
    omitted("operator", Text("v1.ContainerRestartRuleOnExitCodesOperator")),
    omitted("values", List(&Int32)).of(Set),
] };

pub(super) static ContainerState: Type = Type { go: "v1.ContainerState", fields: &[
    field("running", Struct(&ContainerStateRunning)),
    field("terminated", Struct(&ContainerStateTerminated)),
    field("waiting", Struct(&ContainerStateWaiting)),
] };

pub(super) static ContainerStateRunning: Type = Type { go: "v1.ContainerStateRunning", fields: &[
    field("startedAt", Time),
] };

pub(super) static ContainerStateTerminated: Type = Type { go: "v1.ContainerStateTerminated", fields: &[
    omitted("containerID", String),
    field("exitCode", Int32),
    field("finishedAt", Time),
    omitted("message", String),
    omitted("reason", String),
    omitted("signal", Int32),
    field("startedAt", Time),
] };

pub(super) static ContainerStateWaiting: Type = Type { go: "v1.ContainerStateWaiting", fields: &[
    omitted("message", String),
    omitted("reason", String),
] };

pub(super) static ContainerStatus: Type = Type { go: "v1.ContainerStatus", fields: &[
    omitted("allocatedResources", Map(&Quantity)),
    omitted("allocatedResourcesStatus", List(&Struct(&ResourceStatus))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted("containerID", String),
    field("image", String),
    field("imageID", String),
    field("lastState", Struct(&ContainerState)),
    field("name", String),
    field("ready", Bool),
    field("resources", Struct(&ResourceRequirements)),
    field("restartCount", Int32),
    field("started", Bool),
    field("state", Struct(&ContainerState)),
    field("stopSignal", Text("v1.Signal")),
    field("user", Struct(&ContainerUser)),
    omitted("volumeMounts", List(&Struct(&VolumeMountStatus))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
] };

pub(super) static ContainerUser: Type = Type { go: "v1.ContainerUser", fields: &[
    field("linux", Struct(&LinuxContainerUser)),
] };

pub(super) static DaemonEndpoint: Type = Type { go: "v1.DaemonEndpoint", fields: &[
    field("Port", Int32),
] };

pub(super) static DownwardAPIProjection: Type = Type { go: "v1.DownwardAPIProjection", fields: &[
    omitted("items", List(&Struct(&DownwardAPIVolumeFile))).of(Atomic),
] };

pub(super) static DownwardAPIVolumeFile: Type = Type { go: "v1.DownwardAPIVolumeFile", fields: &[
    field("fieldRef", Struct(&ObjectFieldSelector)),
    field("mode", Int32),
    field("path", String),
    field("resourceFieldRef", Struct(&ResourceFieldSelector)),
    omitted("user", Int64),
] };

pub(super) static DownwardAPIVolumeSource: Type = Type { go: "v1.DownwardAPIVolumeSource", fields: &[
    field("defaultMode", Int32),
    omitted("defaultUser", Int64),
    omitted("items", List(&Struct(&DownwardAPIVolumeFile))).of(Atomic),
] };

pub(super) static EmptyDirVolumeSource: Type = Type { go: "v1.EmptyDirVolumeSource", fields: &[
    omitted("medium", Text("v1.StorageMedium")),
    omitted("mode", Int32),
    field("sizeLimit", Quantity),
] };

pub(super) static EndpointAddress: Type = Type { go: "v1.EndpointAddress", fields: &[
    omitted("hostname", String),
    field("ip", String),
    field("nodeName", String),
    field("targetRef", Struct(&ObjectReference)),
] };

pub(super) static EndpointPort: Type = Type { go: "v1.EndpointPort", fields: &[
    field("appProtocol", String),
    omitted("name", String),
    field("port", Int32),
    omitted("protocol", Text("v1.Protocol")),
] };

pub(super) static EndpointSubset: Type = Type { go: "v1.EndpointSubset", fields: &[
    omitted("addresses", List(&Struct(&EndpointAddress))).of(Atomic),
    omitted("notReadyAddresses", List(&Struct(&EndpointAddress))).of(Atomic),
    omitted("ports", List(&Struct(&EndpointPort))).of(Atomic),
] };

pub(super) static Endpoints: Type = Type { go: "v1.Endpoints", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("subsets", List(&Struct(&EndpointSubset))).of(Atomic),
] };

pub(super) static EnvFromSource: Type = Type { go: "v1.EnvFromSource", fields: &[
    field("configMapRef", Struct(&ConfigMapEnvSource)),
    omitted("prefix", String),
    field("secretRef", Struct(&SecretEnvSource)),
] };

pub(super) static EnvVar: Type = Type { go: "v1.EnvVar", fields: &[
    field("name", String),
    omitted("value", String),
    field("valueFrom", Struct(&EnvVarSource)),
] };

pub(super) static EnvVarSource: Type = Type { go: "v1.EnvVarSource", fields: &[
    field("configMapKeyRef", Struct(&ConfigMapKeySelector)),
    field("fieldRef", Struct(&ObjectFieldSelector)),
    field("fileKeyRef", Struct(&FileKeySelector)),
    field("resourceFieldRef", Struct(&ResourceFieldSelector)),
    field("secretKeyRef", Struct(&SecretKeySelector)),
] };

pub(super) static EphemeralContainer: Type = Type { go: "v1.EphemeralContainer", fields: &[
    omitted("args", List(&String)).of(Atomic),
    omitted("command", List(&String)).of(Atomic),
    omitted("env", List(&Struct(&EnvVar))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted("envFrom", List(&Struct(&EnvFromSource))).of(Atomic),
    omitted("image", String),
    omitted("imagePullPolicy", Text("v1.PullPolicy")),
    field("lifecycle", Struct(&Lifecycle)),
    field("livenessProbe", Struct(&Probe)),
    field("name", String),
    omitted("ports", List(&Struct(&ContainerPort))).of(Keyed(&["containerPort", "protocol"])).patched(Merge("containerPort")),
    field("readinessProbe", Struct(&Probe)),
    omitted("resizePolicy", List(&Struct(&ContainerResizePolicy))).of(Atomic),
    field("resources", Struct(&ResourceRequirements)),
    field("restartPolicy", Text("v1.ContainerRestartPolicy")),
    omitted("restartPolicyRules", List(&Struct(&ContainerRestartRule))).of(Atomic),
    field("securityContext", Struct(&SecurityContext)),
    field("startupProbe", Struct(&Probe)),
    omitted("stdin", Bool),
    omitted("stdinOnce", Bool),
    omitted("targetContainerName", String),
    omitted("terminationMessagePath", String),
    omitted("terminationMessagePolicy", Text("v1.TerminationMessagePolicy")),
    omitted("tty", Bool),
    omitted("volumeDevices", List(&Struct(&VolumeDevice))).of(Keyed(&["devicePath"])).patched(Merge("devicePath")),
    omitted("volumeMounts", List(&Struct(&VolumeMount))).of(Keyed(&["mountPath"])).patched(Merge("mountPath")),
    omitted("workingDir", String),
] };

pub(super) static EphemeralVolumeSource: Type = Type { go: "v1.EphemeralVolumeSource", fields: &[
    field("volumeClaimTemplate", Struct(&PersistentVolumeClaimTemplate)),
] };

pub(super) static Event: Type = Type { go: "v1.Event", fields: &[
    omitted("action", String),
    omitted("apiVersion", String),
    omitted("count", Int32),
    field("eventTime", MicroTime),
    field("firstTimestamp", Time),
    field("involvedObject", Struct(&ObjectReference)),
    omitted("kind", String),
    field("lastTimestamp", Time),
    omitted("message", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("reason", String),
    field("related", Struct(&ObjectReference)),
    field("reportingComponent", String),
    field("reportingInstance", String),
    field("series", Struct(&EventSeries)),
    field("source", Struct(&EventSource)),
    omitted("type", String),
] };

pub(super) static EventSeries: Type = Type { go: "v1.EventSeries", fields: &[
    omitted("count", Int32),
    field("lastObservedTime", MicroTime),
] };

pub(super) static EventSource: Type = Type { go: "v1.EventSource", fields: &[
    omitted("component", String),
    omitted("host", String),
] };

pub(super) static EvictionResponder: Type = Type { go: "v1.EvictionResponder", fields: &[
    omitted("name", String),
    omitted("priority", Int32),
] };

pub(super) static ExecAction: Type = Type { go: "v1.ExecAction", fields: &[
    omitted("command", List(&String)).of(Atomic),
] };

pub(super) static FCVolumeSource: Type = Type { go: "v1.FCVolumeSource", fields: &[
    omitted("fsType", String),
    field("lun", Int32),
    omitted("readOnly", Bool),
    omitted("targetWWNs", List(&String)).of(Atomic),
    omitted("wwids", List(&String)).of(Atomic),
] };

pub(super) static FileKeySelector: Type = Type { go: "v1.FileKeySelector", fields: &[
    field("key", String),
    field("optional", Bool),
    field("path", String),
    field("volumeName", String),
] };

pub(super) static FlexPersistentVolumeSource: Type = Type { go: "v1.FlexPersistentVolumeSource", fields: &[
    field("driver", String),
    omitted("fsType", String),
    omitted("options", Map(&String)),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&SecretReference)),
] };

pub(super) static FlexVolumeSource: Type = Type { go: "v1.FlexVolumeSource", fields: &[
    field("driver", String),
    omitted("fsType", String),
    omitted("options", Map(&String)),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&LocalObjectReference)),
] };

pub(super) static FlockerVolumeSource: Type = Type { go: "v1.FlockerVolumeSource", fields: &[
    omitted("datasetName", String),
    omitted("datasetUUID", String),
] };

pub(super) static GCEPersistentDiskVolumeSource: Type = Type { go: "v1.GCEPersistentDiskVolumeSource", fields: &[
    omitted("fsType", String),
    omitted("partition", Int32),
    field("pdName", String),
    omitted("readOnly", Bool),
] };

pub(super) static GRPCAction: Type = Type { go: "v1.GRPCAction", fields: &[
    omitted("mode", String),
    field("port", Int32),
    field("service", String),
] };

pub(super) static GitRepoVolumeSource: Type = Type { go: "v1.GitRepoVolumeSource", fields: &[
    omitted("directory", String),
    field("repository", String),
    omitted("revision", String),
] };

pub(super) static GlusterfsPersistentVolumeSource: Type = Type { go: "v1.GlusterfsPersistentVolumeSource", fields: &[
    field("endpoints", String),
    field("endpointsNamespace", String),
    field("path", String),
    omitted("readOnly", Bool),
] };

pub(super) static GlusterfsVolumeSource: Type = Type { go: "v1.GlusterfsVolumeSource", fields: &[
    field("endpoints", String),
    field("path", String),
    omitted("readOnly", Bool),
] };

pub(super) static HTTPGetAction: Type = Type { go: "v1.HTTPGetAction", fields: &[
    omitted("host", String),
    omitted("httpHeaders", List(&Struct(&HTTPHeader))).of(Atomic),
    omitted("path", String),
    field("port", IntOrString),
    omitted("protocol", String),
    omitted("scheme", Text("v1.URIScheme")),
] };

pub(super) static HTTPHeader: Type = Type { go: "v1.HTTPHeader", fields: &[
    field("name", String),
    field("value", String),
] };

pub(super) static HostAlias: Type = Type { go: "v1.HostAlias", fields: &[
    omitted("hostnames", List(&String)).of(Atomic),
    field("ip", String),
] };

pub(super) static HostIP: Type = Type { go: "v1.HostIP", fields: &[
    field("ip", String),
] };

pub(super) static HostPathVolumeSource: Type = Type { go: "v1.HostPathVolumeSource", fields: &[
    field("path", String),
    field("type", Text("v1.HostPathType")),
] };

pub(super) static ISCSIPersistentVolumeSource: Type = Type { go: "v1.ISCSIPersistentVolumeSource", fields: &[
    omitted("chapAuthDiscovery", Bool),
    omitted("chapAuthSession", Bool),
    omitted("fsType", String),
    field("initiatorName", String),
    field("iqn", String),
    omitted("iscsiInterface", String),
    field("lun", Int32),
    omitted("portals", List(&String)).of(Atomic),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&SecretReference)),
    field("targetPortal", String),
] };

pub(super) static ISCSIVolumeSource: Type = Type { go: "v1.ISCSIVolumeSource", fields: &[
    omitted("chapAuthDiscovery", Bool),
    omitted("chapAuthSession", Bool),
    omitted("fsType", String),
    field("initiatorName", String),
    field("iqn", String),
    omitted("iscsiInterface", String),
    field("lun", Int32),
    omitted("portals", List(&String)).of(Atomic),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&LocalObjectReference)),
    field("targetPortal", String),
] };

pub(super) static ImageVolumeSource: Type = Type { go: "v1.ImageVolumeSource", fields: &[
    omitted("pullPolicy", Text("v1.PullPolicy")),
    omitted("reference", String),
] };

pub(super) static ImageVolumeStatus: Type = Type { go: "v1.ImageVolumeStatus", fields: &[
    omitted("imageRef", String),
] };

pub(super) static KeyToPath: Type = Type { go: "v1.KeyToPath", fields: &[
    field("key", String),
    field("mode", Int32),
    field("path", String),
    omitted("user", Int64),
] };

pub(super) static Lifecycle: Type = Type { go: "v1.Lifecycle", fields: &[
    field("postStart", Struct(&LifecycleHandler)),
    field("preStop", Struct(&LifecycleHandler)),
    field("stopSignal", Text("v1.Signal")),
] };

pub(super) static LifecycleHandler: Type = Type { go: "v1.LifecycleHandler", fields: &[
    field("exec", Struct(&ExecAction)),
    field("httpGet", Struct(&HTTPGetAction)),
    field("sleep", Struct(&SleepAction)),
    field("tcpSocket", Struct(&TCPSocketAction)),
] };

pub(super) static LimitRange: Type = Type { go: "v1.LimitRange", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&LimitRangeSpec)),
] };

pub(super) static LimitRangeItem: Type = Type { go: "v1.LimitRangeItem", fields: &[
    omitted("default", Map(&Quantity)),
    omitted("defaultRequest", Map(&Quantity)),
    omitted("max", Map(&Quantity)),
    omitted("maxLimitRequestRatio", Map(&Quantity)),
    omitted("min", Map(&Quantity)),
    field("type", Text("v1.LimitType")),
] };

pub(super) static LimitRangeSpec: Type = Type { go: "v1.LimitRangeSpec", fields: &[
    field("limits", List(&Struct(&LimitRangeItem))).of(Atomic),
] };

pub(super) static LinuxContainerUser: Type = Type { go: "v1.LinuxContainerUser", fields: &[
    field("gid", Int64),
    omitted("supplementalGroups", List(&Int64)).of(Atomic),
    field("uid", Int64),
] };

pub(super) static LoadBalancerIngress: Type = Type { go: "v1.LoadBalancerIngress", fields: &[
    omitted("hostname", String),
    omitted("ip", String),
    field("ipMode", Text("v1.LoadBalancerIPMode")),
    omitted("ports", List(&Struct(&PortStatus))).of(Atomic),
] };

pub(super) static LoadBalancerStatus: Type = Type { go: "v1.LoadBalancerStatus", fields: &[
    omitted("ingress", List(&Struct(&LoadBalancerIngress))).of(Atomic),
] };

pub(super) static LocalObjectReference: Type = Type { go: "v1.LocalObjectReference", fields: &[
    omitted("name", String),
] };

pub(super) static LocalVolumeSource: Type = Type { go: "v1.LocalVolumeSource", fields: &[
    field("fsType", String),
    field("path", String),
] };

pub(super) static ModifyVolumeStatus: Type = Type { go: "v1.ModifyVolumeStatus", fields: &[
    field("status", Text("v1.PersistentVolumeClaimModifyVolumeStatus")),
    omitted("targetVolumeAttributesClassName", String),
] };

pub(super) static NFSVolumeSource: Type = Type { go: "v1.NFSVolumeSource", fields: &[
    field("path", String),
    omitted("readOnly", Bool),
    field("server", String),
] };

pub(super) static Namespace: Type = Type { go: "v1.Namespace", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&NamespaceSpec)),
    field("status", Struct(&NamespaceStatus)),
] };

pub(super) static NamespaceCondition: Type = Type { go: "v1.NamespaceCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.NamespaceConditionType")),
] };

pub(super) static NamespaceSpec: Type = Type { go: "v1.NamespaceSpec", fields: &[
    omitted("finalizers", List(&Text("v1.FinalizerName"))).of(Atomic),
] };

pub(super) static NamespaceStatus: Type = Type { go: "v1.NamespaceStatus", fields: &[
    omitted("conditions", List(&Struct(&NamespaceCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted("phase", Text("v1.NamespacePhase")),
] };

pub(super) static Node: Type = Type { go: "v1.Node", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&NodeSpec)),
    field("status", Struct(&NodeStatus)),
] };

pub(super) static NodeAddress: Type = Type { go: "v1.NodeAddress", fields: &[
    field("address", String),
    field("type", Text("v1.NodeAddressType")),
] };

pub(super) static NodeAffinity: Type = Type { go: "v1.NodeAffinity", fields: &[
    omitted("preferredDuringSchedulingIgnoredDuringExecution", List(&Struct(&PreferredSchedulingTerm))).of(Atomic),
    field("requiredDuringSchedulingIgnoredDuringExecution", Struct(&NodeSelector)),
] };

pub(super) static NodeAllocatableMappedResources: Type = Type { go: "v1.NodeAllocatableMappedResources", fields: &[
    omitted("name", String),
    omitted("quantity", Quantity),
] };

pub(super) static NodeAllocatableOverheadResources: Type = Type { go: "v1.NodeAllocatableOverheadResources", fields: &[
    omitted("name", String),
    omitted("perContainer", Quantity),
    omitted("perPod", Quantity),
] };

pub(super) static NodeAllocatableResourceClaimStatus: Type = Type { go: "v1.NodeAllocatableResourceClaimStatus", fields: &[
    omitted("containers", List(&String)).of(Set),
    omitted("mapping", List(&Struct(&NodeAllocatableMappedResources))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted("overhead", List(&Struct(&NodeAllocatableOverheadResources))).of(Keyed(&["name"])).patched(Merge("name")),
    field("resourceClaimName", String),
    field("resources", Map(&Quantity)),
] };

pub(super) static NodeCondition: Type = Type { go: "v1.NodeCondition", fields: &[
    field("lastHeartbeatTime", Time),
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.NodeConditionType")),
] };

pub(super) static NodeConfigSource: Type = Type { go: "v1.NodeConfigSource", fields: &[
    field("configMap", Struct(&ConfigMapNodeConfigSource)),
] };

pub(super) static NodeConfigStatus: Type = Type { go: "v1.NodeConfigStatus", fields: &[
    field("active", Struct(&NodeConfigSource)),
    field("assigned", Struct(&NodeConfigSource)),
    omitted("error", String),
    field("lastKnownGood", Struct(&NodeConfigSource)),
] };

pub(super) static NodeDaemonEndpoints: Type = Type { go: "v1.NodeDaemonEndpoints", fields: &[
    field("kubeletEndpoint", Struct(&DaemonEndpoint)),
] };

pub(super) static NodeFeatures: Type = Type { go: "v1.NodeFeatures", fields: &[
    field("supplementalGroupsPolicy", Bool),
] };

pub(super) static NodePodPreemptionPolicy: Type = Type { go: "v1.NodePodPreemptionPolicy", fields: &[
    omitted("disableResizePreemption", List(&String)).of(Set),
] };

pub(super) static NodeProxyOptions: Type = Type { go: "v1.NodeProxyOptions", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    omitted("path", String),
] };

pub(super) static NodeRuntimeHandler: Type = Type { go: "v1.NodeRuntimeHandler", fields: &[
    field("features", Struct(&NodeRuntimeHandlerFeatures)),
    field("name", String),
] };

pub(super) static NodeRuntimeHandlerFeatures: Type = Type { go: "v1.NodeRuntimeHandlerFeatures", fields: &[
    field("recursiveReadOnlyMounts", Bool),
    field("userNamespaces", Bool),
] };

pub(super) static NodeSelector: Type = Type { go: "v1.NodeSelector", fields: &[
    field("nodeSelectorTerms", List(&Struct(&NodeSelectorTerm))).of(Atomic),
] };

pub(super) static NodeSelectorRequirement: Type = Type { go: "v1.NodeSelectorRequirement", fields: &[
    field("key", String),
    field("operator", Text("v1.NodeSelectorOperator")),
    omitted("values", List(&String)).of(Atomic),
] };

pub(super) static NodeSelectorTerm: Type = Type { go: "v1.NodeSelectorTerm", fields: &[
    omitted("matchExpressions", List(&Struct(&NodeSelectorRequirement))).of(Atomic),
    omitted("matchFields", List(&Struct(&NodeSelectorRequirement))).of(Atomic),
] };

pub(super) static NodeSpec: Type = Type { go: "v1.NodeSpec", fields: &[
    field("configSource", Struct(&NodeConfigSource)),
    omitted("externalID", String),
    omitted("podCIDR", String),
    omitted("podCIDRs", List(&String)).of(Set).patched(Merge("")),
    omitted("podPreemptionPolicy", Struct(&NodePodPreemptionPolicy)),
    omitted("providerID", String),
    omitted("taints", List(&Struct(&Taint))).of(Atomic),
    omitted("unschedulable", Bool),
] };

pub(super) static NodeStatus: Type = Type { go: "v1.NodeStatus", fields: &[
    omitted("addresses", List(&Struct(&NodeAddress))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted("allocatable", Map(&Quantity)),
    omitted("capacity", Map(&Quantity)),
    omitted("conditions", List(&Struct(&NodeCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field("config", Struct(&NodeConfigStatus)),
    field("daemonEndpoints", Struct(&NodeDaemonEndpoints)),
    omitted("declaredFeatures", List(&String)).of(Atomic),
    field("features", Struct(&NodeFeatures)),
    omitted("images", List(&Struct(&ContainerImage))).of(Atomic),
    field("nodeInfo", Struct(&NodeSystemInfo)),
    omitted("phase", Text("v1.NodePhase")),
    omitted("runtimeHandlers", List(&Struct(&NodeRuntimeHandler))).of(Atomic),
    omitted("volumesAttached", List(&Struct(&AttachedVolume))).of(Atomic),
    omitted("volumesInUse", List(&Text("v1.UniqueVolumeName"))).of(Atomic),
] };

pub(super) static NodeSwapStatus: Type = Type { go: "v1.NodeSwapStatus", fields: &[
    field("capacity", Int64),
] };

pub(super) static NodeSystemInfo: Type = Type { go: "v1.NodeSystemInfo", fields: &[
    field("architecture", String),
    field("bootID", String),
    field("containerRuntimeVersion", String),
    field("kernelVersion", String),
    field("kubeProxyVersion", String),
    field("kubeletVersion", String),
    field("machineID", String),
    field("operatingSystem", String),
    field("osImage", String),
    omitted("runningInUserNamespace", Bool),
    field("swap", Struct(&NodeSwapStatus)),
    field("systemUUID", String),
] };

pub(super) static ObjectFieldSelector: Type = Type { go: "v1.ObjectFieldSelector", fields: &[
    omitted("apiVersion", String),
    field("fieldPath", String),
] };

pub(super) static ObjectReference: Type = Type { go: "v1.ObjectReference", fields: &[
    omitted("apiVersion", String),
    omitted("fieldPath", String),
    omitted("kind", String),
    omitted("name", String),
    omitted("namespace", String),
    omitted("resourceVersion", String),
    omitted("uid", Text("types.UID")),
] };

pub(super) static PersistentVolume: Type = Type { go: "v1.PersistentVolume", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&PersistentVolumeSpec)),
    field("status", Struct(&PersistentVolumeStatus)),
] };

pub(super) static PersistentVolumeClaim: Type = Type { go: "v1.PersistentVolumeClaim", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&PersistentVolumeClaimSpec)),
    field("status", Struct(&PersistentVolumeClaimStatus)),
] };

pub(super) static PersistentVolumeClaimCondition: Type = Type { go: "v1.PersistentVolumeClaimCondition", fields: &[
    field("lastProbeTime", Time),
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.PersistentVolumeClaimConditionType")),
] };

pub(super) static PersistentVolumeClaimSpec: Type = Type { go: "v1.PersistentVolumeClaimSpec", fields: &[
    omitted("accessModes", List(&Text("v1.PersistentVolumeAccessMode"))).of(Atomic),
    field("dataSource", Struct(&TypedLocalObjectReference)),
    field("dataSourceRef", Struct(&TypedObjectReference)),
    field("resources", Struct(&VolumeResourceRequirements)),
    field("selector", Struct(&meta_v1::LabelSelector)),
    field("storageClassName", String),
    field("volumeAttributesClassName", String),
    field("volumeMode", Text("v1.PersistentVolumeMode")),
    omitted("volumeName", String),
] };

pub(super) static PersistentVolumeClaimStatus: Type = Type { go: "v1.PersistentVolumeClaimStatus", fields: &[
    omitted("accessModes", List(&Text("v1.PersistentVolumeAccessMode"))).of(Atomic),
    omitted("allocatedResourceStatuses", Map(&Text("v1.ClaimResourceStatus"))),
    omitted("allocatedResources", Map(&Quantity)),
    omitted("capacity", Map(&Quantity)),
    omitted("conditions", List(&Struct(&PersistentVolumeClaimCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field("currentVolumeAttributesClassName", String),
    omitted("healthStatus", Struct(&VolumeHealthStatus)),
    field("modifyVolumeStatus", Struct(&ModifyVolumeStatus)),
    omitted("phase", Text("v1.PersistentVolumeClaimPhase")),
] };

pub(super) static PersistentVolumeClaimTemplate: Type = Type { go: "v1.PersistentVolumeClaimTemplate", fields: &[
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&PersistentVolumeClaimSpec)),
] };

pub(super) static PersistentVolumeClaimVolumeSource: Type = Type { go: "v1.PersistentVolumeClaimVolumeSource", fields: &[
    field("claimName", String),
    omitted("readOnly", Bool),
] };

pub(super) static PersistentVolumeSpec: Type = Type { go: "v1.PersistentVolumeSpec", fields: &[
    omitted("accessModes", List(&Text("v1.PersistentVolumeAccessMode"))).of(Atomic),
    field("awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    field("azureDisk", Struct(&AzureDiskVolumeSource)),
    field("azureFile", Struct(&AzureFilePersistentVolumeSource)),
    omitted("capacity", Map(&Quantity)),
    field("cephfs", Struct(&CephFSPersistentVolumeSource)),
    field("cinder", Struct(&CinderPersistentVolumeSource)),
    field("claimRef", Struct(&ObjectReference)),
    field("csi", Struct(&CSIPersistentVolumeSource)),
    field("fc", Struct(&FCVolumeSource)),
    field("flexVolume", Struct(&FlexPersistentVolumeSource)),
    field("flocker", Struct(&FlockerVolumeSource)),
    field("gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    field("glusterfs", Struct(&GlusterfsPersistentVolumeSource)),
    field("hostPath", Struct(&HostPathVolumeSource)),
    field("iscsi", Struct(&ISCSIPersistentVolumeSource)),
    field("local", Struct(&LocalVolumeSource)),
    omitted("mountOptions", List(&String)).of(Atomic),
    field("nfs", Struct(&NFSVolumeSource)),
    field("nodeAffinity", Struct(&VolumeNodeAffinity)),
    omitted("persistentVolumeReclaimPolicy", Text("v1.PersistentVolumeReclaimPolicy")),
    field("photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    field("portworxVolume", Struct(&PortworxVolumeSource)),
    field("quobyte", Struct(&QuobyteVolumeSource)),
    field("rbd", Struct(&RBDPersistentVolumeSource)),
    field("scaleIO", Struct(&ScaleIOPersistentVolumeSource)),
    omitted("storageClassName", String),
    field("storageos", Struct(&StorageOSPersistentVolumeSource)),
    field("volumeAttributesClassName", String),
    field("volumeMode", Text("v1.PersistentVolumeMode")),
    field("vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
] };

pub(super) static PersistentVolumeStatus: Type = Type { go: "v1.PersistentVolumeStatus", fields: &[
    field("lastPhaseTransitionTime", Time),
    omitted("message", String),
    omitted("phase", Text("v1.PersistentVolumePhase")),
    omitted("reason", String),
] };

pub(super) static PhotonPersistentDiskVolumeSource: Type = Type { go: "v1.PhotonPersistentDiskVolumeSource", fields: &[
    omitted("fsType", String),
    field("pdID", String),
] };

pub(super) static Pod: Type = Type { go: "v1.Pod", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&PodSpec)),
    field("status", Struct(&PodStatus)),
] };

pub(super) static PodAffinity: Type = Type { go: "v1.PodAffinity", fields: &[
    omitted("preferredDuringSchedulingIgnoredDuringExecution", List(&Struct(&WeightedPodAffinityTerm))).of(Atomic),
    omitted("requiredDuringSchedulingIgnoredDuringExecution", List(&Struct(&PodAffinityTerm))).of(Atomic),
] };

pub(super) static PodAffinityTerm: Type = Type { go: "v1.PodAffinityTerm", fields: &[
    field("labelSelector", Struct(&meta_v1::LabelSelector)),
    omitted("matchLabelKeys", List(&String)).of(Atomic),
    omitted("mismatchLabelKeys", List(&String)).of(Atomic),
    field("namespaceSelector", Struct(&meta_v1::LabelSelector)),
    omitted("namespaces", List(&String)).of(Atomic),
    field("topologyKey", String),
] };

pub(super) static PodAntiAffinity: Type = Type { go: "v1.PodAntiAffinity", fields: &[
    omitted("preferredDuringSchedulingIgnoredDuringExecution", List(&Struct(&WeightedPodAffinityTerm))).of(Atomic),
    omitted("requiredDuringSchedulingIgnoredDuringExecution", List(&Struct(&PodAffinityTerm))).of(Atomic),
] };

pub(super) static PodAttachOptions: Type = Type { go: "v1.PodAttachOptions", fields: &[
    omitted("apiVersion", String),
    omitted("container", String),
    omitted("kind", String),
    omitted("stderr", Bool),
    omitted("stdin", Bool),
    omitted("stdout", Bool),
    omitted("tty", Bool),
] };

pub(super) static PodCertificateProjection: Type = Type { go: "v1.PodCertificateProjection", fields: &[
    omitted("certificateChainPath", String),
    omitted("credentialBundlePath", String),
    omitted("keyPath", String),
    omitted("keyType", String),
    field("maxExpirationSeconds", Int32),
    omitted("signerName", String),
    omitted("user", Int64),
    omitted("userAnnotations", Map(&String)),
] };

pub(super) static PodCondition: Type = Type { go: "v1.PodCondition", fields: &[
    field("lastProbeTime", Time),
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("observedGeneration", Int64),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.PodConditionType")),
] };

pub(super) static PodDNSConfig: Type = Type { go: "v1.PodDNSConfig", fields: &[
    omitted("nameservers", List(&String)).of(Atomic),
    omitted("options", List(&Struct(&PodDNSConfigOption))).of(Atomic),
    omitted("searches", List(&String)).of(Atomic),
] };

pub(super) static PodDNSConfigOption: Type = Type { go: "v1.PodDNSConfigOption", fields: &[
    omitted("name", String),
    field("value", String),
] };

pub(super) static PodExecOptions: Type = Type { go: "v1.PodExecOptions", fields: &[
    omitted("apiVersion", String),
    field("command", List(&String)).of(Atomic),
    omitted("container", String),
    omitted("kind", String),
    omitted("stderr", Bool),
    omitted("stdin", Bool),
    omitted("stdout", Bool),
    omitted("tty", Bool),
] };

pub(super) static PodExtendedResourceClaimStatus: Type = Type { go: "v1.PodExtendedResourceClaimStatus", fields: &[
    field("requestMappings", List(&Struct(&ContainerExtendedResourceRequest))).of(Atomic),
    field("resourceClaimName", String),
] };

pub(super) static PodIP: Type = Type { go: "v1.PodIP", fields: &[
    field("ip", String),
] };

pub(super) static PodLogOptions: Type = Type { go: "v1.PodLogOptions", fields: &[
    omitted("apiVersion", String),
    omitted("container", String),
    omitted("follow", Bool),
    omitted("insecureSkipTLSVerifyBackend", Bool),
    omitted("kind", String),
    field("limitBytes", Int64),
    omitted("previous", Bool),
    field("sinceSeconds", Int64),
    field("sinceTime", Time),
    field("stream", String),
    field("tailLines", Int64),
    omitted("timestamps", Bool),
] };

pub(super) static PodOS: Type = Type { go: "v1.PodOS", fields: &[
    field("name", Text("v1.OSName")),
] };

pub(super) static PodPortForwardOptions: Type = Type { go: "v1.PodPortForwardOptions", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    omitted("ports", List(&Int32)).of(Atomic),
] };

pub(super) static PodProxyOptions: Type = Type { go: "v1.PodProxyOptions", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    omitted("path", String),
] };

pub(super) static PodReadinessGate: Type = Type { go: "v1.PodReadinessGate", fields: &[
    field("conditionType", Text("v1.PodConditionType")),
] };

pub(super) static PodResourceClaim: Type = Type { go: "v1.PodResourceClaim", fields: &[
    field("name", String),
    field("resourceClaimName", String),
    field("resourceClaimTemplateName", String),
] };

pub(super) static PodResourceClaimStatus: Type = Type { go: "v1.PodResourceClaimStatus", fields: &[
    field("name", String),
    field("resourceClaimName", String),
] };

pub(super) static PodSchedulingGate: Type = Type { go: "v1.PodSchedulingGate", fields: &[
    field("name", String),
] };

pub(super) static PodSchedulingGroup: Type = Type { go: "v1.PodSchedulingGroup", fields: &[
    field("podGroupName", String),
] };

pub(super) static PodSecurityContext: Type = Type { go: "v1.PodSecurityContext", fields: &[
    field("appArmorProfile", Struct(&AppArmorProfile)),
    field("fsGroup", Int64),
    field("fsGroupChangePolicy", Text("v1.PodFSGroupChangePolicy")),
    field("runAsGroup", Int64),
    field("runAsNonRoot", Bool),
    field("runAsUser", Int64),
    field("seLinuxChangePolicy", Text("v1.PodSELinuxChangePolicy")),
    field("seLinuxOptions", Struct(&SELinuxOptions)),
    field("seccompProfile", Struct(&SeccompProfile)),
    omitted("supplementalGroups", List(&Int64)).of(Atomic),
    field("supplementalGroupsPolicy", Text("v1.SupplementalGroupsPolicy")),
    omitted("sysctls", List(&Struct(&Sysctl))).of(Atomic),
    field("windowsOptions", Struct(&WindowsSecurityContextOptions)),
] };

pub(super) static PodSpec: Type = Type { go: "v1.PodSpec", fields: &[
    field("activeDeadlineSeconds", Int64),
    field("affinity", Struct(&Affinity)),
    field("automountServiceAccountToken", Bool),
    field("containers", List(&Struct(&Container))).of(Keyed(&["name"])).patched(Merge("name")),
    field("dnsConfig", Struct(&PodDNSConfig)),
    omitted("dnsPolicy", Text("v1.DNSPolicy")),
    field("enableServiceLinks", Bool),
    omitted("ephemeralContainers", List(&Struct(&EphemeralContainer))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted("evictionResponders", List(&Struct(&EvictionResponder))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted("hostAliases", List(&Struct(&HostAlias))).of(Keyed(&["ip"])).patched(Merge("ip")),
    omitted("hostIPC", Bool),
    omitted("hostNetwork", Bool),
    omitted("hostPID", Bool),
    field("hostUsers", Bool),
    omitted("hostname", String),
    field("hostnameOverride", String),
    omitted("imagePullSecrets", List(&Struct(&LocalObjectReference))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted("initContainers", List(&Struct(&Container))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted("nodeName", String),
    omitted("nodeSelector", Map(&String)).of(Atomic),
    field("os", Struct(&PodOS)),
    omitted("overhead", Map(&Quantity)),
    field("preemptionPolicy", Text("v1.PreemptionPolicy")),
    field("priority", Int32),
    omitted("priorityClassName", String),
    omitted("readinessGates", List(&Struct(&PodReadinessGate))).of(Atomic),
    omitted("resourceClaims", List(&Struct(&PodResourceClaim))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
    field("resources", Struct(&ResourceRequirements)),
    omitted("restartPolicy", Text("v1.RestartPolicy")),
    field("runtimeClassName", String),
    omitted("schedulerName", String),
    omitted("schedulingGates", List(&Struct(&PodSchedulingGate))).of(Keyed(&["name"])).patched(Merge("name")),
    field("schedulingGroup", Struct(&PodSchedulingGroup)),
    field("securityContext", Struct(&PodSecurityContext)),
    omitted("serviceAccount", String),
    omitted("serviceAccountName", String),
    field("setHostnameAsFQDN", Bool),
    field("shareProcessNamespace", Bool),
    omitted("subdomain", String),
    field("terminationGracePeriodSeconds", Int64),
    omitted("tolerations", List(&Struct(&Toleration))).of(Atomic),
    omitted("topologySpreadConstraints", List(&Struct(&TopologySpreadConstraint))).of(Keyed(&["topologyKey", "whenUnsatisfiable"])).patched(Merge("topologyKey")),
    omitted("volumes", List(&Struct(&Volume))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
] };

pub(super) static PodStatus: Type = Type { go: "v1.PodStatus", fields: &[
    omitted("allocatedResources", Map(&Quantity)),
    omitted("conditions", List(&Struct(&PodCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted("containerStatuses", List(&Struct(&ContainerStatus))).of(Atomic),
    omitted("ephemeralContainerStatuses", List(&Struct(&ContainerStatus))).of(Atomic),
    field("extendedResourceClaimStatus", Struct(&PodExtendedResourceClaimStatus)),
    omitted("hostIP", String),
    omitted("hostIPs", List(&Struct(&HostIP))).of(Atomic).patched(Merge("ip")),
    omitted("initContainerStatuses", List(&Struct(&ContainerStatus))).of(Atomic),
    omitted("message", String),
    omitted("nodeAllocatableResourceClaimStatuses", List(&Struct(&NodeAllocatableResourceClaimStatus))).of(Atomic),
    omitted("nominatedNodeName", String),
    omitted("observedGeneration", Int64),
    omitted("phase", Text("v1.PodPhase")),
    omitted("podIP", String),
    omitted("podIPs", List(&Struct(&PodIP))).of(Keyed(&["ip"])).patched(Merge("ip")),
    omitted("qosClass", Text("v1.PodQOSClass")),
    omitted("reason", String),
    omitted("resize", Text("v1.PodResizeStatus")),
    omitted("resourceClaimStatuses", List(&Struct(&PodResourceClaimStatus))).of(Keyed(&["name"])).patched(MergeRetainingKeys("name")),
    field("resources", Struct(&ResourceRequirements)),
    field("startTime", Time),
    omitted("volumeHealth", List(&Struct(&PodVolumeHealth))).of(Keyed(&["name"])),
] };

pub(super) static PodStatusResult: Type = Type { go: "v1.PodStatusResult", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("status", Struct(&PodStatus)),
] };

pub(super) static PodTemplate: Type = Type { go: "v1.PodTemplate", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("template", Struct(&PodTemplateSpec)),
] };

pub(super) static PodTemplateSpec: Type = Type { go: "v1.PodTemplateSpec", fields: &[
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&PodSpec)),
] };

pub(super) static PodVolumeHealth: Type = Type { go: "v1.PodVolumeHealth", fields: &[
    omitted("healthConditions", List(&Struct(&VolumeHealthCondition))).of(Keyed(&["reason", "status"])).patched(Merge("status")),
    omitted("lastTransitionTime", Time),
    omitted("name", String),
] };

pub(super) static PortStatus: Type = Type { go: "v1.PortStatus", fields: &[
    field("error", String),
    field("port", Int32),
    field("protocol", Text("v1.Protocol")),
] };

pub(super) static PortworxVolumeSource: Type = Type { go: "v1.PortworxVolumeSource", fields: &[
    omitted("fsType", String),
    omitted("readOnly", Bool),
    field("volumeID", String),
] };

pub(super) static PreferredSchedulingTerm: Type = Type { go: "v1.PreferredSchedulingTerm", fields: &[
    field("preference", Struct(&NodeSelectorTerm)),
    field("weight", Int32),
] };

pub(super) static Probe: Type = Type { go: "v1.Probe", fields: &[
    field("exec", Struct(&ExecAction)),
    omitted("failureThreshold", Int32),
    field("grpc", Struct(&GRPCAction)),
    field("httpGet", Struct(&HTTPGetAction)),
    omitted("initialDelaySeconds", Int32),
    omitted("periodSeconds", Int32),
    omitted("successThreshold", Int32),
    field("tcpSocket", Struct(&TCPSocketAction)),
    field("terminationGracePeriodSeconds", Int64),
    omitted("timeoutSeconds", Int32),
] };

pub(super) static ProjectedVolumeSource: Type = Type { go: "v1.ProjectedVolumeSource", fields: &[
    field("defaultMode", Int32),
    omitted("defaultUser", Int64),
    field("sources", List(&Struct(&VolumeProjection))).of(Atomic),
] };

pub(super) static QuobyteVolumeSource: Type = Type { go: "v1.QuobyteVolumeSource", fields: &[
    omitted("group", String),
    omitted("readOnly", Bool),
    field("registry", String),
    omitted("tenant", String),
    omitted("user", String),
    field("volume", String),
] };

pub(super) static RBDPersistentVolumeSource: Type = Type { go: "v1.RBDPersistentVolumeSource", fields: &[
    omitted("fsType", String),
    field("image", String),
    omitted("keyring", String),
    field("monitors", List(&String)).of(Atomic),
    omitted("pool", String),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&SecretReference)),
    omitted("user", String),
] };

pub(super) static RBDVolumeSource: Type = Type { go: "v1.RBDVolumeSource", fields: &[
    omitted("fsType", String),
    field("image", String),
    omitted("keyring", String),
    field("monitors", List(&String)).of(Atomic),
    omitted("pool", String),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&LocalObjectReference)),
    omitted("user", String),
] };

pub(super) static RangeAllocation: Type = Type { go: "v1.RangeAllocation", fields: &[
    omitted("apiVersion", String),
    field("data", Bytes),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("range", String),
] };

pub(super) static ReplicationController: Type = Type { go: "v1.ReplicationController", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ReplicationControllerSpec)),
    field("status", Struct(&ReplicationControllerStatus)),
] };

pub(super) static ReplicationControllerCondition: Type = Type { go: "v1.ReplicationControllerCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.ReplicationControllerConditionType")),
] };

pub(super) static ReplicationControllerSpec: Type = Type { go: "v1.ReplicationControllerSpec", fields: &[
    omitted("minReadySeconds", Int32),
    field("replicas", Int32),
    omitted("selector", Map(&String)).of(Atomic),
    field("template", Struct(&PodTemplateSpec)),
] };

pub(super) static ReplicationControllerStatus: Type = Type { go: "v1.ReplicationControllerStatus", fields: &[
    omitted("availableReplicas", Int32),
    omitted("conditions", List(&Struct(&ReplicationControllerCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted("fullyLabeledReplicas", Int32),
    omitted("observedGeneration", Int64),
    omitted("readyReplicas", Int32),
    field("replicas", Int32),
] };

pub(super) static ResourceClaim: Type = Type { go: "v1.ResourceClaim", fields: &[
    field("name", String),
    omitted("request", String),
] };

pub(super) static ResourceFieldSelector: Type = Type { go: "v1.ResourceFieldSelector", fields: &[
    omitted("containerName", String),
    field("divisor", Quantity),
    field("resource", String),
] };

pub(super) static ResourceHealth: Type = Type { go: "v1.ResourceHealth", fields: &[
    omitted("health", Text("v1.ResourceHealthStatus")),
    field("message", String),
    field("resourceID", Text("v1.ResourceID")),
] };

pub(super) static ResourceQuota: Type = Type { go: "v1.ResourceQuota", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ResourceQuotaSpec)),
    field("status", Struct(&ResourceQuotaStatus)),
] };

pub(super) static ResourceQuotaSpec: Type = Type { go: "v1.ResourceQuotaSpec", fields: &[
    omitted("hard", Map(&Quantity)),
    field("scopeSelector", Struct(&ScopeSelector)),
    omitted("scopes", List(&Text("v1.ResourceQuotaScope"))).of(Atomic),
] };

pub(super) static ResourceQuotaStatus: Type = Type { go: "v1.ResourceQuotaStatus", fields: &[
    omitted("hard", Map(&Quantity)),
    omitted("used", Map(&Quantity)),
] };

pub(super) static ResourceRequirements: Type = Type { go: "v1.ResourceRequirements", fields: &[
    omitted("claims", List(&Struct(&ResourceClaim))).of(Keyed(&["name"])),
    omitted("limits", Map(&Quantity)),
    omitted("requests", Map(&Quantity)),
] };

pub(super) static ResourceStatus: Type = Type { go: "v1.ResourceStatus", fields: &[
    field("name", Text("v1.ResourceName")),
    omitted("resources", List(&Struct(&ResourceHealth))).of(Keyed(&["resourceID"])),
] };

pub(super) static SELinuxOptions: Type = Type { go: "v1.SELinuxOptions", fields: &[
    omitted("level", String),
    omitted("role", String),
    omitted("type", String),
    omitted("user", String),
] };

pub(super) static ScaleIOPersistentVolumeSource: Type = Type { go: "v1.ScaleIOPersistentVolumeSource", fields: &[
    omitted("fsType", String),
    field("gateway", String),
    omitted("protectionDomain", String),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&SecretReference)),
    omitted("sslEnabled", Bool),
    omitted("storageMode", String),
    omitted("storagePool", String),
    field("system", String),
    omitted("volumeName", String),
] };

pub(super) static ScaleIOVolumeSource: Type = Type { go: "v1.ScaleIOVolumeSource", fields: &[
    omitted("fsType", String),
    field("gateway", String),
    omitted("protectionDomain", String),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&LocalObjectReference)),
    omitted("sslEnabled", Bool),
    omitted("storageMode", String),
    omitted("storagePool", String),
    field("system", String),
    omitted("volumeName", String),
] };

pub(super) static ScopeSelector: Type = Type { go: "v1.ScopeSelector", fields: &[
    omitted("matchExpressions", List(&Struct(&ScopedResourceSelectorRequirement))).of(Atomic),
] };

pub(super) static ScopedResourceSelectorRequirement: Type = Type { go: "v1.ScopedResourceSelectorRequirement", fields: &[
    field("operator", Text("v1.ScopeSelectorOperator")),
    field("scopeName", Text("v1.ResourceQuotaScope")),
    omitted("values", List(&String)).of(Atomic),
] };

pub(super) static SeccompProfile: Type = Type { go: "v1.SeccompProfile", fields: &[
    field("localhostProfile", String),
    field("type", Text("v1.SeccompProfileType")),
] };

pub(super) static Secret: Type = Type { go: "v1.Secret", fields: &[
    omitted("apiVersion", String),
    omitted("data", Map(&Bytes)),
    field("immutable", Bool),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("stringData", Map(&String)),
    omitted("type", Text("v1.SecretType")),
] };

pub(super) static SecretEnvSource: Type = Type { go: "v1.SecretEnvSource", fields: &[
    omitted("name", String),
    field("optional", Bool),
] };

pub(super) static SecretKeySelector: Type = Type { go: "v1.SecretKeySelector", fields: &[
    field("key", String),
    omitted("name", String),
    field("optional", Bool),
] };

pub(super) static SecretProjection: Type = Type { go: "v1.SecretProjection", fields: &[
    omitted("items", List(&Struct(&KeyToPath))).of(Atomic),
    omitted("name", String),
    field("optional", Bool),
] };

pub(super) static SecretReference: Type = Type { go: "v1.SecretReference", fields: &[
    omitted("name", String),
    omitted("namespace", String),
] };

pub(super) static SecretVolumeSource: Type = Type { go: "v1.SecretVolumeSource", fields: &[
    field("defaultMode", Int32),
    omitted("defaultUser", Int64),
    omitted("items", List(&Struct(&KeyToPath))).of(Atomic),
    field("optional", Bool),
    omitted("secretName", String),
] };

pub(super) static SecurityContext: Type = Type { go: "v1.SecurityContext", fields: &[
    field("allowPrivilegeEscalation", Bool),
    field("appArmorProfile", Struct(&AppArmorProfile)),
    field("capabilities", Struct(&Capabilities)),
    field("privileged", Bool),
    field("procMount", Text("v1.ProcMountType")),
    field("readOnlyRootFilesystem", Bool),
    field("runAsGroup", Int64),
    field("runAsNonRoot", Bool),
    field("runAsUser", Int64),
    field("seLinuxOptions", Struct(&SELinuxOptions)),
    field("seccompProfile", Struct(&SeccompProfile)),
    field("windowsOptions", Struct(&WindowsSecurityContextOptions)),
] };

pub(super) static SerializedReference: Type = Type { go: "v1.SerializedReference", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("reference", Struct(&ObjectReference)),
] };

pub(super) static Service: Type = Type { go: "v1.Service", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ServiceSpec)),
    field("status", Struct(&ServiceStatus)),
] };

pub(super) static ServiceAccount: Type = Type { go: "v1.ServiceAccount", fields: &[
    omitted("apiVersion", String),
    field("automountServiceAccountToken", Bool),
    omitted("imagePullSecrets", List(&Struct(&LocalObjectReference))).of(Atomic),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("secrets", List(&Struct(&ObjectReference))).of(Keyed(&["name"])).patched(Merge("name")),
] };

pub(super) static ServiceAccountTokenProjection: Type = Type { go: "v1.ServiceAccountTokenProjection", fields: &[
    omitted("audience", String),
    field("expirationSeconds", Int64),
    field("path", String),
    omitted("user", Int64),
] };

pub(super) static ServicePort: Type = Type { go: "v1.ServicePort", fields: &[
    field("appProtocol", String),
    omitted("name", String),
    omitted("nodePort", Int32),
    field("port", Int32),
    omitted("protocol", Text("v1.Protocol")),
    field("targetPort", IntOrString),
] };

pub(super) static ServiceProxyOptions: Type = Type { go: "v1.ServiceProxyOptions", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    omitted("path", String),
] };

pub(super) static ServiceSpec: Type = Type { go: "v1.ServiceSpec", fields: &[
    field("allocateLoadBalancerNodePorts", Bool),
    omitted("clusterIP", String),
    omitted("clusterIPs", List(&String)).of(Atomic),
    omitted("externalIPs", List(&String)).of(Atomic),
    omitted("externalName", String),
    omitted("externalTrafficPolicy", Text("v1.ServiceExternalTrafficPolicy")),
    omitted("healthCheckNodePort", Int32),
    field("internalTrafficPolicy", Text("v1.ServiceInternalTrafficPolicy")),
    omitted("ipFamilies", List(&Text("v1.IPFamily"))).of(Atomic),
    field("ipFamilyPolicy", Text("v1.IPFamilyPolicy")),
    field("loadBalancerClass", String),
    omitted("loadBalancerIP", String),
    omitted("loadBalancerSourceRanges", List(&String)).of(Atomic),
    omitted("ports", List(&Struct(&ServicePort))).of(Keyed(&["port", "protocol"])).patched(Merge("port")),
    omitted("publishNotReadyAddresses", Bool),
    omitted("selector", Map(&String)).of(Atomic),
    omitted("sessionAffinity", Text("v1.ServiceAffinity")),
    field("sessionAffinityConfig", Struct(&SessionAffinityConfig)),
    field("trafficDistribution", String),
    omitted("type", Text("v1.ServiceType")),
] };

pub(super) static ServiceStatus: Type = Type { go: "v1.ServiceStatus", fields: &[
    omitted("conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    field("loadBalancer", Struct(&LoadBalancerStatus)),
] };

pub(super) static SessionAffinityConfig: Type = Type { go: "v1.SessionAffinityConfig", fields: &[
    field("clientIP", Struct(&ClientIPConfig)),
] };

pub(super) static SleepAction: Type = Type { go: "v1.SleepAction", fields: &[
    field("seconds", Int64),
] };

pub(super) static StorageOSPersistentVolumeSource: Type = Type { go: "v1.StorageOSPersistentVolumeSource", fields: &[
    omitted("fsType", String),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&ObjectReference)),
    omitted("volumeName", String),
    omitted("volumeNamespace", String),
] };

pub(super) static StorageOSVolumeSource: Type = Type { go: "v1.StorageOSVolumeSource", fields: &[
    omitted("fsType", String),
    omitted("readOnly", Bool),
    field("secretRef", Struct(&LocalObjectReference)),
    omitted("volumeName", String),
    omitted("volumeNamespace", String),
] };

pub(super) static Sysctl: Type = Type { go: "v1.Sysctl", fields: &[
    field("name", String),
    field("value", String),
] };

pub(super) static TCPSocketAction: Type = Type { go: "v1.TCPSocketAction", fields: &[
    omitted("host", String),
    field("port", IntOrString),
] };

pub(super) static Taint: Type = Type { go: "v1.Taint", fields: &[
    field("effect", Text("v1.TaintEffect")),
    field("key", String),
    field("timeAdded", Time),
    omitted("value", String),
] };

pub(super) static Toleration: Type = Type { go: "v1.Toleration", fields: &[
    omitted("effect", Text("v1.TaintEffect")),
    omitted("key", String),
    omitted("operator", Text("v1.TolerationOperator")),
    field("tolerationSeconds", Int64),
    omitted("value", String),
] };

pub(super) static TopologySelectorLabelRequirement: Type = Type { go: "v1.TopologySelectorLabelRequirement", fields: &[
    field("key", String),
    field("values", List(&String)).of(Atomic),
] };

pub(super) static TopologySelectorTerm: Type = Type { go: "v1.TopologySelectorTerm", fields: &[
    omitted("matchLabelExpressions", List(&Struct(&TopologySelectorLabelRequirement))).of(Atomic),
] };

pub(super) static TopologySpreadConstraint: Type = Type { go: "v1.TopologySpreadConstraint", fields: &[
    field("labelSelector", Struct(&meta_v1::LabelSelector)),
    omitted("matchLabelKeys", List(&String)).of(Atomic),
    field("maxSkew", Int32),
    field("minDomains", Int32),
    field("nodeAffinityPolicy", Text("v1.NodeInclusionPolicy")),
    field("nodeTaintsPolicy", Text("v1.NodeInclusionPolicy")),
    field("topologyKey", String),
    field("whenUnsatisfiable", Text("v1.UnsatisfiableConstraintAction")),
] };

pub(super) static TypedLocalObjectReference: Type = Type { go: "v1.TypedLocalObjectReference", fields: &[
    field("apiGroup", String),
    field("kind", String),
    field("name", String),
] };

pub(super) static TypedObjectReference: Type = Type { go: "v1.TypedObjectReference", fields: &[
    field("apiGroup", String),
    field("kind", String),
    field("name", String),
    field("namespace", String),
] };

pub(super) static Volume: Type = Type { go: "v1.Volume", fields: &[
    field("awsElasticBlockStore", Struct(&AWSElasticBlockStoreVolumeSource)),
    field("azureDisk", Struct(&AzureDiskVolumeSource)),
    field("azureFile", Struct(&AzureFileVolumeSource)),
    field("cephfs", Struct(&CephFSVolumeSource)),
    field("cinder", Struct(&CinderVolumeSource)),
    field("configMap", Struct(&ConfigMapVolumeSource)),
    field("csi", Struct(&CSIVolumeSource)),
    field("downwardAPI", Struct(&DownwardAPIVolumeSource)),
    field("emptyDir", Struct(&EmptyDirVolumeSource)),
    field("ephemeral", Struct(&EphemeralVolumeSource)),
    field("fc", Struct(&FCVolumeSource)),
    field("flexVolume", Struct(&FlexVolumeSource)),
    field("flocker", Struct(&FlockerVolumeSource)),
    field("gcePersistentDisk", Struct(&GCEPersistentDiskVolumeSource)),
    field("gitRepo", Struct(&GitRepoVolumeSource)),
    field("glusterfs", Struct(&GlusterfsVolumeSource)),
    field("hostPath", Struct(&HostPathVolumeSource)),
    field("image", Struct(&ImageVolumeSource)),
    field("iscsi", Struct(&ISCSIVolumeSource)),
    field("name", String),
    field("nfs", Struct(&NFSVolumeSource)),
    field("persistentVolumeClaim", Struct(&PersistentVolumeClaimVolumeSource)),
    field("photonPersistentDisk", Struct(&PhotonPersistentDiskVolumeSource)),
    field("portworxVolume", Struct(&PortworxVolumeSource)),
    field("projected", Struct(&ProjectedVolumeSource)),
    field("quobyte", Struct(&QuobyteVolumeSource)),
    field("rbd", Struct(&RBDVolumeSource)),
    field("scaleIO", Struct(&ScaleIOVolumeSource)),
    field("secret", Struct(&SecretVolumeSource)),
    field("storageos", Struct(&StorageOSVolumeSource)),
    field("vsphereVolume", Struct(&VsphereVirtualDiskVolumeSource)),
] };

pub(super) static VolumeDevice: Type = Type { go: "v1.VolumeDevice", fields: &[
    field("devicePath", String),
    field("name", String),
] };

pub(super) static VolumeHealthCondition: Type = Type { go: "v1.VolumeHealthCondition", fields: &[
    omitted("message", String),
    omitted("reason", String),
    omitted("status", String),
] };

pub(super) static VolumeHealthStatus: Type = Type { go: "v1.VolumeHealthStatus", fields: &[
    omitted("healthConditions", List(&Struct(&VolumeHealthCondition))).of(Keyed(&["reason", "status"])).patched(Merge("status")),
    omitted("lastTransitionTime", Time),
] };

pub(super) static VolumeMount: Type = Type { go: "v1.VolumeMount", fields: &[
    omitted("bindMountOptions", List(&String)).of(Set),
    field("mountPath", String),
    field("mountPropagation", Text("v1.MountPropagationMode")),
    field("name", String),
    omitted("readOnly", Bool),
    field("recursiveReadOnly", Text("v1.RecursiveReadOnlyMode")),
    omitted("subPath", String),
    omitted("subPathExpr", String),
] };

pub(super) static VolumeMountStatus: Type = Type { go: "v1.VolumeMountStatus", fields: &[
    field("mountPath", String),
    field("name", String),
    omitted("readOnly", Bool),
    field("recursiveReadOnly", Text("v1.RecursiveReadOnlyMode")),
    field("volumeStatus", Struct(&VolumeStatus)),
] };

pub(super) static VolumeNodeAffinity: Type = Type { go: "v1.VolumeNodeAffinity", fields: &[
    field("required", Struct(&NodeSelector)),
] };

pub(super) static VolumeProjection: Type = Type { go: "v1.VolumeProjection", fields: &[
    field("clusterTrustBundle", Struct(&ClusterTrustBundleProjection)),
    field("configMap", Struct(&ConfigMapProjection)),
    field("downwardAPI", Struct(&DownwardAPIProjection)),
    field("podCertificate", Struct(&PodCertificateProjection)),
    field("secret", Struct(&SecretProjection)),
    field("serviceAccountToken", Struct(&ServiceAccountTokenProjection)),
] };

pub(super) static VolumeResourceRequirements: Type = Type { go: "v1.VolumeResourceRequirements", fields: &[
    omitted("limits", Map(&Quantity)),
    omitted("requests", Map(&Quantity)),
] };

pub(super) static VolumeStatus: Type = Type { go: "v1.VolumeStatus", fields: &[
    field("image", Struct(&ImageVolumeStatus)),
] };

pub(super) static VsphereVirtualDiskVolumeSource: Type = Type { go: "v1.VsphereVirtualDiskVolumeSource", fields: &[
    omitted("fsType", String),
    omitted("storagePolicyID", String),
    omitted("storagePolicyName", String),
    field("volumePath", String),
] };

pub(super) static WeightedPodAffinityTerm: Type = Type { go: "v1.WeightedPodAffinityTerm", fields: &[
    field("podAffinityTerm", Struct(&PodAffinityTerm)),
    field("weight", Int32),
] };

pub(super) static WindowsSecurityContextOptions: Type = Type { go: "v1.WindowsSecurityContextOptions", fields: &[
    field("gmsaCredentialSpec", String),
    field("gmsaCredentialSpecName", String),
    field("hostProcess", Bool),
    field("runAsUserName", String),
] };
