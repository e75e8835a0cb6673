internal import ProtoCodec
internal import Schema

/// The resources that show a machine's state, and watching them.
extension SimulatedNode {
  /// Brings the resources in step with the state. Versions count up where something changed.
  func render() {
    let before = resources.changes
    log.note(state.services, now: nowNanoseconds())
    if isInMaintenance {
      renderMaintenance()
    } else {
      putSecrets()
      putServices()
      putMachine()
    }
    if resources.changes != before { wakeWatches() }
  }

  func put(_ definition: ResourceCatalog.Definition, _ id: String, _ spec: some Message) {
    resources.put(
      definition.key(id), owner: definition.owner, spec: spec.serialized(), now: nowNanoseconds())
  }

  private func putSecrets() {
    var config = Talos.MachineConfigSpec()
    config.yamlMarshalled = claim?.source ?? state.active.source
    put(ResourceCatalog.machineConfig, "v1alpha1", config)
    config.yamlMarshalled = claim?.source ?? state.persisted.source
    // Talos shows it from 1.10 on.
    if state.talosMinor >= 10 { put(ResourceCatalog.machineConfig, "persistent", config) }

    let root = claim?.config.map(OSRoot.init) ?? state.osRoot
    var os = Talos.OSRootSpec()
    os.issuingCA = root.issuing.map(Talos.PEMEncodedCertificateAndKey.init)
    os.certSANIPs = root.certificateSANs.compactMap(Talos.NetIP.init(text:))
    os.certSANDNSNames = root.certificateSANs.filter { Talos.NetIP(text: $0) == nil }
    os.token = root.token
    os.acceptedCAs = root.accepted.map(Talos.PEMEncodedCertificate.init)
    put(ResourceCatalog.osRoot, "os", os)

    if let certificates = state.apiCertificates {
      var api = Talos.APICertsSpec()
      api.client = certificates.client.map(Talos.PEMEncodedCertificateAndKey.init)
      api.server = Talos.PEMEncodedCertificateAndKey(certificates.server)
      api.acceptedCAs = certificates.accepted.map(Talos.PEMEncodedCertificate.init)
      put(ResourceCatalog.apiCertificates, "api", api)
    }
    if let trustdServer {
      var trustd = Talos.TrustdCertsSpec()
      trustd.server = Talos.PEMEncodedCertificateAndKey(trustdServer)
      trustd.acceptedCAs = root.accepted.map(Talos.PEMEncodedCertificate.init)
      put(ResourceCatalog.trustdCertificates, "trustd", trustd)
    }

    if options.withoutKubernetes { return }
    let trust = state.kubeletTrust
    let token = trust.bootstrapToken.split(separator: ".", maxSplits: 1).map(String.init)
    var kubelet = Talos.KubeletSpec()
    var endpoint = Talos.URL()
    endpoint.fullPath = trust.endpoint
    kubelet.endpoint = endpoint
    kubelet.bootstrapTokenID = token.first ?? ""
    kubelet.bootstrapTokenSecret = token.count > 1 ? token[1] : ""
    kubelet.acceptedCAs = trust.accepted.map(Talos.PEMEncodedCertificate.init)
    put(ResourceCatalog.kubelet, "kubelet", kubelet)

    let claimed = claim?.config.flatMap { KubernetesRoot($0, talosMinor: state.talosMinor) }
    if let root = claimed ?? state.kubernetesRoot { putKubernetes(root) }
  }

  func putMaintenanceCertificates() {
    var api = Talos.APICertsSpec()
    api.server = servers.maintenance.map(Talos.PEMEncodedCertificateAndKey.init)
    api.skipVerifyingClientCert = true
    put(ResourceCatalog.apiCertificates, "api", api)
  }

  private func putKubernetes(_ root: KubernetesRoot) {
    var spec = Talos.KubernetesRootSpec()
    spec.name = root.name
    var endpoint = Talos.URL()
    endpoint.fullPath = root.endpoint
    spec.endpoint = endpoint
    endpoint.fullPath = "https://127.0.0.1:7445"
    spec.localEndpoint = endpoint
    spec.certSANs = [address]
    spec.dnsDomain = root.dnsDomain
    spec.issuingCA = Talos.PEMEncodedCertificateAndKey(root.issuing)
    spec.aggregatorCA = root.aggregatorCA.map(Talos.PEMEncodedCertificateAndKey.init)
    var key = Talos.PEMEncodedKey()
    key.key = Array(root.serviceAccountKey.utf8)
    spec.serviceAccount = key
    spec.secretboxEncryptionSecret = root.secretboxSecret
    let token = root.bootstrapToken.split(separator: ".", maxSplits: 1).map(String.init)
    spec.bootstrapTokenID = token.first ?? ""
    spec.bootstrapTokenSecret = token.count > 1 ? token[1] : ""
    spec.apiServerIPs = [Talos.NetIP(text: "10.96.0.1")].compactMap { $0 }
    spec.acceptedCAs = root.accepted.map(Talos.PEMEncodedCertificate.init)
    put(ResourceCatalog.kubernetesRoot, "k8s", spec)

    if let certificates = state.kubernetesCertificates {
      var dynamic = Talos.KubernetesDynamicCertsSpec()
      dynamic.apiServer = Talos.PEMEncodedCertificateAndKey(certificates.apiServer)
      dynamic.apiServerKubeletClient = Talos.PEMEncodedCertificateAndKey(
        certificates.kubeletClient)
      dynamic.frontProxy = Talos.PEMEncodedCertificateAndKey(certificates.frontProxy)
      put(ResourceCatalog.kubernetesCertificates, "k8s-dynamic-certs", dynamic)
    }
    guard state.secretsVersion > 0 else { return }
    var status = Talos.SecretsStatusSpec()
    status.ready = true
    status.version = "\(state.secretsVersion)"
    put(ResourceCatalog.secretStatus, "static-pods", status)
    guard state.staticPodVersion > 0 else { return }
    for component in StaticPod.Component.allCases {
      let spec = staticPodSpec(component)
      // A map has no order in its bytes: what did not change must not look changed for that.
      let kept = resources.get(ResourceCatalog.staticPod.key(component.rawValue))
      if let kept, (try? Talos.StaticPodSpec(serialized: kept.spec)) == spec { continue }
      put(ResourceCatalog.staticPod, component.rawValue, spec)
    }
  }
}

extension Talos.PEMEncodedCertificateAndKey {
  init(_ pair: PEMPair) {
    self.init()
    crt = Array(pair.certificate.utf8)
    key = Array(pair.key.utf8)
  }
}

extension Talos.PEMEncodedCertificate {
  init(_ pem: String) {
    self.init()
    crt = Array(pem.utf8)
  }
}

extension Talos.NetIP {
  /// An IPv4 address; nil for anything else.
  init?(text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let bytes = parts.compactMap { UInt8($0) }
    guard parts.count == 4, bytes.count == 4 else { return nil }
    self.init()
    ip = bytes
  }
}
