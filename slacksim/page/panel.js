// The inspector: every call and envelope, and the switches that make things go wrong.
import { $, h, fill, post, toast, update } from './dom.js';

let open = localStorage.getItem('slacksim.panel') === 'open';
let tab = 'calls';
let last = null;
const unfolded = new Set();

export function setupPanel() {
  $('panel-toggle').addEventListener('click', () => {
    open = !open;
    localStorage.setItem('slacksim.panel', open ? 'open' : '');
    if (last) drawPanel(last);
  });
}

export function drawPanel(state) {
  last = state;
  const node = $('panel');
  node.hidden = !open;
  document.body.classList.toggle('panel-open', open);
  $('panel-toggle').setAttribute('aria-expanded', String(open));
  if (!open) return;
  if (!node.firstChild) build(node);
  node.querySelectorAll('[data-tab]').forEach((b) => b.setAttribute('aria-selected', String(b.dataset.tab === tab)));
  $('panel-calls').hidden = tab !== 'calls';
  $('panel-envelopes').hidden = tab !== 'envelopes';
  $('panel-faults').hidden = tab !== 'faults';
  if (tab === 'calls') update($('panel-calls'), rows(state.calls, (c) => 'c' + c.at + c.method + c.took, call));
  if (tab === 'envelopes') update($('panel-envelopes'), rows(state.envelopes, (e) => 'e' + e.id + e.attempt + e.at, envelope));
  fill($('armed'), state.faults.map((f) => h('li', null, `${f.method}: ${f.kind}${f.code ? ' ' + f.code : ''}, ${f.times < 0 ? 'every call' : f.times + ' more'}`)));
}

function build(node) {
  const pick = (name, label) => h('button', { type: 'button', role: 'tab', data: { tab: name }, on: { click: () => { tab = name; drawPanel(last); } } }, label);
  fill(node, h('div', { class: 'tabs', role: 'tablist' }, pick('calls', 'Web API calls'), pick('envelopes', 'Envelopes to the app'), pick('faults', 'Make it fail'),
    h('span', { class: 'grow' }), h('button', { type: 'button', class: 'icon', 'aria-label': 'Close the inspector', on: { click: () => $('panel-toggle').click() } }, '✕')),
  h('div', { id: 'panel-calls', class: 'rows' }), h('div', { id: 'panel-envelopes', class: 'rows' }), faults());
}

const nothing = ['none', 0, () => h('p', { class: 'nothing' }, 'Nothing yet.')];
const rows = (list, key, draw) => (list.length ? list.map((x) => [key(x), x, () => draw(x, key(x))]).reverse() : [nothing]);
const clock = (at) => new Date(at).toISOString().slice(11, 23);
const took = (nanos) => (nanos / 1e6 < 10 ? (nanos / 1e6).toFixed(1) : Math.round(nanos / 1e6)) + ' ms';

function row(key, cells, detail, bad) {
  const node = h('details', { class: 'row' + (bad ? ' bad' : ''), open: unfolded.has(key), data: { row: key }, on: { toggle: () => { if (node.open) { unfolded.add(key); show(); } else unfolded.delete(key); } } },
    h('summary', null, cells));
  const show = () => { if (node.childElementCount < 2) node.append(detail()); };
  if (unfolded.has(key)) show();
  return node;
}

const json = (title, value) => (value === undefined || value === null ? null : h('div', null, h('h4', null, title), h('pre', null, JSON.stringify(value, null, 2))));

function call(c, key) {
  const outcome = c.ok ? 'ok' : c.error || (c.status ? String(c.status) : 'cut');
  return row(key, [h('time', null, clock(c.at)), h('b', null, c.method), h('span', { class: 'tag ' + (c.ok ? 'good' : 'bad') }, outcome),
    c.fault && h('span', { class: 'tag' }, 'fault: ' + c.fault), h('span', { class: 'took' }, took(c.took))],
  () => h('div', { class: 'pair' }, json('Arguments', c.args), json('Answer', c.answer)), !c.ok);
}

function envelope(e, key) {
  const outcome = e.acked ? 'acked in ' + took(e.took) : e.failed ? (e.socket ? 'not acked' : 'no socket') : 'waiting';
  return row(key, [h('time', null, clock(e.at)), h('b', null, e.name), h('span', { class: 'tag' }, e.type), h('span', { class: 'tag ' + (e.acked ? 'good' : e.failed ? 'bad' : '') }, outcome),
    e.attempt ? h('span', { class: 'tag' }, 'retry ' + e.attempt) : null, e.socket ? h('span', { class: 'took' }, 'socket ' + e.socket) : null],
  () => h('div', null, h('p', null,
    h('button', { type: 'button', class: 'btn small', on: { click: () => post('redeliver', { id: e.id }) } }, 'Deliver again'),
    h('button', { type: 'button', class: 'btn small', on: { click: () => post('redeliver', { id: e.id, new_id: true }) } }, 'Again with a new id')),
  h('div', { class: 'pair' }, json('Payload', e.payload), json('Acknowledgement', e.ack))), e.failed);
}

function faults() {
  const method = h('input', { id: 'fault-method', value: 'chat.postMessage', 'aria-label': 'Method' });
  const kind = h('select', { id: 'fault-kind', class: 'select', 'aria-label': 'Kind of fault' }, [['500-before', 'answer 500, do nothing'], ['500-after', 'do it, then answer 500'], ['lost', 'do it, then cut'],
    ['reset', 'cut the connection'], ['429', 'answer 429'], ['error', 'answer an error code'], ['delay', 'answer late'], ['hang', 'never answer']].map(([v, t]) => h('option', { value: v }, t)));
  const times = h('input', { id: 'fault-times', type: 'number', value: '1', min: '-1', 'aria-label': 'Times' });
  const extra = h('input', { id: 'fault-extra', placeholder: 'seconds or code', 'aria-label': 'Seconds, or the error code' });
  const arm = () => post('fail', { method: method.value, kind: kind.value, times: Number(times.value), code: kind.value === 'error' ? extra.value || 'internal_error' : '',
    delay_ms: Math.round((Number(extra.value) || 2) * 1000), retry_after: Math.round(Number(extra.value) || 5) });
  const act = (label, action, body, note) => h('button', { type: 'button', class: 'btn small', data: { fault: action + (body?.reason || '') }, on: { click: async () => { if (await post(action, body)) toast(note); } } }, label);
  return h('div', { id: 'panel-faults', class: 'faults' },
    h('h4', null, 'The next calls of a method'),
    h('form', { class: 'line', on: { submit: (event) => { event.preventDefault(); arm(); } } }, method, kind, times, h('span', null, 'times'), extra, h('button', { class: 'btn small primary', id: 'fault-arm' }, 'Arm')),
    h('ul', { id: 'armed' }),
    h('h4', null, 'Sockets'),
    h('div', { class: 'line' }, act('Cut all', 'drop', {}, 'All sockets were cut.'), act('Ask to reconnect', 'disconnect', { reason: 'refresh_requested' }, 'refresh_requested was sent.'),
      act('Warn', 'disconnect', { reason: 'warning' }, 'A warning was sent.'), act('Switch Socket Mode off', 'disconnect', { reason: 'link_disabled' }, 'link_disabled was sent.'),
      act('Lose the next ack', 'lose', {}, 'The next acknowledgement will be lost.'), act('Refuse 3 connections', 'refuse', { n: 3 }, 'The next three connections will be refused.'),
      act('Go silent', 'mute', { on: true }, 'No pings and no envelopes until all is cleared.'), act('Clear everything', 'clear', {}, 'Everything works again.')));
}
