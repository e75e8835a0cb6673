// What an open check means, and what a person can do. The long form is docs/troubleshooting.md.
const byCheck = {
  "reachable": ["not reachable", "Is it up? Port 50000 has to be open from omnid's host. If a time is named, set the machine's clock right."],
  "config-applied": ["configuration not taken over", "Waits by itself. If it fails again and again, find who else writes this machine's configuration."],
  "config-editable": ["configuration cannot be edited", "The reason names the place. End a trial (apply-config --mode=try), or reboot into a staged configuration."],
  "listed": ["configuration lists another CA", "An intruder's, or a former rotation's. Look whose it is; --remove-foreign takes it out."],
  "issuing": ["does not issue from the right CA yet", "Comes within seconds. If it says that somebody else is rotating, find the other tool and stop it."],
  "accepted": ["trust list not as asked for", "With a fingerprint: --remove-foreign takes that CA out. Else wait."],
  "server-leaf": ["certificate not from the right CA yet", "A worker gets it on port 50001 of a control plane: is that open? After 20 seconds omnid makes it ask again."],
  "trustd-leaf": ["trustd's certificate not from the right CA yet", "Comes within seconds: talosctl -n MACHINE logs trustd"],
  "api-server-leaf": ["API server's certificate not from the right CA yet", "talosctl -n MACHINE service kubelet. Is 6443 a proxy that ends TLS itself?"],
  "new-client-accepted": ["new client not let in yet", "As for the trust list; look at the machine's clock too."],
  "client-accepted": ["new client not let in yet", "As for the trust list; look at the machine's clock too."],
  "old-client-accepted": ["old client not let in, before its time", "Somebody took the CA out of the configuration: who else writes it?"],
  "trust-refresh": ["goes on with the trust of the stage before", "omnid makes it ask again after 20 seconds. If it stays: port 50001 of the control planes."],
  "old-refused": ["old client not refused yet", "The configuration may still list the old CA; an API server has to restart."],
  "api-server-ready": ["API server not ready", "kubectl get --raw '/readyz?verbose'; look at etcd."],
  "api-server-accepts-new": ["API server does not let the new client in yet", "Wait for the restart. Does a webhook refuse it?"],
  "api-server-accepts-old": ["API server does not let the old client in", "Who else writes the configuration?"],
  "static-pods": ["control plane not restarted yet", "The kubelet restarts it within seconds: talosctl -n MACHINE logs kubelet"],
  "control-plane-pods": ["control plane pods not ready", "They sit out a back-off of up to 40 seconds after the API server was away: kubectl -n kube-system logs"],
  "kubelet": ["kubelet not ready", "talosctl -n MACHINE logs kubelet"],
  "kubelet-client": ["kubelet's certificate not from the right CA yet", "Does the controller-manager run, which signs it? kubectl get csr"],
  "kubelet-old-refused": ["kubelet's port lets the old client in", "talosctl -n MACHINE service kubelet restart"],
  "node-ready": ["node not ready", "kubectl describe node NAME: network plugin, disk, memory."],
  "distinct-machines": ["two machines are one", "A cloned identity: reset the clone."],
  "kube-root-ca": ["root CA of pods not renewed yet", "The controller-manager writes it after its restart: kubectl -n kube-system logs"],
  "extension-authentication": ["CA of aggregated API servers not renewed yet", "omnid renews the ConfigMap. Does anyone keep it, as a backup tool?"],
  "coverage": ["something is left out", "Let discovery see every machine; delete what is gone."],
  "driver": ["cannot be checked", "The reason says why; omnid's log has it too."],
};
const aliases = {
  "root-accepted": "accepted", "trustd-accepted": "accepted", "api-server-accepted": "accepted",
};

/** What an open check is called, so that nobody reads its name as good news. */
export const obstacle = (check) => (byCheck[aliases[check.name] ?? check.name] ?? [`${check.name} not yet`])[0];

/** What can be done about an open check; empty when nothing is known. */
export function remedy(check, machine = "MACHINE") {
  const text = (byCheck[aliases[check.name] ?? check.name] ?? ["", ""])[1];
  return text.replaceAll("MACHINE", machine).replaceAll("NAME", machine);
}

/** The checks that stand in the way. */
export const open = (checks) =>
  (checks ?? []).filter((check) => /_(FAILED|WAITING)$/.test(check.state ?? ""));
