// The address that a player opens: at the name or address by which the owner reached the box, unless that leads there for
// this browser only (through a tunnel, or a port that was led here).
import type { LanLink } from '../api/types';

export function lan_url(link: LanLink, host: string): string {
  const here = `http://${host}:${link.port}${link.path}`;
  const is_name = /[a-z]/i.test(host) && !host.startsWith('[') && host !== 'localhost';
  return link.urls.includes(here) || is_name ? here : (link.urls[0] ?? here);
}
