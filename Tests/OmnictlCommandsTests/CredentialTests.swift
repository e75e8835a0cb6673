import Foundation
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite struct CredentialTests {
  static let key = "secret-key-material"

  static var service: FakeService {
    var service = FakeService()
    service.talosconfig = { request in
      var response = TalosconfigResponse()
      response.talosconfig = "roles: \(request.roles.joined(separator: " ")) \(key)\n"
      response.expiresAt = Samples.later(43_200)
      return response
    }
    service.kubeconfig = { request in
      var response = KubeconfigResponse()
      response.kubeconfig = "ttl: \(request.ttl?.seconds ?? 0) \(key)\n"
      return response
    }
    return service
  }

  @Test("A credential is printed and nothing else")
  func prints() async {
    let bench = Bench(Self.service)
    #expect(
      await bench.run(
        "cluster", "-n", "demo", "talosconfig", "--role", "os:reader,os:operator", "--role",
        "os:etcd:backup") == .done)
    #expect(bench.output.text == "roles: os:reader os:operator os:etcd:backup \(Self.key)\n")
    #expect(bench.errors.text.isEmpty)
  }

  @Test("The lifetime is sent, and has to be one")
  func lifetime() async {
    let bench = Bench(Self.service)
    #expect(await bench.run("cluster", "-n", "demo", "kubeconfig", "--ttl", "90m") == .done)
    #expect(bench.output.text == "ttl: 5400 \(Self.key)\n")
    #expect(await bench.run("cluster", "-n", "demo", "kubeconfig", "--ttl", "0") == .wrongUsage)
  }

  @Test("A file gets mode 0600, also when it had another, and the key goes nowhere else")
  func file() async throws {
    let folder = try TemporaryFolder()
    try folder.write("old", to: "config")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: folder.path("config"))
    for format in ["table", "json"] {
      let bench = Bench(Self.service)
      #expect(
        await bench.run(
          "cluster", "-n", "demo", "talosconfig", "-o", format, "--output-file",
          folder.path("config")) == .done)
      #expect(try folder.text("config").contains(Self.key))
      #expect(try folder.mode("config") == 0o600)
      #expect(folder.names == ["config"])
      #expect(!bench.output.text.contains(Self.key) && !bench.errors.text.contains(Self.key))
    }
  }

  @Test("What is no regular file is not touched, and nothing is left behind")
  func irregular() async throws {
    let folder = try TemporaryFolder()
    try folder.write("precious", to: "target")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: folder.path("target"))
    try FileManager.default.createDirectory(
      atPath: folder.path("folder"), withIntermediateDirectories: false)
    for path in [folder.path("link"), folder.path("folder"), "/dev/null", folder.path("no/such")] {
      let bench = Bench(Self.service)
      #expect(
        await bench.run("cluster", "-n", "demo", "kubeconfig", "--output-file", path) == .failed)
      #expect(bench.errors.text.contains("cannot be written"))
      #expect(!bench.output.text.contains(Self.key) && !bench.errors.text.contains(Self.key))
    }
    #expect(try folder.text("target") == "precious")
    #expect(folder.names == ["folder", "link", "target"])
  }
}
