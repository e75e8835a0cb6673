import RPC
import Schema

/// A ManagementService of closures; what a test does not set answers UNIMPLEMENTED.
struct FakeService: Sendable {
  typealias Unary<I, O> = @Sendable (I) async throws -> O

  var rotate: Unary<RotateSecretRequest, RotateSecretResponse>?
  var status: Unary<GetRotationStatusRequest, GetRotationStatusResponse>?
  var history: Unary<ListRotationsRequest, ListRotationsResponse>?
  var watch:
    (
      @Sendable (
        WatchRotationStatusRequest, ResponseWriter<WatchRotationStatusResponse>
      ) async throws -> Void
    )?
  var report: Unary<GetRotationReportRequest, GetRotationReportResponse>?
  var exportCA: Unary<ExportRetiredCARequest, ExportRetiredCAResponse>?
  var clearMark: Unary<ClearClusterMarkRequest, ClearClusterMarkResponse>?
  var audit: (@Sendable (ReadAuditLogRequest) async throws -> [AuditEntry])?
  var goOn: Unary<ContinueRotationRequest, ContinueRotationResponse>?
  var abort: Unary<AbortRotationRequest, AbortRotationResponse>?
  var adopt: Unary<AdoptRotationRequest, AdoptRotationResponse>?
  var checkCredential: Unary<CheckCredentialRequest, CheckCredentialResponse>?
  var importCluster: Unary<ImportClusterRequest, ImportClusterResponse>?
  var getCluster: Unary<GetClusterRequest, GetClusterResponse>?
  var listClusters: Unary<ListClustersRequest, ListClustersResponse>?
  var forget: Unary<ForgetClusterRequest, ForgetClusterResponse>?
  var lockCluster: Unary<LockClusterRequest, LockClusterResponse>?
  var unlockCluster: Unary<UnlockClusterRequest, UnlockClusterResponse>?
  var lockMachine: Unary<LockMachineRequest, LockMachineResponse>?
  var unlockMachine: Unary<UnlockMachineRequest, UnlockMachineResponse>?
  var trustBundle: Unary<GetTrustBundleRequest, GetTrustBundleResponse>?
  var exportSecrets: Unary<ExportSecretsRequest, ExportSecretsResponse>?
  var talosconfig: Unary<TalosconfigRequest, TalosconfigResponse>?
  var kubeconfig: Unary<KubeconfigRequest, KubeconfigResponse>?
  var issueCertificate: Unary<IssueCertificateRequest, IssueCertificateResponse>?
  var issueToken: Unary<IssueTokenRequest, IssueTokenResponse>?
  var listAccess: Unary<ListAccessRequest, ListAccessResponse>?
  var changeMasterKey: Unary<ChangeMasterKeyRequest, ChangeMasterKeyResponse>?
  var revokeAccess: Unary<RevokeAccessRequest, RevokeAccessResponse>?
  var dashboardLink: Unary<CreateDashboardLinkRequest, CreateDashboardLinkResponse>?

  var dashboardSession: Unary<GetDashboardSessionRequest, GetDashboardSessionResponse>?

  var router: ServiceRouter {
    var router = ServiceRouter()
    add(ManagementServiceMethods.rotateSecret, rotate, &router)
    add(ManagementServiceMethods.getRotationStatus, status, &router)
    add(ManagementServiceMethods.listRotations, history, &router)
    add(ManagementServiceMethods.getRotationReport, report, &router)
    add(ManagementServiceMethods.exportRetiredCA, exportCA, &router)
    add(ManagementServiceMethods.clearClusterMark, clearMark, &router)
    add(ManagementServiceMethods.continueRotation, goOn, &router)
    add(ManagementServiceMethods.abortRotation, abort, &router)
    add(ManagementServiceMethods.adoptRotation, adopt, &router)
    add(ManagementServiceMethods.checkCredential, checkCredential, &router)
    add(ManagementServiceMethods.importCluster, importCluster, &router)
    add(ManagementServiceMethods.getCluster, getCluster, &router)
    add(ManagementServiceMethods.listClusters, listClusters, &router)
    add(ManagementServiceMethods.forgetCluster, forget, &router)
    add(ManagementServiceMethods.lockCluster, lockCluster, &router)
    add(ManagementServiceMethods.unlockCluster, unlockCluster, &router)
    add(ManagementServiceMethods.lockMachine, lockMachine, &router)
    add(ManagementServiceMethods.unlockMachine, unlockMachine, &router)
    add(ManagementServiceMethods.exportSecrets, exportSecrets, &router)
    add(ManagementServiceMethods.getTrustBundle, trustBundle, &router)
    add(ManagementServiceMethods.talosconfig, talosconfig, &router)
    add(ManagementServiceMethods.kubeconfig, kubeconfig, &router)
    add(ManagementServiceMethods.issueCertificate, issueCertificate, &router)
    add(ManagementServiceMethods.issueToken, issueToken, &router)
    add(ManagementServiceMethods.listAccess, listAccess, &router)
    add(ManagementServiceMethods.revokeAccess, revokeAccess, &router)
    add(ManagementServiceMethods.changeMasterKey, changeMasterKey, &router)
    add(ManagementServiceMethods.createDashboardLink, dashboardLink, &router)
    add(ManagementServiceMethods.getDashboardSession, dashboardSession, &router)
    if let watch {
      router.handle(ManagementServiceMethods.watchRotationStatus) { request, writer, _ in
        try await watch(request, writer)
      }
    }
    if let audit {
      router.handle(ManagementServiceMethods.readAuditLog) { request, writer, _ in
        for entry in try await audit(request) {
          var response = ReadAuditLogResponse()
          response.entry = entry
          try await writer.write(response)
        }
      }
    }
    return router
  }

  private func add<I, O>(
    _ method: Method<I, O>, _ body: Unary<I, O>?, _ router: inout ServiceRouter
  ) {
    guard let body else { return }
    router.handle(method) { request, _ in try await body(request) }
  }
}

extension ResponseWriter<WatchRotationStatusResponse> {
  func write(_ status: RotationStatus) async throws {
    var response = WatchRotationStatusResponse()
    response.status = status
    try await write(response)
  }
}

extension RotateSecretResponse {
  init(_ status: RotationStatus, attached: Bool = false) {
    self.init()
    self.status = status
    self.attached = attached
  }
}
