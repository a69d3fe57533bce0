/**
 * JSON with the keys of every object sorted, so that equal values have equal texts.
 *
 * Keys are sorted by UTF-16 code unit; `undefined` members are left out, as JSON.stringify does.
 */
export function canonicalJson(value) {
  return JSON.stringify(value, (_key, member) =>
    member !== null && typeof member === "object" && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
