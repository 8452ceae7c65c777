// What was dropped or picked, as {name, file} entries with the names of folders in front; folders have no file.
export const ENTRIES_AT_MOST = 100000;

async function walk(entry, into, before = "") {
  const name = before + entry.name;
  if (into.length >= ENTRIES_AT_MOST) return;
  if (entry.isFile) {
    into.push({ name, file: await new Promise((done, failed) => entry.file(done, failed)) });
    return;
  }
  into.push({ name });
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed)); // about a hundred at a time
    if (!some.length) return;
    for (const one of some) await walk(one, into, `${name}/`);
  }
}

/** All that a drop brings; rejects when something cannot be read. */
export async function droppedEntries(transfer) {
  const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const entries = [];
  for (const root of roots) await walk(root, entries);
  return entries;
}

/** All that a file input has. */
export function pickedEntries(input) {
  return [...input.files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
}
