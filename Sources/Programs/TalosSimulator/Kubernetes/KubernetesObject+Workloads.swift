extension KubernetesObject {
  static func nodes(_ snapshot: KubernetesSnapshot) -> [KubernetesObject] {
    snapshot.nodes.map { node in
      var labels = [
        "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
      ]
      if node.isControlPlane { labels["node-role.kubernetes.io/control-plane"] = "" }
      let since = time(node.readySince)
      func condition(
        _ type: String, _ status: String, _ reason: String, _ text: String
      )
        -> [String: Any]
      {
        [
          "type": type, "status": status, "reason": reason, "message": text,
          "lastHeartbeatTime": since, "lastTransitionTime": since,
        ]
      }
      let pressure = node.ready == .unknown ? "Unknown" : "False"
      let spec: [String: Any] =
        node.isControlPlane
        ? [
          "taints": [
            ["key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"]
          ]
        ] : [:]
      return KubernetesObject(
        kind: "Node", name: node.name, created: snapshot.created,
        revision: snapshot.state.revision, labels: labels,
        [
          "spec": spec,
          "status": [
            "addresses": [
              ["type": "InternalIP", "address": node.address],
              ["type": "Hostname", "address": node.name],
            ],
            "conditions": [
              condition("MemoryPressure", pressure, "KubeletHasSufficientMemory", "enough memory"),
              condition("DiskPressure", pressure, "KubeletHasNoDiskPressure", "enough disk"),
              condition(
                "Ready", node.ready.rawValue, node.reason, node.message),
            ],
            "nodeInfo": [
              "kubeletVersion": snapshot.kubernetesVersion, "operatingSystem": "linux",
              "architecture": "amd64", "osImage": "Talos (\(node.talosVersion))",
              "containerRuntimeVersion": "containerd://2.1.4", "kernelVersion": "6.12.0-talos",
            ],
          ] as [String: Any],
        ])
    }
  }

  static func namespaces(_ snapshot: KubernetesSnapshot) -> [KubernetesObject] {
    KubernetesState.namespaces.map {
      KubernetesObject(
        kind: "Namespace", name: $0, created: snapshot.created,
        labels: ["kubernetes.io/metadata.name": $0],
        ["spec": ["finalizers": ["kubernetes"]], "status": ["phase": "Active"]])
    }
  }

  static func configMaps(_ snapshot: KubernetesSnapshot) -> [KubernetesObject] {
    let state = snapshot.state
    func revision(_ key: String) -> UInt64 { state.changedAt[key] ?? 1 }
    var list: [KubernetesObject] = []
    for namespace in KubernetesState.namespaces {
      if namespace == "kube-system", state.extensionExists {
        list.append(
          KubernetesObject(
            kind: "ConfigMap", namespace: namespace, name: "extension-apiserver-authentication",
            created: snapshot.created,
            revision: revision("kube-system/extension-apiserver-authentication"),
            [
              "data": [
                "client-ca-file": state.extensionClientCAs.joined(),
                "requestheader-allowed-names": "[\"front-proxy-client\"]",
                "requestheader-username-headers": "[\"X-Remote-User\"]",
                "requestheader-group-headers": "[\"X-Remote-Group\"]",
              ]
            ]))
      }
      guard let ca = state.rootCA[namespace] else { continue }
      list.append(
        KubernetesObject(
          kind: "ConfigMap", namespace: namespace, name: "kube-root-ca.crt",
          created: snapshot.created, revision: revision("\(namespace)/kube-root-ca.crt"),
          annotations: [
            "kubernetes.io/description":
              "Contains a CA bundle that can be used to verify the kube-apiserver."
          ],
          metadata: [
            "managedFields": [
              [
                "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                "time": time(state.rootCAWritten[namespace] ?? snapshot.created),
                "fieldsType": "FieldsV1",
                "fieldsV1": ["f:data": [".": [:] as [String: Any], "f:ca.crt": [:]]],
              ] as [String: Any]
            ]
          ], ["data": ["ca.crt": ca]]))
    }
    return list
  }

  static func pods(_ snapshot: KubernetesSnapshot) -> [KubernetesObject] {
    snapshot.nodes.flatMap { [proxy(on: $0, snapshot)] + mirrorPods(of: $0, snapshot) }
      + nameServers(snapshot)
  }

  /// Whether the kubelet runs the pod by itself.
  static func isMirrorPod(_ name: String, _ snapshot: KubernetesSnapshot) -> Bool {
    snapshot.nodes.contains { mirrorPods(of: $0, snapshot).contains { $0.name == name } }
  }

  private static func proxy(
    on node: KubernetesSnapshot.Node, _ snapshot: KubernetesSnapshot
  ) -> KubernetesObject {
    pod(
      "kube-proxy-\(node.name)", of: "kube-proxy", owner: ("DaemonSet", "kube-proxy"),
      labels: ["k8s-app": "kube-proxy", "tier": "node"], on: node, snapshot)
  }

  /// CoreDNS, a Deployment of one pod, on the first node.
  private static func nameServers(_ snapshot: KubernetesSnapshot) -> [KubernetesObject] {
    snapshot.nodes.prefix(1).map {
      pod(
        "coredns-5d78c9869d-x7k2p", of: "coredns", owner: ("ReplicaSet", "coredns-5d78c9869d"),
        labels: ["k8s-app": "kube-dns", "pod-template-hash": "5d78c9869d"], on: $0, snapshot)
    }
  }

  /// A pod of `kube-system` that calls the API with a token and the root certificate of its namespace.
  private static func pod(
    _ name: String, of program: String, owner: (kind: String, name: String),
    labels: [String: String], on node: KubernetesSnapshot.Node, _ snapshot: KubernetesSnapshot
  ) -> KubernetesObject {
    let started = time(snapshot.state.podsStarted[name] ?? snapshot.created)
    return KubernetesObject(
      kind: "Pod", namespace: "kube-system", name: name,
      created: snapshot.created, revision: snapshot.state.revision, labels: labels,
      metadata: [
        "ownerReferences": [
          [
            "apiVersion": "apps/v1", "kind": owner.kind, "name": owner.name, "controller": true,
            "uid": uid("\(owner.kind)/\(owner.name)"),
          ] as [String: Any]
        ]
      ],
      [
        "spec": [
          "nodeName": node.name, "hostNetwork": true,
          "containers": [["name": program, "image": program]],
          "volumes": [
            [
              "name": "kube-api-access",
              "projected": [
                "sources": [
                  ["serviceAccountToken": ["path": "token"]],
                  [
                    "configMap": [
                      "name": "kube-root-ca.crt", "items": [["key": "ca.crt", "path": "ca.crt"]],
                    ] as [String: Any]
                  ],
                ]
              ],
            ] as [String: Any]
          ],
        ] as [String: Any],
        "status": [
          "phase": node.isReady ? "Running" : "Pending", "podIP": node.address,
          "conditions": [["type": "Ready", "status": node.isReady ? "True" : "False"]],
          "containerStatuses": [
            [
              "name": program, "ready": node.isReady, "restartCount": 0,
              "state": ["running": ["startedAt": started]],
            ] as [String: Any]
          ],
        ] as [String: Any],
      ])
  }
}
