extension ConfigSchema {
  /// The documents that name their kind. Those of Kubernetes took its settings over from the document
  /// without a kind.
  static let documents: [String: Kind] = {
    var kinds: [String: Kind] = [:]
    for (since, list) in [(0, links), (0, machines), (14, machinesSince14), (14, kubernetes)] {
      for (name, fields) in list {
        kinds[name] = Kind(shape: ConfigShape("apiVersion kind " + fields), since: since)
      }
    }
    return kinds
  }()

  private static let link = """
    up:bool mtu:uint addresses[](address routePriority:uint)
    routes[](destination gateway source metric:uint mtu:uint table) multicast:bool
    """
  private static let volumeEncryption = """
    encryption(
      provider
      keys[](
        slot:int static(passphrase) nodeID() kms(endpoint)
        tpm(options(pcrs[]:int) checkSecurebootStatusOnEnroll:bool) lockToState:bool
      )
      cipher keySize:uint blockSize:uint options[] allowDiscards:bool
    )
    """
  private static let provisioning =
    "provisioning(diskSelector(match) grow:bool minSize:any maxSize:any)"
  private static let upkeep = """
    scrub(enabled:bool interval:duration) trim(enabled:bool interval:duration)
    """

  private static let links: [String: String] = [
    "BlackholeRouteConfig": "name metric:uint",
    "BondConfig": """
    name hardwareAddr links[] bondMode miimon:uint updelay:uint downdelay:uint useCarrier:bool
    xmitHashPolicy arpInterval:uint arpIpTargets[] nsIp6Targets[] arpValidate arpAllTargets lacpRate
    failOverMac adSelect adActorSysPrio:uint adUserPortKey:uint adLACPActive primaryReselect
    resendIGMP:uint minLinks:uint lpInterval:uint packetsPerSlave:uint numPeerNotif:uint
    tlbLogicalLb:uint allSlavesActive:uint peerNotifDelay:uint missedMax:uint \(link)
    """,
    "BridgeConfig": "name hardwareAddr links[] stp(enabled:bool) vlan(filtering:bool) \(link)",
    "DHCPv4Config":
      "name routeMetric:uint ignoreHostname:bool ignoreRoutes:bool clientIdentifier duidRaw",
    "DHCPv6Config": "name routeMetric:uint ignoreHostname:bool clientIdentifier duidRaw",
    "DummyLinkConfig": "name hardwareAddr \(link)",
    "EthernetConfig": """
    name features{}:bool
    rings(
      rx:uint tx:uint rx-mini:uint rx-jumbo:uint rx-buf-len:uint cqe-size:uint tx-push:bool
      rx-push:bool tx-push-buf-len:uint tcp-data-split:bool
    )
    channels(rx:uint tx:uint other:uint combined:uint) wakeOnLan[]
    """,
    "HCloudVIPConfig": "name link apiToken",
    "HostnameConfig": "auto hostname",
    "KubeSpanConfig": """
    enabled:bool advertiseKubernetesNetworks:bool allowDownPeerBypass:bool
    harvestExtraEndpoints:bool mtu:uint filters(endpoints[] excludeAdvertisedNetworks[])
    """,
    "KubeSpanEndpointsConfig": "extraAnnouncedEndpoints[]",
    "Layer2VIPConfig": "name link",
    "LinkAliasConfig": "name selector(match)",
    "LinkConfig": "name \(link)",
    "NetworkDefaultActionConfig": "ingress",
    "NetworkRuleConfig": "name portSelector(ports[]:any protocol) ingress[](subnet except)",
    "ResolverConfig": """
    nameservers[](address protocol tlsServerName) searchDomains(domains[] disableDefault:bool)
    hostDNS(enabled:bool forwardKubeDNSToHost:bool resolveMemberNames:bool)
    """,
    "RoutingRuleConfig": "name src dst table action iifName oifName fwMark:uint fwMask:uint",
    "StaticHostConfig": "name hostnames[]",
    "TCPProbeConfig": "name interval:duration failureThreshold:int endpoint timeout:duration",
    "TimeSyncConfig":
      "enabled:bool bootTimeout:duration ntp(servers[] useNTS:bool) ptp(devices[])",
    "VLANConfig": "name vlanID:uint vlanMode parent \(link)",
    "VRFConfig": "name hardwareAddr links[] table \(link)",
    "WireguardConfig": """
    name privateKey listenPort:int firewallMark:int
    peers[](
      publicKey presharedKey endpoint persistentKeepaliveInterval:duration allowedIPs[]
    ) \(link)
    """,
  ]

  private static let machines: [String: String] = [
    "EnvironmentConfig": "variables{}",
    "EventSinkConfig": "endpoint",
    "ExistingVolumeConfig": """
    name discovery(volumeSelector(match)) \(upkeep)
    mount(readOnly:bool disableAccessTime:bool secure:bool)
    """,
    "ExtensionServiceConfig": "name configFiles[](content mountPath) environment[]",
    "ExternalVolumeConfig": """
    name filesystemType
    mount(readOnly:bool disableAccessTime:bool secure:bool virtiofs(tag))
    """,
    "ImageVerificationConfig": """
    rules[](
      image skip:bool deny:bool keyless(issuer subject subjectRegex) publicKey(certificate)
    )
    """,
    "KmsgLogConfig": "name url:url",
    "OOMConfig": """
    triggerExpression cgroupRankingExpression strictCgroupClassOrdering:bool sampleInterval:duration
    """,
    "PCIDriverRebindConfig": "name targetDriver",
    "RawVolumeConfig": "name \(provisioning) \(volumeEncryption)",
    "RegistryAuthConfig": "name username password auth identityToken",
    "RegistryMirrorConfig": "name endpoints[](url:url overridePath:bool) skipFallback:bool",
    "RegistryTLSConfig": "name clientIdentity(cert key) ca insecureSkipVerify:bool",
    "SideroLinkConfig": "apiUrl:url uniqueToken",
    "SwapVolumeConfig": "name \(provisioning) \(volumeEncryption)",
    "TrustedRootsConfig": "name certificates",
    "UserVolumeConfig": """
    name volumeType \(provisioning)
    filesystem(type projectQuotaSupport:bool xfs(minAllocationGroupSize:any))
    \(volumeEncryption) \(upkeep) mount(disableAccessTime:bool secure:bool)
    """,
    "VolumeConfig": """
    name \(provisioning) filesystem(xfs(minAllocationGroupSize:any)) \(volumeEncryption) \(upkeep)
    mount(disableAccessTime:bool secure:bool)
    """,
    "WatchdogTimerConfig": "device timeout:duration",
    "ZswapConfig": "maxPoolPercent:int shrinkerEnabled:bool",
  ]

  private static let machinesSince14: [String: String] = [
    "BGPInstanceConfig": """
    name vrf localASN:uint routerID routeSource advertise[] multipath:bool maxPaths:uint
    installRoutes:bool importRoutes[](bgpInstance prefixes[])
    neighbors[](
      address link peerASN:uint localASN:uint passive:bool holdTime:duration
      bfd(transmitInterval:duration receiveInterval:duration detectMultiplier:uint)
    )
    """,
    "CRIBaseRuntimeSpecConfig": "overrides{}:any",
    "CRICustomizationConfig": "name content",
    "ContainerConfig": """
    name image entrypoint[] args[] workingDir runAs(uid:int gid:int) environment[]
    mounts[](
      userVolume(name destination options[]) tmpfs(destination size:any options[])
      hostPath(source destination options[])
    )
    security(profile capabilities(add[] drop[])) network(mode) resources(limits(cpu memory))
    dependsOn(paths[] networks[] time:bool containers[])
    """,
    "DiscoveryIdentityConfig": "clusterID clusterSecret",
    "DiscoveryServiceConfig": "name endpoint:url",
    "EtcFileConfig": "name mode:any contents",
    "FilesystemScrubConfig": "interval:duration",
    "FilesystemTrimConfig": "interval:duration",
    "HTTPProbeConfig": "name interval:duration failureThreshold:int url:url timeout:duration",
    "ImageCacheConfig": "local(enabled:bool)",
    "KernelModuleConfig": "name parameters[]",
    "LVMLogicalVolumeConfig": """
    name type mirrors:uint stripes:uint provisioning(volumeGroup minSize:any maxSize:any)
    """,
    "LVMVolumeGroupConfig": "name provisioning(volumeSelector(match))",
    "RAIDArrayConfig": "name level metadata provisioning(volumeSelector(match))",
    "SecurityProfileConfig": "workloadIsolation:bool",
    "SysctlConfig": "params{}",
    "SysfsConfig": "params{}",
    "UdevRulesConfig": "rules[]",
    "UnattendedInstallConfig":
      "reboot:bool installer(image) provisioning(diskSelector(match) wipe:bool)",
    "VethConfig": "name peer(name \(link)) \(link)",
  ]

  private static let authority = "issuingCA(cert key) acceptedCAs[]"
  private static let resources = "resources(requests{}:any limits{}:any)"
  private static let component = "image extraArgs{}:any env{} \(resources)"

  private static let kubernetes: [String: String] = [
    "KubeAPIServerCAConfig": authority,
    "KubeAPIServerConfig": "\(component) apiPort:int certExtraSANs[] startupProbes:bool",
    "KubeAdmissionControlConfig": "name configuration{}:any",
    "KubeAggregatorCAConfig": authority,
    "KubeAuditPolicyConfig": "configuration{}:any",
    "KubeAuthenticationConfig": "configuration{}:any",
    "KubeAuthorizerConfig": "name type webhook{}:any",
    "KubeClusterConfig": "clusterName endpoint:url",
    "KubeControllerManagerConfig": "enabled:bool \(component)",
    "KubeCoreDNSConfig": "enabled:bool image",
    "KubeCredentialProviderConfig": "configuration{}:any",
    "KubeEtcdEncryptionConfig": "config{}:any",
    "KubeExternalManifestConfig": "name headers{} url:url",
    "KubeFlannelCNIConfig": """
    backendType backendPort:uint backendMTU:uint backendExtraConfig{}:any \(resources) extraArgs[]
    kubeNetworkPoliciesEnabled:bool
    """,
    "KubeInlineManifestConfig": "name manifest",
    "KubeNetworkConfig": """
    dnsDomain podSubnets[] serviceSubnets[] nodeCIDRMaskSizeIPv4:int nodeCIDRMaskSizeIPv6:int
    """,
    "KubeNodeConfig": """
    skipNodeRegistration:bool registerWithFQDN:bool nodeIP(validSubnets[]) labels{} annotations{}
    taints{}
    """,
    "KubePrismConfig": "port:int tlsServerName",
    "KubeProxyConfig": "enabled:bool image mode config{}:any extraArgs{}:any \(resources)",
    "KubeSchedulerConfig": "enabled:bool \(component) config{}:any",
    "KubeServiceAccountConfig": """
    issuer(privateKey issuerURL:url) accepted(publicKeys[] issuers[]:url audiences[])
    """,
    "KubeStaticPodConfig": "name pod{}:any",
    "KubeTalosAPIAccessConfig": "allowedRoles[] allowedKubernetesNamespaces[]",
    "KubeletConfig":
      "image config{}:any extraArgs{}:any clusterDNS[] defaultRuntimeSeccompProfileEnabled:bool",
  ]
}
