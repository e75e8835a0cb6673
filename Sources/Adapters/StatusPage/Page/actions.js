// What somebody may do to a rotation. Each deed is confirmed in a dialog; the server decides whether it is allowed.
import { make, put, replace } from "/dashboard/dom.js";
import { causes, clock, componentOf, count, isRunning, phaseOf, short, some, stateOf } from "/dashboard/words.js";

/** What lets a rotation begin in spite of a finding, by the finding's type, and what that means. */
const ALLOWANCES = {
  FOREIGN_CA: ["removeForeign", "Take the foreign CAs out of every trust list. Whoever relies on one of them is refused from then on."],
  UNREADY: ["allowUnready", "Start all the same, and do not wait for what is unwell now. Whether that uses the new CA nobody knows then."],
  UNMANAGED_NODE: ["allowUnmanagedNodes", "Start all the same. A rotation of the Kubernetes CA locks those nodes out."],
  CONFIG_OWNED: ["ownerAck", "Start all the same. The owner of the configurations may write the old CA back."],
};

const BARRED = "Your role is reader: an operator may do this.";

export class Actions {
  constructor(fleet, name) {
    this.fleet = fleet;
    this.name = name;
    this.element = make("div", { class: "buttons", role: "group", "aria-label": "Actions" });
    this.dialog = null;
  }

  leave() {
    this.dialog?.remove();
  }

  draw(status, cluster) {
    const lock = status.lock ?? cluster?.lock;
    const list = [];
    if (isRunning(status)) {
      if (status.state === "ROTATION_STATE_PAUSED" && !lock && waitsBeforeDrop(status)) list.push(["Drop the old CA now", "primary", () => this.#goOn(status)]);
      list.push(lock ? ["Unlock", "primary", () => this.#unlock(lock)] : ["Pause", "", () => this.#pause(true)]);
      const mayAbort = stateOf(status) !== "ABORTING" && phaseOf(status.phase) !== "POST_ROTATE";
      if (mayAbort) list.push(["Abort", "danger", () => this.#abort(status)]);
    } else if (cluster) {
      list.push(lock ? ["Unlock", "", () => this.#unlock(lock)] : ["Lock", "", () => this.#pause(false)]);
      if (!lock) list.push(["Take over", "", () => this.#takeOver()], ["Rotate a CA", "primary", () => this.#start()]);
    }
    const mayOperate = this.fleet.mayOperate;
    replace(this.element, [list.map(([label]) => label), lock, status.rotationId, status.phase, mayOperate], () =>
      mayOperate ? list.map(([label, kind, act]) => make("button", { type: "button", class: kind, onclick: act }, label))
        : [make("p", { class: "faint" }, BARRED)]);
  }

  #pause(isRotating) {
    const reason = field("textarea", "reason", "Why? Whoever finds it locked reads this.", { rows: 2, maxlength: 1024 });
    this.#ask(isRotating ? "Pause the rotation" : "Lock the cluster", [
      make("p", {}, isRotating
        ? "Machines in work are finished and verified; no other one begins. Both CAs may stay accepted meanwhile. It stays so until somebody unlocks the cluster."
        : "No rotation can be started until somebody unlocks the cluster."),
      reason.label,
    ], isRotating ? "Pause" : "Lock", "primary", () => this.#call("LockCluster", { reason: reason.input.value.trim() }));
  }

  #unlock(lock) {
    this.#ask("Unlock the cluster", [
      make("p", {}, `It was locked by ${lock.lockedBy}, ${clock(lock.lockedAt)}${lock.reason ? `: ${lock.reason}` : "."}`),
      make("p", {}, "A rotation goes on where it was."),
    ], "Unlock", "primary", () => this.#call("UnlockCluster", {}));
  }

  /** A button that locks or unlocks one machine; nothing for a reader. */
  machine(name, lock) {
    if (!this.fleet.mayOperate) return null;
    return make("div", { class: "buttons" },
      make("button", { type: "button", onclick: () => (lock ? this.#unlockMachine(name, lock) : this.#lockMachine(name)) },
        lock ? "Unlock this machine" : "Lock this machine"));
  }

  #lockMachine(machine) {
    const reason = field("textarea", "reason", "Why? Whoever finds it locked reads this.", { rows: 2, maxlength: 1024 });
    this.#ask(`Lock ${machine}`, [
      make("p", {}, "It is not changed until somebody unlocks it. A rotation that runs goes on with the other machines as far as the order allows, "
        + "and none can be started."),
      reason.label,
    ], "Lock", "primary", () => this.#call("LockMachine", { machine, reason: reason.input.value.trim() }));
  }

  #unlockMachine(machine, lock) {
    this.#ask(`Unlock ${machine}`, [
      make("p", {}, `It was locked by ${lock.lockedBy}, ${clock(lock.lockedAt)}${lock.reason ? `: ${lock.reason}` : "."}`),
      make("p", {}, "A rotation that waits for it goes on."),
    ], "Unlock", "primary", () => this.#call("UnlockMachine", { machine }));
  }

  #goOn(status) {
    this.#ask("Drop the old CA now", [
      make("p", {}, "Everything is verified once more. Then POST_ROTATE begins: from there on there is no way back, and old credentials stop working."),
    ], "Drop the old CA", "danger", () => this.#call("ContinueRotation", { rotationId: status.rotationId }), this.name);
  }

  #abort(status) {
    this.#ask("Abort the rotation", [
      make("p", {}, `The ${componentOf(status.component)} goes back to the old one, machine by machine; the new CA is taken out again.`),
      make("p", {}, "A credential that leaked goes on working."),
    ], "Abort", "danger", () => this.#call("AbortRotation", { rotationId: status.rotationId }), this.name);
  }

  #start() {
    const component = field("select", "component", "Which CA?", {}, [
      ["SECRET_COMPONENT_TALOS_CA", "Talos CA: machines and talosconfigs"],
      ["SECRET_COMPONENT_KUBERNETES_CA", "Kubernetes CA: API servers, kubelets and kubeconfigs"]]);
    const cause = field("select", "cause", "What has happened?", {}, Object.entries(causes));
    const reason = field("textarea", "reason", "Why? It stands in the history.", { rows: 2, maxlength: 1024 });
    const soak = make("input", { type: "checkbox", id: "soak" });
    const allowances = make("fieldset", { class: "allowances", hidden: true }, make("legend", {}, "In spite of what was found"));
    const given = new Map();
    const offer = (findings) => {
      for (const type of new Set(findings.map((finding) => finding.type))) {
        if (!ALLOWANCES[type] || given.has(type)) continue;
        const [name, meaning] = ALLOWANCES[type];
        const box = make("input", { type: "checkbox", id: name });
        given.set(type, box);
        allowances.append(make("label", { class: "check", for: name }, box, ` ${meaning}`));
        allowances.hidden = false;
      }
    };
    const request = () => ({
      component: component.input.value, cause: cause.input.value, reason: reason.input.value.trim(),
      soakUntilContinued: soak.checked,
      ...Object.fromEntries([...given].filter(([, box]) => box.checked).map(([type]) => [ALLOWANCES[type][0], true])),
    });
    this.#ask("Rotate a CA", [
      component.label, cause.label, reason.label,
      make("label", { class: "check", for: "soak" }, soak, " Wait before the old CA is dropped, until somebody continues"),
      allowances,
      make("p", { class: "faint" }, "First the machines are asked whether the rotation can reach its end. Nothing is changed by that."),
    ], "Look first", "primary", async () => {
      const wanted = request();
      try {
        const { plan } = await this.fleet.call("RotateSecret", { cluster: this.name, dryRun: true, ...wanted });
        this.#confirmStart(wanted, plan);
      } catch (error) {
        offer(error.findings ?? []);
        throw error;
      }
      return false;
    });
  }

  /** What talosctl, another tool, or an omnid whose store is lost has left half done. */
  #takeOver() {
    const component = field("select", "component", "Which CA?", {}, [
      ["SECRET_COMPONENT_UNSPECIFIED", "What was left half done"],
      ["SECRET_COMPONENT_TALOS_CA", "Talos CA"], ["SECRET_COMPONENT_KUBERNETES_CA", "Kubernetes CA"]]);
    const way = field("select", "way", "What is to be done?", {}, [
      ["finish", "Finish it; where one way alone is open, take that"],
      ["rollBack", "Go back to the old CA"],
      ["heal", "Only take out retired CAs that somebody has put back"]]);
    const reason = field("textarea", "reason", "Why? It stands in the history.", { rows: 2, maxlength: 1024 });
    this.#ask("Take over a rotation", [
      component.label, way.label, reason.label,
      make("p", { class: "faint" }, "First all machines are asked what they hold and use. Nothing is changed by that. Where they refuse what omnid has, "
        + "'omnictl cluster adopt' takes a talosconfig."),
    ], "Look first", "primary", async () => {
      const wanted = {
        component: component.input.value, reason: reason.input.value.trim(),
        rollBack: way.input.value === "rollBack", heal: way.input.value === "heal",
      };
      const found = await this.fleet.call("AdoptRotation", { cluster: this.name, dryRun: true, ...wanted });
      this.#confirmTakeOver(wanted, found);
      return false;
    });
  }

  #confirmTakeOver(wanted, found) {
    const notes = found.notes?.length ? make("ul", {}, ...found.notes.map((note) => make("li", {}, note))) : null;
    const [first, second] = found.unfinished ?? [];
    if (!first && !wanted.heal) {
      this.#ask("Nothing to take over", [
        make("p", { class: "banner good" }, "No rotation was left half done: every machine holds what omnid has on record."), notes,
      ], "Close", "primary", async () => {});
      return;
    }
    const stands = (unfinished) => make("ul", { class: "plan" }, ...(unfinished.machines ?? []).map((machine) =>
      make("li", {}, `${machine.machine}: ${(machine.state ?? "").replace("UNFINISHED_MACHINE_STATE_", "").toLowerCase()}`)));
    const way = wanted.heal ? "Take out" : found.rollsBack ? "Take back" : "Finish";
    this.#ask(wanted.heal ? "Take out retired CAs" : `${way} the rotation of the ${componentOf(first.component)}`, [
      first ? make("p", {}, `CA that goes: ${short(found.rollsBack ? first.newCaFingerprint : first.oldCaFingerprint)}. `
        + `CA that stays: ${short(found.rollsBack ? first.oldCaFingerprint : first.newCaFingerprint)}.`) : null,
      first ? stands(first) : null, notes,
      second ? make("p", {}, `The ${componentOf(second.component)} was left half done too: take it over afterwards.`) : null,
      first ? make("p", {}, "At its end no machine accepts the CA that goes, and every credential of it stops working.") : null,
    ], way, "danger",
    // What was shown, and nothing else that may be left half done by then.
    () => this.#call("AdoptRotation", { ...wanted, component: first?.component ?? wanted.component,
      rollBack: wanted.heal ? false : Boolean(found.rollsBack) }), this.name);
  }

  #confirmStart(wanted, plan) {
    // The same value again starts nothing twice.
    const requestId = crypto.randomUUID();
    const steps = (plan?.steps ?? []).map((step) => make("li", {},
      make("code", {}, phaseOf(step.phase)), ` ${count(step.machines?.length ?? 0, step.controlPlane ? "control plane" : "worker")}: ${some(step.machines ?? [], 5)}`));
    this.#ask(`Rotate the ${componentOf(wanted.component)}`, [
      make("p", { class: "banner good" }, Object.values(ALLOWANCES).some(([name]) => wanted[name])
        ? "The rotation can begin, in spite of what was found. This is what will be done:" : "The machines are ready. This is what will be done:"),
      make("ol", { class: "plan" }, ...steps),
      plan?.notes?.length ? make("ul", {}, ...plan.notes.map((note) => make("li", {}, note))) : null,
      ...Object.values(ALLOWANCES).filter(([name]) => wanted[name]).map(([, meaning]) => make("p", { class: "banner" }, meaning)),
      make("p", {}, wanted.soakUntilContinued
        ? "It waits before POST_ROTATE until somebody continues it."
        : "With POST_ROTATE the old CA is dropped, and every old credential stops working."),
    ], "Start", "danger", () => this.#call("RotateSecret", { ...wanted, requestId }), this.name);
  }

  async #call(method, request) {
    await this.fleet.call(method, { cluster: this.name, ...request });
    await this.fleet.fetch(this.name);
  }

  /**
   * Asks before something is done.
   *
   * @param act does it; false: it goes on in another dialog.
   * @param typed what has to be typed first; nothing where it can be taken back.
   */
  #ask(title, parts, label, kind, act, typed = "") {
    this.dialog?.remove();
    const problem = make("div", { class: "banner error", role: "alert", hidden: true });
    const confirm = make("button", { type: "submit", class: kind }, label);
    const check = typed ? field("input", "typed", `Type ${typed} to confirm`, { autocomplete: "off", spellcheck: "false", autocapitalize: "none" }) : null;
    const form = make("form", { method: "dialog" },
      make("h2", { id: "dialog-title" }, title), ...parts, check?.label, problem,
      make("div", { class: "buttons" }, make("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), confirm));
    const dialog = make("dialog", { "aria-labelledby": "dialog-title" }, form);
    let isBusy = false;
    const allow = () => put(confirm, "disabled", !isBusy && (!check || check.input.value.trim() === typed) ? null : "");
    check?.input.addEventListener("input", allow);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (confirm.disabled) return;
      isBusy = true;
      allow();
      problem.hidden = true;
      try {
        if ((await act()) !== false) dialog.close();
      } catch (error) {
        const found = error.findings?.length === 1 ? `${error.findings[0].type}: ` : "";
        problem.replaceChildren(make("strong", {}, found + error.message),
          ...(error.findings ?? []).filter((finding) => error.findings.length > 1 || !error.message.includes(finding.description)).map((finding) =>
            make("p", {}, `${finding.type}${finding.subject ? `, ${finding.subject}` : ""}: ${finding.description}`)));
        problem.hidden = false;
      }
      isBusy = false;
      allow();
    });
    dialog.addEventListener("close", () => dialog.remove());
    this.dialog = dialog;
    document.body.append(dialog);
    dialog.showModal();
    allow();
  }
}

/** Whether the wait is the one before POST_ROTATE. */
const waitsBeforeDrop = (status) => Boolean(status.soakEndsAt) || (status.step ?? "").startsWith("paused: both CAs are accepted");

function field(name, id, text, attributes, options) {
  const input = make(name, { id, ...attributes },
    ...(options ?? []).map(([value, words]) => make("option", { value }, words)));
  return { input, label: make("label", { class: "field", for: id }, make("span", {}, text), input) };
}
