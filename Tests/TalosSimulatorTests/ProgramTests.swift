import Testing

@testable import TalosSimulator

@Suite("talosim's command line and addresses")
struct ProgramTests {
  @Test("The contract's flags are understood in both spellings")
  func flags() throws {
    let arguments = try TalosimArguments([
      "--control-planes", "1", "--workers=0", "--out", "/tmp/x", "--address-base", "127.0.30.0",
      "--port=0", "--kubernetes-port", "7443", "--talos-version", "v1.6.7", "--layout=multidoc",
      "--seed", "9", "--control", "unix:/tmp/c",
    ])
    #expect(arguments.controlPlanes == 1)
    #expect(arguments.workers == 0)
    #expect(arguments.options.port == 0)
    #expect(arguments.options.kubernetesPort == 7443)
    #expect(arguments.options.effectiveTalosVersion == "v1.6.7")
    #expect(arguments.options.layout == .multidoc)
    #expect(arguments.options.seed == 9)
    #expect(arguments.control == "/tmp/c")
  }

  @Test("Paces and switches are understood, and --fast is the pace instant")
  func switches() throws {
    let arguments = try TalosimArguments([
      "--out", "d", "--pace", "real", "--shared-address", "127.0.30.250", "--talos-ca-lifetime=60",
      "--kubernetes-ca-lifetime", "0", "--no-network", "--without-kubernetes",
    ])
    let options = arguments.options
    #expect(options.timing == .real)
    #expect(options.sharedAddress == "127.0.30.250")
    #expect(options.talosCALifetime == .seconds(60))
    #expect(options.kubernetesCALifetime == .zero)
    #expect(options.noNetwork)
    #expect(options.withoutKubernetes)
    #expect(options.effectiveTalosVersion == "v1.14.1")
    #expect(try TalosimArguments(["--out", "d", "--fast"]).options.timing == .instant)
    #expect(try TalosimArguments(["--out", "d"]).options.timing == .brisk)
    #expect(throws: TalosimArguments.Misuse.self) {
      try TalosimArguments(["--out", "d", "--pace", "slow"])
    }
  }

  @Test(
    "Wrong usage is told apart from failure",
    arguments: [
      ["--out"], ["--workers", "x", "--out", "d"], ["--control-planes", "0", "--out", "d"],
      ["--nonsense"], [], ["--layout", "both", "--out", "d"], ["--control", "/path", "--out", "d"],
      ["--port", "70000", "--out", "d"],
    ])
  func misuse(arguments: [String]) async {
    #expect(throws: TalosimArguments.Misuse.self) { try TalosimArguments(arguments) }
    #expect(await TalosimCommand.run(arguments, until: AsyncStream { $0.finish() }) == 2)
  }

  @Test("Machines take the addresses after the base, control planes first")
  func addresses() throws {
    var options = ClusterOptions()
    options.addressBase = "127.0.10.254"
    options.controlPlanes = 1
    options.workers = 2
    let machines = try AddressPlan.machines(options)
    #expect(machines.map(\.address) == ["127.0.10.255", "127.0.11.0", "127.0.11.1"])
    #expect(machines.map(\.name) == ["demo-controlplane-1", "demo-worker-1", "demo-worker-2"])
    #expect(machines.map(\.type) == [.controlPlane, .worker, .worker])
  }

  @Test(
    "Addresses beyond loopback are refused",
    arguments: ["10.0.0.0", "127.255.255.254", "x", "1.2.3"])
  func outside(base: String) {
    var options = ClusterOptions()
    options.addressBase = base
    #expect(throws: SimulatorError.self) { try AddressPlan.machines(options) }
  }

  @Test("The same seed makes the same choices")
  func seed() {
    var first = SeededGenerator(seed: 7)
    var second = SeededGenerator(seed: 7)
    var other = SeededGenerator(seed: 8)
    let numbers = (0..<4).map { _ in first.next() }
    #expect(numbers == (0..<4).map { _ in second.next() })
    #expect(numbers != (0..<4).map { _ in other.next() })
  }
}
