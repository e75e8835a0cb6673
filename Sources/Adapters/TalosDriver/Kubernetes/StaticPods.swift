import Orchestrator
import ProtoCodec
import Rotation
import Schema

/// The static pods of a control plane that restart with a change of the Kubernetes CA.
enum StaticPod: String, CaseIterable, Sendable {
  case apiServer = "kube-apiserver"
  case controllerManager = "kube-controller-manager"
  case scheduler = "kube-scheduler"

  /// The annotation that says of which version of the secrets a pod is.
  static let versionAnnotation = "talos.dev/secrets-version"

  /// The name of the mirror pod that the kubelet makes for it in `kube-system`.
  func mirrorName(on node: String) -> String { rawValue + "-" + node }

  /// What `RotationOptions.unready` calls it.
  func unreadyName(on node: String) -> String { "pod/" + mirrorName(on: node) }
}

/// What Talos says of the static pods of one control plane.
struct StaticPodSecrets: Sendable, Hashable {
  /// Whether the secrets are on disk, and of which version; nil where Talos shows nothing.
  var isReady: Bool
  var version: String
  /// The version that each pod is given, and when its definition last changed, by the machine's clock.
  var pods: [StaticPod: Definition]

  /// When the status was made, by the machine's clock. Talos keeps it in memory, so that each boot makes it anew, and counts
  /// the versions from the beginning.
  var created: Instant?
  /// When the status, and the root that the secrets are made from, last changed, by the machine's clock.
  var updated: Instant?
  var rootUpdated: Instant?

  /// What tells one boot of the machine from the next; nil where the machine does not say when the status was made.
  var boot: String? { created.map { "\($0.nanosecondsSince1970)" } }

  /// Whether the root is newer than the secrets on disk: for half a second after a change nothing else tells
  /// that a restart is to come. Looked at only while the change is fresh, because not every change of the
  /// root changes the secrets.
  func isBehindRoot(_ freshness: Freshness) -> Bool {
    guard let updated, let rootUpdated, updated < rootUpdated else { return false }
    return freshness.holds("kubernetes-root", rootUpdated, within: .seconds(10))
  }

  struct Definition: Sendable, Hashable {
    var version: String
    var updated: Instant?
  }

  /// Nil where the machine shows no status of its secrets: it runs no control plane.
  static func read(_ client: TalosClient) async throws(TalosFailure) -> StaticPodSecrets? {
    async let root = TalosClient.outcome { () async throws(TalosFailure) in
      try await client.find(.kubernetesRoot)?.updated
    }
    guard var seen = try await readPods(client) else { return nil }
    seen.rootUpdated = try await root.get()
    return seen
  }

  /// The same without `rootUpdated`, for whoever reads the root as well.
  static func readPods(_ client: TalosClient) async throws(TalosFailure) -> StaticPodSecrets? {
    async let shown = TalosClient.outcome { () async throws(TalosFailure) in
      try await client.list(.staticPods)
    }
    guard let secrets = try await client.find(.staticPodSecrets) else { return nil }
    let status = secrets.spec
    var pods: [StaticPod: Definition] = [:]
    for (id, spec, updated) in try await shown.get() {
      guard let pod = StaticPod(rawValue: id) else { continue }
      let annotations = spec.pod?.object("metadata")?.object("annotations")
      pods[pod] = Definition(
        version: annotations?.text(StaticPod.versionAnnotation) ?? "", updated: updated)
    }
    guard let version = PeerText.count(status.version) else {
      throw .unusable(
        DriverError(
          .refused,
          "the version of the static pods' secrets is no number: \(PeerText.clean(status.version))")
      )
    }
    return StaticPodSecrets(
      isReady: status.ready, version: version, pods: pods, created: secrets.created,
      updated: secrets.updated)
  }
}

/// A mirror pod, as the Kubernetes API shows it.
struct MirrorPod: Sendable, Hashable {
  /// The secrets' version by its annotation.
  var version: String
  var isReady: Bool
  /// What tells one container from the next: its identifier and the count of its restarts. While it
  /// waits to be started again, that of the last one.
  var container: String
  /// When the running container was started, by the machine's clock; nil while none runs.
  var startedAt: Instant?

  init(_ object: JSONValue) {
    version = object["metadata"]?["annotations"]?[StaticPod.versionAnnotation]?.string ?? ""
    isReady = object.condition("Ready")?.status == "True"
    let status = object["status"]?["containerStatuses"]?.array?.first
    let identifier = status?["containerID"]?.string ?? ""
    let last = status?["lastState"]?["terminated"]?["containerID"]?.string ?? ""
    let restarts = status?["restartCount"]?.integer ?? 0
    container = Self.identifier(identifier.isEmpty ? last : identifier) + "#\(restarts)"
    startedAt = (status?["state"]?["running"]?["startedAt"]?.string).flatMap(Instant.init(rfc3339:))
  }

  /// A container's identifier, `containerd://` and 64 hexadecimal digits, without anything that is not one
  /// and no longer than a baseline keeps it. Cleaned as a text it would lose its digits, which look like a
  /// key.
  private static func identifier(_ text: String) -> String {
    let allowed = text.unicodeScalars.prefix(200).filter { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
          || ":/-_.".unicodeScalars.contains(scalar))
    }
    return String(String.UnicodeScalarView(allowed))
  }

  /// Whether the definition has changed so lately that the kubelet is yet to restart the container. Looked
  /// at only while the change is fresh: a clock that was set must not make it look so for ever.
  func isStale(
    against definition: StaticPodSecrets.Definition, of pod: StaticPod, _ freshness: Freshness
  ) -> Bool {
    guard let updated = definition.updated, let startedAt,
      freshness.holds("definition of \(pod.rawValue)", updated, within: .seconds(120))
    else { return false }
    // Kubernetes gives whole seconds, rounded down; the other second is for two processes that look at one
    // clock.
    return startedAt.advanced(by: .seconds(2)) <= updated
  }
}

extension ProtoStruct {
  fileprivate func object(_ name: String) -> ProtoStruct? {
    if case .structure(let value)? = fieldValues[name]?.kind { value } else { nil }
  }

  fileprivate func text(_ name: String) -> String? {
    if case .string(let value)? = fieldValues[name]?.kind { value } else { nil }
  }
}
