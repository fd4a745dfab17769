// Small plots, made of what /status says: one or two lines over the last minutes.

const SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 200;
const HEIGHT = 40;

function part(name, attributes) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// A value that is not known breaks the line.
function path(points, span, top) {
  let text = "";
  let pen = "M";
  for (const [at, value] of points) {
    if (value === null) {
      pen = "M";
      continue;
    }
    const x = ((at - span.from) / (span.to - span.from)) * WIDTH;
    const y = HEIGHT - 2 - (Math.max(value, 0) / top) * (HEIGHT - 5);
    text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return text;
}

export function plot(words, lines, span) {
  const known = lines.flat().map((point) => point[1]).filter((value) => value !== null);
  const top = Math.max(...known, 1);
  const picture = part("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": words,
  });
  lines.forEach((points, place) => {
    const drawn = path(points, span, top);
    if (place === 0 && drawn && points.every((point) => point[1] !== null)) {
      const first = ((points[0][0] - span.from) / (span.to - span.from)) * WIDTH;
      const last = ((points.at(-1)[0] - span.from) / (span.to - span.from)) * WIDTH;
      picture.append(part("path", { class: "under", d: `${drawn}L${last} ${HEIGHT}L${first} ${HEIGHT}Z` }));
    }
    picture.append(part("path", { class: place ? "two" : "one", d: drawn }));
  });
  return picture;
}
