"""Why a rotation is made decides what has to be rotated, and the cluster says what is left."""

TALOS_CA, KUBERNETES_CA = 1, 2


def marks(lab):
    cluster = lab.call("GetCluster", cluster=lab.name).cluster
    return {mark.name: list(mark.pending) for mark in cluster.marks}


def test_a_leaked_talosconfig_needs_both_cas_and_the_cluster_says_so_until_then(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    assert marks(lab) == {"tainted-by-importing": [TALOS_CA, KUBERNETES_CA]}
    wrong = lab.secret_rotate("talos-ca", "--reason", "leaked-kubeconfig")
    assert wrong.returncode == 2 and "dealt with by rotating kubernetes-ca" in wrong.stderr, wrong
    first = lab.secret_rotate("talos-ca", "--reason", "leaked-talosconfig: laptop of ann",
                              "--max-parallel-workers", "1")
    assert first.returncode == 0, first
    said = " ".join(first.stdout.split())
    assert "only when both CAs have been rotated after it" in said, first.stdout
    left = [KUBERNETES_CA]
    assert marks(lab) == {"tainted-by-importing": left, "leaked-talosconfig": left}
    shown = lab.omnictl("cluster", "get", lab.name).stdout
    assert "leaked-talosconfig since" in shown and "rotate kubernetes-ca" in shown, shown
    assert "leaked-talosconfig" in lab.omnictl("cluster", "list").stdout
    assert lab.secret_rotate("kubernetes-ca").returncode == 0
    assert marks(lab) == {}
    history = lab.secret_rotate("history").stdout
    assert "leaked-talosconfig: laptop of ann" in history, history
