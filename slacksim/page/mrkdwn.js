// Slack's own markup, drawn as nodes.
import { h, safeLink } from './dom.js';
import { emoji } from './emoji.js';
import { icon } from './icons.js';

const unescape = (text) => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

const inlineMarks = new RegExp([
  '`([^`\\n]+)`', '<([^<>]+)>',
  '(?<![\\w*])\\*(?![\\s*])([^*\\n]+?)(?<!\\s)\\*(?![\\w*])',
  '(?<![\\w_])_(?![\\s_])([^_\\n]+?)(?<!\\s)_(?![\\w_])',
  '(?<![\\w~])~(?![\\s~])([^~\\n]+?)(?<!\\s)~(?![\\w~])',
  ':([a-z0-9_+-]+):',
].join('|'), 'g');

// mrkdwn draws a text. world knows people, channels and groups, and the zone for dates.
export function mrkdwn(text, world) {
  const out = [];
  for (const [i, part] of (text || '').split(/```\n?([\s\S]+?)```\n?/).entries()) {
    if (i % 2) out.push(h('pre', null, unescape(part)));
    else if (part) out.push(...quotes(part, world));
  }
  return out;
}

function quotes(text, world) {
  const out = [];
  let quoted = null;
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    const match = line.match(/^(?:&gt;|>) ?(.*)$/);
    if (match) {
      if (!quoted) { quoted = h('blockquote'); out.push(quoted); } else quoted.append(h('br'));
      quoted.append(...inline(match[1], world));
      return;
    }
    if (i > 0 && !quoted) out.push(h('br'));
    quoted = null;
    out.push(...inline(line, world));
  });
  return out;
}

function inline(text, world) {
  const out = [];
  let from = 0;
  for (const m of text.matchAll(inlineMarks)) {
    const [all, code, ref, bold, italic, strike, name] = m;
    if (name !== undefined && !emoji[name]) continue;
    if (m.index > from) out.push(unescape(text.slice(from, m.index)));
    from = m.index + all.length;
    if (code !== undefined) out.push(h('code', null, unescape(code)));
    else if (ref !== undefined) out.push(reference(ref, world));
    else if (bold !== undefined) out.push(h('b', null, inline(bold, world)));
    else if (italic !== undefined) out.push(h('i', null, inline(italic, world)));
    else if (strike !== undefined) out.push(h('s', null, inline(strike, world)));
    else out.push(icon(name) || h('span', { class: 'emoji', role: 'img', 'aria-label': name }, emoji[name]));
  }
  if (from < text.length) out.push(unescape(text.slice(from)));
  return out;
}

function reference(inside, world) {
  const bar = inside.indexOf('|');
  const what = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? '' : unescape(inside.slice(bar + 1));
  if (what.startsWith('@')) {
    const person = world.user(what.slice(1));
    return h('span', { class: 'mention' + (person && person.id === world.me ? ' me' : '') }, '@' + (person ? person.name : label || what.slice(1)));
  }
  if (what.startsWith('#')) {
    const channel = world.channel(what.slice(1));
    return h('button', { class: 'mention link', type: 'button', on: { click: () => world.open(what.slice(1)) } },
      '#' + (channel ? channel.name : label || what.slice(1)));
  }
  if (what.startsWith('!subteam^')) {
    const group = world.group(what.split('^')[1]);
    return h('span', { class: 'mention' + (group && group.users.includes(world.me) ? ' me' : '') }, group ? '@' + group.handle : label || '@group');
  }
  if (what.startsWith('!date^')) return date(what, label, world);
  if (what.startsWith('!')) return h('span', { class: 'mention me' }, '@' + (what.slice(1).split('^')[0]));
  const address = safeLink(unescape(what));
  if (!address) return label || unescape(what);
  return h('a', { href: address, target: '_blank', rel: 'noreferrer noopener' }, label || address);
}

function date(what, label, world) {
  const [, seconds, format, link] = what.split('^');
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.getTime()) || !format) return label;
  const shown = format.replace(/\{(\w+)\}/g, (all, token) => dateToken(at, token, world) ?? all);
  const node = h('time', { class: 'date', title: label, datetime: at.toISOString() }, shown);
  const address = safeLink(link && unescape(link));
  return address ? h('a', { href: address, target: '_blank', rel: 'noreferrer noopener' }, node) : node;
}

function dateToken(at, token, world) {
  const show = (options) => new Intl.DateTimeFormat('en-US', { timeZone: world.zone, ...options }).format(at);
  const [name, pretty] = token.endsWith('_pretty') ? [token.slice(0, -7), true] : [token, false];
  if (pretty) {
    const day = (d) => new Intl.DateTimeFormat('en-CA', { timeZone: world.zone }).format(d);
    for (const [offset, word] of [[0, 'today'], [-1, 'yesterday'], [1, 'tomorrow']]) {
      if (day(at) === day(new Date(world.now * 1000 + offset * 86400000))) return word;
    }
  }
  switch (name) {
    case 'date_num': return new Intl.DateTimeFormat('en-CA', { timeZone: world.zone }).format(at);
    case 'date_slash': return show({ month: '2-digit', day: '2-digit', year: 'numeric' });
    case 'date': return show({ month: 'long', day: 'numeric', year: 'numeric' });
    case 'date_short': return show({ month: 'short', day: 'numeric', year: 'numeric' });
    case 'date_long': return show({ weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' });
    case 'time': return show({ hour: 'numeric', minute: '2-digit' });
    case 'time_secs': return show({ hour: 'numeric', minute: '2-digit', second: '2-digit' });
    case 'ago': return ago(world.now - at.getTime() / 1000);
    default: return undefined;
  }
}

export function ago(seconds) {
  const past = seconds >= 0;
  const n = Math.abs(seconds);
  const [count, unit] = n < 60 ? [Math.round(n), 'second'] : n < 3600 ? [Math.round(n / 60), 'minute']
    : n < 86400 ? [Math.round(n / 3600), 'hour'] : [Math.round(n / 86400), 'day'];
  const words = count + ' ' + unit + (count === 1 ? '' : 's');
  return past ? words + ' ago' : 'in ' + words;
}

// plain draws a plain_text object's text, with emoji.
export function plain(text) {
  return (text || '').replace(/:([a-z0-9_+-]+):/g, (all, name) => emoji[name] || all);
}
