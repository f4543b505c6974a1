// Makes the elements of `old` those of `fresh`, keeping every element that is still there: focus, scroll position and
// opened <details> stay. `fresh` was parsed from a template of the server, which escapes all that is put into it.
export function morph(old, fresh) {
  const there = new Map();
  for (const child of old.children) if (child.id) there.set(child.id, child);
  let at = old.firstChild;
  for (const want of [...fresh.childNodes]) {
    let same = null;
    if (want.id && there.has(want.id)) same = there.get(want.id);
    else if (at && !at.id && !want.id && at.nodeType === want.nodeType && at.nodeName === want.nodeName) same = at;
    if (!same) {
      old.insertBefore(document.importNode(want, true), at);
      continue;
    }
    if (same !== at) old.insertBefore(same, at);
    else at = at.nextSibling;
    if (want.nodeType === Node.TEXT_NODE) {
      if (same.data !== want.data) same.data = want.data;
    } else if (want.nodeType === Node.ELEMENT_NODE && !same.hasAttribute("data-keep")) {
      attributes(same, want);
      morph(same, want);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}
