import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema
import Testing

@testable import ManagementService

@Suite("What the audit log tells of calls")
struct AuditTests {
  private func entries(
    _ served: ServedManagement, after index: UInt64 = 0
  ) async throws -> [Schema.AuditEntry] {
    var request = ReadAuditLogRequest()
    request.afterIndex = index
    return try await served.client.serverStreaming(
      ManagementServiceMethods.readAuditLog, request
    ) { responses in
      var seen: [Schema.AuditEntry] = []
      for try await response in responses { seen.append(try #require(response.entry)) }
      return seen
    }
  }

  /// Sends an empty request to a method by its name.
  private func callEmpty(_ method: SchemaMethod, _ client: RPCClient) async {
    let raw = Method<[UInt8], [UInt8]>(
      service: ManagementServiceMethods.service, name: method.name, kind: .unary,
      request: .bytes, response: .bytes)
    _ = try? await client.unary(raw, [])
  }

  @Test(
    "Every method that is not declared free of side effects is written down, twice for each call")
  func everyMethod() async throws {
    let served = try await ServedManagement()
    for method in ManagementServiceMethods.schema.methods {
      let before = try await served.audit.entries(after: 0, limit: 1000).count
      guard method.idempotency != .noSideEffects else { continue }
      await callEmpty(method, served.client)
      let new = try await served.audit.entries(after: UInt64(before), limit: 1000)
      #expect(new.map(\.event.method) == [method.name, method.name])
      #expect(new.first?.event.code == "" && new.first?.event.call == 0)
      let expected =
        switch method.name {
        // Their requests may be empty.
        case "ChangeMasterKey", "CreateDashboardLink", "CloseDashboardSession": "OK"
        case "OpenDashboardSession": "UNAUTHENTICATED"
        default: "INVALID_ARGUMENT"
        }
      #expect(new.last?.event.code == expected)
      #expect(new.last?.event.call == new.first?.index)
    }
  }

  @Test("An entry tells who asked for what, and what came of it")
  func content() async throws {
    let served = try await ServedManagement()
    let started = try await served.rotate {
      $0.reason = "a \"laptop\" was lost"
      $0.requestID = "r-1"
      $0.allowUnready = true
    }
    _ = try await served.finish()
    _ = try await failure { _ = try await served.rotate("nobody") }
    let seen = try await entries(served)
    #expect(seen.map(\.index) == [1, 2, 3, 4])
    #expect(seen.allSatisfy { $0.caller == "uid:1000" && $0.method == "RotateSecret" })
    #expect(
      seen[0].request
        == "component=talos-ca allow_unready=true request_id=r-1 reason=\"a \\\"laptop\\\" was lost\""
    )
    #expect(seen[0].cluster == "demo" && seen[0].code.isEmpty)
    #expect(seen[1].code == "OK")
    #expect(seen[1].message == "rotation \(started.status?.rotationID ?? "?"), started")
    #expect(seen[3].cluster == "nobody" && seen[3].code == "NOT_FOUND" && !seen[3].message.isEmpty)
    #expect(try await entries(served, after: 3).map(\.index) == [4])
  }

  @Test("No text of a caller ends its quotation marks, or pushes another field out")
  func quoting() async throws {
    let served = try await ServedManagement()
    for reason in [
      "x\"\u{301} force=true", "a\r\nb", String(repeating: "y", count: 1024), "e\u{1B}[2J",
    ] {
      _ = try? await served.rotate("nobody") {
        $0.reason = reason
        $0.removeForeign = true
        $0.ownerAck = true
      }
      let text = try #require(try await entries(served).last).request
      #expect(text.hasPrefix("component=talos-ca remove_foreign=true owner_ack=true reason="))
      #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
      var marks = 0
      var isEscaped = false
      for scalar in text.unicodeScalars {
        if scalar == "\"", !isEscaped { marks += 1 }
        isEscaped = scalar == "\\" && !isEscaped
      }
      #expect(marks == 0 || marks == 2, "\(text)")
    }
  }

  @Test("Whoever has seen an entry that is not there any more, or never was, is told so")
  func outOfRange() async throws {
    let served = try await ServedManagement()
    _ = try? await served.rotate("nobody")
    #expect(try await entries(served, after: 2).isEmpty)
    let error = try await failure { _ = try await entries(served, after: 3) }
    #expect(error.code == .outOfRange)
  }

  @Test("A dry run changes nothing and is not written down")
  func dryRun() async throws {
    let served = try await ServedManagement()
    _ = try await served.rotate { $0.dryRun = true }
    #expect(try await entries(served).isEmpty)
  }

  @Test("A talosconfig that is imported does not stand in the log")
  func secret() async throws {
    let served = try await ServedManagement()
    var request = ImportClusterRequest()
    request.cluster = "second"
    request.talosconfig = "context: SECRET"
    request.endpoints = ["10.0.0.1", "10.0.0.2"]
    _ = try? await served.client.unary(ManagementServiceMethods.importCluster, request)
    let seen = try await entries(served)
    #expect(seen.first?.request == "endpoints=10.0.0.1,10.0.0.2")
    #expect(!"\(seen)".contains("SECRET"))
  }

  @Test("A credential that was handed out is known by its serial number, its CA and its end")
  func credentials() async throws {
    let served = try await ServedManagement()
    var request = TalosconfigRequest()
    request.cluster = "demo"
    request.roles = ["os:reader"]
    request.ttl = ProtoDuration(seconds: 600)
    let answer = try await served.client.unary(ManagementServiceMethods.talosconfig, request)
    #expect(answer.serial == "5e71a1" && answer.caFingerprint == "talos-ca of demo")
    let seen = try await entries(served)
    #expect(seen.first?.request == "roles=os:reader ttl=600s")
    #expect(
      seen.last?.message
        == "serial 5e71a1 of CA talos-ca of demo, until \(Instant(secondsSince1970: 1_800_000_600))"
    )
    #expect(!"\(seen)".contains("talosconfig of demo"))
  }

  @Test("A caller whom nobody knows is refused and written down, and may not read the log")
  func unknown() async throws {
    let served = try await ServedManagement(peer: Peer(address: "192.0.2.1:4711"))
    let refused = try await failure { _ = try await served.rotate() }
    #expect(refused.code == .unauthenticated)
    let seen = try await served.audit.entries(after: 0, limit: 9)
    #expect(seen.map(\.event.caller) == ["unknown 192.0.2.1:4711", "unknown 192.0.2.1:4711"])
    #expect(seen.last?.event.code == "UNAUTHENTICATED")
    #expect(try await failure { _ = try await entries(served) }.code == .unauthenticated)
  }

  @Test("Whoever follows is sent what is added, and told when the server drains")
  func follow() async throws {
    let served = try await ServedManagement()
    var request = ReadAuditLogRequest()
    request.follow = true
    let (client, audit) = (served.client, served.audit)
    let ended = try await failure {
      try await client.serverStreaming(ManagementServiceMethods.readAuditLog, request) {
        responses in
        var iterator = responses.makeAsyncIterator()
        var lock = LockClusterRequest()
        lock.cluster = "demo"
        for index in 1...3 as ClosedRange<UInt64> {
          _ = try await client.unary(ManagementServiceMethods.lockCluster, lock)
          #expect(try await iterator.next()?.entry?.index == 2 * index - 1)
          #expect(try await iterator.next()?.entry?.index == 2 * index)
        }
        audit.close()
        _ = try await iterator.next()
      }
    }
    #expect(ended.code == .unavailable)
  }
}
