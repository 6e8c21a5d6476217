// Brings a page up to date twice a minute for whoever leaves it open, and says when it no longer is. Nothing else needs a
// script: without one, pages are read and forms are sent all the same.
const main = document.querySelector('main[data-live]');
const every = 30_000;
const patience = 10_000;

// Whoever types, or has something in focus, is not disturbed.
function busy() {
  const at = document.activeElement;
  return document.visibilityState !== 'visible' || (at && at !== main && main.contains(at)) ||
    [...main.querySelectorAll('textarea, input[type=search]')].some((field) => field.value !== field.defaultValue);
}

async function fresh() {
  if (busy()) return;
  const address = new URL(location.href);
  address.searchParams.delete('done');
  try {
    const answer = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(patience) });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const next = page.querySelector('main[data-live]');
    if (!next || busy()) return;
    const open = [...main.querySelectorAll('details')].map((d) => d.open);
    next.querySelectorAll('details').forEach((d, i) => { if (i in open) d.open = open[i]; });
    main.replaceChildren(...document.adoptNode(next).childNodes);
    document.querySelector('.foot').replaceChildren(...document.adoptNode(page.querySelector('.foot')).childNodes);
    document.body.classList.remove('stale');
  } catch {
    document.body.classList.add('stale');
  }
}

if (main) {
  setInterval(fresh, every);
  document.addEventListener('visibilitychange', fresh);
}
