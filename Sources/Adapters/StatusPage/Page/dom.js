// Making and keeping elements. What comes from machines and people becomes text and nothing else.

/**
 * Makes an element.
 *
 * A property of `attributes` is an attribute; `on…` a listener; `class` may be a list. Null and false are left out.
 * Strings among the children become text.
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = [value].flat().filter(Boolean).join(" ");
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets the text of an element, if it is another. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute, if it is another; null takes it away. */
export function put(element, name, value) {
  if (value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

/**
 * Makes a container's children those of the items: makes what is new, updates what is there, removes what is gone,
 * and leaves alone what stands right.
 */
export function keep(container, items, keyOf, create, update) {
  const known = (container.kept ??= new Map());
  const seen = new Set();
  let place = container.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    seen.add(key);
    let element = known.get(key);
    if (!element) known.set(key, (element = create(item)));
    update?.(element, item);
    if (element === place) place = place.nextElementSibling;
    else container.insertBefore(element, place);
  }
  for (const [key, element] of known) {
    if (seen.has(key)) continue;
    element.remove();
    known.delete(key);
  }
}

/** Replaces the children, unless what they are made of is what it was: then focus and selection stay. */
export function replace(container, source, children) {
  const signature = JSON.stringify(source);
  if (container.madeOf === signature) return;
  container.madeOf = signature;
  container.replaceChildren(...children().flat().filter(Boolean));
}

/** Tells whoever listens to the page with a screen reader. */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}
