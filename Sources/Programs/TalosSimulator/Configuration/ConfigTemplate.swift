internal import Encodings

/// Writes the machine configs of a new cluster.
///
/// They look as people's configs do: comments, quoting styles, optional fields here and there, other
/// documents before and after. An edit that keeps all of that unharmed has earned it. What is
/// particular to a machine follows from its index, so the same cluster always looks the same.
struct ConfigTemplate {
  var name: String
  var address: String
  var type: MachineType
  var index: Int
  var clusterName: String
  var endpoint: String
  var kubernetesPort: Int
  var layout: ClusterOptions.Layout
  /// Nothing of Kubernetes in the cluster section, and no documents of it (Talos 1.14 and later).
  var withoutKubernetes = false
  var hasDiscovery = true
  var talosVersion: String
  var kubernetesVersion: String
  var secrets: ClusterSecrets

  /// The whole text.
  func render() -> String {
    var text = "# \(name): machine \(index + 1) of cluster \(clusterName)\n"
    if index % 2 == 1 { text += "---\n" }
    text += "version: v1alpha1 # the schema of this document\n"
    text += "debug: false\npersist: true\n"
    text += machine() + (withoutKubernetes ? clusterAlone() : cluster())
    text += "---\n" + watchdog() + "---\n" + kernelLog()
    if layout == .multidoc && !withoutKubernetes { text += multidoc() }
    text += "---\n" + extensionService()
    return text
  }

  // MARK: v1alpha1, machine

  private func machine() -> String {
    var text = "# What this machine is and how it boots.\nmachine:\n"
    text += "  type: \(type.rawValue) # decides whether it runs the Kubernetes control plane\n"
    text += "  token: \(secrets.talosToken) # shown to trustd by joining machines\n"
    text += certificateAndKey(
      "ca", secrets.talosCA, indent: "  ", note: "The root of trust of the Talos API.",
      withKey: type.isControlPlane)
    if index % 3 == 1 { text += "  acceptedCAs: []\n" }
    text += "  # Names and addresses beside the machine's own.\n"
    text += "  certSANs:\n    - \(address)\n    - \"127.0.0.1\"   # health checks on the machine\n"
    text += """
        kubelet:
          image: ghcr.io/siderolabs/kubelet:\(kubernetesVersion)
          defaultRuntimeSeccompProfileEnabled: true
          disableManifestsDirectory: true
          # extraArgs:
          #     rotate-server-certificates: "true"
          nodeIP:
            validSubnets: [127.0.0.0/8]
        network:
      \(layout == .legacy ? "    hostname: \(name)\n" : "")    nameservers:
            - 1.1.1.1
            - '8.8.8.8'
          interfaces:
            - deviceSelector: {hardwareAddr: "02:00:00:*"} # any of ours
              dhcp: true
              mtu: 1500
        install:
          disk: /dev/sda
          image: factory.talos.dev/metal-installer/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba:\(talosVersion)
          wipe: false
        sysctls:
          net.core.somaxconn: "65535"
          vm.nr_hugepages: "0"   # none needed

        registries:
          mirrors:
            docker.io:
              endpoints: [https://mirror.example.internal]
              overridePath: true
        features:
          rbac: true # roles from client certificates\(layout == .legacy ? "\n    stableHostname: true" : "")
          apidCheckExtKeyUsage: true
          diskQuotaSupport: true
          kubePrism: {enabled: true, port: 7445}
        nodeLabels:
          topology.kubernetes.io/zone: zone-\(Character(UnicodeScalar(UInt8(97 + index % 3))))
          "example.com/rack": "12" # in grüner Farbe

      """
    return text
  }

  // MARK: v1alpha1, cluster

  private func cluster() -> String {
    var text = "# What all machines of the cluster have in common.\ncluster:\n"
    text += "  id: \(secrets.clusterID)\n  secret: '\(secrets.clusterSecret)'\n"
    text += "  controlPlane:\n    endpoint: \(endpoint) # what kubeconfigs point to\n"
    text += "    localAPIServerPort: \(kubernetesPort)\n"
    text += "  clusterName: \(clusterName)\n"
    text += """
        network:
          dnsDomain: cluster.local
          podSubnets:
            - 10.244.0.0/16
          serviceSubnets:
          - 10.96.0.0/12
        token: \(secrets.bootstrapToken)

      """
    if type.isControlPlane {
      text += "  secretboxEncryptionSecret: \(secrets.secretboxSecret)\n"
    }
    if layout == .legacy {
      text += certificateAndKey(
        "ca", secrets.kubernetesCA, indent: "  ", note: "The root of trust of the Kubernetes API.",
        withKey: type.isControlPlane)
      if index % 3 == 2 { text += "  acceptedCAs: [] # more CAs to accept, none so far\n" }
    }
    guard type.isControlPlane else {
      return text + "  discovery:\n    enabled: \(hasDiscovery)\n"
    }
    if layout == .legacy {
      text += certificateAndKey(
        "aggregatorCA", secrets.aggregatorCA, indent: "  ", note: "Signs for aggregated APIs.",
        withKey: true)
      text += "  serviceAccount:\n    # Signs service account tokens.\n"
      text += "    key: \(Base64.encode(secrets.serviceAccountKey))\n"
    }
    text += """
        apiServer:
          image: registry.k8s.io/kube-apiserver:\(kubernetesVersion)
          certSANs:
            - \(address)
          disablePodSecurityPolicy: true
          admissionControl:
            - name: PodSecurity # admission plugin
              configuration:
                apiVersion: pod-security.admission.config.k8s.io/v1alpha1
                kind: PodSecurityConfiguration
                defaults:
                  enforce: "baseline"
                exemptions: {namespaces: [kube-system]}
        controllerManager:
          image: registry.k8s.io/kube-controller-manager:\(kubernetesVersion)
        proxy: {image: "registry.k8s.io/kube-proxy:\(kubernetesVersion)"}
        scheduler:
          image: registry.k8s.io/kube-scheduler:\(kubernetesVersion)
        discovery:
          enabled: \(hasDiscovery)
          registries:
            kubernetes: {disabled: true}
            service: {}

      """
    text += "  etcd:\n"
    text += certificateAndKey(
      "ca", secrets.etcdCA, indent: "    ", note: "etcd's own root.", withKey: true)
    text += """
        inlineManifests:
          - name: banner
            contents: |
              apiVersion: v1
              kind: ConfigMap
              metadata:
                name: banner # not a comment of the config
                namespace: kube-system
              data:
                ca: "crt: this is only text"

      """
    return text
  }

  /// What is left of the cluster where it has no Kubernetes: whom the machine shares discovery with.
  private func clusterAlone() -> String {
    "cluster:\n  id: \(secrets.clusterID)\n  secret: '\(secrets.clusterSecret)'\n"
      + "  discovery:\n    enabled: \(hasDiscovery)\n"
  }

  /// A `crt`/`key` mapping in the style of this machine: plain, quoted, or flow.
  private func certificateAndKey(
    _ field: String, _ pair: PEMPair, indent: String, note: String, withKey: Bool
  ) -> String {
    let crt = Base64.encode(pair.certificate)
    let key = withKey ? Base64.encode(pair.key) : ""
    let head = "\(indent)# \(note)\n"
    switch index % 4 {
    case 1:
      return head
        + "\(indent)\(field):\n\(indent)    crt: \"\(crt)\"\n\(indent)    key: \"\(key)\"\n"
    case 3:
      return head + "\(indent)\(field): {crt: \(crt), key: \"\(key)\"} # in one line\n"
    default:
      let keyLine = "\(indent)  key: \(withKey ? key : "\"\"")\n"
      return head + "\(indent)\(field):\n\(indent)  crt: \(crt)\n" + keyLine
    }
  }
}
