// Is a kubeconfig or a talosconfig good still? The file is read here and stays here.
import { credentialsOf, isSignedBy, pem, Unreadable } from "/dashboard/certificate.js";
import { CallError } from "/dashboard/rpc.js";
import { make } from "/dashboard/dom.js";
import { clock, componentOf, count, short, some, span } from "/dashboard/words.js";

/** Clusters whose retired CAs are looked up. */
const MOST_CLUSTERS = 50;

export class CredentialView {
  constructor(fleet, main) {
    this.fleet = fleet;
    document.title = "Check a credential – omnid";
    this.file = make("input", { type: "file", id: "file", onchange: () => this.#open() });
    this.text = make("textarea", {
      id: "paste", rows: 5, spellcheck: "false", autocomplete: "off", oninput: () => this.#check(this.text.value),
    });
    this.result = make("div", { "aria-live": "polite", id: "result" });
    main.append(
      make("h1", {}, "Check a credential"),
      make("p", { class: "summary" }, "Is a kubeconfig, a talosconfig or a client certificate good still?"),
      make("section", { class: "card form" },
        make("p", { class: "banner good" }, make("strong", {}, "The file stays in this browser."),
          "It is read here and sent nowhere, neither to omnid nor to a cluster."),
        make("label", { class: "field", for: "file" }, make("span", {}, "A file"), this.file),
        make("label", { class: "field", for: "paste" }, make("span", {}, "or its text"), this.text)),
      this.result,
      make("section", { class: "region" },
        make("h2", {}, "What this can tell, and what not"),
        make("ul", {},
          make("li", {}, "It tells when the certificate ends, and which CA has signed it, if that CA stands in the file: the signature is computed here."),
          make("li", {}, "It compares that CA with those that omnid has in use and those that its rotations have retired."),
          make("li", {}, "It does not ask the machines. A CA that somebody has put back, or that was retired before omnid knew the cluster, it cannot see."),
          make("li", {}, "A certificate cannot be taken back alone: only a rotation of its CA ends it before its time."))));
  }

  enter() {
    this.fleet.follow(null);
  }

  draw() {}

  async #open() {
    const [file] = this.file.files;
    if (!file) return;
    if (file.size > 1 << 20) return this.#say([make("p", { class: "banner error" }, "The file is larger than 1 MiB: that is no kubeconfig.")]);
    await this.#check(await file.text());
  }

  async #check(text) {
    const turn = (this.turn = Symbol("turn"));
    if (!text.trim()) return this.#say([]);
    let parts;
    try {
      const { clients, authorities, hasKey } = await credentialsOf(text);
      parts = (await Promise.all(clients.map((client) => this.#describe(client, authorities, hasKey)))).flat();
    } catch (error) {
      const why = error instanceof Unreadable ? error.message
        : error instanceof CallError ? `omnid cannot be asked for its CAs: ${error.message}` : "The text cannot be read.";
      parts = [make("p", { class: "banner error" }, why)];
    }
    // Somebody has typed on meanwhile.
    if (turn === this.turn) this.#say(parts);
  }

  #say(parts) {
    this.result.replaceChildren(...parts);
  }

  async #describe(client, authorities, hasKey) {
    const signer = await findSigner(client, authorities);
    const known = signer.authority ? await this.#known(signer.authority.fingerprint) : null;
    const now = Date.now();
    const isInTime = now >= client.notBefore && now <= client.notAfter;
    const [kind, words] = verdict(signer, known, isInTime, client);
    const rows = [
      ["Whose", client.subject || "–"], ["Serial number", client.serial],
      ["Valid", `${clock(client.notBefore)} to ${clock(client.notAfter)}${isInTime ? `, ${span(client.notAfter - now)} left` : ""}`],
      ["Issuer", client.issuer || "–"], ["Issuer's key id", client.authorityKey || "not named"],
      ["Signed by", signer.authority ? `${short(signer.authority.fingerprint)}${signer.isProven ? ", proven by its signature" : ", by its name and key id alone"}` : "a CA that does not stand in the file"],
    ];
    return [make("section", { class: "card" },
      make("p", { class: `banner ${kind}` }, make("strong", {}, words[0]), words[1] ?? ""),
      make("dl", { class: "facts" }, ...rows.map(([term, text]) => make("div", {}, make("dt", {}, term), make("dd", {}, text)))),
      hasKey ? make("p", { class: "faint" }, "The private key stands in the file too. It was not looked at.") : null,
      this.#ask(client))];
  }

  /** Asking the machines needs the certificate; that it is sent is said, and done on demand. */
  #ask(client) {
    const answer = make("div", { "aria-live": "polite" });
    const button = make("button", { type: "button" }, "Ask the machines, with the certificate alone");
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const found = await this.fleet.call("CheckCredential", { certificate: pem(client.bytes) });
        const state = (found.authority ?? "").replace("CREDENTIAL_AUTHORITY_STATE_", "");
        answer.replaceChildren(make("p", {}, found.machines?.length
          ? `${count(found.acceptedBy ?? 0, "machine")} of ${found.machines.length} of ${found.cluster} let it in now.`
          : `No CA in use has signed it${state === "RETIRED" ? ": its CA was retired" : ""}.`),
          make("ul", { class: "plain" }, ...(found.machines ?? []).map((machine) =>
            make("li", {}, `${machine.machine}: ${(machine.state ?? "").replace("CREDENTIAL_ACCEPTANCE_STATE_", "").toLowerCase()}. ${machine.detail ?? ""}`))));
      } catch (error) {
        answer.replaceChildren(make("p", { class: "bad" }, error.message));
      }
      button.disabled = false;
    });
    return make("div", { class: "ask" }, button, make("p", { class: "faint" }, "This sends the certificate, which is public, to omnid. The private key stays here."), answer);
  }

  /** What omnid knows of a CA, by its fingerprint. */
  async #known(fingerprint) {
    if (!this.fleet.isListed) await this.fleet.list();
    for (const [cluster, status] of this.fleet.statuses) {
      const machines = (status.returnedCas ?? []).filter((ca) => ca.fingerprint === fingerprint);
      if (machines.length) return { state: "returned", cluster, component: machines[0].component, machines: machines.map((ca) => ca.machine) };
    }
    for (const cluster of this.fleet.clusters.values()) {
      for (const authority of cluster.authorities ?? []) {
        if (authority.fingerprint === fingerprint) return { state: "in use", cluster: cluster.name, component: authority.component };
      }
    }
    for (const cluster of [...this.fleet.clusters.values()].slice(0, MOST_CLUSTERS)) {
      const { rotations = [] } = await this.fleet.call("ListRotations", { cluster: cluster.name, pageSize: 100 }).catch(() => ({}));
      for (const rotation of rotations) {
        if (![rotation.oldCaFingerprint, rotation.newCaFingerprint].includes(fingerprint)) continue;
        const where = { cluster: cluster.name, component: rotation.component, rotation };
        return rotation.finishedAt ? { state: "retired", ...where } : { state: "in use", ...where };
      }
    }
    return null;
  }
}

async function findSigner(client, authorities) {
  for (const authority of authorities) {
    if ((await isSignedBy(client, authority)) === true) return { authority, isProven: true };
  }
  const named = authorities.find((authority) => client.authorityKey && authority.subjectKey === client.authorityKey);
  // A key id is a claim; a signature that could be computed and did not fit refutes it.
  if (named && (await isSignedBy(client, named)) === null) return { authority: named, isProven: false };
  return { authority: null, isProven: false };
}

function verdict(signer, known, isInTime, client) {
  if (Date.now() < client.notBefore) return ["warning", ["It is not valid yet.", ` It begins ${clock(client.notBefore)}.`]];
  if (!isInTime) return ["good", ["✓ It is out of its time: no machine lets it in.", ` It ended ${clock(client.notAfter)}.`]];
  if (!signer.authority) return ["warning", ["It cannot be told here who has signed it.", " The CA does not stand in the file. Ask the machines below."]];
  if (!known) return ["warning", ["omnid does not know the CA that has signed it.", " It may be another cluster's, or one that was retired before omnid knew the cluster."]];
  const what = `the ${componentOf(known.component)} of ${known.cluster}`;
  if (known.state === "returned") return ["error", [`✕ It works again: ${what} was retired, and somebody has put it back.`, ` Machines that accept it: ${some(known.machines, 10)}.`]];
  if (known.state === "in use") return ["error", [`✕ It works: ${what} is in use and has signed it.`, ` Only a rotation of that CA ends it before ${clock(client.notAfter)}.`]];
  const refused = known.rotation.refusedEverywhereAt;
  return ["good", [`✓ Its CA is retired: a rotation of ${what} has done it.`, refused ? ` Every machine refuses it since ${clock(refused)}.` : ""]];
}
