// The stack of modals of the chosen person; the topmost is shown.
import { $, h, fill, post, toast } from './dom.js';
import { blocks } from './blocks.js';
import { plain } from './mrkdwn.js';

// ask does an interaction and says so if the app did not take it.
export async function ask(action, body) {
  const result = await post(action, body);
  if (result?.error) toast(result.acked ? result.error : `The app did not answer in time (${result.error}).`);
  return result;
}

const typed = new Map(); // view id → what was typed into it and not sent
let drawn = '';
let current = null;

export function drawModal(views, world) {
  const dialog = $('modal');
  current = { world, view: views.at(-1) };
  for (const id of [...typed.keys()]) if (!views.some((v) => v.id === id)) typed.delete(id);
  if (!current.view) {
    drawn = '';
    if (dialog.open) dialog.close();
    return;
  }
  const view = current.view;
  const key = JSON.stringify([view.id, view.hash, view.errors, views.length]);
  if (drawn === key && dialog.open) return;
  drawn = key;
  const focus = document.activeElement?.id;
  fill(dialog, sheet(view, views.length));
  if (!dialog.open) dialog.showModal();
  const again = focus && document.getElementById(focus);
  if (again && dialog.contains(again)) again.focus();
  else (dialog.querySelector('[autofocus]') || dialog.querySelector('.sheet input, .sheet textarea, .sheet select') || dialog.querySelector('.foot .btn'))?.focus();
}

function sheet(view, depth) {
  const { world } = current;
  if (!typed.has(view.id)) typed.set(view.id, {});
  const local = typed.get(view.id);
  for (const key of Object.keys(local)) { // what an update of the view took away
    const [block, action] = key.split('/');
    if (!view.state[block]?.[action]) delete local[key];
  }
  const ctx = { world, in: 'view', state: view.state, local, errors: view.errors, redraw: () => { drawn = ''; drawModal([view], world); },
    send: (ref, value) => ask('act', { user: world.me, in: 'view', action_id: ref, value, values: local }),
    suggest: (ref, query) => ({ user: world.me, action_id: ref, query }) };
  const close = (all) => ask('close', { user: world.me, all });
  const submit = async (event) => {
    event.preventDefault();
    form.classList.add('busy');
    const result = await ask('submit', { user: world.me, values: local });
    form.classList.remove('busy');
    if (result?.errors) form.querySelector('.error')?.scrollIntoView({ block: 'center' });
  };
  const form = h('form', { class: 'view', data: { viewId: view.id, callbackId: view.callback_id }, novalidate: true, on: { submit } },
    h('div', { class: 'top' },
      depth > 1 && h('button', { type: 'button', class: 'icon', 'aria-label': 'Back', on: { click: () => close(false) } }, '‹'),
      h('h2', null, plain(view.title)),
      h('button', { type: 'button', class: 'icon', id: 'modal-x', 'aria-label': 'Close', on: { click: () => close(true) } }, '✕')),
    h('div', { class: 'sheet' }, blocks(view.blocks, ctx)),
    h('div', { class: 'foot' },
      h('button', { type: 'button', class: 'btn', id: 'modal-close', on: { click: () => close(false) } }, plain(view.close) || (depth > 1 ? 'Back' : view.submit ? 'Cancel' : 'Close')),
      view.submit && h('button', { type: 'submit', class: 'btn primary', id: 'modal-submit' }, plain(view.submit))));
  return form;
}

$('modal').addEventListener('cancel', (event) => {
  event.preventDefault();
  if (current?.view) ask('close', { user: current.world.me });
});
