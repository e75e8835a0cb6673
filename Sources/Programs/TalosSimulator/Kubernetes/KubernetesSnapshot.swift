internal import Encodings

/// What the API servers show of the cluster at one moment.
struct KubernetesSnapshot: Sendable {
  enum Readiness: String, Sendable {
    case yes = "True"
    case no = "False"
    case unknown = "Unknown"
  }

  struct Node: Sendable {
    var name: String
    var address: String
    var isControlPlane: Bool
    /// The status of condition Ready.
    var ready: Readiness
    /// Why the node is not Ready, or that the kubelet posts its status.
    var reason: String
    var message: String
    var readySince: Int64
    var talosVersion: String
    /// The static pods as the kubelet last reported them; none on workers.
    var pods: [StaticPod] = []
    /// The time by the machine's clock, in nanoseconds since 1970.
    var clock: Int64 = 0
    /// When the kubelet last renewed its lease, by the machine's clock.
    var leaseRenewed: Int64 = 0

    var isReady: Bool { ready == .yes }
  }

  var clusterName: String
  var kubernetesVersion: String
  var nodes: [Node]
  var state: KubernetesState
  /// When the cluster was made, in seconds since 1970.
  var created: Int64
}

/// Who a request comes from, after authentication.
enum KubernetesIdentity: Sendable, Equatable {
  /// No certificate and no token.
  case anonymous
  case user(name: String, groups: [String])
  /// A credential that nobody here vouches for.
  case refused

  var userName: String {
    switch self {
    case .anonymous, .refused: "system:anonymous"
    case .user(let name, _): name
    }
  }

  var groups: [String] {
    switch self {
    case .anonymous, .refused: ["system:unauthenticated"]
    case .user(_, let groups): groups + ["system:authenticated"]
    }
  }

  /// `system:masters` is let through everywhere; nobody else has been given any rights here but
  /// those that every Kubernetes cluster gives.
  var isMaster: Bool { groups.contains("system:masters") }
}

/// A request as the API logic needs it.
struct KubernetesRequest: Sendable {
  var method: String
  var path: [String]
  var query: [String: String]
  var identity: KubernetesIdentity
  /// The whole path, for messages.
  var rawPath: String

  init(method: String, target: String, identity: KubernetesIdentity) {
    self.method = method
    self.identity = identity
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    rawPath = String(parts[0])
    path = parts[0].split(separator: "/").map(String.init)
    query = [:]
    guard parts.count == 2 else { return }
    for pair in parts[1].split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = sides.count == 2 ? String(sides[1]) : ""
      query[Self.decode(String(sides[0]))] = Self.decode(value)
    }
  }

  private static func decode(_ text: String) -> String {
    PercentEncoding.decode(text[...], plus: .space)
      .flatMap { String(validating: $0, as: UTF8.self) } ?? text
  }
}

/// An answer, and what it means for the cluster's state.
struct KubernetesResponse: Sendable, Equatable {
  enum Effect: Sendable, Equatable {
    case deleteExtensionAuthentication
    case deleteNode(String)
    case deletePod(String)
  }

  var status: Int
  var contentType = "application/json"
  var body: [UInt8]
  var effect: Effect?
}
