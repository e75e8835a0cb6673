import Crypto
import Orchestrator
import ProtoCodec
import Rotation

/// `extension-authentication`: whose clients aggregated API servers are told to accept.
extension TalosDriver {
  /// The ConfigMap by which aggregated API servers know whose clients to accept. It keeps authorities
  /// that were removed, until it is deleted; the API server then writes it anew within a second.
  func extensionAuthentication(
    _ trust: ChangeTrust, _ access: ClusterAccess
  ) async -> CheckResult {
    let name = CheckName.extensionAuthentication
    guard !trust.dropped.isEmpty else {
      return CheckResult(name, .notApplicable, "no authority is dropped in this stage")
    }
    let accepted = trust.accepted
    do throws(DriverError) {
      let roots = try await withKubernetes(access) { client async throws(DriverError) in
        try await client.get(ExtensionAuthentication.path)?.trust(
          inData: ExtensionAuthentication.key) ?? SeenTrust([])
      }
      let isClean = roots.unreadable == 0 && roots.certificates.allSatisfy(accepted.contains)
      return isClean
        ? CheckResult(name, .passed, "holds no other CA than the accepted ones")
        : CheckResult(
          name, .waiting,
          "still holds another CA than the accepted ones; renewed once all else is done")
    } catch { return CheckResult(name, .waiting, error.message) }
  }
}

/// Where aggregated API servers are told whose clients to accept.
enum ExtensionAuthentication {
  static let path =
    "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
  static let key = "client-ca-file"
}
