import Crypto
import Foundation
import Rotation
import Synchronization
import Testing

@testable import Notifications

/// One target and its thread, with a sender that the test plays.
@Suite("Couriers")
struct CourierTests {
  /// What couriers meet: answers in order, and what they have done.
  private final class Stage: Sendable {
    let outcomes = Mutex<[DeliveryOutcome]>([])
    let sent = Mutex<[String]>([])
    let kept = Mutex<[DeliveryRecord]>([])
    let reports = Mutex<[CourierReport]>([])
    let uptime = Mutex(Duration.zero)
    let isHeld = Mutex(false)
    let isFull = Mutex(false)

    var surroundings: CourierSurroundings {
      CourierSurroundings(
        now: { CourierTests.begin }, uptime: { self.uptime.withLock { $0 } },
        send: { event, target in
          self.sent.withLock { $0.append("\(target.name) \(event.id)") }
          while self.isHeld.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.005) }
          return self.outcomes.withLock { $0.isEmpty ? .taken : $0.removeFirst() }
        },
        keep: { _, record in
          if self.isFull.withLock({ $0 }) { throw NotificationError("no space left on device") }
          self.kept.withLock { $0.append(record) }
        }, report: { report in self.reports.withLock { $0.append(report) } })
    }
  }

  private static let begin = Instant(secondsSince1970: 1_764_460_800)

  private static func event(_ name: String) -> CloudEvent {
    CloudEvent(
      .rotationEnded, key: [name], source: "", cluster: "prod", subject: name, time: begin,
      isCondition: false, data: Array("{}".utf8))
  }

  private let stage = Stage()

  private func courier(_ name: String = "ops") -> Courier {
    Courier(
      TargetSettings(
        name: name, url: "https://a.example", secret: SecretBytes(copying: [1])),
      DeliveryRecord(since: Self.begin), stage.surroundings)
  }

  private func eventually(_ isSo: () -> Bool) async -> Bool {
    for _ in 0..<2000 {
      if isSo() { return true }
      try? await Task.sleep(for: .milliseconds(5))
    }
    return false
  }

  @Test("What was taken is on record before the next event is sent, and is not sent again")
  func record() async {
    let courier = courier()
    courier.offer([Self.event("a"), Self.event("b"), Self.event("a")])
    #expect(await eventually { courier.counts.sent == 2 && courier.isIdle })
    let records = stage.kept.withLock { $0 }
    #expect(records.map { $0.isSettled(Self.event("a").id) } == [true, true])
    #expect(records.map { $0.isSettled(Self.event("b").id) } == [false, true])
    courier.offer([Self.event("a"), Self.event("b")])
    #expect(courier.news(among: [Self.event("a").id, Self.event("c").id]) == [Self.event("c").id])
    #expect(await eventually { courier.isIdle })
    #expect(stage.sent.withLock { $0.count } == 2)
  }

  @Test("A target that does not answer keeps neither another target nor whoever offers waiting")
  func hanging() async {
    stage.isHeld.withLock { $0 = true }
    let hanging = courier("hanging")
    hanging.offer([Self.event("a"), Self.event("b")])
    #expect(await eventually { stage.sent.withLock { $0.count } == 1 })
    let other = Stage()
    let quick = Courier(
      TargetSettings(name: "quick", url: "https://b.example", secret: SecretBytes(copying: [1])),
      DeliveryRecord(since: Self.begin), other.surroundings)
    quick.offer([Self.event("a"), Self.event("b")])
    #expect(await eventually { quick.counts.sent == 2 })
    #expect(hanging.backlog == 2 && hanging.counts.sent == 0 && !hanging.isIdle)
    hanging.stop()
    stage.isHeld.withLock { $0 = false }
    #expect(await eventually { hanging.isIdle })
    #expect(hanging.counts.sent == 1 && hanging.backlog == 1, "nothing is begun after the stop")
  }

  @Test("The log hears of the first failure, of the end of failures, and not of each in between")
  func reports() async {
    stage.outcomes.withLock { $0 = [.failed("no"), .failed("no"), .failed("never")] }
    let courier = courier()
    courier.offer([Self.event("a")])
    for seconds in [0, 10, 20, 400] {
      stage.uptime.withLock { $0 = .seconds(seconds) }
      courier.offer([])
      #expect(await eventually { courier.isIdle })
    }
    #expect(
      stage.reports.withLock { $0 } == [
        .failing(target: "ops", reason: "no", failures: 1), .recovered(target: "ops"),
        .delivered(target: "ops", Self.event("a")),
      ])
  }

  @Test("A disk that is full stops no delivery; it is said, and what was taken is not sent again")
  func full() async {
    stage.isFull.withLock { $0 = true }
    let courier = courier()
    courier.offer([Self.event("a"), Self.event("b")])
    #expect(await eventually { courier.counts.sent == 2 && courier.isIdle })
    courier.offer([Self.event("a")])
    #expect(await eventually { courier.isIdle })
    #expect(stage.sent.withLock { $0.count } == 2)
    #expect(
      stage.reports.withLock { $0 }.filter {
        $0 == .unrecorded(target: "ops", reason: "no space left on device")
      }.count == 1)
  }

  @Test("What the target from before said counts nothing against the one that is meant now")
  func otherTarget() async {
    stage.isHeld.withLock { $0 = true }
    stage.outcomes.withLock { $0 = [.gone] }
    let courier = courier()
    courier.offer([Self.event("a")])
    #expect(await eventually { stage.sent.withLock { $0.count } == 1 })
    courier.update(
      TargetSettings(name: "ops", url: "https://b.example", secret: SecretBytes(copying: [1])))
    stage.isHeld.withLock { $0 = false }
    #expect(await eventually { courier.isIdle })
    stage.uptime.withLock { $0 = .seconds(400) }
    courier.offer([])
    #expect(await eventually { courier.counts.sent == 1 })
  }

  @Test("What a target was told of that has been taken out meanwhile is not kept")
  func removed() async {
    stage.isHeld.withLock { $0 = true }
    let courier = courier()
    courier.offer([Self.event("a")])
    #expect(await eventually { stage.sent.withLock { $0.count } == 1 })
    courier.remove()
    stage.isHeld.withLock { $0 = false }
    #expect(await eventually { courier.isIdle })
    #expect(stage.kept.withLock { $0 }.isEmpty)
  }

  @Test("A target that is gone is told of again after its settings were read again")
  func gone() async {
    stage.outcomes.withLock { $0 = [.gone] }
    let courier = courier()
    courier.offer([Self.event("a")])
    #expect(await eventually { courier.isIdle && courier.counts.failedTries == 1 })
    courier.offer([Self.event("b")])
    #expect(courier.backlog == 0)
    #expect(stage.reports.withLock { $0 } == [.gone(target: "ops")])
    courier.update(courier.target)
    courier.offer([Self.event("b")])
    #expect(await eventually { courier.counts.sent == 1 })
  }
}
