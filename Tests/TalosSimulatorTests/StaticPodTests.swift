import Testing

@testable import TalosSimulator

@Suite("A mirror pod and its container change at different times")
struct StaticPodTests {
  private func running() -> StaticPod {
    var pod = StaticPod(.scheduler, secretsVersion: 1)
    pod.started(containerID: "one", now: 10)
    pod.becameReady()
    return pod
  }

  @Test("New secrets show on the mirror pod while the old container is still Ready")
  func premature() {
    var pod = running()
    pod.mirrored(secretsVersion: 2)
    #expect(pod.secretsVersion == 2)
    #expect(pod.isReady)
    #expect(pod.containerID == "one")
    #expect(pod.restartCount == 0)
    pod.ended(failed: false, now: 20, ranFor: .seconds(10), timing: .real)
    #expect(!pod.isReady)
    #expect(pod.phase == .ended)
    pod.started(containerID: "two", now: 21)
    #expect(pod.restartCount == 1)
    #expect(!pod.isReady)
    #expect(pod.phase == .running(since: 21))
    #expect(pod.lastTermination?.containerID == "one")
    #expect(pod.lastTermination?.exitCode == 0)
  }

  @Test("Each failure doubles the back-off up to a limit; a long run starts it over")
  func backOff() {
    var pod = running()
    var waits: [StaticPod.Phase] = []
    for number in 0..<7 {
      pod.ended(failed: true, now: 20, ranFor: .seconds(1), timing: .real)
      waits.append(pod.phase)
      pod.started(containerID: "\(number)", now: 30)
    }
    #expect(waits == [10, 20, 40, 80, 160, 300, 300].map { .backingOff(.seconds($0)) })
    pod.ended(failed: true, now: 700, ranFor: .seconds(600), timing: .real)
    #expect(pod.phase == .backingOff(.seconds(10)))
  }

  @Test("A pace can be scaled as a whole, and instant waits for nothing but a stopped API server")
  func pace() {
    let scaled = Timing.real.scaled(by: 0.05)
    #expect(scaled.kubeletPoll == .seconds(1))
    #expect(scaled.crashBackOff == .milliseconds(500))
    #expect(scaled.certificateRefresh == Timing.real.certificateRefresh)
    #expect(Timing.instant.apiServerStart == .zero)
    #expect(Timing.instant.leaseDuration == .zero)
  }
}
