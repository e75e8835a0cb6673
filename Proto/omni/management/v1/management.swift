// The binding of management.proto, which says what each field means.

public import ProtoCodec
public import RPC

/// Everything that a client can do.
public enum ManagementServiceMethods {
  public static let service = "omni.management.v1.ManagementService"

  /// Starts a rotation, or attaches to the one that runs.
  public static let rotateSecret = Method<RotateSecretRequest, RotateSecretResponse>(
    service: service, name: "RotateSecret", kind: .unary)

  /// Follows rotations: a snapshot first, then the newest status whenever it has changed.
  public static let watchRotationStatus = Method<
    WatchRotationStatusRequest, WatchRotationStatusResponse
  >(
    service: service, name: "WatchRotationStatus", kind: .serverStreaming,
    idempotency: .noSideEffects)

  /// Reads the status of the cluster's running rotation, else of its last one, else state IDLE.
  public static let getRotationStatus = Method<GetRotationStatusRequest, GetRotationStatusResponse>(
    service: service, name: "GetRotationStatus", kind: .unary, idempotency: .noSideEffects)

  /// Aborts a rotation: at once where it has touched no machine, else by going back to the old CA.
  public static let abortRotation = Method<AbortRotationRequest, AbortRotationResponse>(
    service: service, name: "AbortRotation", kind: .unary)

  /// Ends the wait before POST_ROTATE that a rotation was started with.
  public static let continueRotation = Method<ContinueRotationRequest, ContinueRotationResponse>(
    service: service, name: "ContinueRotation", kind: .unary)

  /// Takes over a rotation that somebody else has left half done, and finishes it or takes it back.
  public static let adoptRotation = Method<AdoptRotationRequest, AdoptRotationResponse>(
    service: service, name: "AdoptRotation", kind: .unary)

  /// Lists the rotations of a cluster, the newest first; the running one is among them. The server
  /// keeps the newest 100.
  public static let listRotations = Method<ListRotationsRequest, ListRotationsResponse>(
    service: service, name: "ListRotations", kind: .unary, idempotency: .noSideEffects)

  /// Reads the report of a rotation that is over, signed by the server.
  public static let getRotationReport = Method<
    GetRotationReportRequest, GetRotationReportResponse
  >(service: service, name: "GetRotationReport", kind: .unary, idempotency: .noSideEffects)

  /// Takes a cluster into this server's care, from nothing but a talosconfig.
  public static let importCluster = Method<ImportClusterRequest, ImportClusterResponse>(
    service: service, name: "ImportCluster", kind: .unary)

  /// Reads one cluster.
  public static let getCluster = Method<GetClusterRequest, GetClusterResponse>(
    service: service, name: "GetCluster", kind: .unary, idempotency: .noSideEffects)

  /// Lists the clusters in the order of their names.
  public static let listClusters = Method<ListClustersRequest, ListClustersResponse>(
    service: service, name: "ListClusters", kind: .unary, idempotency: .noSideEffects)

  /// Deletes everything this server knows of a cluster: the record, both CAs with their keys, the
  /// history. Nothing on the machines is changed.
  public static let forgetCluster = Method<ForgetClusterRequest, ForgetClusterResponse>(
    service: service, name: "ForgetCluster", kind: .unary)

  /// Keeps a cluster from being changed until it is unlocked.
  public static let lockCluster = Method<LockClusterRequest, LockClusterResponse>(
    service: service, name: "LockCluster", kind: .unary)

  /// Ends the lock of a cluster; the locks of its machines stay.
  public static let unlockCluster = Method<UnlockClusterRequest, UnlockClusterResponse>(
    service: service, name: "UnlockCluster", kind: .unary)

  /// Keeps one machine from being changed until it is unlocked.
  public static let lockMachine = Method<LockMachineRequest, LockMachineResponse>(
    service: service, name: "LockMachine", kind: .unary)

  /// Ends the lock of a machine.
  public static let unlockMachine = Method<UnlockMachineRequest, UnlockMachineResponse>(
    service: service, name: "UnlockMachine", kind: .unary)

  /// Takes a mark off a cluster with which a person has dealt.
  public static let clearClusterMark = Method<ClearClusterMarkRequest, ClearClusterMarkResponse>(
    service: service, name: "ClearClusterMark", kind: .unary)

  /// Issues a fresh Talos client certificate and returns the talosconfig that holds it.
  public static let talosconfig = Method<TalosconfigRequest, TalosconfigResponse>(
    service: service, name: "Talosconfig", kind: .unary)

  /// Issues a fresh Kubernetes administrator certificate and returns the kubeconfig that holds it.
  /// During a rotation the same holds as for Talosconfig.
  public static let kubeconfig = Method<KubeconfigRequest, KubeconfigResponse>(
    service: service, name: "Kubeconfig", kind: .unary)

  /// Reads the cluster's secrets from a control plane, in the form of `talosctl gen secrets`.
  public static let exportSecrets = Method<ExportSecretsRequest, ExportSecretsResponse>(
    service: service, name: "ExportSecrets", kind: .unary)

  /// Reads the CA that a rotation has retired, with its private key.
  public static let exportRetiredCA = Method<ExportRetiredCARequest, ExportRetiredCAResponse>(
    service: service, name: "ExportRetiredCA", kind: .unary)

  /// Says whether a client certificate is good still, and on which machines.
  public static let checkCredential = Method<CheckCredentialRequest, CheckCredentialResponse>(
    service: service, name: "CheckCredential", kind: .unary, idempotency: .noSideEffects)

  /// Reads which CAs have to be trusted by whoever talks to the cluster.
  public static let getTrustBundle = Method<GetTrustBundleRequest, GetTrustBundleResponse>(
    service: service, name: "GetTrustBundle", kind: .unary, idempotency: .noSideEffects)

  /// Reads the audit log, the oldest entry first.
  public static let readAuditLog = Method<ReadAuditLogRequest, ReadAuditLogResponse>(
    service: service, name: "ReadAuditLog", kind: .serverStreaming, idempotency: .noSideEffects)

  /// Signs a client certificate for a caller from elsewhere.
  public static let issueCertificate = Method<IssueCertificateRequest, IssueCertificateResponse>(
    service: service, name: "IssueCertificate", kind: .unary)

  /// Issues a service-account token, which is shown once.
  public static let issueToken = Method<IssueTokenRequest, IssueTokenResponse>(
    service: service, name: "IssueToken", kind: .unary)

  /// Lists what lets callers in from elsewhere.
  public static let listAccess = Method<ListAccessRequest, ListAccessResponse>(
    service: service, name: "ListAccess", kind: .unary, idempotency: .noSideEffects)

  /// Takes a certificate or a token back.
  public static let revokeAccess = Method<RevokeAccessRequest, RevokeAccessResponse>(
    service: service, name: "RevokeAccess", kind: .unary)
  public static let changeMasterKey = Method<ChangeMasterKeyRequest, ChangeMasterKeyResponse>(
    service: service, name: "ChangeMasterKey", kind: .unary)

  /// Makes a link that opens the dashboard in a browser, once.
  public static let createDashboardLink = Method<
    CreateDashboardLinkRequest, CreateDashboardLinkResponse
  >(service: service, name: "CreateDashboardLink", kind: .unary)

  /// Opens a session with the code of a link.
  public static let openDashboardSession = Method<
    OpenDashboardSessionRequest, OpenDashboardSessionResponse
  >(service: service, name: "OpenDashboardSession", kind: .unary)

  /// Says who the caller is to the server.
  public static let getDashboardSession = Method<
    GetDashboardSessionRequest, GetDashboardSessionResponse
  >(service: service, name: "GetDashboardSession", kind: .unary, idempotency: .noSideEffects)

  /// Ends the session under which it is called.
  public static let closeDashboardSession = Method<
    CloseDashboardSessionRequest, CloseDashboardSessionResponse
  >(service: service, name: "CloseDashboardSession", kind: .unary)

  /// The service as reflection describes it.
  public static let schema = SchemaService(
    "ManagementService",
    [
      SchemaMethod(rotateSecret),
      SchemaMethod(watchRotationStatus),
      SchemaMethod(getRotationStatus),
      SchemaMethod(abortRotation),
      SchemaMethod(continueRotation),
      SchemaMethod(adoptRotation),
      SchemaMethod(listRotations),
      SchemaMethod(getRotationReport),
      SchemaMethod(importCluster),
      SchemaMethod(getCluster),
      SchemaMethod(listClusters),
      SchemaMethod(forgetCluster),
      SchemaMethod(lockCluster),
      SchemaMethod(unlockCluster),
      SchemaMethod(lockMachine),
      SchemaMethod(unlockMachine),
      SchemaMethod(clearClusterMark),
      SchemaMethod(talosconfig),
      SchemaMethod(kubeconfig),
      SchemaMethod(exportSecrets),
      SchemaMethod(exportRetiredCA),
      SchemaMethod(checkCredential),
      SchemaMethod(getTrustBundle),
      SchemaMethod(readAuditLog),
      SchemaMethod(issueCertificate),
      SchemaMethod(issueToken),
      SchemaMethod(listAccess),
      SchemaMethod(revokeAccess),
      SchemaMethod(changeMasterKey),
      SchemaMethod(createDashboardLink),
      SchemaMethod(openDashboardSession),
      SchemaMethod(getDashboardSession),
      SchemaMethod(closeDashboardSession),
    ])
}

extension SchemaFile {
  public static let management = SchemaFile(
    "omni/management/v1/management.proto", package: "omni.management.v1",
    dependencies: [.duration, .timestamp],
    messages: [
      RotationStatus.self, HeldCredential.self, StageHold.self, StaleTrust.self,
      StaleHolder.self,
      RotationReachability.self,
      ReturnedCA.self, RotationStageTimes.self,
      MachineRotationStatus.self,
      RotationCheck.self,
      RotationPlan.self,
      RotationPlanStep.self, RotateSecretRequest.self, RotateSecretResponse.self,
      WatchRotationStatusRequest.self, WatchRotationStatusResponse.self,
      GetRotationStatusRequest.self, GetRotationStatusResponse.self, AbortRotationRequest.self,
      AbortRotationResponse.self, ContinueRotationRequest.self, ContinueRotationResponse.self,
      AdoptRotationRequest.self, AdoptRotationResponse.self, UnclearComponent.self,
      UnfinishedRotation.self,
      UnfinishedMachine.self, ListRotationsRequest.self,
      ListRotationsResponse.self, GetRotationReportRequest.self, GetRotationReportResponse.self,
      Cluster.self, ClusterMark.self, Lock.self, CertificateAuthority.self, Machine.self,
      LockClusterRequest.self, LockClusterResponse.self, UnlockClusterRequest.self,
      UnlockClusterResponse.self, LockMachineRequest.self, LockMachineResponse.self,
      UnlockMachineRequest.self, UnlockMachineResponse.self,
      ClearClusterMarkRequest.self, ClearClusterMarkResponse.self,
      ImportClusterRequest.self,
      ImportClusterResponse.self, GetClusterRequest.self, GetClusterResponse.self,
      ListClustersRequest.self, ListClustersResponse.self, ForgetClusterRequest.self,
      ForgetClusterResponse.self, TalosconfigRequest.self, TalosconfigResponse.self,
      KubeconfigRequest.self, KubeconfigResponse.self, CheckCredentialRequest.self,
      CheckCredentialResponse.self, CredentialAcceptance.self, ExportSecretsRequest.self,
      ExportSecretsResponse.self, ExportRetiredCARequest.self, ExportRetiredCAResponse.self,
      GetTrustBundleRequest.self, GetTrustBundleResponse.self, TrustBundle.self, TrustedCA.self,
      ReadAuditLogRequest.self, ReadAuditLogResponse.self,
      AuditEntry.self,
      AccessGrant.self, IssueCertificateRequest.self, IssueCertificateResponse.self,
      IssueTokenRequest.self, IssueTokenResponse.self, ListAccessRequest.self,
      ListAccessResponse.self, RevokeAccessRequest.self, RevokeAccessResponse.self,
      ChangeMasterKeyRequest.self, ChangeMasterKeyResponse.self,
      CreateDashboardLinkRequest.self, CreateDashboardLinkResponse.self,
      OpenDashboardSessionRequest.self, OpenDashboardSessionResponse.self,
      GetDashboardSessionRequest.self, GetDashboardSessionResponse.self,
      CloseDashboardSessionRequest.self, CloseDashboardSessionResponse.self, DashboardCaller.self,
    ],
    enums: [
      SecretComponent.self, RotationPhase.self, RotationState.self, MachineRotationState.self,
      RotationCheckState.self, RotationCause.self, CertificateAuthorityGeneration.self,
      UnfinishedMachineState.self, CredentialAuthorityState.self, CredentialAcceptanceState.self,
      AccessRole.self, AccessKind.self,
    ],
    services: [ManagementServiceMethods.schema])
}
