// A tar made of files in the browser: the files stay on the disk, only the headers are in memory.
const BLOCK = 512;
const OCTAL_AT_MOST = 8 ** 11 - 1; // what the header's field of a size holds
const encoder = new TextEncoder();

function field(header, at, length, value) {
  header.set(encoder.encode(value.toString(8).padStart(length - 1, "0")), at);
}

function plainHeader(name, size, mode, mtime, type) {
  const header = new Uint8Array(BLOCK);
  header.set(name.slice(0, 100), 0);
  field(header, 100, 8, mode);
  field(header, 108, 8, 0);
  field(header, 116, 8, 0);
  field(header, 124, 12, size <= OCTAL_AT_MOST ? size : 0);
  field(header, 136, 12, mtime);
  header.fill(0x20, 148, 156); // the checksum's own place counts as spaces
  header[156] = type.charCodeAt(0);
  header.set(encoder.encode("ustar\x0000"), 257);
  field(header, 148, 7, header.reduce((sum, byte) => sum + byte, 0));
  return header;
}

function record(key, value) {
  const rest = encoder.encode(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return encoder.encode(`${length} ${key}=${value}\n`);
}

const padding = (size) => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);

/** The header of one entry; what an old one cannot hold (a long name, a large size) goes before it. */
export function header(name, size, mtime, isFolder, mode = 0o644) {
  const bytes = encoder.encode(isFolder ? `${name}/` : name);
  const extended = [];
  if (bytes.length > 100 || bytes.length !== name.length + (isFolder ? 1 : 0)) extended.push(record("path", name));
  if (size > OCTAL_AT_MOST) extended.push(record("size", size));
  const main = plainHeader(bytes, size, isFolder ? 0o755 : mode, mtime, isFolder ? "5" : "0");
  if (!extended.length) return [main];
  const length = extended.reduce((sum, one) => sum + one.length, 0);
  return [plainHeader(encoder.encode("pax"), length, 0o644, mtime, "x"), ...extended, padding(length), main];
}

/** A tar of `entries`: {name, file}, without a file for a folder. A browser does not know the files' modes. */
export function tarOf(entries, mode = 0o644) {
  const parts = [];
  for (const { name, file } of entries) {
    const size = file?.size ?? 0;
    parts.push(...header(name, size, Math.floor((file?.lastModified ?? Date.now()) / 1000), !file, mode));
    if (file) parts.push(file, padding(size));
  }
  return new Blob([...parts, new Uint8Array(2 * BLOCK)], { type: "application/x-tar" });
}
