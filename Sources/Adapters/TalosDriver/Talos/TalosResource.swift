import ProtoCodec
import Schema

/// A resource of a machine's state, by the names it has there.
struct TalosResource<Spec: Message>: Sendable {
  var namespace: String
  var type: String
  var id: String

  /// The type's name for people: `MachineConfigs` of `MachineConfigs.config.talos.dev`.
  var plainName: String { type.split(separator: ".").first.map(String.init) ?? type }
}

extension TalosResource where Spec == Talos.MachineConfigSpec {
  static var activeConfig: Self {
    Self(namespace: "config", type: "MachineConfigs.config.talos.dev", id: "v1alpha1")
  }
}

extension TalosResource where Spec == Talos.MachineConfigSpec {
  /// What is on disk, and becomes active with the next boot.
  static var persistentConfig: Self {
    Self(namespace: "config", type: "MachineConfigs.config.talos.dev", id: "persistent")
  }
}

extension TalosResource where Spec == Talos.SideroLinkConfigSpec {
  /// There on a machine that is managed over SideroLink, also where kernel arguments say so and no document does.
  static var sideroLink: Self {
    Self(namespace: "config", type: "SiderolinkConfigs.siderolink.talos.dev", id: "siderolink")
  }
}

extension TalosResource where Spec == Talos.IdentitySpec {
  static var identity: Self {
    Self(namespace: "cluster", type: "Identities.cluster.talos.dev", id: "local")
  }
}

extension TalosResource where Spec == Talos.SecretsStatusSpec {
  /// Whether the secrets of the static pods are on disk, and of which version they are.
  static var staticPodSecrets: Self {
    Self(namespace: "controlplane", type: "SecretStatuses.kubernetes.talos.dev", id: "static-pods")
  }
}

extension TalosResource where Spec == Talos.StaticPodSpec {
  /// The static pods as the kubelet is given them, `kube-apiserver` and the like: listed, so without an id.
  static var staticPods: Self {
    Self(namespace: "k8s", type: "StaticPods.kubernetes.talos.dev", id: "")
  }
}

extension TalosResource where Spec == Talos.OSRootSpec {
  static var osRoot: Self {
    Self(namespace: "secrets", type: "OSRootSecrets.secrets.talos.dev", id: "os")
  }
}

extension TalosResource where Spec == Talos.KubernetesRootSpec {
  static var kubernetesRoot: Self {
    Self(namespace: "secrets", type: "KubernetesRootSecrets.secrets.talos.dev", id: "k8s")
  }
}

extension TalosResource where Spec == Talos.APICertsSpec {
  static var apiCertificates: Self {
    Self(namespace: "secrets", type: "ApiCertificates.secrets.talos.dev", id: "api")
  }
}

extension TalosResource where Spec == Talos.TrustdCertsSpec {
  static var trustdCertificates: Self {
    Self(namespace: "secrets", type: "TrustdCertificates.secrets.talos.dev", id: "trustd")
  }
}

extension TalosResource where Spec == Talos.KubeletSpec {
  static var kubeletSecrets: Self {
    Self(namespace: "secrets", type: "KubeletSecrets.secrets.talos.dev", id: "kubelet")
  }
}

extension TalosResource where Spec == Talos.ServiceSpec {
  static func service(_ id: String) -> Self {
    Self(namespace: "runtime", type: "Services.v1alpha1.talos.dev", id: id)
  }
}

extension TalosResource where Spec == Talos.NodenameSpec {
  static var nodename: Self {
    Self(namespace: "k8s", type: "Nodenames.kubernetes.talos.dev", id: "nodename")
  }
}

extension TalosResource where Spec == Talos.MemberSpec {
  /// Listed, so without an id.
  static var members: Self {
    Self(namespace: "cluster", type: "Members.cluster.talos.dev", id: "")
  }
}
