// States of the API in words.
import type { Channel, Device, Flow, Grant, Live, Viewer } from '../api/types';
import { count, duration } from './numbers';

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

export function live_words(live: Live): { text: string; tone: Tone } {
  switch (live.state) {
    case 'live':
      return { text: 'Live', tone: 'good' };
    case 'joining':
      return { text: 'Joining', tone: 'warn' };
    case 'no_signal':
      return { text: 'No signal', tone: 'bad' };
    default:
      return { text: 'Idle', tone: 'plain' };
  }
}

// As in a playlist, without its scheme: 232.1.2.3:5004 or 2001:db8::1@[ff3e::8000:1]:5004
export function address(flow: Flow): string {
  const group = flow.group.includes(':') ? `[${flow.group}]` : flow.group;
  const source = flow.source ? `${flow.source.includes(':') ? `[${flow.source}]` : flow.source}@` : '';
  return `${source}${group}:${flow.port}`;
}

export function path_words(path: string | undefined): string {
  switch (path) {
    case 'lan':
      return 'at home';
    case 'direct':
      return 'directly';
    case 'relayed':
      return 'through a relay';
    default:
      return '';
  }
}

// How a viewer is reached: by its tunnel, or players at home by the device's LAN link.
export function way_words(viewer: Viewer): string {
  if (viewer.via !== 'lan_link') return path_words(viewer.path);
  return viewer.players > 1 ? `by its LAN link, ${count(viewer.players, 'player', 'players')}` : 'by its LAN link';
}

export function device_words(device: Device): { text: string; tone: Tone } {
  if (device.state === 'pending') return { text: 'Waits for you', tone: 'warn' };
  if (device.state === 'revoked') return { text: 'Revoked', tone: 'bad' };
  if (!device.connected) return { text: 'Away', tone: 'plain' };
  const path = path_words(device.path) + (device.path_reason ? `: ${device.path_reason}` : '');
  return { text: path ? `Connected ${path}` : 'Connected', tone: 'good' };
}

export function last_seen(device: Device): string {
  if (device.connected) return 'connected now';
  if (device.last_seen_s === undefined) return 'not seen since the box started';
  return `last seen ${duration(device.last_seen_s)} ago`;
}

export function grant_words(grant: Grant): string {
  if (grant === 'all') return 'all channels';
  return grant.length === 0 ? 'no channels yet' : count(grant.length, 'channel', 'channels');
}

export function may_watch(grant: Grant, channel: Channel): boolean {
  return grant === 'all' || grant.includes(channel.id);
}

// Whether both let a device watch the same channels; in which order they were ticked does not matter.
export function same_grant(a: Grant, b: Grant): boolean {
  if (a === 'all' || b === 'all') return a === b;
  const these = new Set(a);
  return these.size === new Set(b).size && b.every((id) => these.has(id));
}
