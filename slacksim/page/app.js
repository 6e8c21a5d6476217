// The page: it shows what the simulator knows to one person, and passes on what that person does.
import { $, changed, h, fill, popover, post, toast } from './dom.js';
import { blocks } from './blocks.js';
import { drawMessages, drawThread, wordsOf } from './messages.js';
import { drawModal, ask } from './modal.js';
import { drawPanel, setupPanel } from './panel.js';
import { icon } from './icons.js';

const query = new URLSearchParams(location.search);
const here = {
  user: query.get('user') || localStorage.getItem('slacksim.user') || '', channel: query.get('channel') || '', thread: query.get('thread') || '',
  home: query.get('view') === 'home', focus: query.get('message') || '',
};

// world is what the drawing code needs to know.
export const world = {
  state: null, get me() { return here.user; }, zone: 'UTC', now: 0,
  user: (id) => world.state.users.find((u) => u.id === id),
  channel: (id) => world.state.channels.find((c) => c.id === id),
  group: (id) => world.state.groups.find((g) => g.id === id),
  open: (id) => go({ channel: id, home: false, thread: '' }),
};

function go(change) {
  Object.assign(here, change);
  const q = new URLSearchParams({ user: here.user, channel: here.channel });
  if (here.home) q.set('view', 'home');
  if (here.thread) q.set('thread', here.thread);
  history.replaceState(null, '', '?' + q);
  document.body.classList.remove('side-open');
  if (change.home) post('home', { user: here.user });
  refresh();
}

let busy = false;
let again = false;
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch('/sim/state?' + new URLSearchParams({ user: here.user, channel: here.channel }));
    const next = await answer.json();
    if (settle(next)) again = true; else draw(next);
  } catch (error) {
    console.error(error);
    document.body.classList.add('offline');
  }
  busy = false;
  if (again) { again = false; refresh(); }
}

// settle chooses a person and a channel if there is no valid choice yet, and reports whether it did.
function settle(state) {
  const people = state.users.filter((u) => !u.bot && !u.deleted);
  if (!people.length) return false;
  if (!people.some((u) => u.id === here.user)) {
    here.user = people[0].id;
    return true;
  }
  if (!state.channels.some((c) => c.id === here.channel)) {
    const first = state.channels.find((c) => !c.archived && c.is_member) || state.channels[0];
    if (!first || first.id === here.channel) return false;
    here.channel = first.id;
    return true;
  }
  return false;
}

function draw(state) {
  world.state = state;
  world.now = state.now;
  world.zone = world.user(here.user)?.tz || 'UTC';
  document.body.classList.remove('offline');
  document.title = state.title;
  $('title').textContent = state.title;
  $('sockets').textContent = state.sockets ? `App connected · ${state.sockets} socket${state.sockets === 1 ? '' : 's'}` : 'App not connected';
  $('sockets').classList.toggle('off', !state.sockets);
  const notice = state.save_error || state.notice || '';
  $('notice').textContent = notice;
  $('notice').hidden = !notice;
  drawPerson(state);
  drawSide(state);
  const channel = world.channel(here.channel);
  $('messages').hidden = here.home;
  $('home').hidden = !here.home;
  $('composer').hidden = here.home || !channel;
  $('shortcuts').hidden = state.shortcuts.every((s) => s.type === 'message');
  if (here.home) { drawHomeHead(state); drawHome(state); } else { drawHead(state, channel); }
  const actions = { thread: (ts) => go({ thread: ts }), world, focus: here.focus };
  drawMessages(here.home ? null : channel, state, actions);
  here.focus = '';
  drawThread(here.home ? '' : here.thread, state, { ...actions, close: () => go({ thread: '' }) });
  drawModal(state.views, world);
  drawPanel(state);
  if (channel && channel.unread && !here.home && document.visibilityState === 'visible') post('read', { user: here.user, channel: here.channel });
}

function drawPerson(state) {
  const people = state.users.filter((u) => !u.bot && !u.deleted);
  const select = $('person');
  if (!changed(select, people, here.user)) return;
  fill(select, people.map((u) => h('option', { value: u.id, selected: u.id === here.user }, `${u.real_name} (${u.tz})`)));
}

function drawSide(state) {
  if (!changed($('side'), here.user, here.channel, here.home, state.channels, state.users)) return;
  const item = (props, mark, name, unread) => h('button', { type: 'button', ...props }, h('span', { class: 'mark' }, mark), h('span', { class: 'name' }, name),
    unread ? h('span', { class: 'count' }, unread > 99 ? '99+' : unread) : null);
  const bot = world.user(state.bot);
  const dm = state.channels.find((c) => c.user === here.user);
  const at = (c) => !here.home && c && here.channel === c.id;
  const entry = (c) => item({ class: 'item' + (at(c) ? ' on' : '') + (c.unread ? ' unread' : ''), data: { channel: c.id, name: c.name || 'dm', unread: c.unread },
    'aria-current': at(c) ? 'page' : null, on: { click: () => go({ channel: c.id, home: false, thread: '' }) } }, c.private ? icon('lock') : '#', c.name, c.unread);
  const places = state.channels.filter((c) => !c.user && !c.archived).sort((a, b) => a.name.localeCompare(b.name));
  fill($('side'),
    h('h2', null, 'App'),
    item({ class: 'item' + (here.home ? ' on' : ''), id: 'open-home', 'aria-current': here.home ? 'page' : null, on: { click: () => go({ home: true, thread: '' }) } }, '⌂', bot.name + ' home'),
    h('h2', null, 'Channels'), places.map(entry),
    h('h2', null, 'Direct messages'),
    item({ class: 'item' + (at(dm) ? ' on' : '') + (dm?.unread ? ' unread' : ''), id: 'open-dm', data: { channel: dm?.id || 'bot', unread: dm?.unread }, on: { click: openDM } },
      h('span', { class: 'dot' }), bot.name, dm?.unread));
}

async function openDM() {
  const dm = world.state.channels.find((c) => c.user === here.user);
  if (dm) { go({ channel: dm.id, home: false, thread: '' }); return; }
  const opened = await post('dm', { user: here.user });
  if (opened) go({ channel: opened.id, home: false, thread: '' });
}

function drawHead(state, channel) {
  if (!changed($('head'), here.user, channel, state.bookmarks, state.users)) return;
  const name = channel ? (channel.user ? world.user(state.bot).name : (channel.private ? '' : '# ') + channel.name) : '';
  fill($('head'), h('div', { class: 'top' }, h('h2', null, channel?.private && !channel.user && icon('lock'), name), channel?.topic && h('span', { class: 'topic' }, wordsOf(channel.topic, world)),
    channel && !channel.user && h('span', { class: 'members' }, channel.members.length + ' member' + (channel.members.length === 1 ? '' : 's')),
    channel && !channel.is_member && h('button', { type: 'button', class: 'btn', id: 'join', on: { click: () => post('join', { user: here.user, channel: channel.id }) } }, 'Join')),
  state.bookmarks.length ? h('div', { class: 'marks' }, state.bookmarks.map((b) => wordsOf('<' + b.link + '|' + b.title + '>', world))) : null);
  const field = $('slash');
  field.placeholder = channel ? 'Message ' + name.replace('# ', '#') + ', or type / for a command' : '';
}

function drawHomeHead(state) {
  if (!changed($('head'), 'home')) return;
  fill($('head'), h('div', { class: 'top' }, h('h2', null, world.user(state.bot).name), h('span', { class: 'topic' }, 'Home')));
}

const homeLocal = {};
function drawHome(state) {
  if (!changed($('home'), here.user, state.home?.id, state.home?.hash, state.home?.state)) return;
  if (!state.home) {
    fill($('home'), h('p', { class: 'nothing' }, 'The app has not drawn its home yet.'));
    return;
  }
  const ctx = { world, in: 'home', state: state.home.state, local: (homeLocal[state.home.id] ??= {}),
    send: (ref, value) => ask('act', { user: here.user, in: 'home', action_id: ref, value }),
    suggest: (ref, text) => ({ user: here.user, action_id: ref, query: text }) };
  fill($('home'), h('div', { class: 'sheet' }, blocks(state.home.blocks, ctx)));
}

function setupComposer() {
  const field = $('slash');
  const grow = () => { field.style.height = 'auto'; field.style.height = Math.min(field.scrollHeight, 160) + 'px'; };
  const send = async () => {
    const text = field.value.trim();
    if (!text || !here.channel) return;
    field.value = '';
    grow();
    hint();
    const body = { user: here.user, channel: here.channel, text };
    if (text.startsWith('/')) {
      $('composer').classList.add('busy');
      const result = await post('slash', body);
      $('composer').classList.remove('busy');
      if (result?.error && result.acked) toast('The answer could not be shown: ' + result.error);
    } else {
      await post('say', body);
    }
  };
  const hint = () => {
    const typed = field.value;
    const list = typed.startsWith('/') && world.state ? world.state.commands.filter((c) => (typed + ' ').startsWith(c.name + ' ') || c.name.startsWith(typed.trim())) : [];
    $('hint').hidden = !list.length;
    fill($('hint'), list.map((c) => h('button', { type: 'button', role: 'option', data: { command: c.name }, on: { click: () => { field.value = c.name + ' '; field.focus(); hint(); } } },
      h('b', null, c.name), ' ', h('span', { class: 'usage' }, c.hint), h('small', null, c.description))));
  };
  field.addEventListener('input', () => { grow(); hint(); });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
    if (event.key === 'Tab' && !$('hint').hidden && !field.value.includes(' ')) { event.preventDefault(); $('hint').querySelector('button').click(); }
    if (event.key === 'Escape') $('hint').hidden = true;
  });
  $('composer').addEventListener('submit', (event) => { event.preventDefault(); send(); });
  $('shortcuts').addEventListener('click', () => {
    const list = world.state.shortcuts.filter((s) => s.type !== 'message');
    popover($('shortcuts'), list.map((s) => h('button', { type: 'button', role: 'menuitem', data: { callbackId: s.callback_id },
      on: { click: () => ask('shortcut', { user: here.user, callback_id: s.callback_id }) } }, s.name)));
  });
}

$('person').addEventListener('change', () => {
  localStorage.setItem('slacksim.user', $('person').value);
  const mine = world.channel(here.channel)?.user;
  go({ user: $('person').value, thread: '', channel: mine ? '' : here.channel, home: here.home || undefined });
});
// Another program's page on this machine can tell by this who follows a link: see PersonCookie.
document.addEventListener('click', () => { if (here.user) document.cookie = `slacksim_person=${here.user}; path=/; SameSite=Lax`; }, true);
$('menu').addEventListener('click', () => document.body.classList.toggle('side-open'));
document.addEventListener('visibilitychange', refresh);
setupComposer();
setupPanel(() => world);
const events = new EventSource('/events');
// Left open, the streams of pages left behind take up the few connections that a browser allows to a server.
addEventListener('pagehide', () => events.close());
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
events.onmessage = refresh;
events.onerror = () => { document.body.classList.add('offline'); $('sockets').textContent = 'Simulator not reachable'; $('sockets').classList.add('off'); };
refresh();
