// The list of messages and the thread beside it.
import { $, h, fill, popover, post, toast, update } from './dom.js';
import { blocks } from './blocks.js';
import { mrkdwn, plain, ago } from './mrkdwn.js';
import { ask } from './modal.js';

export const wordsOf = (text, world) => mrkdwn(text, world);

const colours = 8;
const hash = (text) => [...text].reduce((n, c) => (n * 31 + c.codePointAt(0)) >>> 0, 7);

const time = (ts, world, options) => new Intl.DateTimeFormat('en-US', { timeZone: world.zone, ...options }).format(new Date(Number(ts) * 1000));

let shown = '';
export function drawMessages(channel, state, actions) {
  const node = $('messages');
  if (!channel) { shown = ''; node.replaceChildren(); return; }
  const place = actions.world.me + channel.id;
  if (shown !== place) node.replaceChildren();
  const atEnd = shown !== place || node.scrollHeight - node.scrollTop - node.clientHeight < 80;
  shown = place;
  const roots = state.messages.filter((m) => !m.thread_ts || m.broadcast || (m.ephemeral && !state.messages.some((r) => r.ts === m.thread_ts)));
  list(node, roots, state, actions, true);
  if (!roots.length) fill(node, h('div', { class: 'nothing', data: { key: 'none' } }, channel.user ? 'Nothing yet. Write to the app, or wait for it to write to you.' : 'Nothing has been said here yet.'));
  const wanted = actions.focus && [...node.children].find((c) => c.dataset.ts?.replace('.', '') === actions.focus.replace('p', ''));
  if (wanted) { wanted.scrollIntoView({ block: 'center' }); wanted.classList.add('focus'); } else if (atEnd) node.scrollTop = node.scrollHeight;
}

export function drawThread(ts, state, actions) {
  const node = $('thread');
  const root = ts && state.messages.find((m) => m.ts === ts);
  node.hidden = !root;
  document.body.classList.toggle('thread-open', Boolean(root));
  if (!root) { node.replaceChildren(); delete node.dataset.ts; return; }
  if (node.dataset.ts !== ts) {
    node.dataset.ts = ts;
    const field = h('textarea', { id: 'thread-reply', rows: 1, placeholder: 'Reply…', 'aria-label': 'Reply in the thread', on: { keydown: (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      const text = field.value.trim();
      field.value = '';
      if (text.startsWith('/')) toast('Slack has no commands in threads. Write it in the channel.');
      else if (text) post('say', { user: actions.world.me, channel: root.channel, thread_ts: ts, text });
    } } });
    fill(node, h('div', { class: 'top' }, h('h2', null, 'Thread'), h('button', { type: 'button', class: 'icon', id: 'thread-close', 'aria-label': 'Close the thread', on: { click: actions.close } }, '✕')),
      h('div', { class: 'list' }), h('div', { class: 'box' }, field));
  }
  const pane = node.querySelector('.list');
  const replies = state.messages.filter((m) => m.thread_ts === ts);
  const grew = pane.childElementCount !== replies.length + 1;
  list(pane, [root, ...replies], state, { ...actions, thread: null }, false);
  if (grew) pane.scrollTop = pane.scrollHeight;
}

// list draws messages, with a line for each new day if days is set.
function list(node, messages, state, actions, days) {
  const wanted = [];
  let before = null;
  let day = '';
  for (const m of messages) {
    const today = time(m.ts, actions.world, { weekday: 'long', month: 'long', day: 'numeric' });
    if (days && today !== day) { wanted.push(['day' + today, today, () => h('div', { class: 'day' }, h('span', null, today))]); before = null; }
    day = today;
    const replies = actions.thread ? state.messages.filter((r) => r.thread_ts === m.ts && !r.ephemeral) : [];
    const follows = before && (days || before.thread_ts) && before.user === m.user && before.author === m.author && !before.ephemeral === !m.ephemeral && !before.subtype && !m.subtype && m.ts - before.ts < 300;
    const files = (m.files || []).map((id) => state.files[id]);
    const people = state.users.map((u) => u.name).join();
    const facts = [m, replies.length, replies.at(-1)?.ts, follows, files, actions.world.me, people, state.groups];
    wanted.push([m.ts + (m.ephemeral ? 'e' : ''), facts, () => message(m, replies, files, follows, actions)]);
    before = m;
  }
  update(node, wanted);
}

function message(m, replies, files, follows, actions) {
  const { world } = actions;
  if (m.hidden) return h('div', { class: 'hidden-note', data: { ts: m.ts } }, 'Due to a high volume of activity, we are not displaying some messages sent by this application.');
  const person = world.user(m.user);
  const app = m.user === world.state.bot || Boolean(m.author);
  const name = m.author || person?.name || m.user;
  const ctx = { world, in: 'message', local: {}, state: {},
    send: (ref, value) => ask('act', { user: world.me, channel: m.channel, ts: m.ts, action_id: ref, value }),
    suggest: (ref, query) => ({ user: world.me, channel: m.channel, ts: m.ts, action_id: ref, query }) };
  const edited = m.edited && h('span', { class: 'edited' }, ' (edited)');
  const body = m.blocks?.length ? [blocks(m.blocks, ctx), edited] : [h('div', { class: 'text' }, mrkdwn(m.text, world), edited)];
  return h('article', { class: ['message', m.ephemeral && 'ephemeral', follows && 'follows', m.subtype && 'system'].filter(Boolean).join(' '),
    data: { ts: m.ts, channel: m.channel, user: m.user, threadTs: m.thread_ts } },
  h('div', { class: 'avatar c' + (app ? 'app' : hash(m.user) % colours), 'aria-hidden': 'true' }, follows ? '' : name.slice(0, 1).toUpperCase()),
  h('div', { class: 'content' },
    m.ephemeral && h('div', { class: 'only' }, 'Only visible to you', h('button', { type: 'button', class: 'link', on: { click: () => post('dismiss', { user: world.me, ts: m.ts }) } }, 'Dismiss')),
    m.broadcast && h('div', { class: 'only' }, 'Also sent to the channel from a thread'),
    !follows && h('div', { class: 'byline' }, h('b', { class: 'author' }, name), app && h('span', { class: 'app' }, 'APP'),
      h('time', { title: time(m.ts, world, { dateStyle: 'full', timeStyle: 'long' }) }, time(m.ts, world, { hour: 'numeric', minute: '2-digit' }))),
    body, (m.attachments || []).map((a) => attachment(a, ctx)), files.filter(Boolean).map(file), replies.length ? threadLink(m, replies, actions) : null),
  tools(m, actions));
}

function attachment(a, ctx) {
  const bar = h('div', { class: 'attachment' },
    a.blocks ? blocks(a.blocks, ctx) : [a.pretext && h('div', null, mrkdwn(a.pretext, ctx.world)), a.title && h('b', null, plain(a.title)), h('div', { class: 'text' }, mrkdwn(a.text || a.fallback || '', ctx.world)),
      a.fields && h('div', { class: 'fields' }, a.fields.map((f) => h('div', null, h('b', null, f.title), h('br'), mrkdwn(f.value, ctx.world))))]);
  const colour = { good: '#2eb67d', warning: '#ecb22e', danger: '#e01e5a' }[a.color] || (/^#?[0-9a-f]{6}$/i.test(a.color || '') ? '#' + a.color.replace('#', '') : '');
  if (colour) bar.style.borderLeftColor = colour;
  return bar;
}

function file(f) {
  if (f.image) return h('figure', { class: 'file' }, h('figcaption', null, f.title), h('img', { src: f.url, alt: f.alt || f.title }));
  return h('a', { class: 'file doc', href: f.url, download: '' }, f.title);
}

function threadLink(m, replies, actions) {
  const last = replies.at(-1);
  return h('button', { type: 'button', class: 'replies', data: { thread: m.ts }, on: { click: () => actions.thread(m.ts) } },
    h('b', null, replies.length + (replies.length === 1 ? ' reply' : ' replies')), ' ', h('span', null, 'Last reply ' + ago(Math.max(0, actions.world.now - Number(last.ts)))));
}

function tools(m, actions) {
  if (m.ephemeral) return null;
  const some = actions.world.state.shortcuts.some((s) => s.type === 'message');
  const more = some && h('button', { type: 'button', class: 'icon', 'aria-label': 'More actions', 'aria-haspopup': 'menu', data: { more: m.ts }, on: { click: () => {
    const list = actions.world.state.shortcuts.filter((s) => s.type === 'message');
    popover(more, list.map((s) => h('button', { type: 'button', role: 'menuitem', data: { callbackId: s.callback_id }, on: { click: () =>
      ask('shortcut', { user: actions.world.me, callback_id: s.callback_id, channel: m.channel, ts: m.ts }) } }, s.name)));
  } } }, '⋮');
  return h('div', { class: 'tools' },
    actions.thread && h('button', { type: 'button', class: 'icon', title: 'Reply in thread', 'aria-label': 'Reply in thread', data: { reply: m.ts }, on: { click: () => actions.thread(m.thread_ts || m.ts) } }, '↩︎'), more);
}
