// Numbers and times as people read them.

/** "+17135550101" as "(713) 555-0101"; what is no North American number stays as it is. */
export function shownNumber(number) {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  if (parts) return `(${parts[1]}) ${parts[2]}-${parts[3]}`;
  return number === "anonymous" ? "number withheld" : number;
}

/** A number that is not broken at the end of a line. */
export function unbroken(text) {
  return text.replaceAll(" ", "\u00a0").replaceAll("-", "\u2011");
}

/** What a person types as a number, as "+17135550101", or null when it is none. */
export function typedNumber(text) {
  const bare = text.replace(/[\s().-]/g, "");
  if (/^\d{10}$/.test(bare)) return `+1${bare}`;
  if (/^1\d{10}$/.test(bare)) return `+${bare}`;
  return /^\+[1-9]\d{6,14}$/.test(bare) ? bare : null;
}

/** An instant as "02:10:32" in the time zone. */
export function clockTime(instant, zone, seconds = true) {
  const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
  if (seconds) parts.second = "2-digit";
  return new Intl.DateTimeFormat("en-GB", parts).format(instant);
}

/** An instant as "Tue 24 November" in the time zone. */
export function dayOf(instant, zone) {
  const parts = { weekday: "short", day: "numeric", month: "long", timeZone: zone };
  return new Intl.DateTimeFormat("en-GB", parts).format(instant).replace(",", "");
}

/** "America/Chicago" as "Chicago". */
export function placeOf(zone) {
  return zone.split("/").pop().replaceAll("_", " ");
}

/** Seconds as "0:34". */
export function lasted(seconds) {
  const whole = Math.max(Math.round(seconds), 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Who has that number: "Dana Whitfield", "Support, after hours", or the number itself. */
export function nameOf(state, number) {
  const known = [...state.numbers, ...state.callers, ...state.phones].find((item) => item.number === number);
  return known?.name || shownNumber(number);
}
