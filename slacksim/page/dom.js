// Small helpers to build the page. Text only ever becomes text nodes: nothing that came from
// outside is read as HTML.

export const $ = (id) => document.getElementById(id);

// h makes an element: class, data and on are special, the rest are attributes.
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'class') node.className = value;
    else if (key === 'data') for (const [k, v] of Object.entries(value)) { if (v !== undefined && v !== null) node.dataset[k] = v; }
    else if (key === 'on') for (const [k, v] of Object.entries(value)) node.addEventListener(k, v);
    else if (key === 'value' || key === 'checked' || key === 'selected') node[key] = value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  add(node, children);
  return node;
}

export function add(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren();
  return add(node, children);
}

// changed reports whether what a node shows has to be drawn again. Drawing only then keeps the
// node under the pointer and the focus in place.
export function changed(node, ...facts) {
  const print = JSON.stringify(facts);
  if (node.print === print) return false;
  node.print = print;
  return true;
}

// update gives a node these children in this order, as [key, facts, make], and keeps those that did
// not change.
export function update(node, wanted) {
  const old = new Map([...node.children].map((c) => [c.dataset.key, c]));
  let at = node.firstElementChild;
  for (const [key, facts, make] of wanted) {
    const print = JSON.stringify(facts);
    let item = old.get(key);
    if (!item || item.print !== print) {
      const fresh = make();
      fresh.dataset.key = key;
      fresh.print = print;
      if (item) { if (at === item) at = item.nextElementSibling; item.remove(); }
      item = fresh;
    }
    old.delete(key);
    if (at === item) at = at.nextElementSibling;
    else node.insertBefore(item, at);
  }
  for (const rest of old.values()) rest.remove();
}

// post does one action of the page; a refusal becomes a toast and null.
export async function post(action, body) {
  try {
    const answer = await fetch('/sim/' + action, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body || {}),
    });
    const data = await answer.json();
    if (!answer.ok) { toast(data.error || 'That did not work.'); return null; }
    return data;
  } catch (error) {
    toast('The simulator does not answer.');
    return null;
  }
}

let toastTimer;
export function toast(text) {
  const node = $('toast');
  node.textContent = text;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, 5000);
}

// safeLink lets only addresses through that are harmless to follow.
export function safeLink(address) {
  return /^(https?:|mailto:|tel:)/i.test(address || '') ? address : null;
}

// popover shows a menu below a button and takes it away at the next click or Escape.
export function popover(button, items) {
  document.querySelectorAll('.popover').forEach((old) => old.remove());
  const menu = h('div', { class: 'popover', role: 'menu' }, items);
  const host = button.closest('dialog') || document.body;
  host.append(menu);
  const at = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const base = host === document.body ? { left: 0, top: 0 } : host.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, window.innerWidth - size.width - 8));
  const below = at.bottom + size.height + 12 < window.innerHeight;
  menu.style.left = left - base.left + 'px';
  menu.style.top = (below ? at.bottom + 4 : Math.max(8, at.top - size.height - 4)) - base.top + 'px';
  const close = (event) => {
    if (event.type === 'keydown' && event.key !== 'Escape') return;
    if (event.type === 'keydown') event.preventDefault();
    menu.remove();
    document.removeEventListener('click', close, true);
    document.removeEventListener('keydown', close, true);
    if (event.type === 'keydown') button.focus();
  };
  setTimeout(() => {
    document.addEventListener('click', (event) => setTimeout(() => close(event)), { once: true, capture: true });
    document.addEventListener('keydown', close, true);
    menu.querySelector('button')?.focus();
  });
}
