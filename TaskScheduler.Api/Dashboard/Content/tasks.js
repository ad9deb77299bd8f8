// Our pages in Hangfire's dashboard. They work without it: it asks, shows local times, and keeps a page up to date.
(() => {
  'use strict';
  const every = 3000;
  const byId = id => document.getElementById(id);
  const pad = number => String(number).padStart(2, '0');
  const localDate = at => `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  const localTime = at => `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;

  // The button of Hangfire's folded navigation has no name.
  document.querySelectorAll('.navbar-toggle').forEach(button => button.setAttribute('aria-label', 'Navigation'));

  // Hangfire's style sheet has these rules; its Content-Security-Policy would stop Chart.js, which adds them once more.
  window.Chart.platform.disableCSSInjection = true;

  // Bootstrap checks its own template in a second document, once for each tooltip, after which jQuery prepares itself for the page
  // anew: 80 s for a list of 5,000 jobs. What is in the template is text.
  window.jQuery.fn.tooltip.Constructor.DEFAULTS.sanitize = false;

  // A command of Hangfire's that changed nothing leaves its page as it was; once more it says why.
  window.jQuery(document).ajaxError((event, answer) => { if (answer.status === 422) location.reload(); });

  const live = [...document.querySelectorAll('[data-live]')];
  const forms = document.querySelectorAll('[data-time]');
  if (!live.length && !forms.length) return;

  function showLocalTimes(root) {
    root.querySelectorAll('time[datetime]').forEach(time => {
      const at = new Date(time.dateTime);
      const text = `${localDate(at)} ${localTime(at)}`;
      if (time.textContent !== text) time.textContent = text;
    });
  }

  // A time is picked in the reader's zone and sent as the API reads it. What is no time stays a text, to be mended.
  forms.forEach(field => {
    const at = field.value ? new Date(field.value) : null;
    if (at && (isNaN(at) || at.getFullYear() > 9999)) return;
    const picker = field.cloneNode();
    picker.type = 'datetime-local';
    picker.step = '0.001';
    picker.removeAttribute('name');
    picker.value = at ? `${localDate(at)}T${localTime(at)}` : '';
    field.type = 'hidden';
    field.removeAttribute('id');
    field.after(picker);
    picker.addEventListener('input', () => {
      field.value = picker.value && !isNaN(new Date(picker.value)) ? new Date(picker.value).toISOString() : '';
    });
  });

  // An empty field means nothing, and need not be part of an address that is shared.
  byId('filter')?.addEventListener('submit', event => {
    const empty = [...event.target.elements].filter(field => field.name && !field.value);
    empty.forEach(field => { field.disabled = true; });
    setTimeout(() => empty.forEach(field => { field.disabled = false; }));
  });

  document.addEventListener('submit', event => {
    const question = event.submitter?.dataset.ask;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  const boxes = () => [...document.querySelectorAll('#list input[name="id"]')];

  function showSelection() {
    const all = byId('all');
    const rows = boxes();
    const chosen = rows.filter(box => box.checked).length;
    rows.forEach(box => box.closest('tr').classList.toggle('highlight', box.checked));
    document.querySelectorAll('[data-needs-rows]').forEach(button => { button.disabled = chosen === 0; });
    if (!all) return;
    all.hidden = rows.length === 0;
    all.checked = chosen > 0 && chosen === rows.length;
    all.indeterminate = chosen > 0 && chosen < rows.length;
  }

  document.addEventListener('change', event => {
    if (event.target.id === 'all') boxes().forEach(box => { box.checked = event.target.checked; });
    if (event.target.closest('#list')) showSelection();
  });

  // The token of the first answer is as good as the next one, and differs each time.
  const withoutToken = part => part.innerHTML.replace(/(name="__RequestVerificationToken" value=")[^"]*/g, '$1');
  const shown = new Map(live.map(part => [part.id, withoutToken(part)]));

  function replace(part, fresh) {
    const html = withoutToken(fresh);
    if (shown.get(part.id) === html) return;
    shown.set(part.id, html);
    const focused = part.contains(document.activeElement) ? document.activeElement.id : null;
    const scroll = part.querySelector('.table-responsive')?.scrollLeft ?? 0;
    const chosen = [...part.querySelectorAll('input[name="id"]:checked')].map(box => box.closest('tr'));
    part.replaceChildren(...fresh.childNodes);
    const body = part.querySelector('.tasks-list tbody');
    // What was selected and is not on this page any more stays, so that it can still be deselected or meant.
    chosen.reverse().forEach(row => {
      const box = byId(row.querySelector('input').id);
      if (box) { box.checked = true; return; }
      row.classList.add('gone');
      body.prepend(row);
    });
    if (scroll) part.querySelector('.table-responsive').scrollLeft = scroll;
    showLocalTimes(part);
    if (focused) byId(focused)?.focus({ preventScroll: true });
  }

  async function refresh() {
    const answer = await fetch(document.querySelector('main')?.dataset.address ?? location.href, { headers: { 'X-Requested-With': 'fetch' } });
    // What is shown stays until there is something newer.
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    live.forEach(part => { const fresh = page.getElementById(part.id); if (fresh) replace(part, fresh); });
    const navigation = document.querySelector('.navbar-nav');
    const fresh = page.querySelector('.navbar-nav');
    if (navigation.innerHTML !== fresh.innerHTML && !navigation.contains(document.activeElement)) navigation.innerHTML = fresh.innerHTML;
    showSelection();
  }

  let timer;
  async function keep() {
    clearTimeout(timer);
    if (document.hidden) return;
    try { await refresh(); } catch { /* The server is away: the next time. */ }
    clearTimeout(timer);
    timer = setTimeout(keep, every);
  }

  showLocalTimes(document);
  showSelection();
  if (live.length) {
    // Hangfire asks for its figures in a hidden tab as well; here they come with the page.
    window.jQuery(() => window.Hangfire.page._poller.stop());
    timer = setTimeout(keep, every);
    document.addEventListener('visibilitychange', keep);
  }
})();
