import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema
import Testing

@testable import ManagementService

/// Calls a method of the service with a cluster's name; the rest of the request is in order.
struct NamedCall: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var call: @Sendable (RPCClient, String) async throws -> Void

  static let all: [NamedCall] = [
    NamedCall(testDescription: "RotateSecret") { client, name in
      var request = RotateSecretRequest()
      request.cluster = name
      request.component = .talosCA
      _ = try await client.unary(ManagementServiceMethods.rotateSecret, request)
    },
    NamedCall(testDescription: "RotateSecret, dry run") { client, name in
      var request = RotateSecretRequest()
      request.cluster = name
      request.component = .talosCA
      request.dryRun = true
      _ = try await client.unary(ManagementServiceMethods.rotateSecret, request)
    },
    NamedCall(testDescription: "GetRotationStatus") { client, name in
      var request = GetRotationStatusRequest()
      request.cluster = name
      _ = try await client.unary(ManagementServiceMethods.getRotationStatus, request)
    },
    NamedCall(testDescription: "ListRotations") { client, name in
      var request = ListRotationsRequest()
      request.cluster = name
      _ = try await client.unary(ManagementServiceMethods.listRotations, request)
    },
    NamedCall(testDescription: "GetCluster") { client, name in
      var request = GetClusterRequest()
      request.cluster = name
      _ = try await client.unary(ManagementServiceMethods.getCluster, request)
    },
    NamedCall(testDescription: "GetTrustBundle") { client, name in
      var request = GetTrustBundleRequest()
      request.cluster = name
      _ = try await client.unary(ManagementServiceMethods.getTrustBundle, request)
    },
    NamedCall(testDescription: "ForgetCluster") { client, name in
      var request = ForgetClusterRequest()
      request.cluster = name
      _ = try await client.unary(ManagementServiceMethods.forgetCluster, request)
    },
    NamedCall(testDescription: "Talosconfig") { client, name in
      var request = TalosconfigRequest()
      request.cluster = name
      _ = try await client.unary(ManagementServiceMethods.talosconfig, request)
    },
    NamedCall(testDescription: "Kubeconfig") { client, name in
      var request = KubeconfigRequest()
      request.cluster = name
      _ = try await client.unary(ManagementServiceMethods.kubeconfig, request)
    },
  ]

  static let watch = NamedCall(testDescription: "WatchRotationStatus") { client, name in
    var request = WatchRotationStatusRequest()
    request.cluster = name
    try await client.serverStreaming(ManagementServiceMethods.watchRotationStatus, request) {
      for try await _ in $0 {}
    }
  }

  static let importCluster = NamedCall(testDescription: "ImportCluster") { client, name in
    var request = ImportClusterRequest()
    request.cluster = name
    request.talosconfig = "context: x"
    _ = try await client.unary(ManagementServiceMethods.importCluster, request)
  }

  static let listClusters = NamedCall(testDescription: "ListClusters") { client, _ in
    _ = try await client.unary(ManagementServiceMethods.listClusters, ListClustersRequest())
  }
}

@Suite("Requests", .timeLimit(.minutes(1)))
struct RequestTests {
  @Test("An unknown cluster is NOT_FOUND", arguments: NamedCall.all + [.watch])
  func unknown(_ call: NamedCall) async throws {
    let served = try await ServedManagement()
    let error = try await failure { try await call.call(served.client, "nobody") }
    #expect(error.code == .notFound)
    #expect(error.message.contains("nobody"))
    let info = try #require(error.detail(GoogleRPC.ErrorInfo.self))
    #expect(info.reason == "CLUSTER_NOT_FOUND")
    #expect(info.metadata == ["cluster": "nobody"])
  }

  @Test("An empty name is INVALID_ARGUMENT", arguments: NamedCall.all + [.importCluster])
  func empty(_ call: NamedCall) async throws {
    let served = try await ServedManagement()
    let error = try await failure { try await call.call(served.client, "") }
    #expect(error.code == .invalidArgument)
    let violations = try #require(error.detail(GoogleRPC.BadRequest.self)).fieldViolations
    #expect(violations.map(\.field) == ["cluster"])
    #expect(violations.map(\.description) == ["must not be empty"])
  }

  @Test(
    "A name that is no DNS label is INVALID_ARGUMENT",
    arguments: NamedCall.all + [.watch, .importCluster],
    [
      "-a", "a-", "A", "a.b", "a_b", "a b", "ä", "../a", "a\u{0}",
      String(repeating: "a", count: 64),
    ])
  func malformed(_ call: NamedCall, _ name: String) async throws {
    let served = try await ServedManagement()
    let error = try await failure { try await call.call(served.client, name) }
    #expect(error.code == .invalidArgument)
    #expect(error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.first?.field == "cluster")
  }

  @Test("The longest name is taken")
  func longest() async throws {
    let name = String(repeating: "a", count: 63)
    let served = try await ServedManagement(clusters: [])
    try await NamedCall.importCluster.call(served.client, name)
    try await NamedCall.all[2].call(served.client, name)
  }

  @Test(
    "A caller whom nobody knows is UNAUTHENTICATED",
    arguments: NamedCall.all + [.watch, .importCluster, .listClusters])
  func anonymous(_ call: NamedCall) async throws {
    let served = try await ServedManagement(peer: Peer(address: "somewhere"))
    let error = try await failure { try await call.call(served.client, "demo") }
    #expect(error.code == .unauthenticated)
    #expect(error.detail(GoogleRPC.ErrorInfo.self)?.reason == "NO_IDENTITY")
  }

  @Test("Everything that is wrong with a request is told at once")
  func several() async throws {
    let served = try await ServedManagement()
    let error = try await failure {
      _ = try await served.rotate("Demo", .unspecified) {
        $0.requestID = String(repeating: "x", count: 129)
        $0.reason = "\u{1B}[2J"
      }
    }
    #expect(error.code == .invalidArgument)
    #expect(
      error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field)
        == ["cluster", "component", "request_id", "reason"])
  }

  @Test("A component that this server does not know is INVALID_ARGUMENT")
  func component() async throws {
    let served = try await ServedManagement()
    for component in [Schema.SecretComponent.unspecified, .init(rawValue: 99), .init(rawValue: -1)]
    {
      let error = try await failure { _ = try await served.rotate("demo", component) }
      #expect(error.code == .invalidArgument)
      #expect(
        error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field) == ["component"])
    }
  }

  @Test(
    "A validity is one minute to 366 days, of one sign",
    arguments: [
      (ProtoDuration(seconds: 60), true), (ProtoDuration(seconds: 366 * 86_400), true),
      (ProtoDuration(seconds: 65, nanos: 999_999_999), true),
      (ProtoDuration(seconds: 59, nanos: 999_999_999), false), (ProtoDuration(seconds: 0), false),
      (ProtoDuration(seconds: -5), false), (ProtoDuration(seconds: 65, nanos: -1), false),
      (ProtoDuration(seconds: 65, nanos: 1_000_000_000), false),
      (ProtoDuration(seconds: 65, nanos: .min), false),
      (ProtoDuration(seconds: 366 * 86_400, nanos: 1), false),
      (ProtoDuration(seconds: .max), false), (ProtoDuration(seconds: .min), false),
    ])
  func validity(_ ttl: ProtoDuration, _ isTaken: Bool) async throws {
    let served = try await ServedManagement()
    var request = KubeconfigRequest()
    request.cluster = "demo"
    request.ttl = ttl
    if isTaken {
      _ = try await served.client.unary(ManagementServiceMethods.kubeconfig, request)
    } else {
      let error = try await failure {
        _ = try await served.client.unary(ManagementServiceMethods.kubeconfig, request)
      }
      #expect(error.code == .invalidArgument)
      #expect(error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field) == ["ttl"])
    }
  }

  @Test("Page sizes and tokens that make no sense are INVALID_ARGUMENT")
  func pages() async throws {
    let served = try await ServedManagement()
    for (size, token, field) in [
      (Int32(-1), "", "page_size"), (0, "x", "page_token"), (0, "r1.", "page_token"),
      (0, "c1.../", "page_token"), (0, String(repeating: "9", count: 100_000), "page_token"),
    ] {
      var clusters = ListClustersRequest()
      clusters.pageSize = size
      clusters.pageToken = token
      var rotations = ListRotationsRequest()
      rotations.cluster = "demo"
      rotations.pageSize = size
      rotations.pageToken = token
      let errors = [
        try await failure {
          _ = try await served.client.unary(ManagementServiceMethods.listClusters, clusters)
        },
        try await failure {
          _ = try await served.client.unary(ManagementServiceMethods.listRotations, rotations)
        },
      ]
      for error in errors {
        #expect(error.code == .invalidArgument)
        #expect(error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field) == [field])
      }
    }
  }

  @Test("Every refusal of the orchestrator has a status with a reason and its message")
  func mapping() {
    for code in OrchestratorError.Code.allCases {
      let error = RPCError(OrchestratorError(code, "what to do", subject: "demo"))
      #expect(error.message == "what to do")
      #expect(error.code != .ok && error.code != .unknown)
      let isRetried = error.code == .unavailable
      #expect((error.detail(GoogleRPC.RetryInfo.self) != nil) == isRetried)
      let info = error.detail(GoogleRPC.ErrorInfo.self)
      #expect(info?.reason.isEmpty == false)
      let isRefusal = error.code == .failedPrecondition
      #expect((error.detail(GoogleRPC.PreconditionFailure.self) != nil) == isRefusal)
    }
  }

  @Test("Every value of the domain has the name of its kind in the schema")
  func names() {
    func shouted(_ text: String) -> String {
      text.reduce(into: "") { $0 += $1.isUppercase ? "_\($1)" : $1.uppercased() }
        .split(separator: "-").joined(separator: "_")
    }
    for component in Rotation.SecretComponent.allCases {
      #expect(
        Schema.SecretComponent(component).protoName
          == "SECRET_COMPONENT_" + shouted(component.rawValue))
      #expect(Rotation.SecretComponent(Schema.SecretComponent(component)) == component)
    }
    for phase in Rotation.RotationPhase.allCases {
      #expect(Schema.RotationPhase(phase).protoName == "ROTATION_PHASE_" + phase.name)
    }
    for state in Orchestrator.RotationState.allCases {
      #expect(
        Schema.RotationState(state).protoName == "ROTATION_STATE_" + shouted(state.rawValue))
    }
    for state in MachineSnapshot.State.allCases {
      #expect(
        MachineRotationState(state).protoName
          == "MACHINE_ROTATION_STATE_" + shouted(state.rawValue))
    }
    for state in CheckResult.State.allCases {
      #expect(
        RotationCheckState(state).protoName == "ROTATION_CHECK_STATE_" + shouted(state.rawValue))
    }
  }

  @Test("An instant keeps its nanoseconds, before the epoch too")
  func instants() {
    #expect(
      Timestamp(Instant(nanosecondsSince1970: 1_500_000_001))
        == Timestamp(seconds: 1, nanos: 500_000_001))
    #expect(
      Timestamp(Instant(nanosecondsSince1970: -1)) == Timestamp(seconds: -1, nanos: 999_999_999))
  }
}
