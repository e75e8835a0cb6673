import ProtoCodec
import RPC
import Schema
import Synchronization
import Testing

@testable import TalosSimulator

@Suite("A machine writes down what its services do")
struct MachineLogTests {
  private func service(_ id: String, _ state: String, _ healthy: Bool) -> NodeState.ServiceState {
    NodeState.ServiceState(id: id, state: state, healthy: healthy)
  }

  @Test("A line comes with each change of a service, and none without")
  func changes() {
    var log = MachineLog()
    log.note([service("kubelet", "Running", true)], now: 1)
    log.note([service("kubelet", "Running", true)], now: 2)
    log.note([service("kubelet", "Finished", false)], now: 3)
    log.note([], now: 4)
    #expect(
      log.lines(of: "kubelet").map(\.text) == [
        "service[kubelet](Running): Health check successful",
        "service[kubelet](Finished): Service finished successfully",
        "service[kubelet](Finished): Service stopped",
      ])
    #expect(log.lines(of: "kubelet").map(\.time) == [1, 3, 4])
    #expect(
      log.lines(of: "machined").map(\.text).first
        == "[talos] service[kubelet](Running): Health check successful")
    let first = log.lines(of: "kubelet")[0].number
    #expect(log.lines(of: "kubelet", after: first).count == 2)
  }

  @Test("Old lines make room")
  func limit() {
    var log = MachineLog()
    for index in 0..<3000 { log.note("\(index)", now: 0) }
    #expect(log.lines(of: "machined").count == MachineLog.limit)
    #expect(log.lines(of: "machined").last?.text == "[talos] 2999")
  }
}

extension ClusterSuite {
  @Suite("Logs, time and health are answered")
  struct LogTests {
    @Test("A service's log is whole, or its end; what is not there is refused in Talos' words")
    func logs() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        _ = try await test.apply(await test.config(for: node), to: node)
        let all = try await logs("machined", -1, test)
        #expect(all.contains { $0.contains("apply configuration request: mode no-reboot") })
        #expect(try await logs("machined", 1, test) == all.suffix(1))
        #expect(try await logs("kubelet", 0, test) == [])
        for (id, words) in [
          ("nosuch", "log \"nosuch\" was not registered"),
          ("pod", "container \"pod\" not found"),
        ] {
          let refusal = await #expect(throws: RPCError.self) {
            try await logs(id, -1, test, namespace: id == "pod" ? "k8s.io" : "system")
          }
          #expect(refusal?.message == words)
        }
      }
    }

    @Test("A log that is followed goes on, and the kernel's log has what machined does")
    func following() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        var request = Talos.DmesgRequest()
        request.follow = true
        let follow = request
        try await test.client(of: node).serverStreaming(
          Talos.MachineServiceMethods.dmesg, follow, options: TestCluster.options()
        ) { answers in
          var hasApplied = false
          for try await answer in answers {
            let line = String(decoding: answer.bytes, as: UTF8.self)
            #expect(line.hasPrefix("user: warning: [20"))
            if line.hasSuffix("]: [talos] apply configuration request: mode staged\n") { return }
            if hasApplied { continue }
            hasApplied = true
            _ = try await test.apply(await test.config(for: node), to: node, mode: .staged)
          }
          Issue.record("the log ended")
        }
      }
    }

    @Test("A clock is compared with the server that is named, and one has to be named")
    func timeCheck() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let client = try test.client(of: test.controlPlanes[0])
        var request = Talos.TimeRequest()
        request.server = "ntp.example.org"
        let answer = try await client.unary(
          Talos.TimeServiceMethods.timeCheck, request, options: TestCluster.options())
        #expect(answer.messages.first?.server == "ntp.example.org")
        #expect(answer.messages.first?.remotetime != nil)
        let refusal = await #expect(throws: RPCError.self) {
          try await client.unary(
            Talos.TimeServiceMethods.timeCheck, Talos.TimeRequest(), options: TestCluster.options())
        }
        #expect(refusal?.code == .invalidArgument)
        #expect(refusal?.message == "ntp server is required")
      }
    }

    @Test("A healthy cluster is found so; a machine that is off is named until the time is over")
    func health() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let (control, worker) = (test.controlPlanes[0], test.workers[0])
        let well = try await health(of: control, within: 5, test)
        #expect(
          well.messages.first == "discovered nodes: [\"\(control.address)\" \"\(worker.address)\"]")
        #expect(well.messages.last == "waiting for all k8s nodes to report schedulable: OK")
        #expect(well.messages.contains("waiting for etcd to be healthy: OK"))
        #expect(well.error == nil)
        let refused = try await health(of: worker, within: 5, test)
        #expect(
          refused.error?.message
            == "cluster health check is only available on control plane nodes")
        await worker.powerOff()
        let late = try await health(of: control, within: 1, test)
        #expect(late.error?.code == .deadlineExceeded)
        #expect(
          late.messages.last?.hasPrefix("waiting for apid to be ready: \(worker.address)") == true)
      }
    }

    private func health(
      of node: SimulatedNode, within seconds: Int64, _ test: TestCluster
    ) async throws -> (messages: [String], error: RPCError?) {
      var request = Talos.HealthCheckRequest()
      var limit = ProtoDuration()
      limit.seconds = seconds
      request.waitTimeout = limit
      let check = request
      let messages = Mutex<[String]>([])
      do {
        try await test.client(of: node).serverStreaming(
          Talos.ClusterServiceMethods.healthCheck, check, options: TestCluster.options()
        ) { answers in
          for try await answer in answers { messages.withLock { $0.append(answer.message) } }
        }
        return (messages.withLock { $0 }, nil)
      } catch let error as RPCError {
        return (messages.withLock { $0 }, error)
      }
    }

    private func logs(
      _ id: String, _ count: Int32, _ test: TestCluster, namespace: String = "system"
    ) async throws -> [String] {
      var request = Talos.LogsRequest()
      request.namespace = namespace
      request.id = id
      request.tailLines = count
      let asked = request
      return try await test.client(of: test.controlPlanes[0]).serverStreaming(
        Talos.MachineServiceMethods.logs, asked, options: TestCluster.options()
      ) { answers in
        var lines: [String] = []
        for try await answer in answers {
          lines.append(String(decoding: answer.bytes, as: UTF8.self))
        }
        return lines
      }
    }
  }
}
