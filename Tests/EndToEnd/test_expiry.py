"""A CA that ends while it is rotated: a start asks whether there is time, and a rotation goes on with the new CA."""

from lab import eventually


def test_a_rotation_whose_old_ca_expires_in_its_soak_goes_on_with_the_new_one(new_lab):
    lab = new_lab(control_planes=1, workers=1,
                  simulator_flags=["--talos-ca-lifetime", "40"]).start()
    lab.import_cluster()
    refused = lab.secret_rotate("talos-ca", "--yes", "--soak", "2h")
    said = " ".join(refused.stderr.split())
    assert refused.returncode == 3, refused
    assert "expires on" in said and "shorter wait (--soak)" in said, said
    begun = lab.secret_rotate("talos-ca", "--yes", "--soak-until-continued", "--wait=false")
    assert begun.returncode == 0, begun
    assert any("expires on" in note for note in lab.status().notes), lab.status()
    eventually(lambda: lab.status().state == lab.stubs.management.ROTATION_STATE_PAUSED, 60)
    eventually(lambda: "expired on" in lab.omnictl("cluster", "get", lab.name).stdout, 60)
    back = lab.secret_rotate("abort")
    said = " ".join(back.stderr.split())
    assert back.returncode == 3, back
    assert "cannot be aborted" in said and "has expired on" in said, said
    # What a restart finds is a CA that has expired, too.
    lab.stop()
    lab.start()
    assert lab.secret_rotate("continue").returncode == 0
    end = lab.finish()
    assert end.state == lab.stubs.management.ROTATION_STATE_SUCCEEDED, end
    excused = [check for machine in end.machines for check in machine.checks
               if check.name == "old-refused"]
    assert len(excused) == 2 and all("has expired on" in check.detail for check in excused), end
    issued = lab.omnictl("cluster", "-n", lab.name, "talosconfig", "--output-file",
                         str(lab.directory / "fresh"))
    assert issued.returncode == 0, issued


def test_a_kubernetes_ca_that_expires_keeps_a_rotation_of_the_talos_ca_from_nothing(new_lab):
    lab = new_lab(control_planes=1, workers=1,
                  simulator_flags=["--kubernetes-ca-lifetime", "40"]).start()
    lab.import_cluster()
    begun = lab.secret_rotate("talos-ca", "--yes", "--soak-until-continued", "--wait=false")
    assert begun.returncode == 0, begun
    assert any("rotate the kubernetes-ca first" in note for note in lab.status().notes), lab.status()
    eventually(lambda: lab.status().state == lab.stubs.management.ROTATION_STATE_PAUSED, 60)
    eventually(lambda: "expired on" in lab.omnictl("cluster", "get", lab.name).stdout, 60)
    assert lab.secret_rotate("continue").returncode == 0
    end = lab.finish()
    assert end.state == lab.stubs.management.ROTATION_STATE_SUCCEEDED, end
    report = " ".join(lab.secret_rotate("proof").stdout.split())
    assert "the Kubernetes nodes are not compared, because the kubernetes-ca" in report, report
