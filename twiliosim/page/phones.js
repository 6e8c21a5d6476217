// Asks for the phones every second and replaces what has changed; the field for a reply is
// never touched while somebody types.
'use strict';

const main = document.querySelector('main');

async function refresh() {
  const answer = await fetch('/phones', { cache: 'no-store' });
  if (!answer.ok) return;
  const fresh = document.createElement('template');
  fresh.innerHTML = await answer.text(); // the page's own server has escaped it
  for (const part of fresh.content.querySelectorAll('[data-phone]')) {
    const number = part.dataset.phone;
    const section = main.querySelector(`section[data-phone="${CSS.escape(number)}"]`);
    if (!section) { location.reload(); return; }
    const live = section.querySelector('.live');
    if (live.dataset.html === part.innerHTML) continue;
    live.dataset.html = part.innerHTML;
    live.replaceChildren(...part.cloneNode(true).childNodes);
    const list = live.querySelector('ol');
    list.scrollTop = list.scrollHeight;
  }
}

main.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = new FormData(event.target, event.submitter);
  const field = event.target.querySelector('input[name="text"]');
  if (field) field.value = '';
  await fetch('/phones', { method: 'POST', body: new URLSearchParams(form) });
  await refresh();
});

async function loop() {
  try { await refresh(); } catch { /* the simulator has stopped; it may come back */ }
  setTimeout(loop, 1000);
}
loop();
