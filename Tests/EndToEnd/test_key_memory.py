"""Keys in omnid's memory: those of the two CAs in pages that are locked and left out of dumps, the others nowhere."""

import base64
import os

import pytest
import yaml
from cryptography.hazmat.primitives import serialization

import wire

# Bytes of a key that are found wherever they stand.
WINDOW = 16
KINDS = {"TALOS_CA": ("OSRootSecrets.secrets.talos.dev", "os", "OSRootSpec"),
         "KUBERNETES_CA": ("KubernetesRootSecrets.secrets.talos.dev", "k8s", "KubernetesRootSpec")}


def ca_key(lab, component, credential):
    """The PEM of the private key that the first control plane issues with."""
    kind, id, message = KINDS[component]
    spec = lab.resource(lab.control_planes[0], credential, kind, "secrets", id)
    return getattr(lab.stubs.secrets, message).FromString(spec).issuing_ca.key


def encoded(text, part):
    """The base64 of a text, and of that the characters that a part of the text alone decides."""
    start, end = -(-part.start // 3) * 4, part.stop // 3 * 4
    return base64.b64encode(text), range(start, end)


def forms(pem):
    """What the secret half of a key looks like on its way: a number, and that in base64, once and twice."""
    begin, *body, end = pem.strip().splitlines()
    der = base64.b64decode(b"".join(body))
    key = serialization.load_der_private_key(der, None)
    number = (key.private_numbers().private_value.to_bytes(32, "big")
              if hasattr(key, "private_numbers") else key.private_bytes_raw())
    place = der.index(number)
    _, once = encoded(der, range(place, place + len(number)))
    # In the PEM text, with its line breaks.
    text = pem.index(body[0])
    width = len(body[0])
    inside = range(text + once.start + once.start // width, text + once.stop + once.stop // width)
    twice, part = encoded(pem, inside)
    # OpenSSL keeps a number with its least significant byte first.
    return {"the number": number, "OpenSSL's number": number[::-1],
            "PEM": pem[inside.start:inside.stop],
            "base64 of the PEM": twice[part.start:part.stop]}


def mappings(pid):
    """The readable memory of a process: (start, end, name, whether it is left out of dumps)."""
    found = []
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            words = line.split()
            if not words[0].endswith(":"):
                start, end = (int(number, 16) for number in words[0].split("-"))
                current = [start, end, words[-1] if len(words) > 5 else "", False]
                if words[1].startswith("r") and current[2] not in ("[vvar]", "[vsyscall]"):
                    found.append(current)
            elif words[0] == "VmFlags:":
                current[3] = "dd" in words[1:]
    return found


def windows(keys):
    """Parts of keys, by which these are found, and what they are."""
    return {
        text[offset:offset + WINDOW]: f"{key}: {form}"
        for key, pem in keys.items() for form, text in forms(pem).items()
        for offset in range(0, len(text) - WINDOW + 1, 4)}


def remnants(pid, windows):
    """Where a part of a secret stands in memory that a dump or a swap would show, and how often in other memory."""
    hits, protected = [], 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name, is_left_out in mappings(pid):
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except OSError:
                continue
            for window, what in windows.items():
                place = content.find(window)
                if place >= 0 and is_left_out:
                    protected += 1
                elif place >= 0:
                    hits.append(f"{what} at {start + place:x} in {name or 'anonymous memory'}")
    return hits, protected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads the memory of a process that is not dumpable")
@pytest.mark.parametrize("layout", ["legacy", "multidoc"])
def test_no_part_of_a_ca_key_stays_in_memory_that_can_be_dumped(new_lab, layout):
    lab = new_lab(layout=layout).start()
    before = wire.Credential.from_talosconfig(lab.talosconfig)
    made = yaml.safe_load((lab.directory / "cluster/secrets.yaml").read_text())
    # An import reads a configuration that holds these too, and needs none of them.
    others = windows({name: base64.b64decode(made["certs"][name]["key"]) for name in ("etcd", "k8saggregator")})
    others |= {made["secrets"]["bootstraptoken"].encode(): "bootstrap token",
               made["secrets"]["secretboxencryptionsecret"].encode(): "secretbox key",
               made["trustdinfo"]["token"].encode(): "machine token"}
    keys = {f"old {component}": ca_key(lab, component, before) for component in KINDS}
    lab.import_cluster()
    imported, _ = remnants(lab.omnid.pid, windows(keys))
    unneeded = remnants(lab.omnid.pid, others)
    for component in KINDS:
        lab.rotate(component)
        lab.finish()
    after = lab.fresh_credentials()[0]
    keys |= {f"new {component}": ca_key(lab, component, after) for component in KINDS}
    assert len(set(keys.values())) == 4
    rotated, _ = remnants(lab.omnid.pid, windows(keys))
    assert imported == [] and rotated == []
    assert unneeded == remnants(lab.omnid.pid, others) == ([], 0)
