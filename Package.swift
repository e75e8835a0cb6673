// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// libFuzzer's library, when the fuzz targets are to be built: see Tests/Fuzz.
let libFuzzer = Context.environment["OMNID_FUZZ"]

/// Coverage and address checks for the fuzzer, in every module.
let instrumentation: [SwiftSetting] =
  libFuzzer == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])]

/// The language rules of every target: Swift 6 mode, warnings are errors.
let rules: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let house = instrumentation + rules

/// Modules that wrap a C library (or the kernel) spell out every unsafe expression.
let strict: [SwiftSetting] = house + [.strictMemorySafety()]

/// The modules that every call runs through: release builds do not check exclusive access at run
/// time. Debug builds, and so all tests, do.
let hot: [SwiftSetting] = [
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
]

/// The .proto files stand beside their Swift bindings; the compiler takes only the bindings.
func schemaFiles(in folder: String) -> [String] {
  let root = Context.packageDirectory + "/" + folder
  let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
  return files.filter { $0.hasSuffix(".proto") || $0.hasSuffix(".md") || $0.hasSuffix(".yaml") }
    .sorted()
}

/// The rooms of `Sources/`: what may import whom is in Tests/ArchitectureTests.
let stack = "Sources/Stack/"
let domain = "Sources/Domain/"
let adapters = "Sources/Adapters/"
let programs = "Sources/Programs/"

func library(
  _ name: String, _ dependencies: [Target.Dependency], path: String, exclude: [String] = [],
  settings: [SwiftSetting] = house
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings)
}

/// All relocations are done before a program begins, and what they are written to is then read-only.
let hardened: [LinkerSetting] = [
  .unsafeFlags(["-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now"])
]

/// Release programs bring Swift's own libraries with them: they run where no Swift is installed, and
/// start sooner.
let whole: [LinkerSetting] =
  [.unsafeFlags(["-static-stdlib"], .when(configuration: .release))] + hardened

/// Servers allocate from mimalloc: calls that come in bursts allocate in bursts, which glibc's
/// malloc answers on its slow path.
let serving: [LinkerSetting] = whole + [.linkedLibrary("mimalloc", .when(configuration: .release))]

/// What Foundation's archive refers to and does not name.
let withFoundation: [LinkerSetting] =
  whole + [
    .unsafeFlags(
      [
        "-lCoreFoundation", "-l_FoundationICU", "-lFoundationEssentials",
        "-lFoundationInternationalization", "-l_FoundationCShims", "-l_FoundationCollections",
        "-lswiftSynchronization",
      ], .when(configuration: .release))
  ]

func program(
  _ name: String, _ dependencies: [Target.Dependency], path: String, exclude: [String] = [],
  links: [LinkerSetting] = whole
) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: house,
    linkerSettings: links)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: house)
}

/// Our own C is compiled as Debian's packages are: a smashed stack ends the program, and so does a copy that is
/// longer than what it is copied into, where the compiler can tell.
let guarded: [CSetting] = [
  .unsafeFlags(["-fstack-protector-strong"]),
  .unsafeFlags(["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"], .when(configuration: .release)),
]

/// A C library: its module map, and shims for what its macros hide.
func clibrary(_ name: String, link: String...) -> Target {
  .target(
    name: name, path: "Sources/CLibraries/\(name)", cSettings: guarded,
    linkerSettings: link.map { .linkedLibrary($0) })
}

/// What is fuzzed: built with libFuzzer into one program, else into the tests that replay the corpus.
let fuzzed: [Target.Dependency] = [
  "ConformanceTypes", "Schema", "ProtoCodec", "RPC", "RPCTransport", "HTTP2", "HTTP2Codes", "YAML",
  "Crypto", "Compression", "Encodings", "Rotation", "TalosDriver", "OmnictlCommands", "Platform",
]

func fuzzing(_ library: String) -> [Target] {
  [
    .target(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
    // Without coverage, since it is the modules' that counts, and not optimized, since the compiler
    // (6.3.1) crashes at an `async` closure that throws.
    .target(
      name: "FuzzTargets", dependencies: fuzzed, path: "Tests/Fuzz/Targets",
      swiftSettings: rules + [.unsafeFlags(["-Onone"])]),
    .executableTarget(
      name: "omnid-fuzz", dependencies: ["FuzzTargets", "CLibFuzzer"], path: "Tests/Fuzz/Runner",
      swiftSettings: rules,
      linkerSettings: [.unsafeFlags(["-sanitize=address", library, "-lstdc++"])]),
  ]
}

let fuzzReplay = Target.testTarget(
  name: "FuzzCorpusTests", dependencies: fuzzed, path: "Tests/Fuzz",
  exclude: ["CLibFuzzer", "Corpus", "README.md", "Runner", "Seeds", "build", "run"],
  sources: ["Replay", "Targets"],
  swiftSettings: house)

let package = Package(
  name: "omnid",
  products: [
    .executable(name: "omnid", targets: ["omnid"]),
    .executable(name: "omnictl", targets: ["omnictl"]),
    .executable(name: "talosim", targets: ["talosim"]),
    // For programs that call omnid: the schema, and the client of the RPC stack.
    .library(name: "OmnidClient", targets: ["Schema", "RPC", "RPCTransport", "Crypto"]),
  ],
  targets: [
    clibrary("CCurl", link: "curl"),
    clibrary("CNgHTTP2", link: "nghttp2"),
    clibrary("COpenSSL", link: "ssl", "crypto"),
    clibrary("CSQLite", link: "sqlite3"),
    clibrary("CYAML", link: "yaml"),
    clibrary("CZlib", link: "z"),
    clibrary("CEpoll"),
    clibrary("CClock"),
    clibrary("CProcess"),
    clibrary("CWipingHeap", link: "dl"),

    library("Encodings", [], path: stack + "Encodings", settings: house + hot),
    library("ProtoCodec", ["Encodings"], path: stack + "ProtoCodec", settings: house + hot),
    library(
      "Schema", ["Encodings", "ProtoCodec", "RPC"], path: "Proto", exclude: schemaFiles(in: "Proto")
    ),
    library(
      "TestSchemas", ["Schema", "ProtoCodec", "RPC"], path: "Tests/Interop/TestSchemas",
      exclude: schemaFiles(in: "Tests/Interop/TestSchemas")),
    library("Crypto", ["COpenSSL", "Encodings"], path: stack + "Crypto", settings: strict),
    library("Compression", ["CZlib"], path: stack + "Compression", settings: strict),
    library("YAML", ["CYAML", "Encodings"], path: adapters + "YAML", settings: strict),
    library("HTTP2Codes", [], path: stack + "HTTP2Codes"),
    library("HTTP2", ["CNgHTTP2", "HTTP2Codes"], path: stack + "HTTP2", settings: strict + hot),
    library("Reactor", ["CEpoll"], path: stack + "Reactor", settings: strict + hot),
    library("RPC", ["Encodings", "HTTP2Codes"], path: stack + "RPC", settings: house + hot),
    library(
      "RPCTransport", ["RPC", "HTTP2", "HTTP2Codes", "Crypto", "Reactor", "Compression"],
      path: stack + "RPCTransport",
      settings: house + hot),
    library("Rotation", ["Encodings"], path: domain + "Rotation"),
    library("Orchestrator", ["Encodings", "Rotation"], path: domain + "Orchestrator"),
    library("Access", ["Orchestrator", "Rotation"], path: domain + "Access"),
    library(
      "AccessControl", ["Access", "Encodings", "Orchestrator", "Rotation", "Crypto", "RPC"],
      path: adapters + "AccessControl"),
    // The page's files are part of the program, which is one file wherever it is put.
    .target(
      name: "StatusPage", dependencies: ["RPC", "Crypto", "Encodings"],
      path: adapters + "StatusPage",
      resources: [.embedInCode("Page")], swiftSettings: house),
    library("Evidence", ["Crypto", "Encodings"], path: adapters + "Evidence"),
    library(
      "MemoryStore", ["Access", "Evidence", "Orchestrator", "Rotation"],
      path: adapters + "Stores/Memory"),
    library(
      "JournalCoding", ["Access", "Orchestrator", "Rotation", "Schema", "ProtoCodec"],
      path: adapters + "Stores/JournalCoding"),
    library(
      "SQLiteStore",
      [
        "JournalCoding", "Access", "Evidence", "Orchestrator", "Rotation", "Schema", "ProtoCodec",
        "Crypto", "CSQLite",
      ], path: adapters + "Stores/SQLite", settings: strict),
    library(
      "TalosDriver",
      [
        "Encodings", "Orchestrator", "Rotation", "Schema", "ProtoCodec", "RPC", "RPCTransport",
        "Crypto", "YAML",
      ], path: adapters + "TalosDriver"),
    library(
      "TalosSimulator",
      [
        "Encodings", "Schema", "ProtoCodec", "RPC", "RPCTransport", "Crypto", "Compression", "YAML",
        "CClock",
      ],
      path: programs + "TalosSimulator"),
    library(
      "ManagementService",
      ["Access", "Schema", "ProtoCodec", "Orchestrator", "Rotation", "RPC", "WebResources"],
      path: adapters + "ManagementService"),
    library("WebResources", ["RPC"], path: adapters + "WebResources"),
    library("Backup", ["Crypto", "Encodings"], path: adapters + "Backup"),
    library(
      "Notifications", ["Encodings", "Rotation", "Crypto", "ProtoCodec", "YAML", "CCurl"],
      path: adapters + "Notifications", settings: strict),
    library(
      "Metrics", ["WebResources", "Access", "Orchestrator", "Rotation", "RPC", "RPCTransport"],
      path: adapters + "Metrics"),
    library("StandardServices", ["Schema", "ProtoCodec", "RPC"], path: stack + "StandardServices"),
    library("Platform", [], path: programs + "Platform", settings: strict),
    library(
      "Daemon", ["CProcess", "CWipingHeap", "Encodings", "Platform"], path: programs + "Daemon",
      settings: strict),
    library("Interceptors", ["Daemon", "RPC"], path: programs + "Interceptors"),
    library("Release", [], path: programs + "Release"),
    library(
      "OmnictlCommands",
      [
        "Encodings", "Schema", "ProtoCodec", "RPC", "RPCTransport", "Evidence", "Crypto", "YAML",
        "Release", "Platform",
      ],
      path: "Clients/OmnictlCommands"),

    program(
      "omnid",
      [
        "ManagementService", "Access", "AccessControl", "StatusPage", "StandardServices", "Daemon",
        "Interceptors", "Encodings", "Evidence", "Orchestrator", "Rotation", "SQLiteStore",
        "TalosDriver", "RPC",
        "RPCTransport", "Crypto",
        "Schema", "YAML",
        "WebResources", "Metrics", "Backup", "Notifications", "ProtoCodec", "Release", "Platform",
      ], path: programs + "omnid", links: serving),
    program("omnictl", ["OmnictlCommands"], path: "Clients/omnictl"),
    program("talosim", ["TalosSimulator"], path: programs + "talosim", links: withFoundation),
    program(
      "rotate-and-wait", ["Schema", "RPC", "RPCTransport"], path: "Clients/Examples/RotateAndWait",
      links: withFoundation),

    program(
      "rpc-bench-server",
      [
        "RPC", "RPCTransport", "HTTP2", "Crypto", "Schema", "ProtoCodec", "Interceptors", "Daemon",
      ],
      path: "Tests/Benchmarks/RPCBenchServer", links: serving),
    program(
      "journal-seed", ["SQLiteStore", "Orchestrator", "Rotation", "Crypto"],
      path: "Tests/Benchmarks/JournalSeed"),

    program("codec-bench", ["Schema", "ProtoCodec"], path: "Tests/Benchmarks/CodecBench"),
    library("InteropSupport", [], path: "Tests/Interop/Support"),
    program(
      "grpc-interop-server", ["InteropSupport", "TestSchemas", "RPC", "RPCTransport", "Crypto"],
      path: "Tests/Interop/GRPCInteropServer"),
    program(
      "grpc-interop-client", ["InteropSupport", "TestSchemas", "RPC", "RPCTransport", "Crypto"],
      path: "Tests/Interop/GRPCInteropClient"),
    library(
      "ConnectSupport", ["TestSchemas", "Encodings", "Schema", "ProtoCodec", "RPC"],
      path: "Tests/Interop/ConnectSupport"),
    program(
      "connect-conformance-server",
      [
        "ConnectSupport", "InteropSupport", "TestSchemas", "Encodings", "Schema", "ProtoCodec",
        "RPC", "RPCTransport", "Crypto",
      ], path: "Tests/Interop/ConnectConformanceServer"),
    program(
      "connect-conformance-client",
      [
        "ConnectSupport", "InteropSupport", "TestSchemas", "Schema", "ProtoCodec", "RPC",
        "RPCTransport", "Reactor", "Crypto",
      ], path: "Tests/Interop/ConnectConformanceClient"),
    library(
      "ConformanceTypes", ["Schema", "ProtoCodec"],
      path: "Tests/Interop/ProtobufConformance/Types"),
    program(
      "conformance-protobuf", ["ConformanceTypes", "ProtoCodec"],
      path: "Tests/Interop/ProtobufConformance", exclude: ["Types"]),

    library("TestSupport", [], path: "Tests/TestSupport"),
    library(
      "StoreConformance", ["Orchestrator", "Rotation"], path: "Tests/StoreConformance"),
    tests("EncodingsTests", ["Encodings", "TestSupport"]),
    tests("ProtoCodecTests", ["ProtoCodec", "Schema", "TestSupport"], exclude: ["Vectors"]),
    tests("SchemaTests", ["Schema", "TestSchemas", "ProtoCodec", "RPC"]),
    tests("AccessTests", ["Access", "MemoryStore", "Orchestrator", "Rotation"]),
    tests(
      "AccessControlTests",
      ["AccessControl", "Access", "Orchestrator", "Rotation", "Crypto", "RPC"]),
    tests("StatusPageTests", ["StatusPage", "RPC"]),
    tests("EvidenceTests", ["Evidence", "Crypto", "Encodings"]),
    tests("CryptoTests", ["Crypto", "Encodings", "TestSupport"]),
    tests("CompressionTests", ["Compression", "TestSupport"]),
    tests("YAMLTests", ["YAML", "TestSupport"]),
    tests("HTTP2Tests", ["HTTP2", "HTTP2Codes", "TestSupport"]),
    tests("ReactorTests", ["Reactor", "TestSupport"]),
    tests(
      "RPCTests",
      [
        "RPC", "RPCTransport", "Encodings", "HTTP2", "HTTP2Codes", "Schema", "ProtoCodec", "Crypto",
        "Reactor", "TestSupport",
      ]),
    tests("RPCTransportTests", ["RPCTransport", "RPC", "HTTP2Codes", "Reactor", "Crypto"]),
    tests("RotationTests", ["Rotation", "TestSupport"]),
    tests(
      "OrchestratorTests",
      [
        "Access", "Orchestrator", "Rotation", "MemoryStore", "SQLiteStore", "JournalCoding",
        "Crypto",
        "CSQLite", "StoreConformance", "TestSupport",
      ],
      exclude: ["Stores/Fixtures"]),
    tests(
      "TalosDriverTests",
      [
        "TalosDriver", "TalosSimulator", "Encodings", "Orchestrator", "Rotation", "Schema", "RPC",
        "RPCTransport", "HTTP2Codes", "Crypto", "YAML",
      ]),
    tests(
      "TalosSimulatorTests",
      ["TalosSimulator", "Encodings", "Schema", "RPC", "RPCTransport", "Crypto"]),
    tests(
      "ManagementServiceTests",
      [
        "ManagementService", "Access", "MemoryStore", "Orchestrator", "Rotation", "Schema",
        "ProtoCodec", "RPC", "WebResources",
      ]),
    tests(
      "StandardServicesTests",
      ["StandardServices", "Schema", "ProtoCodec", "RPC", "RPCTransport"]),
    tests("WebResourcesTests", ["WebResources", "RPC"]),
    tests("BackupTests", ["Backup", "Crypto"]),
    tests(
      "NotificationsTests",
      ["Notifications", "Encodings", "Rotation", "Crypto", "YAML", "TestSupport"]),
    tests(
      "MetricsTests",
      [
        "Metrics", "WebResources", "Access", "Orchestrator", "Rotation", "RPC", "RPCTransport",
        "StoreConformance",
      ]),
    tests("PlatformTests", ["Platform"]),
    tests("DaemonTests", ["Daemon"]),
    tests("InterceptorsTests", ["Interceptors", "Daemon", "RPC"]),
    tests(
      "omnidTests",
      [
        "omnid", "Crypto", "Daemon", "Interceptors", "ManagementService", "Orchestrator",
        "Rotation", "SQLiteStore", "RPCTransport",
      ]),
    tests(
      "OmnictlCommandsTests",
      [
        "OmnictlCommands", "Encodings", "Rotation", "Evidence", "Crypto", "Schema", "ProtoCodec",
        "RPC",
        "RPCTransport",
      ]),
    tests("ArchitectureTests", ["Rotation"]),
  ] + (libFuzzer.map(fuzzing) ?? [fuzzReplay])
)
