// Receives messages as webhooks and checks their signatures (docs/push.md). Node 18 or later, nothing to install.
//
//     WEBHOOK_SECRET=whsec_… node receive.mjs 8080
//
// Put it behind a server that speaks TLS. `verify` is all that another framework needs; give it the body as it came.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const TOLERANCE_S = 300;
const MAX_BYTES = 1_000_000;

/**
 * The id of a genuine message, the same at every repetition; null for any other.
 * `headers`: by lower-case name. `body`: a Buffer. `secrets`: `whsec_…`; several while one is replaced by another.
 */
export function verify(headers, body, secrets, nowS) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (id === "" || !/^[0-9]+$/.test(timestamp) || Math.abs(nowS - Number(timestamp)) > TOLERANCE_S) return null;
  const given = (headers["webhook-signature"] ?? "")
    .split(" ")
    .filter((part) => part.startsWith("v1,"))
    .map((part) => Buffer.from(part.slice(3), "base64"));
  for (const secret of secrets) {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
    if (given.some((each) => each.length === expected.length && timingSafeEqual(each, expected))) return id;
  }
  return null;
}

/** A server that answers 204 when the message is stored, 401 when it is not genuine; after anything else it comes again. */
export function receiver(secrets, store) {
  const seen = new Set(); // yours must outlive a restart
  return createServer(async (request, response) => {
    const parts = [];
    let size = 0;
    for await (const part of request) {
      size += part.length;
      if (size > MAX_BYTES) return response.writeHead(413, { connection: "close" }).end();
      parts.push(part);
    }
    const body = Buffer.concat(parts);
    const id = verify(request.headers, body, secrets, Date.now() / 1000);
    if (id === null) return response.writeHead(401).end();
    if (!seen.has(id)) {
      await store(JSON.parse(body.toString())); // before it is answered
      seen.add(id);
    }
    return response.writeHead(204).end();
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  // Yours: keep the message before it is answered. docs/consuming.md says how `personalInfo` is decrypted, and what to
  // delete at the event `supporter.erased`.
  const store = (message) => console.log(message.schema, message.stage ?? message.eventType);
  receiver(process.env.WEBHOOK_SECRET.split(" "), store).listen(Number(process.argv[2]), "127.0.0.1");
}
