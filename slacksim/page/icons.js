// Drawings of the emoji that an on-call app uses most, since many machines have no font with emoji.
const ink = { fill: 'none', 'stroke-width': '2', 'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
const disc = (fill, stroke) => [['circle', { cx: 8, cy: 8, r: 6.4, fill, stroke: stroke || fill, 'stroke-width': 1 }]];

const icons = Object.assign(Object.create(null), {
  large_green_circle: disc('#2eb67d'),
  large_yellow_circle: disc('#ecb22e'),
  large_orange_circle: disc('#e8912d'),
  large_blue_circle: disc('#1d9bd1'),
  red_circle: disc('#e01e5a'),
  large_red_circle: disc('#e01e5a'),
  white_circle: disc('#ffffff', '#8d8d8d'),
  black_circle: disc('#1d1c1d'),
  warning: [
    ['path', { d: 'M8 1.6 15 14.2H1Z', fill: '#ecb22e', stroke: '#ecb22e', 'stroke-width': 1.4, 'stroke-linejoin': 'round' }],
    ['path', { ...ink, d: 'M8 6v4', stroke: '#1d1c1d' }], ['circle', { cx: 8, cy: 12.4, r: 1.1, fill: '#1d1c1d' }],
  ],
  white_check_mark: [['rect', { x: 1.2, y: 1.2, width: 13.6, height: 13.6, rx: 2.6, fill: '#2eb67d' }], ['path', { ...ink, d: 'M4.4 8.4 7 11l4.8-5.6', stroke: '#ffffff' }]],
  no_entry: [...disc('#e01e5a'), ['path', { ...ink, d: 'M4.8 8h6.4', stroke: '#ffffff' }]],
  rotating_light: [
    ['path', { d: 'M3.6 11.4V9a4.4 4.4 0 0 1 8.8 0v2.4Z', fill: '#e01e5a' }], ['rect', { x: 2.2, y: 11.4, width: 11.6, height: 3, rx: 1, fill: '#616061' }],
    ['path', { ...ink, 'stroke-width': 1.4, d: 'M8 2.4V.9M3.2 4 2.1 2.9M12.8 4l1.1-1.1', stroke: '#e01e5a' }],
  ],
  lock: [['path', { ...ink, d: 'M5 7V5a3 3 0 0 1 6 0v2', stroke: '#8d8d8d' }], ['rect', { x: 3, y: 7, width: 10, height: 7.6, rx: 1.4, fill: '#e8912d' }]],
  mag: [['circle', { cx: 6.6, cy: 6.6, r: 4.6, fill: '#d5e8f6', stroke: '#616061', 'stroke-width': 1.8 }], ['path', { ...ink, d: 'm10.4 10.4 3.8 3.8', stroke: '#616061' }]],
  information_source: [
    ['rect', { x: 1.2, y: 1.2, width: 13.6, height: 13.6, rx: 2.6, fill: '#1d9bd1' }], ['circle', { cx: 8, cy: 4.6, r: 1.2, fill: '#ffffff' }],
    ['path', { ...ink, d: 'M8 7.6v4.2', stroke: '#ffffff' }],
  ],
  hourglass_flowing_sand: [
    ['path', { d: 'M4.4 2.2h7.2c0 3.6-2.6 4.2-2.6 5.8s2.6 2.2 2.6 5.8H4.4c0-3.6 2.6-4.2 2.6-5.8S4.4 5.8 4.4 2.2Z', fill: '#f6e3ad', stroke: '#e8912d', 'stroke-width': 1 }],
    ['path', { ...ink, d: 'M3.6 1.8h8.8M3.6 14.2h8.8', stroke: '#8a5a1b' }],
  ],
  zzz: [['path', { ...ink, 'stroke-width': 1.8, d: 'M2 7.6h5L2 14h5', stroke: '#1d9bd1' }], ['path', { ...ink, 'stroke-width': 1.5, d: 'M9.4 2.2h4l-4 5h4', stroke: '#1d9bd1' }]],
});

// icon draws an emoji by its name; null: there is no drawing of it.
export function icon(name) {
  if (!icons[name]) return null;
  const make = (tag, attributes) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
    return node;
  };
  const svg = make('svg', { viewBox: '0 0 16 16', width: 16, height: 16, role: 'img', 'aria-label': name, class: 'icon-emoji' });
  for (const [tag, attributes] of icons[name]) svg.append(make(tag, attributes));
  return svg;
}
