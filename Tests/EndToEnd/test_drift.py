"""A retired CA that somebody puts back is told of within a minute."""

import yaml
from lab import eventually
from test_rotation import name


def put_back(lab, node, old):
    """Somebody applies a configuration that accepts an old CA beside the present one."""
    config = lab.control_call("GET", f"nodes/{node}/config")
    documents = list(yaml.safe_load_all(config))
    documents[0]["machine"]["acceptedCAs"] = [{"crt": old}]
    text = yaml.safe_dump_all(documents, sort_keys=False)
    lab.control_call("POST", f"nodes/{node}/write", text)



def test_a_retired_ca_that_comes_back_is_told_of_and_a_rotation_takes_it_out(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    worker = lab.workers[0].name
    before = list(yaml.safe_load_all(lab.control_call("GET", f"nodes/{worker}/config")))
    old = before[0]["machine"]["ca"]["crt"]
    lab.rotate("TALOS_CA")
    done = lab.finish()
    assert name(done, "state") == "ROTATION_STATE_SUCCEEDED" and not done.returned_cas
    put_back(lab, worker, old)
    eventually(lambda: lab.status().returned_cas, 70)
    returned = lab.status().returned_cas[0]
    assert returned.machine == worker and returned.fingerprint == done.old_ca_fingerprint
    lab.logged("retired CA has come back")
    shown = lab.omnictl("cluster", "get", lab.name).stdout
    assert "retired-ca-returned" in shown and worker in shown, shown
    status = " ".join(lab.secret_rotate("status").stdout.split())
    assert "somebody has put it back" in status, status
    refused = lab.secret_rotate("talos-ca", "--dry-run")
    assert refused.returncode == 3 and "--remove-foreign" in refused.stderr, refused
    assert lab.secret_rotate("talos-ca", "--remove-foreign").returncode == 0
    assert not lab.status().returned_cas
    lab.logged("retired CA is gone again")


def test_a_configuration_that_is_put_back_whole_is_told_of_although_the_machine_refuses_omnid(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    names = [lab.workers[0].name, lab.control_planes[2].name]
    before = {name: lab.control_call("GET", f"nodes/{name}/config") for name in names}
    lab.rotate("TALOS_CA")
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    for machine in names:
        lab.control_call("POST", f"nodes/{machine}/write", before[machine])
    eventually(lambda: len(lab.status().returned_cas) == 2, 90)
    assert sorted(returned.machine for returned in lab.status().returned_cas) == sorted(names)
