import Crypto
import Orchestrator
import RPCTransport
import Rotation

/// What came of asking at the endpoints of the talosconfig before a start.
struct EndpointLook: Sendable {
  var findings: [Finding] = []
  /// Those that are left out, as the record has them: nobody of the cluster answers there, as a person has said.
  var gone: Set<String> = []
  /// By what the person has named endpoints.
  var named: Set<String> = []
  /// What has come of what was said of endpoints, a line each.
  var notes: [String] = []

  mutating func add(_ other: EndpointLook) {
    findings += other.findings
    gone.formUnion(other.gone)
    named.formUnion(other.named)
    notes += other.notes
  }

  /// - Parameters:
  ///   - text: the endpoint as it is on record.
  ///   - machines: those that are rotated.
  ///   - accounted: machines of which it is found out elsewhere whether they are there.
  ///   - leftOut: what a person has said to be gone. It counts of an endpoint as long as nobody of the cluster answers there.
  ///   - cluster: which is on record; nil: the endpoints are named just now.
  ///   - trace: looks for whoever answers there.
  static func of(
    _ place: TalosEndpoint, as text: String, _ answer: Result<String, TalosFailure>,
    machines: [Machine], accounted: [Machine], leaving leftOut: LeftOutMachines,
    cluster: String?, trace: () async -> String?
  ) async -> EndpointLook {
    var look = EndpointLook(named: leftOut.names.intersection(place.names.union([text])))
    switch answer {
    case .success(let identity):
      look.findings = [EndpointAnswer.stranger(place, identity, machines: machines)]
        .compactMap(\.self)
      look.notes = look.named.sorted().map {
        "\($0) is not left out, because a machine answers there"
      }
    case .failure where (machines + accounted).contains { $0.address == place.host }: break
    case .failure(let failure) where look.named.isEmpty:
      look.findings = [EndpointAnswer.unanswered(place, failure, cluster: cluster)]
    case .failure:
      if let sign = await trace() {
        look.findings = [EndpointAnswer.present(place, sign)]
      } else {
        look.gone = [text]
        look.notes = [EndpointAnswer.left(place)]
      }
    }
    return look
  }
}

extension TalosDriver {
  /// Whether machines answer at endpoints of the talosconfig that are none of the machines. Who does not answer is no
  /// finding, because a gate would wait without end.
  func endpointFindings(_ machines: [Machine], _ access: ClusterAccess) async -> [Finding] {
    await concurrently(endpoints(of: machines, access)) { endpoint -> Finding? in
      guard case .success(let identity) = await self.identity(at: endpoint.place, access) else {
        return nil
      }
      return EndpointAnswer.stranger(endpoint.place, identity, machines: machines)
    }.compactMap(\.self)
  }

  /// The same before a start, where an endpoint that nobody answers at is a finding: whoever it was could be locked out.
  ///
  /// - Parameters:
  ///   - leftOut: what a person has said to be gone.
  ///   - gone: machines that were looked for in vain, or are proved to have left.
  func endpointFindings(
    _ machines: [Machine], _ access: ClusterAccess, leaving leftOut: LeftOutMachines,
    gone: [Machine]
  ) async -> EndpointLook {
    let looks = await concurrently(endpoints(of: machines, access)) { endpoint in
      let (text, place) = endpoint
      return await EndpointLook.of(
        place, as: text, await self.identity(at: place, access), machines: machines,
        accounted: gone, leaving: leftOut, cluster: access.cluster.name
      ) { await self.trace(of: [place.machine], access) }
    }
    return looks.reduce(into: EndpointLook()) { $0.add($1) }
  }

  /// The endpoints on record but for the control planes' own addresses: whoever calls this looks at the machine too, and the
  /// look fails where another one answers.
  private func endpoints(
    of machines: [Machine], _ access: ClusterAccess
  ) -> [(text: String, place: TalosEndpoint)] {
    access.cluster.endpoints.compactMap { text in
      guard let place = TalosEndpoint(text),
        !machines.contains(where: {
          $0.role == .controlPlane && !$0.identity.isEmpty && $0.address == place.host
            && $0.port == place.port
        })
      else { return nil }
      return (text, place)
    }
  }

  /// The node identity of the machine that answers at an endpoint, which its certificate need not name: what a machine
  /// says of itself there only ever adds to what is looked at.
  private func identity(
    at endpoint: TalosEndpoint, _ access: ClusterAccess
  ) async -> Result<String, TalosFailure> {
    do throws(TalosFailure) {
      var failure = TalosFailure.unreachable("not asked")
      for tls in try tlsClients(access) {
        do throws(TalosFailure) { return .success(try await identity(at: endpoint, as: tls)) } catch
        {
          failure = error
        }
        guard failure.isWrongName else { continue }
        do throws(TalosFailure) {
          return .success(try await identity(at: endpoint, as: tls.withoutName))
        } catch { failure = error }
      }
      return .failure(failure)
    } catch { return .failure(error) }
  }

  private func identity(
    at endpoint: TalosEndpoint, as tls: TLSClient
  ) async throws(TalosFailure) -> String {
    try await TalosConnection.with(endpoint, tls, timeout: settings.callTimeout) {
      rpc throws(TalosFailure) in
      try await TalosClient(rpc: rpc, node: nil, timeout: self.settings.callTimeout).identity()
        ?? ""
    }
  }
}

extension TalosEndpoint {
  /// What a person may call it.
  var names: Set<String> {
    [description, host, HostPort(host: host, port: port).description]
  }

  /// Whoever answers there.
  var machine: Machine {
    Machine(id: description, address: host, role: .controlPlane, port: port, identity: "")
  }
}

/// What is said of an endpoint of the talosconfig.
enum EndpointAnswer {
  /// - Returns: nil if one of the machines answers there.
  static func stranger(
    _ endpoint: TalosEndpoint, _ identity: String, machines: [Machine]
  ) -> Finding? {
    guard !identity.isEmpty, !machines.contains(where: { $0.identity == identity }),
      !machines.contains(where: { $0.identity.isEmpty && $0.address == endpoint.host })
    else { return nil }
    return Finding(
      .notCovered, endpoint.description,
      "\(endpoint) of the talosconfig is answered by a machine (node id \(identity)) that is none of the "
        + "machines that would be rotated: it would be locked out")
  }

  /// - Parameter cluster: which is on record; nil: it is being imported.
  static func unanswered(
    _ endpoint: TalosEndpoint, _ failure: TalosFailure, cluster: String?
  ) -> Finding {
    let others =
      cluster.map {
        "put other endpoints on record (omnictl cluster adopt \($0) --talosconfig FILE --endpoints ADDRESS)"
      } ?? "name endpoints that answer (--endpoints)"
    return Finding(
      .notCovered, endpoint.description,
      "nobody can say which machine \(endpoint) of the talosconfig is: bring it up, leave it out if it is gone for good "
        + "(--leave-out \(endpoint)), or \(others); \(Routes.plain(failure.message))")
  }

  /// - Parameter sign: what shows that somebody of the cluster is there.
  static func present(_ endpoint: TalosEndpoint, _ sign: String) -> Finding {
    Finding(
      .notCovered, endpoint.description,
      "\(endpoint) of the talosconfig is to be left out, but \(sign), so somebody is there who would be locked out: switch "
        + "it off or reset it, or start without --leave-out")
  }

  static func left(_ endpoint: TalosEndpoint) -> String {
    "\(endpoint) of the talosconfig is left out, as asked: nobody of the cluster answers there, and it is no endpoint of the "
      + "cluster any more, unless it is the last one"
  }
}
