public import Access

/// The least role for each method that omnid serves, by its path. A test compares the list with the schema.
public enum MethodRoles {
  private static let management = "/omni.management.v1.ManagementService/"

  /// A method that is not listed takes the highest role.
  ///
  /// - Parameter path: as a call has it; the query of a GET, which holds the request, counts for nothing.
  public static func least(_ path: String) -> Role {
    table[path] ?? table[String(path.prefix { $0 != "?" })] ?? .admin
  }

  /// The method's name, as the audit log has it.
  static func name(_ path: String) -> String {
    String(path.prefix { $0 != "?" }.split(separator: "/").last ?? "")
  }

  public static let table: [String: Role] = {
    var table: [String: Role] = [
      "/grpc.health.v1.Health/Check": .reader,
      "/grpc.health.v1.Health/Watch": .reader,
      "/grpc.health.v1.Health/List": .reader,
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": .reader,
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": .reader,
    ]
    for (name, role) in methods { table[management + name] = role }
    return table
  }()

  /// Whether whoever calls the method need not be known: what its request holds is all that lets the caller in.
  static func takesNoCaller(_ path: String) -> Bool { path == openSession }

  private static let openSession = management + "OpenDashboardSession"

  private static let methods: KeyValuePairs<String, Role> = [
    "GetRotationStatus": .reader,
    "WatchRotationStatus": .reader,
    "ListRotations": .reader,
    "GetRotationReport": .reader,
    "CheckCredential": .reader,
    "GetTrustBundle": .reader,
    "GetCluster": .reader,
    "ListClusters": .reader,
    "CreateDashboardLink": .reader,
    "OpenDashboardSession": .reader,
    "GetDashboardSession": .reader,
    "CloseDashboardSession": .reader,

    "RotateSecret": .operator,
    "AbortRotation": .operator,
    "ContinueRotation": .operator,
    "AdoptRotation": .operator,
    "LockCluster": .operator,
    "UnlockCluster": .operator,
    "LockMachine": .operator,
    "UnlockMachine": .operator,
    "ClearClusterMark": .operator,
    "ReadAuditLog": .operator,

    "ImportCluster": .admin,
    "ForgetCluster": .admin,
    "Talosconfig": .admin,
    "Kubeconfig": .admin,
    "ExportSecrets": .admin,
    "ExportRetiredCA": .admin,
    "IssueCertificate": .admin,
    "IssueToken": .admin,
    "ListAccess": .admin,
    "RevokeAccess": .admin,
    "ChangeMasterKey": .admin,
  ]
}
