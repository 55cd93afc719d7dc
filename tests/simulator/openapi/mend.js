// Twilio's published document in, a copy that the proxy can use out. Usage: node mend.js IN OUT
//
// What is changed, and nothing else:
// - a form field that is an array gets the encoding in which Twilio's client sends it (the field repeated);
// - every operation may answer with an error in Twilio's form, which the document leaves out;
// - list filters by date take a date or an instant, as the client sends both ("date-time" alone in the document);
// - the page addresses of lists are relative, as in the document's own examples, though it says "uri";
// - only the resources that are checked are kept, so that the proxy starts in a second.
"use strict";
const fs = require("fs");

const [source, target] = process.argv.slice(2);
const document = JSON.parse(fs.readFileSync(source, "utf8"));
const kept = /^\/2010-04-01\/Accounts\/\{\w+\}(\.json|\/(Calls|Messages|Recordings|IncomingPhoneNumbers)(\/\{\w+\})?\.json|\/Calls\/\{\w+\}\/Recordings\.json)$/;

const problem = {
  description: "an error in Twilio's form",
  content: {
    "application/json": {
      schema: {
        type: "object",
        required: ["code", "message", "more_info", "status"],
        properties: {
          code: { type: "integer" },
          message: { type: "string" },
          more_info: { type: "string", format: "uri" },
          status: { type: "integer" },
        },
      },
    },
  },
};

for (const [path, operations] of Object.entries(document.paths)) {
  if (!kept.test(path)) {
    delete document.paths[path];
    continue;
  }
  for (const method of ["get", "post", "delete"]) {
    const operation = operations[method];
    if (!operation) continue;
    for (const status of ["400", "401", "404", "429", "500"]) operation.responses[status] ??= problem;
    const list = operation.responses["200"]?.content?.["application/json"]?.schema?.properties ?? {};
    for (const field of Object.values(list)) {
      if (field.format === "uri") field.format = "uri-reference";
    }
    for (const parameter of operation.parameters ?? []) {
      if (parameter.in === "query" && parameter.schema.format === "date-time") {
        parameter.schema = { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d:\\d\\dZ)?$" };
      }
    }
    const form = operation.requestBody?.content?.["application/x-www-form-urlencoded"];
    for (const [name, field] of Object.entries(form?.schema?.properties ?? {})) {
      if (field.type !== "array") continue;
      form.encoding ??= {};
      form.encoding[name] = { style: "form", explode: true };
    }
  }
}
fs.writeFileSync(target, JSON.stringify(document));
console.log(`${Object.keys(document.paths).length} paths of ${document.info.title} ${document.info.version}`);
