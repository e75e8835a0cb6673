"""A clock that is off is called a clock, whoever refuses whose certificate."""

DAY = 86400


def test_clocks_that_are_off_are_named_at_import_and_at_a_start(new_lab):
    lab = new_lab().start()
    talosconfig = lab.directory / "cluster/talosconfig"
    for plane in lab.control_planes:
        lab.faults(plane.name, clockOffsetSeconds=-2 * DAY)
    refused = lab.omnictl("cluster", "import", lab.name, "--talosconfig", str(talosconfig))
    said = " ".join(refused.stderr.split())
    assert refused.returncode == 3, refused
    assert "clock" in said and "valid since" in said and "set the wrong one right" in said, said
    assert "use another talosconfig" not in said and "rotated since" not in said, said
    for plane in lab.control_planes:
        lab.faults(plane.name)
    imported = lab.omnictl("cluster", "import", lab.name, "--talosconfig", str(talosconfig))
    assert imported.returncode == 0, imported
    for plane in lab.control_planes:
        lab.faults(plane.name, clockOffsetSeconds=-2 * DAY)
    refused = lab.secret_rotate("talos-ca", "--yes")
    said = " ".join(refused.stderr.split())
    assert refused.returncode == 3, refused
    assert "clock" in said and "refuses omnid's certificate (valid since" in said, said
    assert "rotated since" not in said, said
