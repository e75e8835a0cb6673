import Crypto
import Foundation
import Synchronization
import Testing

@Suite("The master key file")
struct MasterKeyFileTests {
  private func withFolder(_ body: (OpenSSLCommand) throws -> Void) throws {
    let folder = try OpenSSLCommand()
    defer { folder.remove() }
    try body(folder)
  }

  @Test("the first start makes a key that later starts find, for the owner alone")
  func creation() throws {
    try withFolder { folder in
      let path = folder.path("master.key")
      let old = umask(0o277)
      defer { umask(old) }
      let key = try MasterKeyFile.loadOrCreate(path).copy()
      #expect(key.count == 32)
      #expect(Set(key).count > 8)
      #expect(try MasterKeyFile.loadOrCreate(path).copy() == key)
      #expect(try MasterKeyFile.load(path).copy() == key)
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect((attributes[.posixPermissions] as? Int) == 0o600)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.folder.path) == ["master.key"])
    }
  }

  @Test("programs that start at the same time end with the same key")
  func race() throws {
    try withFolder { folder in
      let path = folder.path("master.key")
      let keys = Mutex<[[UInt8]]>([])
      DispatchQueue.concurrentPerform(iterations: 16) { _ in
        let key = (try? MasterKeyFile.loadOrCreate(path).copy()) ?? []
        keys.withLock { $0.append(key) }
      }
      let all = keys.withLock { $0 }
      #expect(all.count == 16)
      #expect(Set(all).count == 1)
      #expect(all.first?.count == 32)
    }
  }

  @Test(
    "a file that others can read, a link, a folder, a pipe, another size: each is refused in words")
  func refusals() throws {
    try withFolder { folder in
      let path = folder.path("k")
      func refusal(_ command: String) throws -> String {
        try folder.run("rm -rf k; \(command)")
        do { _ = try MasterKeyFile.loadOrCreate(path) } catch {
          #expect(error.code == .fileRefused)
          return error.message
        }
        return "taken"
      }
      let make = "head -c 32 /dev/urandom > k"
      #expect(try refusal("\(make); chmod 600 k") == "taken")
      #expect(try refusal("\(make); chmod 400 k") == "taken")
      #expect(
        try refusal("\(make); chmod 640 k").contains("make it 0600, for its owner alone: chmod 600")
      )
      #expect(try refusal("\(make); chmod 604 k").contains("has the mode 0604"))
      #expect(try refusal("\(make); chmod 600 k; mv k t; ln -s t k").contains("symbolic link"))
      #expect(try refusal("ln -s nowhere k").contains("symbolic link"))
      #expect(try refusal("mkdir -m 700 k").contains("not a regular file"))
      #expect(try refusal("mkfifo -m 600 k").contains("not a regular file"))
      #expect(try refusal("touch k; chmod 600 k").contains("has 0 bytes"))
      #expect(try refusal("head -c 33 /dev/zero > k; chmod 600 k").contains("has 33 bytes"))
      for constant in ["/dev/zero", "<(yes a)", "<(yes abcdef)"] {
        #expect(
          try refusal("bash -c 'head -c 32 \(constant) > k'; chmod 600 k")
            .contains("holds no random bytes"))
      }
      #expect(
        code { _ = try MasterKeyFile.loadOrCreate(folder.path("no/such/folder")) } == .fileRefused)
      try folder.run("rm -f k")
      #expect(code { _ = try MasterKeyFile.load(path) } == .fileRefused)
      #expect(code { _ = try MasterKeyFile.loadCredential(path) } == .fileRefused)
    }
  }

  @Test("a key that was made under another name is given its own, and replaces none")
  func adoption() throws {
    try withFolder { folder in
      let (temporary, path) = (folder.path("k.first"), folder.path("k"))
      let key = try MasterKeyFile.loadOrCreate(temporary).copy()
      try MasterKeyFile.adopt(temporary, as: path)
      #expect(try MasterKeyFile.load(path).copy() == key)
      #expect(code { _ = try MasterKeyFile.load(temporary) } == .fileRefused)
      _ = try MasterKeyFile.loadOrCreate(temporary)
      #expect(code { try MasterKeyFile.adopt(temporary, as: path) } == .fileRefused)
      #expect(try MasterKeyFile.load(path).copy() == key)
    }
  }

  @Test("a credential from the service manager may be readable by a group, not by all")
  func credentials() throws {
    try withFolder { folder in
      try folder.run("head -c 32 /dev/urandom > k; chmod 440 k")
      #expect(try MasterKeyFile.loadCredential(folder.path("k")).count == 32)
      #expect(code { _ = try MasterKeyFile.load(folder.path("k")) } == .fileRefused)
      try folder.run("chmod 444 k")
      #expect(code { _ = try MasterKeyFile.loadCredential(folder.path("k")) } == .fileRefused)
    }
  }
}
