// The address that a player opens: at the name or address by which the owner reached the box, since that one works here.
import type { LanLink } from '../api/types';

export function lan_url(link: LanLink, host: string): string {
  return host ? `http://${host}:${link.port}${link.path}` : (link.urls[0] ?? '');
}
