internal import Encodings

/// The part of the Kubernetes API that CA rotation looks at, as a pure function of a snapshot.
enum KubernetesAPI {
  static func respond(
    to request: KubernetesRequest, _ snapshot: KubernetesSnapshot
  ) -> KubernetesResponse {
    if request.identity == .refused { return Status.unauthorized }
    switch request.path.first {
    case "readyz", "livez", "healthz":
      return KubernetesResponse(
        status: 200, contentType: "text/plain; charset=utf-8", body: Array("ok".utf8))
    case "version":
      return KubernetesObject.version(snapshot).response()
    case "api", "apis":
      if request.identity == .anonymous && request.path.count < 3 {
        return Status.forbidden(request, "cannot \(verb(request)) path \"\(request.rawPath)\"")
      }
      return api(request, snapshot)
    default:
      guard request.identity.isMaster else {
        return Status.forbidden(request, "cannot \(verb(request)) path \"\(request.rawPath)\"")
      }
      return Status.notFound
    }
  }

  private static func api(
    _ request: KubernetesRequest, _ snapshot: KubernetesSnapshot
  ) -> KubernetesResponse {
    switch (request.method, request.path) {
    case ("GET", ["api"]): return KubernetesObject.apiVersions.response()
    case ("GET", ["apis"]): return KubernetesObject.apiGroups.response()
    case ("GET", ["api", "v1"]): return KubernetesObject.coreResources.response()
    case ("POST", ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"]):
      guard case .user = request.identity else {
        return forbidden(request, resource: "selfsubjectreviews", namespace: nil)
      }
      return KubernetesObject.review(request.identity).response(status: 201)
    default: break
    }
    if request.path.starts(with: ["api", "v1"]), request.path.count >= 3 {
      return objects(request, group: "", Array(request.path.dropFirst(2)), snapshot)
    }
    if request.path.starts(with: ["apis", coordination, "v1"]), request.path.count >= 4 {
      return objects(request, group: coordination, Array(request.path.dropFirst(3)), snapshot)
    }
    return request.identity.isMaster
      ? Status.notFound
      : Status.forbidden(request, "cannot \(verb(request)) path \"\(request.rawPath)\"")
  }

  private static let coordination = "coordination.k8s.io"

  /// What comes after `/api/v1/` or `/apis/GROUP/v1/`, with or without `namespaces/NAME` in front.
  private static func objects(
    _ request: KubernetesRequest, group: String, _ path: [String], _ snapshot: KubernetesSnapshot
  ) -> KubernetesResponse {
    var rest = path[...]
    var namespace: String?
    if rest.first == "namespaces", rest.count >= 3 {
      namespace = rest[rest.startIndex + 1]
      rest = rest.dropFirst(2)
    }
    let resource = rest.first ?? ""
    let name = rest.count > 1 ? rest[rest.startIndex + 1] : nil
    guard request.identity.isMaster else {
      return forbidden(request, group: group, resource: resource, namespace: namespace)
    }
    guard rest.count <= 2 else { return Status.notFound }
    if request.query["watch"] == "true" || request.query["watch"] == "1" {
      return Status.methodNotAllowed
    }
    let objects: [KubernetesObject]
    let kind: String
    switch (group, resource) {
    case (coordination, "leases"):
      (kind, objects) = ("Lease", KubernetesObject.leases(snapshot))
    case ("", "nodes") where namespace == nil:
      (kind, objects) = ("Node", KubernetesObject.nodes(snapshot))
    case ("", "namespaces") where namespace == nil:
      (kind, objects) = ("Namespace", KubernetesObject.namespaces(snapshot))
    case ("", "configmaps"):
      (kind, objects) = ("ConfigMap", KubernetesObject.configMaps(snapshot))
    case ("", "pods"):
      (kind, objects) = ("Pod", KubernetesObject.pods(snapshot))
    default:
      return Status.notFound
    }
    let visible = objects.filter { namespace == nil || $0.namespace == namespace }
    switch (request.method, name) {
    case ("GET", nil):
      return list(
        request, kind: kind, apiVersion: group.isEmpty ? "v1" : "\(group)/v1", visible,
        revision: snapshot.state.revision)
    case ("GET", let name?):
      guard let object = visible.first(where: { $0.name == name }) else {
        return Status.notFound(resource: resource, name: name)
      }
      return object.response()
    case ("DELETE", let name?):
      guard visible.contains(where: { $0.name == name }) else {
        return Status.notFound(resource: resource, name: name)
      }
      var response = Status.deleted(resource: resource, name: name)
      switch (resource, name) {
      case ("configmaps", "extension-apiserver-authentication"):
        response.effect = .deleteExtensionAuthentication
      case ("nodes", _):
        response.effect = .deleteNode(name)
      case ("pods", _) where !KubernetesObject.isMirrorPod(name, snapshot):
        response.effect = .deletePod(name)
      default: return Status.methodNotAllowed
      }
      return response
    default:
      return Status.methodNotAllowed
    }
  }

  /// A list, in pages if the caller set a limit.
  private static func list(
    _ request: KubernetesRequest, kind: String, apiVersion: String, _ objects: [KubernetesObject],
    revision: UInt64
  ) -> KubernetesResponse {
    if request.query["labelSelector"].map({ !$0.isEmpty }) == true {
      return Status.badRequest("label selectors are not simulated")
    }
    var chosen = objects
    for term in (request.query["fieldSelector"] ?? "").split(separator: ",") {
      let sides = term.replacing("==", with: "=").split(separator: "=").map(String.init)
      guard sides.count == 2 else { return Status.badRequest("invalid field selector") }
      switch sides[0] {
      case "metadata.name": chosen = chosen.filter { $0.name == sides[1] }
      case "status.phase": chosen = chosen.filter { $0.phase == sides[1] }
      case "metadata.namespace": chosen = chosen.filter { $0.namespace == sides[1] }
      default: return Status.badRequest("field label not supported: \(sides[0])")
      }
    }
    var start = 0
    if let token = request.query["continue"], !token.isEmpty {
      guard let text = Base64.text(behind: token), let index = Int(text), index <= chosen.count
      else {
        return Status.badRequest("continue key is not valid")
      }
      start = index
    }
    let limit = request.query["limit"].flatMap(Int.init) ?? 0
    let end = limit > 0 ? min(start + limit, chosen.count) : chosen.count
    var metadata: [String: Any] = ["resourceVersion": "\(revision)"]
    if end < chosen.count {
      metadata["continue"] = Base64.encode("\(end)")
      metadata["remainingItemCount"] = chosen.count - end
    }
    return KubernetesObject(
      [
        "kind": "\(kind)List", "apiVersion": apiVersion, "metadata": metadata,
        "items": chosen[start..<end].map(\.json),
      ]
    ).response()
  }

  private static func verb(_ request: KubernetesRequest) -> String {
    switch request.method {
    case "GET", "HEAD": "get"
    case "POST": "create"
    case "PUT": "update"
    default: request.method.lowercased()
    }
  }

  private static func forbidden(
    _ request: KubernetesRequest, group: String = "", resource: String, namespace: String?
  ) -> KubernetesResponse {
    let listing = request.method == "GET" && request.path.last == resource
    let scope = namespace.map { "in the namespace \"\($0)\"" } ?? "at the cluster scope"
    return Status.forbidden(
      request,
      "cannot \(listing ? "list" : verb(request)) resource \"\(resource)\" in API group \"\(group)\" "
        + scope, subject: resource)
  }
}
