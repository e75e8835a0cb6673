internal import Schema

/// `omnictl cluster -n NAME kubeconfig`.
enum KubeconfigCommand {
  static let command: CommandSpec = .init(
    "kubeconfig", "Issue a fresh administrator kubeconfig",
    examples: [
      "omnictl cluster -n prod kubeconfig --output-file ~/.kube/config --merge",
      "omnictl cluster -n prod kubeconfig --break-glass --output-file emergency.kubeconfig",
    ],
    discussion: """
      It holds a new private key.

      \(CredentialLifetime.text(.kubernetesCA, server: "an API server"))
      """,
    flags: CredentialFile.flags, clusterFlag: .required
  ) { session throws(CommandError) in
    var request = KubeconfigRequest()
    request.cluster = session.cluster
    request.ttl = try CredentialFile.lifetime(session)
    request.breakGlass = CredentialFile.isForEmergencies(session)
    let destination = try CredentialFile.destination(KubeconfigMerge.self, session)
    let answer = try await session.call(ManagementServiceMethods.kubeconfig, request)
    var withoutText = answer
    withoutText.kubeconfig = ""
    CredentialFile.tellOfMark(session)
    try destination.deliver(
      answer.kubeconfig, expires: answer.expiresAt, answer: answer, withoutText: withoutText,
      session)
  }
}
