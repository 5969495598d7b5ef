import { describe, expect, it } from 'vitest';
import type { Channel, Device, Live } from '../../src/api/types';
import {
  channels_are_stale,
  empty_snapshot,
  live_of,
  on_channels,
  on_event,
  pending_devices,
  seconds_now,
} from '../../src/live/snapshot';

const live: Live = { state: 'live', bitrate_bps: 8e6, packets: 10, continuity_errors: 0, viewers: 1 };
const idle: Live = { state: 'idle', bitrate_bps: 0, packets: 0, continuity_errors: 0, viewers: 0 };

function channel(id: number, now: Live = idle): Channel {
  return { id, name: `Channel ${id}`, flow: { group: '232.0.0.1', port: id }, rtp: false, attributes: {}, live: now };
}
function device(id: number, state: Device['state']): Device {
  return { id, name: `Device ${id}`, fingerprint: 'ABCD', state, channels: [], home_hosts: [], connected: false, lan_link: false };
}

describe('events', () => {
  it('replace what was known, and leave the rest', () => {
    const first = on_event(empty_snapshot(), 'devices', { devices: [device(1, 'approved')] }, 5);
    const second = on_event(first, 'viewers', { viewers: [] }, 6);
    const third = on_event(second, 'devices', { devices: [device(2, 'pending')] }, 7);
    expect(third.devices?.map((d) => d.id)).toEqual([2]);
    expect(third.viewers).toEqual([]);
    expect(first.devices?.map((d) => d.id)).toEqual([1]);
  });

  it('make a channel idle again by not speaking of it', () => {
    const on = on_event(empty_snapshot(), 'channels', { revision: 1, live: [{ id: 4, live }] }, 0);
    expect(live_of(on, 4).state).toBe('live');
    expect(live_of(on, 5).state).toBe('idle');
    expect(live_of(on_event(on, 'channels', { revision: 1, live: [] }, 1), 4).state).toBe('idle');
  });
});

describe('the channel list', () => {
  it('is stale until it is loaded, and when the box speaks of a newer one', () => {
    const before = empty_snapshot();
    expect(channels_are_stale(before)).toBe(true);
    const loaded = on_channels(before, 3, [channel(1)]);
    expect(channels_are_stale(loaded)).toBe(false);
    const newer = on_event(loaded, 'channels', { revision: 4, live: [] }, 0);
    expect(channels_are_stale(newer)).toBe(true);
    expect(channels_are_stale(on_channels(newer, 4, []))).toBe(false);
  });

  it('that overtook the event is not fetched twice', () => {
    const loaded = on_channels(empty_snapshot(), 9, [channel(1)]);
    expect(channels_are_stale(on_event(loaded, 'channels', { revision: 9, live: [] }, 0))).toBe(false);
  });

  it('brings live states only where no event has spoken', () => {
    expect(live_of(on_channels(empty_snapshot(), 1, [channel(1, live)]), 1).state).toBe('live');
    const heard = on_event(empty_snapshot(), 'channels', { revision: 1, live: [{ id: 2, live }] }, 0);
    expect(live_of(on_channels(heard, 1, [channel(1, live), channel(2)]), 2).state).toBe('live');
  });
});

describe('pending_devices', () => {
  it('are those that wait for the owner', () => {
    const snapshot = on_event(
      empty_snapshot(),
      'devices',
      { devices: [device(1, 'pending'), device(2, 'approved'), device(3, 'revoked')] },
      0,
    );
    expect(pending_devices(snapshot).map((d) => d.id)).toEqual([1]);
    expect(pending_devices(empty_snapshot())).toEqual([]);
  });
});

describe('seconds_now', () => {
  it('counts on from when the event came, and never back', () => {
    const snapshot = on_event(empty_snapshot(), 'viewers', { viewers: [] }, 10_000);
    expect(seconds_now(snapshot, 'viewers', 60, 12_500)).toBe(62.5);
    expect(seconds_now(snapshot, 'viewers', 60, 9_000)).toBe(60);
  });
});
