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

  @Test("A new file gets mode 0600, and the key goes nowhere else")
  func file() async throws {
    for format in ["table", "json"] {
      let folder = try TemporaryFolder()
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

  @Test("A file that exists is left alone: exit 3, the ways on, and no key is made for nothing")
  func exists() async throws {
    let folder = try TemporaryFolder()
    try folder.write("precious", to: "config")
    for verb in ["talosconfig", "kubeconfig"] {
      let bench = Bench()
      #expect(
        await bench.run("cluster", "-n", "demo", verb, "--output-file", folder.path("config"))
          == .refused)
      #expect(bench.errors.text.contains("exists already; --merge puts the \(verb) into it"))
      #expect(bench.errors.lines.count == 1)
    }
    #expect(try folder.text("config") == "precious")
    #expect(folder.names == ["config"])
  }

  @Test(
    "With --force the whole file is replaced, and its rights are never wider than they were",
    arguments: [(0o644, 0o600), (0o600, 0o600), (0o400, 0o400), (0o777, 0o600)])
  func force(before: Int, after: Int) async throws {
    let folder = try TemporaryFolder()
    try folder.write("old", to: "config")
    try FileManager.default.setAttributes(
      [.posixPermissions: before], ofItemAtPath: folder.path("config"))
    let bench = Bench(Self.service)
    #expect(
      await bench.run(
        "cluster", "-n", "demo", "kubeconfig", "--force", "--output-file", folder.path("config"))
        == .done)
    #expect(try folder.text("config") == "ttl: 0 \(Self.key)\n")
    #expect(try folder.mode("config") == after)
    #expect(folder.names == ["config"])
  }

  @Test(
    "A directory that is missing is named, and no key is made for nothing",
    arguments: [
      ["talosconfig"], ["kubeconfig"], ["kubeconfig", "--force"], ["kubeconfig", "--merge"],
      ["secrets", "export"],
      ["secret", "rotate", "export-ca", "r1"],
    ])
  func missingDirectory(verb: [String]) async throws {
    let folder = try TemporaryFolder()
    // Its service answers no call.
    let bench = Bench()
    #expect(
      await bench.run(
        ["cluster", "-n", "demo"] + verb + ["--output-file", folder.path("missing/file")])
        == .failed)
    #expect(
      bench.errors.text.contains("\(folder.path("missing")): No such file or directory"),
      "\(bench.errors.text)")
    #expect(folder.names.isEmpty)
  }

  @Test("--merge and --force are about a file, and exclude each other")
  func flags() async {
    for flags in [["--merge"], ["--force"], ["--merge", "--output-file", "-"]] {
      let bench = Bench()
      #expect(await bench.run(["cluster", "-n", "demo", "kubeconfig"] + flags) == .wrongUsage)
    }
    let both = ["--merge", "--force", "--output-file", "/nowhere/config"]
    #expect(await Bench().run(["cluster", "-n", "demo", "kubeconfig"] + both) == .wrongUsage)
  }

  @Test(
    "What is no regular file is not touched, whatever the flags, and nothing is left behind",
    arguments: [[], ["--merge"], ["--force"]])
  func irregular(flags: [String]) async throws {
    let folder = try TemporaryFolder()
    try folder.write("precious", to: "target")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: folder.path("target"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("dangling"), withDestinationPath: folder.path("nowhere"))
    try FileManager.default.createDirectory(
      atPath: folder.path("folder"), withIntermediateDirectories: false)
    for (path, code) in [
      (folder.path("link"), ExitCode.refused), (folder.path("dangling"), .refused),
      (folder.path("folder"), .refused), ("/dev/null", .refused), (folder.path("no/such"), .failed),
    ] {
      let bench = Bench(Self.service)
      #expect(
        await bench.run(
          ["cluster", "-n", "demo", "kubeconfig", "--output-file", path] + flags) == code)
      #expect(bench.errors.text.contains("cannot be written"))
      #expect(!bench.output.text.contains(Self.key) && !bench.errors.text.contains(Self.key))
    }
    #expect(try folder.text("target") == "precious")
    #expect(folder.names == ["dangling", "folder", "link", "target"])
  }

  @Test("A file that comes into being, or is changed, while the server answers is left alone")
  func meanwhile() async throws {
    for flags in [[], ["--merge"], ["--force"]] {
      let folder = try TemporaryFolder()
      if !flags.isEmpty { try folder.write("contexts: {}\n", to: "config") }
      var service = Self.service
      service.talosconfig = { _ in
        try folder.write("of somebody else", to: "config")
        var response = TalosconfigResponse()
        response.talosconfig = "context: demo\ncontexts:\n    demo:\n        key: \(Self.key)\n"
        return response
      }
      let bench = Bench(service)
      #expect(
        await bench.run(
          ["cluster", "-n", "demo", "talosconfig", "--output-file", folder.path("config")] + flags)
          == .refused)
      #expect(bench.errors.text.contains("meanwhile"))
      #expect(try folder.text("config") == "of somebody else")
      #expect(folder.names == ["config"])
    }
  }
}
