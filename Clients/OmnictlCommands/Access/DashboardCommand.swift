internal import RPCTransport
internal import Schema

/// `omnictl dashboard`.
enum DashboardCommand {
  static let command: CommandSpec = .init(
    "dashboard", "Print a link that opens the dashboard in a browser",
    examples: [
      "omnictl dashboard",
      "omnictl --context prod dashboard",
    ],
    discussion: """
      The link works once, within 60 seconds. The session lasts 8 hours at most, with your clusters and
      your role, of the roles at most operator; it ends with the server, and with your own access.

      A browser does not know the CA of omnid's own certificate. Compare the SHA-256 that the browser
      shows of the certificate with the one that is printed here, or have the browser trust the CA,
      which -o json shows as serverCa.
      """
  ) { session throws(CommandError) in
    let answer = try await session.call(
      ManagementServiceMethods.createDashboardLink, CreateDashboardLinkRequest())
    switch session.format {
    case .json: session.printJSON(answer)
    case .table:
      let url = preferred(answer.urls, session.endpoint)
      session.print(Printable.line(url) + "\n")
      session.tell(
        Printable.line(
          "omnictl: the link works once, until \(Moment.text(answer.expiresAt)); the certificate's SHA-256 is "
            + answer.serverCertificateFingerprint))
      let others = answer.urls.filter { $0 != url }.compactMap { $0.split(separator: "#").first }
      if !others.isEmpty {
        session.tell(
          Printable.line(
            "omnictl: what stands behind # works at \(others.joined(separator: ", ")) too"))
      }
    }
  }

  /// The link at the host by which the server was reached; else the first.
  static func preferred(_ urls: [String], _ endpoint: Endpoint) -> String {
    if case .tls(let host, _) = endpoint,
      let url = urls.first(where: {
        $0.hasPrefix("https://\(host):") || $0.hasPrefix("https://[\(host)]:")
      })
    {
      return url
    }
    return urls.first ?? ""
  }
}
