// Hosts of the home network as an owner types them: one a line, or separated by commas or blanks.
export function parse_home_hosts(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter((host) => host !== ''))];
}

export function same_home_hosts(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((host, index) => host === b[index]);
}
