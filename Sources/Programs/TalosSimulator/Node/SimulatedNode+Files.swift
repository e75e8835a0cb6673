internal import ProtoCodec
internal import RPC
internal import Schema

/// Files and client credentials that a machine hands out.
extension SimulatedNode {
  /// The contents of a file on the machine.
  ///
  /// - Throws: NOT_FOUND for a path that is not there (yet, or any more).
  func readFile(_ path: String) throws -> [UInt8] {
    guard let text = file(path) else {
      throw RPCError(.notFound, "stat \(path): no such file or directory")
    }
    return Array(text.utf8)
  }

  private func file(_ path: String) -> String? {
    let secrets = "/system/secrets/kubernetes"
    switch path {
    case "/var/lib/kubelet/pki/kubelet-client-current.pem":
      return state.kubeletClient.map { $0.certificate + $0.key }
    case "/etc/kubernetes/pki/ca.crt":
      return state.kubeletTrust.accepted.joined()
    case "\(secrets)/kube-apiserver/apiserver.crt":
      return state.kubernetesCertificates?.apiServer.certificate
    case "\(secrets)/kube-apiserver/apiserver.key":
      return state.kubernetesCertificates?.apiServer.key
    case "\(secrets)/kube-apiserver/apiserver-kubelet-client.crt":
      return state.kubernetesCertificates?.kubeletClient.certificate
    case "\(secrets)/kube-apiserver/ca.crt":
      return state.kubernetesRoot?.accepted.joined()
    case "\(secrets)/kube-controller-manager/ca.crt":
      return state.kubernetesRoot?.issuing.certificate
    case "/etc/hostname":
      return name + "\n"
    default:
      return nil
    }
  }

  func kubeconfigArchive() throws -> [UInt8] {
    try requireControlPlane("kubeconfig")
    guard let root = state.kubernetesRoot else {
      throw RPCError(.failedPrecondition, "k8s API server CA config is not set")
    }
    let text = ClientConfigs.kubeconfig(
      cluster: root.name, server: root.endpoint,
      ca: state.active.config.kubernetesAccepted.joined(),
      client: try issuing.kubernetesAdmin(root.issuing))
    return try KubeconfigArchive.make(text)
  }

  func generateClientConfiguration(
    _ request: Talos.GenerateClientConfigurationRequest
  ) throws -> Talos.GenerateClientConfigurationResponse {
    try requireControlPlane("generate client configuration")
    let lifetime = request.crtTTL?.seconds ?? 0
    guard lifetime > 0 else { throw RPCError(.invalidArgument, "crt_ttl should be positive") }
    guard let ca = state.osRoot.issuing else {
      throw RPCError(.failedPrecondition, "no issuing CA")
    }
    let roles = Array(Set(request.roles.filter { !$0.isEmpty })).sorted()
    let client = try issuing.talosClient(ca, roles: roles, lifetime: lifetime)
    let cluster = state.active.config.clusterName
    var context = cluster
    if let role = roles.first, roles.count == 1 {
      context = (role.hasPrefix("os:") ? String(role.dropFirst(3)) : role) + "@" + cluster
    }
    var configuration = Talos.GenerateClientConfiguration()
    configuration.ca = Array(ca.certificate.utf8)
    configuration.crt = Array(client.certificate.utf8)
    configuration.key = Array(client.key.utf8)
    configuration.talosconfig = Array(
      ClientConfigs.talosconfig(
        context: context, endpoints: [], nodes: [], ca: ca.certificate, client: client
      ).utf8)
    var response = Talos.GenerateClientConfigurationResponse()
    response.messages = [configuration]
    return response
  }
}
