internal import ProtoCodec
internal import Schema

/// The resource types of a machine, who may see them, and where they live.
enum ResourceCatalog {
  typealias Definition = ResourceDefinition

  static let namespace = Definition(
    type: "Namespaces.meta.cosi.dev", namespace: "meta", owner: "meta", extraAliases: ["ns"],
    yaml: SpecYAML.of(Cosi.NamespaceSpec.self))
  static let definition = Definition(
    type: "ResourceDefinitions.meta.cosi.dev", namespace: "meta", owner: "meta",
    columns: [.init(name: "Aliases", path: "{.aliases[:]}")], extraAliases: ["api-resources"],
    yaml: SpecYAML.of(Cosi.ResourceDefinitionSpec.self))
  static let machineConfig = Definition(
    type: "MachineConfigs.config.talos.dev", namespace: "config", sensitive: true,
    yaml: SpecYAML.of(Talos.MachineConfigSpec.self))
  static let machineType = Definition(
    type: "MachineTypes.config.talos.dev", namespace: "config",
    owner: "config.MachineTypeController", columns: [.init(name: "Type", path: "{@}")],
    yaml: SpecYAML.of(Talos.MachineTypeSpec.self))
  static let osRoot = secret(
    "OSRootSecrets", owner: "secrets.RootOSController", Talos.OSRootSpec.self)
  static let kubernetesRoot = secret(
    "KubernetesRootSecrets", owner: "secrets.RootKubernetesController",
    Talos.KubernetesRootSpec.self)
  static let apiCertificates = secret(
    "ApiCertificates", owner: "secrets.APIController", Talos.APICertsSpec.self)
  static let trustdCertificates = secret(
    "TrustdCertificates", owner: "secrets.TrustdController", Talos.TrustdCertsSpec.self)
  static let kubelet = secret(
    "KubeletSecrets", owner: "secrets.KubeletController", Talos.KubeletSpec.self)
  static let kubernetesCertificates = secret(
    "KubernetesDynamicCerts", owner: "secrets.KubernetesDynamicCertsController",
    Talos.KubernetesDynamicCertsSpec.self)
  static let secretStatus = Definition(
    type: "SecretStatuses.kubernetes.talos.dev", namespace: "controlplane",
    owner: "k8s.RenderSecretsStaticPodController",
    columns: [
      .init(name: "Ready", path: "{.ready}"), .init(name: "Secrets Version", path: "{.version}"),
    ], yaml: SpecYAML.of(Talos.SecretsStatusSpec.self))
  static let service = Definition(
    type: "Services.v1alpha1.talos.dev", namespace: "runtime", owner: "v1alpha1.ServiceController",
    columns: [
      .init(name: "Running", path: "{.running}"), .init(name: "Healthy", path: "{.healthy}"),
      .init(name: "Health Unknown", path: "{.unknown}"),
    ], extraAliases: ["svc"], yaml: SpecYAML.of(Talos.ServiceSpec.self))
  static let nodename = Definition(
    type: "Nodenames.kubernetes.talos.dev", namespace: "k8s", owner: "k8s.NodenameController",
    columns: [.init(name: "Nodename", path: "{.nodename}")],
    yaml: SpecYAML.of(Talos.NodenameSpec.self))
  static let member = Definition(
    type: "Members.cluster.talos.dev", namespace: "cluster", owner: "cluster.MemberController",
    columns: [
      .init(name: "Hostname", path: "{.hostname}"),
      .init(name: "Machine Type", path: "{.machineType}"),
      .init(name: "OS", path: "{.operatingSystem}"),
      .init(name: "Addresses", path: "{.addresses}"),
    ], yaml: SpecYAML.of(Talos.MemberSpec.self))
  /// The machine's own identity in discovery; every role may read it, as it stands in Members too.
  static let identity = Definition(
    type: "Identities.cluster.talos.dev", namespace: "cluster",
    owner: "cluster.NodeIdentityController", columns: [.init(name: "ID", path: "{.nodeId}")],
    yaml: SpecYAML.of(Talos.IdentitySpec.self))
  static let staticPod = Definition(
    type: "StaticPods.kubernetes.talos.dev", namespace: "k8s",
    owner: "k8s.ControlPlaneStaticPodController", yaml: SpecYAML.of(Talos.StaticPodSpec.self))
  static let machineStatus = Definition(
    type: "MachineStatuses.runtime.talos.dev", namespace: "runtime",
    owner: "runtime.MachineStatusController",
    columns: [
      .init(name: "Stage", path: "{.stage}"), .init(name: "Ready", path: "{.status.ready}"),
    ], yaml: SpecYAML.of(Talos.MachineStatusSpec.self))
  static let timeStatus = Definition(
    type: "TimeStatuses.v1alpha1.talos.dev", namespace: "runtime", owner: "time.SyncController",
    columns: [.init(name: "Synced", path: "{.synced}")],
    yaml: SpecYAML.of(Talos.TimeStatusSpec.self))

  /// The types that follow the machine's state. Those of the namespace `meta` never change.
  static let ofState: [Definition] = [
    machineConfig, machineType, osRoot, kubernetesRoot, apiCertificates, trustdCertificates,
    kubelet, kubernetesCertificates, secretStatus, service, nodename, member, machineStatus,
    timeStatus, identity, staticPod,
  ]

  /// Every type, with those that a real machine has and talosim has no resources of.
  static let all: [Definition] = {
    let own = [namespace, definition] + ofState
    let taken = Set(own.map(\.type))
    return own + withoutResources.filter { !taken.contains($0.type) }
  }()

  private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })

  /// The definition of a type, however its name is capitalized.
  static func definition(of type: String) -> Definition? { byID[type.lowercased()] }

  private static func secret(
    _ name: String, owner: String, _ spec: (some YAMLSpec).Type
  ) -> Definition {
    Definition(
      type: name + ".secrets.talos.dev", namespace: "secrets", sensitive: true, owner: owner,
      yaml: SpecYAML.of(spec))
  }

  /// Whether a caller may read resources of a type, as machined's access policy decides it
  /// (siderolabs/talos, internal/app/resources/access.go). Nil means yes.
  static func refusal(namespace: String, type: String, roles: Set<String>) -> String? {
    guard let definition = definition(of: type) else {
      return "resource type \"\(type)\" is not supported"
    }
    if definition.sensitive && !roles.contains(Role.admin) { return "not authorized" }
    if namespaces[namespace] == nil { return "namespace \"\(namespace)\" is not supported" }
    return nil
  }
}

extension ResourceStore {
  /// A store that holds the definitions of types and the namespaces, as a machine has them from its
  /// start on.
  init(definitions: [ResourceDefinition]) {
    self.init()
    let now = WallClock.nanoseconds()
    for definition in definitions {
      put(
        ResourceCatalog.definition.key(definition.id), owner: ResourceCatalog.definition.owner,
        spec: definition.spec.serialized(), now: now)
    }
    for (name, description) in ResourceCatalog.namespaces {
      var spec = Cosi.NamespaceSpec()
      spec.description = description
      put(
        ResourceCatalog.namespace.key(name), owner: ResourceCatalog.namespace.owner,
        spec: spec.serialized(), now: now)
    }
  }
}
