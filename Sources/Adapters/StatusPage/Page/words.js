// Times, durations and the schema's names, as people read them.
const day = 86_400_000;

export const phases = ["PRE_ROTATE", "ROTATE", "POST_ROTATE"];

/** `ROTATION_PHASE_ROTATE` as `ROTATE`. Unset is `UNSPECIFIED`. */
export const bare = (value, prefix) => (value ?? `${prefix}UNSPECIFIED`).replace(prefix, "");
export const phaseOf = (value) => bare(value, "ROTATION_PHASE_");
export const stateOf = (status) => bare(status?.state, "ROTATION_STATE_");
export const machineStateOf = (value) => bare(value, "MACHINE_ROTATION_STATE_");
export const checkStateOf = (value) => bare(value, "ROTATION_CHECK_STATE_");

export function componentOf(value) {
  switch (bare(value, "SECRET_COMPONENT_")) {
    case "TALOS_CA": return "Talos CA";
    case "KUBERNETES_CA": return "Kubernetes CA";
    default: return "CA";
  }
}

export const causes = {
  ROTATION_CAUSE_UNSPECIFIED: "not said",
  ROTATION_CAUSE_LEAKED_TALOSCONFIG: "a talosconfig leaked",
  ROTATION_CAUSE_LEAKED_KUBECONFIG: "a kubeconfig leaked",
  ROTATION_CAUSE_LEAKED_SECRETS: "the secrets leaked",
  ROTATION_CAUSE_IMPORTED: "imported",
  ROTATION_CAUSE_EXPIRING: "the CA will expire",
  ROTATION_CAUSE_ROUTINE: "routine",
};
export const isLeak = (cause) => (cause ?? "").includes("_LEAKED_");

const states = {
  IDLE: ["Never rotated", "idle", "–"],
  RUNNING: ["Rotating", "running", "▶"],
  PAUSED: ["Paused", "paused", "‖"],
  ABORTING: ["Going back", "aborting", "↩"],
  SUCCEEDED: ["Rotated", "succeeded", "✓"],
  ABORTED: ["Aborted", "aborted", "↩"],
  FAILED: ["Failed", "failed", "✕"],
};

/** The state of a rotation: words, a class, and a sign that tells it without colour. */
export function stateWords(status) {
  const [words, kind, sign] = states[stateOf(status)] ?? ["Unknown", "idle", "?"];
  return { words, kind, sign };
}

export const isRunning = (status) => ["RUNNING", "PAUSED", "ABORTING"].includes(stateOf(status));

/** Milliseconds of a moment; NaN for none. */
export const moment = (text) => (text ? Date.parse(text) : NaN);

/** `12:03:07`, with the date when it is not today's. */
export function clock(value) {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return "–";
  const time = date.toLocaleTimeString([], { hour12: false });
  return date.toDateString() === new Date().toDateString() ? time : `${dateOnly(date)} ${time}`;
}

/** `2026-11-29`. */
export function dateOnly(value) {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return "–";
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `4 s`, `2 min 13 s`, `3 h 20 min`, `2 d 4 h`. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (!Number.isFinite(seconds)) return "–";
  const parts = [
    [Math.floor(seconds / 86_400), "d"], [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

export const since = (text) => span(Date.now() - moment(text));

/** Milliseconds of a proto duration in JSON: `12.5s`. */
export const duration = (text) => parseFloat(text) * 1000;

export const daysLeft = (text) => Math.floor((moment(text) - Date.now()) / day);

export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** The beginning of a fingerprint, which tells it from every other one at hand. */
export const short = (fingerprint) => (fingerprint ?? "").slice(0, 16);

/** `a, b and 3 more`. */
export function some(names, most = 3) {
  if (names.length <= most) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}
