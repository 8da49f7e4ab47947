/**
 * A form as the body of a request, and the errors of its answer as texts under inputs. The name of an input is the JSON
 * Pointer (RFC 6901) of its value in the body, which is also how errors name it.
 */

const CHECKS = { valueMissing: "blank", typeMismatch: "format", patternMismatch: "format", tooLong: "too_long" };

/** Puts what was typed into the body; what is empty is left away. */
export function fill(body, form) {
  for (const [pointer, value] of new FormData(form)) {
    if (value.trim() === "") continue;
    const keys = pointer.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = keys.pop();
    const parent = keys.reduce((object, key) => (object[key] ??= {}), body);
    parent[last] = inputsAt(form, pointer)[0].type === "radio" ? value === "true" : value;
  }
  return body;
}

/** What can be told before anything is sent, as errors of the API: {pointer, code}. */
export function checked(form) {
  const failed = new Map();
  for (const input of form.elements) {
    if (!input.name || !input.willValidate || input.validity.valid) continue;
    const rule = Object.keys(CHECKS).find((name) => input.validity[name]);
    failed.set(input.name, { pointer: input.name, code: CHECKS[rule] ?? "invalid", message: input.validationMessage });
  }
  return [...failed.values()];
}

/**
 * Shows each error under its input and takes away those shown before. `say` makes a text of an error.
 * Returns the first input with an error in the order of the page, and the errors that no input is there for.
 */
export function show(errors, form, say) {
  for (const field of form.querySelectorAll(".field")) clear(field);
  const homeless = [];
  for (const error of errors) {
    const [input] = inputsAt(form, error.pointer);
    const field = input?.closest(".field");
    if (field) explain(field, say({ ...error, pointer: input.name }));
    else homeless.push(error);
  }
  return { first: form.querySelector(':is(input, select, textarea)[aria-invalid="true"], [aria-invalid="true"] input'), homeless };
}

function clear(field) {
  field.querySelector(".error")?.remove();
  const marked = markedIn(field);
  marked.removeAttribute("aria-invalid");
  marked.removeAttribute("aria-describedby");
}

function explain(field, text) {
  const marked = markedIn(field);
  let error = field.querySelector(".error");
  if (!error) {
    error = document.createElement("p");
    error.className = "error";
    error.id = `${marked.id}-error`;
    error.textContent = text;
    field.append(error);
  } else if (!error.textContent.includes(text)) {
    error.textContent += ` ${text}`;
  }
  marked.setAttribute("aria-invalid", "true");
  marked.setAttribute("aria-describedby", error.id);
}

/** What is wrong is the input, or all of a group of choices. */
function markedIn(field) {
  return field.matches("fieldset") ? field : field.querySelector("input, select, textarea");
}

function inputsAt(form, pointer) {
  return Array.from(form.elements).filter(
    (input) => !input.matches(":disabled") && (input.name === pointer || input.dataset.also === pointer),
  );
}
