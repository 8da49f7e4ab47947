/** The page: shows the campaign and its count, takes a signature, offers to share it. */

import { Api, newKey, Problem, Unreachable } from "./api.js";
import { ProofOfWork } from "./challenge.js";
import { listCountries } from "./countries.js";
import { checked, fill, show } from "./form.js";
import { errorText, languageOf, problemText, text } from "./texts.js";

const COUNT_EVERY_MS = 10_000;
const COUNT_AFTER_SIGNING_MS = [1_500, 4_000];
const PROOF_OF_WORK = "altcha";

const { searchParams: asked } = new URL(location.href);
const { api: base, page: named, static: file } = document.body.dataset;
const api = new Api(base, file);
const at = (id) => document.getElementById(id);
const form = at("form");

let language = languageOf(asked.get("lang"), ...navigator.languages);
let page = null;
let numbers = null;
let proof = null;
let failed = [];
let alert = null;
let busy = null;
let signed = null;

/** A signature whose answer is not known: it may be stored already, so it is sent again just as it was, or never. */
let attempt = null;

// --- texts

function say(key, values) {
  return text(language, key, { org: page?.org.title, name: signed?.firstName, ...values });
}

/** Writes everything in the chosen language; what was typed stays. */
function write() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = say(element.dataset.label);
  for (const button of at("languages").children) button.ariaPressed = String(button.lang === language);
  if (page) {
    at("title").textContent = page.campaign.title;
    document.title = page.campaign.title;
    at("org").textContent = page.org.title;
    at("lead-opt-in").querySelector("legend").textContent = say("leadOptIn", { org: page.campaign.org.title });
    listCountries(at("country"), language);
  }
  if (signed) at("sign-title").textContent = say("thanks");
  at("progress").textContent = busy ? say(busy) : "";
  at("shared").textContent = at("shared").dataset.said ? say(at("shared").dataset.said) : "";
  writeNumbers();
  writeErrors();
}

function writeNumbers() {
  if (!numbers) return;
  const goal = page.config.goal ?? page.campaign.config.goal;
  const count = numbers.supporterCount;
  at("numbers").hidden = false;
  at("count").textContent = say(count ? "people" : "nobody", { count });
  if (!(goal > 0)) return;
  const [bar, words] = at("goal").children;
  Object.assign(bar, { max: Math.max(goal, count), value: count });
  words.textContent = say("goal", { goal });
  at("goal").hidden = false;
}

/** Shows what went wrong; returns what the person should be led to. */
function writeErrors() {
  const { first, homeless } = show(failed, form, (error) => errorText(language, error));
  const lines = [alert?.(), ...homeless.map((error) => errorText(language, error))].filter(Boolean);
  const marked = form.querySelectorAll(".error").length;
  if (marked) lines.unshift(say("check", { count: marked }));
  at("alert").textContent = [...new Set(lines)].join(" ");
  at("alert").hidden = !lines.length;
  return first ?? (lines.length ? at("alert") : null);
}

// --- the campaign

async function open() {
  write();
  try {
    page = await api.page(named || asked.get("page") || "");
  } catch (error) {
    at("title").dataset.text = "sorry";
    at("sign-title").hidden = true;
    write();
    return explain(error);
  }
  at("title").removeAttribute("data-text");
  language = languageOf(asked.get("lang"), page.locale, ...navigator.languages);
  if (page.captchaServices.includes(PROOF_OF_WORK)) {
    proof = new ProofOfWork(() => api.challenge(page.id));
    form.addEventListener("focusin", () => proof.solution().catch(() => {}), { once: true });
  }
  const { title, org } = page.campaign;
  for (const line of [page.config.text ?? page.campaign.config.text ?? []].flat()) {
    at("text").append(Object.assign(document.createElement("p"), { textContent: line }));
  }
  at("lead-opt-in").hidden = at("lead-opt-in").disabled = org.name === page.org.name;
  at("native").hidden = !navigator.canShare?.({ title, url: location.href });
  form.hidden = page.captchaServices.length > 0 && !proof;
  if (form.hidden) alert = () => problemText(language, "unsupported");
  numbers = page.campaign.numbers ?? null;
  write();
  if (!numbers) count();
  setInterval(count, COUNT_EVERY_MS);
  document.addEventListener("visibilitychange", count);
}

/** Asks for the numbers while somebody looks. While a person fills in the form, a screen reader is not told of each. */
async function count() {
  if (document.hidden) return;
  const asking = signed ? api.numbers(page.id) : api.numbersForVisitors(page.id);
  const found = await asking.catch(() => null);
  if (!found || found.supporterCount === numbers?.supporterCount) return;
  at("count").ariaLive = form.contains(document.activeElement) ? "off" : "polite";
  numbers = found;
  writeNumbers();
}

// --- signing

async function sign(event) {
  event.preventDefault();
  if (busy) return;
  alert = null;
  failed = checked(form);
  if (failed.length) return writeErrors().focus();
  tell("sending");
  try {
    thank(await deliver());
  } catch (error) {
    explain(error);
  } finally {
    tell(null);
  }
}

/** Sends the signature until it is answered; once more if only the solution of the challenge was refused. */
async function deliver() {
  const typed = JSON.stringify(signature());
  for (let again = false; ; again = true) {
    if (attempt?.typed !== typed) attempt = { typed, key: newKey(), body: await withProof() };
    tell("sending");
    try {
      const answer = await api.send(`/v1/pages/${page.id}/actions`, attempt.body, attempt.key, () => tell("waiting"));
      attempt = null;
      return answer;
    } catch (error) {
      if (!(error instanceof Problem) || error.passes) throw error;
      attempt = null; // nothing was stored
      if (again || !error.errors.length || error.errors.some(({ pointer }) => pointer !== "/captcha")) throw error;
      proof ??= new ProofOfWork(() => api.challenge(page.id)); // the campaign began to ask for one while the page was open
      proof.forget();
    }
  }
}

function signature() {
  const body = { action: { actionType: "register" }, contact: {}, privacy: {}, tracking: tracking() };
  return fill(body, form);
}

async function withProof() {
  if (!proof) return JSON.stringify(signature());
  tell("checking");
  const captcha = await proof.solution();
  return JSON.stringify({ ...signature(), captcha, captchaService: PROOF_OF_WORK });
}

/** Where the person came from: utm_source and so on of the address, and the address without them. */
function tracking() {
  const found = { location: location.origin + location.pathname };
  for (const name of ["source", "medium", "campaign", "content"]) {
    const value = asked.get(`utm_${name}`);
    if (value) found[name] = value;
  }
  return found;
}

/** Says what is being done; while something is, nothing can be sent a second time. */
function tell(what) {
  busy = what;
  at("submit").ariaDisabled = String(what !== null);
  at("progress").textContent = what ? say(what) : "";
}

function explain(error) {
  if (error instanceof Unreachable) alert = () => problemText(language, "unreachable");
  else if (error instanceof Problem && error.errors.length) failed = error.errors;
  else if (error instanceof Problem) alert = () => problemText(language, error.code, error.message);
  else alert = () => problemText(language, "");
  writeErrors().focus();
}

function thank(answer) {
  signed = answer;
  form.hidden = true;
  failed = [];
  for (const element of document.querySelectorAll("[data-medium]")) {
    if (element.href !== undefined) element.href = shareHref(element.dataset.medium);
  }
  at("share").hidden = false;
  at("sign-title").dataset.text = "thanks";
  at("sign-title").tabIndex = -1;
  write();
  at("sign-title").focus();
  for (const pause of COUNT_AFTER_SIGNING_MS) setTimeout(count, pause);
}

// --- sharing

/** This page for others, so that it is known which way they came. */
function addressFor(medium) {
  const address = new URL(location.href);
  address.hash = "";
  for (const name of ["source", "medium", "campaign", "content"]) address.searchParams.delete(`utm_${name}`);
  address.searchParams.set("utm_source", "share");
  address.searchParams.set("utm_medium", medium);
  return address.href;
}

function shareHref(medium) {
  const [title, address] = [page.campaign.title, addressFor(medium)].map(encodeURIComponent);
  return {
    whatsapp: `https://wa.me/?text=${title}%20${address}`,
    facebook: `https://www.facebook.com/sharer/sharer.php?u=${address}`,
    email: `mailto:?subject=${title}&body=${address}`,
  }[medium];
}

async function share(event) {
  const { medium } = event.target.closest("[data-medium]")?.dataset ?? {};
  if (!medium) return;
  try {
    if (medium === "native") await navigator.share({ title: page.campaign.title, url: addressFor(medium) });
    if (medium === "link") await navigator.clipboard.writeText(addressFor(medium));
  } catch {
    return; // the person thought better of it
  }
  at("shared").dataset.said = medium === "link" ? "copied" : "shared";
  at("shared").textContent = say(at("shared").dataset.said);
  const body = { action: { actionType: "share", customFields: { medium } }, tracking: tracking() };
  const path = `/v1/pages/${page.id}/contacts/${signed.contactRef}/actions`;
  // Sharing the same way twice is told once: the key is that of this signature and medium.
  await api.send(path, JSON.stringify(body), `${signed.actionId}-${medium}`).catch(() => {});
}

// --- what people do

form.addEventListener("submit", sign);
form.addEventListener("input", (event) => {
  const left = failed.filter(({ pointer }) => ![event.target.name, event.target.dataset.also].includes(pointer));
  if (left.length === failed.length) return;
  failed = left;
  writeErrors();
});
at("share").addEventListener("click", share);
at("languages").addEventListener("click", (event) => {
  if (!event.target.lang) return;
  language = event.target.lang;
  write();
});
addEventListener("beforeunload", (event) => {
  if (busy) event.preventDefault();
});

open();
