/// What a machine has beside the types that talosim has resources of: the names are those of Talos 1.13.
extension ResourceCatalog {
  /// The namespaces, and what a machine says of each.
  static let namespaces: [String: String] = [
    "meta": "Metadata namespace which contains resource and namespace definitions.",
    "runtime": "Talos v1alpha1 subsystems glue resources.",
    "cluster": "Cluster configuration and discovery resources.",
    "cluster-raw": "Cluster unmerged raw resources.",
    "config": "Talos node configuration.",
    "etcd": "etcd resources.",
    "files": "Files and file-like resources.",
    "hardware": "Hardware resources.",
    "k8s": "Kubernetes all node types resources.",
    "controlplane": "Kubernetes control plane resources.",
    "kubespan": "KubeSpan resources.",
    "network": "Networking resources.",
    "network-config": "Networking configuration resources.",
    "cri": "CRI Seccomp resources.",
    "secrets": "Resources with secret material.",
    "security": "Security resources.",
    "perf": "Stats resources.",
  ]

  /// The types that talosim has no resources of: they are known, and lists of them are empty.
  static let withoutResources: [Definition] =
    types(
      "block.talos.dev", in: "runtime",
      """
      BlockDevices DiscoveredVolumes DiscoveryRefreshRequests DiscoveryRefreshStatuses Disks
      MountRequests MountStatuses SwapStatuses(swap,swaps) BlockSymlinks SystemDisks
      UserDiskConfigStatuses VolumeLifecycles VolumeMountRequests VolumeMountStatuses
      VolumeStatuses ZswapStatuses !VolumeConfigs
      """)
    + types("cluster.talos.dev", in: "cluster", "Affiliates Infos")
    + types("cluster.talos.dev", in: "config", "!DiscoveryConfigs KubernetesAccessConfigs")
    + types("cri.talos.dev", in: "cri", "ImageCacheConfigs SeccompProfiles !RegistryConfigs")
    + types("etcd.talos.dev", in: "etcd", "EtcdConfigs PKIStatuses EtcdSpecs EtcdMembers")
    + types("files.talos.dev", in: "files", "!EtcFileSpecs EtcFileStatuses")
    + types(
      "hardware.talos.dev", in: "hardware",
      """
      MemoryModules(memorymodules,ram) PCIDevices(devices,device) PCRStatuses Processors(cpus,cpu)
      SystemInformations(systeminformation)
      """)
    + types(
      "runtime.talos.dev", in: "hardware",
      "PCIDriverRebindConfigs PCIDriverRebindStatuses(pcidriverrebinds)")
    + types(
      "kubernetes.talos.dev", in: "controlplane",
      """
      AdmissionControlConfigs ConfigStatuses ControllerManagerConfigs Endpoints
      ExtraManifestsConfigs Manifests ManifestStatuses BootstrapManifestsConfigs SchedulerConfigs
      !AuditPolicyConfigs !AuthorizationConfigs !APIServerConfigs
      """)
    + types(
      "kubernetes.talos.dev", in: "k8s",
      """
      KubePrismEndpoints KubeletKubeconfigs KubeletLifecycles KubePrismConfigs KubePrismStatuses
      NodeIPs NodeIPConfigs NodeStatuses StaticPodServerStatuses StaticPodStatuses(podstatus)
      !KubeletConfigs !KubeletSpecs
      """)
    + types(
      "k8s.talos.dev", in: "k8s",
      "!NodeAnnotationSpecs !NodeCordonedSpecs !NodeLabelSpecs !NodeTaintSpecs")
    + types("kubespan.talos.dev", in: "config", "!KubeSpanConfigs")
    + types(
      "kubespan.talos.dev", in: "kubespan",
      "KubeSpanEndpoints KubeSpanPeerSpecs KubeSpanPeerStatuses !KubeSpanIdentities")
    + types("net.talos.dev", in: "network", network)
    + types("perf.talos.dev", in: "perf", "CPUStats MemoryStats")
    + types("runtime.talos.dev", in: "runtime", runtime)
    + types(
      "talos.dev", in: "runtime",
      """
      BootedEntries PlatformMetadatas SBOMItems(sbom,sboms) SecurityStates
      !OOMActions(oomaction,oomactions)
      """)
    + types(
      "secrets.talos.dev", in: "secrets",
      """
      !CertSANs !EncryptionSalts !EtcdSecrets !EtcdRootSecrets !KubernetesSecrets
      !MaintenanceRootSecrets
      """)
    + types("security.talos.dev", in: "security", "ImageVerificationRules TUFTrustedRoots")
    + types(
      "siderolink.talos.dev", in: "config",
      "!SiderolinkConfigs !SiderolinkTunnels SiderolinkStatuses")
    + types(
      "v1alpha1.talos.dev", in: "runtime",
      "AdjtimeStatuses AcquireConfigSpecs AcquireConfigStatuses"
    )

  private static let network = """
    AddressStatuses(address,addresses) AddressSpecs DNSResolveCaches DNSUpstreams EthernetSpecs
    EthernetStatuses(ethtool) HardwareAddresses HostDNSConfigs HostnameStatuses(hostname)
    HostnameSpecs LinkAliasSpecs LinkRefreshes LinkStatuses(link,links)
    NfTablesChains(chain,chains) NodeAddresses NodeAddressFilters NodeAddressSortAlgorithms
    PlatformConfigs ProbeSpecs ProbeStatuses(probe,probes) ResolverStatuses(resolvers)
    ResolverSpecs RouteStatuses(route,routes) RouteSpecs RoutingRuleSpecs
    RoutingRuleStatuses(routingrule,routingrules) NetworkStatuses(netstatus,netstatuses)
    TimeServerStatuses(timeserver,timeservers) TimeServerSpecs
    !DeviceConfigSpecs !LinkSpecs !OperatorSpecs
    """

  private static let runtime = """
    APIServiceConfigs DevicesStatuses Diagnostics Environments(env) EventSinkConfigs
    ExtensionServiceConfigStatuses ExtensionStatuses(extensions) KernelCmdlines(cmdline)
    KernelModuleSpecs KernelParamSpecs KernelParamDefaultSpecs
    KernelParamStatuses(sysctls,kernelparameters,kernelparams) KmsgLogConfigs
    LoadedKernelModules(module,modules) MaintenanceServiceConfigs MaintenanceServiceRequests
    MachineResetSignals MetaKeys(meta) MetaLoads =MountStatuses(mounts) ServicePIDs
    UniqueMachineTokens Versions WatchdogTimerConfigs WatchdogTimerStatuses
    !ExtensionServiceConfigs
    """

  /// Reads names: `!` marks what only administrators may read, `=` what has no other names than those
  /// in brackets.
  private static func types(
    _ suffix: String, in namespace: String, _ names: String
  ) -> [Definition] {
    names.split(whereSeparator: \.isWhitespace).map { word in
      let parts = word.split(whereSeparator: { $0 == "(" || $0 == ")" || $0 == "," })
      let name = parts[0].drop { $0 == "!" || $0 == "=" }
      var definition = Definition(type: "\(name).\(suffix)", namespace: namespace)
      definition.sensitive = word.hasPrefix("!")
      definition.hasDerivedAliases = !word.hasPrefix("=")
      definition.extraAliases = parts.dropFirst().map(String.init)
      return definition
    }
  }
}
