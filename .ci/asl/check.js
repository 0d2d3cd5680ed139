// Both public validators on the state machines of a synthesized template: node check.js <template.json>
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const validate = require("asl-validator");
const { getLanguageService, TextDocument } = require("amazon-states-language-service");

// The definitions' sources: each file is one state machine, whose name ends like the file's.
const SOURCES = path.join(__dirname, "../../statemachine");
const ENDING = ".asl.yaml";

const VALIDATORS = { "asl-validator": byAslValidator, "amazon-states-language-service": byLanguageService };
const EITHER = Object.keys(VALIDATORS);
const [VALIDATOR, LANGUAGE_SERVICE] = EITHER.map((name) => [name]);

// What is put into the definition, and who has to find it: without this, nobody would notice a check that has gone
// blind. Half of it is found by one of the two only, which is why there are two.
const FAULTS = [
  ["a Next that leads nowhere", EITHER, (states) => (states.PlanBatch.Next = "AnyOld?")],
  ["a state that nothing leads to", EITHER, (states) => (states.Forgotten = { Type: "Succeed" })],
  ["a state without Next or End", EITHER, (states) => delete states.PrepareDocuments.Next],
  ["a retrier of nothing", EITHER, (states) => delete states.PrepareCohorts.Retry[0].ErrorEquals],
  ["a path without $", VALIDATOR, (states) => (states.SelectSeeds.ResultPath = "seeds")],
  ["a resource that is no ARN", VALIDATOR, (states) => (states.SummarizeBatch.Resource = "SummarizeBatch")],
  ["a misspelt field", LANGUAGE_SERVICE, (states) => (states.PlanBatch.Retry[0].IntervalSecond = 3)],
  ["a misspelt comparison", LANGUAGE_SERVICE, (states) => (states["AnyNew?"].Choices[0].StringEqual = "")],
];

function byAslValidator(text) {
  return validate(JSON.parse(text)).errors.map((error) => `${error["Error code"]}: ${error.Message}`);
}

async function byLanguageService(text) {
  const service = getLanguageService({});
  const document = TextDocument.create("file:///definition.asl.json", "json", 1, text);
  const found = await service.doValidation(document, service.parseJSONDocument(document));
  return found.map(({ range, message }) => `line ${range.start.line + 1}, ${document.getText(range)}: ${message}`);
}

/** The definitions as CloudFormation deploys them, by name, every substitution an ARN. */
function deployed(templatePath) {
  const { Resources } = JSON.parse(fs.readFileSync(templatePath, "utf8"));
  const machines = Object.values(Resources).filter(({ Type }) => Type === "AWS::StepFunctions::StateMachine");
  const found = machines.map(({ Properties }) => [Properties.StateMachineName.replace(/.*-/, ""), definition(Properties)]);
  const names = found.map(([name]) => name).sort().join(", ");
  const sources = fs.readdirSync(SOURCES).filter((file) => file.endsWith(ENDING));
  const expected = sources.map((file) => path.basename(file, ENDING)).sort().join(", ");
  if (names !== expected) throw new Error(`${templatePath} has the state machines ${names}, not ${expected}`);
  return found;
}

function definition({ DefinitionString, DefinitionSubstitutions }) {
  return DefinitionString.replace(/\$\{(\w+)\}/g, (placeholder, name) => {
    if (!(name in DefinitionSubstitutions)) throw new Error(`${placeholder} is filled by no function: check its name`);
    return `arn:aws:lambda:us-east-1:123456789012:function:${name}`;
  });
}

async function errorsIn(text) {
  const errors = [];
  for (const [name, validator] of Object.entries(VALIDATORS)) {
    errors.push(...(await validator(text)).map((error) => `${name}: ${error}`));
  }
  return errors;
}

async function missedFaults(text) {
  const missed = [];
  for (const [fault, finders, putIn] of FAULTS) {
    const definition = JSON.parse(text);
    putIn(definition.States);
    for (const name of finders) {
      const found = await VALIDATORS[name](JSON.stringify(definition));
      if (found.length === 0) missed.push(`${name} doesn't find ${fault} any more: it checks less than this relies on`);
    }
  }
  return missed;
}

async function main(templatePath) {
  const errors = [];
  for (const [name, text] of deployed(templatePath)) {
    const found = await errorsIn(text);
    // The faults are put into states of the pipeline.
    if (found.length === 0 && name === "pipeline") found.push(...(await missedFaults(text)));
    errors.push(...found.map((error) => `${name}: ${error}`));
  }
  errors.forEach((error) => console.error(error));
  if (errors.length) process.exit(1);
  console.log(`${templatePath}: the state machines are valid; the ${FAULTS.length} faults put into one are found`);
}

main(process.argv[2]).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
