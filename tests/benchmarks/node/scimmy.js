// The requests of the benchmark to SCIMMY, from the bytes of a body to the bytes of a response, without Express.
// A router of scimmy-routers calls `new SCIMMY.Resources.User(...)`, then `read`, `write` or `patch`. So does this file.
// The first line of input has the users and the bodies. Each further line names a step and a number of calls; the answer
// is the CPU time of a call in microseconds. With no calls, the answer is the response.

import {createInterface} from "node:readline";
import {SCIMMY} from "scimmy-routers";

const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value ?? "null");
const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const {base, users, asked, entra, active, fresh, start} = await next();

const stored = new Map(); // by id
const named = new Map(); // by userName
const ids = [];

SCIMMY.Resources.declare(SCIMMY.Resources.User)
    .extend(SCIMMY.Schemas.EnterpriseUser, false)
    .ingress((resource, data) => {
        const now = new Date().toISOString();
        const id = resource.id ?? crypto.randomUUID();
        const kept = {...data, id, meta: {created: stored.get(id)?.meta.created ?? now, lastModified: now}};
        if (!stored.has(id)) ids.push(id);
        stored.set(id, kept);
        named.set(kept.userName.toLowerCase(), kept);
        return kept;
    })
    .egress((resource) => {
        if (resource.id) return stored.get(resource.id);
        if (resource.filter) {
            const found = named.get(resource.filter[0].userName[1].toLowerCase());
            return found ? [found] : [];
        }
        const {startIndex, count} = resource.constraints;
        resource.constraints.totalResults = ids.length; // the page is cut here, so that SCIMMY renders no other user
        return ids.slice(startIndex - 1, startIndex - 1 + count).map((id) => stored.get(id));
    });
SCIMMY.Resources.User.basepath(base);

const User = SCIMMY.Resources.User;
const bytes = (value) => Buffer.from(value === undefined ? "" : JSON.stringify(value));
const body = (text) => Buffer.from(typeof text === "string" ? text : JSON.stringify(text));
const read = (buffer) => JSON.parse(buffer.toString());
const post = async (buffer) => bytes(await new User({}).write(read(buffer)));
const patch = async (id, buffer) => bytes(await new User(id, {}).patch(read(buffer)));

for (const each of users) await post(body(each));
users.length = 0;

function turns(values) {
    let place = -1;
    return () => values[(place = (place + 1) % values.length)];
}

const nextId = turns(asked.map((place) => ids[place]));
const nextName = turns(asked.map((place) => stored.get(ids[place]).userName));
const changed = (changes) => turns(changes.map(body).flatMap((one) => asked.map((place) => [ids[place], one])));
const [nextActive, nextEntra] = [changed(active), changed(entra)];
const nextFresh = turns(Array.from({length: fresh.count}, (_, number) => body(
    fresh.text.replaceAll(fresh.number, String(Number(fresh.number) + number)))));
// SCIMMY ignores startIndex and count as text, which is what Express gives it. So the page has them as numbers.
const calls = {
    "GET by id": async () => bytes(await new User(nextId(), {}).read()),
    "filter userName eq": async () => bytes(await new User({filter: `userName eq "${nextName()}"`}).read()),
    "PATCH active": () => patch(...nextActive()),
    "PATCH of Entra's 8": () => patch(...nextEntra()),
    "POST": () => post(nextFresh()),
    "page of 100": async () => bytes(await new User({startIndex: start, count: 100}).read()),
};

for (let asks = await next(); asks; asks = await next()) {
    const call = calls[asks.title];
    if (!asks.calls) {
        answer((await call()).toString());
        continue;
    }
    for (let warm = 0; warm < asks.warm; warm++) await call();
    globalThis.gc?.();
    const before = process.cpuUsage();
    for (let done = 0; done < asks.calls; done++) await call();
    const {user, system} = process.cpuUsage(before);
    answer((user + system) / asks.calls);
}
