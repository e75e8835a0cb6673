internal import Crypto
internal import Encodings

/// A file of the dashboard, as it stands in the program.
public struct PageFile: Sendable {
  /// Where a browser finds it.
  public let path: String
  public let contentType: String
  public let bytes: [UInt8]
  /// Stands for exactly these bytes (RFC 9110 section 8.8.3).
  public let entityTag: String

  init(_ path: String, _ contentType: String, _ bytes: [UInt8]) {
    self.path = path
    self.contentType = contentType
    self.bytes = bytes
    entityTag = "\"" + Hexadecimal.encode(SHA256.digest(bytes).prefix(16)) + "\""
  }

  /// Every file of the dashboard.
  static let all: [PageFile] = [
    PageFile("/", html, PackageResources.index_html),
    PageFile("/login", html, PackageResources.login_html),
    PageFile("/dashboard/style.css", css, PackageResources.style_css),
    PageFile("/dashboard/rotation.css", css, PackageResources.rotation_css),
    PageFile("/dashboard/icon.svg", "image/svg+xml", PackageResources.icon_svg),
    PageFile("/dashboard/login.js", script, PackageResources.login_js),
    PageFile("/dashboard/app.js", script, PackageResources.app_js),
    PageFile("/dashboard/rpc.js", script, PackageResources.rpc_js),
    PageFile("/dashboard/fleet.js", script, PackageResources.fleet_js),
    PageFile("/dashboard/watch.js", script, PackageResources.watch_js),
    PageFile("/dashboard/dom.js", script, PackageResources.dom_js),
    PageFile("/dashboard/words.js", script, PackageResources.words_js),
    PageFile("/dashboard/clusters.js", script, PackageResources.clusters_js),
    PageFile("/dashboard/cluster.js", script, PackageResources.cluster_js),
    PageFile("/dashboard/tiles.js", script, PackageResources.tiles_js),
    PageFile("/dashboard/advice.js", script, PackageResources.advice_js),
    PageFile("/dashboard/actions.js", script, PackageResources.actions_js),
    PageFile("/dashboard/record.js", script, PackageResources.record_js),
    PageFile("/dashboard/credential.js", script, PackageResources.credential_js),
    PageFile("/dashboard/certificate.js", script, PackageResources.certificate_js),
  ]

  private static let html = "text/html; charset=utf-8"
  private static let css = "text/css; charset=utf-8"
  private static let script = "text/javascript; charset=utf-8"
}
