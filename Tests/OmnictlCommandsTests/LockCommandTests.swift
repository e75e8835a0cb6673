import ProtoCodec
import RPC
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite("Locks")
struct LockCommandTests {
  private static func lock() -> Lock {
    var lock = Lock()
    lock.lockedBy = "uid:7"
    lock.lockedAt = Samples.later(0)
    lock.reason = "change window"
    return lock
  }

  @Test("A cluster is locked with a reason and unlocked, and both say how it stands")
  func cluster() async throws {
    let sent = Mutex<[LockClusterRequest]>([])
    var service = FakeService()
    service.lockCluster = { request in
      sent.withLock { $0.append(request) }
      var response = LockClusterResponse()
      var cluster = Cluster()
      cluster.lock = Self.lock()
      response.cluster = cluster
      return response
    }
    service.unlockCluster = { request in
      #expect(request.cluster == "demo")
      return UnlockClusterResponse()
    }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "lock", "demo", "--reason", "change window") == .done)
    #expect(bench.output.text.hasPrefix("cluster demo is locked by uid:7 since 20"))
    #expect(bench.output.text.hasSuffix(": change window\n"))
    #expect(sent.withLock { $0.map(\.reason) } == ["change window"])
    #expect(sent.withLock { $0.map(\.cluster) } == ["demo"])
    let free = Bench(service)
    #expect(await free.run("cluster", "unlock", "demo") == .done)
    #expect(free.output.text == "cluster demo is not locked\n")
    let json = Bench(service)
    #expect(await json.run("cluster", "lock", "demo", "-o", "json") == .done)
    #expect(try LockClusterResponse(json: json.output.text).cluster?.lock == Self.lock())
  }

  @Test("A machine is locked and unlocked, and the list of machines shows who locked it")
  func machine() async throws {
    var cluster = Samples.clusters()[0]
    cluster.machines[1].lock = Self.lock()
    let answer = cluster
    var service = FakeService()
    service.lockMachine = { request in
      #expect(request.cluster == "demo" && request.machine == "worker-1")
      var response = LockMachineResponse()
      response.cluster = answer
      return response
    }
    service.unlockMachine = { request in
      #expect(request.cluster == "demo" && request.machine == "worker-1")
      return UnlockMachineResponse()
    }
    service.getCluster = { _ in
      var response = GetClusterResponse()
      response.cluster = answer
      return response
    }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "-n", "demo", "machine", "lock", "worker-1") == .done)
    #expect(bench.output.text.hasPrefix("machine worker-1 is locked by uid:7 since 20"))
    let free = Bench(service)
    #expect(await free.run("cluster", "-n", "demo", "machine", "unlock", "worker-1") == .done)
    #expect(free.output.text == "machine worker-1 is not locked\n")
    let list = Bench(service)
    #expect(await list.run("cluster", "-n", "demo", "machine", "list") == .done)
    let lines = list.output.lines
    #expect(lines[0].hasSuffix("LOCKED") && lines[1].hasSuffix("-"))
    #expect(lines[2].hasSuffix(": change window"))
  }
}
