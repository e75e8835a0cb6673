import Crypto
import ProtoCodec
import RPC
import RPCTransport
import Schema
import Testing

@testable import TalosSimulator

extension SimulatedNode {
  /// Changes the machine's node name so often, to texts of such a length.
  fileprivate func rename(times: Int, length: Int) {
    for index in 0..<times {
      var spec = Talos.NodenameSpec()
      spec.nodename = String(repeating: index % 2 == 0 ? "a" : "b", count: length)
      put(ResourceCatalog.nodename, "nodename", spec)
    }
    wakeWatches()
  }
}

extension ClusterSuite {
  @Suite("Watches on a machine's resources", .timeLimit(.minutes(1)))
  struct WatchTests {
    private typealias Answers = ResponseStream<Cosi.WatchResponse>

    private func watch<Result: Sendable>(
      _ definition: ResourceCatalog.Definition, _ id: String? = nil, of node: SimulatedNode,
      _ test: TestCluster, via relay: SimulatedNode? = nil, as pair: PEMPair? = nil,
      options: Cosi.WatchOptions? = nil, version: Int32 = 1,
      _ body: (Answers) async throws -> Result
    ) async throws -> Result {
      var request = Cosi.WatchRequest()
      request.namespace = definition.namespace
      request.type = definition.type
      request.id = id
      request.options = options
      request.apiVersion = version
      return try await test.client(of: relay ?? node, as: pair).serverStreaming(
        Cosi.StateMethods.watch, request,
        options: TestCluster.options(node: relay == nil ? nil : node), body)
    }

    /// The first so many events, and the sizes of the messages in which they came.
    private func take(
      _ count: Int, _ answers: Answers, _ between: (Int) async throws -> Void = { _ in }
    ) async throws -> (events: [Cosi.Event], sizes: [Int]) {
      var (events, sizes): ([Cosi.Event], [Int]) = ([], [])
      for try await answer in answers {
        events += answer.event
        sizes.append(answer.event.count)
        if events.count >= count { break }
        try await between(events.count)
      }
      return (events, sizes)
    }

    private func options(_ change: (inout Cosi.WatchOptions) -> Void) -> Cosi.WatchOptions {
      var options = Cosi.WatchOptions()
      change(&options)
      return options
    }

    @Test("A whole type: what there is, the mark behind it, and each change with what was before")
    func kind() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let worker = test.workers[0]
        let services = await worker.state.services.map(\.id)
        let all = options { $0.bootstrapContents = true }
        let (events, sizes) = try await watch(
          ResourceCatalog.service, of: worker, test, via: test.controlPlanes[0], options: all
        ) {
          try await take(services.count + 4, $0) { seen in
            guard seen == services.count + 1 else { return }
            let config = await test.config(
              for: worker, kubernetes: (test.kubernetesCA, [Fixture.otherKubernetes]))
            _ = try await test.apply(config, to: worker)
          }
        }
        // An empty message says that the watch stands.
        #expect(sizes == [0] + Array(repeating: 1, count: services.count + 4))
        let present = events.prefix(services.count)
        #expect(present.map { $0.resource?.metadata?.id } == services.sorted())
        #expect(present.allSatisfy { $0.eventType == .created && $0.bookmark == nil })
        let mark = events[services.count]
        #expect(mark.eventType == .bootstrapped && mark.bookmark?.count == 16)
        #expect(mark.resource?.metadata?.id == "" && mark.resource?.metadata?.phase == "running")
        let changes = events.suffix(3)
        #expect(changes.map(\.eventType) == [.destroyed, .created, .updated])
        #expect(changes.allSatisfy { $0.resource?.metadata?.id == "kubelet" })
        #expect(changes.map { $0.old == nil } == [true, true, false])
        let before = try Talos.ServiceSpec(
          serialized: changes.last?.old?.spec?.protoSpec ?? [])
        #expect(before.running && !before.healthy)
        #expect(changes.last?.old?.metadata?.version == "1")
        #expect(changes.last?.resource?.metadata?.version == "2")
      }
    }

    @Test("Aggregated, what there is comes in one message; an old client gets no marks")
    func aggregated() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let count = await node.state.services.count
        var all = options {
          $0.bootstrapContents = true
          $0.aggregated = true
        }
        let (_, sizes) = try await watch(
          ResourceCatalog.service, of: node, test, options: all
        ) { try await take(count + 1, $0) }
        #expect(sizes == [0, count + 1])
        let (old, _) = try await watch(
          ResourceCatalog.service, of: node, test, options: all, version: 0
        ) { try await take(count, $0) }
        #expect(old.map(\.eventType) == Array(repeating: .created, count: count))
        all = options { $0.bootstrapBookmark = true }
        let (marks, _) = try await watch(
          ResourceCatalog.service, of: node, test, options: all
        ) { try await take(1, $0) }
        #expect(marks.map(\.eventType) == [.noop] && marks[0].bookmark?.count == 16)
      }
    }

    @Test("One resource: its state first, also that it is not there")
    func single() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let (events, _) = try await watch(
          ResourceCatalog.service, "nothing", of: node, test
        ) { try await take(1, $0) }
        #expect(events[0].eventType == .destroyed)
        #expect(events[0].resource?.metadata?.id == "nothing")
        #expect(events[0].resource?.metadata?.version == "undefined")
        let wrong: [(Cosi.WatchOptions, StatusCode, String)] = [
          (
            options { $0.bootstrapContents = true }, .unimplemented,
            "bootstrap contents is not implemented for resource watch"
          ),
          (
            options { $0.labelQuery = [Cosi.LabelQuery()] }, .unimplemented,
            "label query is not implemented for resource watch"
          ),
          (
            options {
              $0.tailEvents = 1
              $0.startFromBookmark = []
            }, .unknown, "cannot use both TailEvents and StartFromBookmark options"
          ),
        ]
        for (wrong, code, words) in wrong {
          let refusal = await #expect(throws: RPCError.self) {
            try await watch(
              ResourceCatalog.service, "apid", of: node, test, options: wrong
            ) { _ = try await take(1, $0) }
          }
          #expect(refusal?.code == code && refusal?.message == words)
        }
      }
    }

    @Test("Who may not read a type may not watch it, and is told so in the same words")
    func roles() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let issuing = CertificateIssuing(now: WallClock.seconds())
        let reader = try issuing.talosClient(test.talosCA, roles: [Role.reader])
        let backup = try issuing.talosClient(test.talosCA, roles: [Role.etcdBackup])
        let unknown = ResourceCatalog.Definition(type: "Nothings.example.org", namespace: "config")
        let elsewhere = ResourceCatalog.Definition(
          type: ResourceCatalog.service.type, namespace: "nowhere")
        for (kind, pair) in [
          (ResourceCatalog.osRoot, reader), (ResourceCatalog.service, backup),
          (unknown, test.admin), (elsewhere, test.admin),
        ] {
          let watched = await #expect(throws: RPCError.self) {
            try await watch(kind, "x", of: node, test, as: pair) { _ = try await take(1, $0) }
          }
          var request = Cosi.GetRequest()
          (request.namespace, request.type, request.id) = (kind.namespace, kind.type, "x")
          let asked = request
          let read = await #expect(throws: RPCError.self) {
            try await test.client(of: node, as: pair).unary(
              Cosi.StateMethods.get, asked, options: TestCluster.options())
          }
          #expect(watched?.code == .permissionDenied && watched?.message == read?.message)
        }
        let (events, _) = try await watch(
          ResourceCatalog.service, "apid", of: node, test, as: reader
        ) { try await take(1, $0) }
        #expect(events[0].eventType == .created)
      }
    }

    @Test("A watch goes on behind a bookmark, and begins with the last events")
    func bookmarks() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let mark = options { $0.bootstrapBookmark = true }
        let (first, _) = try await watch(
          ResourceCatalog.nodename, of: node, test, options: mark
        ) { try await take(1, $0) }
        await node.rename(times: 3, length: 4)
        let resumed = options { $0.startFromBookmark = first[0].bookmark }
        for id in [nil, "nodename"] {
          let (events, _) = try await watch(
            ResourceCatalog.nodename, id, of: node, test, options: resumed
          ) { try await take(3, $0) }
          #expect(events.map(\.eventType) == [.updated, .updated, .updated])
          let last = options { $0.tailEvents = 2 }
          let (tail, _) = try await watch(
            ResourceCatalog.nodename, id, of: node, test, options: last
          ) { try await take(2, $0) }
          #expect(tail == Array(events.suffix(2)))
        }
        await node.powerOff()
        try await node.powerOn()
        let refusal = await #expect(throws: RPCError.self) {
          try await watch(
            ResourceCatalog.nodename, of: node, test, options: resumed
          ) { _ = try await take(1, $0) }
        }
        #expect(refusal?.code == .failedPrecondition)
        #expect(refusal?.message == "invalid watch bookmark")
      }
    }

    @Test("A reader that falls too far behind is told so, and costs another one nothing")
    func slowReader() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let steps = 60
        try await watch(ResourceCatalog.nodename, "nodename", of: node, test) { slow in
          var waiting = slow.makeAsyncIterator()
          _ = try await waiting.next()
          let (events, _) = try await watch(
            ResourceCatalog.nodename, "nodename", of: node, test
          ) {
            try await take(1 + 50 * steps, $0) { seen in
              if seen % 50 == 1 { await node.rename(times: 50, length: 2048) }
            }
          }
          #expect(events.count == 1 + 50 * steps)
          #expect(!events.contains { $0.eventType == .errored })
          var last: Cosi.Event?
          while last?.eventType != .errored, let answer = try await waiting.next() {
            last = answer.event.last
          }
          #expect(last?.error?.hasPrefix("buffer overrun: namespace \"k8s\" type ") == true)
          #expect(last?.error?.hasSuffix("capacity 1024") == true)
          #expect(last?.resource == nil)
        }
      }
    }

    @Test("A machine that goes away ends its watches, and counts versions from the beginning")
    func reboot() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        await node.rename(times: 3, length: 4)
        let ended = await #expect(throws: RPCError.self) {
          try await watch(ResourceCatalog.nodename, "nodename", of: node, test) { answers in
            for try await answer in answers where !answer.event.isEmpty {
              #expect(answer.event[0].resource?.metadata?.version == "4")
              await node.powerOff()
            }
          }
        }
        #expect(ended?.code == .unavailable)
        try await node.powerOn()
        let (events, _) = try await watch(
          ResourceCatalog.nodename, "nodename", of: node, test
        ) { try await take(1, $0) }
        #expect(events[0].resource?.metadata?.version == "1")
      }
    }

    @Test("One watch more than a machine serves at once is refused, until another one has left")
    func limit() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let client = try test.client(of: node)
        var request = Cosi.WatchRequest()
        request.namespace = ResourceCatalog.nodename.namespace
        request.type = ResourceCatalog.nodename.type
        request.id = "nodename"
        let watch = request
        let isOpen: @Sendable () async -> StatusCode? = {
          await status {
            try await client.serverStreaming(
              Cosi.StateMethods.watch, watch, options: TestCluster.options()
            ) { for try await _ in $0 { break } }
          }
        }
        await withTaskGroup(of: Void.self) { group in
          let (opened, note) = AsyncStream.makeStream(of: Void.self)
          for _ in 0..<WatchSession.limit {
            group.addTask {
              try? await client.serverStreaming(
                Cosi.StateMethods.watch, watch, options: TestCluster.options()
              ) { answers in
                var isFirst = true
                for try await _ in answers {
                  if isFirst { note.yield() }
                  isFirst = false
                }
              }
            }
          }
          var count = 0
          for await _ in opened {
            count += 1
            if count == WatchSession.limit { break }
          }
          #expect(await isOpen() == .resourceExhausted)
          group.cancelAll()
        }
        try await eventually("the others have left") { await isOpen() == nil }
      }
    }
  }
}
