"""Whether a talosconfig or kubeconfig is still good, and on which machines."""

import json

from test_rotation import name


def check(lab, file, *flags):
    answer = lab.omnictl("credential", "check", file, "-o", "json", *flags)
    assert answer.returncode == 0, answer
    return json.loads(answer.stdout)


def test_a_leaked_file_is_good_until_its_ca_has_been_rotated_and_omnictl_says_where(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    leaked = {"TALOS_CA": lab.directory / "cluster/talosconfig",
              "KUBERNETES_CA": lab.directory / "cluster/kubeconfig"}
    for component, file in leaked.items():
        before = check(lab, file)
        assert before["authority"] == "CREDENTIAL_AUTHORITY_STATE_IN_USE", before
        assert before["component"] == f"SECRET_COMPONENT_{component}"
        assert before["acceptedBy"] == 5 and before["inTime"], before
    text = lab.omnictl("credential", "check", leaked["KUBERNETES_CA"]).stdout
    assert "still good on 5 of 5 machines" in text and "leaked-kubeconfig" in text, text
    assert "the API server and the kubelet let it in" in text, text
    # A machine that does not answer is said so, and not taken for one that refuses.
    down = lab.workers[0].name
    lab.switch(down, "stop")
    partial = check(lab, leaked["TALOS_CA"])
    assert partial["acceptedBy"] == 4, partial
    assert [m["machine"] for m in partial["machines"]
            if m["state"] == "CREDENTIAL_ACCEPTANCE_STATE_UNKNOWN"] == [down]
    lab.switch(down, "start")
    lab.call("GetCluster", cluster=lab.name)
    for component in leaked:
        lab.rotate(component)
        assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    for file in leaked.values():
        unnamed = check(lab, file)
        assert unnamed["authority"] == "CREDENTIAL_AUTHORITY_STATE_UNKNOWN", unnamed
        after = check(lab, file, "--cluster", lab.name)
        assert after["authority"] == "CREDENTIAL_AUTHORITY_STATE_RETIRED", after
        assert not after.get("acceptedBy") and len(after["machines"]) == 5, after
    fresh = lab.directory / "fresh"
    assert lab.omnictl("cluster", "-n", lab.name, "talosconfig", "--break-glass", "--output-file",
                       fresh).returncode == 0
    assert check(lab, fresh)["acceptedBy"] == 5
    marks = [mark.name for mark in lab.call("GetCluster", cluster=lab.name).cluster.marks]
    assert marks == ["tainted-by-break-glass"], marks
    assert "break_glass=true" in lab.omnictl("audit").stdout
