/// The documents of a machine configuration and their fields, as Talos' strict decoder knows them
/// (1.13, and 1.14 for the documents that came with it).
enum ConfigSchema {
  /// A kind of document.
  struct Kind: Sendable {
    var shape: ConfigShape
    /// The minor version of Talos that has it first.
    var since: Int
  }

  /// The shape of a document of that kind on a machine of that minor version; nil where the machine
  /// does not know the kind.
  static func shape(of kind: String, talosMinor: Int) -> ConfigShape? {
    guard let found = documents[kind], found.since <= talosMinor else { return nil }
    return found.shape
  }

  /// The document without a kind.
  static let v1alpha1 = ConfigShape(
    """
    version debug:bool persist:bool
    machine(
      type token ca(\(pair)) acceptedCAs[](crt) certSANs[]
      controlPlane(controllerManager(disabled:bool) scheduler(disabled:bool))
      kubelet(\(kubelet))
      pods[]{}:any
      network(\(network))
      disks[](device partitions[](size:any mountpoint))
      install(
        disk diskSelector(size:any name model serial modalias uuid wwid type busPath)
        extraKernelArgs[] image extensions[](image) bootloader:bool wipe:bool
        legacyBIOSSupport:bool grubUseUKICmdline:bool
      )
      files[](content permissions:any path op)
      env{}
      time(disabled:bool servers[] bootTimeout:duration)
      sysctls{} sysfs{}
      registries(
        mirrors{}(endpoints[] overridePath:bool skipFallback:bool)
        config{}(
          tls(clientIdentity(\(pair)) ca insecureSkipVerify:bool)
          auth(username password auth identityToken)
        )
      )
      systemDiskEncryption(state(\(encryption)) ephemeral(\(encryption)))
      features(
        rbac:bool stableHostname:bool
        kubernetesTalosAPIAccess(enabled:bool allowedRoles[] allowedKubernetesNamespaces[])
        apidCheckExtKeyUsage:bool diskQuotaSupport:bool kubePrism(enabled:bool port:int)
        hostDNS(enabled:bool forwardKubeDNSToHost:bool resolveMemberNames:bool)
        imageCache(localEnabled:bool) nodeAddressSortAlgorithm
      )
      udev(rules[])
      logging(destinations[](endpoint:url format extraTags{}))
      kernel(modules[](name parameters[]))
      seccompProfiles[](name value{}:any)
      baseRuntimeSpecOverrides{}:any
      nodeLabels{} nodeAnnotations{} nodeTaints{}
    )
    cluster(
      id secret controlPlane(endpoint:url localAPIServerPort:int) clusterName
      network(
        cni(name urls[] flannel(extraArgs[] kubeNetworkPoliciesEnabled:bool))
        dnsDomain podSubnets[] serviceSubnets[]
      )
      token aescbcEncryptionSecret secretboxEncryptionSecret
      ca(\(pair)) acceptedCAs[](crt) aggregatorCA(\(pair)) serviceAccount(key)
      apiServer(
        \(component) certSANs[] disablePodSecurityPolicy:bool
        admissionControl[](name configuration{}:any) auditPolicy{}:any
        authorizationConfig[](type name webhook{}:any)
      )
      controllerManager(\(component))
      proxy(disabled:bool image mode extraArgs{}:any)
      scheduler(\(component) config{}:any)
      discovery(
        enabled:bool registries(kubernetes(disabled:bool) service(disabled:bool endpoint))
      )
      etcd(image ca(\(pair)) extraArgs{}:any subnet advertisedSubnets[] listenSubnets[])
      coreDNS(disabled:bool image)
      externalCloudProvider(enabled:bool manifests[])
      extraManifests[] extraManifestHeaders{} inlineManifests[](name contents)
      adminKubeconfig(certLifetime:duration)
      allowSchedulingOnMasters:bool allowSchedulingOnControlPlanes:bool
    )
    """)

  private static let pair = "crt key"

  private static let kubelet = """
    image clusterDNS[] extraArgs{}:any
    extraMounts[](
      destination type source options[]
      uidMappings[](containerID:uint hostID:uint size:uint)
      gidMappings[](containerID:uint hostID:uint size:uint)
    )
    extraConfig{}:any credentialProviderConfig{}:any
    defaultRuntimeSeccompProfileEnabled:bool registerWithFQDN:bool nodeIP(validSubnets[])
    skipNodeRegistration:bool disableManifestsDirectory:bool
    """

  private static let component = """
    image extraArgs{}:any extraVolumes[](hostPath mountPath readonly:bool) env{}
    resources(requests{}:any limits{}:any)
    """

  private static let encryption = """
    provider
    keys[](
      static(passphrase) nodeID() kms(endpoint) slot:int tpm(checkSecurebootStatusOnEnroll:bool)
    )
    cipher keySize:uint blockSize:uint options[]
    """

  private static let selector = "busPath hardwareAddr permanentAddr pciID driver physical:bool"
  private static let route = "network gateway source metric:uint mtu:uint"
  private static let sharedAddress = "ip equinixMetal(apiToken) hcloud(apiToken)"
  private static let dhcp = "routeMetric:uint ipv4:bool ipv6:bool duidv6"

  private static let network = """
    hostname
    interfaces[](
      interface deviceSelector(\(selector)) addresses[] cidr routes[](\(route))
      bond(
        interfaces[] deviceSelectors[](\(selector)) arpIPTarget[] mode xmitHashPolicy lacpRate
        adActorSystem arpValidate arpAllTargets primary primaryReselect failOverMac adSelect
        miimon:uint updelay:uint downdelay:uint arpInterval:uint resendIgmp:uint minLinks:uint
        lpInterval:uint packetsPerSlave:uint numPeerNotif:uint tlbDynamicLb:uint
        allSlavesActive:uint useCarrier:bool adActorSysPrio:uint adUserPortKey:uint
        peerNotifyDelay:uint
      )
      bridge(interfaces[] stp(enabled:bool) vlan(vlanFiltering:bool)) bridgePort(master)
      vlans[](
        addresses[] cidr routes[](\(route)) dhcp:bool vlanId:uint mtu:uint vip(\(sharedAddress))
        dhcpOptions(\(dhcp))
      )
      mtu:int dhcp:bool ignore:bool dummy:bool dhcpOptions(\(dhcp))
      wireguard(
        privateKey listenPort:int firewallMark:int
        peers[](publicKey endpoint persistentKeepaliveInterval:duration allowedIPs[])
      )
      vip(\(sharedAddress))
    )
    nameservers[] searchDomains[] extraHostEntries[](ip aliases[])
    kubespan(
      enabled:bool advertiseKubernetesNetworks:bool allowDownPeerBypass:bool
      harvestExtraEndpoints:bool mtu:uint filters(endpoints[] excludeAdvertisedNetworks[])
    )
    disableSearchDomain:bool
    """
}
