internal import Schema

/// `omnictl cluster -n NAME kubeconfig`.
enum KubeconfigCommand {
  static let command: CommandSpec = .init(
    "kubeconfig", "Issue a fresh administrator kubeconfig",
    discussion: "It holds a new private key. It goes on working while a CA is being rotated.",
    flags: [CredentialFile.outputFile.spec, CredentialFile.ttl.spec], clusterFlag: .required
  ) { session throws(CommandError) in
    var request = KubeconfigRequest()
    request.cluster = session.cluster
    request.ttl = try CredentialFile.lifetime(session)
    let answer = try await session.call(ManagementServiceMethods.kubeconfig, request)
    var withoutText = answer
    withoutText.kubeconfig = ""
    try CredentialFile.deliver(
      "kubeconfig", answer.kubeconfig, expires: answer.expiresAt, answer: answer,
      withoutText: withoutText, session)
  }
}
