// How a mailbox behaves when a mail comes: the choices of the page, and which of them a mailbox has.

const CHOICES = [
  ["Takes it", { kind: "accepts" }],
  ["Refuses it for good (550)", { kind: "refuses" }],
  ["Refuses it for now (451), twice", { kind: "defers", times: 2 }],
  ["Refuses it for now (451), always", { kind: "defers", times: null }],
  ["Takes it, and reports later that it failed", { kind: "bounces" }],
  ["Answers: out of office", { kind: "out-of-office" }],
  ["Answers everything, machines too (a loop)", { kind: "out-of-office", polite: false }],
];

export const manners = CHOICES.map(([label], index) => ({ label, value: String(index) }));

export function mannerOf(value) {
  return CHOICES[Number(value)][1];
}

/** The value of the choice that a mailbox's manner is, or null for one that was scripted elsewhere. */
export function choiceOfManner(manner) {
  const same = (choice, key, otherwise) => (choice[key] ?? otherwise) === (manner[key] ?? otherwise);
  const index = CHOICES.findIndex(([, choice]) =>
    choice.kind === manner.kind && same(choice, "times", null) && same(choice, "polite", true));
  return index < 0 ? null : String(index);
}
