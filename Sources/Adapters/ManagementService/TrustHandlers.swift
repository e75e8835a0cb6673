public import Orchestrator
public import ProtoCodec
import RPC
public import Rotation
public import Schema

extension ManagementHandlers {
  func getTrustBundle(
    _ request: GetTrustBundleRequest
  ) async throws(RPCError) -> GetTrustBundleResponse {
    GetTrustBundleResponse(
      try await asking { () async throws(OrchestratorError) in
        try await orchestrator.trust(cluster: request.cluster)
      })
  }
}

extension GetTrustBundleResponse {
  public init(_ trust: ClusterTrust) {
    self.init()
    cluster = trust.cluster
    revision = trust.revision
    recordOutdated = trust.isOutdated
    bundles = trust.bundles.map { bundle in
      var shown = TrustBundle()
      shown.component = Schema.SecretComponent(bundle.component)
      shown.rotationID = bundle.rotation
      shown.phase = Schema.RotationPhase(bundle.phase)
      shown.goingBack = bundle.isGoingBack
      shown.authorities = bundle.authorities.map { authority in
        var shown = TrustedCA()
        shown.fingerprint = authority.fingerprint
        shown.generation =
          switch authority.generation {
          case nil: .unspecified
          case .old: .old
          case .new: .new
          }
        shown.issuing = authority.isIssuing
        shown.certificate = authority.certificatePEM
        return shown
      }
      return shown
    }
  }
}

/// One file of what has to be trusted of a cluster, as it is served over HTTP and laid out in a directory. Pure.
public struct TrustDocument: Sendable, Equatable {
  /// `talos-ca.pem`, `kubernetes-ca.pem` or `bundle.json`.
  public var name: String
  public var body: [UInt8]
  public var contentType: String
  /// What differs where the body does, without its quotes.
  public var tag: String
  /// Of the component; nil for `bundle.json`, which is of all.
  public var component: Rotation.SecretComponent?

  public static let summaryName = "bundle.json"

  /// Every name that a file may have.
  public static let names =
    Rotation.SecretComponent.allCases.map { "\($0.rawValue).pem" } + [summaryName]

  /// The files of a cluster: one for each component that it has, the summary last.
  ///
  /// - Throws: never for what a record can hold: its texts and numbers all have a form in JSON.
  public static func all(of trust: ClusterTrust) throws(JSONEncodingError) -> [TrustDocument] {
    let parts = trust.bundles.map { bundle in
      TrustDocument(
        name: "\(bundle.component.rawValue).pem", body: Array(bundle.pem.utf8),
        contentType: "application/x-pem-file", tag: fingerprints(bundle),
        component: bundle.component)
    }
    // A store that was restored counts its revisions anew, so the revision alone does not tell two states apart.
    let states = trust.bundles.map { bundle in
      "\(bundle.rotation).\(bundle.phase?.name ?? "-").\(bundle.isGoingBack ? "b" : "f").\(fingerprints(bundle))"
    }
    return parts + [
      TrustDocument(
        name: summaryName,
        body: try GetTrustBundleResponse(trust).jsonUTF8() + [UInt8(ascii: "\n")],
        contentType: "application/json",
        tag: "\(trust.revision).\(trust.isOutdated ? "outdated" : "current")."
          + states.joined(separator: "."))
    ]
  }

  /// Enough of each fingerprint, and which comes first.
  private static func fingerprints(_ bundle: ComponentTrust) -> String {
    bundle.authorities.map { String($0.fingerprint.prefix(32)) }.joined(separator: "-")
  }
}
