// Runs a small app built with Slack's own client (Bolt) against the simulator, and a person's side
// through the page's actions. Whatever works here the simulator speaks well enough for Slack's code.
//
//   node check.js PATH-TO-SLACKSIM
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import bolt from '@slack/bolt';

const { App, LogLevel } = bolt;
const program = process.argv[2];
const manifest = fileURLToPath(new URL('../slacksim/testdata/manifest.yaml', import.meta.url));
if (!program) {
  console.error('usage: node check.js PATH-TO-SLACKSIM');
  process.exit(2);
}

let failures = 0;
function check(name, ok, detail) {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}${ok || detail === undefined ? '' : ': ' + JSON.stringify(detail)}`);
  if (!ok) failures += 1;
}

// start runs the simulator and returns its address.
async function start() {
  const child = spawn(program, ['--listen', '127.0.0.1:0', '--manifest', manifest], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.on('error', (error) => { console.error(error.message); process.exit(2); });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, base] = line.match(/^API\s+(\S+)\/api\//) || [];
    if (base) return { child, base };
  }
  throw new Error('the simulator ended without saying where it listens');
}

const { child, base } = await start();

async function person(action, body) {
  const answer = await fetch(`${base}/sim/${action}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ user: 'U0ANN', channel: 'C0OPS', ...body }),
  });
  const data = await answer.json();
  if (!answer.ok) throw new Error(`${action}: ${data.error}`);
  return data;
}

async function state() {
  const answer = await fetch(`${base}/sim/state?user=U0ANN&channel=C0OPS`);
  return answer.json();
}

// until waits for a condition on the state, checked whenever the simulator says that it changed.
async function until(what, condition, seconds = 20) {
  const abort = AbortSignal.timeout(seconds * 1000);
  try {
    const events = await fetch(`${base}/events`, { signal: abort });
    for await (const chunk of events.body) {
      void chunk;
      const now = await state();
      if (condition(now)) return now;
    }
  } catch (error) {
    if (error.name !== 'TimeoutError' && error.name !== 'AbortError') throw error;
  }
  console.log(`     gave up waiting for ${what}`);
  return state();
}

const seen = { mentions: 0, homes: 0 };
const app = new App({
  token: 'xoxb-sim', appToken: 'xapp-sim', socketMode: true, logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl: `${base}/api/` },
});
app.error(async (error) => { check('no error in the app', false, error.message); });

const plain = (text) => ({ type: 'plain_text', text });
const button = { type: 'button', action_id: 'ack', text: plain('Acknowledge'), value: '1' };
const modal = {
  type: 'modal', callback_id: 'page', title: plain('Page someone'), submit: plain('Page'),
  blocks: [{ type: 'input', block_id: 'why', label: plain('Why'), element: { type: 'plain_text_input', action_id: 'reason' } }],
};

app.command('/oncall', async ({ command, ack, respond }) => {
  await ack({ text: `who: ${command.text}` });
  await respond({ text: 'later', response_type: 'in_channel' });
});
app.action('ack', async ({ ack, body, client }) => {
  await ack();
  await client.chat.update({ channel: body.channel.id, ts: body.message.ts, text: `Acknowledged by <@${body.user.id}>` });
});
app.shortcut('shortcut_page', async ({ shortcut, ack, client }) => {
  await ack();
  await client.views.open({ trigger_id: shortcut.trigger_id, view: modal });
});
app.view('page', async ({ view, ack, client }) => {
  const reason = view.state.values.why.reason.value;
  if (reason === 'no') {
    await ack({ response_action: 'errors', errors: { why: 'Say more.' } });
    return;
  }
  await ack();
  await client.chat.postMessage({ channel: '#ops', text: `Paged: ${reason}` });
});
app.event('app_mention', async ({ event, say }) => {
  seen.mentions += 1;
  await say({ text: `hello <@${event.user}>`, thread_ts: event.ts });
});
app.event('app_home_opened', async ({ event, client }) => {
  seen.homes += 1;
  await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [{ type: 'header', text: plain('Home') }] } });
});

async function run() {
  await app.start();
  const joined = await until('a socket', (s) => s.sockets === 1);
  check('connects and is greeted', joined.sockets === 1, joined.sockets);
  const auth = await app.client.auth.test();
  check('auth.test names the bot', auth.user_id === 'U0BOT', auth);

  const said = await person('slash', { text: '/oncall who payments' });
  check('command is acknowledged with a text', said.acked && said.text === 'who: who payments' && said.ephemeral, said);
  const later = await until('the respond()', (s) => s.messages.some((m) => m.text === 'later'));
  check('response_url posts in the channel', later.messages.some((m) => m.text === 'later' && !m.ephemeral));

  const posted = await app.client.chat.postMessage({ channel: '#ops', text: 'Database down', blocks: [
    { type: 'section', text: { type: 'mrkdwn', text: '*Database* down' } }, { type: 'actions', elements: [button] }] });
  check('chat.postMessage answers channel and ts', posted.channel === 'C0OPS' && /^\d+\.\d{6}$/.test(posted.ts), posted);
  const clicked = await person('act', { ts: posted.ts, action_id: 'ack' });
  check('button is acknowledged', clicked.acked, clicked);
  const updated = await until('the update', (s) => s.messages.some((m) => m.ts === posted.ts && m.edited));
  const message = updated.messages.find((m) => m.ts === posted.ts);
  check('chat.update replaces text and drops blocks', message.text === 'Acknowledged by <@U0ANN>' && !message.blocks, message);

  const opened = await person('shortcut', { callback_id: 'shortcut_page', channel: '' });
  check('shortcut is acknowledged', opened.acked, opened);
  const shown = await until('the modal', (s) => s.views.length === 1);
  check('modal opens', shown.views[0]?.callback_id === 'page', shown.views);
  const refused = await person('submit', { values: { reason: 'no' } });
  check('modal shows the errors and stays', refused.errors?.why === 'Say more.' && refused.open === 1, refused);
  const accepted = await person('submit', { values: { reason: 'disk full' } });
  check('modal closes on submit', accepted.acked && accepted.open === 0, accepted);
  const paged = await until('the page', (s) => s.messages.some((m) => m.text === 'Paged: disk full'));
  check('submit handler posted', paged.messages.some((m) => m.text === 'Paged: disk full'));

  await person('say', { text: '@oncall are you there?' });
  const answered = await until('the reply', (s) => s.messages.some((m) => m.thread_ts && m.text === 'hello <@U0ANN>'));
  check('mention arrives and is answered in a thread', seen.mentions === 1 && answered.messages.some((m) => m.thread_ts), seen);
  await person('home', {});
  const home = await until('the home tab', (s) => s.home);
  check('home tab is published', home.home?.type === 'home', home.home);

  await refusals();
  await reconnect();
}

// refusals checks that Slack's client understands the answers to wrong calls.
async function refusals() {
  const wrong = async (name, call, code) => {
    let got = 'no error';
    try { await call(); } catch (error) { got = error.data?.error || error.message; }
    check(name, got === code, got);
  };
  await wrong('wrong blocks are refused', () => app.client.chat.postMessage({ channel: '#ops', text: 'x', blocks: [{ type: 'header', text: plain('x'.repeat(151)) }] }), 'invalid_blocks');
  await wrong('an unknown channel is refused', () => app.client.chat.postMessage({ channel: '#nowhere', text: 'x' }), 'channel_not_found');
  await wrong('a made-up trigger is refused', () => app.client.views.open({ trigger_id: '1.2.3', view: modal }), 'invalid_arguments');
}

// reconnect asks the client to move to a new socket, as Slack does every few hours, and then cuts it off.
async function reconnect() {
  const opens = (s) => s.calls.filter((c) => c.method === 'apps.connections.open').length;
  for (const [name, action, body] of [['refresh_requested', 'disconnect', { reason: 'refresh_requested' }], ['a cut', 'drop', {}]]) {
    const before = opens(await state());
    await person(action, body);
    const back = await until('a new socket', (s) => s.sockets === 1 && opens(s) > before, 60);
    check(`reconnects after ${name}`, back.sockets === 1 && opens(back) > before, back.sockets);
    const again = await person('slash', { text: '/oncall again' });
    check(`answers after ${name}`, again.acked && again.text === 'who: again', again);
  }
}

try {
  await run();
} catch (error) {
  check('the run', false, error.stack);
}
await Promise.race([app.stop(), new Promise((done) => { setTimeout(done, 3000); })]);
if (child.exitCode === null) {
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  check('the simulator ends cleanly', code === 0, code);
}
console.log(failures ? `${failures} failed` : 'all passed');
process.exit(failures ? 1 : 0);
