import ProtoCodec
import RPC
import Schema
import Testing

@testable import TalosSimulator

extension ClusterSuite {
  @Suite("A control plane passes calls on")
  struct ProxyingTests {
    @Test("What is streamed to several machines comes back from each, with its name")
    func streams() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 2) { test in
        let gone = test.workers[1]
        await gone.powerOff()
        var options = TestCluster.options()
        for node in test.cluster.nodes { options.metadata.append("nodes", node.address) }
        var request = Talos.ReadRequest()
        request.path = "/etc/hostname"
        let answers = try await read(request, test, options)
        for node in [test.controlPlanes[0], test.workers[0]] {
          let own = answers.filter { $0.metadata?.hostname == node.address }
          #expect(own.map { String(decoding: $0.bytes, as: UTF8.self) } == [node.name + "\n"])
          #expect(own.first?.metadata?.error == "")
        }
        let failed = answers.filter { $0.metadata?.hostname == gone.address }
        #expect(failed.count == 1)
        #expect(failed.first?.metadata?.error.hasPrefix("rpc error: code = Unavailable") == true)
        #expect(failed.first?.metadata?.status?.code == Int32(StatusCode.unavailable.rawValue))
      }
    }

    @Test("One machine's failure in a stream is a message with Go's name of the code")
    func failure() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        var options = TestCluster.options()
        options.metadata.append("nodes", node.address)
        var request = Talos.ReadRequest()
        request.path = "/etc/none"
        let answers = try await read(request, test, options)
        #expect(
          answers.map(\.metadata?.error) == [
            "rpc error: code = NotFound desc = stat /etc/none: no such file or directory"
          ])
      }
    }

    @Test("A kubeconfig comes whole through nodes, as talosctl asks for it")
    func kubeconfig() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        var options = TestCluster.options()
        options.metadata.append("nodes", node.address)
        let archive = try await test.client(of: node).serverStreaming(
          Talos.MachineServiceMethods.kubeconfig, Empty(), options: options
        ) { answers in
          var bytes: [UInt8] = []
          for try await answer in answers {
            #expect(answer.metadata?.hostname == node.address)
            bytes += answer.bytes
          }
          return bytes
        }
        #expect(archive.starts(with: [0x1F, 0x8B]))
      }
    }

    @Test("A machine can be named by its host name, alone and among several")
    func hostNames() async throws {
      try await TestCluster.run(controlPlanes: 2, workers: 1) { test in
        let (first, worker) = (test.controlPlanes[0], test.workers[0])
        var options = TestCluster.options()
        options.metadata.append("node", worker.name)
        var request = Talos.ReadRequest()
        request.path = "/etc/hostname"
        let one = try await read(request, test, options)
        #expect(one.map { String(decoding: $0.bytes, as: UTF8.self) } == [worker.name + "\n"])
        options = TestCluster.options()
        options.metadata.append("nodes", worker.name)
        options.metadata.append("nodes", first.name)
        let list = try await test.client(of: first).unary(
          Talos.MachineServiceMethods.version, Empty(), options: options)
        #expect(list.messages.map(\.metadata?.hostname) == [worker.name, first.name])
        #expect(list.messages.allSatisfy { $0.version != nil })
      }
    }

    @Test("A machine with a port behind it is refused")
    func ports() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        for key in ["node", "nodes"] {
          var options = TestCluster.options()
          options.metadata.append(key, "\(node.address):50000")
          let used = options
          let refusal = await #expect(throws: RPCError.self) {
            try await test.client(of: node).unary(
              Talos.MachineServiceMethods.version, Empty(), options: used)
          }
          #expect(refusal?.code == .internalError)
          #expect(refusal?.message == "invalid target \"\(node.address):50000\"")
        }
      }
    }

    @Test("A call that is being passed on outlives new certificates")
    func drained() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let (control, worker) = (test.controlPlanes[0], test.workers[0])
        var request = Cosi.WatchRequest()
        request.type = ResourceCatalog.apiCertificates.type
        request.namespace = ResourceCatalog.apiCertificates.namespace
        request.id = "api"
        request.apiVersion = 1
        let watch = request
        try await test.client(of: control).serverStreaming(
          Cosi.StateMethods.watch, watch, options: TestCluster.options(node: worker)
        ) { answers in
          var seen = 0
          for try await answer in answers {
            seen += answer.event.count
            if seen == 1 && !answer.event.isEmpty {
              await control.refreshCertificates()
              #expect(await test.cluster.settle())
              await worker.refreshCertificates()
            }
            if seen == 2 { break }
          }
          #expect(seen == 2)
        }
      }
    }

    private func read(
      _ request: Talos.ReadRequest, _ test: TestCluster, _ options: CallOptions
    ) async throws -> [Talos.Data] {
      try await test.client(of: test.controlPlanes[0]).serverStreaming(
        Talos.MachineServiceMethods.read, request, options: options
      ) { answers in
        var found: [Talos.Data] = []
        for try await answer in answers { found.append(answer) }
        return found
      }
    }
  }
}
