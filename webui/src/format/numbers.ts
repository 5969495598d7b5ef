// Figures as people read them. Decimal point and units are the same everywhere, so that rows line up.

export function bitrate(bits_per_second: number): string {
  // The limits are where the smaller unit would round to a thousand.
  if (bits_per_second >= 999_500) return `${(bits_per_second / 1e6).toFixed(1)} Mbit/s`;
  if (bits_per_second >= 999.5) return `${Math.round(bits_per_second / 1e3)} kbit/s`;
  return `${Math.round(bits_per_second)} bit/s`;
}

export function size(bytes: number): string {
  if (bytes >= 999_950_000) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 999_500) return `${(bytes / 1e6).toFixed(1)} MB`;
  if (bytes >= 1e3) return `${Math.round(bytes / 1e3)} kB`;
  return `${bytes} B`;
}

// 40 s, 12 min, 3 h 20 min, 5 days
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3600) {
    const minutes = Math.floor((s % 3600) / 60);
    return `${Math.floor(s / 3600)} h${minutes ? ` ${minutes} min` : ''}`;
  }
  return `${Math.floor(s / 86400)} days`;
}

// 9:05, for counting down
export function countdown(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

export function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString('en-US').replaceAll(',', '\u202f')} ${n === 1 ? one : many}`;
}
