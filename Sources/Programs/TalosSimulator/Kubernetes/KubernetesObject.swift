internal import Encodings
internal import Foundation

/// One JSON object of the Kubernetes API.
struct KubernetesObject {
  let json: [String: Any]

  init(_ json: [String: Any]) { self.json = json }

  init(
    kind: String, namespace: String? = nil, name: String, created: Int64, revision: UInt64 = 1,
    labels: [String: String] = [:], annotations: [String: String] = [:],
    apiVersion: String = "v1", metadata more: [String: Any] = [:], _ rest: [String: Any] = [:]
  ) {
    var metadata: [String: Any] = [
      "name": name, "uid": Self.uid("\(kind)/\(namespace ?? "")/\(name)"),
      "resourceVersion": "\(revision)", "creationTimestamp": Self.time(created),
    ]
    metadata.merge(more) { _, new in new }
    if let namespace { metadata["namespace"] = namespace }
    if !labels.isEmpty { metadata["labels"] = labels }
    if !annotations.isEmpty { metadata["annotations"] = annotations }
    var json = rest
    json["kind"] = kind
    json["apiVersion"] = apiVersion
    json["metadata"] = metadata
    self.json = json
  }

  var name: String { metadata["name"] as? String ?? "" }
  /// Of a pod.
  var phase: String { (json["status"] as? [String: Any])?["phase"] as? String ?? "" }
  var namespace: String? { metadata["namespace"] as? String }
  private var metadata: [String: Any] { json["metadata"] as? [String: Any] ?? [:] }

  func response(status: Int = 200) -> KubernetesResponse {
    let data = try? JSONSerialization.data(
      withJSONObject: json, options: [.sortedKeys, .withoutEscapingSlashes])
    return KubernetesResponse(status: status, body: Array(data ?? Data()) + [0x0A])
  }

  /// RFC 3339 in UTC, to the second.
  static func time(_ seconds: Int64) -> String {
    RFC3339.text(secondsSince1970: seconds)
  }

  /// An identifier that stays the same for the same object (FNV-1a, twice).
  static func uid(_ text: String) -> String {
    func hash(_ seed: UInt64) -> String {
      let value = text.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
      return Hexadecimal.encode(value, digits: 16)
    }
    let hex = Array(hash(0xcbf2_9ce4_8422_2325) + hash(0x8422_2325_cbf2_9ce4))
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }
      .joined(separator: "-")
  }
}

extension KubernetesObject {
  static func version(_ snapshot: KubernetesSnapshot) -> KubernetesObject {
    let parts = snapshot.kubernetesVersion.drop { $0 == "v" }.split(separator: ".").map(String.init)
    return KubernetesObject([
      "major": parts.first ?? "1", "minor": parts.count > 1 ? parts[1] : "0",
      "gitVersion": snapshot.kubernetesVersion, "gitCommit": "simulated",
      "gitTreeState": "clean", "buildDate": time(snapshot.created), "goVersion": "go1.25.0",
      "compiler": "gc", "platform": "linux/amd64",
    ])
  }

  static var apiVersions: KubernetesObject {
    KubernetesObject(["kind": "APIVersions", "versions": ["v1"]])
  }

  static var apiGroups: KubernetesObject {
    KubernetesObject(["kind": "APIGroupList", "apiVersion": "v1", "groups": [] as [Any]])
  }

  static var coreResources: KubernetesObject {
    func resource(
      _ name: String, _ kind: String, namespaced: Bool, _ short: String
    ) -> [String: Any] {
      [
        "name": name, "singularName": kind.lowercased(), "namespaced": namespaced, "kind": kind,
        "verbs": ["get", "list"], "shortNames": [short],
      ]
    }
    return KubernetesObject([
      "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1",
      "resources": [
        resource("nodes", "Node", namespaced: false, "no"),
        resource("namespaces", "Namespace", namespaced: false, "ns"),
        resource("configmaps", "ConfigMap", namespaced: true, "cm"),
        resource("pods", "Pod", namespaced: true, "po"),
      ],
    ])
  }

  static func review(_ identity: KubernetesIdentity) -> KubernetesObject {
    KubernetesObject([
      "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
      "metadata": [:] as [String: Any],
      "status": ["userInfo": ["username": identity.userName, "groups": identity.groups]],
    ])
  }
}

/// Answers of kind `Status`.
enum Status {
  static let unauthorized = failure(401, "Unauthorized", "Unauthorized")
  static let notFound = failure(
    404, "NotFound", "the server could not find the requested resource")
  static let methodNotAllowed = failure(
    405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

  static func badRequest(_ message: String) -> KubernetesResponse {
    failure(400, "BadRequest", message)
  }

  static func notFound(resource: String, name: String) -> KubernetesResponse {
    failure(
      404, "NotFound", "\(resource) \"\(name)\" not found",
      details: ["name": name, "kind": resource])
  }

  static func forbidden(
    _ request: KubernetesRequest, _ what: String, subject: String? = nil
  ) -> KubernetesResponse {
    let message = "User \"\(request.identity.userName)\" \(what)"
    return failure(
      403, "Forbidden",
      "\(subject ?? "forbidden")\(subject == nil ? "" : " is forbidden"): \(message)")
  }

  static func deleted(resource: String, name: String) -> KubernetesResponse {
    KubernetesObject([
      "kind": "Status", "apiVersion": "v1", "metadata": [:] as [String: Any], "status": "Success",
      "details": ["name": name, "kind": resource],
    ]).response()
  }

  private static func failure(
    _ code: Int, _ reason: String, _ message: String, details: [String: Any] = [:]
  ) -> KubernetesResponse {
    KubernetesObject([
      "kind": "Status", "apiVersion": "v1", "metadata": [:] as [String: Any],
      "status": "Failure", "message": message, "reason": reason, "details": details, "code": code,
    ]).response(status: code)
  }
}
