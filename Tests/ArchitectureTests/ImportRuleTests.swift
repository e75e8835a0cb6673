import Foundation
import Testing

/// Who may import whom. SwiftPM does not enforce it: an undeclared transitive import compiles.
private let allowed: [String: Set<String>] = [
  "Sources/Stack/Encodings": [],
  "Sources/Stack/ProtoCodec": ["Encodings", "Synchronization"],
  "Proto": ["Encodings", "ProtoCodec", "RPC"],
  "Sources/Stack/Crypto": ["COpenSSL", "Encodings", "Glibc", "Synchronization"],
  "Sources/Stack/Compression": ["CZlib"],
  "Sources/Adapters/YAML": ["CYAML", "Encodings"],
  "Sources/Stack/HTTP2Codes": [],
  "Sources/Stack/HTTP2": ["CNgHTTP2", "HTTP2Codes"],
  "Sources/Stack/Reactor": ["CEpoll", "Glibc", "Synchronization"],
  "Sources/Stack/RPC": ["Encodings", "HTTP2Codes", "Synchronization"],
  "Sources/Stack/RPCTransport": [
    "RPC", "HTTP2", "HTTP2Codes", "Crypto", "Reactor", "Compression", "Synchronization",
  ],
  "Sources/Domain/Rotation": ["Encodings"],
  "Sources/Domain/Orchestrator": ["Encodings", "Rotation", "Synchronization"],
  "Sources/Domain/Access": ["Orchestrator", "Rotation", "Synchronization"],
  "Sources/Adapters/AccessControl": [
    "Access", "Encodings", "Orchestrator", "Rotation", "Crypto", "RPC", "Synchronization",
  ],
  "Sources/Adapters/StatusPage": ["RPC", "Crypto", "Encodings"],
  "Sources/Adapters/Evidence": ["Crypto", "Encodings"],
  "Sources/Adapters/Stores/Memory": [
    "Access", "Evidence", "Orchestrator", "Rotation", "Synchronization",
  ],
  "Sources/Adapters/Stores/JournalCoding": [
    "Access", "Orchestrator", "Rotation", "Schema", "ProtoCodec",
  ],
  "Sources/Adapters/Stores/SQLite": [
    "JournalCoding", "Access", "Evidence", "Orchestrator", "Rotation", "Schema", "ProtoCodec",
    "Crypto", "CSQLite", "Dispatch", "Glibc", "Synchronization",
  ],
  "Sources/Programs/Platform": ["Glibc"],
  "Sources/Programs/Daemon": [
    "CProcess", "CWipingHeap", "Encodings", "Platform", "Dispatch", "Glibc", "Synchronization",
  ],
  "Sources/Programs/Interceptors": ["Daemon", "RPC", "Synchronization"],
  "Sources/Programs/Release": [],
  "Sources/Programs/omnid": [
    "ManagementService", "Access", "AccessControl", "StatusPage", "StandardServices", "Daemon",
    "Interceptors", "Encodings",
    "Evidence", "Orchestrator", "Rotation", "SQLiteStore", "TalosDriver", "RPC", "RPCTransport",
    "Crypto", "Schema",
    "ProtoCodec", "YAML",
    "WebResources", "Metrics", "Backup", "Notifications", "Release", "Platform", "Glibc",
    "Synchronization",
  ],
  "Sources/Adapters/TalosDriver": [
    "Encodings", "Orchestrator", "Rotation", "Schema", "ProtoCodec", "RPC", "RPCTransport",
    "Crypto", "YAML", "Synchronization", "Glibc",
  ],
  "Sources/Adapters/ManagementService": [
    "Access", "Schema", "ProtoCodec", "Orchestrator", "Rotation", "RPC", "WebResources",
    "Synchronization",
  ],
  "Sources/Adapters/WebResources": ["RPC"],
  "Sources/Adapters/Backup": ["Crypto", "Encodings"],
  "Sources/Adapters/Notifications": [
    "CCurl", "Encodings", "Rotation", "Crypto", "ProtoCodec", "YAML", "Dispatch",
    "Synchronization",
  ],
  "Sources/Adapters/Metrics": [
    "WebResources", "Access", "Orchestrator", "Rotation", "RPC", "RPCTransport", "Synchronization",
  ],
  "Sources/Stack/StandardServices": ["Schema", "ProtoCodec", "RPC", "Synchronization"],
  "Clients/OmnictlCommands": [
    "Encodings", "Schema", "ProtoCodec", "RPC", "RPCTransport", "Evidence", "Crypto", "YAML",
    "Release", "Platform", "Glibc", "Synchronization",
  ],
  "Clients/omnictl": ["OmnictlCommands"],
  "Sources/Programs/talosim": ["TalosSimulator", "Glibc"],
]

/// Where memory is handled by hand, or a class is Sendable by confinement, and why.
private let unsafeModules: [String: String] = [
  "Sources/Stack/ProtoCodec": "one interpretive loop over the memory of messages",
  "Sources/Stack/Crypto": "OpenSSL",
  "Sources/Stack/Compression": "zlib",
  "Sources/Adapters/YAML": "libyaml",
  "Sources/Adapters/Notifications": "libcurl",
  "Sources/Stack/HTTP2": "nghttp2",
  "Sources/Stack/Reactor": "epoll and sockets",
  "Sources/Adapters/Stores/SQLite": "SQLite",
  "Sources/Programs/Platform": "reading and writing descriptors",
  "Sources/Programs/Daemon": "signals, sockets and files of the system",
]

/// The folders of the modules that the rules are about.
var moduleFolders: [String] { allowed.keys.sorted() }

struct SourceFile {
  var path: String
  var text: String

  /// The names on the `import` lines.
  var imports: [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard let keyword = words.firstIndex(of: "import"), keyword <= 2, keyword + 1 < words.count
      else { return nil }
      let modifiers: Set<Substring> = ["public", "internal", "package", "private", "@testable"]
      guard words[..<keyword].allSatisfy({ modifiers.contains($0) }) else { return nil }
      return words[keyword + 1].split(separator: ".").first.map(String.init)
    }
  }
}

func sourceFiles(under folder: String) throws -> [SourceFile] {
  let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let base = root.appending(path: folder).path
  let names = FileManager.default.enumerator(atPath: base)?.compactMap { $0 as? String } ?? []
  return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
    SourceFile(
      path: "\(folder)/\(name)",
      text: try String(contentsOfFile: "\(base)/\(name)", encoding: .utf8))
  }
}

@Suite struct ImportRuleTests {
  @Test("A module imports only what the architecture lets it", arguments: allowed.keys.sorted())
  func imports(folder: String) throws {
    let files = try sourceFiles(under: folder)
    #expect(!files.isEmpty, "\(folder) has no sources")
    let permitted = try #require(allowed[folder])
    for file in files {
      for name in file.imports {
        #expect(permitted.contains(name), "\(file.path) imports \(name)")
      }
    }
  }

  @Test("Each C library is imported by one module alone")
  func cLibraries() throws {
    var importers: [String: Set<String>] = [:]
    for folder in ["Sources", "Proto", "Clients"] {
      for file in try sourceFiles(under: folder) {
        let module = file.path.split(separator: "/").dropLast().prefix(3).joined(separator: "/")
        for name in file.imports
        where name.hasPrefix("C") && name.dropFirst().first?.isUppercase == true {
          importers[name, default: []].insert(
            String(allowed.keys.first { module.hasPrefix($0) } ?? module))
        }
      }
    }
    for (library, modules) in importers where !["Crypto", "Compression"].contains(library) {
      #expect(modules.count == 1, "\(library) is imported by \(modules.sorted())")
    }
  }
}

@Suite struct SafetyRuleTests {
  /// Files above the C modules that hold an unsafe type or an unchecked conformance, each with its
  /// reason. What is not listed may not have one.
  static let exceptions: [String: String] = [
    "Proto/MethodBinding.swift": "a Span's bytes are handed to the codec for the call's time",
    "Sources/Stack/RPC/Server/ServerCall.swift": "confined to the call's executor",
    "Sources/Stack/RPC/Call/WaitingList.swift": "continuations, each resumed by who takes it out",
    "Sources/Stack/RPC/Server/CallExtras.swift": "confined to the call's executor",
    "Sources/Stack/RPC/Server/CallDeadline.swift": "its timer is confined to the call's executor",
    "Sources/Stack/RPC/Server/HandlerPool.swift":
      "confined to its executor; a continuation resumed exactly once",
    "Sources/Stack/RPC/Server/FollowerGroup.swift":
      "followers are confined to their executor; continuations resumed exactly once",
    "Sources/Stack/RPC/Server/ResponseWriter+Follow.swift":
      "a continuation, resumed exactly once",
    "Sources/Stack/RPC/HTTP/HTTPStream.swift":
      "what a router keeps is confined to the streams' executor",
    "Sources/Stack/RPC/Server/RequestInbox.swift": "a continuation, resumed exactly once",
    "Sources/Stack/RPC/HTTP/HTTPExchange.swift": "confined to the stream's executor",
    "Sources/Stack/RPC/Server/RefusedRequest.swift": "confined to the stream's executor",
    "Sources/Stack/RPC/Client/InProcessChannel.swift": "confined to the exchange's executor",
    "Sources/Stack/RPC/Protocol/Envelope.swift": "copies a Span's bytes in one go",
    "Sources/Stack/RPC/Client/ClientCall.swift": "continuations resumed exactly once, under a lock",
    "Sources/Stack/RPCTransport/HeaderConversion.swift": "a block's digest is made there only",
    "Sources/Stack/RPCTransport/HTTP2Connection.swift":
      "confined to its event loop; owns no memory",
    "Sources/Stack/RPCTransport/ServerConnection.swift": "confined to its event loop",
    "Sources/Stack/RPCTransport/ClientConnection.swift": "confined to its event loop",
    "Sources/Stack/RPCTransport/ClientStream.swift": "confined to its event loop",
    "Sources/Stack/RPCTransport/ConnectionSet.swift": "each set is confined to its event loop",
    "Sources/Stack/RPCTransport/Newcomer.swift":
      "confined to its event loop; reads into its buffer",
    "Sources/Stack/RPCTransport/ConnectionRace.swift": "confined to its event loop",
    "Sources/Stack/RPCTransport/Listener.swift": "confined to its event loop",
    "Sources/Stack/RPCTransport/HTTPClient.swift": "copies a Span's bytes in one go",
  ]

  @Test("Unsafe memory and unchecked Sendable stand only where a reason is written down")
  func unsafety() throws {
    for folder in allowed.keys.sorted() where unsafeModules[folder] == nil {
      for file in try sourceFiles(under: folder) {
        let code = file.text.split(separator: "\n")
          .filter { !$0.drop { $0 == " " }.hasPrefix("//") }.joined(separator: "\n")
        let isUnsafe =
          code.contains("Unsafe") || code.contains("@unchecked Sendable")
          || code.contains("nonisolated(unsafe)")
        if isUnsafe {
          #expect(
            Self.exceptions[file.path] != nil
              || code.contains("withUnsafe") && !code.contains("@unchecked"),
            "\(file.path) is not on the list")
        }
      }
    }
  }

  @Test("Every exception is still needed")
  func needed() throws {
    for path in Self.exceptions.keys.sorted() {
      let folder = path.split(separator: "/").dropLast().joined(separator: "/")
      let file = try #require(
        try sourceFiles(under: folder).first { $0.path == path }, "\(path) is gone")
      #expect(file.text.lowercased().contains("unsafe") || file.text.contains("@unchecked"))
    }
  }
}
