// One cluster, and its rotation as it goes on.
import { open, obstacle, remedy } from "/dashboard/advice.js";
import { Actions } from "/dashboard/actions.js";
import { announce, keep, make, put, replace, say } from "/dashboard/dom.js";
import { legend, Stages } from "/dashboard/tiles.js";
import {
  causes, clock, componentOf, count, daysLeft, duration, isLeak, isRunning, machineStateOf, moment, phaseOf, phases, short,
  some, span, stateOf, stateWords,
} from "/dashboard/words.js";

/** Waiting machines that are listed; a thousand reasons at once are read by nobody. */
const MOST_WAITING = 30;

export class ClusterView {
  constructor(fleet, main, name) {
    this.fleet = fleet;
    this.name = name;
    this.chosen = "";
    this.told = "";
    this.history = null;
    this.missing = "";
    document.title = `${name} – omnid`;
    const region = (title, id) => make("section", { class: "region", "aria-labelledby": id },
      make("h2", { id }, title), make("div"));
    this.chip = make("p", { class: "state-line" });
    this.actions = new Actions(fleet, name);
    this.line = make("p", { class: "line", id: "line" });
    this.step = make("p", { class: "step", id: "step" });
    this.error = make("p", { class: "banner error", role: "alert", hidden: true });
    this.exposure = make("div", { class: "exposure", id: "exposure", hidden: true },
      make("p"), make("progress", { "aria-label": "Machines that accept the old CA" }));
    this.facts = make("dl", { class: "facts" });
    this.stages = new Stages((machine) => this.choose(machine));
    this.legend = legend();
    this.machine = make("section", { class: "card machine", "aria-label": "Machine", hidden: true });
    this.gate = region("What has to hold before the next stage", "gate");
    this.waiting = region("Waiting for", "waiting");
    this.attention = region("What needs somebody", "attention");
    this.holders = region("Credentials of the CA that goes", "holders");
    this.stale = region("Who goes on with what was retired", "stale-trust");
    this.next = region("What to do next", "next");
    this.notes = region("What else happened", "notes");
    this.record = region("Rotations", "history");
    main.append(
      make("p", { class: "path" }, make("a", { href: "#/" }, "Clusters"), " / "),
      make("div", { class: "heading" },
        make("div", { class: "title" }, make("h1", {}, name), this.chip), this.actions.element),
      this.error, this.line, this.step, this.exposure, this.attention, this.waiting, this.gate,
      this.stages.element, this.legend, this.machine, this.holders, this.stale, this.next, this.notes, this.facts, this.record);
  }

  enter() {
    this.fleet.follow(this.name);
    this.fleet.fetch(this.name);
    this.#readHistory();
  }

  leave() {
    this.actions.leave();
  }

  async #readHistory() {
    try {
      this.history = (await this.fleet.call("ListRotations", { cluster: this.name, pageSize: 20 })).rotations ?? [];
    } catch (error) {
      this.missing = error.message;
    }
    this.fleet.changed();
  }

  choose(machine) {
    this.chosen = this.chosen === machine ? "" : machine;
    this.draw();
    if (this.chosen) this.machine.scrollIntoView({ block: "nearest" });
  }

  draw() {
    const cluster = this.fleet.clusters.get(this.name);
    const status = this.fleet.statuses.get(this.name);
    if (!status) {
      say(this.line, this.missing || (this.fleet.isListed && !cluster ? "omnid knows no cluster of this name." : "Loading …"));
      for (const part of [this.step, this.gate, this.waiting, this.attention, this.holders, this.stale, this.next, this.notes, this.stages.element, this.legend,
        this.record]) part.hidden = true;
      return;
    }
    this.#drawHead(status, cluster);
    const hasRotation = Boolean(status.rotationId);
    this.stages.element.hidden = this.legend.hidden = !hasRotation;
    if (hasRotation) this.stages.draw(status, this.chosen);
    this.#drawMachine(status, cluster);
    this.#drawGate(status);
    this.#drawWaiting(status);
    this.#drawAttention(status, cluster);
    this.#drawHolders(status);
    this.#drawStale(status);
    drawLines(this.next, status.nextSteps);
    drawLines(this.notes, status.notes);
    this.#drawHistory(status);
    this.actions.draw(status, cluster);
    this.#tell(status);
  }

  #drawHead(status, cluster) {
    const { words, kind, sign } = stateWords(status);
    replace(this.chip, [words, kind, status.component, status.rotationId], () => [
      make("span", { class: `chip ${kind}` }, make("span", { class: "sign", "aria-hidden": "true" }, sign), words),
      status.rotationId ? ` ${componentOf(status.component)}` : ""]);
    say(this.line, sentence(status));
    say(this.step, isRunning(status) ? (status.step ?? "") : "");
    this.step.hidden = !this.step.textContent;
    // What a machine is waited for stands with the machine.
    const isTold = [...status.machines.values()].some((machine) => machine.lastError && status.error?.includes(machine.lastError));
    say(this.error, status.error ?? "");
    this.error.hidden = !status.error || (isTold && isRunning(status));
    this.#drawExposure(status);
    replace(this.facts, [facts(status, cluster)], () => facts(status, cluster).map(([term, text]) =>
      make("div", {}, make("dt", {}, term), make("dd", {}, text))));
  }

  #drawExposure(status) {
    const total = status.machines.size || status.machinesTotal || 0;
    const still = status.oldCaAcceptedBy ?? 0;
    const what = isLeak(status.cause) ? "leaked credential" : "old CA";
    const [text, bar] = this.exposure.children;
    const isGone = Boolean(status.refusedEverywhereAt);
    this.exposure.hidden = !(isRunning(status) || isGone) || stateOf(status) === "ABORTED";
    put(this.exposure, "class", `exposure ${isGone ? "gone" : still < total ? "going" : ""}`);
    say(text, isGone ? `✓ The ${what} is refused by every machine since ${clock(status.refusedEverywhereAt)}.`
      : `The ${what} ${isLeak(status.cause) ? "still works" : "is still accepted"} on ${still} of ${count(total, "machine")}.`);
    bar.hidden = isGone;
    put(bar, "max", Math.max(1, total));
    if (bar.value !== still) bar.value = still;
  }

  #drawMachine(status, cluster) {
    const machine = status.machines.get(this.chosen);
    this.machine.hidden = !machine;
    if (!machine) return;
    const lock = isRunning(status) ? machine.lock : cluster?.machines?.find(({ name }) => name === machine.machine)?.lock;
    const ticking = machine.waitingSince ? span(Date.now() - moment(machine.waitingSince)) : "";
    replace(this.machine, [machine, ticking, lock, this.fleet.mayOperate], () => [
      make("h2", {}, machine.machine, " ", make("span", { class: "faint" },
        `${machine.controlPlane ? "control plane" : "worker"}, ${machine.address ?? ""}`)),
      make("p", {}, `${phaseOf(machine.phase)}: ${machineStateOf(machine.state).toLowerCase()}`
        + `${machine.attempts ? `, ${count(machine.attempts, "attempt")}` : ""}`
        + `${machine.repetitions ? `, changed again ${count(machine.repetitions, "time")} because somebody had undone it` : ""}`
        + `${ticking ? `, waited for since ${ticking}` : ""}`),
      lock ? make("p", { class: "soon" }, lockText(lock)) : null,
      this.actions.machine(machine.machine, lock),
      machine.lastError ? make("p", { class: "bad" }, machine.lastError) : null,
      checks(machine.checks, machine.machine)]);
  }

  #drawGate(status) {
    const list = status.clusterChecks ?? [];
    this.gate.hidden = !list.length || !isRunning(status);
    replace(this.gate.lastElementChild, list, () => [checks(list, this.name)]);
  }

  #drawWaiting(status) {
    const machines = [...status.machines.values()].filter((machine) => machine.waitingSince || machine.lastError);
    machines.sort((a, b) => (moment(a.waitingSince) || Infinity) - (moment(b.waitingSince) || Infinity));
    this.waiting.hidden = !machines.length || !isRunning(status);
    if (this.waiting.hidden) return;
    const list = this.waiting.lastElementChild;
    put(list, "class", "cards");
    const shown = machines.slice(0, MOST_WAITING);
    say(this.waiting.firstElementChild, `Waiting for ${count(machines.length, "machine")}`
      + `${machines.length > shown.length ? `, the ${shown.length} that wait longest` : ""}`);
    keep(list, shown, (machine) => machine.machine, () => make("article", { class: "card wait" }), drawWait);
  }

  #drawAttention(status, cluster) {
    const lines = [
      ...(cluster?.marks ?? []).map((mark) => [mark.name, mark.detail]),
      ...(cluster?.warnings ?? []).map((warning) => ["warning", warning]),
      ...(status.returnedCas ?? []).map((ca) => ["retired CA is back", `${ca.machine}: ${ca.detail}`]),
      ...(status.lock ?? cluster?.lock ? [["locked", lockText(status.lock ?? cluster.lock)]] : []),
      ...(status.reachability?.unreachable?.length && isRunning(status)
        ? [["no answer", `${some(status.reachability.unreachable, 5)}, as of ${clock(status.reachability.askedAt)}`]] : []),
    ];
    this.attention.hidden = !lines.length;
    replace(this.attention.lastElementChild, lines, () => [
      make("ul", { class: "plain" }, ...lines.map(([mark, text]) =>
        make("li", {}, make("span", { class: "mark" }, mark), " ", text)))]);
  }

  /** Who holds credentials that are refused once the rotation is over. */
  #drawHolders(status) {
    const list = (status.retiringCredentials ?? []).filter((held) => moment(held.expiresAt) > moment(status.updatedAt));
    const unlisted = status.retiringCredentialsUnlisted ?? 0;
    this.holders.hidden = !list.length && !unlisted;
    replace(this.holders.lastElementChild, [list, unlisted, isRunning(status)], () => [
      make("p", {}, isRunning(status) ? "Their holders need fresh ones: every machine refuses these once the rotation is over."
        : "Every machine refuses these."),
      make("ul", {}, ...list.map((held) => make("li", {},
        `${held.holder || "unknown"}${held.roles?.length ? ` (${held.roles.join(", ")})` : ""}, ends ${clock(held.expiresAt)}`)),
        ...(unlisted ? [make("li", {}, `and ${unlisted} more that end earlier`)] : []))]);
  }

  /** Pods that have to be restarted, and Secrets that are out of date, after a rotation. */
  #drawStale(status) {
    const list = (status.staleTrust ?? []).filter((stale) => stale.total > 0 || !stale.counted);
    this.stale.hidden = !list.length;
    replace(this.stale.lastElementChild, list, () => list.map((stale) => make("div", {},
      make("p", {}, make("strong", {}, componentOf(stale.component)), ` ${stale.detail ?? ""}`
        + `${stale.countedAt ? ` (since ${clock(stale.countedAt)})` : ""}`),
      make("ul", {}, ...(stale.holders ?? []).map((holder) => make("li", {},
        `${holder.namespace}/${holder.owner}${holder.count > 1 ? `, ${count(holder.count, "pod")}` : ""}`,
        make("span", { class: "remedy" }, holder.remedy ?? "")))))));
  }

  #drawHistory(status) {
    if (this.history && status.rotationId && stateOf(status) !== this.lastState) {
      this.lastState = stateOf(status);
      this.#readHistory();
    }
    const list = this.history ?? [];
    this.record.hidden = !list.length;
    replace(this.record.lastElementChild, list.map((rotation) => [rotation.rotationId, rotation.state]), () => [
      make("ul", { class: "plain" }, ...list.map((rotation) => make("li", {},
        make("a", { href: `#/clusters/${encodeURIComponent(this.name)}/rotations/${encodeURIComponent(rotation.rotationId)}` },
          `${componentOf(rotation.component)}, ${clock(rotation.startedAt)}`),
        ` ${stateWords(rotation).words.toLowerCase()}${rotation.reason ? `: ${rotation.reason}` : ""}`)))]);
  }

  /** Tells a screen reader of stages and states, and not of each machine. */
  #tell(status) {
    const text = `${stateWords(status).words}${isRunning(status) ? `, stage ${phaseOf(status.phase)}` : ""}`;
    if (this.told && this.told !== text) announce(`${this.name}: ${text}`);
    this.told = text;
  }
}

function drawLines(region, lines = []) {
  region.hidden = !lines.length;
  replace(region.lastElementChild, lines, () => [make("ul", {}, ...lines.map((line) => make("li", {}, line)))]);
}

function sentence(status) {
  if (!status.rotationId) return "No rotation has been started on this cluster.";
  const took = status.elapsed ? span(duration(status.elapsed)) : "";
  switch (stateOf(status)) {
    case "SUCCEEDED": return `Every machine holds the new CA alone. It took ${took} and ended ${clock(status.finishedAt)}.`;
    case "ABORTED": return `Every machine holds the old CA alone, as before. It was over ${clock(status.finishedAt)}.`;
    case "FAILED": return `The rotation ended ${clock(status.finishedAt)} without reaching its end.`;
    case "ABORTING":
      return `Going back to the old CA: in ${status.machinesDone ?? 0} of ${count(status.machinesTotal ?? 0, "machine")} the stage `
        + `${phaseOf(status.phase)} is undone.`;
    default:
      return `Stage ${phases.indexOf(phaseOf(status.phase)) + 1} of 3: ${status.machinesDone ?? 0} of `
        + `${count(status.machinesTotal ?? 0, "machine")} done.`
        + (status.soakEndsAt ? ` Both CAs are accepted until ${clock(status.soakEndsAt)}; then the old one is dropped.` : "");
  }
}

function facts(status, cluster) {
  const rows = [];
  if (status.rotationId) {
    rows.push(["Started", `${clock(status.startedAt)} by ${status.requester || "nobody known"}`]);
    if (status.reason) rows.push(["Reason", status.reason]);
    rows.push(["Cause", causes[status.cause ?? "ROTATION_CAUSE_UNSPECIFIED"] ?? "unknown"]);
    if (isRunning(status)) rows.push(["Running for", span(Date.now() - moment(status.startedAt))]);
    rows.push(["CA that goes", short(status.oldCaFingerprint)], ["CA that comes", short(status.newCaFingerprint)]);
    rows.push(["Rotation", status.rotationId]);
  }
  for (const authority of cluster?.authorities ?? []) {
    rows.push([componentOf(authority.component), `${short(authority.fingerprint)}, ${count(daysLeft(authority.notAfter), "day")} left`]);
  }
  if (cluster) rows.push(["Talos", cluster.talosVersion || "unknown"], ["Machines", String((cluster.machines ?? []).length)]);
  return rows;
}

const lockText = (lock) => `locked by ${lock.lockedBy} since ${clock(lock.lockedAt)}${lock.reason ? `: ${lock.reason}` : ""}`;

function drawWait(element, machine) {
  const stands = open(machine.checks);
  const waited = machine.waitingSince ? span(Date.now() - moment(machine.waitingSince)) : "";
  const due = moment(machine.nextAttemptAt) - Date.now();
  const next = due > 0 ? `next try in ${span(due)}` : "";
  replace(element, [machine.checks, machine.lastError, waited, next, machine.attempts], () => [
    make("h3", {}, machine.machine, " ", make("span", { class: "faint" },
      [waited && `for ${waited}`, count(machine.attempts ?? 0, "attempt"), next].filter(Boolean).join(", "))),
    machine.lastError && !stands.some((check) => check.detail === machine.lastError)
      ? make("p", { class: "bad" }, machine.lastError) : null,
    make("ul", {}, ...stands.map((check) => make("li", {},
      make("strong", {}, obstacle(check)), check.detail ? `: ${check.detail}` : "",
      make("span", { class: "remedy" }, remedy(check, machine.machine)))))]);
}

const signs = { PASSED: "✓", FAILED: "✕", WAITING: "…", NOT_APPLICABLE: "–" };

function checks(list, machine) {
  if (!list?.length) return make("p", { class: "faint" }, "No check has been asked yet.");
  return make("ul", { class: "checks" }, ...list.map((check) => {
    const state = (check.state ?? "").replace("ROTATION_CHECK_STATE_", "");
    const isOpen = state === "FAILED" || state === "WAITING";
    return make("li", { class: state.toLowerCase() },
      make("span", { class: "sign", "aria-hidden": "true" }, signs[state] ?? "?"),
      make("span", {}, make("code", {}, check.name), make("span", { class: "unseen" }, ` ${state.toLowerCase()}`),
        check.detail ? ` ${check.detail}` : "",
        isOpen ? make("span", { class: "remedy" }, remedy(check, machine)) : null));
  }));
}
