extension ConfigTemplate {
  func watchdog() -> String {
    """
    apiVersion: v1alpha1
    kind: WatchdogTimerConfig
    device: /dev/watchdog0 # the first there is
    timeout: 2m0s

    """
  }

  func kernelLog() -> String {
    """
    # Kernel messages go to the collector.
    apiVersion: v1alpha1
    kind: KmsgLogConfig
    name: collector
    url: "tcp://192.0.2.10:5044"

    """
  }

  func extensionService() -> String {
    """
    apiVersion: v1alpha1
    kind: ExtensionServiceConfig
    name: node-agent
    configFiles:
        - content: |-
            # acceptedCAs: this is somebody else's file
            ca: |
              -----BEGIN CERTIFICATE-----
              not one of ours
              -----END CERTIFICATE-----
          mountPath: /etc/agent.yaml
    environment:
        - LOG_LEVEL=info   # quiet
    """ + (index % 2 == 0 ? "\n" : "\n# end of \(name)\n...\n")
  }

  /// The documents that Talos 1.14 generates in place of fields of the v1alpha1 document.
  func multidoc() -> String {
    var text = "---\napiVersion: v1alpha1\nkind: HostnameConfig\nhostname: \(name)\nauto: off\n"
    text += "---\n# The root of trust of the Kubernetes API.\n"
    text += "apiVersion: v1alpha1\nkind: KubeAPIServerCAConfig\n"
    if type.isControlPlane {
      text += "issuingCA:\n" + pair(secrets.kubernetesCA)
      if index % 3 == 1 { text += "acceptedCAs: []\n" }
    } else {
      text +=
        "acceptedCAs:\n    - |\n" + block(secrets.kubernetesCA.certificate, indent: "        ")
    }
    guard type.isControlPlane else { return text }
    text += "---\napiVersion: v1alpha1\nkind: KubeAggregatorCAConfig\nissuingCA:\n"
    text += pair(secrets.aggregatorCA)
    text += "---\napiVersion: v1alpha1\nkind: KubeServiceAccountConfig\nissuer:\n"
    text += "    privateKey: |\n" + block(secrets.serviceAccountKey, indent: "        ")
    text += "    issuerURL: \(endpoint)\n"
    return text
  }

  private func pair(_ pair: PEMPair) -> String {
    "    cert: |\n" + block(pair.certificate, indent: "        ")
      + "    key: |\n" + block(pair.key, indent: "        ")
  }

  private func block(_ pem: String, indent: String) -> String {
    pem.split(separator: "\n").map { indent + $0 + "\n" }.joined()
  }
}
