import Orchestrator
import ProtoCodec
import RPC
import Schema

/// Brings the store under another master key.
///
/// - Parameter file: holds the new key; empty: a random one is made.
public typealias MasterKeyChange =
  @Sendable (_ file: String) async throws(MasterKeyRefusal) -> (keyID: String, notes: [String])

/// Why the master key stays as it is.
public struct MasterKeyRefusal: Error {
  /// For people: the reason, and what to do.
  public let message: String

  public init(_ message: String) { self.message = message }
}

extension ManagementHandlers {
  func changeMasterKey(
    _ request: ChangeMasterKeyRequest
  ) async throws(RPCError) -> ChangeMasterKeyResponse {
    guard request.newMasterKeyFile.utf8.count <= 4096,
      request.newMasterKeyFile.isEmpty || request.newMasterKeyFile.hasPrefix("/")
    else {
      throw .badRequest([
        ArgumentViolation("new_master_key_file", "must be an absolute path of at most 4096 bytes")
      ])
    }
    do throws(MasterKeyRefusal) {
      let (keyID, notes) = try await changeMasterKey(request.newMasterKeyFile)
      var response = ChangeMasterKeyResponse()
      response.keyID = keyID
      response.reportKeyFingerprint = reports.keyFingerprint()
      response.notes = notes
      return response
    } catch {
      throw RPCError(error)
    }
  }
}

extension ChangeMasterKeyRequest: AuditedRequest {
  /// The master key is that of all clusters.
  var cluster: String { "" }

  var auditedFields: [(name: String, value: String)] { [("new_master_key_file", newMasterKeyFile)] }
}

extension ChangeMasterKeyResponse: AuditedResponse {
  var auditedOutcome: String { "master key \(keyID)" }
}
