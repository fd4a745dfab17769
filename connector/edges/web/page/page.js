// Asks /status every two seconds and shows it. What a PBX or a requester has said goes in as text, never as markup.

import { plot } from "./plot.js";

const EVERY_MS = 2000;
const PATIENCE_MS = 5000;
const SPAN_MS = 600000;
const LEAST_MS = 60000;

const at = (id) => document.getElementById(id);
const count = new Intl.NumberFormat();
const drawn = new Map();
let shown = "all";
let last = null;
let heard = null;

function made(name, text, kind) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

function number(value) {
  return value === null || value === undefined ? "–" : count.format(value);
}

function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const place = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), units.length - 1);
  const size = value / 1024 ** place;
  return `${place && size < 10 ? size.toFixed(1) : Math.round(size)}\u00a0${units[place]}`;
}

function span(ms) {
  if (ms === null || ms === undefined) return "–";
  const signed = ms < 0 ? "−" : "";
  const size = Math.abs(ms);
  if (size < 1000) return `${signed}${Math.round(size)}\u00a0ms`;
  const seconds = size / 1000;
  if (seconds < 10) return `${signed}${seconds.toFixed(1)}\u00a0s`;
  if (seconds < 120) return `${signed}${Math.round(seconds)}\u00a0s`;
  if (seconds < 7200) return `${signed}${Math.round(seconds / 60)}\u00a0min`;
  if (seconds < 172800) return `${signed}${Math.round(seconds / 3600)}\u00a0h`;
  return `${signed}${Math.round(seconds / 86400)}\u00a0days`;
}

function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

function facts(list, pairs) {
  list.replaceChildren(...pairs.map(([name, value]) => {
    const pair = made("div");
    pair.append(made("dt", name), made("dd", value));
    return pair;
  }));
}

function state(element, good, words) {
  element.textContent = `${good ? "✓" : "✕"} ${words}`;
  element.className = `state ${good ? "good" : "bad"}`;
}

function table(place, heads, rows, empty) {
  const said = JSON.stringify([heads, rows]);
  if (drawn.get(place) === said) return;
  drawn.set(place, said);
  if (rows.length === 0) {
    at(place).replaceChildren(made("p", empty, "empty"));
    return;
  }
  const whole = made("table");
  const head = made("tr");
  for (const [text, kind] of heads) {
    const cell = made("th", text, kind);
    cell.scope = "col";
    head.append(cell);
  }
  const top = made("thead");
  top.append(head);
  const body = made("tbody");
  for (const row of rows) {
    const line = made("tr");
    row.forEach((text, column) => line.append(made("td", text, heads[column][1])));
    body.append(line);
  }
  whole.append(top, body);
  at(place).replaceChildren(whole);
}

function figure(title, value, words, lines, now) {
  const whole = made("figure");
  const caption = made("figcaption");
  caption.append(made("span", title), made("b", value));
  const axis = made("div", undefined, "axis");
  const first = lines[0][0]?.[0] ?? now;
  const from = Math.max(now - SPAN_MS, Math.min(first, now - LEAST_MS));
  axis.append(made("span", `${span(now - from)} ago`), made("span", "now"));
  whole.append(caption, plot(words, lines, { from, to: now }), axis);
  return whole;
}

function column(points, place) {
  return points.map((point) => [point[0], point[place]]);
}

function plots(pbx, now) {
  const area = made("div", undefined, "plots");
  const points = pbx.points.filter((point) => point[0] >= now - SPAN_MS);
  const latest = points.at(-1) ?? [now, 0, 0, null, 0];
  const rates = `— ${number(Math.round(latest[1]))} in\u2003┄ ${number(Math.round(latest[2]))} out`;
  const said = `events a second: now ${latest[1]} in, ${latest[2]} out`;
  area.append(
    figure("Events a second", rates, said, [column(points, 1), column(points, 2)], now),
    figure("Lag behind the PBX", span(latest[3]), `lag: now ${span(latest[3])}`, [column(points, 3)], now),
    figure("Waiting for Kafka", number(latest[4]), `waiting: now ${number(latest[4])}`, [column(points, 4)], now),
  );
  return area;
}

function session(pbx, now) {
  const { events } = pbx;
  if (events.up) return `for ${span(now - events.since_ms)}`;
  if (events.since_ms === null) return "not yet";
  const again = events.retry_s === null ? "no further try" : `tries again after ${span(events.retry_s * 1000)}`;
  return `down for ${span(now - events.since_ms)}, ${again}`;
}

function card(pbx, now) {
  const { events, actions, journal } = pbx;
  const whole = made("article", undefined, events.up ? "card" : "card down");
  const head = made("header");
  const badge = made("p");
  state(badge, events.up, events.up ? "Logged in" : "Not logged in");
  head.append(made("h3", pbx.name), badge);
  whole.append(head);
  const troubles = [
    events.up ? null : events.trouble, actions.trouble, journal.trouble,
  ].filter((trouble) => trouble !== null);
  for (const trouble of troubles) {
    whole.append(made("p", `${clock(trouble.at_ms)}  ${trouble.reason}`, "trouble"));
  }
  if (events.stalled) whole.append(made("p", "The session brings no events: a canary was not seen.", "trouble"));
  const list = made("dl", undefined, "facts");
  facts(list, [
    ["Session for events", session(pbx, now)],
    ["Address", events.address || "–"],
    ["Asterisk", events.asterisk_version || (events.ami_version ? `AMI ${events.ami_version}` : "–")],
    ["Sessions for actions", number(actions.sessions)],
    ["Journal", `${number(journal.entries)} events, ${bytes(journal.bytes)} of ${bytes(journal.limit_bytes)}`],
    ["Oldest waits", journal.oldest_ms === null ? "nothing waits" : span(Math.max(0, now - journal.oldest_ms))],
    ["PBX's clock", pbx.clock_offset_ms === null ? "–" : `${span(pbx.clock_offset_ms)} ahead`],
  ]);
  whole.append(list, plots(pbx, now));
  return whole;
}

function gap(each) {
  const many = each.count === null || each.count === undefined ? "" : `${number(each.count)} events `;
  const numbers = each.first === undefined ? "" : `${each.first} to ${each.last ?? "?"}`;
  const lasted = each.lasted_s === undefined ? "" : `${each.lasted_s.toFixed(1)} s, loss ${each.loss}`;
  const told = [`${many}${numbers}${lasted}`.trim(), each.reason].filter(Boolean).join(": ");
  return [clock(each.at_ms), each.pbx, each.what, told];
}

function action(each) {
  const outcome = each.what === "refused" ? `✕ ${each.status}${each.rule ? `, rule ${each.rule}` : ""}` : each.status;
  const took = each.took_ms === null ? "" : `, ${span(each.took_ms)}`;
  return [clock(each.at_ms), each.action, each.pbx, `${outcome}${took}`];
}

function actions(known) {
  const chosen = known.actions.filter((each) => shown === "all" || each.what === shown);
  const heads = [["Time", "time"], ["Action", "long"], ["PBX"], ["Outcome"]];
  table("actions", heads, chosen.map(action), shown === "all" ? "No action so far." : "No refusal so far.");
}

function show(status) {
  const known = status.ami_kafka;
  const now = known.now_ms;
  document.title = `${known.ready ? "" : "✕ "}${status.name}`;
  at("name").textContent = status.name;
  at("about").textContent = `ami-kafka ${known.version} on ${status.connector.worker_id}, for ${span(now - known.since_ms)}`;
  state(at("state"), known.ready, known.ready ? "Ready" : "Not ready");
  const broken = known.conditions.filter((each) => !each.holds);
  at("conditions-part").hidden = broken.length === 0;
  at("conditions-title").textContent = known.ready ? "Not well, though ready" : "What keeps it from being ready";
  at("conditions").replaceChildren(...broken.map((each) => {
    const line = made("li");
    line.append(made("b", each.name), made("span", each.reason));
    return line;
  }));
  at("pbxs").replaceChildren(...known.pbxs.map((pbx) => card(pbx, now)));
  const { kafka, registry } = known;
  facts(at("kafka"), [
    ["Last acknowledged", kafka.acknowledged_ms === null ? "nothing yet" : `${span(now - kafka.acknowledged_ms)} ago`],
    ["Trouble", kafka.trouble ? `${clock(kafka.trouble.at_ms)} ${kafka.trouble.reason}` : "none"],
    ["Registry", registry.trouble ? `last trouble at ${clock(registry.trouble.at_ms)}: ${registry.trouble.reason}` : "no trouble"],
    ["Partitions of requests", number(known.requests.length)],
  ]);
  actions(known);
  table("gaps", [["Time", "time"], ["PBX"], ["What"], ["Numbers", "long"]], known.gaps.map(gap), "No gap so far.");
  const counted = (names) => Object.entries(names).map(([name, value]) => [name, number(value)]);
  table("topics", [["Topic", "long"], ["Records", "number"]], counted(known.published), "Nothing published yet.");
  table("dead", [["Reason", "long"], ["Records", "number"]], counted(known.dead_letters), "No dead letter so far.");
}

function silent(reason) {
  const since = heard === null ? "" : ` What is shown below is as of ${clock(heard)}.`;
  at("silent").textContent = `The connector does not answer (${reason}).${since}`;
  at("silent").hidden = false;
  state(at("state"), false, "Does not answer");
  document.title = "✕ does not answer";
}

async function ask() {
  try {
    const answer = await fetch("status", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(`it says ${answer.status}`);
    last = await answer.json();
    heard = Date.now();
    at("silent").hidden = true;
    show(last);
  } catch (error) {
    silent(error.name === "TimeoutError" ? "no answer in 5 s" : error.message);
  } finally {
    setTimeout(ask, EVERY_MS);
  }
}

for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    shown = button.dataset.show;
    for (const each of document.querySelectorAll("[data-show]")) {
      each.setAttribute("aria-pressed", String(each === button));
    }
    if (last) actions(last.ami_kafka);
  });
}
ask();
