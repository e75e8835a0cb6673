import Crypto
import Glibc
import InteropSupport
import RPC
import RPCTransport

// grpc-interop-client --server_host H --server_port N --test_case NAME[,NAME…] | all
//                     [--use_tls --ca_file F --server_host_override NAME] [--soak_iterations N]
//
// The client of gRPC's interoperability tests. One line for each test case; exit code 1 when one
// has failed.

do {
  let flags = try Flags(
    CommandLine.arguments.dropFirst(),
    known: [
      "server_host", "server_port", "server_host_override", "use_tls", "ca_file", "test_case",
      "soak_iterations", "use_test_ca", "list",
    ])
  if flags.isSet("list") {
    for (name, _) in TestCases.all + TestCases.behindProxy { StandardIO.say(name) }
    exit(0)
  }
  let host = flags["server_host"] ?? "127.0.0.1"
  let port = try flags.number("server_port", default: 8080)
  var tls: TLSContext?
  if flags.isSet("use_tls") {
    let roots = try Certificate.bundle(pem: StandardIO.contents(of: flags.required("ca_file")))
    tls = try TLSContext(TLSConfiguration(role: .client, trustRoots: roots, alpn: ["h2"]))
  }
  let context = tls
  let serverName = flags["server_host_override"]
  let cases = try TestCases(soakIterations: flags.number("soak_iterations", default: 10)) {
    try SocketChannel(
      context == nil ? .plaintext(host: host, port: port) : .tls(host: host, port: port),
      tls: context, serverName: serverName)
  }
  let wanted = flags["test_case"] ?? "large_unary"
  let chosen =
    wanted == "all"
    ? TestCases.all
    : try wanted.split(separator: ",").map { name in
      guard let found = (TestCases.all + TestCases.behindProxy).first(where: { $0.name == name })
      else { throw Mismatch("no test case \(name); see --list") }
      return found
    }
  var failures = 0
  for (name, run) in chosen {
    do {
      try await run(cases)
      StandardIO.say("PASS \(name)")
    } catch {
      StandardIO.say("FAIL \(name): \(error)")
      failures += 1
    }
  }
  exit(failures == 0 ? 0 : 1)
} catch {
  StandardIO.complain("grpc-interop-client: \(error)")
  exit(2)
}
