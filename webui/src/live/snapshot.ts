// What the page knows of the box, and how an event changes it. Pure: events in, a new snapshot out.
import type { Channel, ChannelsEvent, Device, Devices, Live, PairingEvent, Status, Viewer, Viewers } from '../api/types';

export type EventType = 'status' | 'channels' | 'devices' | 'viewers' | 'pairing';
export const kEventTypes: readonly EventType[] = ['status', 'channels', 'devices', 'viewers', 'pairing'];

export interface Snapshot {
  status: Status | undefined;
  channels: Channel[] | undefined; // undefined until they are loaded
  revision: number; // of `channels`
  wanted_revision: number; // the newest that the box spoke of
  live: ReadonlyMap<number, Live>; // channels that are not idle
  devices: Device[] | undefined;
  viewers: Viewer[] | undefined;
  pairing: PairingEvent;
  received_at: Record<EventType, number>; // milliseconds of the page's own clock; seconds count on from here
}

export function empty_snapshot(): Snapshot {
  return {
    status: undefined,
    channels: undefined,
    revision: -1,
    wanted_revision: -1,
    live: new Map(),
    devices: undefined,
    viewers: undefined,
    pairing: {},
    received_at: { status: 0, channels: 0, devices: 0, viewers: 0, pairing: 0 },
  };
}

export function on_event(before: Snapshot, type: EventType, data: unknown, now: number): Snapshot {
  const after = { ...before, received_at: { ...before.received_at, [type]: now } };
  switch (type) {
    case 'status':
      after.status = data as Status;
      break;
    case 'channels': {
      const event = data as ChannelsEvent;
      after.wanted_revision = event.revision;
      after.live = new Map(event.live.map((entry) => [entry.id, entry.live]));
      break;
    }
    case 'devices':
      after.devices = (data as Devices).devices;
      break;
    case 'viewers':
      after.viewers = (data as Viewers).viewers;
      break;
    case 'pairing':
      after.pairing = data as PairingEvent;
      break;
  }
  return after;
}

export function on_channels(before: Snapshot, revision: number, channels: Channel[]): Snapshot {
  const live = before.live.size
    ? before.live
    : new Map(channels.filter((c) => c.live.state !== 'idle').map((c) => [c.id, c.live]));
  return { ...before, channels, revision, wanted_revision: Math.max(before.wanted_revision, revision), live };
}

// Whether the channel list must be fetched (again).
export function channels_are_stale(snapshot: Snapshot): boolean {
  return snapshot.channels === undefined || snapshot.revision !== snapshot.wanted_revision;
}

const kIdle: Live = { state: 'idle', bitrate_bps: 0, packets: 0, continuity_errors: 0, viewers: 0 };

export function live_of(snapshot: Snapshot, channel_id: number): Live {
  return snapshot.live.get(channel_id) ?? kIdle;
}

export function pending_devices(snapshot: Snapshot): Device[] {
  return (snapshot.devices ?? []).filter((device) => device.state === 'pending');
}

// A count of seconds in an event of this type, carried on to now.
export function seconds_now(snapshot: Snapshot, type: EventType, seconds: number, now: number): number {
  return seconds + Math.max(0, (now - snapshot.received_at[type]) / 1000);
}
