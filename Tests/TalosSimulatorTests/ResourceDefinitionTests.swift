import Encodings
import ProtoCodec
import RPC
import Schema
import Testing
import YAML

@testable import TalosSimulator

@Suite("A machine describes its resources as Talos 1.13 does")
struct ResourceDefinitionTests {
  @Test("Every type has a definition with a name of its own, in a namespace that exists")
  func all() {
    #expect(ResourceCatalog.all.count == 167)
    #expect(Set(ResourceCatalog.all.map(\.id)).count == 167)
    for definition in ResourceCatalog.all {
      #expect(ResourceCatalog.namespaces[definition.namespace] != nil, "\(definition.type)")
    }
    #expect(ResourceCatalog.definition(of: "machineconfigs.CONFIG.talos.dev")?.sensitive == true)
  }

  @Test(
    "Names of one resource and aliases are made from a type's name",
    arguments: [
      ("Identities.cluster.talos.dev", "Identity", ["identity"]),
      ("OSRootSecrets.secrets.talos.dev", "OSRootSecret", ["osrootsecret", "osrs"]),
      ("Services.v1alpha1.talos.dev", "Service", ["svc", "service"]),
      ("MachineStatuses.runtime.talos.dev", "MachineStatus", ["machinestatus", "ms"]),
      (
        "AddressStatuses.net.talos.dev", "AddressStatus",
        ["address", "addresses", "addressstatus", "as"]
      ),
      ("MachineTypes.config.talos.dev", "MachineType", ["machinetype", "mt", "mts"]),
      ("NodeAddresses.net.talos.dev", "NodeAddress", ["nodeaddress", "na", "nas"]),
      ("LinkRefreshes.net.talos.dev", "LinkRefresh", ["linkrefresh", "lr", "lrs"]),
      (
        "DNSResolveCaches.net.talos.dev", "DNSResolveCache", ["dnsresolvecache", "dnsrc", "dnsrcs"]
      ),
      ("MountStatuses.runtime.talos.dev", "MountStatus", ["mounts"]),
    ])
  func names(type: String, singular: String, aliases: [String]) throws {
    let definition = try #require(ResourceCatalog.definition(of: type))
    #expect(definition.singular == singular)
    #expect(definition.aliases == aliases)
  }

  @Test("A definition has the bytes of a real one")
  func bytes() {
    #expect(
      Hexadecimal.encode(ResourceCatalog.member.spec.serialized())
        == "0a194d656d626572732e636c75737465722e74616c6f732e64657612064d656d6265721a07636c757374657222"
        + "066d656d6265722a076d656d626572732a0f6d656d626572732e636c75737465722a156d656d626572732e636c"
        + "75737465722e74616c6f732a066d656d62657232170a08486f73746e616d65120b7b2e686f73746e616d657d32"
        + "1e0a0c4d616368696e652054797065120e7b2e6d616368696e65547970657d32180a024f5312127b2e6f706572"
        + "6174696e6753797374656d7d32190a09416464726573736573120c7b2e6164647265737365737d")
    #expect(
      Hexadecimal.encode(ResourceCatalog.osRoot.spec.serialized())
        == "0a1f4f53526f6f74536563726574732e736563726574732e74616c6f732e646576120c4f53526f6f7453656372"
        + "65741a0773656372657473220c6f73726f6f7473656372657422046f7372732a0d6f73726f6f74736563726574"
        + "732a156f73726f6f74736563726574732e736563726574732a1b6f73726f6f74736563726574732e7365637265"
        + "74732e74616c6f732a0c6f73726f6f747365637265742a046f7372733801")
  }
}

@Suite("Every spec has a form in YAML")
struct SpecYAMLTests {
  @Test("Keys, certificates, addresses and what is missing look as on a machine")
  func secrets() {
    var pair = Talos.PEMEncodedCertificateAndKey()
    pair.crt = Array("C\n".utf8)
    pair.key = Array("K\n".utf8)
    var accepted = Talos.PEMEncodedCertificate()
    accepted.crt = Array("A\n".utf8)
    var root = Talos.OSRootSpec()
    root.issuingCA = pair
    root.acceptedCAs = [accepted]
    root.certSANIPs = [Talos.NetIP(text: "1.2.3.4")].compactMap { $0 }
    root.token = "t"
    #expect(
      root.yaml.document() == """
        issuingCA:
            crt: Qwo=
            key: Swo=
        acceptedCAs:
            - crt: QQo=
        certSANIPs:
            - 1.2.3.4
        certSANDNSNames: []
        token: t

        """)
    #expect(Talos.OSRootSpec().yaml.document().hasPrefix("issuingCA: null\nacceptedCAs: []\n"))
    var endpoint = Talos.URL()
    endpoint.fullPath = "https://10.0.0.1:6443/x"
    let parts = YAMLValue.address(endpoint).document()
    #expect(parts.hasPrefix("scheme: https\nopaque: \"\"\nuser: null\n"))
    #expect(parts.contains("host: \"10.0.0.1:6443\"\npath: /x\n"))
  }

  @Test(
    "A configuration is one text, whatever its lines look like",
    arguments: [
      "a: b\n", "a: b", "a:\n  b: c\n\n  d: e\n", "# grüße\na: |\n  x\n\n\n", " a: b\n", "\ta\n",
      "a: \u{1}\n", "", "one",
    ])
  func configuration(text: String) throws {
    let yaml = SpecYAML.of(Talos.MachineConfigSpec.self)
    var spec = Talos.MachineConfigSpec()
    spec.yamlMarshalled = Array(text.utf8)
    let document = try #require(try YAMLParser.parse(Array(yaml(spec.serialized()).utf8)).first)
    #expect(document.text == text)
  }

  @Test("A type and a stage are called as Talos calls them")
  func names() {
    var type = Talos.MachineTypeSpec()
    type.machineType = .controlPlane
    #expect(SpecYAML.of(Talos.MachineTypeSpec.self)(type.serialized()) == "controlplane\n")
    var status = Talos.MachineStatusSpec()
    status.stage = .running
    #expect(
      status.yaml.document()
        == "stage: running\nstatus:\n    ready: false\n    unmetConditions: []\n")
  }
}

extension ClusterSuite {
  @Suite("What talosctl get, edit and patch ask for")
  struct ResourceAnswerTests {
    @Test("Types and namespaces can be listed by every reader, and the list names what get needs")
    func definitions() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let reader = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          test.talosCA, roles: [Role.reader])
        var found: [String: Cosi.ResourceDefinitionSpec] = [:]
        for resource in try await list(
          "ResourceDefinitions.meta.cosi.dev", "meta", test, as: reader)
        {
          found[resource.metadata?.id ?? ""] = try Cosi.ResourceDefinitionSpec(
            serialized: resource.spec?.protoSpec ?? [])
        }
        #expect(found["members.cluster.talos.dev"]?.defaultNamespace == "cluster")
        #expect(found["machineconfigs.config.talos.dev"]?.allAliases.contains("mc") == true)
        let namespaces = try await list("Namespaces.meta.cosi.dev", "meta", test, as: reader)
        #expect(namespaces.compactMap(\.metadata?.id).contains("cluster"))
        #expect(try await list("Disks.block.talos.dev", "runtime", test, as: reader).isEmpty)
      }
    }

    @Test("Every resource has YAML, and a configuration says that its YAML is a text")
    func yaml() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        for definition in ResourceCatalog.ofState {
          for resource in try await list(definition.type, definition.namespace, test) {
            let text = resource.spec?.yamlSpec ?? ""
            #expect(try !YAMLParser.parse(Array(text.utf8)).isEmpty, "\(definition.type)")
            let marked = resource.metadata?.annotations["talos.dev/yaml-spec"] == "1"
            #expect(marked == (definition.type == ResourceCatalog.machineConfig.type))
          }
        }
      }
    }

    @Test("Nothing can be written from outside")
    func writes() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        var resource = Cosi.Resource()
        var metadata = Cosi.Metadata()
        metadata.version = "undefined"
        resource.metadata = metadata
        resource.spec = Cosi.Spec()
        var create = Cosi.CreateRequest()
        create.resource = resource
        let request = create
        let refusal = await #expect(throws: RPCError.self) {
          try await test.client(of: node).unary(
            Cosi.StateMethods.create, request, options: TestCluster.options())
        }
        #expect(refusal?.code == .permissionDenied)
        #expect(refusal?.message == "write access is not allowed")
        let empty = await #expect(throws: RPCError.self) {
          try await test.client(of: node).unary(
            Cosi.StateMethods.update, Cosi.UpdateRequest(), options: TestCluster.options())
        }
        #expect(empty?.message == "metadata is missing")
        let reader = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          test.talosCA, roles: [Role.reader])
        let unauthorized = await #expect(throws: RPCError.self) {
          try await test.client(of: node, as: reader).unary(
            Cosi.StateMethods.destroy, Cosi.DestroyRequest(), options: TestCluster.options())
        }
        #expect(unauthorized?.message == "not authorized")
      }
    }

    private func list(
      _ type: String, _ namespace: String, _ test: TestCluster, as pair: PEMPair? = nil
    ) async throws -> [Cosi.Resource] {
      var request = Cosi.ListRequest()
      request.type = type
      request.namespace = namespace
      return try await test.client(of: test.controlPlanes[0], as: pair).serverStreaming(
        Cosi.StateMethods.list, request, options: TestCluster.options()
      ) { answers in
        var found: [Cosi.Resource] = []
        for try await answer in answers {
          if let resource = answer.resource { found.append(resource) }
        }
        return found
      }
    }
  }
}
