import RPC
import Testing

@Suite struct CallRecordTests {
  @Test("Identifiers are 16 hexadecimal digits and all different")
  func identifiers() {
    let ids = (0..<10_000).map { _ in CallRecord().id }
    #expect(Set(ids).count == ids.count)
    #expect(ids.allSatisfy { $0.utf8.count == 16 && $0.allSatisfy(\.isHexDigit) })
  }

  @Test("What is said again is replaced where it stands")
  func notes() {
    let record = CallRecord()
    record.note("a", .text("1"))
    record.note("b", .number(2))
    record.note("a", .text("3"))
    #expect(record.notes.map(\.name) == ["a", "b"])
    #expect(record.notes.map(\.value) == [.text("3"), .number(2)])
  }

  @Test(
    "A call has one record, whose identifier its caller is told once, with good and bad statuses",
    arguments: Transport.allCases)
  func told(_ transport: Transport) async throws {
    var router = Echo.router()
    let method = Echo.method("Recorded", .unary)
    router.handle(method) { (request: [UInt8], call) in
      let id = call.beginRecord().id
      guard call.beginRecord().id == id, call.record?.id == id else { return [] }
      if request.isEmpty { throw RPCError(.notFound, id) }
      return Array(id.utf8)
    }
    try await transport.withClient(router) { client in
      let answer = try await client.unaryResponse(method, [1])
      let id = String(decoding: answer.message, as: UTF8.self)
      #expect(answer.trailingMetadata.values(CallRecord.metadataName) == [.text(id)])
      let error = await #expect(throws: RPCError.self) { try await client.unary(method, []) }
      #expect(error?.metadata.values(CallRecord.metadataName) == [.text(error?.message ?? "")])
    }
  }
}
