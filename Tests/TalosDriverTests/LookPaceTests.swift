import Rotation
import Testing

@testable import TalosDriver

@Suite("When a machine that is waited for is looked at again")
struct LookPaceTests {
  private let settings = TalosDriverSettings()

  private func plan(_ open: [CheckName], hasRead: Bool = true) -> WatchPlan {
    WatchPlan(.kubernetesCA, open: open.map(\.rawValue), hasRead: hasRead)
  }

  @Test(
    "Without a watch the looks come ever more slowly, and the last one at the end of the window")
  func unwatched() {
    var pace = LookPace(settings, told: [])
    var (now, looks): (Duration, [Duration]) = (.zero, [])
    while !pace.isLast(at: now), looks.count < 100 {
      looks.append(now)
      now = pace.next(after: now, plan([.kubelet]), .opening)
      pace.rested(plan([.kubelet]), .opening)
    }
    #expect(looks == [0, 50, 150, 350, 750, 1150, 1550].map { .milliseconds($0) })
    #expect(now == .milliseconds(1950))
  }

  @Test("With an open watch that shows nothing, the looks come once a second")
  func watched() {
    var pace = LookPace(settings, told: [CheckName.kubeletClient.rawValue])
    let plan = plan([.kubeletClient])
    var (now, looks): (Duration, [Duration]) = (.zero, [])
    while !pace.isLast(at: now), looks.count < 100 {
      looks.append(now)
      now = pace.next(after: now, plan, .open)
      pace.rested(plan, .open)
    }
    #expect(looks == (0...7).map { .seconds($0) })
    #expect(now == .milliseconds(7600))
  }

  @Test(
    "Where all that is waited for is watched, a watch that shows nothing leaves the last look alone"
  )
  func complete() {
    var pace = LookPace(settings, told: [])
    let due = pace.next(after: .zero, plan([.kubelet]), .open)
    #expect(due == .milliseconds(1600))
    pace.rested(plan([.kubelet]), .open)
    #expect(pace.isLast(at: due))
    // What Kubernetes is asked for, no watch of Talos shows.
    #expect(pace.next(after: .zero, plan([.nodeReady]), .open) == .milliseconds(400))
    #expect(pace.next(after: .zero, plan([.kubelet]), .ended) == .milliseconds(400))
  }

  @Test(
    "An answer may take long once it has told what it waits for; what is new in it is told soon")
  func windows() {
    var pace = LookPace(settings, told: [])
    #expect(pace.end == settings.lookWindow)
    pace.found(open: ["kubelet"], at: .seconds(1))
    #expect(pace.end == settings.lookWindow)
    pace = LookPace(settings, told: ["kubelet", "node-ready"])
    #expect(pace.end == settings.longLookWindow)
    pace.found(open: ["node-ready"], at: .seconds(1))
    #expect(pace.end == settings.longLookWindow)
    pace.found(open: ["kubelet-client"], at: .seconds(3))
    #expect(pace.end == .seconds(5))
    pace.found(open: ["static-pods"], at: .milliseconds(4500))
    #expect(pace.end == .seconds(5))
  }

  @Test(
    "A change is looked at at once; a machine that shows changes without end is not, after a while")
  func endless() {
    for isFollowed in [false, true] {
      var pace = LookPace(settings, told: ["kubelet"])
      var (now, looks): (Duration, [Duration]) = (.zero, [])
      while now < .seconds(7) {
        now = pace.changed(at: now, last: now, isFollowed: isFollowed)
        looks.append(now)
      }
      let pauses = zip(looks.dropFirst(), looks).map { $0 - $1 }
      #expect(looks[0] == settings.firstLookPause)
      #expect(pauses.allSatisfy { $0 >= settings.firstLookPause })
      #expect(pauses.dropFirst(8).allSatisfy { $0 >= settings.longestLookPause })
    }
    var pace = LookPace(settings, told: [])
    // Long after the last look only the changes that come together are waited for.
    #expect(
      pace.changed(at: .seconds(1), last: .zero, isFollowed: false)
        == .seconds(1) + settings.changePause)
  }

  @Test("What may come a moment after a change is looked at again and again for a moment")
  func followed() {
    let plan = WatchPlan(.talosCA, open: [CheckName.clientAccepted.rawValue], hasRead: false)
    var pace = LookPace(settings, told: [CheckName.clientAccepted.rawValue])
    var now = pace.next(after: .zero, plan, .open)
    #expect(now == settings.watchedPause)
    pace.rested(plan, .open)
    now = pace.changed(at: now, last: now, isFollowed: true)
    var pauses: [Duration] = []
    for _ in 0..<5 {
      let next = pace.next(after: now, plan, .open)
      pauses.append(next - now)
      pace.rested(plan, .open)
      now = next
    }
    #expect(pauses == [50, 100, 200, 1000, 1000].map { .milliseconds($0) })
  }

  @Test("What is watched follows from what is open, and is little")
  func plans() {
    func types(_ plan: WatchPlan) -> [String] { plan.targets.map(\.type) }
    let all = CheckName.allCases.map(\.rawValue)
    #expect(WatchPlan(.kubernetesCA, open: all, hasRead: true).targets.count == 3)
    #expect(WatchPlan(.talosCA, open: all, hasRead: true).targets.count == 2)
    #expect(types(plan([.kubelet])) == ["Services.v1alpha1.talos.dev"])
    #expect(plan([.kubelet]).isComplete && plan([.kubelet, .kubeletClient]).isComplete)
    #expect(!plan([.kubeletClient]).isComplete && !plan([.kubelet, .staticPods]).isComplete)
    #expect(types(plan([.nodeReady, .apiServerReady])) == [])
    #expect(types(plan([.staticPods], hasRead: false)) == [])
    // A watch that was opened for something else tells nothing of it.
    let pods = plan([.staticPods])
    #expect(types(plan([.kubelet]).limited(to: pods)) == [])
    #expect(!plan([.kubelet]).limited(to: pods).isComplete)
    #expect(types(plan([.kubelet]).limited(to: plan([.kubelet, .staticPods]))).count == 1)
    let talos = WatchPlan(.talosCA, open: [CheckName.clientAccepted.rawValue], hasRead: false)
    #expect(types(talos) == ["ApiCertificates.secrets.talos.dev"] && !talos.isComplete)
  }
}

@Suite("What tells of a change between two looks", .timeLimit(.minutes(1)))
struct ChangeSignalTests {
  @Test("What came while nobody waited is told at once, and once")
  func before() async {
    let signal = ChangeSignal()
    for _ in 0..<5 { signal.change(isFollowed: false) }
    #expect(await signal.wait(atMost: .seconds(30)) == .change(isFollowed: false))
    #expect(await signal.wait(atMost: .milliseconds(1)) == .timeOver)
  }

  @Test("A change ends a wait, and so do watches that open or end")
  func meanwhile() async {
    let signal = ChangeSignal()
    signal.opening(2)
    let steps: [(ChangeSignal.Reason, @Sendable () -> Void)] = [
      (.change(isFollowed: true), { signal.change(isFollowed: true) }),
      (
        .standing(.open),
        {
          signal.opened()
          signal.opened()
        }
      ),
      (.standing(.ended), { signal.ended() }),
    ]
    for (reason, step) in steps {
      async let told = signal.wait(atMost: .seconds(30))
      try? await Task.sleep(for: .milliseconds(20))
      step()
      #expect(await told == reason)
    }
    #expect(signal.standing == .ended)
  }

  @Test("It is open when all watches are, and not again once one has ended")
  func standing() {
    let signal = ChangeSignal()
    signal.opening(2)
    signal.opened()
    #expect(signal.standing == .opening)
    signal.ended()
    signal.opened()
    #expect(signal.standing == .ended)
  }

  @Test("A change from before a look is not told after it")
  func seen() async {
    let signal = ChangeSignal()
    signal.change(isFollowed: true)
    signal.look()
    #expect(await signal.wait(atMost: .milliseconds(1)) == .timeOver)
  }

  @Test("Whoever waits is cancelled like any other task")
  func cancelled() async {
    let signal = ChangeSignal()
    let waiting = Task { await signal.wait(atMost: .seconds(50)) }
    try? await Task.sleep(for: .milliseconds(20))
    waiting.cancel()
    #expect(await waiting.value == .timeOver)
  }
}
