internal import YAML

/// The field names that Talos' strict decoder knows, as far as the simulator checks them: the upper
/// levels of the v1alpha1 document, and the documents that hold CAs in full. A config edit that
/// writes a field under a wrong name is refused here as it is on a machine.
enum KnownFields {
  private static let documentKinds: Set<String> = [
    "BGPInstanceConfig", "BlackholeRouteConfig", "BondConfig", "BridgeConfig",
    "CRIBaseRuntimeSpecConfig", "CRICustomizationConfig", "ContainerConfig", "DHCPv4Config",
    "DHCPv6Config", "DiscoveryIdentityConfig", "DiscoveryServiceConfig", "DummyLinkConfig",
    "EnvironmentConfig", "EtcFileConfig", "EthernetConfig", "EventSinkConfig",
    "ExistingVolumeConfig", "ExtensionServiceConfig", "ExternalVolumeConfig",
    "FilesystemScrubConfig", "FilesystemTrimConfig", "HCloudVIPConfig", "HTTPProbeConfig",
    "HostnameConfig", "ImageCacheConfig", "ImageVerificationConfig", "KernelModuleConfig",
    "KmsgLogConfig", "KubeAPIServerCAConfig", "KubeAPIServerConfig", "KubeAdmissionControlConfig",
    "KubeAggregatorCAConfig", "KubeAuditPolicyConfig", "KubeAuthenticationConfig",
    "KubeAuthorizerConfig", "KubeClusterConfig", "KubeControllerManagerConfig",
    "KubeCoreDNSConfig", "KubeCredentialProviderConfig", "KubeEtcdEncryptionConfig",
    "KubeExternalManifestConfig", "KubeFlannelCNIConfig", "KubeInlineManifestConfig",
    "KubeNetworkConfig", "KubeNodeConfig", "KubePrismConfig", "KubeProxyConfig",
    "KubeSchedulerConfig", "KubeServiceAccountConfig", "KubeSpanConfig",
    "KubeSpanEndpointsConfig", "KubeStaticPodConfig", "KubeTalosAPIAccessConfig", "KubeletConfig",
    "LVMLogicalVolumeConfig", "LVMVolumeGroupConfig", "Layer2VIPConfig", "LinkAliasConfig",
    "LinkConfig", "NetworkDefaultActionConfig", "NetworkRuleConfig", "OOMConfig",
    "PCIDriverRebindConfig", "RAIDArrayConfig", "RawVolumeConfig", "RegistryAuthConfig",
    "RegistryMirrorConfig", "RegistryTLSConfig", "ResolverConfig", "RoutingRuleConfig",
    "SecurityProfileConfig", "SideroLinkConfig", "StaticHostConfig", "SwapVolumeConfig",
    "SysctlConfig", "SysfsConfig", "TCPProbeConfig", "TimeSyncConfig", "TrustedRootsConfig",
    "UdevRulesConfig", "UnattendedInstallConfig", "UserVolumeConfig", "VLANConfig", "VRFConfig",
    "VethConfig", "VolumeConfig", "WatchdogTimerConfig", "WireguardConfig", "ZswapConfig",
  ]

  /// Whether a machine of that minor version knows the kind. The documents that took Kubernetes'
  /// settings over from the v1alpha1 document came with Talos 1.14.
  static func isRegistered(_ kind: String, talosMinor: Int) -> Bool {
    guard documentKinds.contains(kind) else { return false }
    return talosMinor >= 14 || !kind.hasPrefix("Kube") || kind.hasPrefix("KubeSpan")
  }

  private static let root: Set<String> = [
    "version", "debug", "persist", "machine", "cluster",
  ]
  private static let machine: Set<String> = [
    "type", "token", "ca", "acceptedCAs", "certSANs", "controlPlane", "kubelet", "pods", "network",
    "disks", "install", "files", "env", "time", "sysctls", "sysfs", "registries",
    "systemDiskEncryption", "features", "udev", "logging", "kernel", "seccompProfiles",
    "baseRuntimeSpecOverrides", "nodeLabels", "nodeAnnotations", "nodeTaints",
  ]
  private static let cluster: Set<String> = [
    "id", "secret", "controlPlane", "clusterName", "network", "token", "aescbcEncryptionSecret",
    "secretboxEncryptionSecret", "ca", "acceptedCAs", "aggregatorCA", "serviceAccount",
    "apiServer", "controllerManager", "proxy", "scheduler", "discovery", "etcd", "coreDNS",
    "externalCloudProvider", "extraManifests", "extraManifestHeaders", "inlineManifests",
    "adminKubeconfig", "allowSchedulingOnMasters", "allowSchedulingOnControlPlanes",
  ]
  private static let certificateAndKey: Set<String> = ["crt", "key"]
  private static let certificate: Set<String> = ["crt"]
  private static let caDocument: Set<String> = ["apiVersion", "kind", "issuingCA", "acceptedCAs"]
  private static let documentPair: Set<String> = ["cert", "key"]

  /// The paths of unknown fields; empty when there are none. `kind` is nil for the v1alpha1 document.
  static func unknown(in document: YAMLNode, kind: String?) -> [String] {
    switch kind {
    case nil:
      let machineNode = document["machine"]
      let clusterNode = document["cluster"]
      return check(document, root, "")
        + check(machineNode, machine, "machine.")
        + check(machineNode?["ca"], certificateAndKey, "machine.ca.")
        + checkItems(machineNode?["acceptedCAs"], "machine.acceptedCAs")
        + check(clusterNode, cluster, "cluster.")
        + check(clusterNode?["ca"], certificateAndKey, "cluster.ca.")
        + checkItems(clusterNode?["acceptedCAs"], "cluster.acceptedCAs")
        + check(clusterNode?["aggregatorCA"], certificateAndKey, "cluster.aggregatorCA.")
        + check(clusterNode?["serviceAccount"], ["key"], "cluster.serviceAccount.")
    case "KubeAPIServerCAConfig", "KubeAggregatorCAConfig":
      return check(document, caDocument, "")
        + check(document["issuingCA"], documentPair, "issuingCA.")
    default:
      return []
    }
  }

  private static func check(_ node: YAMLNode?, _ known: Set<String>, _ prefix: String) -> [String] {
    (node?.entries ?? []).map(\.name).filter { !known.contains($0) }.map { prefix + $0 }
  }

  private static func checkItems(_ node: YAMLNode?, _ path: String) -> [String] {
    (node?.items ?? []).enumerated().flatMap { check($1, certificate, "\(path)[\($0)].") }
  }
}
