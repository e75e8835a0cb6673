import Crypto
import Rotation

/// `server-leaf`, `trustd-leaf`, `kubelet-client`: who has issued a certificate in use.
extension ChangeTrust {
  /// Whether a certificate in use was issued by the authority that the stage asks for.
  func leafCheck(
    _ name: CheckName, _ chain: [Certificate], purpose: ChainVerification.Purpose
  ) -> CheckResult {
    chainCheck(name, chain, roots: [issuing], purpose: purpose)
  }

  /// Whether a certificate in use chains to one of the roots.
  func chainCheck(
    _ name: CheckName, _ chain: [Certificate], roots: [Certificate],
    purpose: ChainVerification.Purpose
  ) -> CheckResult {
    guard let leaf = chain.first else { return CheckResult(name, .waiting, "no certificate yet") }
    do {
      try ChainVerification.verify(
        leaf, intermediates: Array(chain.dropFirst()).filter { !managed.contains($0) },
        roots: roots, purpose: purpose, at: nil)
      return CheckResult(name, .passed, "issued by \(names(roots.filter(leaf.isSigned)))")
    } catch {
      let signers = managed.filter(leaf.isSigned)
      let issuer = signers.isEmpty ? "a CA that this rotation does not know" : names(signers)
      return CheckResult(
        name, .waiting,
        "is from \(issuer), not accepted here: \(error.message)" + Self.renewal(of: name))
    }
  }

  /// Who renews a certificate, and where to look if that does not happen.
  private static func renewal(of name: CheckName) -> String {
    switch name {
    case .serverLeaf:
      "; apid gets a new one from a control plane's trustd (port 50001): talosctl logs apid, if it stays"
    case .trustdLeaf: "; trustd gets a new one by itself: talosctl logs trustd, if it stays"
    case .kubeletClient: "; the controller-manager signs a new one: kubectl get csr, if it stays"
    default: ""
    }
  }
}
