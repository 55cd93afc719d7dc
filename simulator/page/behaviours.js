// How a phone behaves when it rings: the choices of the page, and which of them a phone has.

const CHOICES = [
  ["You answer it here", { kind: "live" }],
  ["Answers, presses 1 (accepts)", { kind: "answers", after: 4, presses: "1" }],
  ["Answers, presses 2 then 1 (hears it first)", { kind: "answers", after: 4, presses: "21" }],
  ["Answers, presses 3 (passes on)", { kind: "answers", after: 4, presses: "3" }],
  ["Answers, presses 5 (calls the customer)", { kind: "answers", after: 4, presses: "5" }],
  ["Answers, presses nothing", { kind: "answers", after: 4, presses: "", hangs_up_after: 20 }],
  ["A mailbox takes it", { kind: "mailbox", after: 8, greeting: 6, records: 20 }],
  ["Screens the call", { kind: "screening", after: 2, hangs_up_after: 15 }],
  ["Busy", { kind: "busy", after: 1 }],
  ["Never answers", { kind: "never-answers" }],
  ["Cannot be reached", { kind: "fails", after: 1 }],
];
const LOOSE = new Set(["live", "mailbox", "screening", "busy", "never-answers", "fails"]);

export const choices = CHOICES.map(([label], index) => ({ label, value: String(index) }));

export function behaviourOf(value) {
  return CHOICES[Number(value)][1];
}

/** The value of the choice that a phone's behaviour is, or null for one that was scripted elsewhere. */
export function choiceOf(behaviour) {
  const index = CHOICES.findIndex(([, choice]) =>
    choice.kind === behaviour.kind && (LOOSE.has(choice.kind) || samePresses(choice.presses, behaviour.presses)));
  return index < 0 ? null : String(index);
}

function samePresses(ours, theirs) {
  return ours === (Array.isArray(theirs) && theirs.length === 0 ? "" : theirs);
}
