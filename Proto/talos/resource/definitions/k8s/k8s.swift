// The binding of k8s.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  /// Nodenames.kubernetes.talos.dev
  public struct NodenameSpec: Message {
    public var nodename = ""
    public var hostnameVersion = ""
    public var skipNodeRegistration = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.k8s.NodenameSpec") {
      Field.string(1, "nodename", \.nodename)
      Field.string(2, "hostname_version", \.hostnameVersion)
      Field.bool(3, "skip_node_registration", \.skipNodeRegistration)
    }
  }

  /// SecretStatuses.kubernetes.talos.dev: whether the control plane's secrets are on disk.
  public struct SecretsStatusSpec: Message {
    public var ready = false
    public var version = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.k8s.SecretsStatusSpec")
    {
      Field.bool(1, "ready", \.ready)
      Field.string(2, "version", \.version)
    }
  }

  /// StaticPods.kubernetes.talos.dev: a static pod as the kubelet is given it.
  public struct StaticPodSpec: Message {
    public var pod: ProtoStruct?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.k8s.StaticPodSpec") {
      Field.message(1, "pod", \.pod)
    }
  }
}

extension SchemaFile {
  public static let talosKubernetes = SchemaFile(
    "talos/resource/definitions/k8s/k8s.proto", package: "talos.resource.definitions.k8s",
    dependencies: [.structure],
    messages: [
      Talos.NodenameSpec.self, Talos.SecretsStatusSpec.self, Talos.StaticPodSpec.self,
    ])
}
