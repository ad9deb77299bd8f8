// Draws the figures of the overview, which stand on the page as tables as well.
(() => {
  'use strict';
  const figures = document.getElementById('overview-figures');
  if (!figures) return;

  const isDark = window.matchMedia('(prefers-color-scheme: dark)');
  const colors = () => isDark.matches
    ? { text: '#adbac7', grid: '#454c55', due: '#539bf5', completed: '#57ab5a', failed: '#e5707a', median: '#539bf5', late: '#f0a35e' }
    : { text: '#555555', grid: '#e5e5e5', due: '#337ab7', completed: '#3d9b3a', failed: '#c9403f', median: '#337ab7', late: '#b8590b' };

  const clock = at => moment(at).format('HH:mm');
  const number = value => value.toLocaleString('en');

  function span(ms) {
    if (ms < 1000) return `${number(Math.round(ms))} ms`;
    const [length, name] = [[3600000, 'h'], [60000, 'min'], [1000, 's']].find(unit => ms >= unit[0]);
    return `${number(Math.round(10 * ms / length) / 10)} ${name}`;
  }

  // Whole hours and tens of minutes, in the reader's zone.
  const everyTenMinutes = at => (moment(at).minutes() % 10 === 0 ? clock(at) : null);
  const everyThreeHours = at => (moment(at).hours() % 3 === 0 ? clock(at) : null);

  const minute = 60000;
  const pictures = {
    'due-minutes': {
      type: 'bar', part: minute, mark: everyTenMinutes, from: data => data.dueMinutes,
      sets: [{ label: 'Tasks due', color: 'due', value: part => part.count }],
    },
    'due-hours': {
      type: 'bar', part: 60 * minute, mark: everyThreeHours, from: data => data.dueHours,
      sets: [{ label: 'Tasks due', color: 'due', value: part => part.count }],
    },
    throughput: {
      type: 'bar', part: minute, mark: everyTenMinutes, legend: true, from: data => data.done,
      sets: [
        { label: 'Completed', color: 'completed', value: part => part.completed },
        { label: 'Failed', color: 'failed', value: part => part.failed },
      ],
    },
    lateness: {
      type: 'line', part: minute, mark: everyTenMinutes, legend: true, write: span, from: data => data.done,
      // Told apart without their colours, too.
      sets: [
        { label: 'p50: half of them at most', color: 'median', value: part => part.median },
        { label: 'p99: 99 of 100 at most', color: 'late', dash: [5, 3], style: 'rect', value: part => part.percentile99 },
      ],
    },
  };

  function dataset(set, parts) {
    const color = colors()[set.color];
    return {
      label: set.label, data: parts.map(set.value), fill: false, backgroundColor: color, borderColor: color,
      borderDash: set.dash ?? [], pointStyle: set.style ?? 'circle',
    };
  }

  function options(picture) {
    const { text, grid } = colors();
    const write = picture.write ?? number;
    return {
      maintainAspectRatio: false,
      animation: { duration: 0 }, hover: { animationDuration: 0 }, responsiveAnimationDuration: 0,
      scales: {
        xAxes: [{
          stacked: picture.type === 'bar',
          gridLines: { color: grid, zeroLineColor: grid, drawOnChartArea: false, drawTicks: false },
          ticks: { fontColor: text, autoSkip: false, maxRotation: 0, padding: 6, callback: picture.mark },
        }],
        yAxes: [{
          stacked: picture.type === 'bar',
          gridLines: { color: grid, zeroLineColor: grid },
          ticks: {
            fontColor: text, beginAtZero: true, maxTicksLimit: 6, suggestedMax: picture.write ? 10 : 5,
            precision: picture.write ? undefined : 0, callback: write,
          },
        }],
      },
      elements: { line: { tension: 0, borderWidth: 2 }, point: { radius: 2, hitRadius: 6 } },
      legend: { display: !!picture.legend, labels: { fontColor: text, usePointStyle: picture.type === 'line', boxWidth: picture.type === 'line' ? 6 : 12 } },
      tooltips: {
        mode: 'index', intersect: false,
        callbacks: {
          title: ([item]) => `${clock(+item.label)}–${clock(+item.label + picture.part)}`,
          label: (item, data) => `${data.datasets[item.datasetIndex].label}: ${write(+item.value)}`,
        },
      },
      plugins: { streaming: false },
    };
  }

  const charts = {};
  function draw() {
    document.querySelectorAll('[data-at]').forEach(time => {
      time.textContent = clock(+time.dataset.at);
    });
    const json = figures.querySelector('script');
    if (!json) return;
    const data = JSON.parse(json.textContent);
    for (const [id, picture] of Object.entries(pictures)) {
      const parts = picture.from(data);
      const canvas = document.getElementById(id);
      canvas.parentElement.hidden = false;
      const chart = charts[id] ??= new Chart(canvas, { type: picture.type, data: {}, options: {} });
      chart.data = { labels: parts.map(part => part.from), datasets: picture.sets.map(set => dataset(set, parts)) };
      chart.options = options(picture);
      chart.update();
    }
  }

  draw();
  isDark.addEventListener('change', draw);
  // The page keeps its parts up to date; these follow.
  new MutationObserver(draw).observe(figures, { childList: true });
})();
