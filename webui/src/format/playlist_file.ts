// A playlist file's octets as text. Providers write UTF-8, and now and then the Latin alphabet of decades ago.
export function decode_playlist(octets: ArrayBuffer | Uint8Array): string {
  const start = new Uint8Array(octets as ArrayBuffer).subarray(0, 2);
  const utf16 = start[0] === 0xff && start[1] === 0xfe ? 'utf-16le' : start[0] === 0xfe && start[1] === 0xff ? 'utf-16be' : '';
  if (utf16) return new TextDecoder(utf16).decode(octets);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    return new TextDecoder('windows-1252').decode(octets);
  }
}
