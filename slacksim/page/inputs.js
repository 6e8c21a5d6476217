// The elements that hold a value. Each draws itself and calls changed(value) when a person is done.
import { h, post } from './dom.js';
import { plain } from './mrkdwn.js';

const label = (option) => plain(option?.text?.text);
const groupsOf = (e) => e.option_groups || [{ options: e.options || [] }];
const flat = (e) => groupsOf(e).flatMap((g) => g.options);

// held reads the value of an element from the state that Slack would send, in the form used here:
// option values, ids, dates, numbers, or whole options for external selects.
export function held(e, entry) {
  if (!entry) return initial(e);
  const external = e.type.includes('external');
  if ('selected_option' in entry) return external ? entry.selected_option : entry.selected_option?.value ?? null;
  if ('selected_options' in entry) return (entry.selected_options || []).map((o) => (external ? o : o.value));
  for (const key of ['value', 'selected_user', 'selected_conversation', 'selected_channel', 'selected_users',
    'selected_conversations', 'selected_channels', 'selected_date', 'selected_time', 'selected_date_time']) {
    if (key in entry) return entry[key];
  }
  return null;
}

function initial(e) {
  if (e.initial_options) return e.initial_options.map((o) => o.value);
  return e.initial_option?.value ?? e.initial_user ?? e.initial_conversation ?? e.initial_channel ?? e.initial_date
    ?? e.initial_time ?? e.initial_date_time ?? e.initial_value ?? e.initial_users ?? e.initial_channels
    ?? e.initial_conversations ?? null;
}

// input draws an element: ctx has world, name (for ids), suggest(query) and changed(value, kind).
export function input(e, value, ctx) {
  const base = {
    id: ctx.id, data: { actionId: e.action_id, blockId: ctx.block }, 'aria-label': e.placeholder?.text || e.action_id,
    autofocus: e.focus_on_load,
  };
  switch (e.type) {
    case 'static_select': return choice(e, base, value, ctx, groupsOf(e).map((g) => [g.label && plain(g.label.text), g.options.map((o) => [o.value, label(o)])]));
    case 'users_select': case 'conversations_select': case 'channels_select': return choice(e, base, value, ctx, [[null, named(e, ctx)]]);
    case 'multi_static_select': return several(e, base, value, ctx, flat(e).map((o) => [o.value, label(o)]));
    case 'multi_users_select': case 'multi_conversations_select': case 'multi_channels_select': return several(e, base, value, ctx, named(e, ctx));
    case 'external_select': case 'multi_external_select': return external(e, base, value, ctx);
    case 'datepicker': return native(e, base, value, ctx, 'date');
    case 'timepicker': return h('span', { class: 'with-note' }, native(e, base, value, ctx, 'time'), e.timezone && h('small', null, e.timezone));
    case 'datetimepicker': return moment(e, base, value, ctx);
    case 'checkboxes': case 'radio_buttons': return boxes(e, base, value, ctx);
    case 'plain_text_input': case 'number_input': case 'email_text_input': case 'url_text_input': return written(e, base, value, ctx);
    default: return h('span', { class: 'unsupported' }, e.type + ' can’t be filled in here');
  }
}

function named(e, ctx) {
  const { users, channels } = ctx.world.state;
  const people = users.filter((u) => !u.deleted).map((u) => [u.id, u.name]);
  const places = channels.filter((c) => !c.user && !c.archived).map((c) => [c.id, '#' + c.name]);
  if (e.type.includes('users')) return people;
  if (e.type.includes('channels')) return places;
  return places.concat(channels.filter((c) => c.user).map((c) => [c.id, 'Direct message']));
}

function choice(e, base, value, ctx, groups) {
  const node = h('select', { ...base, class: 'select', on: { change: () => ctx.changed(node.value || null) } });
  node.append(h('option', { value: '' }, e.placeholder ? plain(e.placeholder.text) : 'Choose…'));
  for (const [title, options] of groups) {
    const host = title ? h('optgroup', { label: title }) : node;
    for (const [id, text] of options) host.append(h('option', { value: id, selected: id === value }, text));
    if (title) node.append(host);
  }
  node.classList.toggle('empty', !node.value);
  return node;
}

function several(e, base, value, ctx, options) {
  let chosen = [...(value || [])];
  const node = h('div', { ...base, class: 'several', 'aria-label': undefined });
  const draw = () => {
    node.replaceChildren();
    for (const id of chosen) {
      node.append(h('span', { class: 'chip' }, options.find((o) => o[0] === id)?.[1] ?? id,
        h('button', { type: 'button', 'aria-label': 'Remove', on: { click: () => set(chosen.filter((c) => c !== id)) } }, '×')));
    }
    const rest = options.filter((o) => !chosen.includes(o[0]));
    if (!rest.length || (e.max_selected_items && chosen.length >= e.max_selected_items)) return;
    const more = h('select', { class: 'select', 'aria-label': base['aria-label'], on: { change: () => set([...chosen, more.value]) } },
      h('option', { value: '' }, e.placeholder ? plain(e.placeholder.text) : 'Add…'), rest.map(([id, text]) => h('option', { value: id }, text)));
    node.append(more);
  };
  const set = (next) => { chosen = next; draw(); ctx.changed(chosen); };
  draw();
  return node;
}

function external(e, base, value, ctx) {
  const many = e.type.startsWith('multi_');
  let chosen = many ? [...(value || [])] : value ? [value] : [];
  const node = h('div', { class: 'external', data: base.data });
  const list = h('div', { class: 'options', role: 'listbox', hidden: true });
  const chips = h('div', { class: 'several' });
  const set = (next) => {
    chosen = next;
    draw();
    ctx.changed(many ? chosen : chosen[0] ?? null);
  };
  const draw = () => chips.replaceChildren(...chosen.map((o) => h('span', { class: 'chip' }, label(o),
    h('button', { type: 'button', 'aria-label': 'Remove', on: { click: () => set(chosen.filter((c) => c !== o)) } }, '×'))));
  let timer;
  const ask = async () => {
    if (field.value.length < (e.min_query_length ?? 3)) { list.hidden = true; return; }
    const answer = await post('suggest', ctx.suggest(field.value));
    const options = (answer?.option_groups || [{ options: answer?.options || [] }]).flatMap((g) => g.options);
    list.replaceChildren(...options.map((o) => h('button', { type: 'button', role: 'option', data: { value: o.value },
      on: { click: () => { list.hidden = true; field.value = ''; set(many ? [...chosen, o] : [o]); } } }, label(o))));
    if (!options.length) list.append(h('span', { class: 'none' }, 'Nothing found'));
    list.hidden = false;
  };
  const field = h('input', { id: base.id, type: 'search', placeholder: e.placeholder ? plain(e.placeholder.text) : 'Type to search',
    'aria-label': base['aria-label'], on: {
      input: () => { clearTimeout(timer); timer = setTimeout(ask, 200); }, focus: ask,
      blur: () => setTimeout(() => { if (!node.contains(document.activeElement)) list.hidden = true; }, 150),
    } });
  draw();
  node.append(chips, field, list);
  return node;
}

function native(e, base, value, ctx, type) {
  const node = h('input', { ...base, type, value: value ?? '', class: 'picker', on: { change: () => ctx.changed(node.value || null) } });
  return node;
}

// moment is a date and time in the zone of the chosen person; the value is unix seconds.
function moment(e, base, value, ctx) {
  const zone = ctx.world.zone;
  const node = h('input', { ...base, type: 'datetime-local', class: 'picker', value: value ? toLocal(value, zone) : '',
    on: { change: () => ctx.changed(node.value ? fromLocal(node.value, zone) : null) } });
  return h('span', { class: 'with-note' }, node, h('small', null, zone));
}

function parts(seconds, zone) {
  const out = {};
  const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit',
    day: '2-digit', hour: '2-digit', minute: '2-digit' });
  for (const p of format.formatToParts(new Date(seconds * 1000))) out[p.type] = p.value;
  return out;
}

export function toLocal(seconds, zone) {
  const p = parts(seconds, zone);
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`;
}

// fromLocal finds the instant at which the zone's clock shows a time, by correcting a first guess.
export function fromLocal(local, zone) {
  const wanted = Date.parse(local + ':00Z') / 1000;
  let guess = wanted;
  for (let i = 0; i < 3; i += 1) guess += wanted - Date.parse(toLocal(guess, zone) + ':00Z') / 1000;
  return guess;
}

function boxes(e, base, value, ctx) {
  const single = e.type === 'radio_buttons';
  const chosen = new Set(single ? [value] : value || []);
  const node = h('div', { ...base, class: 'boxes', role: single ? 'radiogroup' : 'group' });
  for (const option of e.options) {
    const box = h('input', { type: single ? 'radio' : 'checkbox', name: ctx.id, value: option.value, checked: chosen.has(option.value),
      on: { change: () => {
        if (single) { ctx.changed(option.value); return; }
        if (box.checked) chosen.add(option.value); else chosen.delete(option.value);
        ctx.changed(e.options.map((o) => o.value).filter((v) => chosen.has(v)));
      } } });
    node.append(h('label', null, box, h('span', null, ctx.text(option.text),
      option.description && h('small', null, ctx.text(option.description)))));
  }
  return node;
}

function written(e, base, value, ctx) {
  const types = { number_input: 'number', email_text_input: 'email', url_text_input: 'url' };
  const props = { ...base, class: 'written', value: value ?? '', placeholder: e.placeholder && plain(e.placeholder.text),
    maxlength: e.max_length, step: e.is_decimal_allowed ? 'any' : undefined, min: e.min_value, max: e.max_value };
  const node = h(e.multiline ? 'textarea' : 'input', e.multiline ? { ...props, rows: 4 } : { ...props, type: types[e.type] || 'text' });
  const wants = (when) => (e.dispatch_action_config?.trigger_actions_on || ['on_enter_pressed']).includes(when);
  let timer;
  node.addEventListener('input', () => {
    ctx.changed(node.value, 'typing');
    clearTimeout(timer);
    if (wants('on_character_entered')) timer = setTimeout(() => ctx.changed(node.value, 'dispatch'), 400);
  });
  node.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !e.multiline && ctx.dispatches && wants('on_enter_pressed')) {
      event.preventDefault();
      ctx.changed(node.value, 'dispatch');
    }
  });
  return node;
}
