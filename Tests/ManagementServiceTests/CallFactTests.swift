import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema
import Synchronization
import Testing

@testable import ManagementService

/// What the log tells of calls beside what the calls themselves show.
@Suite("What the log tells of calls", .timeLimit(.minutes(1)))
struct CallFactTests {
  /// Keeps the records of calls, as the log of calls does.
  final class Records: ServerInterceptor {
    private let all = Mutex<[CallRecord]>([])

    func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
      let record = call.beginRecord()
      all.withLock { $0.append(record) }
      try await next()
    }

    /// Of the call that came last.
    var last: (id: String, facts: [String: CallRecord.Value]) {
      let record = all.withLock { $0.last }
      return (
        record?.id ?? "",
        Dictionary(
          uniqueKeysWithValues: (record?.notes ?? []).map { ($0.name, $0.value) })
      )
    }
  }

  private let records = Records()

  @Test("A call that starts a rotation tells which, and the rotation tells which call")
  func rotation() async throws {
    let served = try await ServedManagement(interceptors: [records])
    let response = try await served.rotate()
    let (id, facts) = records.last
    let rotation = try #require(response.status?.rotationID)
    #expect(facts["cluster"] == .text("demo") && facts["component"] == .text("talos-ca"))
    #expect(facts["rotation"] == .text(rotation) && facts["stage"] == .text("PRE_ROTATE"))
    let begun = try #require(try await served.audit.entries(after: 0, limit: 1).first)
    #expect(facts["audit"] == .number(Int64(begun.index)))
    #expect(served.orchestrator.current(cluster: "demo")?.snapshot.call == id)
    _ = try await served.finish()
  }

  @Test("A dry run is of no rotation, also where the last one is over")
  func rehearsal() async throws {
    let served = try await ServedManagement(interceptors: [records])
    _ = try await served.rotate()
    _ = try await served.finish()
    _ = try await served.rotate { $0.dryRun = true }
    let facts = records.last.facts
    #expect(facts["cluster"] == .text("demo") && facts["component"] == .text("talos-ca"))
    #expect(facts["rotation"] == nil && facts["stage"] == nil)
  }

  @Test("A call that is refused tells what it named")
  func refused() async throws {
    let served = try await ServedManagement(interceptors: [records])
    _ = try await failure { _ = try await served.rotate("elsewhere", .kubernetesCA) }
    #expect(records.last.facts["cluster"] == .text("elsewhere"))
    #expect(records.last.facts["component"] == .text("kubernetes-ca"))
    var request = LockMachineRequest()
    request.cluster = "demo"
    request.machine = "nobody"
    _ = try await failure {
      _ = try await served.client.unary(ManagementServiceMethods.lockMachine, request)
    }
    #expect(records.last.facts["machine"] == .text("nobody"))
    _ = try await failure { _ = try await served.status("elsewhere") }
    #expect(records.last.facts == ["cluster": .text("elsewhere")])
  }

  @Test("An issued credential is told by serial, CA, holder, roles, time and end, never itself")
  func credential() async throws {
    let served = try await ServedManagement(interceptors: [records])
    var request = TalosconfigRequest()
    request.cluster = "demo"
    request.roles = ["os:reader", "os:etcd:backup"]
    request.ttl = ProtoDuration(seconds: 3600)
    let response = try await served.client.unary(ManagementServiceMethods.talosconfig, request)
    let facts = records.last.facts
    #expect(facts["serial"] == .text(response.serial) || response.serial.isEmpty)
    #expect(facts["holder"] == .text("uid:1000"))
    #expect(facts["roles"] == .text("os:reader,os:etcd:backup"))
    #expect(facts["ttl"] == .number(3600))
    let end = try #require(response.expiresAt)
    #expect(facts["expires"] == .text("\(Instant(secondsSince1970: end.seconds))"))
    #expect(!facts.values.contains(.text(response.talosconfig)))
  }

  @Test("A token is told by its grant and holder, never itself, and so is what revokes it")
  func token() async throws {
    let served = try await ServedManagement(interceptors: [records])
    var request = IssueTokenRequest()
    request.name = "ci"
    request.role = .reader
    request.ttl = ProtoDuration(seconds: 600)
    let issued = try await served.client.unary(ManagementServiceMethods.issueToken, request)
    let grant = try #require(issued.grant)
    let facts = records.last.facts
    #expect(facts["grant"] == .text(grant.id) && facts["serial"] == nil)
    #expect(facts["holder"] == .text("ci") && facts["roles"] == .text("reader"))
    #expect(facts["ttl"] == .number(600))
    #expect(!facts.values.contains(.text(issued.token)))
    var revocation = RevokeAccessRequest()
    revocation.id = grant.id
    _ = try await served.client.unary(ManagementServiceMethods.revokeAccess, revocation)
    #expect(records.last.facts["grant"] == .text(grant.id))
  }

  @Test(
    "A call that changes something has an identifier although nothing else keeps a record of it")
  func unlogged() async throws {
    let served = try await ServedManagement()
    var request = RotateSecretRequest()
    request.cluster = "demo"
    request.component = .talosCA
    let response = try await served.client.unaryResponse(
      ManagementServiceMethods.rotateSecret, request)
    let id = try #require(response.trailingMetadata["x-request-id"])
    #expect(served.orchestrator.current(cluster: "demo")?.snapshot.call == id)
    _ = try await served.finish()
  }
}
