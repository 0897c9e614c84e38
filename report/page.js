const specs = JSON.parse(document.getElementById("charts-json").textContent);
const places = [...document.querySelectorAll("[data-chart]")];
const NARROW = 600, AXIS = 64, SMALLEST = 120;

// How wide a chart will be, roughly; what it is off by shows when it is drawn.
function natural(view) {
  const row = view.hconcat, column = view.vconcat;
  if (row) return row.reduce((sum, one) => sum + natural(one) + 20, 0);
  if (column) return Math.max(...column.map(natural));
  if (view.spec) return natural(view.spec) * (view.columns || 1);
  return (typeof view.width === "number" ? view.width : 300) + AXIS;
}

// The same chart for so much room: views side by side move below each other, panels into fewer
// columns, and what is still too wide becomes narrower.
function adapted(view, room, pad) {
  if (view.hconcat) {
    if (natural(view) + pad <= room) return view;
    const { hconcat, ...rest } = view;
    return { ...rest, vconcat: hconcat.map((one) => adapted(one, room, pad)) };
  }
  if (view.vconcat) return { ...view, vconcat: view.vconcat.map((one) => adapted(one, room, pad)) };
  if (view.facet && view.spec) return adaptedFacet(view, room, pad);
  if (typeof view.width === "number" && view.width + AXIS + pad > room)
    return { ...view, width: Math.max(SMALLEST, room - AXIS - pad) };
  return view;
}

function adaptedFacet(view, room, pad) {
  const facet = { ...view.facet };
  const width = typeof view.spec.width === "number" ? view.spec.width : 200;
  if (facet.field || facet.column && !facet.row) {
    const field = facet.field ? facet : facet.column;
    const fitting = Math.max(1, Math.floor((room - AXIS - pad) / (Math.max(SMALLEST, 0.75 * width) + 20)));
    const columns = Math.min(view.columns || fitting, fitting);
    const most = Math.max(SMALLEST, (room - AXIS - pad) / columns - 20);
    const wanted = columns > 1 ? width : 1.6 * width;
    const spec = { ...view.spec, width: Math.min(wanted, most) };
    return { ...view, facet: field, columns, spec };
  }
  if (facet.row && !facet.column) {
    const spec = { ...view.spec, width: Math.max(SMALLEST, Math.min(width, room - AXIS - pad)) };
    return { ...view, spec };
  }
  if (facet.column && pad > 0) {
    const shrunk = Math.max(48, width * (room - AXIS) / (room - AXIS + pad));
    return { ...view, spec: { ...view.spec, width: shrunk } };
  }
  return view;
}

// Titles within a chart wrap to the room.
function wrapped(value, room) {
  if (Array.isArray(value)) return value.map((one) => wrapped(one, room));
  if (!value || typeof value !== "object") return value;
  const out = {};
  for (const [key, one] of Object.entries(value)) {
    if (key === "datasets" || key === "values") out[key] = one;
    else if (key === "title" && one && typeof one === "object" && "subtitle" in one)
      out[key] = { ...one, text: lines(one.text, (room - 70) / 8), subtitle: lines(one.subtitle, (room - 80) / 6) };
    else out[key] = wrapped(one, room);
  }
  return out;
}

function lines(value, most) {
  const out = [];
  for (const line of [value].flat()) {
    let held = "";
    for (const word of String(line).split(" ")) {
      if (held && held.length + word.length + 1 > most) { out.push(held); held = word; }
      else held = held ? `${held} ${word}` : word;
    }
    out.push(held);
  }
  return out;
}

function config(room) {
  const narrow = room < NARROW;
  return {
    background: null,
    font: "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif",
    axis: { labelLimit: narrow ? 110 : 200, titleLimit: narrow ? 300 : 400 },
    legend: narrow ? { orient: "bottom", columns: 2, labelLimit: 140 } : { labelLimit: 200 },
    header: { labelLimit: narrow ? 140 : 200 },
  };
}

async function draw(place, number) {
  const spec = specs[number], room = Math.floor(place.clientWidth) - 2;
  let pad = 0;
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const shown = { ...wrapped(adapted(spec, room, pad), room), config: { ...spec.config, ...config(room) } };
    if (place.drawn) place.drawn.finalize();
    place.drawn = await window.vegaEmbed(place, shown, {
      mode: "vega-lite", renderer: "svg", ast: true, actions: false, logLevel: 1,
    });
    await place.drawn.view.resize().runAsync();  // the size is known when labels are laid out
    const excess = Number(place.querySelector("svg").getAttribute("width")) - room;
    if (excess <= 0) break;
    pad += Math.ceil(excess) + 2;
  }
  place.style.minHeight = "";
}

let width = 0;
async function drawAll() {
  if (Math.abs(document.documentElement.clientWidth - width) < 20) return;
  width = document.documentElement.clientWidth;
  let failed = 0;
  const warn = console.warn;  // Vega-Lite's remarks on layout are for authors of charts, not for readers
  console.warn = () => {};
  for (const place of places) {
    try {
      await draw(place, Number(place.dataset.chart));
    } catch (error) {
      failed += 1;
      place.textContent = `This chart could not be drawn: ${error.message}`;
      console.error(error);
    }
  }
  console.warn = warn;
  document.documentElement.dataset.charts = failed ? `${failed} failed` : "drawn";
}

let waiting = 0;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(drawAll, 200);
});
drawAll();
