internal import Schema

/// Until when a credential works, for people. A certificate that a CA has signed is accepted as long as
/// that CA is; and its file knows a server's certificate as long as it knows the server's CA. While a
/// rotation runs, omnid signs with the CA that every machine accepts (the old one in PRE-ROTATE, the new
/// one from ROTATE on) and lets the file trust both.
enum CredentialLifetime {
  /// - Parameter server: who answers it.
  static func text(_ component: SecretComponent, server: String) -> String {
    """
    It works until its certificate expires (--ttl), and not longer than a rotation of the
    \(component.title) lets it:

      issued while none runs:    until ROTATE of the next one reaches
                                 \(server). From then on that one
                                 shows a certificate of the new CA, which
                                 this file does not know. POST-ROTATE ends
                                 what is left of it.
      issued during PRE-ROTATE:  until POST-ROTATE drops the old CA, which
                                 has signed it.
      issued from ROTATE on:     until the next rotation, as one issued
                                 while none runs.

    Issue a fresh one during a rotation, or after it.
    """
  }
}
