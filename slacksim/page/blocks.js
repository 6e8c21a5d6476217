// Blocks of messages, modals and the home tab, drawn as nodes.
import { $, h, fill, popover, safeLink } from './dom.js';
import { icon } from './icons.js';
import { mrkdwn, plain } from './mrkdwn.js';
import { held, input } from './inputs.js';

// blocks draws a list. ctx says where: world, in (message, view or home), send(ref, value), suggest(ref, query),
// state (Slack's state of the view), local (what was typed and not sent), errors.
export function blocks(list, ctx) {
  return (list || []).map((block) => h('div', { class: 'block ' + block.type, data: { blockId: block.block_id, blockType: block.type } }, draw(block, ctx)));
}

const text = (o, ctx) => (o ? (o.type === 'mrkdwn' ? mrkdwn(o.text, ctx.world) : plain(o.text).split('\n').flatMap((line, i) => (i ? [h('br'), line] : [line]))) : []);

function draw(block, ctx) {
  switch (block.type) {
    case 'section': return [
      h('div', { class: 'body' }, block.text && h('div', { class: 'text' }, text(block.text, ctx)),
        block.fields && h('div', { class: 'fields' }, block.fields.map((f) => h('div', null, text(f, ctx))))),
      block.accessory && h('div', { class: 'accessory' }, element(block, block.accessory, ctx))];
    case 'header': return h('h3', null, plain(block.text.text));
    case 'divider': return h('hr');
    case 'context': return block.elements.map((e) => (e.type === 'image' ? picture(e, 'tiny') : h('span', null, text(e, ctx))));
    case 'actions': return block.elements.map((e) => element(block, e, ctx));
    case 'image': return h('figure', null, block.title && h('figcaption', null, plain(block.title.text)), picture(block, 'wide'));
    case 'input': return field(block, ctx);
    case 'markdown': return h('div', { class: 'text' }, mrkdwn(block.text.replace(/\*\*(.+?)\*\*/g, '*$1*').replace(/^#+ (.*)$/gm, '*$1*'), ctx.world));
    case 'alert': return h('div', { class: 'alert ' + (block.level || 'default'), role: 'note' }, text(block.text, ctx));
    case 'rich_text': return h('div', { class: 'text' }, rich(block, ctx));
    case 'table': return table(block, ctx);
    case 'data_visualization': return chart(block);
    default: return h('span', { class: 'unsupported' }, block.type + ' block');
  }
}

function picture(e, kind) {
  const address = e.image_url && safeLink(e.image_url);
  if (e.slack_file?.id) return h('img', { src: '/files/' + encodeURIComponent(e.slack_file.id) + '/image', alt: e.alt_text, class: kind });
  return address ? h('img', { src: address, alt: e.alt_text, class: kind, loading: 'lazy', referrerpolicy: 'no-referrer' }) : h('span', { class: 'unsupported' }, e.alt_text);
}

function field(block, ctx) {
  const id = 'in-' + block.block_id + '-' + block.element.action_id;
  const error = ctx.errors?.[block.block_id];
  return [
    h('label', { class: 'label', for: id }, plain(block.label.text), block.optional && h('span', { class: 'optional' }, ' (optional)')),
    element(block, block.element, ctx),
    error && h('div', { class: 'error', data: { error: block.block_id }, role: 'alert' }, error),
    block.hint && h('div', { class: 'hint' }, plain(block.hint.text))];
}

// element draws anything that can be clicked, chosen or typed into.
function element(block, e, ctx) {
  const ref = block.block_id + '/' + e.action_id;
  const data = { actionId: e.action_id, blockId: block.block_id, value: e.value };
  switch (e.type) {
    case 'image': return picture(e, 'thumb');
    case 'button': return button(e, data, () => ctx.send(ref, null), ctx);
    case 'workflow_button': return h('button', { type: 'button', class: 'btn', disabled: true }, plain(e.text.text));
    case 'overflow': return overflow(e, data, ref, ctx);
    default:
  }
  const local = ctx.local?.[ref];
  const value = local !== undefined ? local : held(e, ctx.state?.[block.block_id]?.[e.action_id]);
  const dispatches = block.type !== 'input' || block.dispatch_action;
  return input(e, value, {
    world: ctx.world, id: 'in-' + block.block_id + '-' + e.action_id, block: block.block_id, dispatches,
    text: (o) => text(o, ctx), suggest: (query) => ctx.suggest(ref, query),
    changed: async (next, kind) => {
      if (ctx.local) ctx.local[ref] = next;
      if (!dispatches || kind === 'typing') return;
      if (e.confirm && !(await confirmed(e.confirm, ctx))) { ctx.redraw?.(); return; }
      ctx.send(ref, next);
    },
  });
}

function button(e, data, press, ctx) {
  const style = e.style ? ' ' + e.style : '';
  if (e.visible_to_user_ids && !e.visible_to_user_ids.includes(ctx.world.me)) return null;
  const link = e.url && safeLink(e.url);
  const node = h('button', { type: 'button', class: 'btn' + style, data, 'aria-label': e.accessibility_label, on: { click: async () => {
    if (e.confirm && !(await confirmed(e.confirm, ctx))) return;
    if (link) window.open(link, '_blank', 'noreferrer,noopener');
    node.classList.add('busy');
    await press();
    node.classList.remove('busy');
  } } }, plain(e.text.text));
  return node;
}

function overflow(e, data, ref, ctx) {
  const node = h('button', { type: 'button', class: 'btn overflow', data, 'aria-label': 'More', 'aria-haspopup': 'menu', on: { click: () => {
    popover(node, e.options.map((o) => h('button', { type: 'button', role: 'menuitem', data: { value: o.value }, on: { click: async () => {
      if (e.confirm && !(await confirmed(e.confirm, ctx))) return;
      if (o.url && safeLink(o.url)) window.open(safeLink(o.url), '_blank', 'noreferrer,noopener');
      ctx.send(ref, o.value);
    } } }, plain(o.text.text), o.description && h('small', null, plain(o.description.text)))));
  } } }, '•••');
  return node;
}

// confirmed asks before something is done.
function confirmed(c, ctx) {
  return new Promise((resolve) => {
    const dialog = $('confirm');
    const answer = (yes) => { dialog.close(); resolve(yes); };
    fill(dialog, h('h2', null, plain(c.title.text)), h('div', { class: 'text' }, text(c.text, ctx)),
      h('div', { class: 'foot' },
        h('button', { type: 'button', class: 'btn', data: { confirm: 'deny' }, on: { click: () => answer(false) } }, plain(c.deny.text)),
        h('button', { type: 'button', class: 'btn ' + (c.style || 'primary'), data: { confirm: 'yes' }, on: { click: () => answer(true) } }, plain(c.confirm.text))));
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
  });
}

function rich(node, ctx) {
  const inner = () => (node.elements || []).map((e) => rich(e, ctx));
  const style = node.style || {};
  switch (node.type) {
    case 'rich_text_preformatted': return h('pre', null, inner());
    case 'rich_text_quote': return h('blockquote', null, inner());
    case 'rich_text_list': return h(node.style === 'ordered' ? 'ol' : 'ul', null, (node.elements || []).map((e) => h('li', null, rich(e, ctx))));
    case 'rich_text_section': return h('div', null, inner());
    case 'text': {
      let out = node.text;
      if (style.code) out = h('code', null, out);
      if (style.bold) out = h('b', null, out);
      if (style.italic) out = h('i', null, out);
      return style.strike ? h('s', null, out) : out;
    }
    case 'link': return h('a', { href: safeLink(node.url), target: '_blank', rel: 'noreferrer noopener' }, node.text || node.url);
    case 'user': return mrkdwn('<@' + node.user_id + '>', ctx.world);
    case 'channel': return mrkdwn('<#' + node.channel_id + '>', ctx.world);
    case 'usergroup': return mrkdwn('<!subteam^' + node.usergroup_id + '>', ctx.world);
    case 'emoji': return icon(node.name) || plain(':' + node.name + ':');
    case 'date': return mrkdwn('<!date^' + node.timestamp + '^' + node.format + '|' + (node.fallback || '') + '>', ctx.world);
    default: return inner();
  }
}

function table(block, ctx) {
  const cell = (c) => (c.type === 'rich_text' ? rich(c, ctx) : c.text ?? '');
  return h('div', { class: 'scroll' }, h('table', null, block.rows.map((row, i) =>
    h('tr', null, row.map((c, j) => h(i ? 'td' : 'th', { class: 'align-' + (block.column_settings?.[j]?.align || 'left') }, cell(c)))))));
}

// chart lists the figures of a chart; drawing them is Slack's business.
function chart(block) {
  const c = block.chart || {};
  const rows = c.segments ? [{ name: '', data: c.segments }] : c.series || [];
  const most = Math.max(1, ...rows.flatMap((s) => s.data.map((d) => d.value)));
  return h('figure', { class: 'chart' }, h('figcaption', null, block.title), rows.map((s) => [
    s.name && h('div', { class: 'series' }, s.name),
    s.data.map((d) => h('div', { class: 'bar' }, h('span', null, d.label), h('meter', { min: 0, max: most, value: d.value }), h('b', null, d.value)))]));
}
