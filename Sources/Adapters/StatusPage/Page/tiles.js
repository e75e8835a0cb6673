// The three stages of a rotation, with a tile for each machine.
import { keep, make, put, say } from "/dashboard/dom.js";
import { count, machineStateOf, phaseOf, phases, stateOf } from "/dashboard/words.js";

/** Machines above which tiles have no names of their own. */
const MANY = 60;

const titles = {
  PRE_ROTATE: ["1. Prepare", "The old CA issues. Both CAs are accepted."],
  ROTATE: ["2. Switch", "The new CA issues. Both CAs are accepted."],
  POST_ROTATE: ["3. Drop the old CA", "The new CA issues and alone is accepted."],
};

/** The state of a machine in a stage: a class, a sign that needs no colour, and words. */
const kinds = {
  PENDING: ["pending", "○", "not yet"],
  APPLYING: ["applying", "◐", "being changed"],
  VERIFYING: ["verifying", "◔", "being verified"],
  WAITING: ["waiting", "!", "waiting"],
  DONE: ["done", "✓", "done"],
  UNDONE: ["undone", "↩", "taken back"],
};

/** The state of a machine in one stage, when the rotation is in another or at its end too. */
function stateIn(phase, machine, status) {
  const state = stateOf(status);
  const current = phases.indexOf(phaseOf(status.phase));
  const index = phases.indexOf(phase);
  if (state === "SUCCEEDED") return "DONE";
  if (state === "ABORTED") {
    return (machine.stageTimes ?? []).some((times) => phaseOf(times.phase) === phase) ? "UNDONE" : "PENDING";
  }
  if (state === "ABORTING") {
    // POST_ROTATE is never undone, and ROTATE only where the abort came in it.
    if (index > current) return index === 1 && wasAbortedInRotate(status) ? "UNDONE" : "PENDING";
    if (index < current) return "DONE";
    // The stage that is being undone counts the machines that are back.
    const own = machineStateOf(machine.state);
    return own === "DONE" ? "UNDONE" : own === "PENDING" ? "DONE" : own;
  }
  if (index < current) return "DONE";
  if (index > current) return "PENDING";
  return machineStateOf(machine.state);
}

/** While it goes back, the notes alone say where it was. */
const wasAbortedInRotate = (status) => (status.notes ?? []).some((note) => /^aborted by .* in ROTATE\b/.test(note));

export class Stages {
  /** @param chosen called with the name of a machine that somebody wants to see. */
  constructor(chosen) {
    this.element = make("div", { class: "stages" });
    this.stages = phases.map((phase) => new Stage(phase, chosen));
    this.element.append(...this.stages.map((stage) => stage.element));
  }

  draw(status, chosenMachine) {
    const machines = [...status.machines.values()];
    for (const stage of this.stages) stage.draw(status, machines, chosenMachine);
  }
}

class Stage {
  constructor(phase, chosen) {
    this.phase = phase;
    const [title, meaning] = titles[phase];
    this.count = make("span", { class: "count" });
    this.bar = make("progress", { "aria-label": `${phase}: machines done` });
    this.groups = [true, false].map((isControlPlane) => new Group(phase, isControlPlane, chosen));
    this.state = make("span", { class: "stage-state" });
    this.element = make("section", { class: "stage card", "aria-label": `Stage ${phase}` },
      make("h2", {}, title, " ", make("code", {}, phase)),
      make("p", { class: "faint" }, meaning),
      make("p", { class: "stage-line" }, this.state, this.count),
      this.bar, ...this.groups.map((group) => group.element));
  }

  draw(status, machines, chosenMachine) {
    const rows = machines.map((machine) => ({ machine, state: stateIn(this.phase, machine, status) }));
    const done = rows.filter((row) => row.state === "DONE").length;
    const undone = rows.filter((row) => row.state === "UNDONE").length;
    const isCurrent = phaseOf(status.phase) === this.phase && !status.finishedAt;
    put(this.element, "data-current", isCurrent ? "true" : null);
    put(this.element, "aria-current", isCurrent ? "step" : null);
    say(this.count, undone && !done ? `${undone} of ${rows.length} taken back` : `${done} of ${rows.length} done`);
    say(this.state, isCurrent ? (stateOf(status) === "ABORTING" ? "being undone" : "now")
      : done === rows.length && rows.length ? "finished" : undone ? "" : status.finishedAt ? "not begun" : "to come");
    put(this.bar, "max", Math.max(1, rows.length));
    if (this.bar.value !== done) this.bar.value = done;
    for (const group of this.groups) group.draw(rows, chosenMachine);
  }
}

/** The control planes, or the workers. One tab stop; the arrow keys go from tile to tile. */
class Group {
  constructor(phase, isControlPlane, chosen) {
    this.isControlPlane = isControlPlane;
    this.title = make("h3");
    this.list = make("ul", { class: "tiles" });
    this.list.addEventListener("click", (event) => {
      const tile = event.target.closest("button");
      if (tile) chosen(tile.dataset.machine);
    });
    this.list.addEventListener("keydown", (event) => this.#move(event));
    this.element = make("div", { class: "group" }, this.title, this.list);
  }

  draw(rows, chosenMachine) {
    const own = rows.filter((row) => (row.machine.controlPlane === true) === this.isControlPlane);
    this.element.hidden = own.length === 0;
    say(this.title, count(own.length, this.isControlPlane ? "control plane" : "worker"));
    put(this.list, "class", `tiles ${own.length > MANY ? "many" : ""}`);
    keep(this.list, own, (row) => row.machine.machine, createTile, (element, row) => updateTile(element, row, chosenMachine));
    if (own.length && !this.list.querySelector('button[tabindex="0"]')) {
      this.list.querySelector("button").tabIndex = 0;
    }
  }

  #move(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const tiles = [...this.list.querySelectorAll("button")];
    const now = tiles.indexOf(document.activeElement);
    const next = event.key === "Home" ? 0 : event.key === "End" ? tiles.length - 1 : now + (step ?? NaN);
    if (now < 0 || !tiles[next]) return;
    event.preventDefault();
    tiles[now].tabIndex = -1;
    tiles[next].tabIndex = 0;
    tiles[next].focus();
  }
}

function createTile({ machine }) {
  return make("li", {},
    make("button", { type: "button", tabindex: "-1", "data-machine": machine.machine },
      make("span", { class: "sign", "aria-hidden": "true" }),
      make("span", { class: "name" }, machine.machine),
      make("span", { class: "unseen" })));
}

function updateTile(element, { machine, state }, chosenMachine) {
  const [kind, sign, words] = kinds[state] ?? ["pending", "?", "unknown"];
  const button = element.firstElementChild;
  const locked = machine.lock ? ", locked" : "";
  const isChosen = machine.machine === chosenMachine;
  // A comparison of one text is all that is done for a machine that has not changed.
  const drawn = `${kind}${locked}${isChosen}`;
  if (button.drawn === drawn) return;
  button.drawn = drawn;
  put(button, "class", `tile ${kind} ${locked ? "locked" : ""}`);
  put(button, "aria-pressed", isChosen);
  put(button, "title", `${machine.machine}: ${words}${locked}`);
  say(button.children[0], locked ? "⚿" : sign);
  say(button.children[2], `: ${words}${locked}`);
}

/** What the signs mean. */
export function legend() {
  return make("p", { class: "legend" },
    ...Object.values(kinds).map(([kind, sign, words]) =>
      make("span", {}, make("span", { class: `tile ${kind}`, "aria-hidden": "true" }, sign), ` ${words}`)));
}
