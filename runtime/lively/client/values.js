// What an event says of the element that it is about.

import { attribute, get } from "./dom.js";

const about = ({ name, size, type }) => ({ name, size, type }); // a file: it does not come along

const valueOfField = (value) => (typeof value === "string" ? value : value.name);

export function fieldsOf(form, submitter) {
  const fields = Object.create(null); // a field may have any name
  for (const [name, field] of new FormData(form, submitter)) {
    const value = valueOfField(field);
    if (!(name in fields)) fields[name] = value;
    else fields[name] = [].concat(fields[name], value);
  }
  return fields;
}

// Reports whether the visitor has chosen a file, which no frame carries.
export const carriesFiles = (form) => [...new FormData(form).values()].some((field) => field instanceof File && field.size + field.name.length);

export function valueOf(element, event) {
  const given = attribute(element, "data-live-value");
  if (given !== null) return given;
  if (element instanceof HTMLFormElement) return fieldsOf(element, event.submitter);
  if (get(element, "isContentEditable")) return get(element, "innerText");
  switch (get(element, "type")) {
    case "checkbox":
      return element.checked;
    case "file":
      return Array.from(element.files, about);
    case "select-multiple":
      return Array.from(element.selectedOptions, (option) => option.value);
  }
  return element.value ?? event.key ?? null;
}
