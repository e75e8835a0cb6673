import Rotation
import Testing

@testable import Notifications

/// The file that says what a target has been told of.
@Suite("The record of what was delivered")
struct DeliveryRecordTests {
  private static let begin = Instant(secondsSince1970: 1_764_460_800)

  private func later(_ seconds: Int64) -> Instant { Self.begin.advanced(by: .seconds(seconds)) }

  private func record(_ count: Int) -> DeliveryRecord {
    var record = DeliveryRecord(since: Self.begin)
    for number in 0..<count { record.settle("evt_\(number)", at: later(Int64(number))) }
    return record
  }

  @Test("A record is read back as it was written", arguments: [0, 1, 100, DeliveryRecord.limit])
  func roundTrip(count: Int) throws {
    let record = record(count)
    let read = try #require(DeliveryRecord(file: record.file, readAt: later(9999)))
    #expect(read.since == record.since && read.settled == record.settled)
    #expect(record.file.count <= DeliveryRecord.sizeLimit)
  }

  @Test("The text is what the documentation shows, and holds no more than identifiers and times")
  func text() {
    #expect(
      String(decoding: record(2).file, as: UTF8.self)
        == "omnid notifications 1\nsince 1764460800\nevt_0 1764460800\nevt_1 1764460801\nend\n")
  }

  @Test("A file that is cut anywhere, or changed at its ends, is not taken for a whole one")
  func damaged() {
    let file = record(3).file
    for length in 0..<file.count {
      #expect(DeliveryRecord(file: Array(file.prefix(length)), readAt: Self.begin) == nil)
    }
    for text in [
      "", "omnid notifications 2\nsince 1\nend\n", "omnid notifications 1\nsince x\nend\n",
      "omnid notifications 1\nsince 1\nevt_1\nend\n",
      "omnid notifications 1\nsince 1\nmsg_1 5\nend\n",
      "omnid notifications 1\nsince 1\nevt_1 soon\nend\n",
    ] {
      #expect(DeliveryRecord(file: Array(text.utf8), readAt: Self.begin) == nil, "\(text)")
    }
    #expect(DeliveryRecord(file: [UInt8](repeating: 0xff, count: 1000), readAt: Self.begin) == nil)
    let long = [UInt8](repeating: 0x0a, count: DeliveryRecord.sizeLimit + 1)
    #expect(DeliveryRecord(file: long, readAt: Self.begin) == nil)
  }

  @Test("It is bounded: what was settled first is forgotten first")
  func bounded() {
    let record = record(DeliveryRecord.limit + 10)
    #expect(record.settled.count == DeliveryRecord.limit)
    #expect(!record.isSettled("evt_9") && record.isSettled("evt_10"))
  }

  @Test("What the records still show is remembered, however long ago it was told")
  func conditions() {
    var record = record(2)
    let memory = DeliveryQueue.memory
    let month = later(30 * 86_400)
    record.see("evt_1", at: month)
    record.prune(at: month, keeping: memory)
    #expect(!record.isSettled("evt_0") && record.isSettled("evt_1"))
    // After a restart it is not forgotten before the records have been looked at for as long.
    let year = later(365 * 86_400)
    var read = DeliveryRecord(file: record.file, readAt: year)!
    read.prune(at: year.advanced(by: memory), keeping: memory)
    #expect(read.isSettled("evt_1"))
    read.prune(at: year.advanced(by: memory + .seconds(1)), keeping: memory)
    #expect(!read.isSettled("evt_1"))
  }
}
