/// The resource types the simulator has, who may see them, and where they live.
enum ResourceCatalog {
  struct Definition: Sendable {
    var type: String
    var namespace: String
    /// Whether only administrators may read it.
    var sensitive: Bool
    /// The controller that owns resources of the type.
    var owner: String

    func key(_ id: String) -> ResourceStore.Key {
      ResourceStore.Key(namespace: namespace, type: type, id: id)
    }
  }

  static let machineConfig = Definition(
    type: "MachineConfigs.config.talos.dev", namespace: "config", sensitive: true, owner: "")
  static let machineType = Definition(
    type: "MachineTypes.config.talos.dev", namespace: "config", sensitive: false,
    owner: "config.MachineTypeController")
  static let osRoot = Definition(
    type: "OSRootSecrets.secrets.talos.dev", namespace: "secrets", sensitive: true,
    owner: "secrets.RootOSController")
  static let kubernetesRoot = Definition(
    type: "KubernetesRootSecrets.secrets.talos.dev", namespace: "secrets", sensitive: true,
    owner: "secrets.RootKubernetesController")
  static let apiCertificates = Definition(
    type: "ApiCertificates.secrets.talos.dev", namespace: "secrets", sensitive: true,
    owner: "secrets.APIController")
  static let trustdCertificates = Definition(
    type: "TrustdCertificates.secrets.talos.dev", namespace: "secrets", sensitive: true,
    owner: "secrets.TrustdController")
  static let kubelet = Definition(
    type: "KubeletSecrets.secrets.talos.dev", namespace: "secrets", sensitive: true,
    owner: "secrets.KubeletController")
  static let kubernetesCertificates = Definition(
    type: "KubernetesDynamicCerts.secrets.talos.dev", namespace: "secrets", sensitive: true,
    owner: "secrets.KubernetesDynamicCertsController")
  static let secretStatus = Definition(
    type: "SecretStatuses.kubernetes.talos.dev", namespace: "controlplane", sensitive: false,
    owner: "k8s.RenderSecretsStaticPodController")
  static let service = Definition(
    type: "Services.v1alpha1.talos.dev", namespace: "runtime", sensitive: false,
    owner: "v1alpha1.ServiceController")
  static let nodename = Definition(
    type: "Nodenames.kubernetes.talos.dev", namespace: "k8s", sensitive: false,
    owner: "k8s.NodenameController")
  static let member = Definition(
    type: "Members.cluster.talos.dev", namespace: "cluster", sensitive: false,
    owner: "cluster.MemberController")
  /// The machine's own identity in discovery; every role may read it, as it stands in Members too.
  static let identity = Definition(
    type: "Identities.cluster.talos.dev", namespace: "cluster", sensitive: false,
    owner: "cluster.NodeIdentityController")
  static let staticPod = Definition(
    type: "StaticPods.kubernetes.talos.dev", namespace: "k8s", sensitive: false,
    owner: "k8s.ControlPlaneStaticPodController")
  static let machineStatus = Definition(
    type: "MachineStatuses.runtime.talos.dev", namespace: "runtime", sensitive: false,
    owner: "runtime.MachineStatusController")
  static let timeStatus = Definition(
    type: "TimeStatuses.v1alpha1.talos.dev", namespace: "runtime", sensitive: false,
    owner: "time.SyncController")

  static let all: [Definition] = [
    machineConfig, machineType, osRoot, kubernetesRoot, apiCertificates, trustdCertificates,
    kubelet, kubernetesCertificates, secretStatus, service, nodename, member, machineStatus,
    timeStatus, identity, staticPod,
  ]

  /// Whether a caller may read resources of a type, as machined's access policy decides it
  /// (siderolabs/talos, internal/app/resources/access.go). Nil means yes.
  static func refusal(namespace: String, type: String, roles: Set<String>) -> String? {
    guard let definition = all.first(where: { $0.type.lowercased() == type.lowercased() }) else {
      return "resource type \"\(type)\" is not supported"
    }
    if definition.sensitive && !roles.contains(Role.admin) { return "not authorized" }
    let namespaces: Set = [
      "config", "secrets", "controlplane", "runtime", "k8s", "cluster", "network", "files",
      "etcd", "hardware", "perf", "siderolink", "meta",
    ]
    if !namespaces.contains(namespace) { return "namespace \"\(namespace)\" is not supported" }
    return nil
  }
}
